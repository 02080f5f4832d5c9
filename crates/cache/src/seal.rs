//! The seal of a record: a magic word with the format counter, the SHA-256 of the contents, the contents.

use std::fs::File;
use std::io::{self, Read as _};

use pinfast_packaging::Sha256;

use super::record::{CacheRecord, Contents, ReadError};

/// The length of what precedes the contents.
const HEADER: usize = 8 + 32;

/// The most that is read of one sealed file, in bytes. The manifest of the largest wheels is a few MB.
const LIMIT: u64 = 256 << 20;

/// Writes the sealed record. Its contents are these `parts`, one after the other.
pub(super) fn write(
    parts: &[&[u8]],
    magic: &[u8; 8],
    mut write: impl FnMut(&[u8]) -> io::Result<()>,
) -> io::Result<()> {
    let contents = parts.concat();
    write(magic)?;
    write(&Sha256::of(&contents).0)?;
    write(&contents)
}

/// Reads the sealed record in `file`.
///
/// # Errors
/// `Damaged` for another magic word, hence for another format, and for another hash.
pub(super) fn read(file: File, magic: &[u8; 8]) -> Result<CacheRecord, ReadError> {
    let mut bytes = Vec::new();
    file.take(LIMIT).read_to_end(&mut bytes)?;
    let sealed = bytes.strip_prefix(magic).and_then(|rest| rest.split_at_checked(32));
    let (hash, contents) = sealed.ok_or(ReadError::Damaged("it does not begin with its magic word"))?;
    if Sha256::of(contents).0 != hash {
        return Err(ReadError::Damaged("its checksum does not match"));
    }
    // No stamp: nobody keeps what was read from a sealed record.
    Ok(CacheRecord::new(Contents::Read { bytes, header: HEADER }, None))
}
