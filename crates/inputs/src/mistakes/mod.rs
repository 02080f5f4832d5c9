//! What people write when they mean a requirement: a text that is none -> what is wrong, and a hint with what was meant.
//!
//! Conda's, Poetry's and npm's forms, shell commands, slips of the pen. Only a text that failed to parse comes here, so
//! nothing here can refuse a good one.

mod marker;
mod poetry;

use std::ops::Range;

use super::diagnostic::Diagnostic;
use pinfast_packaging::Requirement;

/// The characters of comparison operators, here and in other tools.
const OPERATORS: &str = "=<>!~^";
/// Quotes, and what word processors make of them.
const QUOTES: &str = "\"'`“”‘’";
const ONE_A_LINE: &str = "write one requirement a line";
/// How many bytes a requirement may have to be repeated in a hint.
const MAX_REPEATED: usize = 100;

/// A position in a text.
struct Cursor<'a> {
    chars: &'a [char],
    at: usize,
}

impl Cursor<'_> {
    fn peek(&self) -> Option<char> {
        self.chars.get(self.at).copied()
    }

    fn sees(&self, any_of: &str) -> bool {
        self.peek().is_some_and(|c| any_of.contains(c))
    }

    fn take(&mut self, belongs: impl Fn(char) -> bool) -> String {
        let start = self.at;
        while self.peek().is_some_and(&belongs) {
            self.at += 1;
        }
        self.text(start..self.at)
    }

    fn skip_space(&mut self) {
        self.take(char::is_whitespace);
    }

    fn text(&self, range: Range<usize>) -> String {
        self.chars[range].iter().collect()
    }

    fn rest(&self) -> String {
        self.text(self.at..self.chars.len())
    }

    /// A hint to write `new` for the characters in `range`: as the whole requirement, if that then parses.
    fn suggestion(&self, range: Range<usize>, new: &str) -> String {
        let whole = self.text(0..range.start) + new + &self.text(range.end..self.chars.len());
        let whole = whole.trim_end();
        let repeat = whole.len() <= MAX_REPEATED && whole.parse::<Requirement>().is_ok();
        write_hint(if repeat { whole } else { new.trim() })
    }
}

/// What is wrong with `text`, and what was meant, if this module knows the mistake.
pub(super) fn diagnose(text: &str) -> Option<Diagnostic> {
    let chars: Vec<char> = text.chars().collect();
    whole_line(text).or_else(|| {
        let mut cursor = Cursor { chars: &chars, at: 0 };
        let name = cursor.take(is_name_char);
        if name.is_empty() {
            return None;
        }
        if cursor.sees("[") {
            cursor.take(|c| c != ']');
            cursor.take(|c| c == ']');
        }
        cursor.skip_space();
        after_name(&mut cursor)
    })
}

/// Lines that are no requirement from their first character on.
fn whole_line(text: &str) -> Option<Diagnostic> {
    const COMMANDS: &[&str] =
        &["pip install ", "pip3 install ", "python -m pip install ", "uv pip install ", "uv add "];
    if text.starts_with(|c| QUOTES.contains(c)) {
        let inside = text.trim_end_matches(',').trim_matches(|c| QUOTES.contains(c));
        return Some(Diagnostic::new(0, 1, "a requirement takes no quotes").hint(write_hint(inside)));
    }
    if text.starts_with('[') {
        return Some(Diagnostic::new(0, text.chars().count(), "a requirements file has no sections"));
    }
    let (command, wanted) =
        COMMANDS.iter().find_map(|command| Some((command, text.strip_prefix(command)?)))?;
    let diagnostic = Diagnostic::new(0, command.trim_end().len(), "this is a command, not a requirement");
    Some(diagnostic.hint(write_hint(wanted.trim())))
}

/// Mistakes behind the name: in specifiers, in a marker, or something else.
fn after_name(cursor: &mut Cursor<'_>) -> Option<Diagnostic> {
    let start = cursor.at;
    match cursor.peek()? {
        c if OPERATORS.contains(c) => specifiers(cursor),
        ';' => marker::diagnose(cursor),
        '@' => version_instead_of_url(cursor),
        '#' => Some(comment_without_space(cursor)),
        ',' => Some(Diagnostic::new(start, 1, "this comma stands between two requirements").hint(ONE_A_LINE)),
        '*' => Some(
            Diagnostic::new(start, 1, "a name alone means every version")
                .hint(cursor.suggestion(start..start + 1, "")),
        ),
        c if c.is_ascii_digit() => {
            let version = cursor.take(is_version_char);
            let diagnostic = Diagnostic::new(
                start,
                version.len(),
                "expected a comparison, such as `==`, before the version",
            );
            Some(diagnostic.hint(cursor.suggestion(start..start, "==")))
        }
        c if c.is_alphanumeric() => Some(unexpected_word(cursor)),
        _ => None,
    }
}

