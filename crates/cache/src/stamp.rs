//! What the system shows of a file, kept beside what was read from it: as long as the stamp is the same, the
//! file need not be read again.
//!
//! Each stamp has the size and the time of the last write. What it compares besides depends on who may touch
//! the file:
//!
//! | stamp | besides | why |
//! |---|---|---|
//! | [`RecordStamp`] | inode | a record is only ever replaced by a rename, which changes the inode |
//! | [`ProgramStamp`] | time of the inode's last change | some images set all other times to a constant |
//! | [`FileStamp`] | inode, mode | a hard link changes the inode's time, so that time cannot be compared |
//! | [`WriteStamp`] | nothing | a restored backup has other inodes; a hash decides where the stamp differs |

use std::fs::Metadata;
use std::time::{Duration, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

/// Tells a record from those that lay under its key before, and those that come after.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordStamp {
    /// Since 1970.
    modified: Duration,
    length: u64,
    /// 0 on systems without inodes.
    inode: u64,
}

/// Tells whether a program, an interpreter say, is still the one that ran.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProgramStamp {
    size: u64,
    /// In nanoseconds since 1970.
    modified: u128,
    /// When the inode last changed, in nanoseconds since 1970; 0 on systems without inodes.
    changed: i128,
}

/// Tells whether an unpacked file still has the content that was checked when it was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileStamp {
    /// In bytes.
    pub size: u64,
    /// The inode's number.
    pub inode: u64,
    /// When it was last written, in seconds since 1970 ...
    pub seconds: i64,
    /// ... and nanoseconds.
    pub nanoseconds: i64,
    /// `st_mode`: type and permissions.
    pub mode: u32,
}

/// Tells whether somebody wrote to a file, as far as size and time show it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WriteStamp {
    size: u64,
    /// Since 1970.
    seconds: i64,
    nanoseconds: i64,
}

impl RecordStamp {
    /// `None` where the system does not show when the file was written.
    pub(super) fn of(metadata: &Metadata) -> Option<Self> {
        let modified = metadata.modified().ok()?.duration_since(UNIX_EPOCH).ok()?;
        Some(Self { modified, length: metadata.len(), inode: inode(metadata) })
    }
}

impl ProgramStamp {
    /// The stamp of the program with this metadata.
    #[must_use]
    pub fn of(metadata: &Metadata) -> Self {
        let modified = metadata.modified().ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok());
        Self {
            size: metadata.len(),
            modified: modified.map_or(0, |since| since.as_nanos()),
            changed: changed(metadata),
        }
    }
}

#[cfg(unix)]
mod unix {
    use std::fs::Metadata;
    use std::os::unix::fs::MetadataExt as _;

    use super::{FileStamp, WriteStamp};

    impl FileStamp {
        /// The stamp of the file with this metadata.
        #[must_use]
        pub fn of(metadata: &Metadata) -> Self {
            Self {
                size: metadata.size(),
                inode: metadata.ino(),
                seconds: metadata.mtime(),
                nanoseconds: metadata.mtime_nsec(),
                mode: metadata.mode(),
            }
        }
    }

    impl WriteStamp {
        /// The stamp of the file with this metadata.
        #[must_use]
        pub fn of(metadata: &Metadata) -> Self {
            Self { size: metadata.size(), seconds: metadata.mtime(), nanoseconds: metadata.mtime_nsec() }
        }
    }

    pub(super) fn inode(metadata: &Metadata) -> u64 {
        metadata.ino()
    }

    pub(super) fn changed(metadata: &Metadata) -> i128 {
        i128::from(metadata.ctime()) * 1_000_000_000 + i128::from(metadata.ctime_nsec())
    }
}

#[cfg(unix)]
use unix::{changed, inode};

#[cfg(not(unix))]
fn inode(_: &Metadata) -> u64 {
    0
}

#[cfg(not(unix))]
fn changed(_: &Metadata) -> i128 {
    0
}
