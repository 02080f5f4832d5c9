//! Fixes -> numbered items of text.

use std::time::Duration;

use pinfast_base::event::counted;
use pinfast_base::text::join_with_and;
use pinfast_base::text::wrap;
use pinfast_repair::{Edit, Fix, FixReport};

/// The fixes as numbered items; without any, what was tried.
pub(super) fn fix_lines(report: &FixReport, elapsed: Duration, width: usize) -> Vec<String> {
    if report.fixes.is_empty() {
        return vec![no_fix(report, elapsed)];
    }
    let mut lines = vec!["Fixes (each was tried, and resolves):".to_owned()];
    for (n, fix) in (1..).zip(&report.fixes) {
        lines.extend(numbered(n, fix, width));
    }
    lines
}

fn no_fix(report: &FixReport, elapsed: Duration) -> String {
    let singles = counted(report.singles, "change");
    let pairs = counted(report.pairs, "pair");
    let seconds = elapsed.as_secs_f64();
    format!("No fix found: tried {singles} of one line and {pairs} in {seconds:.1} s.")
}

fn numbered(n: usize, fix: &Fix, width: usize) -> Vec<String> {
    let mut lines: Vec<String> =
        fix.edits.iter().map(edit).chain(fix.options.iter().map(ToString::to_string)).collect();
    for (place, line) in lines.iter_mut().enumerate() {
        let head = if place == 0 { format!("  {n}. ") } else { "     ".to_owned() };
        line.insert_str(0, &head);
    }
    lines.extend(wrap(&outcome(fix), "     ", "     ", width));
    lines
}

fn edit(edit: &Edit) -> String {
    let new = edit.new.as_deref().unwrap_or("(removed)");
    format!("{}  {} -> {new}", edit.at, edit.old)
}

/// The pins that a fix leads to.
fn outcome(fix: &Fix) -> String {
    let pins: Vec<String> = fix.pins.iter().map(|(name, version)| format!("{name} {version}")).collect();
    let moved = match fix.moved {
        0 => "no other pin moves".to_owned(),
        1 => "1 other pin moves".to_owned(),
        moved => format!("{moved} other pins move"),
    };
    let old = fix.old.iter().map(|(name, version, year)| format!("; {name} {version} is from {year}"));
    format!("gives {}; {moved}{}", join_with_and(&pins), old.collect::<String>())
}