/// `name@1.0`, as other languages' tools have it.
fn version_instead_of_url(cursor: &mut Cursor<'_>) -> Option<Diagnostic> {
    let start = cursor.at;
    cursor.at += 1;
    cursor.skip_space();
    let version_follows = cursor.peek()?.is_ascii_digit();
    version_follows.then(|| {
        Diagnostic::new(start, 1, "expected a URL after `@`").hint(cursor.suggestion(start..cursor.at, "=="))
    })
}

fn comment_without_space(cursor: &Cursor<'_>) -> Diagnostic {
    Diagnostic::new(cursor.at, 1, "a comment needs a space before its `#`").hint(write_hint(&format!(
        "{} {}",
        cursor.text(0..cursor.at).trim_end(),
        cursor.rest()
    )))
}

/// A word in place of a comparison or a `;`.
fn unexpected_word(cursor: &mut Cursor<'_>) -> Diagnostic {
    let start = cursor.at;
    let word = cursor.take(is_name_char);
    let len = word.chars().count().max(1);
    if marker::is_marker(&word) {
        let diagnostic = Diagnostic::new(start, len, "expected a `;` before the marker");
        return diagnostic.hint(cursor.suggestion(start..start, "; "));
    }
    Diagnostic::new(start, len, format!("`{word}` does not belong to this requirement")).hint(ONE_A_LINE)
}

/// A list of comparisons, up to the marker.
fn specifiers(cursor: &mut Cursor<'_>) -> Option<Diagnostic> {
    loop {
        let start = cursor.at;
        let operator = cursor.take(|c| OPERATORS.contains(c));
        let behind = cursor.at;
        cursor.skip_space();
        if let Some(diagnostic) = operator_mistake(&operator, start, behind, cursor) {
            return Some(diagnostic);
        }
        let version_at = cursor.at;
        let version = cursor.take(is_version_char);
        if version.is_empty() {
            return missing_version(&operator, start, behind, cursor);
        }
        if let Some(diagnostic) = version_mistake(&operator, &version, start, version_at, cursor) {
            return Some(diagnostic);
        }
        cursor.skip_space();
        match cursor.peek()? {
            ',' => {
                if let Some(diagnostic) = after_comma(cursor) {
                    return Some(diagnostic);
                }
            }
            ';' => return marker::diagnose(cursor),
            '#' => return Some(comment_without_space(cursor)),
            c if OPERATORS.contains(c) => {
                let diagnostic = Diagnostic::new(cursor.at, 1, "expected a comma between two comparisons");
                let end = version_at + version.len();
                return Some(diagnostic.hint(cursor.suggestion(end..cursor.at, ",")));
            }
            c if c.is_alphanumeric() => return Some(unexpected_word(cursor)),
            _ => return None,
        }
    }
}

/// Reads a comma; a mistake unless a comparison follows.
fn after_comma(cursor: &mut Cursor<'_>) -> Option<Diagnostic> {
    let comma = cursor.at;
    cursor.at += 1;
    cursor.skip_space();
    match cursor.peek() {
        None | Some(';') => Some(Diagnostic::new(comma, 1, "nothing follows this comma")),
        Some(c) if OPERATORS.contains(c) => None,
        Some(c) if c.is_ascii_digit() => {
            Some(Diagnostic::new(cursor.at, 1, "expected a comparison, such as `<`, before the version"))
        }
        Some(_) => {
            Some(Diagnostic::new(comma, 1, "this comma stands between two requirements").hint(ONE_A_LINE))
        }
    }
}

