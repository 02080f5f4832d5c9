//! The parts of a record, as postcard encodes them.

use serde::{Deserialize, Serialize};

use super::file_url::PackedUrl;
use crate::text::BorrowedText;
use pinfast_packaging::{MetadataHint, Sha256};

/// What is decoded when a listing is opened.
#[derive(Serialize, Deserialize)]
pub(super) struct ListingHeader<'a> {
    #[serde(borrow)]
    pub(super) info: Option<PackedInfo<'a>>,
    #[serde(borrow)]
    pub(super) warnings: Vec<BorrowedText<'a>>,
    /// A line for each version.
    #[serde(borrow)]
    pub(super) versions: BorrowedText<'a>,
    /// A line for each tag set; summaries have its number.
    #[serde(borrow)]
    pub(super) tag_sets: BorrowedText<'a>,
    /// A line for each Requires-Python; summaries have its number.
    #[serde(borrow)]
    pub(super) requires_pythons: BorrowedText<'a>,
    /// The beginnings of the files' URLs.
    #[serde(borrow)]
    pub(super) url_roots: Vec<BorrowedText<'a>>,
    pub(super) releases: Vec<PackedRelease>,
}

/// The JSON API's `info`.
#[derive(Serialize, Deserialize)]
pub(super) struct PackedInfo<'a> {
    #[serde(borrow)]
    pub(super) version: BorrowedText<'a>,
    #[serde(borrow)]
    pub(super) requires_dist: Option<Vec<BorrowedText<'a>>>,
    #[serde(borrow)]
    pub(super) requires_python: Option<BorrowedText<'a>>,
    #[serde(borrow)]
    pub(super) provides_extra: Vec<BorrowedText<'a>>,
}

#[derive(Serialize, Deserialize)]
pub(super) struct PackedRelease {
    /// The number of its files.
    pub(super) files: u32,
    /// The length of their details together, in bytes.
    pub(super) details_length: u32,
}

/// What a file has beside its summary.
#[derive(Serialize, Deserialize)]
pub(super) struct FileDetails<'a> {
    #[serde(borrow)]
    pub(super) filename: BorrowedText<'a>,
    #[serde(borrow)]
    pub(super) url: PackedUrl<'a>,
    pub(super) sha256: Option<Sha256>,
    pub(super) size: Option<u64>,
    pub(super) metadata: MetadataHint,
    #[serde(borrow)]
    pub(super) yanked: Option<BorrowedText<'a>>,
    /// The build tag of a wheel.
    #[serde(borrow)]
    pub(super) build: Option<(u64, BorrowedText<'a>)>,
    /// Its version, where it is spelled unlike the release's: `1.0` in the release `1`.
    #[serde(borrow)]
    pub(super) version: Option<BorrowedText<'a>>,
}

/// A number that a record stores in 32 bits.
///
/// # Errors
/// When it is larger.
pub(crate) fn record_count(number: usize) -> postcard::Result<u32> {
    u32::try_from(number).map_err(|_| postcard::Error::SerializeBufferFull)
}
