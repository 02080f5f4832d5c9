//! A requirements file -> logical lines with their places, as pip joins and strips them.

use std::ops::Range;
use std::sync::Arc;

use pinfast_packaging::Location;

/// A line that means something.
#[derive(Debug)]
pub(super) enum Line<'s, 'a> {
    /// A line with nothing but a comment.
    Comment(Comment<'a>),
    /// A requirement or an option.
    Logical(Logical<'s, 'a>),
}

/// A line with nothing but a comment.
#[derive(Clone, Copy, Debug)]
pub(super) struct Comment<'a> {
    /// What stands after the first `#`.
    pub(super) text: &'a str,
    /// The number of its line.
    pub(super) number: u32,
    /// The file from its line on.
    pub(super) from: &'a str,
}

/// A requirement or an option, its continuations joined, its comment apart.
#[derive(Debug)]
pub(super) struct Logical<'s, 'a> {
    /// The text without its comment.
    pub(super) text: &'s str,
    /// What stands after ` #`.
    pub(super) comment: Option<&'s str>,
    /// The physical lines, each with the offset in `text` at which it starts.
    parts: &'s [Part<'a>],
}

#[derive(Clone, Copy, Debug)]
struct Part<'a> {
    start: usize,
    number: u32,
    line: &'a str,
}

/// Some characters of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Spot<'a> {
    pub at: Location,
    /// How many characters, all on one line; at least 1.
    pub len: u32,
    /// The line that they stand on.
    pub line: &'a str,
}

/// Reads a text in one pass, joining lines in buffers that are used again for each logical line.
pub(super) struct Scanner<'a> {
    rest: &'a str,
    /// The number of the line read last.
    number: u32,
    joined: String,
    parts: Vec<Part<'a>>,
}

impl<'a> Scanner<'a> {
    /// `text` begins with line `first` of its file.
    pub(super) fn new(text: &'a str, first: u32) -> Self {
        Self { rest: text, number: first - 1, joined: String::new(), parts: Vec::new() }
    }

    /// The next line that means something. LF and CRLF end a line.
    pub(super) fn next(&mut self) -> Option<Line<'_, 'a>> {
        loop {
            let from = self.rest;
            let (line, after) = first_line(from)?;
            self.pass(after);
            if let Some(text) = comment(line) {
                return Some(Line::Comment(Comment { text, number: self.number, from }));
            }
            self.join(line);
            if !self.joined.trim_start().is_empty() {
                break;
            }
        }
        Some(Line::Logical(self.logical()))
    }

    fn pass(&mut self, after: &'a str) {
        self.rest = after;
        self.number = self.number.saturating_add(1);
    }

    /// Joins `line`, which was passed, with those that continue it.
    fn join(&mut self, mut line: &'a str) {
        self.joined.clear();
        self.parts.clear();
        loop {
            self.parts.push(Part { start: self.joined.len(), number: self.number, line });
            let Some(piece) = line.strip_suffix('\\') else { return self.joined.push_str(line) };
            self.joined.push_str(piece);
            match first_line(self.rest) {
                // As in pip, a comment ends a continued line.
                Some((next, after)) if comment(next).is_none() => {
                    self.pass(after);
                    line = next;
                }
                _ => return,
            }
        }
    }

    /// What was joined, the comment taken off.
    fn logical(&self) -> Logical<'_, 'a> {
        let joined = self.joined.as_str();
        let after_space = |at: &usize| joined[..*at].chars().next_back().is_none_or(char::is_whitespace);
        let hash = joined.match_indices('#').map(|(at, _)| at).find(after_space);
        Logical {
            text: joined[..hash.unwrap_or(joined.len())].trim_end(),
            comment: hash.map(|at| &joined[at + 1..]),
            parts: &self.parts,
        }
    }
}

/// The first line of `text` without its end, and what follows it; `None` at the end.
fn first_line(text: &str) -> Option<(&str, &str)> {
    match text.split_once('\n') {
        Some((line, after)) => Some((line.strip_suffix('\r').unwrap_or(line), after)),
        None => (!text.is_empty()).then_some((text, "")),
    }
}

/// What stands after the `#` of a line with nothing but a comment.
fn comment(line: &str) -> Option<&str> {
    line.trim_start().strip_prefix('#')
}

/// A text and where its lines start.
pub(crate) struct Places<'a> {
    text: &'a str,
    file: Arc<str>,
    starts: Vec<usize>,
}

impl<'a> Places<'a> {
    pub(crate) fn new(text: &'a str, file: &str) -> Self {
        let starts = std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect();
        Self { text, file: file.into(), starts }
    }

