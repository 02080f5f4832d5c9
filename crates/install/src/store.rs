//! The cache of unpacked wheels, by the hash of their archives.
//!
//! `wheels/SHA256/manifest` and `wheels/SHA256/files/…`, made in `tmp/` and renamed into place as a
//! whole; `pins/DIGEST` remembers which file each hash of a pin belongs to. Everything is checked when
//! it is read, so damage costs time, never correctness.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use tempfile::{NamedTempFile, TempDir, TempPath};

use super::archive::{Fault, Limits};
use super::disk::{self, Durability};
use super::manifest::{CachedFile, Manifest, Stamp, seal, unseal};
use super::record::{self, Digest};
use super::unpack::unpack;
use pinfast_base::error::{Error, Result};
use pinfast_base::event::{Event, Watcher};
use pinfast_lock::PermittedBuild;
use pinfast_packaging::{PackageName, Sha256, Target, Version};

/// The cache.
#[derive(Debug)]
pub struct Store {
    root: PathBuf,
    /// Keeps the folder that stands in for an unusable cache until the run ends.
    _stand_in: Option<TempDir>,
}

/// An unpacked wheel in the cache.
#[derive(Clone, Debug)]
pub(super) struct CachedWheel {
    /// Which one it is.
    pub(super) key: Key,
    /// Where its files are.
    pub(super) files: PathBuf,
    /// What they are.
    pub(super) manifest: Arc<Manifest>,
}

/// What tells one unpacked wheel from another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Key {
    /// The hash of the archive that the lock names.
    pub(super) archive: Sha256,
    /// The same; of a wheel that was built from it, the hash of all that went into the build.
    recipe: Sha256,
}

impl Key {
    /// Of a wheel as it is.
    pub(super) fn wheel(archive: Sha256) -> Self {
        Self { archive, recipe: archive }
    }

    /// Of a wheel that is built from a source distribution for `target`.
    pub(super) fn built(archive: Sha256, build: &PermittedBuild, target: &Target) -> Self {
        let mut recipe = format!("built 1\n{archive}\n{}\n", target.label());
        for pin in build.pins.iter().filter(|pin| pin.marker.holds(target, &[])) {
            recipe.push_str(&format!("{}=={}", pin.name, pin.version));
            recipe.extend(pin.hashes.iter().map(|hash| format!(" {hash}")));
            recipe.push('\n');
        }
        Self { archive, recipe: Sha256::of(recipe.as_bytes()) }
    }
}

/// What an index once told of a file that a pin has the hash of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct KnownFile {
    pub(super) filename: String,
    /// As the index told it; where it did not, as it was found to be when the file was fetched.
    pub(super) sha256: Option<[u8; 32]>,
    pub(super) requires_python: Option<String>,
}

/// Whether a damaged-looking wheel of the cache was sound after all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Health {
    /// Every hash is right, and the manifest knows the files again.
    Sound,
    /// It was not, and is gone from the cache.
    Evicted,
}

impl Store {
    /// The cache in the folder `root`, which is created. Where that cannot be written, `watcher` is
    /// warned and a temporary folder stands in for it.
    ///
    /// # Errors
    /// When not even a temporary folder can be had.
    pub fn open(root: &Path, watcher: &dyn Watcher) -> Result<Self> {
        match Self::prepare(root) {
            Ok(()) => Ok(Self { root: root.to_owned(), _stand_in: None }),
            Err(error) => {
                let said = format!("the cache {} cannot be used: {error}", root.display());
                watcher.on(Event::Warning(said));
                let stand_in = tempfile::Builder::new().prefix("pinfast-").tempdir();
                let stand_in = stand_in
                    .map_err(|error| disk::failed("create a folder in", &std::env::temp_dir(), error))?;
                Self::prepare(stand_in.path()).map_err(|e| disk::failed("write", stand_in.path(), e))?;
                Ok(Self { root: stand_in.path().to_owned(), _stand_in: Some(stand_in) })
            }
        }
    }

