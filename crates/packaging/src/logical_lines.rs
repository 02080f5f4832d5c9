//! The logical lines of a requirements file, as pip reads them ("Requirements File Format").
//!
//! A physical line that ends in a backslash continues on the next one; a line that is only a comment ends the
//! continuation. Comments come off after the join: a `#` at the start or behind white space.
//!
//! ```text
//! anyio==4.6 \            1  one logical line: `anyio==4.6     --hash=sha256:…`
//!     --hash=sha256:…     2
//!     # via httpx         3  a comment
//! ```

use std::ops::Range;
use std::sync::Arc;

use super::Location;

/// What ends a physical line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LineEnds {
    /// LF and CRLF: a lone CR stays in its line, where a strict reader can refuse it.
    Newline,
    /// LF, CRLF and a lone CR (Python's universal newlines).
    Universal,
}

/// Scans a text in one pass. It joins into buffers that every logical line uses again.
#[derive(Debug)]
pub struct LogicalLines<'a> {
    text: &'a str,
    ends: LineEnds,
    /// The offset in `text` of the next physical line.
    next: usize,
    /// The number of the physical line read last.
    number: u32,
    joined: String,
    pieces: Vec<Piece<'a>>,
}

/// A line that is not blank.
#[derive(Debug)]
pub enum ScannedLine<'s, 'a> {
    /// A line that is only a comment.
    Comment(CommentLine<'a>),
    /// A requirement or an option.
    Logical(LogicalLine<'s, 'a>),
}

/// A line that is only a comment.
#[derive(Clone, Copy, Debug)]
pub struct CommentLine<'a> {
    /// The text after the first `#`.
    pub text: &'a str,
    /// The number of the line.
    pub number: u32,
    /// The offset of the line in the scanned text.
    pub offset: usize,
}

/// A requirement or an option: continuations joined, the comment apart.
#[derive(Debug)]
pub struct LogicalLine<'s, 'a> {
    /// The text without its comment and without white space at its end.
    pub text: &'s str,
    /// The text after the `#` of the comment.
    pub comment: Option<&'s str>,
    /// Text and comment, as joined.
    joined: &'s str,
    pieces: &'s [Piece<'a>],
    /// The number of the first physical line behind it.
    end: u32,
}

/// A physical line of a logical one.
#[derive(Clone, Copy, Debug)]
struct Piece<'a> {
    /// Where it starts in the joined text.
    start: usize,
    /// Where it starts in the scanned text.
    offset: usize,
    number: u32,
    line: &'a str,
}

/// Some characters of a file, all on one line, with that line to show them in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceSpan<'a> {
    /// The place of the first character.
    pub at: Location,
    /// The physical line.
    pub line: &'a str,
    /// The bytes of the line.
    pub bytes: Range<usize>,
}

impl<'a> LogicalLines<'a> {
    /// The lines of `text`, which begins with line `first` of its file.
    #[must_use]
    pub fn new(text: &'a str, first: u32, ends: LineEnds) -> Self {
        Self { text, ends, next: 0, number: first - 1, joined: String::new(), pieces: Vec::new() }
    }

    /// The next line that is not blank. (No `Iterator`: the line borrows the buffers.)
    #[expect(clippy::should_implement_trait, reason = "an iterator cannot lend its items")]
    pub fn next(&mut self) -> Option<ScannedLine<'_, 'a>> {
        loop {
            let offset = self.next;
            let (line, next) = self.physical(offset)?;
            self.pass(next);
            if let Some(text) = comment(line) {
                return Some(ScannedLine::Comment(CommentLine { text, number: self.number, offset }));
            }
            let end = self.join(line, offset);
            if !self.joined.trim_start().is_empty() {
                return Some(ScannedLine::Logical(self.logical(end)));
            }
        }
    }

    /// The physical line at `offset` without its end, and the offset of the next; `None` at the end of the text.
    fn physical(&self, offset: usize) -> Option<(&'a str, usize)> {
        let rest = &self.text[offset..];
        let length = match self.ends {
            LineEnds::Newline => rest.find('\n'),
            LineEnds::Universal => rest.find(['\n', '\r']),
        };
        match length {
            None => (!rest.is_empty()).then_some((rest, self.text.len())),
            Some(length) => {
                let line = &rest[..length];
                let end = if rest[length..].starts_with("\r\n") { 2 } else { 1 };
                let line = match self.ends {
                    LineEnds::Newline => line.strip_suffix('\r').unwrap_or(line),
                    LineEnds::Universal => line,
                };
                Some((line, offset + length + end))
            }
        }
    }

