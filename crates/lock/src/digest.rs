//! The digest of a lock: SHA-256 over the whole text, header and body, without the line of the digest itself.
//!
//! It guards against an edit by hand or a bad merge, not against an attacker, who can compute it too: the files'
//! hashes do that. A byte order mark and CRLF line ends come from checkouts and editors and count as no edit.

use std::borrow::Cow;

use pinfast_packaging::Sha256;

/// Whether a text is as pinfast wrote it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Integrity {
    /// Every byte.
    Intact,
    /// It was changed since.
    Edited {
        /// The first line that pinfast would write otherwise. `None` where pinfast could have written each line: a
        /// version, a hash or a marker was changed, or whole lines were added or removed.
        line: Option<u32>,
    },
    /// Another tool wrote it.
    Foreign,
    /// A newer pinfast wrote it, in this format.
    NewerFormat(u32),
}

/// `before`, the line of the digest (`key`, the digest of `before` and `after`, `end`), and `after`.
pub(crate) fn with_digest(before: &str, key: &str, end: &str, after: &str) -> String {
    let digest = Sha256::of_parts([before, after]);
    format!("{before}{key}{digest}{end}{after}")
}

/// `text` without byte order mark and with LF line ends.
pub(crate) fn normalized(text: &str) -> Cow<'_, str> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    if text.contains('\r') { Cow::Owned(text.replace("\r\n", "\n")) } else { Cow::Borrowed(text) }
}

/// The digest of `text` (normalized) without the line of its digest: the first that begins with `key`.
pub(crate) fn digest_of(text: &str, key: &str) -> Sha256 {
    let start = if text.starts_with(key) { Some(0) } else { text.find(&format!("\n{key}")).map(|at| at + 1) };
    let Some(start) = start else { return Sha256::of(text.as_bytes()) };
    let end = text[start..].find('\n').map_or(text.len(), |length| start + length + 1);
    Sha256::of_parts([&text[..start], &text[end..]])
}
