//! The requests for metadata files, and for ranges of wheels.

use url::Url;

use crate::limits::{Limits, METADATA_VARIABLE};
use crate::transport::{HttpRequest, SizeLimit};

/// A request for a metadata file, or for a part of a wheel.
pub(super) fn metadata_request(url: Url, limits: &Limits) -> HttpRequest {
    let limit = SizeLimit { bytes: limits.metadata, what: "a metadata file", variable: METADATA_VARIABLE };
    HttpRequest::new(url, "*/*", limit, limits)
}
