//! Mistakes in the marker, behind the `;`.

use super::{Cursor, QUOTES, is_name_char};
use crate::diagnostic::Diagnostic;
use pinfast_base::suggest;

/// The marker variables (PyPA "Dependency specifiers", "Environment Markers").
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

/// The operators before a value.
const COMPARISONS: &[&str] = &["in", "==", "!=", "<", "<=", ">", ">=", "~=", "==="];

/// Whether `word` is the name of a marker.
pub(super) fn is_marker(word: &str) -> bool {
    MARKERS.contains(&word)
}

/// The first mistake behind the `;` at the cursor.
pub(super) fn diagnose(cursor: &mut Cursor<'_>) -> Option<Diagnostic> {
    let semicolon = cursor.at;
    cursor.at += 1;
    cursor.skip_space();
    if cursor.peek().is_none() {
        return Some(Diagnostic::new(semicolon, 1, "expected a marker after `;`"));
    }
    let mut last = String::new();
    while let Some(c) = cursor.peek() {
        let found = match c {
            '"' | '\'' => quoted(c, cursor, &mut last),
            '&' | '|' => Some(symbol(c, cursor)),
            c if "=<>!~".contains(c) => operator(cursor, &mut last),
            c if is_name_char(c) => word(cursor, &mut last),
            c if QUOTES.contains(c) => {
                Some(Diagnostic::new(cursor.at, 1, format!("`{c}` is no quote here")).hint("use `'` or `\"`"))
            }
            _ => {
                cursor.at += 1;
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
fn quoted(quote: char, cursor: &mut Cursor<'_>, last: &mut String) -> Option<Diagnostic> {
    let start = cursor.at;
    cursor.at += 1;
    cursor.take(|other| other != quote);
    if cursor.peek().is_none() {
        return Some(Diagnostic::new(start, 1, format!("this `{quote}` is not closed")));
    }
    cursor.at += 1;
    *last = quote.to_string();
    None
}

/// `&&` and `||`.
fn symbol(c: char, cursor: &mut Cursor<'_>) -> Diagnostic {
    let start = cursor.at;
    let symbol = cursor.take(|other| other == c);
    let word = if c == '&' { "and" } else { "or" };
    Diagnostic::new(start, symbol.len(), format!("`{symbol}` joins no markers"))
        .hint(cursor.suggestion(start..cursor.at, word))
}

fn operator(cursor: &mut Cursor<'_>, last: &mut String) -> Option<Diagnostic> {
    let start = cursor.at;
    let operator = cursor.take(|other| "=<>!~".contains(other));
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
    let diagnostic = Diagnostic::new(start, operator.len(), format!("`{operator}` is not a comparison"));
    Some(diagnostic.hint(cursor.suggestion(start..cursor.at, meant)))
}

/// A word; wrong if it is neither a marker nor `and`, `or`, `not`, `in`.
fn word(cursor: &mut Cursor<'_>, last: &mut String) -> Option<Diagnostic> {
    let start = cursor.at;
    let word = cursor.take(is_name_char);
    if matches!(word.as_str(), "and" | "or" | "not" | "in") || is_marker(&word) {
        *last = word;
        return None;
    }
    if COMPARISONS.contains(&last.as_str()) || word.starts_with(|c: char| c.is_ascii_digit()) {
        let diagnostic = Diagnostic::new(start, word.len(), format!("expected quotes around `{word}`"));
        return Some(diagnostic.hint(cursor.suggestion(start..cursor.at, &format!("'{word}'"))));
    }
    let diagnostic = Diagnostic::new(start, word.len(), format!("`{word}` is not a marker"));
    let folded = word.to_ascii_lowercase().replace(['-', '.'], "_");
    Some(match suggest::closest(&folded, MARKERS.iter().copied()) {
        Some(meant) => diagnostic.hint(format!("did you mean `{meant}`?")),
        None => diagnostic.hint(format!("the markers are {}", MARKERS.join(", "))),
    })
}
