//! Whether a text is as pinfast wrote it.
//!
//! The digest is the SHA-256 of the whole text, header and body, without its own line. It guards
//! against an edit by hand or a bad merge, not against an attacker, who can compute it too: hashes do
//! that. A byte-order mark and CRLF line ends are what checkouts and editors do, and no edit.

use std::borrow::Cow;

use crate::spec::Sha256;

use super::{Annotations, FORMAT, WriteOptions, header, read};

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
    NotOurs,
    /// A newer pinfast wrote it, in this format.
    NewerFormat(u32),
}

/// Whether `text` is as pinfast wrote it. No problem of `text` is an error here.
#[must_use]
pub fn integrity(text: &str) -> Integrity {
    let text = &*normalised(text);
    let Some(found) = header::read(text) else { return Integrity::NotOurs };
    if found.format > FORMAT {
        return Integrity::NewerFormat(found.format);
    }
    match found.digest {
        Some(digest) if digest == digest_of(text) => Integrity::Intact,
        _ => Integrity::Edited { line: first_strange_line(text) },
    }
}

/// The text of a lock with its digest in place. `header` lacks the digest's line alone.
pub(super) fn seal(header: &str, body: &str) -> String {
    let digest = digest_of(&format!("{header}\n{body}"));
    format!("{header}{}{digest}\n\n{body}", header::DIGEST)
}

/// `text` without what checkouts and editors do to it.
pub(super) fn normalised(text: &str) -> Cow<'_, str> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    if text.contains('\r') { Cow::Owned(text.replace("\r\n", "\n")) } else { Cow::Borrowed(text) }
}

fn digest_of(text: &str) -> Sha256 {
    let own = text
        .split_inclusive('\n')
        .scan(0, |end, line| {
            let start = *end;
            *end += line.len();
            line.starts_with('#').then_some((start, *end, line))
        })
        .find(|(_, _, line)| line.starts_with(header::DIGEST));
    match own {
        Some((start, end, _)) => Sha256::of([&text[..start], &text[end..]].concat().as_bytes()),
        None => Sha256::of(text.as_bytes()),
    }
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
