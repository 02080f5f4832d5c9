//! What the status of an answer means, and where redirects lead.

use std::time::Duration;

use reqwest::header::{self, HeaderValue};
use reqwest::{Response, StatusCode};
use url::Url;

use super::{Ask, Trouble, again};
use crate::failure::{Cause, Failure};
use crate::url::{shown, take_login};
use pinfast_base::error::Error;

pub(super) fn is_redirect(status: StatusCode) -> bool {
    matches!(status.as_u16(), 301 | 302 | 303 | 307 | 308)
}

/// Where a redirect leads; credentials that a server puts into it are dropped.
pub(super) fn redirected(from: &Url, location: &HeaderValue) -> Result<Url, Trouble> {
    let refused = |why: &str| again(format!("its redirect {why}"));
    let text = std::str::from_utf8(location.as_bytes()).map_err(|_| refused("is unreadable"))?;
    let mut to = from.join(text).map_err(|_| refused("is unreadable"))?;
    take_login(&mut to);
    match (from.scheme(), to.scheme()) {
        (_, "https") | ("http", "http") if to.has_host() => Ok(to),
        ("https", "http") => Err(refused("leads from https to http and is refused")),
        _ => Err(refused("leads away from http and is refused")),
    }
}

/// Sorts statuses into answers, ends and trouble.
pub(super) fn judged(ask: &Ask, response: Response) -> Result<Response, Trouble> {
    let status = response.status();
    match status.as_u16() {
        200..=299 | 304 => Ok(response),
        416 if ask.is_ranged() => Ok(response),
        404 | 410 => Err(Trouble::Stop(ask.failure(Cause::Absent, &format!("the server says {status}")))),
        401 | 403 | 407 => {
            let error = Error::no_answer(format!("cannot get {}: the server says {status}", shown(&ask.url)))
                .hint("give credentials in the index URL or in a netrc file");
            Err(Trouble::Stop(Failure::new(Cause::Denied, error)))
        }
        _ => Err(Trouble::Again { why: format!("the server says {status}"), pause: retry_after(&response) }),
    }
}

/// The seconds of a `Retry-After`, at most ten: the resource has its own time limit.
fn retry_after(response: &Response) -> Option<Duration> {
    let text = response.headers().get(header::RETRY_AFTER)?.to_str().ok()?;
    text.trim().parse().ok().map(|seconds: u64| Duration::from_secs(seconds.min(10)))
}
