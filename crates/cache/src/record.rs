//! A record's contents in memory, checked.

use std::fmt;
use std::io;
use std::ops::Deref;

use memmap2::Mmap;

use super::stamp::RecordStamp;

/// The contents of a record. A large one is mapped, not read.
pub struct CacheRecord {
    contents: Contents,
    stamp: Option<RecordStamp>,
}

pub(super) enum Contents {
    /// All that follows this many bytes of header.
    Read { bytes: Vec<u8>, header: usize },
    /// The same, mapped.
    Mapped { map: Mmap, header: usize },
}

/// Why there are no contents.
pub(super) enum ReadError {
    Damaged(&'static str),
    Io(io::Error),
}

impl From<io::Error> for ReadError {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl CacheRecord {
    pub(super) fn new(contents: Contents, stamp: Option<RecordStamp>) -> Self {
        Self { contents, stamp }
    }

    /// The stamp of its file; `None` where it has no file, or the system does not show enough of it.
    #[must_use]
    pub fn stamp(&self) -> Option<RecordStamp> {
        self.stamp
    }
}

impl Deref for CacheRecord {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match &self.contents {
            Contents::Read { bytes, header } => &bytes[*header..],
            Contents::Mapped { map, header } => &map[*header..],
        }
    }
}

impl From<Vec<u8>> for CacheRecord {
    fn from(contents: Vec<u8>) -> Self {
        Self::new(Contents::Read { bytes: contents, header: 0 }, None)
    }
}

impl PartialEq for CacheRecord {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

impl Eq for CacheRecord {}

impl fmt::Debug for CacheRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CacheRecord({} bytes)", self.len())
    }
}
