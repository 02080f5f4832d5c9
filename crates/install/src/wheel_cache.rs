//! The cache of unpacked wheels, and of what indexes listed for pins.
//!
//! Where the records lie, and how they are sealed, is known to `pinfast_cache` (buckets `Wheels`, `Pins` and
//! `Scratch`); here is what is in them. Each record is checked when it is read, so damage costs time, never
//! correctness.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use tempfile::{NamedTempFile, TempDir, TempPath};

use super::archive::{WheelError, WheelLimits};
use super::disk;
use super::manifest::{CachedFile, Manifest};
use super::record::{self, RecordDigest};
use super::unpack::unpack;
use pinfast_base::error::{Error, Result};
use pinfast_base::event::{Event, Watcher};
use pinfast_cache::{Bucket, Cache, CacheKey, CacheLookup, FileStamp};
use pinfast_files::path_error;
use pinfast_lock::PermittedBuild;
use pinfast_packaging::{PackageName, Sha256, Target, Version};

/// The unpacked wheels of the cache.
#[derive(Debug)]
pub struct WheelCache {
    cache: Cache,
    /// Holds the temporary folder that replaces an unusable cache until the run ends.
    _temporary: Option<TempDir>,
}

/// An unpacked wheel in the cache.
#[derive(Clone, Debug)]
pub(super) struct CachedWheel {
    pub(super) key: WheelKey,
    /// The folder of its files.
    pub(super) files: PathBuf,
    /// What they are.
    pub(super) manifest: Arc<Manifest>,
}

/// Identifies an unpacked wheel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct WheelKey {
    /// The hash of the archive that the lock names.
    pub(super) archive: Sha256,
    /// The same; of a wheel that was built from it, the digest of all that went into the build.
    recipe: Sha256,
}

impl WheelKey {
    /// The key of a wheel that the lock names.
    pub(super) fn wheel(archive: Sha256) -> Self {
        Self { archive, recipe: archive }
    }

    /// The key of a wheel that is built from a source distribution for `target`.
    pub(super) fn built(archive: Sha256, build: &PermittedBuild, target: &Target) -> Self {
        let mut recipe = format!("built 1\n{archive}\n{}\n", target.label());
        for pin in build.pins.iter().filter(|pin| pin.marker.holds(target, &[])) {
            recipe.push_str(&format!("{}=={}", pin.name, pin.version));
            recipe.extend(pin.hashes.iter().map(|hash| format!(" {hash}")));
            recipe.push('\n');
        }
        Self { archive, recipe: Sha256::of(recipe.as_bytes()) }
    }

    fn cache_key(&self) -> CacheKey {
        self.recipe.into()
    }
}

/// What an index listed for a file of a pin.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct PinnedFile {
    pub(super) filename: String,
    /// From the index, or, if it lists none, computed when the file was fetched.
    pub(super) sha256: Option<[u8; 32]>,
    pub(super) requires_python: Option<String>,
}

/// What became of a wheel with files that looked changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Revalidation {
    /// Every hash is right, and the manifest has the new stamps.
    Valid,
    /// One is wrong, and the wheel is gone from the cache.
    Evicted,
}

impl WheelCache {
    /// The wheels of the cache in the folder `root`, which is created. If it cannot be written, warns and
    /// uses a temporary folder.
    ///
    /// # Errors
    /// When not even a temporary folder can be had.
    pub fn open(root: &Path, watcher: &dyn Watcher) -> Result<Self> {
        let cache = Cache::new(root.to_owned());
        let Err(error) = cache.prepare() else { return Ok(Self { cache, _temporary: None }) };
        watcher.on(Event::Warning(format!("the cache {} cannot be used: {error}", root.display())));
        let folder = tempfile::Builder::new().prefix("pinfast-").tempdir();
        let folder =
            folder.map_err(|error| path_error("create a folder in", &std::env::temp_dir(), error))?;
        let cache = Cache::new(folder.path().to_owned());
        cache.prepare().map_err(|error| path_error("write", folder.path(), error))?;
        Ok(Self { cache, _temporary: Some(folder) })
    }

    /// An empty folder for a build, gone when dropped.
    pub(super) fn scratch_folder(&self) -> Result<TempDir> {
        self.cache.scratch_folder().map_err(|error| self.scratch_error("create a folder in", error))
    }

    /// An empty file for a download, gone when dropped.
    pub(super) fn scratch_file(&self) -> Result<TempPath> {
        self.cache.scratch_file().map_err(|error| self.scratch_error("create a file in", error))
    }

    fn scratch_error(&self, action: &str, error: io::Error) -> Error {
        path_error(action, &self.cache.folder(Bucket::Scratch), error)
    }

    /// Removes what killed runs left behind more than a day ago.
    pub(super) fn sweep(&self) {
        self.cache.sweep();
    }

