//! The metadata of a release in the JSON API's `info`.

use std::sync::Arc;

use crate::listings::Releases;
use crate::once_map::OnceMap;
use crate::page_cache::CachedListing;
use crate::raw_metadata::metadata_of_release;
use pinfast_packaging::{DistFile, Metadata, PackageName, Version};

/// The metadata that pages of the JSON API had for releases.
pub(crate) struct ReleaseMetadata {
    releases: Arc<Releases>,
    parsed: OnceMap<(PackageName, Version), Option<Arc<Metadata>>>,
}

impl ReleaseMetadata {
    pub(crate) fn new(releases: Arc<Releases>) -> Self {
        Self { releases, parsed: OnceMap::default() }
    }

    /// The metadata of the release of `file`, where a listing that is there already has it. Sends no request.
    pub(crate) fn get(&self, file: &DistFile) -> Option<Arc<Metadata>> {
        let release = (file.dist.name().clone(), file.dist.version().clone());
        let CachedListing { listing, .. } = self.releases.known_listing(&release.0, &release.1)?;
        let info = listing.info.as_ref().filter(|info| info.version == *file.dist.version())?;
        let number = listing.position(&info.version)?;
        // A file from find-links may have the same version, but the index knows nothing about it.
        listing.files(number).iter().find(|listed| listed.url == file.url)?;
        let (slot, completer) = self.parsed.register(release);
        if let Some(completer) = completer {
            completer.done(Ok(metadata_of_release(&listing.name, info).map(Arc::new)));
        }
        slot.wait_blocking().ok()?
    }
}
