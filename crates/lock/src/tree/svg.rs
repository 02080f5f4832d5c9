//! A tree as SVG: a row a package, and a curve from each row to the one it hangs on.
//!
//! Plain SVG with colours for light and dark surroundings; no script, no font, no reference to another file.

use std::fmt::Write as _;

use super::render::versions;
use super::{DependencyRow, DependencyTree, Subtree};

/// The height of a row.
const ROW: usize = 26;
/// How far a level is indented.
const STEP: usize = 26;
/// The space around it all.
const MARGIN: usize = 20;
/// The radius of a curve.
const CURVE: usize = 9;
/// The width of a character, somewhat more than that of most fonts.
const CHARACTER: usize = 8;

const STYLE: &str = "\
text{font:14px ui-sans-serif,system-ui,'Segoe UI',Helvetica,Arial,sans-serif;fill:#1f2933}\
.n{font-weight:600}.v{fill:#3e7a4e}.w{fill:#7b8794;font-size:12px}.s{fill:#9aa5b1;font-size:12px}\
path{fill:none;stroke:#cbd2d9;stroke-width:1.5}\
circle{stroke:#fff;stroke-width:2}.i{fill:#eef2ff;stroke:#a5b4fc}\
.c0{fill:#4f46e5}.c1{fill:#0e7490}.c2{fill:#3e7a4e}.c3{fill:#b45309}.c4{fill:#be185d}\
.b{fill:#fff}\
@media(prefers-color-scheme:dark){text{fill:#e4e7eb}.v{fill:#86c996}.w,.s{fill:#9aa5b1}path{stroke:#3e4c59}\
circle{stroke:#12181f}.i{fill:#1e2440;stroke:#4f5bb3}.b{fill:#12181f}\
.c0{fill:#818cf8}.c1{fill:#22b8cf}.c2{fill:#69b37c}.c3{fill:#f0a04b}.c4{fill:#f06ba8}}";

impl DependencyTree {
    /// The picture.
    #[must_use]
    pub fn to_svg(&self) -> String {
        let (width, height) = (self.width(), 2 * MARGIN + ROW * self.rows.len());
        let mut curves = String::new();
        let mut texts = String::new();
        // For each depth, how far down the line from its last row is drawn: a curve starts there, so that lines are not
        // drawn twice.
        let mut above: Vec<usize> = Vec::new();
        for (index, row) in self.rows.iter().enumerate() {
            above.truncate(row.depth);
            if let Some(top) = above.last_mut() {
                curves.push_str(&curve(row.depth, *top, y(index)));
                *top = y(index) - CURVE;
            }
            above.push(y(index));
            texts.push_str(&drawn(row, index));
        }
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" \
             viewBox=\"0 0 {width} {height}\" role=\"img\">\n<title>What depends on what</title>\n\
             <style>{STYLE}</style>\n<rect class=\"b\" width=\"{width}\" height=\"{height}\"/>\n\
             <g>\n{curves}</g>\n{texts}</svg>\n"
        )
    }

    fn width(&self) -> usize {
        let of = |row: &DependencyRow| x(row.depth) + 2 * MARGIN + CHARACTER * label(row).chars().count();
        self.rows.iter().map(of).max().unwrap_or_default().max(2 * MARGIN)
    }
}

fn x(depth: usize) -> usize {
    MARGIN + 6 + STEP * depth
}

fn y(index: usize) -> usize {
    MARGIN + ROW / 2 + ROW * index
}

/// From `top`, on the line down from the row above, round to the dot of the row at `row`.
fn curve(depth: usize, top: usize, row: usize) -> String {
    let (from, to, bend) = (x(depth.saturating_sub(1)), x(depth), row - CURVE);
    format!("<path d=\"M{from} {top}V{bend}Q{from} {row} {} {row}H{to}\"/>\n", from + CURVE)
}

fn drawn(row: &DependencyRow, index: usize) -> String {
    let (x, y) = (x(row.depth), y(index));
    let mut text = String::new();
    if row.versions.is_empty() && row.depth == 0 {
        let width = 24 + CHARACTER * row.name.chars().count();
        let (left, top) = (x - 8, y - 11);
        // Writing to a string cannot fail.
        let _ = writeln!(
            text,
            "<rect class=\"i\" x=\"{left}\" y=\"{top}\" width=\"{width}\" height=\"22\" rx=\"11\"/>"
        );
        let _ =
            writeln!(text, "<text x=\"{}\" y=\"{}\" class=\"n\">{}</text>", x + 2, y + 5, plain(&row.name));
        return text;
    }
    let _ = writeln!(text, "<circle class=\"c{}\" cx=\"{x}\" cy=\"{y}\" r=\"5\"/>", row.depth % 5);
    let _ = write!(
        text,
        "<text x=\"{}\" y=\"{}\"><tspan class=\"n\">{}</tspan>",
        x + 13,
        y + 5,
        plain(&row.name)
    );
    for (class, part) in [
        ("v", versions(&row.versions).trim_start().to_owned()),
        ("w", row.wants.clone()),
        ("s", subtree_note(row.subtree).to_owned()),
    ] {
        if !part.is_empty() {
            let _ = write!(text, "<tspan class=\"{class}\" dx=\"8\">{}</tspan>", plain(&part));
        }
    }
    text + "</text>\n"
}

fn subtree_note(subtree: Subtree) -> &'static str {
    match subtree {
        Subtree::Here => "",
        Subtree::Elsewhere => "↑ drawn elsewhere",
        Subtree::Cut => "…",
    }
}

/// The whole text of a row, for its width.
fn label(row: &DependencyRow) -> String {
    format!("{}{}  {}  {}", row.name, versions(&row.versions), row.wants, subtree_note(row.subtree))
}

/// Text for XML, which takes no control characters at all.
fn plain(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => plain.push_str("&amp;"),
            '<' => plain.push_str("&lt;"),
            '>' => plain.push_str("&gt;"),
            c if c.is_control() => plain.push(' '),
            c => plain.push(c),
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::super::{DependencyGraph, TreeOptions};
    use super::*;
    use crate::samples::lock;

    #[test]
    fn a_picture_has_a_dot_for_each_package_and_a_curve_for_each_edge() {
        let tree = DependencyGraph::of(&lock()).unwrap().tree(&TreeOptions::default()).unwrap();
        let svg = tree.to_svg();
        let count = |what: &str| svg.matches(what).count();
        let roots = tree.rows.iter().filter(|row| row.depth == 0).count();
        assert_eq!((count("<circle"), count("<path")), (tree.rows.len() - roots, tree.rows.len() - roots));
        assert!(svg.contains("&gt;=2.47.0,&lt;3") && !svg.contains(">=2"));
        assert!(svg.starts_with("<svg xmlns=") && svg.ends_with("</svg>\n"));
    }

    #[test]
    fn hostile_text_stays_text() {
        assert_eq!(plain("<script>\u{1b}[2J&\0"), "&lt;script&gt; [2J&amp; ");
    }
}
