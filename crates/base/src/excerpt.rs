//! A source line with carets below the part that a message is about, as compilers draw it.
//!
//! ```text
//! 7 | foo=1.0
//!   |    ^
//! ```
//!
//! Columns are those of a terminal: a tab is four, an East Asian wide character two (UAX #11, by `unicode-width`).
//! Credentials are masked, and a control character is drawn as U+FFFD.

use std::ops::Range;

use unicode_width::UnicodeWidthChar as _;

use super::credentials::{self, MASK};

/// How many columns of a line are drawn.
const WIDTH: usize = 100;
/// How many of them stand before the caret, at most, in a line that is longer.
const BEFORE: usize = 60;
/// How many columns a tab takes.
const TAB: usize = 4;
/// How many bytes on either side of the caret are looked at: a hostile line has millions.
const NEAR: usize = 1024;

/// A character as drawn, and the byte of the line that it stands for.
type Cell = (char, usize);

/// `line` (without its end) behind its `number` (from 1), and a line with carets below the bytes `span` of it.
///
/// A line of more than 100 columns is cut around the first caret, with `…` where it is cut.
#[must_use]
pub fn excerpt(number: usize, line: &str, span: Range<usize>) -> [String; 2] {
    let near = line.floor_char_boundary(span.start.saturating_sub(NEAR))
        ..line.ceil_char_boundary(span.start.saturating_add(NEAR));
    let cells = cells(line, near.clone());
    let first = cells.partition_point(|cell| cell.1 < span.start);
    let last = cells.partition_point(|cell| cell.1 < span.end).max(first);
    let (from, to) = window(&cells, first);
    let text: String = cells[from..to].iter().map(|cell| cell.0).collect();
    let cut_before = from > 0 || near.start > 0;
    let head = if cut_before { "…" } else { "" };
    let tail = if to < cells.len() || near.end < line.len() { "…" } else { "" };
    let before = width(&cells[from..first]) + usize::from(cut_before);
    let carets = width(&cells[first..last.clamp(first, to.max(first))]).max(1);
    let margin = number.to_string().len();
    [
        format!("{number} | {head}{text}{tail}").trim_end().to_owned(),
        format!("{:margin$} | {}{}", "", " ".repeat(before), "^".repeat(carets)),
    ]
}

/// `ch`, or U+FFFD for a control character: a terminal would obey it.
#[must_use]
pub fn visible(ch: char) -> char {
    if ch.is_control() { char::REPLACEMENT_CHARACTER } else { ch }
}

/// The cells of the bytes `near` of a line.
fn cells(line: &str, near: Range<usize>) -> Vec<Cell> {
    let secrets = credentials::secrets(line);
    let secret = |at: usize| secrets.iter().find(|range| range.contains(&at));
    let mut cells = Vec::new();
    for (offset, ch) in line[near.clone()].char_indices() {
        let at = near.start + offset;
        match (ch, secret(at)) {
            (_, Some(range)) if range.start == at => cells.extend(MASK.chars().map(|star| (star, at))),
            (_, Some(_)) => {}
            ('\t', None) => cells.extend([(' ', at); TAB]),
            (ch, None) => cells.push((visible(ch), at)),
        }
    }
    cells
}

/// Which cells are drawn, so that the one at `caret` is among them.
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

    fn drawn(number: usize, line: &str, span: Range<usize>) -> String {
        excerpt(number, line, span).join("\n")
    }

    #[test]
    fn the_caret_stands_below_the_character() {
        assert_eq!(drawn(1, "a==1 b", 5..6), "1 | a==1 b\n  |      ^");
        assert_eq!(drawn(2, "\ta b", 1..2), "2 |     a b\n  |     ^");
        assert_eq!(drawn(1, "日本 b==", 7..8), "1 | 日本 b==\n  |      ^");
        assert_eq!(drawn(1, "日本", 0..6), "1 | 日本\n  | ^^^^");
        assert_eq!(drawn(1, "a>=", 3..3), "1 | a>=\n  |    ^");
        assert_eq!(drawn(1, "", 0..0), "1 |\n  | ^");
        assert_eq!(drawn(1, "a\u{1b}[2J", 1..2), "1 | a\u{fffd}[2J\n  |  ^");
        assert_eq!(drawn(100, "ab", 1..9), "100 | ab\n    |  ^");
    }

    #[test]
    fn credentials_are_not_drawn() {
        assert_eq!(
            drawn(1, "--index-url https://me:secret@host.example/ x", 44..45),
            "1 | --index-url https://****@host.example/ x\n  |                                        ^"
        );
        let line = format!("https://{}@host.example/ x", "secret".repeat(1_000));
        assert_eq!(
            drawn(1, &line, line.len() - 1..line.len()),
            format!("1 | …@host.example/ x\n  | {}^", " ".repeat(16))
        );
    }

    #[test]
    fn long_lines_are_cut_around_the_caret() {
        for length in [300, 1_000_000] {
            let line = format!("{}X{}", "a".repeat(length), "b".repeat(length));
            let lines = excerpt(1, &line, length..length + 1);
            assert_eq!(lines[0], format!("1 | …{}X{}…", "a".repeat(60), "b".repeat(39)));
            assert_eq!(lines[1], format!("  | {}^", " ".repeat(61)));
        }
    }
}
