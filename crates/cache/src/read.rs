//! Reading records: whatever lies under a key becomes contents that can be believed, or a reason.

use std::fs::{self, File};
use std::io::{self, Read as _};

use super::bucket::Encoding;
use super::record::ReadError;
use super::{Bucket, Cache, CacheKey, CacheRecord, RecordStamp, frame, seal};

/// What lies under a key.
#[derive(Debug, PartialEq, Eq)]
pub enum CacheLookup {
    /// A whole record.
    Hit(CacheRecord),
    /// No record.
    Miss,
    /// A record that is cut, altered, of another format or of another key: why.
    Damaged(String),
    /// A record that the system does not let this process read: why.
    Unreadable(String),
}

impl Cache {
    /// Reads the record under `key`, and checks it as far as its bucket has a checksum.
    #[must_use]
    pub fn read(&self, bucket: Bucket, key: &CacheKey) -> CacheLookup {
        let opened = File::open(self.path(bucket, key)).map_err(ReadError::Io);
        let read = opened.and_then(|file| match bucket.encoding() {
            Encoding::Framed => frame::read(file, key),
            Encoding::Sealed(magic) | Encoding::Tree(magic) => seal::read(file, magic),
            Encoding::Json | Encoding::Temporary => read_whole(file),
        });
        match read {
            Ok(record) => CacheLookup::Hit(record),
            Err(ReadError::Damaged(why)) => CacheLookup::Damaged(why.to_owned()),
            // Found out by opening: looking first would cost a system call a record.
            Err(ReadError::Io(error)) if error.kind() == io::ErrorKind::NotFound => CacheLookup::Miss,
            Err(ReadError::Io(error)) => CacheLookup::Unreadable(error.to_string()),
        }
    }

    /// Whether there is a record under `key`, sound or not.
    #[must_use]
    pub fn contains(&self, bucket: Bucket, key: &CacheKey) -> bool {
        self.path(bucket, key).is_file()
    }

    /// Whether the record under `key` is still the one with this stamp.
    #[must_use]
    pub fn is_unchanged(&self, bucket: Bucket, key: &CacheKey, stamp: &RecordStamp) -> bool {
        let found = fs::metadata(self.path(bucket, key)).ok();
        found.and_then(|metadata| RecordStamp::of(&metadata)).as_ref() == Some(stamp)
    }
}

/// The most that is read of a record without a checksum, in bytes; a cut one does not parse. Honest ones have some
/// kilobytes.
const LIMIT: u64 = 16 << 20;

fn read_whole(file: File) -> Result<CacheRecord, ReadError> {
    let mut bytes = Vec::new();
    file.take(LIMIT).read_to_end(&mut bytes)?;
    Ok(bytes.into())
}
