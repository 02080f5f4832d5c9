//! Whether a requirements file is, byte for byte, as pinfast wrote it.

use super::{Annotations, WriteOptions, header, read};
use crate::digest::{digest_of, normalized};
use crate::{FORMAT, Integrity};

/// Whether `text` is as pinfast wrote it. Problems of `text` are no error here.
#[must_use]
pub fn integrity(text: &str) -> Integrity {
    let text = &*normalized(text);
    let Some(stamp) = header::read_stamp(text) else { return Integrity::Foreign };
    if stamp.format > FORMAT {
        return Integrity::NewerFormat(stamp.format);
    }
    match stamp.digest {
        Some(digest) if digest == digest_of(text, header::DIGEST) => Integrity::Intact,
        _ => Integrity::Edited { line: first_edited_line(text) },
    }
}

/// The first line that differs when `text` is read and written again.
fn first_edited_line(text: &str) -> Option<u32> {
    let lock = read::read_lock(text);
    let annotated = lock.pins.iter().any(|pin| !pin.via.is_empty());
    let annotations = if annotated { Annotations::Via } else { Annotations::Off };
    let rewritten = lock.write(&WriteOptions { annotations, ..WriteOptions::default() });
    let mut lines = comparable(text);
    let mut rewritten = comparable(&rewritten);
    loop {
        match (lines.next(), rewritten.next()) {
            (None, _) => return None,
            (Some((_, line)), Some((_, again))) if line == again => {}
            (Some((number, _)), _) => return Some(number),
        }
    }
}

/// The lines without the digest and without the second, the command: it holds the name of the output, which `text`
/// does not tell.
fn comparable(text: &str) -> impl Iterator<Item = (u32, &str)> {
    (1..).zip(text.lines()).filter(|(number, line)| *number != 2 && !line.starts_with(header::DIGEST))
}
