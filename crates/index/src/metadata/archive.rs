//! Reads one member of a zip archive from a few pieces of it (PKWARE's APPNOTE, sections 4.3 and 4.5.3).
//!
//! A state machine without I/O: [`PartialArchive::read`] returns the range that it needs next, and the caller adds
//! those bytes, from a range request or from a file. The archive is hostile: every offset, length and count is
//! checked before it is used.
//!
//! The `zip` crate cannot take its place. Its stable reader keys members by name, so a second METADATA stays
//! unseen. Over `Read + Seek`, its reads do not show how long the directory is: one with a forged offset would make
//! us request the whole wheel, where we request the directory's length.

use std::io::Read as _;
use std::ops::Range;

use flate2::Crc;

/// A zip archive of a known length, with the pieces that are at hand.
pub(super) struct PartialArchive {
    len: u64,
    /// Pieces by their offset.
    pieces: Vec<(u64, Vec<u8>)>,
    /// The most bytes of a member, decompressed.
    most: u64,
}

/// What to do next.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum ArchiveStep<T> {
    /// Add these bytes, which are within the archive, and read again.
    Need(Range<u64>),
    Done(T),
}

/// A member's entry in the central directory.
#[derive(Clone, Debug, PartialEq, Eq)]
struct ZipMember {
    method: u16,
    crc: u32,
    compressed: u64,
    size: u64,
    header: u64,
    name: Vec<u8>,
}

/// Why an archive cannot be read.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum ZipReadError {
    /// It is broken or contradicts itself: a sentence about "it".
    Broken(String),
    /// The member is larger than allowed.
    TooLarge,
}

/// The length of the tail to request first. It holds the directory of most wheels, and METADATA, which the wheel
/// specification recommends to put last.
pub(super) const TAIL: u64 = 32 << 10;

/// So many bytes before the directory are requested with it: METADATA is mostly there.
const LEAD: u64 = 16 << 10;

/// The length of the end record without its comment.
const END: u64 = 22;
/// The end record has 16 bits for the comment's length.
const LARGEST_COMMENT: u64 = 0xffff;
/// Room for some 500,000 members. A forged size must not make us request gigabytes.
const LARGEST_DIRECTORY: u64 = 64 << 20;

type StepResult<T> = Result<ArchiveStep<T>, ZipReadError>;

/// The value of a step that is done; returns a step that needs bytes.
macro_rules! step {
    ($step:expr) => {
        match $step? {
            ArchiveStep::Need(range) => return Ok(ArchiveStep::Need(range)),
            ArchiveStep::Done(value) => value,
        }
    };
}

impl PartialArchive {
    /// An archive of `len` bytes, with members of at most `most` bytes decompressed.
    pub(super) fn new(len: u64, most: u64) -> Self {
        Self { len, pieces: Vec::new(), most }
    }

    /// Adds the bytes from `start` on; a piece that ends where another begins is joined to it.
    pub(super) fn add(&mut self, start: u64, mut bytes: Vec<u8>) {
        let end = start + bytes.len() as u64;
        if let Some(at) = self.pieces.iter().position(|(next, _)| *next == end) {
            // `bytes` looks into one piece at a time, so a range over two requests needs them joined.
            bytes.append(&mut self.pieces.swap_remove(at).1);
        }
        self.pieces.push((start, bytes));
    }

    /// The contents of the one member that `wanted` accepts by its path; `None` where it accepts none.
    pub(super) fn read(&self, wanted: &dyn Fn(&[u8]) -> bool) -> StepResult<Option<Vec<u8>>> {
        let directory = step!(self.directory());
        let bytes = match self.bytes(directory.clone())? {
            ArchiveStep::Done(bytes) => bytes,
            ArchiveStep::Need(Range { start, end }) => {
                return Ok(ArchiveStep::Need(start.saturating_sub(LEAD)..end));
            }
        };
        let mut found = members(bytes)?.into_iter().filter(|member| wanted(&member.name));
        let Some(member) = found.next() else { return Ok(ArchiveStep::Done(None)) };
        // An installer might read the other one.
        if found.next().is_some() {
            return Err(broken("it holds the same metadata file twice"));
        }
        let compressed = step!(self.compressed(&member));
        self.decompress(&member, compressed).map(|bytes| ArchiveStep::Done(Some(bytes)))
    }

