//! What came back, decoded from its content coding, and what reads it.

use std::sync::Arc;

use reqwest::StatusCode;
use reqwest::header::HeaderMap;
use url::Url;

use crate::failure::FetchFailure;

/// A whole response.
pub(crate) struct HttpResponse {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    /// The URL after redirects.
    pub(crate) url: Url,
    pub(crate) body: Vec<u8>,
    pub(crate) end: BodyEnd,
}

/// How we know where a body ends (RFC 9112, section 6.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BodyEnd {
    /// By `Content-Length`, chunks or HTTP/2 frames: a cut body is noticed.
    Framed,
    /// By the end of the connection: a cut body looks like a whole one.
    Unframed,
    /// We stopped reading, since the beginning was enough.
    Stopped,
}

/// Turns a response into a value.
pub(crate) type Decode<T> = Arc<dyn Fn(HttpResponse) -> Result<T, DecodeError> + Send + Sync>;

/// Why a response could not be decoded.
pub(crate) enum DecodeError {
    /// The body is malformed, as one cut in transit is: the request is repeated.
    Malformed(String),
    /// Repeating the request cannot help.
    Fatal(FetchFailure),
}

impl From<String> for DecodeError {
    fn from(why: String) -> Self {
        Self::Malformed(why)
    }
}
