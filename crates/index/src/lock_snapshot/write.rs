//! What a run learnt -> a snapshot.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::layout::{ProjectEntry, SnapshotHeader, SnapshotProject};
use crate::page_cache::{CacheRef, PageFreshness, pack_listing, record_count};
use crate::raw_metadata::RawMetadata;
use pinfast_packaging::{Listing, PackageName, Sha256};

/// What a run learnt about one project.
pub(crate) struct KnownProject<'a> {
    pub(crate) name: &'a PackageName,
    /// A listing of one release each, and the page record that it came from.
    pub(crate) releases: Vec<(CacheRef, Arc<Listing>)>,
    /// Which of them is the newest.
    pub(crate) newest: Option<usize>,
}

/// Packs a snapshot. The same knowledge gives the same bytes.
///
/// # Errors
/// When it has more than a record can hold.
pub(crate) fn pack_snapshot(
    projects: &[KnownProject<'_>],
    files: &BTreeMap<Sha256, Arc<RawMetadata>>,
) -> postcard::Result<Vec<u8>> {
    let (mut header, mut body) = (SnapshotHeader { projects: Vec::new(), files: Vec::new() }, Vec::new());
    for project in projects {
        let Some(freshness) = project.freshness() else { continue };
        let packed = project.pack()?;
        header.projects.push(ProjectEntry {
            name: project.name.as_str().into(),
            freshness,
            versions: project.versions().into(),
            has_newest: project.newest.is_some(),
            length: record_count(packed.len())?,
        });
        body.extend(packed);
    }
    for (sha256, raw) in files {
        let packed = postcard::to_stdvec(&**raw)?;
        header.files.push((*sha256, record_count(packed.len())?));
        body.extend(packed);
    }
    Ok([postcard::to_stdvec(&header)?, body].concat())
}

impl KnownProject<'_> {
    /// The freshness of the page that becomes stale first; `None` where nothing is known.
    fn freshness(&self) -> Option<PageFreshness> {
        self.releases.iter().map(|(stored, _)| stored.freshness).min_by_key(PageFreshness::expires)
    }

    /// A line for each.
    fn versions(&self) -> String {
        self.releases.iter().map(|(_, listing)| format!("{}\n", listing.version(0))).collect()
    }

    fn pack(&self) -> postcard::Result<Vec<u8>> {
        let listings = self.releases.iter().map(|(_, listing)| pack_listing(listing));
        let listings = listings.collect::<postcard::Result<Vec<_>>>()?;
        let releases = self.releases.iter().zip(&listings);
        let releases = releases.map(|((stored, _), listing)| Ok((*stored, record_count(listing.len())?)));
        let project = SnapshotProject {
            releases: releases.collect::<postcard::Result<_>>()?,
            newest: self.newest.map(record_count).transpose()?,
        };
        Ok([postcard::to_stdvec(&project)?, listings.concat()].concat())
    }
}
