//! The logical lines of an input, as characters that know their place.

use std::ops::Range;

use super::source::{InputText, SourceChar, trimmed};
use pinfast_packaging::{LineEnds, LogicalLines, ScannedLine};

/// A requirement or an option: continuations joined, without comment.
#[derive(Debug)]
pub(super) struct InputLogicalLine {
    /// Its characters, without white space at the ends.
    pub(super) chars: Vec<SourceChar>,
    /// Its physical lines, from 0.
    pub(super) lines: Range<usize>,
    /// The bytes below that its comment hides, since a backslash ends the comment.
    pub(super) swallowed: Option<Range<usize>>,
}

/// The logical lines of `source`.
pub(super) fn logical_lines(source: &InputText) -> impl Iterator<Item = InputLogicalLine> {
    let (text, base) = source.body();
    let mut lines = LogicalLines::new(text, 1, LineEnds::Universal);
    std::iter::from_fn(move || {
        loop {
            let ScannedLine::Logical(line) = lines.next()? else { continue };
            let chars = line.chars().map(|(offset, ch)| SourceChar {
                ch,
                start: base + offset,
                end: base + offset + ch.len_utf8(),
            });
            let chars: Vec<_> = chars.collect();
            let from_zero = |number: u32| number.saturating_sub(1) as usize;
            let numbers = line.numbers();
            return Some(InputLogicalLine {
                chars: trimmed(&chars).to_vec(),
                lines: from_zero(numbers.start)..from_zero(numbers.end),
                swallowed: line.swallowed().map(|bytes| base + bytes.start..base + bytes.end),
            });
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::text_of;

    fn lines(text: &str) -> Vec<(String, Range<usize>)> {
        let source = InputText::new("f", text.to_owned());
        logical_lines(&source).map(|line| (text_of(&line.chars), line.lines)).collect()
    }

    #[test]
    fn lines_are_joined_then_comments_come_off() {
        for (text, expected) in [
            ("", vec![]),
            ("\n \t\n# only\n", vec![]),
            ("a\n\n b \r\n", vec![("a", 0..1), ("b", 2..3)]),
            ("a # note\nb#c\n", vec![("a", 0..1), ("b#c", 1..2)]),
            ("a \\\n  >=1\nb", vec![("a   >=1", 0..2), ("b", 2..3)]),
            ("a \\\n  # via b\nc", vec![("a", 0..2), ("c", 2..3)]),
            ("# note \\\na", vec![("a", 1..2)]),
            ("a \\", vec![("a", 0..1)]),
            ("a \\\n\nb", vec![("a", 0..2), ("b", 2..3)]),
            ("a\\\\\nb", vec![("ab", 0..2)]),
            ("a \\ \nb", vec![("a \\", 0..1), ("b", 1..2)]),
        ] {
            let expected: Vec<_> =
                expected.into_iter().map(|(text, lines)| (text.to_owned(), lines)).collect();
            assert_eq!(lines(text), expected, "{text:?}");
        }
    }

    #[test]
    fn a_comment_that_ends_in_a_backslash_swallows_the_line_below() {
        let source = InputText::new("f", "a # note \\\nb\nc".to_owned());
        let lines: Vec<_> = logical_lines(&source).collect();
        assert_eq!(text_of(&lines[0].chars), "a");
        assert_eq!(lines[0].swallowed, Some(11..12));
        assert_eq!(lines[1].swallowed, None);
    }
}
