//! The frame of a record: a mark, its key, its length and its checksum, then the contents.

use std::io;

use flate2::Crc;

use super::Key;

const MARK: &[u8; 8] = b"pinfast\x01";
const HEAD: usize = 8 + 32 + 8 + 4;

/// Writes the record of `contents` under `key` in parts.
pub(super) fn wrap(
    contents: &[u8],
    key: &Key,
    mut write: impl FnMut(&[u8]) -> io::Result<()>,
) -> io::Result<()> {
    write(&head(contents, key))?;
    write(contents)
}

/// The contents of the record `bytes`, which should be the one under `key`.
///
/// # Errors
/// Why it cannot be believed.
pub(super) fn unwrap(mut bytes: Vec<u8>, key: &Key) -> Result<Vec<u8>, &'static str> {
    let (found, contents) = bytes.split_at_checked(HEAD).ok_or("it is cut")?;
    if found != head(contents, key) {
        return Err("its checksum does not match");
    }
    bytes.drain(..HEAD);
    Ok(bytes)
}

fn head(contents: &[u8], key: &Key) -> [u8; HEAD] {
    let mut checksum = Crc::new();
    checksum.update(contents);
    let mut head = [0; HEAD];
    let parts: [&[u8]; 4] =
        [MARK, &key.0.0, &(contents.len() as u64).to_le_bytes(), &checksum.sum().to_le_bytes()];
    let mut at = 0;
    for part in parts {
        head[at..at + part.len()].copy_from_slice(part);
        at += part.len();
    }
    head
}
