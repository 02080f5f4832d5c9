//! Where distribution files come from: an index, or whatever else implements [`FileSource`].

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::wheel_cache::WheelCache;
use pinfast_base::error::{Error, ErrorKind, Result};
use pinfast_files::path_error;
use pinfast_index::Client;
use pinfast_lock::Pin;
use pinfast_packaging::{DirectUrl, DistFile, PackageName, Sha256, Version};
use pinfast_solve::Index;

/// A source of distribution files. Calls block, come from many threads, and give the same answer however
/// often.
pub trait FileSource: Sync {
    /// Every file of this release that the indexes list; empty if they list none.
    ///
    /// # Errors
    /// When an index gives no answer.
    fn files(&self, name: &PackageName, version: &Version) -> Result<Vec<Arc<DistFile>>>;

    /// The file at the URL of a `name @ URL` pin.
    ///
    /// # Errors
    /// When its name is not that of a distribution of `name`.
    fn direct(&self, name: &PackageName, url: &DirectUrl) -> Result<Arc<DistFile>>;

    /// Writes the file to `path`, which is made or overwritten. On the way, compares its bytes with
    /// `file.sha256`, if there is one.
    ///
    /// # Errors
    /// When the file cannot be had; `Refused` when its hash is another.
    fn fetch(&self, file: &DistFile, path: &Path) -> Result<()>;

    /// Builds a wheel from a source distribution, in `request.folder`, and returns its path.
    ///
    /// # Errors
    /// When the build fails; always for a source that only fetches.
    fn build(&self, request: &WheelBuildRequest<'_>) -> Result<PathBuf> {
        let filename = &request.file.filename;
        Err(Error::no(format!("{filename} would have to be built, and nothing is built here")))
    }
}

/// What a wheel is built from.
#[derive(Clone, Copy, Debug)]
pub struct WheelBuildRequest<'a> {
    /// The source distribution.
    pub file: &'a DistFile,
    /// Its archive on disk, checked against its hash.
    pub archive: &'a Path,
    /// What its build may install, all of it for the environment at hand.
    pub requires: &'a [Pin],
    /// The folder that the wheel is written to.
    pub folder: &'a Path,
    /// The cache for the wheels that the build requires.
    pub wheels: &'a WheelCache,
}

/// Fetches a file of a pin to `path` and returns its hash, which is one of the pin's.
///
/// # Errors
/// When it cannot be had; `Refused` when its hash is none of the pin's.
pub(super) fn fetch(pin: &Pin, file: &DistFile, files: &dyn FileSource, path: &Path) -> Result<Sha256> {
    let locked_as = || format!("locked as {}=={}{}", pin.name, pin.version, lock_location(pin));
    files.fetch(file, path).map_err(|error| match error.kind {
        ErrorKind::Refused => error.detail(locked_as()),
        _ => error,
    })?;
    if let Some(sha256) = file.sha256 {
        return Ok(sha256);
    }
    // The source had no hash to compare with, so nobody has compared the bytes yet.
    let found = hash_file(path).map_err(|error| path_error("read", path, error))?;
    if pin.hashes.contains(&found) {
        return Ok(found);
    }
    Err(Error::refused(format!("{} does not match its hash", file.filename))
        .detail(format!("expected {}", expected_hashes(&pin.hashes)))
        .detail(format!("received sha256:{found}"))
        .detail(locked_as())
        .hint("nothing of it was unpacked or kept"))
}

/// The SHA-256 of a file.
pub(super) fn hash_file(path: &Path) -> std::io::Result<Sha256> {
    Sha256::of_reader(File::open(path)?)
}

/// ` (requirements.txt:12)`, or nothing for a pin without a location; goes on after a pin's name.
pub(super) fn lock_location(pin: &Pin) -> String {
    pin.at.as_ref().map(|at| format!(" ({at})")).unwrap_or_default()
}

/// The hashes of a pin, for a message.
pub(super) fn expected_hashes(hashes: &[Sha256]) -> String {
    let (shown, more) = hashes.split_at(hashes.len().min(8));
    let mut text = shown.iter().map(|hash| format!("sha256:{hash}")).collect::<Vec<_>>().join(" or ");
    if !more.is_empty() {
        text.push_str(&format!(" or one of {} more", more.len()));
    }
    text
}

impl FileSource for Client {
    fn files(&self, name: &PackageName, version: &Version) -> Result<Vec<Arc<DistFile>>> {
        let listing = self.listing(name)?;
        let files = listing.and_then(|listing| Some(listing.files(listing.position(version)?).to_vec()));
        Ok(files.unwrap_or_default())
    }

    fn direct(&self, name: &PackageName, url: &DirectUrl) -> Result<Arc<DistFile>> {
        // `fetch` compares its bytes with the lock's hashes, so no index need be asked now.
        Self::direct_url_file(name, url).map(Arc::new)
    }

    fn fetch(&self, file: &DistFile, path: &Path) -> Result<()> {
        self.fetch_file(file, path)
    }
}
