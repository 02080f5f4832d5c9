//! Wheels in pieces: METADATA out of a remote wheel by range requests, and a stand-in that holds METADATA alone.

use std::io::{self, Error, Read, Seek, SeekFrom};
use std::ops::Range;

use anyhow::Context as _;
use pinfast_testkit::zip::{ZipEntry, zip, zip_at};
use zip::ZipArchive;

/// A remote file of which some pieces are in memory.
pub(crate) struct PartialFile {
    len: u64,
    pieces: Vec<(u64, Vec<u8>)>,
    at: u64,
    /// The first position that was read and is in no piece.
    lacking: Option<u64>,
}

/// The result of reading a partial wheel.
pub(crate) enum MetadataStep {
    Metadata(Vec<u8>),
    /// These bytes are needed first.
    Need(Range<u64>),
}

impl PartialFile {
    pub(crate) fn new(len: u64) -> Self {
        Self { len, pieces: Vec::new(), at: 0, lacking: None }
    }

    pub(crate) fn give(&mut self, start: u64, bytes: Vec<u8>) {
        self.pieces.push((start, bytes));
    }

    /// METADATA, or the next range of `block` bytes to fetch.
    pub(crate) fn metadata(&mut self, block: u64) -> anyhow::Result<MetadataStep> {
        self.lacking = None;
        let read = read_metadata(self);
        match (read, self.lacking) {
            (Ok(text), _) => Ok(MetadataStep::Metadata(text)),
            (Err(_), Some(at)) => {
                // The end of the file is where a wheel's directory is.
                let start = at.min(self.len.saturating_sub(block));
                Ok(MetadataStep::Need(start..(start + block).min(self.len)))
            }
            (Err(error), None) => Err(error),
        }
    }
}

fn read_metadata(file: &mut PartialFile) -> anyhow::Result<Vec<u8>> {
    let mut archive = ZipArchive::new(file)?;
    let names = archive.file_names().filter_map(Result::ok);
    let name = names.map(String::from).find(|name| is_metadata(name)).context("it has no METADATA")?;
    let mut text = Vec::new();
    archive.by_name(&name)?.read_to_end(&mut text)?;
    Ok(text)
}

fn is_metadata(name: &str) -> bool {
    name.split_once('/').is_some_and(|(folder, file)| folder.ends_with(".dist-info") && file == "METADATA")
}

impl Read for PartialFile {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if self.at >= self.len || into.is_empty() {
            return Ok(0);
        }
        for (start, bytes) in &self.pieces {
            if let Some(rest) = self.at.checked_sub(*start).and_then(|skip| bytes.get(skip as usize..))
                && !rest.is_empty()
            {
                let count = rest.len().min(into.len());
                into[..count].copy_from_slice(&rest[..count]);
                self.at += count as u64;
                return Ok(count);
            }
        }
        self.lacking = Some(self.at);
        Err(Error::other("not here yet"))
    }
}

impl Seek for PartialFile {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let at = match to {
            SeekFrom::Start(at) => Some(at),
            SeekFrom::End(by) => self.len.checked_add_signed(by),
            SeekFrom::Current(by) => self.at.checked_add_signed(by),
        };
        self.at = at.ok_or_else(|| Error::other("a place before the beginning"))?;
        Ok(self.at)
    }
}

/// The bytes `range` of a stand-in for the wheel at `path`: a file of `len` bytes, most of them zero, that ends with
/// an archive of `metadata` alone. `None` where the archive is longer than `len`.
pub(crate) fn stand_in(path: &str, metadata: &[u8], len: u64, range: Range<u64>) -> Option<Vec<u8>> {
    let entries = [ZipEntry::new(&metadata_name(path)?, metadata)];
    let start = len.checked_sub(zip(&entries).len() as u64)?;
    // The same length again, with offsets from the beginning of the file.
    let archive = zip_at(u32::try_from(start).ok()?, &entries);
    let byte = |at: u64| at.checked_sub(start).map_or(0, |at| archive[at as usize]);
    Some(range.map(byte).collect())
}

/// The name of METADATA inside the wheel at `path`.
fn metadata_name(path: &str) -> Option<String> {
    let file = path.rsplit('/').next()?;
    let file = percent_encoding::percent_decode_str(file).decode_utf8_lossy();
    let mut words = file.split('-');
    let (name, version) = (words.next()?, words.next()?);
    Some(format!("{name}-{version}.dist-info/METADATA"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stand_in_is_read_from_its_end() {
        let (path, text) = ("0/p/a_b-1.0-py3-none-any.whl", b"Name: a-b\n".repeat(50));
        let len = 1_000_000;
        let mut sparse = PartialFile::new(len);
        let mut asked = Vec::new();
        let read = loop {
            match sparse.metadata(4_096).expect("an archive") {
                MetadataStep::Metadata(text) => break text,
                MetadataStep::Need(range) => {
                    let bytes = stand_in(path, &text, len, range.clone()).expect("room");
                    assert_eq!(bytes.len() as u64, range.end - range.start);
                    sparse.give(range.start, bytes);
                    asked.push((range.start, range.end));
                }
            }
        };
        assert_eq!(read, text);
        assert_eq!(asked, vec![(len - 4_096, len)]);
        assert!(stand_in(path, &text, 10, 0..10).is_none());
    }
}
