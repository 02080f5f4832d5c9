//! Begins with queries before their answers are needed, so that a solver rarely waits.
//!
//! In: queries that the solver will or may make. Nothing waits for an answer here: each query fills a slot of
//! its owner, where the solver later finds it. A query that was already made, or that the snapshot answers,
//! is skipped.

use std::sync::Arc;

use crate::listings::{IndexSet, Listings, Releases};
use crate::lock_snapshot::SnapshotReader;
use crate::metadata::{MetadataStore, ReleaseMetadata};
use crate::transport::Transport;
use pinfast_solve::{IndexQuery, Trust};

/// So many queries that the cache answers are made on the caller's thread: handing them to another takes longer.
const FEW: usize = 2;

/// Begins with queries on the CPU pool.
#[derive(Clone)]
pub(crate) struct IndexPrefetch {
    pub(crate) transport: Arc<Transport>,
    pub(crate) indexes: Arc<IndexSet>,
    pub(crate) listings: Arc<Listings>,
    pub(crate) releases: Arc<Releases>,
    pub(crate) release_metadata: Arc<ReleaseMetadata>,
    pub(crate) metadata: Arc<MetadataStore>,
    pub(crate) snapshot: Arc<SnapshotReader>,
}

impl IndexPrefetch {
    /// Begins with the new ones of these queries.
    pub(crate) fn prefetch<'q>(&self, queries: impl Iterator<Item = &'q IndexQuery>) {
        let is_new = |query: &&IndexQuery| !self.is_started(query) && !self.is_in_snapshot(query);
        let new: Vec<_> = queries.filter(is_new).collect();
        let is_quick = |query: &&IndexQuery| self.is_quick(query);
        // Once there is a connection, starting a query may send a request: that is for other threads.
        if new.len() <= FEW && !self.transport.is_connected() && new.iter().all(is_quick) {
            return new.into_iter().for_each(|query| self.start(query));
        }
        for query in new {
            let (prefetch, query) = (self.clone(), query.clone());
            self.transport.cpu().spawn(move || prefetch.start(&query));
        }
    }

    /// The same for queries that may prove needless: none of them makes the first connection of a run.
    pub(crate) fn prefetch_speculative<'q>(&self, queries: impl Iterator<Item = &'q IndexQuery>) {
        let is_connected = self.transport.is_connected();
        self.prefetch(queries.filter(|query| is_connected || self.is_on_disk(query)));
    }

    /// Whether the query was made before, as most that the solver prefetches were.
    fn is_started(&self, query: &IndexQuery) -> bool {
        match query {
            IndexQuery::Listing(name) => self.listings.is_started(name),
            IndexQuery::Release(name, version) => {
                self.listings.is_started(name) || self.releases.is_release_started(name, version)
            }
            IndexQuery::Newest(name) => {
                self.listings.is_started(name) || self.releases.is_newest_started(name)
            }
            IndexQuery::Metadata(file, _) => self.metadata.is_started(file),
        }
    }

    /// Whether the snapshot probably answers: the solver then gets the answer as fast as we would.
    pub(crate) fn is_in_snapshot(&self, query: &IndexQuery) -> bool {
        match query {
            IndexQuery::Listing(_) => false,
            IndexQuery::Newest(name) => self.snapshot.probably_has_newest(name),
            IndexQuery::Release(name, version) => self.snapshot.probably_has_release(name, version),
            IndexQuery::Metadata(file, _) => self.snapshot.has_metadata(file),
        }
    }

    /// Whether starting the query takes no more than one look into the cache.
    fn is_quick(&self, query: &IndexQuery) -> bool {
        match query {
            IndexQuery::Metadata(file, trust) => {
                self.metadata.is_at_hand(file)
                    || (*trust == Trust::Release && self.release_metadata.get(file).is_some())
            }
            IndexQuery::Listing(_) | IndexQuery::Release(..) | IndexQuery::Newest(_) => {
                self.indexes.is_remote_only()
            }
        }
    }

    /// Whether the query needs no connection.
    fn is_on_disk(&self, query: &IndexQuery) -> bool {
        matches!(query, IndexQuery::Metadata(file, _)
            if file.url.scheme() == "file" || self.metadata.is_at_hand(file))
    }

    pub(crate) fn start(&self, query: &IndexQuery) {
        if self.is_started(query) {
            return;
        }
        match query {
            IndexQuery::Listing(name) => drop(self.listings.start(name)),
            IndexQuery::Release(name, version) => drop(self.releases.start_release(name, version)),
            IndexQuery::Newest(name) => drop(self.releases.start_newest(name)),
            IndexQuery::Metadata(file, Trust::Release)
                if !self.metadata.is_at_hand(file) && self.release_metadata.get(file).is_some() => {}
            IndexQuery::Metadata(file, _) => drop(self.metadata.start(file)),
        }
    }
}