    /// The bytes of `range`, if they are at hand.
    fn bytes(&self, range: Range<u64>) -> StepResult<&[u8]> {
        if range.start > range.end || range.end > self.len {
            return Err(broken("it is cut, or points outside itself"));
        }
        for (start, piece) in &self.pieces {
            let end = start + piece.len() as u64;
            if *start <= range.start && range.end <= end {
                // The piece is in memory, so offsets into it fit.
                let offset = |at: u64| usize::try_from(at - start).unwrap_or(usize::MAX);
                return Ok(ArchiveStep::Done(&piece[offset(range.start)..offset(range.end)]));
            }
        }
        // A piece at hand that ends the range need not be requested again.
        let endings = self.pieces.iter().filter(|(start, piece)| {
            range.contains(start) && *start > range.start && range.end <= start + piece.len() as u64
        });
        let end = endings.map(|(start, _)| *start).min().unwrap_or(range.end);
        Ok(ArchiveStep::Need(range.start..end))
    }

    /// The range of the central directory, from the end record, which is found by its signature from the back.
    fn directory(&self) -> StepResult<Range<u64>> {
        if self.len < END {
            return Err(broken("it is no zip archive"));
        }
        let tail = step!(self.bytes(self.len.saturating_sub(TAIL)..self.len));
        let (at, record) = match end_record(tail) {
            Some(at) => (self.len - (tail.len() - at) as u64, &tail[at..]),
            // A long comment may have pushed the end record out of the tail.
            None => {
                let start = self.len.saturating_sub(END + LARGEST_COMMENT);
                let tail = step!(self.bytes(start..self.len));
                let at = end_record(tail).ok_or_else(|| broken("it is no zip archive, or it is cut"))?;
                (start + at as u64, &tail[at..])
            }
        };
        let (size, offset) = (u64::from(u32_at(record, 12)?), u64::from(u32_at(record, 16)?));
        // All ones: the value did not fit, and is in the zip64 record (section 4.4.1.4).
        if size == 0xffff_ffff || offset == 0xffff_ffff || u16_at(record, 10)? == 0xffff {
            return self.directory_64(at);
        }
        directory_range(offset, size, at)
    }

    /// The same for archives of more than 4 GB or 65,534 members.
    fn directory_64(&self, end_at: u64) -> StepResult<Range<u64>> {
        // The locator has 20 bytes and lies right before the end record (section 4.3.15).
        let locator_at = end_at.checked_sub(20).ok_or_else(|| broken("its zip64 record is missing"))?;
        let locator = step!(self.bytes(locator_at..end_at));
        if u32_at(locator, 0)? != 0x0706_4b50 {
            return Err(broken("its zip64 record is missing"));
        }
        let record_at = u64_at(locator, 8)?;
        // The fixed fields have 56 bytes (section 4.3.14); what may follow them is of no interest.
        let record_end = record_at.checked_add(56).filter(|end| *end <= locator_at);
        let record =
            step!(self.bytes(record_at..record_end.ok_or_else(|| broken("it points outside itself"))?));
        if u32_at(record, 0)? != 0x0606_4b50 {
            return Err(broken("its zip64 record is missing"));
        }
        directory_range(u64_at(record, 48)?, u64_at(record, 40)?, record_at)
    }

