//! A file's own metadata: from the cache, or from the cheapest source.

use std::sync::Arc;

use super::ranges::fetch_ranged;
use super::servers::{FileServers, SiblingSupport};
use super::siblings::{fetch_sibling, local_sibling};
use super::wheel::{read_whole_wheel, unreadable};
use crate::config::CacheMode;
use crate::downloads::{Downloads, local_path};
use crate::failure::{FetchFailure, FetchResult};
use crate::lock_snapshot::SnapshotReader;
use crate::once_map::{OnceMap, OnceSlot};
use crate::page_cache::RecordCache;
use crate::raw_metadata::{RawMetadata, read_sdist};
use crate::transport::Transport;
use crate::url::redacted;
use pinfast_cache::{Bucket, Cache, CacheKey};
use pinfast_packaging::{DistFile, DistFilename, Metadata, MetadataHint, SdistFormat, Sha256, WheelFilename};

/// The metadata of the files of a run.
pub(crate) struct MetadataStore {
    transport: Arc<Transport>,
    records: Arc<RecordCache>,
    mode: CacheMode,
    downloads: Arc<Downloads>,
    snapshot: Arc<SnapshotReader>,
    servers: FileServers,
    /// By the file's URL.
    files: OnceMap<Arc<str>, FileMetadata>,
}

/// What a file states about itself.
#[derive(Clone)]
pub(crate) struct FileMetadata {
    pub(crate) metadata: Arc<Metadata>,
    /// The file's hash, where the index has it.
    pub(crate) sha256: Option<Sha256>,
    /// The text; `None` where it came from the snapshot, which still has it.
    pub(crate) raw: Option<Arc<RawMetadata>>,
}

impl FileMetadata {
    fn new(metadata: Metadata, raw: RawMetadata, file: &DistFile) -> Self {
        Self { metadata: Arc::new(metadata), sha256: file.sha256, raw: Some(Arc::new(raw)) }
    }
}

impl MetadataStore {
    pub(crate) fn new(
        transport: Arc<Transport>,
        records: Arc<RecordCache>,
        mode: CacheMode,
        downloads: Arc<Downloads>,
        snapshot: Arc<SnapshotReader>,
    ) -> Self {
        let (servers, files) = (FileServers::default(), OnceMap::default());
        Self { transport, records, mode, downloads, snapshot, servers, files }
    }

    /// Begins to look for the metadata of `file`, unless that has begun.
    pub(crate) fn start(self: &Arc<Self>, file: &Arc<DistFile>) -> Arc<OnceSlot<FileMetadata>> {
        let (slot, completer) = self.files.register(file.url.as_text().clone());
        if let Some(completer) = completer {
            if let Some(metadata) = self.snapshot.metadata(file) {
                let metadata = Arc::new(metadata);
                completer.done(Ok(FileMetadata { metadata, sha256: file.sha256, raw: None }));
                return slot;
            }
            let (store, file) = (self.clone(), file.clone());
            self.transport.spawn(async move { completer.done(store.find(&file).await) });
        }
        slot
    }

    pub(crate) fn is_started(&self, file: &DistFile) -> bool {
        self.files.is_registered(file.url.as_text())
    }

    /// Whether the metadata is there or in the cache. Then the index's metadata of the release is not needed, which
    /// would have to be confirmed.
    pub(crate) fn is_at_hand(&self, file: &DistFile) -> bool {
        let in_cache =
            |cache: &Cache| record_key(file).is_some_and(|key| cache.contains(Bucket::Metadata, &key));
        self.files.get(file.url.as_text()).is_some()
            || self.snapshot.has_metadata(file)
            || (self.mode != CacheMode::Refresh && self.records.cache().is_some_and(in_cache))
    }

    /// All metadata that the run has loaded by now.
    pub(crate) fn loaded(&self) -> Vec<FileMetadata> {
        self.files.values()
    }

    async fn find(self: &Arc<Self>, file: &Arc<DistFile>) -> FetchResult<FileMetadata> {
        let key = record_key(file);
        let stored = key.as_ref().and_then(|key| self.stored(key));
        if let Some(raw) = stored.filter(|raw| raw.matches_hint(file.metadata)) {
            return Ok(FileMetadata::new(raw.parse(file)?, raw, file));
        }
        let raw = match &file.dist {
            DistFilename::Wheel(wheel) => RawMetadata::of_wheel(self.of_wheel(file, wheel).await?),
            // An sdist is mostly a tar archive: its members can only be found by reading it from the start.
            DistFilename::Sdist { format, .. } => self.of_sdist(file, *format).await?,
        };
        let (records, file) = (self.records.clone(), file.clone());
        let parse = move || {
            let metadata = raw.parse(&file);
            if let Some(key) = key
                // Invalid metadata of a wheel is not stored: a later pinfast may be able to parse it.
                && (metadata.is_ok() || raw.is_of_sdist())
            {
                records.write(Bucket::Metadata, &key, postcard::to_stdvec(&raw));
            }
            metadata.map(|metadata| FileMetadata::new(metadata, raw, &file))
        };
        Ok(self.transport.on_cpu(parse).await??)
    }

