//! Byte offsets of a text -> lines and columns.

use std::ops::Range;
use std::sync::Arc;

use pinfast_packaging::{Location, SourceSpan};

/// A text and where its lines start.
pub(crate) struct LineIndex<'a> {
    text: &'a str,
    file: Arc<str>,
    starts: Vec<usize>,
}

impl<'a> LineIndex<'a> {
    pub(crate) fn new(text: &'a str, file: &str) -> Self {
        let starts = std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect();
        Self { text, file: file.into(), starts }
    }

    /// Where the bytes `range` stand; a range over several lines is cut at the end of the first.
    pub(crate) fn span(&self, range: Range<usize>) -> SourceSpan<'a> {
        let number = self.starts.partition_point(|start| *start <= range.start);
        let start = self.starts[number.max(1) - 1];
        let line = self.text[start..].lines().next().unwrap_or_default();
        let bytes =
            range.start - start..range.end.max(range.start).min(start + line.len()).max(range.start) - start;
        let before = line.get(..bytes.start).map_or(0, |before| before.chars().count());
        let narrow = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
        let at = Location::new(Arc::clone(&self.file), narrow(number), narrow(before).saturating_add(1));
        SourceSpan { at, line, bytes }
    }
}
