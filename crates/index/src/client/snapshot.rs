//! Loading and saving the snapshot of a lock file.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use super::Client;
use crate::config::CacheMode;
use crate::lock_snapshot::{KnownProject, MOST_SNAPSHOTS, pack_snapshot};
use crate::metadata::FileMetadata;
use crate::raw_metadata::RawMetadata;
use pinfast_cache::{Bucket, CacheKey};
use pinfast_packaging::{PackageName, Sha256, Version};

/// A snapshot that lacks more than one package in so many is written again.
const PACKAGES_PER_MISS: usize = 8;

/// Packages and their pinned releases.
type PinnedReleases<'a> = BTreeMap<&'a PackageName, Vec<&'a Version>>;

impl Client {
    /// Loads the snapshot of the last run that wrote this `lock`.
    pub fn load_snapshot(&self, lock: &Path) {
        // `--refresh` asks the servers; the snapshot would answer instead of them.
        if self.config.cache_mode == CacheMode::Refresh {
            return;
        }
        let record = self.snapshot_key(lock).and_then(|key| self.records.read(Bucket::Snapshots, &key));
        if let Some(record) = record {
            self.snapshot.load(record);
        }
    }

    /// Saves what the run learnt about these pins, for the next run that writes this `lock`. A loaded snapshot
    /// is kept where it had most of the pins.
    pub fn save_snapshot<'a>(&self, lock: &Path, pins: impl Iterator<Item = (&'a PackageName, &'a Version)>) {
        let (Some(key), Some(cache)) = (self.snapshot_key(lock), self.records.cache()) else { return };
        let mut releases = PinnedReleases::new();
        pins.for_each(|(name, version)| releases.entry(name).or_default().push(version));
        let is_missing = |(name, versions): &(&&PackageName, &Vec<&Version>)| {
            versions.iter().any(|version| self.snapshot.release(name, version).is_none())
        };
        let missing = releases.iter().filter(is_missing).count();
        // A few misses cost the next run less than writing all packages costs this one.
        if missing <= releases.len() / PACKAGES_PER_MISS {
            return;
        }
        let projects: Vec<_> =
            releases.iter().map(|(name, versions)| self.known_project(name, versions)).collect();
        let record = pack_snapshot(&projects, &self.known_raw_metadata());
        // The same bytes: the loaded snapshot had fewer pins than this lock, but the run learnt nothing else.
        if record.as_ref().is_ok_and(|record| self.snapshot.is(record)) {
            return;
        }
        self.records.write(Bucket::Snapshots, &key, record);
        // What cannot be removed now is removed by a later run.
        let _ = cache.keep_newest(Bucket::Snapshots, MOST_SNAPSHOTS);
    }

    /// The key of the snapshot for `lock`; `None` where projects may come from several places.
    pub(crate) fn snapshot_key(&self, lock: &Path) -> Option<CacheKey> {
        let index = self.indexes.only_index()?;
        let index = self.pages.key(index.url.as_url()).to_string();
        Some(Bucket::Snapshots.key(&[&lock.to_string_lossy(), &index]))
    }

    fn known_project<'a>(&self, name: &'a PackageName, versions: &[&Version]) -> KnownProject<'a> {
        let release = |version: &&Version| self.releases.known_release(name, version);
        let mut releases: Vec<_> = versions.iter().filter_map(release).collect();
        let newest = self.releases.known_newest(name).and_then(|version| {
            let pinned = releases.iter().position(|(_, listing)| *listing.version(0) == version);
            let number = pinned.or_else(|| {
                // The newest release is often not the pinned one, but the next run asks for it all the same.
                releases.push(release(&&version)?);
                Some(releases.len() - 1)
            })?;
            // The page of a release holds although a newer release is published: it does not prove "newest".
            (!self.releases.is_own_page(&releases[number].0, name, &version)).then_some(number)
        });
        KnownProject { name, releases, newest }
    }

    /// The raw metadata of every file that the run loaded, pinned or not: the next solve may ask for the same.
    fn known_raw_metadata(&self) -> BTreeMap<Sha256, Arc<RawMetadata>> {
        let with_hash = |file: FileMetadata| {
            let sha256 = file.sha256?;
            // What came from the loaded snapshot is copied from there: the new one replaces it.
            let raw = file.raw.or_else(|| self.snapshot.raw_metadata(sha256).map(Arc::new))?;
            Some((sha256, raw))
        };
        self.metadata.loaded().into_iter().filter_map(with_hash).collect()
    }
}
