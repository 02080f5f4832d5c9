//! The requests for index pages.

use url::Url;

use crate::limits::{Limits, PAGE_VARIABLE};
use crate::transport::{HttpRequest, SizeLimit};

/// The `Accept` header for the JSON API.
pub(super) const ACCEPT_JSON: &str = "application/json";
/// The `Accept` header for the Simple API, JSON preferred (PEP 691).
pub(super) const ACCEPT_SIMPLE: &str = "application/vnd.pypi.simple.v1+json, \
    application/vnd.pypi.simple.v1+html;q=0.2, text/html;q=0.1";
/// The `Accept` header for the Simple API in JSON only.
pub(super) const ACCEPT_SIMPLE_JSON: &str = "application/vnd.pypi.simple.v1+json";
/// The `Accept` header for find-links pages.
pub(super) const ACCEPT_HTML: &str = "text/html, */*;q=0.1";

/// A request for a project page or a find-links page.
pub(super) fn page_request(url: Url, accept: &'static str, limits: &Limits) -> HttpRequest {
    let limit = SizeLimit { bytes: limits.page, what: "a project page", variable: PAGE_VARIABLE };
    HttpRequest::new(url, accept, limit, limits)
}
