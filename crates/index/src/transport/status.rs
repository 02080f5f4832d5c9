//! What a status means (RFC 9110, section 15), and where a redirect leads.

use std::time::Duration;

use reqwest::header::{self, HeaderValue};
use reqwest::{Response, StatusCode};
use url::Url;

use super::attempt::AttemptError;
use super::request::HttpRequest;
use crate::failure::{FailureKind, FetchFailure};
use crate::url::take_login;

/// The longest `Retry-After` that is obeyed: the resource has a deadline of its own.
const LONGEST_PAUSE: u64 = 10;

pub(super) fn is_redirect(status: StatusCode) -> bool {
    matches!(status.as_u16(), 301 | 302 | 303 | 307 | 308)
}

/// The target of a redirect. Credentials that a server puts into it are dropped.
pub(super) fn redirect_target(from: &Url, location: &HeaderValue) -> Result<Url, AttemptError> {
    let refused = |why: &str| AttemptError::retry(format!("its redirect {why}"));
    let text = std::str::from_utf8(location.as_bytes()).map_err(|_| refused("is unreadable"))?;
    let mut to = from.join(text).map_err(|_| refused("is unreadable"))?;
    // A server must not choose as whom we log in elsewhere.
    take_login(&mut to);
    match (from.scheme(), to.scheme()) {
        (_, "https") | ("http", "http") if to.has_host() => Ok(to),
        ("https", "http") => Err(refused("leads from https to http and is refused")),
        _ => Err(refused("leads away from http and is refused")),
    }
}

/// Passes on the responses that have a body to read, and sorts the others into failures.
pub(super) fn check_status(request: &HttpRequest, response: Response) -> Result<Response, AttemptError> {
    let status = response.status();
    let why = format!("the server says {status}");
    match status.as_u16() {
        200..=299 | 304 => Ok(response),
        416 if request.is_ranged() => Ok(response),
        404 | 410 => Err(AttemptError::Fatal(request.failure(FailureKind::Absent, &why))),
        401 | 403 | 407 => {
            let error = request.error(&why).hint("give credentials in the index URL or in a netrc file");
            Err(AttemptError::Fatal(FetchFailure::new(FailureKind::Denied, error)))
        }
        // 429, 5xx, and whatever a broken proxy makes up.
        _ => Err(AttemptError::Retry { why, pause: retry_after(&response) }),
    }
}

/// The `Retry-After` in seconds. Its other form, a date, is ignored.
fn retry_after(response: &Response) -> Option<Duration> {
    let text = response.headers().get(header::RETRY_AFTER)?.to_str().ok()?;
    text.trim().parse().ok().map(|seconds: u64| Duration::from_secs(seconds.min(LONGEST_PAUSE)))
}
