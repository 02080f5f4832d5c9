//! An sdist -> its raw metadata, without a build: PKG-INFO (PEP 643) and pyproject.toml (PEP 621).
//!
//! The archive is hostile: how much of it is decompressed, and how many members are read, is limited.

use std::fs::File;
use std::io::{self, Read};

use super::raw::RawMetadata;
use pinfast_packaging::SdistFormat;

/// The most bytes that are decompressed while looking for the metadata.
const MOST_UNPACKED: u64 = 4 << 30;
/// The most members that are read while looking for it.
const MOST_MEMBERS: usize = 1_000_000;

/// The relevant files of an sdist.
#[derive(Default)]
struct SdistFiles {
    pkg_info: Option<Vec<u8>>,
    pyproject: Option<Vec<u8>>,
}

/// The raw metadata of the sdist `file`; its PKG-INFO and pyproject.toml may have `most` bytes each.
///
/// # Errors
/// Why the sdist is unusable: a sentence without a full stop.
pub(crate) fn read_sdist(file: File, format: SdistFormat, most: u64) -> Result<RawMetadata, String> {
    let files = match format {
        SdistFormat::TarGz => in_tar(file, most),
        SdistFormat::Zip => in_zip(file, most),
    };
    let SdistFiles { pkg_info, pyproject } =
        files.map_err(|error| format!("its archive is broken: {error}"))?;
    Ok(RawMetadata::of_sdist(pkg_info, pyproject))
}

fn in_tar(file: File, most: u64) -> io::Result<SdistFiles> {
    // A limit here stops decompression bombs that consist of irrelevant members.
    let plain = flate2::read::MultiGzDecoder::new(io::BufReader::new(file)).take(MOST_UNPACKED);
    let mut archive = tar::Archive::new(plain);
    let mut files = SdistFiles::default();
    for entry in archive.entries()?.take(MOST_MEMBERS) {
        let mut entry = entry?;
        let slot = match entry.header().entry_type() {
            tar::EntryType::Regular => files.slot(&entry.path_bytes()),
            _ => None,
        };
        if let Some(slot) = slot {
            *slot = Some(read_bounded(&mut entry, most)?);
        }
        // The rest, mostly code, need not be decompressed.
        if files.pkg_info.is_some() && files.pyproject.is_some() {
            break;
        }
    }
    Ok(files)
}

fn in_zip(file: File, most: u64) -> io::Result<SdistFiles> {
    let mut archive = zip::ZipArchive::new(io::BufReader::new(file)).map_err(io::Error::other)?;
    let mut files = SdistFiles::default();
    // No early end as above: only the two wanted members are decompressed.
    for index in 0..archive.len().min(MOST_MEMBERS) {
        let mut member = archive.by_index(index).map_err(io::Error::other)?;
        let path = member.name().map_err(io::Error::other)?.as_bytes().to_vec();
        if let Some(slot) = files.slot(&path) {
            *slot = Some(read_bounded(&mut member, most)?);
        }
    }
    Ok(files)
}

/// Reads at most `most` bytes.
fn read_bounded(reader: &mut impl Read, most: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    reader.take(most + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > most {
        return Err(io::Error::other(format!("its metadata has more than {most} bytes")));
    }
    Ok(bytes)
}

impl SdistFiles {
    /// The field for the file at `path`: only files directly in the archive's top folder are relevant.
    fn slot(&mut self, path: &[u8]) -> Option<&mut Option<Vec<u8>>> {
        // Some tools write `./NAME-VERSION/PKG-INFO`.
        let path = path.strip_prefix(b"./").unwrap_or(path);
        let mut parts = path.split(|byte| *byte == b'/');
        let (folder, file, rest) = (parts.next()?, parts.next()?, parts.next());
        match (folder.is_empty(), file, rest) {
            (false, b"PKG-INFO", None) => Some(&mut self.pkg_info),
            (false, b"pyproject.toml", None) => Some(&mut self.pyproject),
            _ => None,
        }
    }
}
