//! What to get, and at what cost.

use std::time::Duration;

use reqwest::header::{self, HeaderName, HeaderValue};
use url::Url;

use crate::failure::{FailureKind, FetchFailure};
use crate::limits::Limits;
use crate::url::{Login, redacted, take_login};
use pinfast_base::error::Error;

/// A GET request for one resource.
pub(crate) struct HttpRequest {
    /// The URL without credentials.
    pub(crate) url: Url,
    /// Credentials from the URL itself; they go to its origin only.
    pub(crate) login: Option<Login>,
    /// The `Accept` header.
    pub(crate) accept: &'static str,
    /// The `Accept-Encoding` header.
    pub(crate) encoding: BodyEncoding,
    /// Decides whether the beginning of the body is enough; the rest is then not read.
    pub(crate) is_enough: Option<IsEnough>,
    /// Further headers: a range, validators.
    pub(crate) headers: Vec<(HeaderName, HeaderValue)>,
    /// The largest body that is accepted, decoded.
    pub(crate) limit: SizeLimit,
    /// The deadline for all attempts together.
    pub(crate) time: Duration,
}

/// The content codings that the server may use (RFC 9110, section 12.5.3).
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum BodyEncoding {
    /// `gzip`, for pages and metadata.
    Gzip,
    /// `identity`: ranges and hashes refer to the bytes of the file itself.
    Identity,
}

/// Whether the beginning of a decoded body is enough.
pub(crate) type IsEnough = fn(&[u8]) -> bool;

/// The most bytes that a body may have, decoded.
#[derive(Clone, Copy)]
pub(crate) struct SizeLimit {
    pub(crate) bytes: u64,
    /// The kind of resource in messages, such as `a project page`.
    pub(crate) what: &'static str,
    /// The environment variable that raises the limit.
    pub(crate) variable: &'static str,
}

impl HttpRequest {
    pub(crate) fn new(mut url: Url, accept: &'static str, limit: SizeLimit, limits: &Limits) -> Self {
        // Taken off before anything can print the URL.
        let login = take_login(&mut url);
        url.set_fragment(None);
        Self {
            url,
            login,
            accept,
            encoding: BodyEncoding::Gzip,
            is_enough: None,
            headers: Vec::new(),
            limit,
            time: limits.time,
        }
    }

    pub(super) fn is_ranged(&self) -> bool {
        self.headers.iter().any(|(name, _)| name == header::RANGE)
    }

    pub(super) fn error(&self, why: &str) -> Error {
        Error::no_answer(format!("cannot get {}: {why}", redacted(&self.url)))
    }

    pub(super) fn failure(&self, kind: FailureKind, why: &str) -> FetchFailure {
        FetchFailure::new(kind, self.error(why))
    }
}
