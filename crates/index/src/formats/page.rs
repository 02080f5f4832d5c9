//! A page as it was written: texts that were parsed, not yet validated.

use crate::text::BorrowedText;
use pinfast_packaging::{MetadataHint, Sha256};

/// A project page, or a page of one release.
#[derive(Debug, Default)]
pub(crate) struct RawPage<'a> {
    /// The JSON API's `info`.
    pub(crate) info: Option<RawInfo<'a>>,
    pub(crate) files: Vec<RawFile<'a>>,
    /// A sentence for each entry that could not even be parsed.
    pub(crate) warnings: Vec<String>,
}

/// One file of a page.
#[derive(Clone, Debug)]
pub(crate) struct RawFile<'a> {
    pub(crate) filename: BorrowedText<'a>,
    /// Absolute, or relative to the page.
    pub(crate) url: BorrowedText<'a>,
    pub(crate) sha256: RawHash,
    pub(crate) requires_python: Option<BorrowedText<'a>>,
    pub(crate) yanked: Option<BorrowedText<'a>>,
    /// The upload time, in microseconds since 1970.
    pub(crate) uploaded: Option<i64>,
    /// In bytes.
    pub(crate) size: Option<u64>,
    pub(crate) metadata: MetadataHint,
}

/// The hash in a page's entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RawHash {
    None,
    /// A text that is no SHA-256.
    Unreadable,
    Sha256(Sha256),
}

/// The JSON API's `info`: metadata of one release.
#[derive(Debug, serde::Deserialize)]
pub(crate) struct RawInfo<'a> {
    #[serde(borrow)]
    pub(super) name: BorrowedText<'a>,
    #[serde(borrow)]
    pub(super) version: BorrowedText<'a>,
    #[serde(borrow)]
    pub(super) requires_dist: Option<Vec<BorrowedText<'a>>>,
    #[serde(borrow)]
    pub(super) requires_python: Option<BorrowedText<'a>>,
    #[serde(borrow)]
    pub(super) provides_extra: Option<Vec<BorrowedText<'a>>>,
}

/// The format of a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PageFormat {
    /// `/pypi/NAME/json`
    JsonApi,
    /// `/pypi/NAME/VERSION/json`
    JsonApiRelease,
    /// PEP 691
    SimpleJson,
    /// PEP 503
    Html,
}

impl PageFormat {
    /// The format of a Simple API page: by its `Content-Type`, else by its first byte.
    pub(crate) fn of_simple(content_type: Option<&str>, body: &[u8]) -> Self {
        let content_type = content_type.unwrap_or_default().to_ascii_lowercase();
        // File servers may send JSON as `text/plain`; then the first byte decides.
        let looks_like_json = body.iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b'{');
        if content_type.contains("json") || (looks_like_json && !content_type.contains("html")) {
            Self::SimpleJson
        } else {
            Self::Html
        }
    }
}

impl RawHash {
    /// Parses hexadecimal digits.
    pub(super) fn parse(text: Option<&str>) -> Self {
        match text {
            None => Self::None,
            Some(text) => text.parse().map_or(Self::Unreadable, Self::Sha256),
        }
    }
}

/// The hint of an entry that announces a metadata file. A hash that cannot be parsed leaves the announcement.
pub(super) fn announced_metadata(sha256: Option<&str>) -> MetadataHint {
    match RawHash::parse(sha256) {
        RawHash::Sha256(hash) => MetadataHint::Hashed(hash),
        RawHash::None | RawHash::Unreadable => MetadataHint::Present,
    }
}

/// Whether a file name ends like a wheel's or an sdist's. Eggs, installers and signatures are skipped without a
/// warning: a resolver has no use for them.
pub(crate) fn is_distribution(filename: &str) -> bool {
    [".whl", ".tar.gz", ".zip"].iter().any(|ending| filename.ends_with(ending))
}
