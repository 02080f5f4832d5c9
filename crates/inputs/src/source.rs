//! The text of an input: byte offsets <-> lines and columns, and characters that know their place.

use std::ops::Range;
use std::sync::Arc;

use pinfast_packaging::Location;

/// The byte order mark that some editors put before the first line.
const BOM: char = '\u{feff}';

/// An input's text.
pub(super) struct InputText {
    /// The file as the user named it.
    pub(super) file: Arc<str>,
    /// The whole text, with its byte order mark if it has one.
    pub(super) text: String,
    /// Where each line starts; a byte order mark belongs to no line.
    lines: Vec<usize>,
    /// How many characters begin before each block of bytes: a column in a line of megabytes is found without counting
    /// from the start of the line.
    counts: Vec<usize>,
}

/// The bytes of a block.
const BLOCK: usize = 4096;

/// A character of an input and the bytes of the file that it stands for: its own, an escape sequence's,
/// or a whole `${VARIABLE}`'s.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct SourceChar {
    pub(super) ch: char,
    pub(super) start: usize,
    pub(super) end: usize,
}

impl InputText {
    pub(super) fn new(file: impl Into<Arc<str>>, text: String) -> Self {
        let first = if text.starts_with(BOM) { BOM.len_utf8() } else { 0 };
        let bytes = text.as_bytes();
        let ends = bytes.iter().enumerate().filter(|&(at, byte)| match byte {
            b'\n' => true,
            b'\r' => bytes.get(at + 1) != Some(&b'\n'),
            _ => false,
        });
        let lines = std::iter::once(first).chain(ends.map(|(at, _)| at + 1)).collect();
        let counts = bytes.chunks(BLOCK).scan(0, |count, block| {
            let before = *count;
            *count += characters(block);
            Some(before)
        });
        let counts = counts.collect();
        Self { file: file.into(), lines, counts, text }
    }

    /// How many characters begin before `offset`.
    fn count(&self, offset: usize) -> usize {
        let offset = offset.min(self.text.len());
        let block = (offset / BLOCK).min(self.counts.len().saturating_sub(1));
        self.counts
            .get(block)
            .map_or(0, |count| count + characters(&self.text.as_bytes()[block * BLOCK..offset]))
    }

    /// The text without its byte order mark, and where that starts.
    pub(super) fn body(&self) -> (&str, usize) {
        (&self.text[self.lines[0]..], self.lines[0])
    }

    /// The bytes of a line (from 0), without its end.
    pub(super) fn line(&self, line: usize) -> Range<usize> {
        let whole = self.line_with_end(line);
        let text = &self.text[whole.clone()];
        whole.start..whole.start + text.trim_end_matches(['\n', '\r']).len()
    }

    /// The bytes of a line (from 0), with its end.
    pub(super) fn line_with_end(&self, line: usize) -> Range<usize> {
        self.lines[line]..self.lines.get(line + 1).copied().unwrap_or(self.text.len())
    }

    /// The line (from 0) in which the byte at `offset` stands.
    pub(super) fn line_at(&self, offset: usize) -> usize {
        self.lines.partition_point(|&start| start <= offset).saturating_sub(1)
    }

    /// The place of the byte at `offset`.
    pub(super) fn location(&self, offset: usize) -> Location {
        let line = self.line_at(offset);
        let start = self.lines[line];
        let before = match self.text.as_bytes().get(start..offset) {
            Some(near) if near.len() < BLOCK => characters(near),
            _ => self.count(offset).saturating_sub(self.count(start)),
        };
        Location::new(Arc::clone(&self.file), narrow(line + 1), narrow(before + 1))
    }

    /// The byte offset of a place, if the text has it.
    pub(super) fn offset(&self, at: &Location) -> Option<usize> {
        let line = usize::try_from(at.line).ok()?.checked_sub(1)?;
        let column = usize::try_from(at.column).ok()?.checked_sub(1)?;
        if line >= self.lines.len() {
            return None;
        }
        let range = self.line(line);
        let text = &self.text[range.clone()];
        let inside = text.char_indices().map(|(at, _)| at).chain([text.len()]).nth(column)?;
        Some(range.start + inside)
    }

    /// The characters of some bytes.
    pub(super) fn chars(&self, range: Range<usize>) -> impl Iterator<Item = SourceChar> {
        let from = range.start;
        self.text[range].char_indices().map(move |(at, ch)| SourceChar {
            ch,
            start: from + at,
            end: from + at + ch.len_utf8(),
        })
    }
}

/// The text of some characters.
pub(super) fn text_of(chars: &[SourceChar]) -> String {
    chars.iter().map(|char| char.ch).collect()
}

/// Without white space at both ends.
pub(super) fn trimmed(mut chars: &[SourceChar]) -> &[SourceChar] {
    while let [first, rest @ ..] = chars
        && first.ch.is_whitespace()
    {
        chars = rest;
    }
    while let [rest @ .., last] = chars
        && last.ch.is_whitespace()
    {
        chars = rest;
    }
    chars
}

/// The bytes of the file behind the characters `start..start + len` of `chars`. Past the end, it is the empty range
/// behind the last character.
pub(super) fn span(chars: &[SourceChar], start: usize, len: usize) -> Range<usize> {
    let end = chars.last().map_or(0, |last| last.end);
    let Some(first) = chars.get(start) else { return end..end };
    let last = start.saturating_add(len.max(1)).min(chars.len()) - 1;
    first.start..chars[last].end.max(first.end)
}

/// How many characters begin in some bytes of UTF-8: each byte but continuation bytes (`10xxxxxx`) begins one.
fn characters(bytes: &[u8]) -> usize {
    bytes.iter().filter(|&&byte| byte & 0xC0 != 0x80).count()
}

fn narrow(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_end_in_any_of_the_three_ways_and_a_bom_has_no_column() {
        let source = InputText::new("f", "\u{feff}ab\r\ncä\rx\n".to_owned());
        let lines: Vec<_> = (0..source.lines.len()).map(|line| &source.text[source.line(line)]).collect();
        assert_eq!(lines, ["ab", "cä", "x", ""]);
        for (offset, line, column) in [(3, 1, 1), (4, 1, 2), (7, 2, 1), (8, 2, 2), (10, 2, 3), (11, 3, 1)] {
            let at = Location::new("f", line, column);
            assert_eq!(source.location(offset), at);
            assert_eq!(source.offset(&at), Some(offset));
        }
        assert_eq!(source.location(0), Location::new("f", 1, 1));
        for (line, column) in [(0, 1), (1, 0), (9, 1), (1, 99)] {
            assert_eq!(source.offset(&Location::new("f", line, column)), None);
        }
    }

    #[test]
    fn columns_of_a_long_line_are_counted_in_characters() {
        let source = InputText::new("f", format!("x\n{}", "aä".repeat(10_000)));
        for (offset, column) in [(2, 1), (3, 2), (5, 3), (2 + 3 * 4_000, 8_001), (30_002, 20_001)] {
            assert_eq!(source.location(offset), Location::new("f", 2, column));
            assert_eq!(source.offset(&Location::new("f", 2, column)), Some(offset));
        }
    }

    #[test]
    fn spans_stay_inside() {
        let source = InputText::new("f", "abc".to_owned());
        let chars: Vec<_> = source.chars(0..3).collect();
        assert_eq!(span(&chars, 1, 1), 1..2);
        assert_eq!(span(&chars, 1, usize::MAX), 1..3);
        assert_eq!(span(&chars, 7, 1), 3..3);
        assert_eq!(span(&[], 0, 1), 0..0);
    }
}
