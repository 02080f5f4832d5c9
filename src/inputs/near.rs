//! What people write when they mean a requirement: each near miss with what was meant.
//!
//! Asked only about a text that is no requirement, so nothing here can refuse a good one.

use super::nearest;
use super::problem::Finding;

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

/// A text as characters, and where one reads.
struct Reader<'a> {
    chars: &'a [char],
    at: usize,
}

impl Reader<'_> {
    fn peek(&self) -> Option<char> {
        self.chars.get(self.at).copied()
    }

    fn take(&mut self, belongs: impl Fn(char) -> bool) -> String {
        let start = self.at;
        while self.peek().is_some_and(&belongs) {
            self.at += 1;
        }
        self.chars[start..self.at].iter().collect()
    }

    fn skip_space(&mut self) {
        self.take(char::is_whitespace);
    }

    fn rest(&self) -> String {
        self.chars[self.at.min(self.chars.len())..].iter().collect()
    }
}

/// What was meant by `text`, if that is known.
pub(super) fn miss(text: &str) -> Option<Finding> {
    let chars: Vec<char> = text.chars().collect();
    if let Some(finding) = whole_line(text, &chars) {
        return Some(finding);
    }
    let mut reader = Reader { chars: &chars, at: 0 };
    let mut name = reader.take(is_name_char);
    if name.is_empty() {
        return None;
    }
    if reader.peek() == Some('[') {
        name.push_str(&reader.take(|c| c != ']'));
        name.push_str(&reader.take(|c| c == ']'));
    }
    reader.skip_space();
    after_name(&name, &mut reader)
}

/// Lines that are no requirement from their first character on.
fn whole_line(text: &str, chars: &[char]) -> Option<Finding> {
    let whole = |message: &str| Finding::new(0, chars.len(), message);
    if let Some(quote) = chars.first().filter(|c| "\"'`“”‘’".contains(**c)) {
        let inside = text.trim_end_matches(',').trim_matches(|c: char| "\"'`“”‘’".contains(c));
        return Some(
            Finding::new(0, 1, format!("a requirement stands without quotes, not in `{quote}`"))
                .hint(write(inside)),
        );
    }
    if text.starts_with('[') {
        return Some(whole("a requirements file has no sections"));
    }
    for command in ["pip install ", "pip3 install ", "python -m pip install ", "uv pip install ", "uv add "] {
        if let Some(wanted) = text.strip_prefix(command) {
            let len = command.trim_end().chars().count();
            return Some(
                Finding::new(0, len, "this is a command, not a requirement").hint(write(wanted.trim())),
            );
        }
    }
    None
}

/// What stands behind the name: specifiers, a marker, or something else.
fn after_name(name: &str, reader: &mut Reader<'_>) -> Option<Finding> {
    let start = reader.at;
    match reader.peek()? {
        '=' | '<' | '>' | '!' | '~' | '^' => specifiers(name, reader),
        ';' => marker(reader),
        '@' => {
            let target = reader.rest().trim_start_matches('@').trim().to_owned();
            if !target.starts_with(|c: char| c.is_ascii_digit()) {
                return None;
            }
            Some(Finding::new(start, 1, "expected a URL after `@`").hint(write(&format!("{name}=={target}"))))
        }
        '#' => Some(Finding::new(start, 1, "a comment needs a space before its `#`")),
        ',' => Some(Finding::new(start, 1, "this comma stands between two requirements").hint(ONE_A_LINE)),
        '*' => Some(Finding::new(start, 1, "every version is what a name alone means").hint(write(name))),
        c if c.is_ascii_digit() => {
            let version = reader.take(is_version_char);
            Some(
                Finding::new(
                    start,
                    version.chars().count(),
                    "a comparison is missing between name and version",
                )
                .hint(write(&format!("{name}=={version}"))),
            )
        }
        c if c.is_alphanumeric() => word_behind(name, reader),
        _ => None,
    }
}

