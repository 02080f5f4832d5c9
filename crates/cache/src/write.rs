//! Writing records: each is written to a temporary file beside its place, then renamed over it, so that
//! processes may share a cache without locks.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::Path;

use super::bucket::Encoding;
use super::{Bucket, Cache, CacheKey, CacheRecord, frame, seal};

/// How the names of half-written records begin.
pub(super) const TEMPORARY: &str = ".new-";

/// The signature by which backup programs know a cache (Cache Directory Tagging Specification).
const TAG: &str = "Signature: 8a477f597d28d172789f06886806bc55\n# The cache of pinfast; it may be deleted.\n";

impl Cache {
    /// Puts `contents` under `key`, in place of what was there.
    ///
    /// # Errors
    /// When it cannot be written; then what was there is still there.
    pub fn write(&self, bucket: Bucket, key: &CacheKey, contents: &[u8]) -> io::Result<()> {
        self.write_parts(bucket, key, &[contents])
    }

    /// Like [`Cache::write`], with contents in parts, one after the other.
    ///
    /// # Errors
    /// As for [`Cache::write`].
    pub fn write_parts(&self, bucket: Bucket, key: &CacheKey, parts: &[&[u8]]) -> io::Result<()> {
        self.put(bucket, key, parts).map(drop)
    }

    /// Like [`Cache::write_parts`], for a framed bucket. Returns the record; a large one is mapped from its
    /// file, so that the caller's parts can be freed.
    ///
    /// # Errors
    /// As for [`Cache::write`].
    pub fn write_and_map(&self, bucket: Bucket, key: &CacheKey, parts: &[&[u8]]) -> io::Result<CacheRecord> {
        Ok(frame::reopen(&self.put(bucket, key, parts)?, parts))
    }

    fn put(&self, bucket: Bucket, key: &CacheKey, parts: &[&[u8]]) -> io::Result<File> {
        let path = self.path(bucket, key);
        let encoding = bucket.encoding();
        let folder = path.parent().unwrap_or(self.root());
        let mut file = match temporary_file(folder, encoding) {
            // A tree without its folder was evicted: a manifest alone would be half a record.
            // The folder is made only when it turns out to be missing: mostly it is there.
            Err(error)
                if error.kind() == io::ErrorKind::NotFound && !matches!(encoding, Encoding::Tree(_)) =>
            {
                self.make_folder(bucket)?;
                temporary_file(folder, encoding)?
            }
            begun => begun?,
        };
        let mut write = |part: &[u8]| file.write_all(part);
        match encoding {
            Encoding::Framed => frame::write(parts, key, write)?,
            Encoding::Sealed(magic) | Encoding::Tree(magic) => seal::write(parts, magic, write)?,
            Encoding::Json | Encoding::Temporary => parts.iter().try_for_each(|part| write(part))?,
        }
        // Not synced: after a power failure, a lost or cut record is a miss.
        Ok(file.persist(&path)?)
    }

    /// Makes the folder of a bucket, and marks the cache as one: backups pass it over, git ignores it.
    pub(super) fn make_folder(&self, bucket: Bucket) -> io::Result<()> {
        fs::create_dir_all(self.folder(bucket))?;
        for (name, text) in [("CACHEDIR.TAG", TAG), (".gitignore", "*\n")] {
            let path = self.root().join(name);
            // Never overwritten: the user may have changed them.
            if !path.exists() {
                fs::write(path, text)?;
            }
        }
        Ok(())
    }

    /// Removes the record under `key`, if there is one.
    ///
    /// # Errors
    /// When it is there and cannot be removed.
    pub fn remove(&self, bucket: Bucket, key: &CacheKey) -> io::Result<()> {
        if let Encoding::Tree(_) = bucket.encoding() {
            return self.remove_tree(bucket, key);
        }
        match fs::remove_file(self.path(bucket, key)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    /// Removes all but the newest `count` records of a bucket.
    ///
    /// # Errors
    /// When its folder cannot be read, or one cannot be removed.
    pub fn keep_newest(&self, bucket: Bucket, count: usize) -> io::Result<()> {
        let mut records = Vec::new();
        for entry in fs::read_dir(self.folder(bucket))? {
            let entry = entry?;
            records.push((entry.metadata()?.modified()?, entry.path()));
        }
        // Of two records written at the same moment, the path decides, so that every run removes the same ones.
        let Some(surplus) = records.len().checked_sub(count) else { return Ok(()) };
        records.sort();
        records.iter().take(surplus).try_for_each(|(_, path)| fs::remove_file(path))
    }
}

fn temporary_file(folder: &Path, encoding: Encoding) -> io::Result<tempfile::NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(TEMPORARY);
    // Unpacked wheels may be shared by users: one fills the cache, others read it. Pages may come from a
    // private index, so they stay private, as temporary files are.
    #[cfg(unix)]
    if matches!(encoding, Encoding::Sealed(_) | Encoding::Tree(_)) {
        use std::os::unix::fs::PermissionsExt as _;
        builder.permissions(fs::Permissions::from_mode(0o666));
    }
    builder.tempfile_in(folder)
}
