//! Project pages as bytes -> a [`Page`] of raw entries -> a [`Listing`]; the same whichever API told of it.
//!
//! Pure functions: they know no network and no disk. One unreadable entry bars that file with a warning;
//! only a page that is unreadable as a whole is an error.

mod build;
mod html;
mod json;
mod names;
mod seen;
mod text;

use url::Url;

pub(super) use build::{Scope, listing, merged, release_info};
pub(super) use html::is_closed;
pub(super) use names::names;
pub(super) use text::{Text, tame};

use pinfast_packaging::{PackageName, Sha256};

/// What a page says, not yet judged: names and URLs as they stand there.
#[derive(Debug, Default)]
pub(super) struct Page<'a> {
    /// What the JSON API tells of its newest release.
    pub(super) info: Option<Info<'a>>,
    /// The files.
    pub(super) entries: Vec<Entry<'a>>,
    /// Entries that could not be read even so far, each a sentence.
    pub(super) warnings: Vec<String>,
}

/// One file of a page.
#[derive(Clone, Debug)]
pub(super) struct Entry<'a> {
    pub(super) filename: Text<'a>,
    /// Relative to the page, perhaps.
    pub(super) url: Text<'a>,
    pub(super) sha256: Digest,
    pub(super) requires_python: Option<Text<'a>>,
    pub(super) yanked: Option<Text<'a>>,
    /// Microseconds since 1970.
    pub(super) uploaded: Option<i64>,
    pub(super) size: Option<u64>,
    pub(super) metadata: Hint,
}

/// The hash that a page tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Digest {
    None,
    /// Something that is no SHA-256.
    Unreadable,
    Sha256([u8; 32]),
}

/// What a page tells of the metadata file beside a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Hint {
    Unknown,
    Present,
    Sha256([u8; 32]),
}

/// The JSON API's `info`.
#[derive(Debug, serde::Deserialize)]
pub(super) struct Info<'a> {
    #[serde(borrow)]
    pub(super) name: Text<'a>,
    #[serde(borrow)]
    pub(super) version: Text<'a>,
    #[serde(borrow)]
    pub(super) requires_dist: Option<Vec<Text<'a>>>,
    #[serde(borrow)]
    pub(super) requires_python: Option<Text<'a>>,
    #[serde(borrow)]
    pub(super) provides_extra: Option<Vec<Text<'a>>>,
}

/// What kind of page some bytes are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Format {
    /// `/pypi/NAME/json`
    Api,
    /// `/pypi/NAME/VERSION/json`
    Release,
    /// PEP 691
    SimpleJson,
    /// PEP 503
    Html,
}

impl Format {
    /// The format of a Simple page: what its `Content-Type` says, else what it looks like.
    pub(super) fn of_simple(content_type: Option<&str>, body: &[u8]) -> Self {
        let said = content_type.unwrap_or_default().to_ascii_lowercase();
        let looks_like_json = body.iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b'{');
        if said.contains("json") || (looks_like_json && !said.contains("html")) {
            Self::SimpleJson
        } else {
            Self::Html
        }
    }
}

impl Digest {
    /// Reads hexadecimal digits; an absent hash is none.
    pub(super) fn read(text: Option<&str>) -> Self {
        match text {
            None => Self::None,
            Some(text) => text.parse().map_or(Self::Unreadable, |Sha256(bytes)| Self::Sha256(bytes)),
        }
    }
}

impl Hint {
    /// A hash, or a word that there is a file: a hash that cannot be read is only the word.
    pub(super) fn read(sha256: Option<&str>) -> Self {
        match Digest::read(sha256) {
            Digest::Sha256(bytes) => Self::Sha256(bytes),
            Digest::None | Digest::Unreadable => Self::Present,
        }
    }
}

/// Reads a page of `format`; `at` is where it came from, against which an HTML page's links are read.
///
/// # Errors
/// Why it is unreadable as a whole.
pub(super) fn read<'a>(
    format: Format,
    body: &'a [u8],
    name: &PackageName,
    at: &Url,
) -> Result<Page<'a>, String> {
    match format {
        Format::Api => json::api(body, name),
        Format::Release => json::release(body, name),
        Format::SimpleJson => json::simple(body, name),
        Format::Html => html::read(body, at),
    }
}

/// The `info` that a page of the JSON API begins with; `None` where it is not there, or not whole.
pub(super) fn beginning(body: &[u8]) -> Option<Info<'_>> {
    json::beginning(body)
}

/// Reads a page of links that is no project's.
///
/// # Errors
/// Why it is unreadable as a whole.
pub(super) fn read_links(body: &[u8], at: &Url) -> Result<Page<'static>, String> {
    html::read(body, at)
}

/// Whether a name ends as wheels and sdists do; what else stands on pages (eggs, installers, signatures)
/// is no concern of a resolver and no fault of the page.
pub(super) fn is_dist(filename: &str) -> bool {
    [".whl", ".tar.gz", ".zip"].iter().any(|ending| filename.ends_with(ending))
}