    /// The compressed bytes of `member`.
    fn compressed(&self, member: &ZipMember) -> StepResult<&[u8]> {
        // Checked before the bytes are requested: a forged size must cost nothing.
        if member.compressed > self.most || member.size > self.most {
            return Err(ZipReadError::TooLarge);
        }
        let at = member.header;
        let past =
            |start: u64, len: u64| start.checked_add(len).ok_or_else(|| broken("it points outside itself"));
        // The local header has a name and an extra field of its own. Requesting room for both saves another request
        // in nearly all cases.
        let likely = past(at, 30 + member.name.len() as u64 + 64 + member.compressed)?.min(self.len);
        if let ArchiveStep::Need(_) = self.bytes(at..past(at, 30)?)? {
            return Ok(ArchiveStep::Need(at..likely));
        }
        let header = step!(self.bytes(at..past(at, 30)?));
        if u32_at(header, 0)? != 0x0403_4b50 {
            return Err(broken("its directory points to no member"));
        }
        // Name and extra field follow 30 bytes of fixed fields (section 4.3.7).
        let start = past(at, 30 + u64::from(u16_at(header, 26)?) + u64::from(u16_at(header, 28)?))?;
        self.bytes(start..past(start, member.compressed)?)
    }

    fn decompress(&self, member: &ZipMember, compressed: &[u8]) -> Result<Vec<u8>, ZipReadError> {
        let mut plain = Vec::new();
        match member.method {
            0 => plain.extend_from_slice(compressed),
            8 => {
                // One byte more than allowed unmasks a decompression bomb without inflating it.
                let mut reader = flate2::read::DeflateDecoder::new(compressed).take(self.most + 1);
                reader.read_to_end(&mut plain).map_err(|_| broken("its metadata cannot be decompressed"))?;
            }
            method => {
                return Err(broken(&format!("its metadata has the unknown compression method {method}")));
            }
        }
        if plain.len() as u64 > self.most {
            return Err(ZipReadError::TooLarge);
        }
        let mut crc = Crc::new();
        crc.update(&plain);
        if plain.len() as u64 != member.size || crc.sum() != member.crc {
            return Err(broken("its metadata does not match its checksum"));
        }
        Ok(plain)
    }
}

fn broken(why: &str) -> ZipReadError {
    ZipReadError::Broken(why.to_owned())
}

fn directory_range(offset: u64, size: u64, end: u64) -> StepResult<Range<u64>> {
    match offset.checked_add(size) {
        Some(stop) if stop <= end && size <= LARGEST_DIRECTORY => Ok(ArchiveStep::Done(offset..stop)),
        _ => Err(broken("its directory lies outside it or is too large")),
    }
}

/// The offset of the last end record in `tail`. Its comment must end with the archive: the signature may also occur
/// inside a comment.
fn end_record(tail: &[u8]) -> Option<usize> {
    let last = tail.len().checked_sub(22)?;
    (0..=last).rev().find(|&at| {
        tail[at..].starts_with(b"PK\x05\x06")
            && u16_at(&tail[at..], 20).is_ok_and(|comment| at + 22 + usize::from(comment) == tail.len())
    })
}

fn members(mut bytes: &[u8]) -> Result<Vec<ZipMember>, ZipReadError> {
    let mut members = Vec::new();
    // Walked by the directory's length. The end record has a count as well, which may be wrong.
    while !bytes.is_empty() {
        if u32_at(bytes, 0)? != 0x0201_4b50 {
            return Err(broken("its directory is broken"));
        }
        let lengths = [u16_at(bytes, 28)?, u16_at(bytes, 30)?, u16_at(bytes, 32)?].map(usize::from);
        let [name, extra, comment] = lengths;
        // 46 bytes of fixed fields come first (section 4.3.12). Each length has 16 bits, so the sum cannot overflow.
        let next = 46 + name + extra + comment;
        let entry = bytes.get(..next).ok_or_else(|| broken("its directory is cut"))?;
        members.push(member(entry, name, extra)?);
        bytes = &bytes[next..];
    }
    Ok(members)
}

fn member(entry: &[u8], name: usize, extra: usize) -> Result<ZipMember, ZipReadError> {
    let mut member = ZipMember {
        method: u16_at(entry, 10)?,
        crc: u32_at(entry, 16)?,
        compressed: u32_at(entry, 20)?.into(),
        size: u32_at(entry, 24)?.into(),
        header: u32_at(entry, 42)?.into(),
        name: entry[46..46 + name].to_vec(),
    };
    apply_zip64(&mut member, &entry[46 + name..46 + name + extra])?;
    Ok(member)
}

