//! The client: what it consists of.

use std::sync::Arc;
use std::time::SystemTime;

use crate::config::IndexConfig;
use crate::downloads::Downloads;
use crate::listings::{FlatIndexes, IndexSet, Listings, PageFetcher, Releases};
use crate::lock_snapshot::SnapshotReader;
use crate::metadata::{MetadataStore, ReleaseMetadata};
use crate::page_cache::{PageCache, RecordCache};
use crate::prefetch::IndexPrefetch;
use crate::transport::{Credentials, Transport};
use pinfast_base::event::Watcher;

/// The indexes of a run. A question has one answer in a run, whoever asks first and whatever arrives first.
///
/// Creating a client does no I/O. Threads, TLS and connections start when something needs them.
pub struct Client {
    pub(crate) config: Arc<IndexConfig>,
    pub(crate) transport: Arc<Transport>,
    pub(crate) records: Arc<RecordCache>,
    pub(crate) pages: Arc<PageCache>,
    pub(crate) indexes: Arc<IndexSet>,
    pub(crate) snapshot: Arc<SnapshotReader>,
    pub(crate) listings: Arc<Listings>,
    pub(crate) releases: Arc<Releases>,
    pub(crate) release_metadata: Arc<ReleaseMetadata>,
    pub(crate) downloads: Arc<Downloads>,
    pub(crate) metadata: Arc<MetadataStore>,
    pub(crate) prefetch: IndexPrefetch,
}

impl Client {
    /// A client that reports events to `watcher`.
    #[must_use]
    pub fn new(config: IndexConfig, watcher: Arc<dyn Watcher>) -> Self {
        Self::at(SystemTime::now(), config, watcher)
    }

    /// The same for a run at the time `now`, against which the freshness of the cache is measured.
    pub(crate) fn at(now: SystemTime, config: IndexConfig, watcher: Arc<dyn Watcher>) -> Self {
        let config = Arc::new(config);
        let mode = config.cache_mode;
        // From the bottom up: an owner gets those below it, so none can call one above it.
        let credentials = Arc::new(Credentials::new(config.clone(), watcher.clone()));
        let transport = Arc::new(Transport::new(config.clone(), credentials.clone(), watcher.clone()));
        let records = Arc::new(RecordCache::new(config.cache.as_deref(), watcher));
        let pages = Arc::new(PageCache::new(records.clone(), credentials, mode, now));
        let indexes = Arc::new(IndexSet::new(&config));
        let snapshot = Arc::new(SnapshotReader::new(pages.clone()));
        let fetcher = PageFetcher::new(transport.clone(), pages.clone());
        let flat = FlatIndexes::new(config.clone(), transport.clone());
        let listings = Arc::new(Listings::new(fetcher.clone(), indexes.clone(), flat));
        let releases = Arc::new(Releases::new(fetcher, indexes.clone(), listings.clone(), snapshot.clone()));
        let release_metadata = Arc::new(ReleaseMetadata::new(releases.clone()));
        let downloads = Arc::new(Downloads::new(transport.clone()));
        let metadata = Arc::new(MetadataStore::new(
            transport.clone(),
            records.clone(),
            mode,
            downloads.clone(),
            snapshot.clone(),
        ));
        let prefetch = IndexPrefetch {
            transport: transport.clone(),
            indexes: indexes.clone(),
            listings: listings.clone(),
            releases: releases.clone(),
            release_metadata: release_metadata.clone(),
            metadata: metadata.clone(),
            snapshot: snapshot.clone(),
        };
        Self {
            config,
            transport,
            records,
            pages,
            indexes,
            snapshot,
            listings,
            releases,
            release_metadata,
            downloads,
            metadata,
            prefetch,
        }
    }
}

/// Tasks in the runtime hold the owners, and one owner holds the runtime; stopping it breaks this cycle.
impl Drop for Client {
    fn drop(&mut self) {
        self.transport.stop();
    }
}
