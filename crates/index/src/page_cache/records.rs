//! Reading and writing cache records. A broken cache costs time, never the run.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use pinfast_base::event::{Event, Watcher};
use pinfast_cache::{Bucket, Cache, CacheKey, CacheLookup, CacheRecord};

/// The cache on disk, where there is one. Its errors become warnings.
pub(crate) struct RecordCache {
    cache: Option<Cache>,
    /// Whether the user has been warned that the cache cannot be used.
    has_warned: AtomicBool,
    watcher: Arc<dyn Watcher>,
}

impl RecordCache {
    pub(crate) fn new(folder: Option<&Path>, watcher: Arc<dyn Watcher>) -> Self {
        let cache = folder.map(|folder| Cache::new(folder.to_owned()));
        Self { cache, has_warned: AtomicBool::new(false), watcher }
    }

    /// The cache itself, for what needs no warning.
    pub(crate) fn cache(&self) -> Option<&Cache> {
        self.cache.as_ref()
    }

    /// The record under `key`. A damaged one is removed, with a warning.
    pub(crate) fn read(&self, bucket: Bucket, key: &CacheKey) -> Option<CacheRecord> {
        match self.cache.as_ref()?.read(bucket, key) {
            CacheLookup::Hit(record) => Some(record),
            CacheLookup::Miss => None,
            CacheLookup::Damaged(why) => {
                self.warn_of_damage(key, &why);
                // Where it cannot be removed, the next run warns again.
                self.remove(bucket, key);
                None
            }
            CacheLookup::Unreadable(why) => {
                self.warn_of_cache(&why);
                None
            }
        }
    }

    /// Writes a record.
    pub(crate) fn write(&self, bucket: Bucket, key: &CacheKey, contents: postcard::Result<Vec<u8>>) {
        self.attempt(|cache| {
            let contents = contents.map_err(std::io::Error::other)?;
            cache.write(bucket, key, &contents)
        });
    }

    /// Removes a record; it does not matter whether there was one.
    pub(crate) fn remove(&self, bucket: Bucket, key: &CacheKey) {
        self.cache.as_ref().map(|cache| cache.remove(bucket, key));
    }

    /// Uses the cache; a failure is `None`, with a warning.
    pub(super) fn attempt<T>(&self, write: impl FnOnce(&Cache) -> std::io::Result<T>) -> Option<T> {
        let written = write(self.cache.as_ref()?);
        written.map_err(|error| self.warn_of_cache(&error.to_string())).ok()
    }

    pub(super) fn warn_of_damage(&self, key: &CacheKey, why: &str) {
        let what = format!("the cache's record {key} is ignored: {why}");
        self.watcher.on(Event::Warning(what));
    }

    /// Warns once a run: a folder that cannot be written fails for every record.
    fn warn_of_cache(&self, why: &str) {
        if let Some(cache) = &self.cache
            // Relaxed is enough: `swap` is atomic, and the flag guards no other data.
            && !self.has_warned.swap(true, Ordering::Relaxed)
        {
            let folder = cache.root().display();
            self.watcher.on(Event::Warning(format!("the cache {folder} cannot be used: {why}")));
        }
    }
}