    fn prepare(root: &Path) -> io::Result<()> {
        for name in ["wheels", "pins", "tmp"] {
            fs::create_dir_all(root.join(name))?;
        }
        // Whether it can be written is known only by writing.
        tempfile::tempfile_in(root.join("tmp")).map(drop)
    }

    /// An empty folder for a build, gone when dropped.
    pub(super) fn scratch_folder(&self) -> Result<TempDir> {
        let folder = self.root.join("tmp");
        let made = tempfile::Builder::new().prefix("build-").tempdir_in(&folder);
        made.map_err(|error| disk::failed("create a folder in", &folder, error))
    }

    /// An empty file for a download, gone when dropped.
    pub(super) fn scratch(&self) -> Result<TempPath> {
        let folder = self.root.join("tmp");
        let file = tempfile::Builder::new().prefix("file-").tempfile_in(&folder);
        file.map(NamedTempFile::into_temp_path)
            .map_err(|error| disk::failed("create a file in", &folder, error))
    }

    fn bucket(&self, key: &Key) -> PathBuf {
        self.root.join("wheels").join(key.recipe.to_string())
    }

    /// The unpacked wheel with this key, if it is there, whole, and of this name and version.
    pub(super) fn get(&self, key: &Key, name: &PackageName, version: &Version) -> Option<CachedWheel> {
        let bucket = self.bucket(key);
        let manifest = Manifest::decode(&disk::read(&bucket.join("manifest"), 256 << 20).ok()?)?;
        let same = manifest.name == name.as_str() && manifest.version == version.to_string();
        same.then(|| CachedWheel { key: *key, files: bucket.join("files"), manifest: Arc::new(manifest) })
    }

    /// Unpacks a wheel that has this key. `filename` is for messages.
    pub(super) fn add(
        &self,
        archive: File,
        key: &Key,
        (name, version): (&PackageName, &Version),
        limits: &Limits,
        filename: &str,
        watcher: &dyn Watcher,
    ) -> Result<CachedWheel> {
        let tmp = self.root.join("tmp");
        let folder = tempfile::Builder::new().prefix("wheel-").tempdir_in(&tmp);
        let folder = folder.map_err(|error| disk::failed("create a folder in", &tmp, error))?;
        let files = folder.path().join("files");
        disk::create_dirs(&files)?;
        let (manifest, warnings) = unpack(archive, name, version, limits, &files)
            .map_err(|fault| told(fault, filename, folder.path()))?;
        for warning in warnings {
            watcher.on(Event::Warning(format!("{filename} {warning}")));
        }
        disk::write(&folder.path().join("manifest"), &manifest.encode(), disk::Mode::Plain)?;
        self.settle(folder.path(), key, name, version)
    }

    /// Renames a finished folder into place, unless another run was faster.
    fn settle(&self, folder: &Path, key: &Key, name: &PackageName, version: &Version) -> Result<CachedWheel> {
        let bucket = self.bucket(key);
        for _ in 0..100 {
            let moved = fs::rename(folder, &bucket);
            if let Some(wheel) = self.get(key, name, version) {
                return Ok(wheel);
            }
            match moved {
                Err(error) if !bucket.exists() => {
                    return Err(disk::failed("move a folder to", &bucket, error));
                }
                // What is there is damaged.
                _ => self.discard(&bucket)?,
            }
        }
        Err(Error::no_answer(format!("cannot write {}: other runs keep writing it", bucket.display())))
    }

    /// Takes a bucket away in one step, then removes it.
    fn discard(&self, bucket: &Path) -> Result<()> {
        let tmp = self.root.join("tmp");
        let away = tempfile::Builder::new().prefix("old-").tempdir_in(&tmp);
        let away = away.map_err(|error| disk::failed("create a folder in", &tmp, error))?;
        match fs::rename(bucket, away.path().join("bucket")) {
            Err(error) if !disk::is_absent(&error) => Err(disk::failed("move", bucket, error)),
            _ => Ok(()),
        }
    }