    fn pass(&mut self, next: usize) {
        self.next = next;
        self.number = self.number.saturating_add(1);
    }

    /// Joins `line`, which was passed, with those that continue it. Returns the number of the line behind them.
    fn join(&mut self, mut line: &'a str, mut offset: usize) -> u32 {
        self.joined.clear();
        self.pieces.clear();
        loop {
            self.pieces.push(Piece { start: self.joined.len(), offset, number: self.number, line });
            // pip strips all of them, not the last alone.
            let kept = line.trim_end_matches('\\');
            self.joined.push_str(kept);
            if kept.len() == line.len() {
                return self.number.saturating_add(1);
            }
            offset = self.next;
            match self.physical(offset) {
                None => return self.number.saturating_add(1),
                // The comment is one of the physical lines, although it is returned by itself.
                Some((below, _)) if comment(below).is_some() => return self.number.saturating_add(2),
                Some((below, next)) => {
                    self.pass(next);
                    line = below;
                }
            }
        }
    }

    /// The line that was joined, its comment taken off.
    fn logical(&self, end: u32) -> LogicalLine<'_, 'a> {
        let joined = self.joined.as_str();
        let after_space = |at: &usize| joined[..*at].chars().next_back().is_none_or(char::is_whitespace);
        let hash = joined.match_indices('#').map(|(at, _)| at).find(after_space);
        LogicalLine {
            text: joined[..hash.unwrap_or(joined.len())].trim_end(),
            comment: hash.map(|at| &joined[at + 1..]),
            joined,
            pieces: &self.pieces,
            end,
        }
    }
}

impl<'a> LogicalLine<'_, 'a> {
    /// The length of the indentation.
    #[must_use]
    pub fn start(&self) -> usize {
        self.text.len() - self.text.trim_start().len()
    }

    /// The numbers of its physical lines, with that of a comment that ends its continuation.
    #[must_use]
    pub fn numbers(&self) -> Range<u32> {
        self.pieces[0].number..self.end
    }

    /// The characters of `text`, each with its offset in the scanned text.
    pub fn chars(&self) -> impl Iterator<Item = (usize, char)> {
        self.text.char_indices().map(|(at, ch)| (self.offset(at), ch))
    }

    /// What the comment hides of the physical lines below the one that it begins on, as bytes of the scanned text:
    /// a backslash at the end of a comment makes them part of it.
    #[must_use]
    pub fn swallowed(&self) -> Option<Range<usize>> {
        let comment = self.joined.len() - self.comment?.len();
        let below = self.pieces.iter().find(|piece| piece.start >= comment)?.start;
        let text = self.joined[below..].trim_end();
        let hidden = text.trim_start();
        let first = below + text.len() - hidden.len();
        (!hidden.is_empty()).then(|| self.offset(first)..self.offset(first + hidden.len() - 1) + 1)
    }

    /// The whole of it, as far as it stands on its first line.
    #[must_use]
    pub fn whole(&self, file: &Arc<str>) -> SourceSpan<'a> {
        self.span(self.start()..self.text.len(), file)
    }

    /// Where the bytes `range` of `text` stand; a range over several lines is cut at the end of the first.
    #[must_use]
    pub fn span(&self, range: Range<usize>, file: &Arc<str>) -> SourceSpan<'a> {
        let index = self.piece_at(range.start);
        let piece = self.pieces[index];
        let end = self.pieces.get(index + 1).map_or(self.text.len(), |next| next.start).min(range.end);
        let bytes = range.start - piece.start..end.max(range.start) - piece.start;
        let before = piece.line.get(..bytes.start).map_or(0, |before| before.chars().count());
        let column = u32::try_from(before).unwrap_or(u32::MAX).saturating_add(1);
        SourceSpan { at: Location::new(Arc::clone(file), piece.number, column), line: piece.line, bytes }
    }

    /// The offset in the scanned text of the byte `at` of the joined text.
    fn offset(&self, at: usize) -> usize {
        let piece = self.pieces[self.piece_at(at)];
        piece.offset + at - piece.start
    }

    /// The piece of the byte `at` of the joined text: the last that starts there, since a piece may be empty.
    fn piece_at(&self, at: usize) -> usize {
        self.pieces.partition_point(|piece| piece.start <= at).max(1) - 1
    }
}

