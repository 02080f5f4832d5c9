//! Names and foreign text in messages.

use pinfast_packaging::DistFile;

/// The number of lines of a failed backend's output that are shown.
const SHOWN_LINES: usize = 20;
/// The length of the longest excerpt, in characters.
const LONGEST_EXCERPT: usize = 200;

/// The name and version of a distribution, such as `a 1.0`.
pub(super) fn display_name(file: &DistFile) -> String {
    format!("{} {}", file.dist.name(), file.dist.version())
}

/// The last lines of a backend's output that are not blank.
pub(super) fn last_lines(output: &[u8]) -> Vec<String> {
    let text = String::from_utf8_lossy(output);
    let lines: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).collect();
    lines[lines.len().saturating_sub(SHOWN_LINES)..].iter().map(|line| excerpt(line)).collect()
}

/// The beginning of a foreign text, for one line of a message.
pub(super) fn excerpt(text: &str) -> String {
    let text = text.trim();
    let more = if text.chars().nth(LONGEST_EXCERPT).is_some() { "…" } else { "" };
    format!("{}{more}", without_controls(&text.chars().take(LONGEST_EXCERPT).collect::<String>()))
}

/// Replaces control characters: they could steer a terminal.
pub(super) fn without_controls(text: &str) -> String {
    let printable = |char: char| if char.is_control() { '\u{fffd}' } else { char };
    text.chars().map(printable).collect()
}
