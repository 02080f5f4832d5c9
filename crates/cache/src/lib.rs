//! The cache on disk: records under keys in buckets, each whole or not there. Losing it loses time only.
//!
//! In: a [`Bucket`], a [`CacheKey`], and contents as bytes. Out: the same bytes, or the reason why not. What
//! the bytes mean is the business of the crate that writes them; what lies where on disk, how it is checked,
//! how old formats are recognised and what upkeep removes is known here alone:
//!
//! - `bucket`: the table of all buckets; `key`: what records are found by; `stamp`: whether a file changed
//! - `read`, `write`: records that are files; `tree`: records that are folders
//! - `frame`, `seal`: the two forms with a checksum; `record`: contents in memory
//! - `upkeep`: `size`, `prune`, `clear`
//!
//! Many processes may share a cache: a record is written beside its place and renamed over it, never changed
//! in place. Damage is noticed when a record is read, and counts as a miss.

mod bucket;
mod frame;
mod key;
mod read;
mod record;
mod seal;
mod stamp;
mod tree;
mod upkeep;
mod write;

use std::path::{Path, PathBuf};

pub use bucket::Bucket;
use bucket::Encoding;
pub use key::CacheKey;
pub use read::CacheLookup;
pub use record::CacheRecord;
pub use stamp::{FileStamp, ProgramStamp, RecordStamp, WriteStamp};
pub use tree::NewTree;
pub use upkeep::{CacheUsage, PruneReport};

/// A cache in a folder. Made without I/O; the folder comes into being with the first record.
#[derive(Clone, Debug)]
pub struct Cache {
    root: PathBuf,
}

impl Cache {
    /// The cache in the folder `root`.
    #[must_use]
    pub fn new(root: PathBuf) -> Self {
        Self { root }
    }

    /// Its folder.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The folder of a bucket.
    #[must_use]
    pub fn folder(&self, bucket: Bucket) -> PathBuf {
        self.root.join(bucket.folder())
    }

    /// The file of the record under `key`; of a record that is a folder, its manifest.
    #[must_use]
    pub fn path(&self, bucket: Bucket, key: &CacheKey) -> PathBuf {
        match bucket.encoding() {
            Encoding::Framed | Encoding::Sealed(_) | Encoding::Temporary => {
                self.folder(bucket).join(key.to_string())
            }
            Encoding::Json => self.folder(bucket).join(format!("{key}.json")),
            Encoding::Tree(_) => tree::manifest(&self.tree(bucket, key)),
        }
    }
}

#[cfg(test)]
mod tests;
