//! The frame of a record: a magic word, its key, its length and its checksum, then the contents.
//!
//! ```text
//! offset  bytes
//!      0      8  "pinfast\x01"
//!      8     32  key
//!     40      8  length of the contents, little-endian
//!     48      4  CRC-32 of the contents, little-endian
//!     52         contents
//! ```
//!
//! The checksum finds damage, not malice: whoever can write into the cache can write a checksum, too.

use std::fs::File;
use std::io::{self, Read as _};

use flate2::Crc;
use memmap2::Mmap;

use super::CacheKey;
use super::record::{CacheRecord, Contents, ReadError};
use super::stamp::RecordStamp;

const MAGIC: &[u8; 8] = b"pinfast\x01";

/// The length of what precedes the contents.
const HEADER: usize = 8 + 32 + 8 + 4;

/// Records of at least this many bytes are mapped: a run looks at a small part of a large one.
const MAPPED_FROM: u64 = 64 << 10;

const TRUNCATED: ReadError = ReadError::Damaged("it is cut");

/// Writes the record under `key`. Its contents are these `parts`, one after the other.
pub(super) fn write(
    parts: &[&[u8]],
    key: &CacheKey,
    mut write: impl FnMut(&[u8]) -> io::Result<()>,
) -> io::Result<()> {
    let mut checksum = Crc::new();
    parts.iter().for_each(|part| checksum.update(part));
    let length = parts.iter().map(|part| part.len() as u64).sum();
    write(&header(key, length, checksum.sum()))?;
    parts.iter().try_for_each(|part| write(part))
}

/// The record that was just written to `file`: mapped if it is large, so that it takes no memory twice.
pub(super) fn reopen(file: &File, parts: &[&[u8]]) -> CacheRecord {
    let contents: usize = parts.iter().map(|part| part.len()).sum();
    // Like `read`, so that a record behaves the same in the run that wrote it and in later ones.
    let is_large = ((HEADER + contents) as u64) >= MAPPED_FROM;
    // Some file systems cannot map; there the contents stay in memory.
    let mapped = is_large.then(|| map(file).ok()).flatten();
    let in_memory = || Contents::Read { bytes: parts.concat(), header: 0 };
    let contents = mapped.map_or_else(in_memory, |map| Contents::Mapped { map, header: HEADER });
    let stamp = file.metadata().ok().and_then(|metadata| RecordStamp::of(&metadata));
    CacheRecord::new(contents, stamp)
}

/// Reads the record in `file`, which should be the one under `key`.
///
/// # Errors
/// `Damaged` for another key's record, another length or another checksum.
pub(super) fn read(file: File, key: &CacheKey) -> Result<CacheRecord, ReadError> {
    let metadata = file.metadata()?;
    let length = metadata.len();
    let mut found = [0; HEADER];
    if length < HEADER as u64 {
        return Err(TRUNCATED);
    }
    let mut checksum = Crc::new();
    let contents = if length < MAPPED_FROM {
        let mut bytes = Vec::with_capacity(usize::try_from(length).unwrap_or_default());
        // Without the bound, `read_to_end` would need one more system call to see the end.
        file.take(length).read_to_end(&mut bytes)?;
        let (header, contents) = bytes.split_at_checked(HEADER).ok_or(TRUNCATED)?;
        found.copy_from_slice(header);
        checksum.update(contents);
        Contents::Read { bytes, header: HEADER }
    } else {
        let map = map(&file)?;
        let (header, contents) = map.split_at_checked(HEADER).ok_or(TRUNCATED)?;
        found.copy_from_slice(header);
        checksum.update(contents);
        drop_pages(&map);
        Contents::Mapped { map, header: HEADER }
    };
    let record = CacheRecord::new(contents, RecordStamp::of(&metadata));
    // Comparing whole headers checks magic word, key, length and checksum at once.
    if found != header(key, record.len() as u64, checksum.sum()) {
        return Err(ReadError::Damaged("its checksum does not match"));
    }
    Ok(record)
}

#[expect(unsafe_code, reason = "a record is never changed in place: it is replaced by a rename, or removed")]
fn map(file: &File) -> io::Result<Mmap> {
    // SAFETY: whoever writes a record writes another file and renames it, so mapped bytes never change.
    unsafe { Mmap::map(file) }
}

/// Frees the memory that the checksum took: a run looks at little of a large record again.
#[cfg(unix)]
#[expect(unsafe_code, reason = "the advice drops pages that are read again from the file when needed")]
fn drop_pages(map: &Mmap) {
    // SAFETY: the map is read-only and has a file behind it, so nothing is lost. A refused advice costs memory.
    let _ = unsafe { map.unchecked_advise(memmap2::UncheckedAdvice::DontNeed) };
}

#[cfg(not(unix))]
fn drop_pages(_: &Mmap) {}

fn header(key: &CacheKey, length: u64, checksum: u32) -> [u8; HEADER] {
    let mut header = [0; HEADER];
    let parts: [&[u8]; 4] = [MAGIC, key.bytes(), &length.to_le_bytes(), &checksum.to_le_bytes()];
    let mut at = 0;
    for part in parts {
        header[at..at + part.len()].copy_from_slice(part);
        at += part.len();
    }
    header
}
