//! The frame of a record: a mark, its key, its length and its checksum, then the contents.

use std::fs::{File, Metadata};
use std::io::{self, Read as _};
use std::ops::Deref;
use std::time::{Duration, SystemTime};

use flate2::Crc;
use memmap2::Mmap;
use serde::{Deserialize, Serialize};

use super::Key;

const MARK: &[u8; 8] = b"pinfast\x01";
const HEAD: usize = 8 + 32 + 8 + 4;

/// From how many bytes on a record is mapped: a run looks at a small part of a large one.
const MAPPED_FROM: u64 = 64 << 10;

/// The contents of a record, checked.
pub struct Record {
    bytes: Bytes,
    stamp: Option<Stamp>,
}

/// Tells a record on the disk from the others that lie under its key before and after.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stamp {
    /// Since 1970.
    modified: Duration,
    length: u64,
    /// 0 where the system tells none.
    inode: u64,
}

enum Bytes {
    Contents(Vec<u8>),
    /// A record as it is on the disk, frame and all.
    Framed(Vec<u8>),
    Mapped(Mmap),
}

/// Why there are no contents.
pub(super) enum Unread {
    /// What is there cannot be believed.
    Damaged(&'static str),
    /// The system does not let it be read.
    Io(io::Error),
}

/// Writes the record under `key` whose contents are these `parts`, one after the other.
pub(super) fn wrap(
    parts: &[&[u8]],
    key: &Key,
    mut write: impl FnMut(&[u8]) -> io::Result<()>,
) -> io::Result<()> {
    let mut checksum = Crc::new();
    parts.iter().for_each(|part| checksum.update(part));
    let length = parts.iter().map(|part| part.len() as u64).sum();
    write(&head(key, length, checksum.sum()))?;
    parts.iter().try_for_each(|part| write(part))
}

/// The record that was just written to `file`, of these `parts`.
pub(super) fn written(file: &File, parts: &[&[u8]]) -> Record {
    let contents: usize = parts.iter().map(|part| part.len()).sum();
    let is_large = ((HEAD + contents) as u64) >= MAPPED_FROM;
    // What cannot be mapped is kept in memory.
    let mapped = is_large.then(|| map(file).ok()).flatten();
    let bytes = mapped.map_or_else(|| Bytes::Contents(parts.concat()), Bytes::Mapped);
    Record { bytes, stamp: file.metadata().ok().and_then(|metadata| Stamp::of(&metadata)) }
}

/// The record that `file` holds, which should be the one under `key`.
///
/// # Errors
/// Why there is none.
pub(super) fn read(file: File, key: &Key) -> Result<Record, Unread> {
    let metadata = file.metadata()?;
    let length = metadata.len();
    let mut found = [0; HEAD];
    if length < HEAD as u64 {
        return Err(Unread::Damaged("it is cut"));
    }
    let mut checksum = Crc::new();
    let bytes = if length < MAPPED_FROM {
        let mut bytes = Vec::with_capacity(usize::try_from(length).unwrap_or_default());
        // Bounded, it need not ask where the file ends.
        file.take(length).read_to_end(&mut bytes)?;
        let (head, contents) = bytes.split_at_checked(HEAD).ok_or(Unread::Damaged("it is cut"))?;
        found.copy_from_slice(head);
        checksum.update(contents);
        Bytes::Framed(bytes)
    } else {
        let map = map(&file)?;
        let (head, contents) = map.split_at_checked(HEAD).ok_or(Unread::Damaged("it is cut"))?;
        found.copy_from_slice(head);
        checksum.update(contents);
        forget(&map);
        Bytes::Mapped(map)
    };
    let record = Record { bytes, stamp: Stamp::of(&metadata) };
    if found != head(key, record.len() as u64, checksum.sum()) {
        return Err(Unread::Damaged("its checksum does not match"));
    }
    Ok(record)
}

#[expect(unsafe_code, reason = "a record is never changed in place: it is replaced by a rename, or removed")]
fn map(file: &File) -> io::Result<Mmap> {
    // SAFETY: whoever writes a record writes another file and renames it, so what is mapped stays as it is.
    unsafe { Mmap::map(file) }
}

/// Lets go of the memory that the check took: little of a large record is looked at again.
#[cfg(unix)]
#[expect(unsafe_code, reason = "the advice drops pages that are read again from the file when needed")]
fn forget(map: &Mmap) {
    // SAFETY: the map is of a file and read only, so nothing is lost. An advice that is not taken costs memory.
    let _ = unsafe { map.unchecked_advise(memmap2::UncheckedAdvice::DontNeed) };
}

#[cfg(not(unix))]
fn forget(_: &Mmap) {}

fn head(key: &Key, length: u64, checksum: u32) -> [u8; HEAD] {
    let mut head = [0; HEAD];
    let parts: [&[u8]; 4] = [MARK, &key.0.0, &length.to_le_bytes(), &checksum.to_le_bytes()];
    let mut at = 0;
    for part in parts {
        head[at..at + part.len()].copy_from_slice(part);
        at += part.len();
    }
    head
}

impl Stamp {
    /// That of a file; `None` where the system tells too little.
    pub(super) fn of(metadata: &Metadata) -> Option<Self> {
        let modified = metadata.modified().ok()?.duration_since(SystemTime::UNIX_EPOCH).ok()?;
        Some(Self { modified, length: metadata.len(), inode: inode(metadata) })
    }
}

#[cfg(unix)]
fn inode(metadata: &Metadata) -> u64 {
    std::os::unix::fs::MetadataExt::ino(metadata)
}

#[cfg(not(unix))]
fn inode(_: &Metadata) -> u64 {
    0
}

impl Record {
    /// That of the file that it is; `None` where it is none.
    #[must_use]
    pub fn stamp(&self) -> Option<Stamp> {
        self.stamp
    }
}

impl Deref for Record {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match &self.bytes {
            Bytes::Contents(bytes) => bytes,
            Bytes::Framed(bytes) => &bytes[HEAD..],
            Bytes::Mapped(map) => &map[HEAD..],
        }
    }
}

impl From<Vec<u8>> for Record {
    fn from(contents: Vec<u8>) -> Self {
        Self { bytes: Bytes::Contents(contents), stamp: None }
    }
}

impl PartialEq for Record {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

impl Eq for Record {}

impl std::fmt::Debug for Record {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Record({} bytes)", self.len())
    }
}

impl From<io::Error> for Unread {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}
