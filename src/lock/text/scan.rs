//! A requirements file -> logical lines with their places, as pip joins and strips them.

use std::sync::Arc;

use crate::spec::Location;

/// Characters of a line that a problem keeps to show: a hostile line has millions.
const LONGEST_SHOWN: usize = 400;

/// A line that means something.
#[derive(Debug)]
pub(super) enum Line<'a> {
    /// A line with nothing but a comment: what stands after the first `#`.
    Comment(&'a str),
    /// A requirement or an option, its continuations joined.
    Logical(Logical<'a>),
}

/// A requirement or an option, its continuations joined, its comment apart.
#[derive(Debug)]
pub(super) struct Logical<'a> {
    /// The text without its comment.
    pub(super) text: String,
    /// What stands after ` #`.
    pub(super) comment: Option<String>,
    /// The physical lines, each with the offset in `text` at which it starts.
    parts: Vec<Part<'a>>,
}

#[derive(Clone, Copy, Debug)]
struct Part<'a> {
    start: usize,
    number: u32,
    line: &'a str,
}

/// Some characters of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::lock) struct Spot {
    pub(in crate::lock) at: Location,
    /// How many characters, all on one line; at least 1.
    pub(in crate::lock) len: u32,
    /// The line that they stand on, the first characters of it.
    pub(in crate::lock) line: Arc<str>,
}

/// The lines of `text` that mean something. LF and CRLF end a line.
pub(super) fn lines(text: &str) -> Vec<Line<'_>> {
    let mut found = Vec::new();
    let mut open: Option<Logical<'_>> = None;
    for (number, line) in (1..).zip(text.lines()) {
        if let Some(comment) = line.trim_start().strip_prefix('#') {
            // As in pip, a comment ends a continued line.
            found.extend(open.take().map(Logical::finish));
            found.push(Line::Comment(comment));
            continue;
        }
        let logical =
            open.get_or_insert_with(|| Logical { text: String::new(), comment: None, parts: Vec::new() });
        logical.parts.push(Part { start: logical.text.len(), number, line });
        let (piece, goes_on) = line.strip_suffix('\\').map_or((line, false), |piece| (piece, true));
        logical.text.push_str(piece);
        if !goes_on {
            found.extend(open.take().map(Logical::finish));
        }
    }
    found.extend(open.map(Logical::finish));
    found.retain(|line| !matches!(line, Line::Logical(logical) if logical.text.trim().is_empty()));
    found
}

/// A text and where its lines start.
pub(in crate::lock) struct Places<'a> {
    text: &'a str,
    file: Arc<str>,
    starts: Vec<usize>,
}

impl<'a> Places<'a> {
    pub(in crate::lock) fn new(text: &'a str, file: &str) -> Self {
        let starts = std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect();
        Self { text, file: file.into(), starts }
    }

    /// Where the bytes `range` stand; what goes over a line's end is cut there.
    pub(in crate::lock) fn spot(&self, range: std::ops::Range<usize>) -> Spot {
        let number = self.starts.partition_point(|start| *start <= range.start);
        let start = self.starts[number.max(1) - 1];
        let line = self.text[start..].lines().next().unwrap_or_default();
        let end = range.end.min(start + line.len());
        let column = count(self.text.get(start..range.start)).saturating_add(1);
        Spot {
            at: Location::new(Arc::clone(&self.file), u32::try_from(number).unwrap_or(u32::MAX), column),
            len: count(self.text.get(range.start..end)).max(1),
            line: shown(line),
        }
    }
}

/// How many characters `text` has.
fn count(text: Option<&str>) -> u32 {
    u32::try_from(text.map_or(0, |text| text.chars().count())).unwrap_or(u32::MAX)
}

fn shown(line: &str) -> Arc<str> {
    line.chars().take(LONGEST_SHOWN).collect::<String>().into()
}

impl<'a> Logical<'a> {
    /// Takes the comment off.
    fn finish(mut self) -> Line<'a> {
        let comment = self
            .text
            .match_indices('#')
            .find(|(at, _)| self.text[..*at].chars().next_back().is_none_or(char::is_whitespace));
        if let Some((at, _)) = comment {
            self.comment = Some(self.text[at + 1..].to_owned());
            self.text.truncate(at);
        }
        self.text.truncate(self.text.trim_end().len());
        Line::Logical(self)
    }

    /// All of it on its first line.
    pub(super) fn whole(&self, file: &Arc<str>) -> Spot {
        self.spot(self.start()..self.text.len(), file)
    }

    /// Where `text` begins after its indentation.
    pub(super) fn start(&self) -> usize {
        self.text.len() - self.text.trim_start().len()
    }

    /// Where the bytes `range` of `text` stand; what goes over a line's end is cut there.
    pub(super) fn spot(&self, range: std::ops::Range<usize>, file: &Arc<str>) -> Spot {
        let index = self.parts.partition_point(|part| part.start <= range.start).max(1) - 1;
        let part = self.parts[index];
        let end = self.parts.get(index + 1).map_or(self.text.len(), |next| next.start).min(range.end);
        let column = count(self.text.get(part.start..range.start)).saturating_add(1);
        Spot {
            at: Location::new(Arc::clone(file), part.number, column),
            len: count(self.text.get(range.start..end)).max(1),
            line: shown(part.line),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn show(text: &str) -> Vec<String> {
        lines(text)
            .iter()
            .map(|line| match line {
                Line::Comment(text) => format!("#{text}"),
                Line::Logical(line) => format!("{}|{}", line.text, line.comment.as_deref().unwrap_or("-")),
            })
            .collect()
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
        let Line::Logical(line) = &lines(text)[0] else { panic!("a logical line") };
        for (needle, expected) in [("ä==1", (2, 3, 4)), ("--hash=x", (3, 5, 8)), ("--hash=yz", (4, 3, 9))] {
            let start = line.text.find(needle).unwrap();
            let spot = line.spot(start..start + needle.len(), &"f".into());
            assert_eq!((spot.at.line, spot.at.column, spot.len), expected, "{needle}");
        }
        assert_eq!(line.spot(2..line.text.len(), &"f".into()).len, 5, "cut at the line's end");
    }
}
