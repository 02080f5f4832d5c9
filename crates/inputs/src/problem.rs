//! What is wrong with the inputs: several problems in one go, each with its line and a caret.

use std::ops::Range;

use unicode_width::UnicodeWidthChar as _;

use super::credentials;
use super::source::Source;
use pinfast_base::error::Error;

/// How many problems are told at once.
const SHOWN: usize = 10;
/// How many columns of a line are shown.
const WIDTH: usize = 100;
/// How many of them stand before the caret, at most, in a line that is longer.
const BEFORE: usize = 60;
/// How far a tab moves.
const TAB: usize = 4;

/// Something wrong in a text of its own, not yet placed in a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Finding {
    /// What is wrong, as a sentence without a full stop.
    pub(super) message: String,
    /// Where, in characters from 0.
    pub(super) start: usize,
    /// How many characters.
    pub(super) len: usize,
    /// What to do, each a sentence without a full stop.
    pub(super) hints: Vec<String>,
}

impl Finding {
    pub(super) fn new(start: usize, len: usize, message: impl Into<String>) -> Self {
        Self { message: message.into(), start, len, hints: Vec::new() }
    }

    pub(super) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }
}

/// The problems found so far.
#[derive(Default)]
pub(super) struct Problems {
    found: Vec<Problem>,
    more: usize,
}

struct Problem {
    message: String,
    details: Vec<String>,
    hints: Vec<String>,
}

impl Problems {
    /// Adds what is wrong at some bytes of a file.
    pub(super) fn add(&mut self, source: &Source, span: Range<usize>, message: &str, hints: &[String]) {
        if self.found.len() == SHOWN {
            self.more += 1;
            return;
        }
        let at = source.location(span.start);
        self.found.push(Problem {
            message: clean(&format!("{}:{}: {message}", at, at.column)),
            details: excerpt(source, span).into(),
            hints: hints.iter().map(|hint| clean(hint)).collect(),
        });
    }

    /// Adds what is wrong with no line to show.
    pub(super) fn add_bare(&mut self, message: &str, hints: &[String]) {
        if self.found.len() == SHOWN {
            self.more += 1;
            return;
        }
        self.found.push(Problem {
            message: clean(message),
            details: Vec::new(),
            hints: hints.iter().map(|hint| clean(hint)).collect(),
        });
    }

    /// The one error that tells them all, if there is any: the first is its message. Where there are
    /// several, each has its hints below it.
    pub(super) fn into_error(self) -> Option<Error> {
        let alone = self.found.len() == 1;
        let mut problems = self.found.into_iter();
        let first = problems.next()?;
        let mut error = Error::usage(first.message);
        error.details = first.details;
        if alone {
            error.hints = first.hints;
            return Some(error);
        }
        error.details.extend(first.hints.iter().map(|hint| noted(hint)));
        for problem in problems {
            error.details.push(String::new());
            error.details.push(problem.message);
            error.details.extend(problem.details);
            error.details.extend(problem.hints.iter().map(|hint| noted(hint)));
        }
        if self.more > 0 {
            error.details.push(String::new());
            error.details.push(format!("and {} more", self.more));
        }
        Some(error)
    }
}

/// A hint below its problem.
fn noted(hint: &str) -> String {
    format!("  = {hint}")
}

/// Fit to be shown: no credentials, no control characters.
pub(super) fn clean(text: &str) -> String {
    credentials::masked(text).chars().map(visible).collect()
}

fn visible(ch: char) -> char {
    if ch.is_control() { '\u{fffd}' } else { ch }
}

/// A character as shown, and the byte of the file that it stands for.
type Cell = (char, usize);

/// The line in which `span` starts, and a line with carets below it.
fn excerpt(source: &Source, span: Range<usize>) -> [String; 2] {
    let number = (source.line_at(span.start) + 1).to_string();
    let line = source.line(source.line_at(span.start));
    let cells = cells(source, line);
    let first = cells.partition_point(|cell| cell.1 < span.start);
    let last = cells.partition_point(|cell| cell.1 < span.end).max(first);
    let (from, to) = window(&cells, first);
    let text: String = cells[from..to].iter().map(|cell| cell.0).collect();
    let head = if from > 0 { "…" } else { "" };
    let tail = if to < cells.len() { "…" } else { "" };
    let before = width(&cells[from..first]) + usize::from(from > 0);
    let carets = width(&cells[first..last.clamp(first, to.max(first))]).max(1);
    let margin = " ".repeat(number.len());
    [
        format!("{number} | {head}{text}{tail}").trim_end().to_owned(),
        format!("{margin} | {}{}", " ".repeat(before), "^".repeat(carets)),
    ]
}

/// The cells of a line: tabs as spaces, credentials masked, control characters made visible.
fn cells(source: &Source, line: Range<usize>) -> Vec<Cell> {
    let secrets = credentials::secrets(&source.text[line.clone()]);
    let secret = |at: usize| secrets.iter().find(|range| range.contains(&(at - line.start)));
    let mut cells = Vec::new();
    for placed in source.chars(line.clone()) {
        match (placed.ch, secret(placed.start)) {
            (_, Some(range)) if range.start + line.start == placed.start => {
                cells.extend(['*'; 4].map(|star| (star, placed.start)));
            }
            (_, Some(_)) => {}
            ('\t', None) => cells.extend([(' ', placed.start); TAB]),
            (ch, None) => cells.push((visible(ch), placed.start)),
        }
    }
    cells
}

/// Which cells are shown, so that the one at `caret` is among them.
fn window(cells: &[Cell], caret: usize) -> (usize, usize) {
    if width(cells) <= WIDTH {
        return (0, cells.len());
    }
    let mut from = caret;
    while from > 0 && width(&cells[from - 1..caret]) <= BEFORE {
        from -= 1;
    }
    let mut to = from;
    let mut taken = 0;
    while to < cells.len() && taken + width(&cells[to..=to]) <= WIDTH {
        taken += width(&cells[to..=to]);
        to += 1;
    }
    (from, to)
}

fn width(cells: &[Cell]) -> usize {
    cells.iter().map(|cell| cell.0.width().unwrap_or(0)).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str, span: Range<usize>) -> String {
        excerpt(&Source::new("f", text.to_owned()), span).join("\n")
    }

    #[test]
    fn the_caret_stands_below_the_character() {
        assert_eq!(shown("a==1 b", 5..6), "1 | a==1 b\n  |      ^");
        assert_eq!(shown("x\n\ta b", 3..4), "2 |     a b\n  |     ^");
        assert_eq!(shown("日本 b==", 7..8), "1 | 日本 b==\n  |      ^");
        assert_eq!(shown("日本", 0..6), "1 | 日本\n  | ^^^^");
        assert_eq!(shown("a>=", 3..3), "1 | a>=\n  |    ^");
        assert_eq!(shown("", 0..0), "1 |\n  | ^");
        assert_eq!(shown("a\u{1b}[2J", 1..2), "1 | a\u{fffd}[2J\n  |  ^");
    }

    #[test]
    fn credentials_are_not_shown() {
        assert_eq!(
            shown("--index-url https://me:secret@host.example/ x", 44..45),
            "1 | --index-url https://****@host.example/ x\n  |                                        ^"
        );
    }

    #[test]
    fn long_lines_are_windowed() {
        let text = format!("{}X{}", "a".repeat(300), "b".repeat(300));
        let lines = excerpt(&Source::new("f", text), 300..301);
        assert_eq!(lines[0], format!("1 | …{}X{}…", "a".repeat(60), "b".repeat(39)));
        assert_eq!(lines[1], format!("  | {}^", " ".repeat(61)));
    }
}
