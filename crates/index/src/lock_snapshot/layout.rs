//! The parts of a snapshot, as postcard encodes them.

use serde::{Deserialize, Serialize};

use crate::page_cache::{CacheRef, PageFreshness};
use crate::text::BorrowedText;
use pinfast_packaging::Sha256;

/// What is decoded when a snapshot is opened.
#[derive(Serialize, Deserialize)]
pub(super) struct SnapshotHeader<'a> {
    #[serde(borrow)]
    pub(super) projects: Vec<ProjectEntry<'a>>,
    /// The hash of each file, and the length of its raw metadata in bytes.
    pub(super) files: Vec<(Sha256, u32)>,
}

/// A project in the header.
#[derive(Serialize, Deserialize)]
pub(super) struct ProjectEntry<'a> {
    #[serde(borrow)]
    pub(super) name: BorrowedText<'a>,
    /// The freshness of the page that becomes stale first.
    pub(super) freshness: PageFreshness,
    /// A line for each release's version.
    #[serde(borrow)]
    pub(super) versions: BorrowedText<'a>,
    /// Whether one of the releases is the newest.
    pub(super) has_newest: bool,
    /// The length of its part, in bytes.
    pub(super) length: u32,
}

/// A project's part; the packed listings follow.
#[derive(Serialize, Deserialize)]
pub(super) struct SnapshotProject {
    /// The page record that each listing was copied from, and the length of the packed listing.
    pub(super) releases: Vec<(CacheRef, u32)>,
    /// Which of them is the newest.
    pub(super) newest: Option<u32>,
}
