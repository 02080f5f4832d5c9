//! Near misses behind the `;`.

use super::{QUOTES, Reader, is_name_char};
use crate::problem::Finding;
use pinfast_base::suggest;

/// The markers there are (PyPA "Dependency specifiers", "Environment markers").
const MARKERS: &[&str] = &[
    "extra",
    "implementation_name",
    "implementation_version",
    "os_name",
    "platform_machine",
    "platform_python_implementation",
    "platform_release",
    "platform_system",
    "platform_version",
    "python_full_version",
    "python_version",
    "sys_platform",
];

/// Behind these a value stands.
const COMPARISONS: &[&str] = &["in", "==", "!=", "<", "<=", ">", ">=", "~=", "==="];

/// Whether `word` is the name of a marker.
pub(super) fn is_marker(word: &str) -> bool {
    MARKERS.contains(&word)
}

/// What is wrong behind the `;` at which the reader stands.
pub(super) fn miss(reader: &mut Reader<'_>) -> Option<Finding> {
    let semicolon = reader.at;
    reader.at += 1;
    reader.skip_space();
    if reader.peek().is_none() {
        return Some(Finding::new(semicolon, 1, "expected a marker after `;`"));
    }
    let mut last = String::new();
    while let Some(c) = reader.peek() {
        let found = match c {
            '"' | '\'' => quoted(c, reader, &mut last),
            '&' | '|' => Some(symbol(c, reader)),
            c if "=<>!~".contains(c) => operator(reader, &mut last),
            c if is_name_char(c) => word(reader, &mut last),
            c if QUOTES.contains(c) => {
                Some(Finding::new(reader.at, 1, format!("`{c}` is no quote here")).hint("use `'` or `\"`"))
            }
            _ => {
                reader.at += 1;
                None
            }
        };
        if found.is_some() {
            return found;
        }
    }
    None
}

/// A string; wrong if it is not closed.
fn quoted(quote: char, reader: &mut Reader<'_>, last: &mut String) -> Option<Finding> {
    let start = reader.at;
    reader.at += 1;
    reader.take(|other| other != quote);
    if reader.peek().is_none() {
        return Some(Finding::new(start, 1, format!("this `{quote}` is not closed")));
    }
    reader.at += 1;
    *last = quote.to_string();
    None
}

/// `&&` and `||`.
fn symbol(c: char, reader: &mut Reader<'_>) -> Finding {
    let start = reader.at;
    let symbol = reader.take(|other| other == c);
    let word = if c == '&' { "and" } else { "or" };
    Finding::new(start, symbol.len(), format!("`{symbol}` joins no markers"))
        .hint(reader.meant(start..reader.at, word))
}

fn operator(reader: &mut Reader<'_>, last: &mut String) -> Option<Finding> {
    let start = reader.at;
    let operator = reader.take(|other| "=<>!~".contains(other));
    let meant = match operator.as_str() {
        "=" => "==",
        "=>" => ">=",
        "=<" => "<=",
        "!" | "<>" | "=!" => "!=",
        _ => {
            *last = operator;
            return None;
        }
    };
    let finding = Finding::new(start, operator.len(), format!("`{operator}` is not a comparison"));
    Some(finding.hint(reader.meant(start..reader.at, meant)))
}

/// A word; wrong if it is neither a marker nor `and`, `or`, `not`, `in`.
fn word(reader: &mut Reader<'_>, last: &mut String) -> Option<Finding> {
    let start = reader.at;
    let word = reader.take(is_name_char);
    if matches!(word.as_str(), "and" | "or" | "not" | "in") || is_marker(&word) {
        *last = word;
        return None;
    }
    if COMPARISONS.contains(&last.as_str()) || word.starts_with(|c: char| c.is_ascii_digit()) {
        let finding = Finding::new(start, word.len(), format!("expected quotes around `{word}`"));
        return Some(finding.hint(reader.meant(start..reader.at, &format!("'{word}'"))));
    }
    let finding = Finding::new(start, word.len(), format!("`{word}` is not a marker"));
    let folded = word.to_ascii_lowercase().replace(['-', '.'], "_");
    Some(match suggest::closest(&folded, MARKERS.iter().copied()) {
        Some(meant) => finding.hint(format!("did you mean `{meant}`?")),
        None => finding.hint(format!("the markers are {}", MARKERS.join(", "))),
    })
}
