//! The bytes of a page, in any format -> a [`RawPage`].

use url::Url;

use super::page::{PageFormat, RawPage};
use super::{html, json_api, simple_json};
use pinfast_packaging::PackageName;

/// Parses a page of `format`. `at` is its URL, to which the links of an HTML page are relative.
///
/// # Errors
/// Why the page is unreadable as a whole.
pub(crate) fn parse_page<'a>(
    format: PageFormat,
    body: &'a [u8],
    name: &PackageName,
    at: &Url,
) -> Result<RawPage<'a>, String> {
    match format {
        PageFormat::JsonApi => json_api::parse_project(body, name),
        PageFormat::JsonApiRelease => json_api::parse_release(body, name),
        PageFormat::SimpleJson => simple_json::parse(body, name),
        PageFormat::Html => html::parse(body, at),
    }
}

/// Parses a find-links page, which may list files of any project.
///
/// # Errors
/// Why the page is unreadable as a whole.
pub(crate) fn parse_links(body: &[u8], at: &Url) -> Result<RawPage<'static>, String> {
    html::parse(body, at)
}