    /// Hashes every file of a wheel that looks changed. If all are right, the manifest learns how they
    /// look now (a cache that was copied, say); else the wheel goes.
    pub(super) fn heal(&self, wheel: &CachedWheel) -> Result<Health> {
        let files = wheel.manifest.files.par_iter().map(|file| heal_file(&wheel.files, file));
        if let Some(files) = files.collect::<Option<Vec<_>>>() {
            let manifest = Manifest { files, ..Manifest::clone(&wheel.manifest) };
            disk::replace(&self.bucket(&wheel.key).join("manifest"), &manifest.encode(), Durability::Loose)?;
            return Ok(Health::Sound);
        }
        self.discard(&self.bucket(&wheel.key))?;
        Ok(Health::Evicted)
    }

    /// The files of a pin, as an index once told them.
    pub(super) fn known_files(&self, pin: &Sha256) -> Option<Vec<KnownFile>> {
        let bytes = disk::read(&self.root.join("pins").join(pin.to_string()), 16 << 20).ok()?;
        postcard::from_bytes(unseal(PINS_MAGIC, &bytes)?).ok()
    }

    /// Remembers the files of a pin; failing to costs only time.
    pub(super) fn remember_files(&self, pin: &Sha256, files: &[KnownFile]) {
        if let Ok(body) = postcard::to_stdvec(files) {
            let _ = disk::replace(
                &self.root.join("pins").join(pin.to_string()),
                &seal(PINS_MAGIC, &body),
                Durability::Loose,
            );
        }
    }

    /// Removes what killed runs left behind more than a day ago.
    pub(super) fn sweep(&self) {
        let Ok(entries) = fs::read_dir(self.root.join("tmp")) else { return };
        let yesterday = SystemTime::now() - Duration::from_secs(24 * 3600);
        for entry in entries.flatten() {
            let old = entry.metadata().and_then(|m| m.modified()).is_ok_and(|time| time < yesterday);
            if old {
                // Another run may be sweeping too.
                let _ = fs::remove_dir_all(entry.path());
            }
        }
    }
}

const PINS_MAGIC: &[u8; 8] = b"pinfile2";

/// The file with its present stamp, if its content is right and its mode is or can be mended.
fn heal_file(folder: &Path, file: &CachedFile) -> Option<CachedFile> {
    let promise = Digest::parse(&file.digest)?;
    let path = folder.join(&file.path);
    if !fs::symlink_metadata(&path).ok()?.is_file() {
        return None;
    }
    let open = File::open(&path).ok()?;
    let (found, _) = record::hash(&open, promise.algorithm).ok()?;
    if found != promise {
        return None;
    }
    let metadata = open.metadata().ok()?;
    if metadata.mode() != file.stamp.mode() {
        // An environment that shares the file changed it; from now on they no longer share it.
        return part(&path, file);
    }
    Some(CachedFile { stamp: Stamp::of(&metadata), ..file.clone() })
}

/// Gives the cache a file of its own, with the right mode.
fn part(path: &Path, file: &CachedFile) -> Option<CachedFile> {
    let mut own = NamedTempFile::new_in(path.parent()?).ok()?;
    io::copy(&mut File::open(path).ok()?, &mut own).ok()?;
    disk::set_mode(own.as_file(), 0o600, file.stamp.mode() & 0o7777).ok()?;
    let own = own.persist(path).ok()?;
    Some(CachedFile { stamp: Stamp::of(&own.metadata().ok()?), ..file.clone() })
}

/// A fault of an archive, or of the disk under `folder`, as a person's error.
fn told(fault: Fault, filename: &str, folder: &Path) -> Error {
    match fault {
        Fault::Bad(what) => Error::refused(format!("{filename} {what}"))
            .hint("nothing of it was installed; lock another release, or ask its authors for a sound file"),
        Fault::Disk(error) => disk::failed(&format!("unpack {filename} into"), folder, error),
    }
}
