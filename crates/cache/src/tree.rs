//! Records that are folders: made in the scratch folder, renamed into their bucket as a whole, and taken out
//! in one step, too. A reader sees all of one or none of it.

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use tempfile::{NamedTempFile, TempDir, TempPath};

use super::bucket::Encoding;
use super::{Bucket, Cache, CacheKey, seal};

/// How often a finished folder is renamed before we give up: only other runs that write the same key make it fail.
const ATTEMPTS: usize = 100;

/// A folder that becomes a record; gone when dropped before.
#[derive(Debug)]
pub struct NewTree {
    folder: TempDir,
}

impl NewTree {
    /// Where its files go: an empty folder.
    #[must_use]
    pub fn files(&self) -> PathBuf {
        self.folder.path().join(FILES)
    }
}

const FILES: &str = "files";
const MANIFEST: &str = "manifest";

/// The manifest of the tree in this folder.
pub(super) fn manifest(tree: &Path) -> PathBuf {
    tree.join(MANIFEST)
}

impl Cache {
    /// Creates the folders that an installation writes to, and tries to write there: nothing else shows
    /// whether the cache can be used.
    ///
    /// # Errors
    /// When it cannot.
    pub fn prepare(&self) -> io::Result<()> {
        [Bucket::Wheels, Bucket::Pins, Bucket::Scratch]
            .into_iter()
            .try_for_each(|bucket| self.make_folder(bucket))?;
        tempfile::tempfile_in(self.folder(Bucket::Scratch)).map(drop)
    }

    /// An empty file for a download, gone when dropped.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn scratch_file(&self) -> io::Result<TempPath> {
        let file = tempfile::Builder::new().prefix("file-").tempfile_in(self.folder(Bucket::Scratch));
        file.map(NamedTempFile::into_temp_path)
    }

    /// An empty folder for a build, gone when dropped.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn scratch_folder(&self) -> io::Result<TempDir> {
        self.temporary_folder("build-")
    }

    fn temporary_folder(&self, prefix: &str) -> io::Result<TempDir> {
        tempfile::Builder::new().prefix(prefix).tempdir_in(self.folder(Bucket::Scratch))
    }

    /// The folder of the record under `key`.
    #[must_use]
    pub fn tree(&self, bucket: Bucket, key: &CacheKey) -> PathBuf {
        self.folder(bucket).join(key.to_string())
    }

    /// The files of the record under `key`.
    #[must_use]
    pub fn tree_files(&self, bucket: Bucket, key: &CacheKey) -> PathBuf {
        self.tree(bucket, key).join(FILES)
    }

    /// Begins a record that is a folder.
    ///
    /// # Errors
    /// When the scratch folder cannot be written.
    pub fn begin_tree(&self) -> io::Result<NewTree> {
        let tree = NewTree { folder: self.temporary_folder("wheel-")? };
        // Apart from the manifest: a wheel may bring a file of that name.
        fs::create_dir(tree.files())?;
        Ok(tree)
    }

    /// Adds the manifest to a finished folder and renames it into its place. Returns what `read` finds there:
    /// another run may have been faster, and its record is as good. A record that `read` does not accept is
    /// damaged and makes room.
    ///
    /// # Errors
    /// When it cannot be written or renamed.
    pub fn commit_tree<T>(
        &self,
        tree: NewTree,
        bucket: Bucket,
        key: &CacheKey,
        contents: &[u8],
        read: impl Fn() -> Option<T>,
    ) -> io::Result<T> {
        if let Encoding::Tree(magic) = bucket.encoding() {
            let mut file = fs::File::create_new(manifest(tree.folder.path()))?;
            seal::write(&[contents], magic, |part| file.write_all(part))?;
        }
        let path = self.tree(bucket, key);
        for _ in 0..ATTEMPTS {
            // A folder cannot be renamed over one with files in it, so a record that is there already stays.
            let renamed = fs::rename(tree.folder.path(), &path);
            if let Some(found) = read() {
                return Ok(found);
            }
            // What is there is damaged, or another run removed ours: make room, and try again.
            match renamed {
                Err(error) if !path.exists() => return Err(error),
                _ => self.remove_tree(bucket, key)?,
            }
        }
        Err(io::Error::other("other runs keep writing it"))
    }

    /// Takes a record out of its bucket in one step, then removes its files: no reader sees half of it.
    pub(super) fn remove_tree(&self, bucket: Bucket, key: &CacheKey) -> io::Result<()> {
        let aside = self.temporary_folder("old-")?;
        // Dropping `aside` removes the files. It is in the scratch folder, so the rename stays on one disk.
        match fs::rename(self.tree(bucket, key), aside.path().join("bucket")) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }
}