    /// The unpacked wheel with this key, if it is there, whole, and of this name and version.
    pub(super) fn get(&self, key: &WheelKey, name: &PackageName, version: &Version) -> Option<CachedWheel> {
        let at = key.cache_key();
        let CacheLookup::Hit(contents) = self.cache.read(Bucket::Wheels, &at) else { return None };
        let manifest = Manifest::decode(&contents)?;
        // The key shows the hash only, and a wrong lock may give a pin the hash of another package.
        let same = manifest.name == name.as_str() && manifest.version == version.to_string();
        let files = self.cache.tree_files(Bucket::Wheels, &at);
        same.then(|| CachedWheel { key: *key, files, manifest: Arc::new(manifest) })
    }

    /// Unpacks a wheel that has this key. `filename` is for messages.
    pub(super) fn add(
        &self,
        archive: File,
        key: &WheelKey,
        (name, version): (&PackageName, &Version),
        limits: &WheelLimits,
        filename: &str,
        watcher: &dyn Watcher,
    ) -> Result<CachedWheel> {
        let tree = self.cache.begin_tree();
        let tree = tree.map_err(|error| self.scratch_error("create a folder in", error))?;
        let (manifest, warnings) = unpack(archive, name, version, limits, &tree.files())
            .map_err(|error| unpack_error(error, filename, &tree.files()))?;
        for warning in warnings {
            watcher.on(Event::Warning(format!("{filename} {warning}")));
        }
        let at = key.cache_key();
        let read = || self.get(key, name, version);
        let added = self.cache.commit_tree(tree, Bucket::Wheels, &at, &manifest.encode(), read);
        added.map_err(|error| path_error("write", &self.cache.tree(Bucket::Wheels, &at), error))
    }

    /// Hashes every file of a wheel that looks changed. If all are right (the cache was copied, say), the
    /// manifest gets their new stamps; otherwise the wheel is evicted.
    pub(super) fn revalidate(&self, wheel: &CachedWheel) -> Result<Revalidation> {
        let at = wheel.key.cache_key();
        let files = wheel.manifest.files.par_iter().map(|file| revalidate_file(&wheel.files, file));
        if let Some(files) = files.collect::<Option<Vec<_>>>() {
            let manifest = Manifest { files, ..Manifest::clone(&wheel.manifest) };
            let written = self.cache.write(Bucket::Wheels, &at, &manifest.encode());
            written.map_err(|error| path_error("write", &self.cache.path(Bucket::Wheels, &at), error))?;
            return Ok(Revalidation::Valid);
        }
        let removed = self.cache.remove(Bucket::Wheels, &at);
        removed.map_err(|error| path_error("remove", &self.cache.tree(Bucket::Wheels, &at), error))?;
        Ok(Revalidation::Evicted)
    }

    /// The files of a pin, as an index once listed them.
    pub(super) fn pinned_files(&self, pin: Sha256) -> Option<Vec<PinnedFile>> {
        let CacheLookup::Hit(contents) = self.cache.read(Bucket::Pins, &pin.into()) else { return None };
        postcard::from_bytes(&contents).ok()
    }

    /// Remembers the files of a pin.
    pub(super) fn remember_files(&self, pin: Sha256, files: &[PinnedFile]) {
        if let Ok(contents) = postcard::to_stdvec(files) {
            // If this fails, the next run asks an index again.
            let _ = self.cache.write(Bucket::Pins, &pin.into(), &contents);
        }
    }
}

/// The file with its present stamp, if its content is right and its mode is, or can be made so.
fn revalidate_file(folder: &Path, file: &CachedFile) -> Option<CachedFile> {
    let expected = RecordDigest::parse(&file.digest)?;
    let path = folder.join(&file.path);
    // A link could lead to a file that somebody changes later.
    if !fs::symlink_metadata(&path).ok()?.is_file() {
        return None;
    }
    let open = File::open(&path).ok()?;
    let (found, _) = record::hash(&open, expected.algorithm).ok()?;
    if found != expected {
        return None;
    }
    let metadata = open.metadata().ok()?;
    if metadata.mode() != file.stamp.mode {
        // An environment that shares the inode changed its mode: from now on they do not share it.
        return unshare(&path, file);
    }
    Some(CachedFile { stamp: FileStamp::of(&metadata), ..file.clone() })
}

/// Replaces a shared file of the cache by a copy with the right mode.
fn unshare(path: &Path, file: &CachedFile) -> Option<CachedFile> {
    let mut copy = NamedTempFile::new_in(path.parent()?).ok()?;
    io::copy(&mut File::open(path).ok()?, &mut copy).ok()?;
    disk::set_mode(copy.as_file(), 0o600, file.stamp.mode & 0o7777).ok()?;
    let copy = copy.persist(path).ok()?;
    Some(CachedFile { stamp: FileStamp::of(&copy.metadata().ok()?), ..file.clone() })
}

/// The error for a bad archive, or for the disk under `folder`.
fn unpack_error(error: WheelError, filename: &str, folder: &Path) -> Error {
    match error {
        WheelError::Bad(what) => Error::refused(format!("{filename} {what}"))
            .hint("nothing of it was installed; lock another release, or ask its authors for a sound file"),
        WheelError::Disk(error) => path_error(&format!("unpack {filename} into"), folder, error),
    }
}