/// The text after the `#` of a line that is only a comment.
fn comment(line: &str) -> Option<&str> {
    line.trim_start().strip_prefix('#')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn show(text: &str, ends: LineEnds) -> Vec<String> {
        let mut lines = LogicalLines::new(text, 1, ends);
        let mut shown = Vec::new();
        while let Some(line) = lines.next() {
            shown.push(match line {
                ScannedLine::Comment(comment) => format!("#{}", comment.text),
                ScannedLine::Logical(line) => format!("{}|{}", line.text, line.comment.unwrap_or("-")),
            });
        }
        shown
    }

    #[test]
    fn lines_are_joined_and_stripped_as_pip_does() {
        for (text, expected) in [
            ("a==1", vec!["a==1|-"]),
            ("a==1 # why\n\n  # b\nc==1#d\r\n", vec!["a==1| why", "# b", "c==1#d|-"]),
            ("a==1 \\\n    --hash=x \\\n    --hash=y\n", vec!["a==1     --hash=x     --hash=y|-"]),
            ("a==1 \\\r\n  --hash=x\r\n", vec!["a==1   --hash=x|-"]),
            ("a==1 \\\n# c\nb==1", vec!["a==1|-", "# c", "b==1|-"]),
            ("a==1 \\", vec!["a==1|-"]),
            ("a\\\\\nb", vec!["ab|-"]),
            ("a \\ \nb", vec!["a \\|-", "b|-"]),
            ("# note \\\na", vec!["# note \\", "a|-"]),
            ("\\\n\\\n", vec![]),
            ("", vec![]),
            ("a @ https://h/x#sha256=1", vec!["a @ https://h/x#sha256=1|-"]),
        ] {
            assert_eq!(show(text, LineEnds::Newline), expected, "{text:?}");
            assert_eq!(show(text, LineEnds::Universal), expected, "{text:?}");
        }
    }

    #[test]
    fn a_lone_carriage_return_ends_a_line_where_it_may() {
        assert_eq!(show("a\rb\r\nc", LineEnds::Universal), ["a|-", "b|-", "c|-"]);
        assert_eq!(show("a\rb\r\nc", LineEnds::Newline), ["a\rb|-", "c|-"]);
    }

    #[test]
    fn a_span_is_that_of_the_physical_line() {
        let text = "\n  ä==1 \\\n    --hash=x \\\n  --hash=yz";
        let mut lines = LogicalLines::new(text, 1, LineEnds::Newline);
        let Some(ScannedLine::Logical(line)) = lines.next() else { panic!("a logical line") };
        for (needle, expected) in
            [("ä==1", (2, 3, 2..7)), ("--hash=x", (3, 5, 4..12)), ("--hash=yz", (4, 3, 2..11))]
        {
            let start = line.text.find(needle).unwrap();
            let span = line.span(start..start + needle.len(), &"f".into());
            assert_eq!((span.at.line, span.at.column, span.bytes), expected, "{needle}");
        }
        let all = line.span(2..line.text.len(), &"f".into());
        assert_eq!((all.line, all.bytes), ("  ä==1 \\", 2..8), "cut at the line's end");
        assert_eq!(line.numbers(), 2..5);
        assert_eq!(line.chars().last(), Some((text.len() - 1, 'z')));
    }

    #[test]
    fn a_comment_that_ends_a_continuation_is_one_of_its_lines() {
        let mut lines = LogicalLines::new("a \\\n  # via b\nc", 1, LineEnds::Newline);
        let Some(ScannedLine::Logical(line)) = lines.next() else { panic!("a logical line") };
        assert_eq!(line.numbers(), 1..3);
    }

    #[test]
    fn a_comment_that_ends_in_a_backslash_swallows_the_line_below() {
        let text = "a # note \\\n b \nc";
        let mut lines = LogicalLines::new(text, 1, LineEnds::Newline);
        let Some(ScannedLine::Logical(line)) = lines.next() else { panic!("a logical line") };
        assert_eq!(line.text, "a");
        assert_eq!(line.swallowed().map(|bytes| &text[bytes]), Some("b"));
        let Some(ScannedLine::Logical(line)) = lines.next() else { panic!("a logical line") };
        assert_eq!(line.swallowed(), None);
    }
}