    fn stored(&self, key: &CacheKey) -> Option<RawMetadata> {
        if self.mode == CacheMode::Refresh {
            return None;
        }
        postcard::from_bytes(&self.records.read(Bucket::Metadata, key)?).ok()
    }

    async fn of_sdist(&self, file: &DistFile, format: SdistFormat) -> FetchResult<RawMetadata> {
        let download = self.downloads.get(&file.url, file.sha256, file.size).await?;
        let (sdist, most) = (download.open().map_err(unreadable)?, self.transport.limits().metadata);
        let read = move || read_sdist(sdist, format, most);
        Ok(self.transport.on_cpu(read).await?.map_err(FetchFailure::invalid)?)
    }

    /// The METADATA text of a wheel.
    async fn of_wheel(&self, file: &DistFile, wheel: &WheelFilename) -> FetchResult<Vec<u8>> {
        if let Some(path) = local_path(&file.url)? {
            return match local_sibling(file, &path, self.transport.limits().metadata)? {
                Some(text) => Ok(text),
                None => self.of_whole_wheel(file, wheel).await,
            };
        }
        // Some caller needed the whole file, for its hash: reading it costs no request.
        if self.downloads.has(file) {
            return self.of_whole_wheel(file, wheel).await;
        }
        let sibling = match (file.metadata, self.servers.siblings(&file.url)) {
            (MetadataHint::Hashed(hash), _) => self.of_sibling(file, Some(hash)).await,
            (MetadataHint::Present, _) | (_, SiblingSupport::Present) => self.of_sibling(file, None).await,
            (MetadataHint::Unknown, SiblingSupport::Unknown) => {
                return self.of_sibling_or_wheel(file, wheel).await;
            }
            (MetadataHint::Unknown, SiblingSupport::Absent) => {
                return self.of_remote_wheel(file, wheel).await;
            }
        };
        match sibling {
            Err(failure) if failure.allows_fallback() => self.of_remote_wheel(file, wheel).await,
            text => text,
        }
    }

    /// Requests a sibling that was not announced and the wheel's tail at the same time. Until the first answer of a
    /// server, either may be in vain, and neither should cost a round trip.
    async fn of_sibling_or_wheel(&self, file: &DistFile, wheel: &WheelFilename) -> FetchResult<Vec<u8>> {
        let ranged = fetch_ranged(&self.transport, &self.servers, file, wheel);
        let (sibling, ranged) = futures_util::future::join(self.of_sibling(file, None), ranged).await;
        // `ranged?` first: an exceeded limit must end the run whichever answer came first.
        match (sibling, ranged?) {
            (Err(failure), _) if !failure.allows_fallback() => Err(failure),
            (Ok(text), _) | (Err(_), Some(text)) => Ok(text),
            (Err(_), None) => self.of_whole_wheel(file, wheel).await,
        }
    }

    async fn of_sibling(&self, file: &DistFile, hash: Option<Sha256>) -> FetchResult<Vec<u8>> {
        fetch_sibling(&self.transport, &self.servers, file, hash).await
    }

    async fn of_remote_wheel(&self, file: &DistFile, wheel: &WheelFilename) -> FetchResult<Vec<u8>> {
        match fetch_ranged(&self.transport, &self.servers, file, wheel).await? {
            Some(text) => Ok(text),
            None => self.of_whole_wheel(file, wheel).await,
        }
    }

    async fn of_whole_wheel(&self, file: &DistFile, wheel: &WheelFilename) -> FetchResult<Vec<u8>> {
        let download = self.downloads.get(&file.url, file.sha256, file.size).await?;
        let (wheel, most, what) = (wheel.clone(), self.transport.limits().metadata, redacted(&file.url));
        let read = move || read_whole_wheel(&download, &wheel, most, &what);
        Ok(self.transport.on_cpu(read).await??)
    }
}

/// The cache key of a file's metadata: its hash.
fn record_key(file: &DistFile) -> Option<CacheKey> {
    Some(Bucket::Metadata.key(&[&file.sha256?.to_string()]))
}
