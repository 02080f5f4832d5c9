//! Wheels read in pieces: METADATA out of a remote one, and a stand-in that holds no more than METADATA.

use std::io::{self, Cursor, Error, Read, Seek, SeekFrom, Write as _};
use std::ops::Range;

use anyhow::Context as _;
use zip::write::SimpleFileOptions;
use zip::{ZipArchive, ZipWriter};

/// A file of which only some pieces are here.
pub(crate) struct Sparse {
    len: u64,
    pieces: Vec<(u64, Vec<u8>)>,
    at: u64,
    /// Where something was read that is not here.
    lacking: Option<u64>,
}

/// What reading a wheel came to.
pub(crate) enum Step {
    Metadata(Vec<u8>),
    /// These bytes are needed first.
    Need(Range<u64>),
}

impl Sparse {
    pub(crate) fn new(len: u64) -> Self {
        Self { len, pieces: Vec::new(), at: 0, lacking: None }
    }

    pub(crate) fn give(&mut self, start: u64, bytes: Vec<u8>) {
        self.pieces.push((start, bytes));
    }

    /// METADATA, or what is needed to read it, in pieces of `block` bytes.
    pub(crate) fn metadata(&mut self, block: u64) -> anyhow::Result<Step> {
        self.lacking = None;
        let read = read_metadata(self);
        match (read, self.lacking) {
            (Ok(text), _) => Ok(Step::Metadata(text)),
            (Err(_), Some(at)) => {
                // The end of the file is where a wheel's directory is.
                let start = at.min(self.len.saturating_sub(block));
                Ok(Step::Need(start..(start + block).min(self.len)))
            }
            (Err(error), None) => Err(error),
        }
    }
}

fn read_metadata(file: &mut Sparse) -> anyhow::Result<Vec<u8>> {
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

impl Read for Sparse {
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

impl Seek for Sparse {
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

/// The bytes `range` of a stand-in for the wheel at `path`: `len` bytes, most of them zero, at whose end is
/// an archive with `metadata`. `None` where `len` has no room for that.
pub(crate) fn stand_in(path: &str, metadata: &[u8], len: u64, range: Range<u64>) -> Option<Vec<u8>> {
    let archive = archive(path, metadata, len)?;
    let pad = len - archive.len() as u64;
    let byte = |at: u64| at.checked_sub(pad).map_or(0, |at| archive[at as usize]);
    Some(range.map(byte).collect())
}

/// An archive with `metadata` that stands at the end of a file of `len` bytes.
fn archive(path: &str, metadata: &[u8], len: u64) -> Option<Vec<u8>> {
    let file = path.rsplit('/').next()?;
    let file = percent_encoding::percent_decode_str(file).decode_utf8_lossy();
    let mut words = file.split('-');
    let (name, version) = (words.next()?, words.next()?);
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    writer
        .start_file(format!("{name}-{version}.dist-info/METADATA"), SimpleFileOptions::default())
        .and_then(|()| Ok(writer.write_all(metadata)?))
        .ok()?;
    let mut archive = writer.finish().ok()?.into_inner();
    let pad = u32::try_from(len.checked_sub(archive.len() as u64)?).ok()?;
    // The archive's places count from the beginning of the file: of its directory, and of its one entry.
    let end = archive.len() - 22;
    let directory = number(&archive, end + 16)?;
    move_by(&mut archive, end + 16, pad)?;
    move_by(&mut archive, directory as usize + 42, pad)?;
    Some(archive)
}

fn number(archive: &[u8], at: usize) -> Option<u32> {
    archive.get(at..at + 4)?.try_into().ok().map(u32::from_le_bytes)
}

fn move_by(archive: &mut [u8], at: usize, by: u32) -> Option<()> {
    let moved = number(archive, at)?.checked_add(by)?;
    archive[at..at + 4].copy_from_slice(&moved.to_le_bytes());
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stand_in_is_read_from_its_end() {
        let (path, text) = ("0/p/a_b-1.0-py3-none-any.whl", b"Name: a-b\n".repeat(50));
        let len = 1_000_000;
        let mut sparse = Sparse::new(len);
        let mut asked = Vec::new();
        let read = loop {
            match sparse.metadata(4_096).expect("an archive") {
                Step::Metadata(text) => break text,
                Step::Need(range) => {
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