    /// Where the bytes `range` stand; what goes over a line's end is cut there.
    pub(crate) fn spot(&self, range: Range<usize>) -> Spot<'a> {
        let number = self.starts.partition_point(|start| *start <= range.start);
        let start = self.starts[number.max(1) - 1];
        let line = self.text[start..].lines().next().unwrap_or_default();
        let end = range.end.min(start + line.len());
        let column = count(self.text.get(start..range.start)).saturating_add(1);
        Spot {
            at: Location::new(Arc::clone(&self.file), u32::try_from(number).unwrap_or(u32::MAX), column),
            len: count(self.text.get(range.start..end)).max(1),
            line,
        }
    }
}

/// How many characters `text` has.
fn count(text: Option<&str>) -> u32 {
    u32::try_from(text.map_or(0, |text| text.chars().count())).unwrap_or(u32::MAX)
}

impl<'a> Logical<'_, 'a> {
    /// All of it on its first line.
    pub(super) fn whole(&self, file: &Arc<str>) -> Spot<'a> {
        self.spot(self.start()..self.text.len(), file)
    }

    /// Where `text` begins after its indentation.
    pub(super) fn start(&self) -> usize {
        self.text.len() - self.text.trim_start().len()
    }

    /// Where the bytes `range` of `text` stand; what goes over a line's end is cut there.
    pub(super) fn spot(&self, range: Range<usize>, file: &Arc<str>) -> Spot<'a> {
        let index = self.parts.partition_point(|part| part.start <= range.start).max(1) - 1;
        let part = self.parts[index];
        let end = self.parts.get(index + 1).map_or(self.text.len(), |next| next.start).min(range.end);
        let column = count(self.text.get(part.start..range.start)).saturating_add(1);
        Spot {
            at: Location::new(Arc::clone(file), part.number, column),
            len: count(self.text.get(range.start..end)).max(1),
            line: part.line,
        }
    }
}

/// Whether pip sees an end of line inside `text`.
pub(super) fn ends_early_for_pip(text: &str) -> bool {
    let plain = |byte: u8| byte == b'\t' || matches!(byte, b' '..=b'~');
    // Nearly all text is plain, which is seen many bytes at once.
    !text.bytes().fold(true, |all, byte| all & plain(byte)) && text.contains(ends_a_line_for_pip)
}

/// Python's `splitlines`, hence pip, ends a line at these.
fn ends_a_line_for_pip(c: char) -> bool {
    (c.is_control() && c != '\t') || matches!(c, '\u{2028}' | '\u{2029}')
}

/// Where in a requirement line its options begin: at the first word with a dash in front that is not in
/// quotes.
pub(super) fn options_start(text: &str) -> usize {
    let mut quote = None;
    let mut before = ' ';
    for (at, c) in text.char_indices() {
        match quote {
            Some(open) if open == c => quote = None,
            Some(_) => {}
            None if c == '-' && before.is_whitespace() => return at,
            None if matches!(c, '\'' | '"') => quote = Some(c),
            None => {}
        }
        before = c;
    }
    text.len()
}

/// The words of `text` after `from`, each with its offset in `text`.
pub(super) fn words(text: &str, from: usize) -> impl Iterator<Item = (usize, &str)> {
    let mut end = from;
    std::iter::from_fn(move || {
        let start = text.len() - text[end..].trim_start().len();
        end = start + word_length(&text[start..]);
        (start < end).then(|| (start, &text[start..end]))
    })
}

/// How many bytes of `text` stand before its first space.
fn word_length(text: &str) -> usize {
    // Most words are a hash: bytes are told apart faster than characters.
    let graphic = text.bytes().position(|byte| !byte.is_ascii_graphic()).unwrap_or(text.len());
    graphic + text[graphic..].find(char::is_whitespace).unwrap_or(text.len() - graphic)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn show(text: &str) -> Vec<String> {
        let mut lines = Scanner::new(text, 1);
        let mut shown = Vec::new();
        while let Some(line) = lines.next() {
            shown.push(match line {
                Line::Comment(comment) => format!("#{}", comment.text),
                Line::Logical(line) => format!("{}|{}", line.text, line.comment.unwrap_or("-")),
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
            ("\\\n\\\n", vec![]),
            ("a @ https://h/x#sha256=1", vec!["a @ https://h/x#sha256=1|-"]),
        ] {
            assert_eq!(show(text), expected, "{text:?}");
        }
    }

    #[test]
    fn a_place_is_that_of_the_physical_line() {
        let text = "\n  ä==1 \\\n    --hash=x \\\n  --hash=yz";
        let mut lines = Scanner::new(text, 1);
        let Some(Line::Logical(line)) = lines.next() else { panic!("a logical line") };
        for (needle, expected) in [("ä==1", (2, 3, 4)), ("--hash=x", (3, 5, 8)), ("--hash=yz", (4, 3, 9))] {
            let start = line.text.find(needle).unwrap();
            let spot = line.spot(start..start + needle.len(), &"f".into());
            assert_eq!((spot.at.line, spot.at.column, spot.len), expected, "{needle}");
        }
        assert_eq!(line.spot(2..line.text.len(), &"f".into()).len, 5, "cut at the line's end");
    }
}