/// Replaces the values that did not fit into 32 bits by those of the zip64 field, which has them in this order.
fn apply_zip64(member: &mut ZipMember, mut extra: &[u8]) -> Result<(), ZipReadError> {
    while extra.len() >= 4 {
        let (id, len) = (u16_at(extra, 0)?, usize::from(u16_at(extra, 2)?));
        // A cut extra field is ignored: without a zip64 field, the 32-bit values hold.
        let Some(mut field) = extra.get(4..4 + len) else { return Ok(()) };
        if id == 1 {
            for value in [&mut member.size, &mut member.compressed, &mut member.header] {
                if *value == 0xffff_ffff {
                    *value = u64_at(field, 0)?;
                    // `u64_at` has just read these eight bytes.
                    field = &field[8..];
                }
            }
            return Ok(());
        }
        extra = &extra[4 + len..];
    }
    Ok(())
}

fn array<const N: usize>(bytes: &[u8], at: usize) -> Result<[u8; N], ZipReadError> {
    let slice = bytes.get(at..at + N).ok_or_else(|| broken("it is cut"))?;
    Ok(std::array::from_fn(|i| slice[i]))
}

fn u16_at(bytes: &[u8], at: usize) -> Result<u16, ZipReadError> {
    array(bytes, at).map(u16::from_le_bytes)
}

fn u32_at(bytes: &[u8], at: usize) -> Result<u32, ZipReadError> {
    array(bytes, at).map(u32::from_le_bytes)
}

fn u64_at(bytes: &[u8], at: usize) -> Result<u64, ZipReadError> {
    array(bytes, at).map(u64::from_le_bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::zip_of;

    /// Reads `wanted` out of `bytes` by the ranges that it needs. Returns their number too.
    fn read(bytes: &[u8], wanted: &str, most: u64) -> (Result<Option<Vec<u8>>, ZipReadError>, usize) {
        let mut archive = PartialArchive::new(bytes.len() as u64, most);
        for requested in 0..10 {
            match archive.read(&|path| path == wanted.as_bytes()) {
                Ok(ArchiveStep::Done(found)) => return (Ok(found), requested),
                Err(error) => return (Err(error), requested),
                Ok(ArchiveStep::Need(Range { start, end })) => {
                    assert!(start < end && end <= bytes.len() as u64, "{start}..{end}");
                    let at = |at: u64| usize::try_from(at).unwrap();
                    archive.add(start, bytes[at(start)..at(end)].to_vec());
                }
            }
        }
        panic!("it asks without end");
    }

    fn archive_of(others: usize) -> Vec<u8> {
        let names: Vec<_> = (0..others).map(|number| format!("package/module_{number}.py")).collect();
        let mut members: Vec<_> = names.iter().map(|name| (name.as_str(), b"pass".as_slice())).collect();
        members.push(("wanted", b"contents contents contents"));
        zip_of(&members)
    }

    #[test]
    fn a_member_is_found_with_one_or_two_ranges() {
        for (others, most_requests) in [(0, 1), (100, 1), (5000, 2)] {
            let bytes = archive_of(others);
            let (found, requested) = read(&bytes, "wanted", 1000);
            assert_eq!(found.unwrap().unwrap(), b"contents contents contents");
            assert!(requested <= most_requests, "{others} others: {requested}");
            assert_eq!(read(&bytes, "missing", 1000).0, Ok(None));
            assert_eq!(read(&bytes, "wanted", 10).0, Err(ZipReadError::TooLarge));
        }
    }

    #[test]
    fn a_damaged_archive_is_an_error_or_gives_the_same_contents() {
        let whole = archive_of(3);
        let contents = b"contents contents contents".as_slice();
        for at in 0..whole.len() {
            for bits in [0x01, 0x80, 0xff] {
                let mut bytes = whole.clone();
                bytes[at] ^= bits;
                if let (Ok(Some(found)), _) = read(&bytes, "wanted", 1000) {
                    assert_eq!(found, contents, "byte {at}");
                }
            }
            assert!(read(&whole[..at], "wanted", 1000).0.is_err(), "cut at {at}");
        }
        assert!(read(b"", "wanted", 1000).0.is_err());
    }
}
