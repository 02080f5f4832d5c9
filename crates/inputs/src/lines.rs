//! The lines of a requirements file as pip reads them: continuations joined, then comments taken off.

use std::ops::Range;

use super::source::{Placed, Source, trimmed};

/// A line that says something: physical lines joined, without comment.
#[derive(Debug)]
pub(super) struct Logical {
    /// Its characters, without white space at the ends; never empty.
    pub(super) chars: Vec<Placed>,
    /// The physical lines, from 0, that it is made of.
    pub(super) lines: Range<usize>,
    /// What a comment that ends in a backslash took away from the lines below it.
    pub(super) swallowed: Option<Range<usize>>,
}

/// The lines of `source` that say something.
pub(super) fn logical_lines(source: &Source) -> impl Iterator<Item = Logical> {
    let mut next = 0;
    std::iter::from_fn(move || {
        while next < source.line_count() {
            let (chars, lines) = joined(source, next);
            next = lines.end;
            if let Some(line) = stripped(chars, lines) {
                return Some(line);
            }
        }
        None
    })
}

/// The line at `first` and those that continue it. A line that is only a comment ends a continuation.
fn joined(source: &Source, first: usize) -> (Vec<Placed>, Range<usize>) {
    let mut chars = Vec::new();
    for line in first..source.line_count() {
        let range = source.line(line);
        let text = &source.text[range.clone()];
        if text.trim_start().starts_with('#') {
            return (chars, first..line + 1);
        }
        let kept = text.trim_end_matches('\\').len();
        chars.extend(source.chars(range.start..range.start + kept));
        if kept == text.len() {
            return (chars, first..line + 1);
        }
    }
    (chars, first..source.line_count())
}

/// Takes the comment off.
fn stripped(mut chars: Vec<Placed>, lines: Range<usize>) -> Option<Logical> {
    let mut swallowed = None;
    if let Some(at) = comment(&chars) {
        swallowed = swallowed_by(&chars[at..]);
        chars.truncate(at);
    }
    let chars = trimmed(&chars).to_vec();
    (!chars.is_empty() || swallowed.is_some()).then_some(Logical { chars, lines, swallowed })
}

/// Where a comment starts: a `#` at the start or behind white space.
fn comment(chars: &[Placed]) -> Option<usize> {
    (0..chars.len()).find(|&at| chars[at].ch == '#' && (at == 0 || chars[at - 1].ch.is_whitespace()))
}

/// What of a comment stands on the lines below the first: there is a gap where a backslash and a line
/// end were.
fn swallowed_by(comment: &[Placed]) -> Option<Range<usize>> {
    let gap = comment.windows(2).position(|pair| pair[0].end != pair[1].start)?;
    let below = trimmed(&comment[gap + 1..]);
    Some(below.first()?.start..below.last()?.end)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::text_of;

    fn lines(text: &str) -> Vec<(String, Range<usize>)> {
        let source = Source::new("f", text.to_owned());
        logical_lines(&source).map(|line| (text_of(&line.chars), line.lines)).collect()
    }

    #[test]
    fn lines_are_joined_then_comments_come_off() {
        for (text, said) in [
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
            let said: Vec<_> = said.into_iter().map(|(text, lines)| (text.to_owned(), lines)).collect();
            assert_eq!(lines(text), said, "{text:?}");
        }
    }

    #[test]
    fn what_a_comment_swallows_is_known() {
        let source = Source::new("f", "a # note \\\nb\nc".to_owned());
        let lines: Vec<_> = logical_lines(&source).collect();
        assert_eq!(text_of(&lines[0].chars), "a");
        assert_eq!(lines[0].swallowed, Some(11..12));
        assert_eq!(lines[1].swallowed, None);
    }
}
