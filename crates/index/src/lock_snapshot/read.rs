//! A snapshot -> answers.

use std::ops::Range;
use std::sync::{Arc, OnceLock};

use rustc_hash::FxHashMap;

use super::layout::{ProjectEntry, SnapshotHeader, SnapshotProject};
use crate::page_cache::{CacheRef, CachedListing, PageCache, PageFreshness, read_listing};
use crate::raw_metadata::RawMetadata;
use pinfast_cache::CacheRecord;
use pinfast_packaging::{DistFile, Metadata, PackageName, Sha256, Version};

/// The snapshot of a run, once it is loaded. Without one, it has no answers.
pub(crate) struct SnapshotReader {
    pages: Arc<PageCache>,
    snapshot: OnceLock<LockSnapshot>,
}

/// An opened record.
struct LockSnapshot {
    record: Arc<CacheRecord>,
    projects: FxHashMap<Box<str>, LazyProject>,
    /// The raw metadata of each file.
    files: FxHashMap<Sha256, Range<usize>>,
}

/// A project. Its listings are decoded when first asked.
struct LazyProject {
    freshness: PageFreshness,
    /// A line for each.
    versions: Box<str>,
    has_newest: bool,
    bytes: Range<usize>,
    listings: OnceLock<ProjectListings>,
}

/// The listings of a project that still hold.
#[derive(Default)]
struct ProjectListings {
    /// Of one release each.
    releases: Vec<CachedListing>,
    newest: Option<CachedListing>,
}

impl SnapshotReader {
    pub(crate) fn new(pages: Arc<PageCache>) -> Self {
        Self { pages, snapshot: OnceLock::new() }
    }

    /// Opens `record`. Only the first snapshot of a run is used: a run has one answer to each question.
    pub(crate) fn load(&self, record: CacheRecord) {
        if let Some(snapshot) = LockSnapshot::open(Arc::new(record)) {
            let _ = self.snapshot.set(snapshot);
        }
    }

    /// A listing of this release alone.
    pub(crate) fn release(&self, name: &PackageName, version: &Version) -> Option<CachedListing> {
        let is_wanted = |release: &&CachedListing| release.listing.versions().eq([version]);
        self.listings(name)?.releases.iter().find(is_wanted).cloned()
    }

    /// A listing of the newest release alone.
    pub(crate) fn newest(&self, name: &PackageName) -> Option<CachedListing> {
        self.listings(name)?.newest.clone()
    }

    /// The metadata of `file`.
    pub(crate) fn metadata(&self, file: &DistFile) -> Option<Metadata> {
        let raw = self.raw_metadata(file.sha256?).filter(|raw| raw.matches_hint(file.metadata))?;
        raw.parse(file).ok()
    }

    pub(crate) fn raw_metadata(&self, sha256: Sha256) -> Option<RawMetadata> {
        self.snapshot.get()?.raw_metadata(sha256)
    }

    pub(crate) fn has_metadata(&self, file: &DistFile) -> bool {
        let has =
            |snapshot: &LockSnapshot| file.sha256.is_some_and(|hash| snapshot.files.contains_key(&hash));
        self.snapshot.get().is_some_and(has)
    }

    /// Whether there probably is the newest release. To be certain would take as long as the answer.
    pub(crate) fn probably_has_newest(&self, name: &PackageName) -> bool {
        self.fresh_project(name).is_some_and(|project| project.has_newest)
    }

    /// Whether there probably is this release.
    pub(crate) fn probably_has_release(&self, name: &PackageName, version: &Version) -> bool {
        self.fresh_project(name).is_some_and(|project| {
            let version = version.to_string();
            project.versions.lines().any(|line| line == version)
        })
    }

    /// Whether the snapshot consists of these bytes.
    pub(crate) fn is(&self, bytes: &[u8]) -> bool {
        self.snapshot.get().is_some_and(|snapshot| **snapshot.record == *bytes)
    }

    fn fresh_project(&self, name: &PackageName) -> Option<&LazyProject> {
        let project = self.snapshot.get()?.projects.get(name.as_str())?;
        Some(project).filter(|project| self.pages.is_fresh(project.freshness))
    }

    fn listings(&self, name: &PackageName) -> Option<&ProjectListings> {
        let snapshot = self.snapshot.get()?;
        let project = snapshot.projects.get(name.as_str())?;
        let still_holds = |stored: &CacheRef| self.pages.still_holds(stored);
        let read = || snapshot.listings(name, project.bytes.clone(), still_holds);
        Some(project.listings.get_or_init(|| read().unwrap_or_default()))
    }
}

impl LockSnapshot {
    /// `None` where the record cannot be decoded.
    fn open(record: Arc<CacheRecord>) -> Option<Self> {
        let (header, rest) = postcard::take_from_bytes::<SnapshotHeader<'_>>(&record).ok()?;
        let mut next = record.len() - rest.len();
        let mut take = |length: u32| {
            // A damaged record may have any length here.
            let bytes = next..next.checked_add(length as usize).filter(|end| *end <= record.len())?;
            next = bytes.end;
            Some(bytes)
        };
        let mut projects = FxHashMap::default();
        for ProjectEntry { name, freshness, versions, has_newest, length } in header.projects {
            let (versions, bytes) = ((*versions).into(), take(length)?);
            let listings = OnceLock::new();
            projects.insert((*name).into(), LazyProject { freshness, versions, has_newest, bytes, listings });
        }
        let files = header.files.into_iter().map(|(sha256, length)| Some((sha256, take(length)?)));
        let files = files.collect::<Option<_>>()?;
        Some(Self { projects, files, record })
    }

    fn raw_metadata(&self, sha256: Sha256) -> Option<RawMetadata> {
        let bytes = self.files.get(&sha256)?.clone();
        postcard::from_bytes(&self.record[bytes]).ok()
    }

    /// The listings in a project's part, as far as they still hold.
    fn listings(
        &self,
        name: &PackageName,
        bytes: Range<usize>,
        still_holds: impl Fn(&CacheRef) -> bool,
    ) -> Option<ProjectListings> {
        let end = bytes.end;
        let (project, rest) = postcard::take_from_bytes::<SnapshotProject>(&self.record[bytes]).ok()?;
        let (mut next, mut listings) = (end - rest.len(), ProjectListings::default());
        for (number, (stored, length)) in (0..).zip(project.releases) {
            // A wrong length must not reach into the next project.
            let bytes = next..next.saturating_add(length as usize).min(end);
            next = bytes.end;
            // Checked per release: the pages of a project are renewed at different times.
            if !still_holds(&stored) {
                continue;
            }
            let Some(listing) = read_listing(name, Arc::clone(&self.record), bytes) else { continue };
            let release = CachedListing { listing: Arc::new(listing), stored: Some(stored) };
            if project.newest == Some(number) {
                listings.newest = Some(release.clone());
            }
            listings.releases.push(release);
        }
        Some(listings)
    }
}
