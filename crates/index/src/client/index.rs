//! The solver's questions.

use std::pin::pin;
use std::sync::Arc;

use super::Client;
use crate::failure::FailureKind;
use crate::listings::project_names;
use pinfast_base::error::Error;
use pinfast_packaging::{DirectUrl, DistFile, Listing, Metadata, PackageName, Sha256, Version};
use pinfast_solve::{Index, IndexQuery, MetadataFailure, SearchScope, Trust};

/// So many threads prefetch over the network; each mostly waits for an answer.
const PREFETCH_THREADS: usize = 32;

/// So many do while the run is offline: there is nothing to wait for.
const PREFETCH_THREADS_ON_DISK: usize = 2;

impl Index for Client {
    fn listing(&self, name: &PackageName) -> Result<Option<Arc<Listing>>, Error> {
        let found = self.listings.start(name).wait_blocking().map_err(|failure| failure.to_error())?;
        Ok(found.map(|found| found.listing))
    }

    fn release_listing(&self, name: &PackageName, version: &Version) -> Option<Arc<Listing>> {
        self.releases.release(name, version)
    }

    fn newest_listing(&self, name: &PackageName) -> Option<Arc<Listing>> {
        let newest = self.releases.newest(name)?;
        // The search for the newest release has mostly requested this page already.
        Some(self.releases.start_release(name, &newest.version).wait_blocking().ok()??.listing)
    }

    fn newest_metadata(&self, name: &PackageName) -> Option<Arc<Metadata>> {
        let newest = self.releases.newest(name)?;
        newest.metadata.clone().filter(|_| !self.releases.is_newest_listed(name, &newest))
    }

    fn metadata(&self, file: &Arc<DistFile>, trust: Trust) -> Result<Arc<Metadata>, MetadataFailure> {
        if trust == Trust::Release
            // The file's own metadata needs no confirmation later, so it is preferred where it costs nothing.
            && !self.metadata.is_at_hand(file)
            && let Some(metadata) = self.release_metadata.get(file)
        {
            return Ok(metadata);
        }
        let found = self.metadata.start(file).wait_blocking();
        found.map(|found| found.metadata).map_err(|failure| match failure.kind {
            FailureKind::Invalid => MetadataFailure::Invalid(failure.message().to_owned()),
            FailureKind::NeedsBuild => MetadataFailure::NeedsBuild(failure.message().to_owned()),
            _ => MetadataFailure::Fatal(failure.to_error()),
        })
    }

    fn direct_url_listing(&self, name: &PackageName, url: &DirectUrl) -> Result<Arc<Listing>, Error> {
        let file = Self::direct_url_file(name, url)?;
        let download = self.transport.block_on(pin!(self.downloads.get(&file.url, url.sha256, None)));
        let download = download.map_err(|failure| failure.to_error())?;
        let file = DistFile { sha256: Some(download.sha256), ..file };
        // So that its metadata is read from this copy.
        self.downloads.set(&file, download);
        let release = (file.dist.version().clone(), vec![Arc::new(file)]);
        Ok(Arc::new(Listing::new(name.clone(), vec![release])))
    }

    fn sha256(&self, file: &Arc<DistFile>) -> Result<Sha256, Error> {
        if let Some(sha256) = file.sha256 {
            return Ok(sha256);
        }
        // The index has no hash, and only the whole file gives one.
        let download = self.transport.block_on(pin!(self.downloads.get(&file.url, None, file.size)));
        download.map(|download| download.sha256).map_err(|failure| failure.to_error())
    }

    fn prefetch(&self, queries: &[IndexQuery]) {
        self.prefetch.prefetch(queries.iter());
    }

    fn prefetch_speculative(&self, queries: &[IndexQuery]) {
        self.prefetch.prefetch_speculative(queries.iter());
    }

    fn search_scope(&self) -> SearchScope {
        if self.indexes.is_empty() { SearchScope::FindLinks } else { SearchScope::Indexes }
    }

    fn project_names(&self) -> Vec<PackageName> {
        project_names(&self.indexes, &self.transport, self.config.cache_mode)
    }

    fn prefetch_concurrency(&self) -> usize {
        if self.transport.is_connected() { PREFETCH_THREADS } else { PREFETCH_THREADS_ON_DISK }
    }
}
