//! A table of texts: one text with a line for each.

use std::fmt::Write as _;

use crate::text::BorrowedText;

/// A text and the ends of its lines.
pub(super) struct LineTable {
    text: String,
    ends: Vec<u32>,
}

impl LineTable {
    /// The lines of `text`, each ended by `\n`.
    pub(super) fn new(text: &str) -> Self {
        let ends = text.bytes().zip(0..).filter(|(byte, _)| *byte == b'\n').map(|(_, at)| at);
        Self { text: text.to_owned(), ends: ends.collect() }
    }

    pub(super) fn len(&self) -> usize {
        self.ends.len()
    }

    pub(super) fn line(&self, number: usize) -> &str {
        let start = number.checked_sub(1).map_or(0, |before| self.ends[before] as usize + 1);
        &self.text[start..self.ends[number] as usize]
    }
}

/// A text with a line for each item.
///
/// # Errors
/// When an item has a line break itself.
pub(super) fn join_lines<T: std::fmt::Display>(
    items: impl Iterator<Item = T>,
) -> postcard::Result<BorrowedText<'static>> {
    let mut text = String::new();
    for item in items {
        let start = text.len();
        // Writing to a `String` does not fail.
        let _ = write!(text, "{item}");
        if text[start..].contains('\n') {
            return Err(postcard::Error::SerdeSerCustom);
        }
        text.push('\n');
    }
    Ok(text.into())
}
