//! Zip archives (PKWARE's APPNOTE, without zip64), written by hand so that every header may lie.

use std::io::Write as _;

use flate2::Compression;
use flate2::write::DeflateEncoder;

/// A file in an archive. Every field may lie.
#[derive(Clone, Debug)]
pub struct ZipEntry {
    /// The name in the central directory.
    pub name: Vec<u8>,
    /// The name in the local header, where it differs.
    pub local_name: Option<Vec<u8>>,
    /// The content before compression.
    pub content: Vec<u8>,
    /// The Unix mode, with the kind of file.
    pub mode: u32,
    /// General purpose bits: 0 is "encrypted", 11 is "the name is UTF-8".
    pub flags: u16,
    /// The compression method: 8 is deflate. With any other, the content is stored uncompressed.
    pub method: u16,
    /// The size in the headers, where it is not that of the content.
    pub declared_size: Option<u32>,
    /// The CRC-32 in the headers, where it is not that of the content.
    pub crc: Option<u32>,
}

/// Bit 11 of the flags: the name is UTF-8.
const UTF8: u16 = 1 << 11;
const DEFLATE: u16 = 8;
/// 2.0, the version of the format that deflate needs.
const VERSION: u16 = 20;
/// 1980-01-01, the earliest date of the format.
const DATE: u16 = 0x21;

impl ZipEntry {
    /// A sound entry: a deflated file that its owner may write.
    #[must_use]
    pub fn new(name: &str, content: impl Into<Vec<u8>>) -> Self {
        Self {
            name: name.into(),
            local_name: None,
            content: content.into(),
            mode: 0o100_644,
            flags: if name.is_ascii() { 0 } else { UTF8 },
            method: DEFLATE,
            declared_size: None,
            crc: None,
        }
    }

    /// With this Unix mode.
    #[must_use]
    pub fn mode(self, mode: u32) -> Self {
        Self { mode, ..self }
    }

    fn data(&self) -> Vec<u8> {
        if self.method != DEFLATE {
            return self.content.clone();
        }
        let mut encoder = DeflateEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(&self.content).unwrap();
        encoder.finish().unwrap()
    }

    /// The fields that the local header and the central directory share.
    fn write_header(&self, out: &mut Vec<u8>, name: &[u8], compressed: usize) {
        let mut crc = flate2::Crc::new();
        crc.update(&self.content);
        for field in [VERSION, self.flags, self.method, 0, DATE] {
            out.extend(field.to_le_bytes());
        }
        let size = self.declared_size.unwrap_or(self.content.len() as u32);
        for field in [self.crc.unwrap_or(crc.sum()), compressed as u32, size] {
            out.extend(field.to_le_bytes());
        }
        out.extend((name.len() as u16).to_le_bytes());
        out.extend(0_u16.to_le_bytes());
    }
}

/// An archive of these entries.
#[must_use]
pub fn zip(entries: &[ZipEntry]) -> Vec<u8> {
    zip_at(0, entries)
}

/// An archive of sound files, each a name and its content.
#[must_use]
pub fn zip_of(files: &[(&str, &[u8])]) -> Vec<u8> {
    zip(&files.iter().map(|(name, content)| ZipEntry::new(name, *content)).collect::<Vec<_>>())
}

/// An archive of these entries that is right when `start` other bytes stand before it in the file.
#[must_use]
pub fn zip_at(start: u32, entries: &[ZipEntry]) -> Vec<u8> {
    let (mut out, mut directory) = (Vec::new(), Vec::new());
    for entry in entries {
        let (offset, data) = (start + out.len() as u32, entry.data());
        let local_name = entry.local_name.as_ref().unwrap_or(&entry.name);
        out.extend(b"PK\x03\x04");
        entry.write_header(&mut out, local_name, data.len());
        out.extend(local_name);
        out.extend(&data);
        directory.extend(b"PK\x01\x02");
        // 3 is Unix: the upper half of the external attributes is a mode.
        directory.extend((3_u16 << 8 | VERSION).to_le_bytes());
        entry.write_header(&mut directory, &entry.name, data.len());
        directory.extend([0; 6]);
        directory.extend((entry.mode << 16).to_le_bytes());
        directory.extend(offset.to_le_bytes());
        directory.extend(&entry.name);
    }
    let (directory_start, count) = (start + out.len() as u32, entries.len() as u16);
    out.extend(&directory);
    out.extend(b"PK\x05\x06\0\0\0\0");
    out.extend(count.to_le_bytes());
    out.extend(count.to_le_bytes());
    out.extend((directory.len() as u32).to_le_bytes());
    out.extend(directory_start.to_le_bytes());
    out.extend([0; 2]);
    out
}