const ONE_A_LINE: &str = "write one requirement a line";

/// A word where an operator or a `;` belongs.
fn word_behind(before: &str, reader: &mut Reader<'_>) -> Option<Finding> {
    let start = reader.at;
    let word = reader.take(is_name_char);
    let len = word.chars().count();
    if MARKERS.contains(&word.as_str()) {
        let marker = format!("{word}{}", reader.rest());
        return Some(Finding::new(start, len, "a `;` is missing before the marker").hint(write(&format!(
            "{} ; {}",
            before.trim_end(),
            marker.trim_end()
        ))));
    }
    Some(Finding::new(start, len, format!("`{word}` is left over")).hint(ONE_A_LINE))
}

/// A list of comparisons, up to the marker.
fn specifiers(name: &str, reader: &mut Reader<'_>) -> Option<Finding> {
    loop {
        let start = reader.at;
        let operator = reader.take(|c| "=<>!~^".contains(c));
        let len = reader.at - start;
        reader.skip_space();
        let version_at = reader.at;
        if let Some(finding) = odd_operator(name, &operator, start, reader) {
            return Some(finding);
        }
        let version = reader.take(is_version_char);
        if version.is_empty() {
            return no_version(name, &operator, start, len, reader);
        }
        if let Some(finding) = odd_version(name, &operator, &version, version_at) {
            return Some(finding);
        }
        reader.skip_space();
        match reader.peek()? {
            ',' => {
                let comma = reader.at;
                reader.at += 1;
                reader.skip_space();
                if reader.peek().is_none_or(|c| c == ';') {
                    return Some(Finding::new(comma, 1, "nothing follows this comma"));
                }
                if !reader.peek().is_some_and(|c| "=<>!~^".contains(c)) {
                    return Some(after_comma(comma, reader));
                }
            }
            ';' => return marker(reader),
            c if "=<>!~^".contains(c) => return Some(no_comma(reader)),
            c if c.is_alphanumeric() => {
                let before: String = reader.chars[..reader.at].iter().collect();
                return word_behind(&before, reader);
            }
            '#' => return Some(Finding::new(reader.at, 1, "a comment needs a space before its `#`")),
            _ => return None,
        }
    }
}

fn after_comma(comma: usize, reader: &Reader<'_>) -> Finding {
    if reader.peek().is_some_and(|c| c.is_ascii_digit()) {
        return Finding::new(reader.at, 1, "expected a comparison, such as `<`, before this version");
    }
    Finding::new(comma, 1, "this comma stands between two requirements").hint(ONE_A_LINE)
}

fn no_comma(reader: &Reader<'_>) -> Finding {
    let before: String = reader.chars[..reader.at].iter().collect();
    let after = reader.rest();
    Finding::new(reader.at, 1, "a comma is missing between two comparisons")
        .hint(write(&format!("{},{after}", before.trim_end())))
}

fn no_version(
    name: &str,
    operator: &str,
    start: usize,
    len: usize,
    reader: &mut Reader<'_>,
) -> Option<Finding> {
    match reader.peek() {
        None | Some(',' | ';' | '#') => {
            Some(Finding::new(start + len, 1, format!("expected a version after `{operator}`")))
        }
        Some('"' | '\'' | '“' | '”') => {
            let at = reader.at;
            let version: String = reader.rest().chars().filter(|c| is_version_char(*c)).collect();
            let finding = Finding::new(at, 1, "a version stands without quotes");
            Some(if reader.rest().contains(';') {
                finding
            } else {
                finding.hint(write(&format!("{name}{operator}{version}")))
            })
        }
        Some(c) if "=<>!~".contains(c) => {
            Some(Finding::new(start, reader.at + 1 - start, "a comparison is one word, without spaces"))
        }
        _ => None,
    }
}

