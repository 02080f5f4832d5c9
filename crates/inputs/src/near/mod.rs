//! What people write when they mean a requirement: each near miss with what was meant.
//!
//! Asked only about a text that is no requirement, so nothing here can refuse a good one.

mod marker;
mod poetry;

use std::ops::Range;

use super::problem::Finding;
use pinfast_packaging::Requirement;

/// The characters of which comparisons are made, here or in other tools.
const OPERATORS: &str = "=<>!~^";
/// Quotes, and what word processors make of them.
const QUOTES: &str = "\"'`“”‘’";
const ONE_A_LINE: &str = "write one requirement a line";
/// How long a whole requirement may be to be repeated in a hint.
const REPEATED: usize = 100;

/// A text as characters, and where one reads.
struct Reader<'a> {
    chars: &'a [char],
    at: usize,
}

impl Reader<'_> {
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

    /// A hint to write `new` in place of the characters in `range`: the whole requirement as it then
    /// is, if it is one.
    fn meant(&self, range: Range<usize>, new: &str) -> String {
        let whole = self.text(0..range.start) + new + &self.text(range.end..self.chars.len());
        let whole = whole.trim_end();
        let repeat = whole.len() <= REPEATED && whole.parse::<Requirement>().is_ok();
        write(if repeat { whole } else { new.trim() })
    }
}

/// What was meant by `text`, if that is known.
pub(super) fn miss(text: &str) -> Option<Finding> {
    let chars: Vec<char> = text.chars().collect();
    whole_line(text).or_else(|| {
        let mut reader = Reader { chars: &chars, at: 0 };
        let name = reader.take(is_name_char);
        if name.is_empty() {
            return None;
        }
        if reader.sees("[") {
            reader.take(|c| c != ']');
            reader.take(|c| c == ']');
        }
        reader.skip_space();
        after_name(&mut reader)
    })
}

/// Lines that are no requirement from their first character on.
fn whole_line(text: &str) -> Option<Finding> {
    const COMMANDS: &[&str] =
        &["pip install ", "pip3 install ", "python -m pip install ", "uv pip install ", "uv add "];
    if text.starts_with(|c| QUOTES.contains(c)) {
        let inside = text.trim_end_matches(',').trim_matches(|c| QUOTES.contains(c));
        return Some(Finding::new(0, 1, "a requirement takes no quotes").hint(write(inside)));
    }
    if text.starts_with('[') {
        return Some(Finding::new(0, text.chars().count(), "a requirements file has no sections"));
    }
    let (command, wanted) =
        COMMANDS.iter().find_map(|command| Some((command, text.strip_prefix(command)?)))?;
    let finding = Finding::new(0, command.trim_end().len(), "this is a command, not a requirement");
    Some(finding.hint(write(wanted.trim())))
}

/// What stands behind the name: specifiers, a marker, or something else.
fn after_name(reader: &mut Reader<'_>) -> Option<Finding> {
    let start = reader.at;
    match reader.peek()? {
        c if OPERATORS.contains(c) => specifiers(reader),
        ';' => marker::miss(reader),
        '@' => version_for_url(reader),
        '#' => Some(tight_comment(reader)),
        ',' => Some(Finding::new(start, 1, "this comma stands between two requirements").hint(ONE_A_LINE)),
        '*' => Some(
            Finding::new(start, 1, "a name alone means every version")
                .hint(reader.meant(start..start + 1, "")),
        ),
        c if c.is_ascii_digit() => {
            let version = reader.take(is_version_char);
            let finding =
                Finding::new(start, version.len(), "expected a comparison, such as `==`, before the version");
            Some(finding.hint(reader.meant(start..start, "==")))
        }
        c if c.is_alphanumeric() => Some(word_behind(reader)),
        _ => None,
    }
}

/// `name@1.0`, as other languages' tools have it.
fn version_for_url(reader: &mut Reader<'_>) -> Option<Finding> {
    let start = reader.at;
    reader.at += 1;
    reader.skip_space();
    let version_follows = reader.peek()?.is_ascii_digit();
    version_follows.then(|| {
        Finding::new(start, 1, "expected a URL after `@`").hint(reader.meant(start..reader.at, "=="))
    })
}

fn tight_comment(reader: &Reader<'_>) -> Finding {
    Finding::new(reader.at, 1, "a comment needs a space before its `#`").hint(write(&format!(
        "{} {}",
        reader.text(0..reader.at).trim_end(),
        reader.rest()
    )))
}

/// A word where a comparison or a `;` belongs.
fn word_behind(reader: &mut Reader<'_>) -> Finding {
    let start = reader.at;
    let word = reader.take(is_name_char);
    let len = word.chars().count().max(1);
    if marker::is_marker(&word) {
        let finding = Finding::new(start, len, "expected a `;` before the marker");
        return finding.hint(reader.meant(start..start, "; "));
    }
    Finding::new(start, len, format!("`{word}` does not belong to this requirement")).hint(ONE_A_LINE)
}

