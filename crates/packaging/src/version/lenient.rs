//! A specifier set of old metadata -> a valid one, with the repairs that uv makes, such as `>=1.0,` -> `>=1.0`.

use super::strict::is_operator_char;

/// `text` with every known fault repaired; `None` if nothing is left.
pub(super) fn repaired(text: &str) -> Option<String> {
    let text: String =
        text.chars().filter(|c| !matches!(c, '"' | '\'' | '`' | '“' | '”' | '‘' | '’')).collect();
    let pieces: Vec<String> = pieces(&text).into_iter().filter_map(repaired_piece).collect();
    if pieces.is_empty() { None } else { Some(pieces.join(",")) }
}

/// The specifiers: split at commas and, where one is missing (`>=1.0<2`), before each operator.
fn pieces(text: &str) -> Vec<&str> {
    let mut pieces = Vec::new();
    let mut start = 0;
    let mut before = ',';
    for (i, c) in text.char_indices() {
        if c == ',' || (is_operator_char(c) && !is_operator_char(before) && before != ',') {
            pieces.push(&text[start..i]);
            start = i + usize::from(c == ',');
        }
        if !c.is_whitespace() {
            before = c;
        }
    }
    pieces.push(&text[start..]);
    pieces
}

/// A repaired specifier; `None` for an empty one, such as after a trailing comma.
fn repaired_piece(piece: &str) -> Option<String> {
    let piece = piece.trim();
    let version = piece.trim_start_matches(is_operator_char);
    let operator = &piece[..piece.len() - version.len()];
    let version = version.trim();
    match (operator, version) {
        ("", "") => None,
        // `>dev` was meant as "anything newer than nothing".
        (">", "dev") => Some(">0.0.0.dev0".to_owned()),
        ("!=~", version) => Some(format!("!={}.*", version.trim_end_matches(".*"))),
        ("==" | "!=", version) => Some(format!("{operator}{}", with_dot_before_star(version))),
        ("<" | "<=" | ">" | ">=", version) => {
            let version = version.trim_end_matches('*').trim_end_matches('.');
            Some(format!("{operator}{}", without_trailing_zero(version)))
        }
        _ => Some(format!("{operator}{version}")),
    }
}

/// `3.0*` -> `3.0.*`
fn with_dot_before_star(version: &str) -> String {
    match version.strip_suffix('*') {
        Some(number) if number.ends_with(|c: char| c.is_ascii_digit()) => format!("{number}.*"),
        _ => without_trailing_zero(version).to_owned(),
    }
}

/// `9.0.0a1.0` -> `9.0.0a1`
fn without_trailing_zero(version: &str) -> &str {
    match version.strip_suffix(".0") {
        Some(rest) if rest.contains(|c: char| c.is_ascii_alphabetic()) => rest,
        _ => version,
    }
}