/// Operators of other tools and slips of the pen; the reader stands behind the operator.
fn odd_operator(name: &str, operator: &str, start: usize, reader: &Reader<'_>) -> Option<Finding> {
    let rest = reader.rest();
    let version: String = rest.chars().take_while(|c| is_version_char(*c)).collect();
    let behind = &rest[version.len()..];
    let finding = |message: &str| Finding::new(start, operator.chars().count(), message);
    let meant = |operator: &str| {
        if version.is_empty() {
            format!("write `{operator}`")
        } else {
            write(&format!("{name}{operator}{version}"))
        }
    };
    match operator {
        "=" if rest.starts_with(['"', '\'']) => {
            let quoted: String = rest.chars().skip(1).take_while(|c| !"\"'".contains(*c)).collect();
            Some(
                finding("this is a line of a TOML file")
                    .hint(write(&format!("{name}{}", comparison(&quoted)))),
            )
        }
        "=" if behind.starts_with('=') => {
            Some(finding("`name=version=build` is conda's form").hint(meant("==")))
        }
        "=" => Some(finding("`=` is not a comparison").hint(meant("=="))),
        "=>" => Some(finding("`=>` is not a comparison").hint(meant(">="))),
        "=<" => Some(finding("`=<` is not a comparison").hint(meant("<="))),
        "=~" => Some(finding("`=~` is not a comparison").hint(meant("~="))),
        "=!" | "!" | "<>" | "!==" => {
            Some(finding(&format!("`{operator}` is not a comparison")).hint(meant("!=")))
        }
        "^" => Some(finding("`^` is Poetry's, not a comparison here").hint(ranged(name, &version, caret))),
        "~" => Some(finding("`~` is Poetry's, not a comparison here").hint(ranged(name, &version, tilde))),
        _ => None,
    }
}

/// What a version of Poetry's tables means.
fn comparison(version: &str) -> String {
    let version = version.trim();
    if let Some(caretted) = version.strip_prefix('^') {
        range(caretted, caret).unwrap_or_default()
    } else if let Some(tilded) = version.strip_prefix('~').filter(|rest| !rest.starts_with('=')) {
        range(tilded, tilde).unwrap_or_default()
    } else if version == "*" {
        String::new()
    } else if version.starts_with(|c: char| c.is_ascii_digit()) {
        format!("=={version}")
    } else {
        version.to_owned()
    }
}

fn ranged(name: &str, version: &str, bump: fn(&[u64]) -> usize) -> String {
    match range(version, bump) {
        Some(range) => write(&format!("{name}{range}")),
        None => "write the bounds: `>=LOWER,<UPPER`".to_owned(),
    }
}

/// `>=version,<` the version with the part that `bump` tells raised by one.
fn range(version: &str, bump: fn(&[u64]) -> usize) -> Option<String> {
    let version = version.trim();
    let parts: Vec<u64> = version.split('.').map(|part| part.parse().ok()).collect::<Option<_>>()?;
    let raised = bump(&parts);
    let mut upper: Vec<String> = parts[..raised].iter().map(u64::to_string).collect();
    upper.push(parts[raised].checked_add(1)?.to_string());
    Some(format!(">={version},<{}", upper.join(".")))
}

/// `^`: the first part that is not zero may not change.
fn caret(parts: &[u64]) -> usize {
    parts.iter().position(|part| *part != 0).unwrap_or(parts.len() - 1)
}

/// `~`: the second part may not change, or the first, if it is alone.
fn tilde(parts: &[u64]) -> usize {
    usize::from(parts.len() > 1)
}

fn odd_version(name: &str, operator: &str, version: &str, at: usize) -> Option<Finding> {
    let len = version.chars().count();
    let finding = |message: String| Finding::new(at, len, message);
    if matches!(version.to_ascii_lowercase().as_str(), "*" | "latest" | "any") {
        return Some(finding(format!("`{version}` is not a version")).hint(write(name)));
    }
    if let Some(stem) = version.strip_suffix(".*").filter(|_| !matches!(operator, "==" | "!=")) {
        return Some(
            finding(format!("`{operator}` takes no `.*`"))
                .hint(format!("write `{name}{operator}{stem}` or `{name}=={stem}.*`")),
        );
    }
    if let Some(stem) = version.strip_suffix(".x") {
        return Some(
            finding(format!("`{version}` is not a version")).hint(write(&format!("{name}=={stem}.*"))),
        );
    }
    None
}

