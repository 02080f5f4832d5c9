//! Whether a text is as pinfast wrote it.
//!
//! The digest is the SHA-256 of the whole text, header and body, without its own line. It guards
//! against an edit by hand or a bad merge, not against an attacker, who can compute it too: hashes do
//! that. A byte-order mark and CRLF line ends are what checkouts and editors do, and no edit.

use std::borrow::Cow;

use pinfast_packaging::Sha256;

use super::{Annotations, WriteOptions, header, read};
use crate::FORMAT;

/// Whether a text is as pinfast wrote it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Integrity {
    /// Every byte.
    Intact,
    /// It was changed since.
    Edited {
        /// The first line that pinfast would never write so; `None` where each line could be its own: a
        /// version, a hash or a marker was changed, or whole lines came or went.
        line: Option<u32>,
    },
    /// Another tool wrote it.
    Foreign,
    /// A newer pinfast wrote it, in this format.
    NewerFormat(u32),
}

/// Whether `text` is as pinfast wrote it. No problem of `text` is an error here.
#[must_use]
pub fn integrity(text: &str) -> Integrity {
    let text = &*normalised(text);
    let Some(found) = header::seal(text) else { return Integrity::Foreign };
    if found.format > FORMAT {
        return Integrity::NewerFormat(found.format);
    }
    match found.digest {
        Some(digest) if digest == digest_of(text, header::DIGEST) => Integrity::Intact,
        _ => Integrity::Edited { line: first_strange_line(text) },
    }
}

/// The text of a lock with the line of its digest, `key` + hash + `end`, between `before` and `after`.
pub(crate) fn seal(before: &str, key: &str, end: &str, after: &str) -> String {
    let digest = Sha256::of_parts([before, after]);
    format!("{before}{key}{digest}{end}{after}")
}

/// `text` without what checkouts and editors do to it.
pub(crate) fn normalised(text: &str) -> Cow<'_, str> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    if text.contains('\r') { Cow::Owned(text.replace("\r\n", "\n")) } else { Cow::Borrowed(text) }
}

/// The digest of `text` (normalised) without its own line: the first that begins with `key`.
pub(crate) fn digest_of(text: &str, key: &str) -> Sha256 {
    let start = if text.starts_with(key) { Some(0) } else { text.find(&format!("\n{key}")).map(|at| at + 1) };
    let Some(start) = start else { return Sha256::of(text.as_bytes()) };
    let end = text[start..].find('\n').map_or(text.len(), |length| start + length + 1);
    Sha256::of_parts([&text[..start], &text[end..]])
}

/// The first line in which `text` differs from what the writer makes of what `text` says.
fn first_strange_line(text: &str) -> Option<u32> {
    let lock = read::lock_of(text);
    let annotated = lock.pins.iter().any(|pin| !pin.via.is_empty());
    let annotations = if annotated { Annotations::Via } else { Annotations::Off };
    let ours = lock.write(&WriteOptions { annotations, ..WriteOptions::default() });
    let mut lines = comparable(text);
    let mut ours = comparable(&ours);
    loop {
        match (lines.next(), ours.next()) {
            (None, _) => return None,
            (Some((_, line)), Some((_, our))) if line == our => {}
            (Some((number, _)), _) => return Some(number),
        }
    }
}

/// The lines without the digest and the command, which holds the output's name.
fn comparable(text: &str) -> impl Iterator<Item = (u32, &str)> {
    (1..).zip(text.lines()).filter(|(number, line)| *number != 2 && !line.starts_with(header::DIGEST))
}
