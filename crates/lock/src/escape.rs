//! Any text on one comment line. Python's `splitlines`, hence pip, ends a line (and with it a comment) at more
//! characters than LF.
//!
//! A backslash is doubled; a control character, U+2028 and U+2029 become `\u{…}` with the code point in hexadecimal.

use std::borrow::Cow;

/// `text` as it stands on a comment line.
pub(crate) fn escape(text: &str) -> Cow<'_, str> {
    let special = |c: char| c.is_control() || matches!(c, '\\' | '\u{2028}' | '\u{2029}');
    if !text.contains(special) {
        return Cow::Borrowed(text);
    }
    let mut escaped = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        match c {
            '\\' => escaped.push_str(r"\\"),
            c if special(c) => escaped.extend(c.escape_unicode()),
            c => escaped.push(c),
        }
    }
    Cow::Owned(escaped)
}

/// The inverse of [`escape`]; a backslash that `escape` would not write stands for itself.
pub(crate) fn unescape(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('\\') {
        plain.push_str(&rest[..at]);
        let (c, after) = unescape_one(&rest[at + 1..]).unwrap_or(('\\', &rest[at + 1..]));
        plain.push(c);
        rest = after;
    }
    plain + rest
}

/// The character that `text` (what follows a backslash) stands for, and what follows it.
fn unescape_one(text: &str) -> Option<(char, &str)> {
    if let Some(after) = text.strip_prefix('\\') {
        return Some(('\\', after));
    }
    let (digits, after) = text.strip_prefix("u{")?.split_once('}')?;
    let c = u32::from_str_radix(digits, 16).ok().and_then(char::from_u32)?;
    Some((c, after))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escaped_text_is_one_line_and_comes_back() {
        for text in ["a b.in", r"dir\new.in", "a\nb", "a\u{2028}--index-url x", r"\u{41}", r"\\", "ä"] {
            let escaped = escape(text);
            assert!(!escaped.contains(char::is_control) && !escaped.contains('\u{2028}'), "{escaped}");
            assert_eq!(unescape(&escaped), text);
        }
        for text in [r"C:\new", r"a\", r"\u{zz}", r"\u{110000}", r"\u{41"] {
            assert_eq!(unescape(text), text, "what escape would not write");
        }
    }
}