/// What stands behind the `;`.
fn marker(reader: &mut Reader<'_>) -> Option<Finding> {
    let semicolon = reader.at;
    reader.at += 1;
    reader.skip_space();
    if reader.peek().is_none() {
        return Some(Finding::new(semicolon, 1, "expected a marker after `;`"));
    }
    let mut words: Vec<String> = Vec::new();
    while let Some(c) = reader.peek() {
        let start = reader.at;
        match c {
            '"' | '\'' => {
                reader.at += 1;
                reader.take(|other| other != c);
                if reader.peek().is_none() {
                    return Some(Finding::new(start, 1, format!("this `{c}` is not closed")));
                }
                reader.at += 1;
                words.push(c.to_string());
            }
            '“' | '”' | '‘' | '’' => {
                return Some(
                    Finding::new(start, 1, format!("`{c}` is no quote here")).hint("use `'` or `\"`"),
                );
            }
            '&' | '|' => {
                let symbol = reader.take(|other| other == c);
                let word = if c == '&' { "and" } else { "or" };
                return Some(
                    Finding::new(start, symbol.len(), format!("`{symbol}` joins no markers"))
                        .hint(format!("write `{word}`")),
                );
            }
            '=' | '<' | '>' | '!' | '~' => {
                let operator = reader.take(|other| "=<>!~".contains(other));
                if let Some(finding) = odd_marker_operator(&operator, start) {
                    return Some(finding);
                }
                words.push(operator);
            }
            c if is_name_char(c) => {
                let word = reader.take(is_name_char);
                if let Some(finding) = odd_marker_word(&word, words.last().map(String::as_str), start) {
                    return Some(finding);
                }
                words.push(word);
            }
            _ => reader.at += 1,
        }
    }
    None
}

fn odd_marker_operator(operator: &str, start: usize) -> Option<Finding> {
    let meant = match operator {
        "=" => "==",
        "=>" => ">=",
        "=<" => "<=",
        "!" | "<>" | "=!" => "!=",
        _ => return None,
    };
    Some(
        Finding::new(start, operator.len(), format!("`{operator}` is not a comparison"))
            .hint(format!("write `{meant}`")),
    )
}

/// A word of a marker that is neither a marker nor `and`, `or`, `not`, `in`.
fn odd_marker_word(word: &str, before: Option<&str>, start: usize) -> Option<Finding> {
    if matches!(word, "and" | "or" | "not" | "in") || MARKERS.contains(&word) {
        return None;
    }
    let len = word.chars().count();
    let compared =
        before.is_some_and(|b| matches!(b, "in" | "==" | "!=" | "<" | "<=" | ">" | ">=" | "~=" | "==="));
    if compared || word.starts_with(|c: char| c.is_ascii_digit()) {
        return Some(
            Finding::new(start, len, format!("`{word}` must stand in quotes"))
                .hint(format!("write `'{word}'`")),
        );
    }
    let finding = Finding::new(start, len, format!("`{word}` is not a marker"));
    let folded = word.to_ascii_lowercase().replace(['-', '.'], "_");
    Some(match nearest::meant(&folded, MARKERS.iter().copied()) {
        Some(meant) => finding.hint(format!("did you mean `{meant}`?")),
        None => finding.hint(format!("the markers are {}", MARKERS.join(", "))),
    })
}

fn write(meant: &str) -> String {
    format!("write `{meant}`")
}

fn is_name_char(c: char) -> bool {
    c.is_ascii_alphanumeric() || "-_.".contains(c)
}

fn is_version_char(c: char) -> bool {
    c.is_ascii_alphanumeric() || "-_.*+!".contains(c)
}
