//! TOML (1.0) with places: a parsed file, and the characters of its strings, each with its place.

use std::ops::Range;

use toml_edit::{Document, Item, TableLike};

use super::source::{InputText, SourceChar, text_of};

/// A parsed file; its spans start behind the byte order mark.
pub(super) type Parsed<'a> = Document<&'a str>;

/// Parses `source`.
///
/// # Errors
/// What is wrong and where.
pub(super) fn parse(source: &InputText) -> Result<Parsed<'_>, (Range<usize>, String)> {
    let (body, base) = source.body();
    Document::parse(body).map_err(|error| {
        let span = error.span().unwrap_or_default();
        (base + span.start..base + span.end, error.message().trim().replace('\n', ", "))
    })
}

/// The item at `path`, if it is there.
pub(super) fn find<'a>(root: &'a dyn TableLike, path: &[&str]) -> Option<&'a Item> {
    let (first, rest) = path.split_first()?;
    rest.iter().try_fold(root.get(first)?, |item, key| item.as_table_like()?.get(key))
}

/// The characters of the string `value` whose literal, quotes and all, stands at `literal`.
pub(super) fn string_chars(source: &InputText, literal: Range<usize>, value: &str) -> Vec<SourceChar> {
    let chars: Vec<_> = source.chars(literal.clone()).collect();
    let decoded = decoded(&chars);
    if text_of(&decoded) == value {
        return decoded;
    }
    // Decoding here and in the parser disagree: every character stands for the whole literal.
    value.chars().map(|ch| SourceChar { ch, start: literal.start, end: literal.end }).collect()
}

/// How a string literal is quoted: the quote, and how often it stands at each end.
pub(super) fn quoting(chars: &[SourceChar]) -> (char, usize) {
    match chars {
        [a, b, c, ..] if a.ch == b.ch && b.ch == c.ch => (a.ch, 3),
        [a, ..] => (a.ch, 1),
        [] => ('"', 1),
    }
}

fn decoded(literal: &[SourceChar]) -> Vec<SourceChar> {
    let (quote, times) = quoting(literal);
    let Some(mut rest) = literal.get(times..literal.len().saturating_sub(times)) else { return Vec::new() };
    if times == 3 {
        rest = match rest {
            [SourceChar { ch: '\r', .. }, SourceChar { ch: '\n', .. }, rest @ ..]
            | [SourceChar { ch: '\n', .. }, rest @ ..] => rest,
            rest => rest,
        };
    }
    if quote == '\'' {
        return rest.to_vec();
    }
    let mut out = Vec::with_capacity(rest.len());
    while let [first, tail @ ..] = rest {
        if first.ch == '\\' {
            let (char, behind) = escape(rest);
            out.extend(char);
            rest = behind;
        } else {
            out.push(*first);
            rest = tail;
        }
    }
    out
}

/// Reads the escape sequence at the start: its character, unless it joins lines, and what follows it.
fn escape(chars: &[SourceChar]) -> (Option<SourceChar>, &[SourceChar]) {
    let Some(kind) = chars.get(1) else { return (None, &[]) };
    let digits = match kind.ch {
        'x' => 2,
        'u' => 4,
        'U' => 8,
        ch if ch.is_whitespace() => {
            let end = chars[1..].iter().position(|char| !char.ch.is_whitespace());
            return (None, end.map_or(&[], |end| &chars[end + 1..]));
        }
        _ => 0,
    };
    let end = (2 + digits).min(chars.len());
    let ch = match kind.ch {
        'b' => '\u{8}',
        't' => '\t',
        'n' => '\n',
        'f' => '\u{c}',
        'r' => '\r',
        'e' => '\u{1b}',
        'x' | 'u' | 'U' => code_point(&chars[2..end]),
        ch => ch,
    };
    (Some(SourceChar { ch, start: chars[0].start, end: chars[end - 1].end }), &chars[end..])
}

fn code_point(digits: &[SourceChar]) -> char {
    u32::from_str_radix(&text_of(digits), 16)
        .ok()
        .and_then(char::from_u32)
        .unwrap_or(char::REPLACEMENT_CHARACTER)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn characters_know_their_place_in_the_literal() {
        for (literal, value, places) in [
            (r#""ab""#, "ab", &[1, 2][..]),
            ("'a\\b'", "a\\b", &[1, 2, 3]),
            (r#""a\"b\u0041c""#, "a\"bAc", &[1, 2, 4, 5, 11]),
            ("\"\"\"\na\\\n  b\"\"\"", "ab", &[4, 9]),
            ("'''a'''", "a", &[3]),
            (r#""\xe9""#, "é", &[1]),
        ] {
            let text = format!("k = {literal}\n");
            let source = InputText::new("f", text.clone());
            let parsed = parse(&source).unwrap();
            let item = find(parsed.as_table(), &["k"]).unwrap();
            assert_eq!(item.as_str(), Some(value), "{literal}");
            let chars = string_chars(&source, item.span().unwrap(), value);
            let starts: Vec<_> = chars.iter().map(|char| char.start - 4).collect();
            assert_eq!(starts, places, "{literal}");
        }
    }
}