/// A list of comparisons, up to the marker.
fn specifiers(reader: &mut Reader<'_>) -> Option<Finding> {
    loop {
        let start = reader.at;
        let operator = reader.take(|c| OPERATORS.contains(c));
        let behind = reader.at;
        reader.skip_space();
        if let Some(finding) = odd_operator(&operator, start, behind, reader) {
            return Some(finding);
        }
        let version_at = reader.at;
        let version = reader.take(is_version_char);
        if version.is_empty() {
            return no_version(&operator, start, behind, reader);
        }
        if let Some(finding) = odd_version(&operator, &version, start, version_at, reader) {
            return Some(finding);
        }
        reader.skip_space();
        match reader.peek()? {
            ',' => {
                if let Some(finding) = after_comma(reader) {
                    return Some(finding);
                }
            }
            ';' => return marker::miss(reader),
            '#' => return Some(tight_comment(reader)),
            c if OPERATORS.contains(c) => {
                let finding = Finding::new(reader.at, 1, "expected a comma between two comparisons");
                let end = version_at + version.len();
                return Some(finding.hint(reader.meant(end..reader.at, ",")));
            }
            c if c.is_alphanumeric() => return Some(word_behind(reader)),
            _ => return None,
        }
    }
}

/// Reads a comma; wrong is what does not go on with a comparison.
fn after_comma(reader: &mut Reader<'_>) -> Option<Finding> {
    let comma = reader.at;
    reader.at += 1;
    reader.skip_space();
    match reader.peek() {
        None | Some(';') => Some(Finding::new(comma, 1, "nothing follows this comma")),
        Some(c) if OPERATORS.contains(c) => None,
        Some(c) if c.is_ascii_digit() => {
            Some(Finding::new(reader.at, 1, "expected a comparison, such as `<`, before the version"))
        }
        Some(_) => {
            Some(Finding::new(comma, 1, "this comma stands between two requirements").hint(ONE_A_LINE))
        }
    }
}

/// The operator stands at `start..behind`; no version follows.
fn no_version(operator: &str, start: usize, behind: usize, reader: &mut Reader<'_>) -> Option<Finding> {
    match reader.peek() {
        None | Some(',' | ';' | '#') => {
            Some(Finding::new(behind, 1, format!("expected a version after `{operator}`")))
        }
        Some(c) if QUOTES.contains(c) => {
            let quote = reader.at;
            reader.at += 1;
            let version = reader.take(|c| !QUOTES.contains(c));
            let end = reader.at + usize::from(reader.sees(QUOTES));
            let finding = Finding::new(quote, end - quote, "a version takes no quotes");
            Some(finding.hint(reader.meant(quote..end, version.trim())))
        }
        Some(c) if OPERATORS.contains(c) => {
            reader.take(|c| OPERATORS.contains(c));
            let joined = reader.text(start..reader.at).replace(char::is_whitespace, "");
            let finding = Finding::new(start, reader.at - start, "a comparison has no spaces inside");
            Some(finding.hint(reader.meant(start..reader.at, &joined)))
        }
        _ => None,
    }
}

/// Operators of other tools and slips of the pen. The operator stands at `start..behind`, the reader at
/// what follows it.
fn odd_operator(operator: &str, start: usize, behind: usize, reader: &Reader<'_>) -> Option<Finding> {
    let finding = |message: &str| Finding::new(start, behind - start, message);
    let rest = reader.rest();
    let version: String = rest.chars().take_while(|c| is_version_char(*c)).collect();
    let version_end = reader.at + version.chars().count();
    let meant = match operator {
        "=" if rest.starts_with(['"', '\'']) => {
            let quoted: String = rest.chars().skip(1).take_while(|c| !QUOTES.contains(*c)).collect();
            let name = reader.text(0..start);
            let meant = format!("{}{}", name.trim_end(), poetry::comparison(&quoted));
            return Some(finding("this is a line of a TOML file").hint(write(&meant)));
        }
        "=" if reader.chars.get(version_end) == Some(&'=') => {
            let end = reader.chars.iter().skip(version_end).position(|c| c.is_whitespace() || *c == ';');
            let end = end.map_or(reader.chars.len(), |end| version_end + end);
            let finding = finding("`name=version=build` is conda's form");
            return Some(finding.hint(reader.meant(start..end, &format!("=={version}"))));
        }
        "^" | "~" => {
            let hint = match poetry::range(operator, &version) {
                Some(range) => reader.meant(start..version_end, &range),
                None => "write the bounds: `>=LOWER,<UPPER`".to_owned(),
            };
            return Some(finding(&format!("`{operator}` is Poetry's, not a comparison here")).hint(hint));
        }
        "=" => "==",
        "=>" => ">=",
        "=<" => "<=",
        "=~" => "~=",
        "=!" | "!" | "<>" | "!==" => "!=",
        _ => return None,
    };
    if reader.sees(OPERATORS) {
        return None;
    }
    Some(finding(&format!("`{operator}` is not a comparison")).hint(reader.meant(start..behind, meant)))
}

/// The operator stands at `start`, the version at `at`.
fn odd_version(
    operator: &str,
    version: &str,
    start: usize,
    at: usize,
    reader: &Reader<'_>,
) -> Option<Finding> {
    let end = at + version.len();
    let finding = |message: String| Finding::new(at, version.len(), message);
    if matches!(version.to_ascii_lowercase().as_str(), "*" | "latest" | "any") {
        return Some(finding(format!("`{version}` is not a version")).hint(reader.meant(start..end, "")));
    }
    if let Some(stem) = version.strip_suffix(".*").filter(|_| !matches!(operator, "==" | "!=")) {
        return Some(
            finding(format!("`{operator}` takes no `.*`"))
                .hint(reader.meant(at..end, stem))
                .hint(format!("or, for any {stem}, {}", reader.meant(start..end, &format!("=={stem}.*")))),
        );
    }
    let stem = version.strip_suffix(".x")?;
    let hint = reader.meant(start..end, &format!("=={stem}.*"));
    Some(finding(format!("`{version}` is not a version")).hint(hint))
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