/// The operator at `start..behind` has no version.
fn missing_version(
    operator: &str,
    start: usize,
    behind: usize,
    cursor: &mut Cursor<'_>,
) -> Option<Diagnostic> {
    match cursor.peek() {
        None | Some(',' | ';' | '#') => {
            Some(Diagnostic::new(behind, 1, format!("expected a version after `{operator}`")))
        }
        Some(c) if QUOTES.contains(c) => {
            let quote = cursor.at;
            cursor.at += 1;
            let version = cursor.take(|c| !QUOTES.contains(c));
            let end = cursor.at + usize::from(cursor.sees(QUOTES));
            let diagnostic = Diagnostic::new(quote, end - quote, "a version takes no quotes");
            Some(diagnostic.hint(cursor.suggestion(quote..end, version.trim())))
        }
        Some(c) if OPERATORS.contains(c) => {
            cursor.take(|c| OPERATORS.contains(c));
            let joined = cursor.text(start..cursor.at).replace(char::is_whitespace, "");
            let diagnostic = Diagnostic::new(start, cursor.at - start, "a comparison has no spaces inside");
            Some(diagnostic.hint(cursor.suggestion(start..cursor.at, &joined)))
        }
        _ => None,
    }
}

/// Operators of other tools and slips of the pen. The operator is at `start..behind`, and the cursor behind it and its
/// space.
fn operator_mistake(operator: &str, start: usize, behind: usize, cursor: &Cursor<'_>) -> Option<Diagnostic> {
    let diagnostic = |message: &str| Diagnostic::new(start, behind - start, message);
    let rest = cursor.rest();
    let version: String = rest.chars().take_while(|c| is_version_char(*c)).collect();
    let version_end = cursor.at + version.chars().count();
    let meant = match operator {
        "=" if rest.starts_with(['"', '\'']) => {
            let quoted: String = rest.chars().skip(1).take_while(|c| !QUOTES.contains(*c)).collect();
            let name = cursor.text(0..start);
            let meant = format!("{}{}", name.trim_end(), poetry::comparison(&quoted));
            return Some(diagnostic("this is a line of a TOML file").hint(write_hint(&meant)));
        }
        "=" if cursor.chars.get(version_end) == Some(&'=') => {
            let end = cursor.chars.iter().skip(version_end).position(|c| c.is_whitespace() || *c == ';');
            let end = end.map_or(cursor.chars.len(), |end| version_end + end);
            let diagnostic = diagnostic("`name=version=build` is conda's form");
            return Some(diagnostic.hint(cursor.suggestion(start..end, &format!("=={version}"))));
        }
        "^" | "~" => {
            let hint = match poetry::range(operator, &version) {
                Some(range) => cursor.suggestion(start..version_end, &range),
                None => "write the bounds: `>=LOWER,<UPPER`".to_owned(),
            };
            return Some(diagnostic(&format!("`{operator}` is Poetry's, not a comparison here")).hint(hint));
        }
        "=" => "==",
        "=>" => ">=",
        "=<" => "<=",
        "=~" => "~=",
        "=!" | "!" | "<>" | "!==" => "!=",
        _ => return None,
    };
    if cursor.sees(OPERATORS) {
        return None;
    }
    Some(
        diagnostic(&format!("`{operator}` is not a comparison"))
            .hint(cursor.suggestion(start..behind, meant)),
    )
}

/// Versions that are none: `*`, `latest`, `1.x`, and `.*` behind an ordered comparison. The operator is at `start`, the
/// version at `at`.
fn version_mistake(
    operator: &str,
    version: &str,
    start: usize,
    at: usize,
    cursor: &Cursor<'_>,
) -> Option<Diagnostic> {
    let end = at + version.len();
    let diagnostic = |message: String| Diagnostic::new(at, version.len(), message);
    if matches!(version.to_ascii_lowercase().as_str(), "*" | "latest" | "any") {
        return Some(
            diagnostic(format!("`{version}` is not a version")).hint(cursor.suggestion(start..end, "")),
        );
    }
    if let Some(stem) = version.strip_suffix(".*").filter(|_| !matches!(operator, "==" | "!=")) {
        return Some(
            diagnostic(format!("`{operator}` takes no `.*`")).hint(cursor.suggestion(at..end, stem)).hint(
                format!("or, for any {stem}, {}", cursor.suggestion(start..end, &format!("=={stem}.*"))),
            ),
        );
    }
    let stem = version.strip_suffix(".x")?;
    let hint = cursor.suggestion(start..end, &format!("=={stem}.*"));
    Some(diagnostic(format!("`{version}` is not a version")).hint(hint))
}

fn write_hint(meant: &str) -> String {
    format!("write `{meant}`")
}

fn is_name_char(c: char) -> bool {
    c.is_ascii_alphanumeric() || "-_.".contains(c)
}

fn is_version_char(c: char) -> bool {
    c.is_ascii_alphanumeric() || "-_.*+!".contains(c)
}
