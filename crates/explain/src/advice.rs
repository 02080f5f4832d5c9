//! The fixes as text.

use std::time::Duration;

use pinfast_base::text::join_with_and;
use pinfast_base::text::wrap;
use pinfast_repair::{Edit, Fix, Found};

/// The fixes as numbered items, or that there is none.
pub(super) fn lines(found: &Found, elapsed: Duration, width: usize) -> Vec<String> {
    if found.fixes.is_empty() {
        return vec![none(found, elapsed)];
    }
    let mut lines = vec!["Fixes (each was tried, and resolves):".to_owned()];
    for (n, fix) in (1..).zip(&found.fixes) {
        lines.extend(item(n, fix, width));
    }
    lines
}

fn none(found: &Found, elapsed: Duration) -> String {
    let Found { singles, pairs, .. } = found;
    let seconds = elapsed.as_secs_f64();
    format!("No fix found: tried {singles} changes of one line and {pairs} pairs in {seconds:.1} s.")
}

fn item(n: usize, fix: &Fix, width: usize) -> Vec<String> {
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
    let new = edit.new.as_deref().unwrap_or("(taken out)");
    format!("{}  {} -> {new}", edit.at, edit.old)
}

/// What a fix leads to.
fn outcome(fix: &Fix) -> String {
    let pins: Vec<String> = fix.pins.iter().map(|(name, version)| format!("{name} {version}")).collect();
    let moved = match fix.moved {
        0 => "no other pin moves".to_owned(),
        1 => "1 other pin moves".to_owned(),
        moved => format!("{moved} other pins move"),
    };
    let old = fix.old.iter().map(|(name, version, year)| format!("; beware: {name} {version} is of {year}"));
    format!("gives {}; {moved}{}", join_with_and(&pins), old.collect::<String>())
}
