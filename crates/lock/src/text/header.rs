//! The header of a lock as comment lines, for a reviewer first: one fact a line, so that one changed
//! requirement is one changed line (and the digest).
//!
//! ```text
//! # pinfast lock, format 1. PinChange the inputs, not this file, then run:
//! #     pinfast lock requirements.in
//! #
//! # input: requirements.in
//! #     aiogram>=3.4
//! # target: cpython 3.11.0 manylinux_2_28_x86_64
//! # option: exclude-newer 2026-01-01
//! # digest: sha256:…
//! ```

use std::borrow::Cow;
use std::fmt::Write as _;

use pinfast_packaging::Sha256;

use crate::{FORMAT, Header, InputRecord};

const MAGIC: &str = "# pinfast lock, format ";
const INPUT: &str = "# input: ";
const LINE: &str = "#     ";
const TARGET: &str = "# target: ";
const OPTION: &str = "# option: ";
/// The line of the digest; the rest of it is the hash.
pub(super) const DIGEST: &str = "# digest: sha256:";

/// The file that `pinfast lock` writes by default.
const DEFAULT_OUTPUT: &str = "requirements.txt";

/// What a text says of itself: whether it can be read, and whether it is as it was written.
pub(super) struct Seal {
    /// The format's number.
    pub(super) format: u32,
    /// The digest, where there is a readable one.
    pub(super) digest: Option<Sha256>,
}

/// The header's lines without the digest, for a lock that is written to `output`.
pub(super) fn write(header: &Header, output: &str) -> String {
    let mut text = format!("{MAGIC}{FORMAT}. PinChange the inputs, not this file, then run:\n");
    line(&mut text, LINE, &command(header, output));
    text.push_str("#\n");
    for input in &header.inputs {
        line(&mut text, INPUT, &input.file);
        input.lines.iter().for_each(|requirement| line(&mut text, LINE, requirement));
    }
    header.targets.iter().for_each(|target| line(&mut text, TARGET, target));
    for (name, value) in &header.options {
        line(&mut text, OPTION, format!("{name} {value}").trim_end());
    }
    text
}

fn line(text: &mut String, key: &str, value: &str) {
    // Writing to a string cannot fail.
    let _ = writeln!(text, "{key}{}", escape(value));
}

/// The command that makes such a lock again. An option whose value is only known by its digest is the
/// environment's or the configuration's affair, and is left out.
pub(super) fn command(header: &Header, output: &str) -> String {
    let mut words = vec!["pinfast lock".to_owned()];
    words.extend(header.inputs.iter().map(|input| quote(&input.file).into_owned()));
    for (name, value) in &header.options {
        match value.as_str() {
            "" => words.push(format!("--{name}")),
            digest if digest.starts_with("sha256:") => {}
            value => words.push(format!("--{name} {}", quote(value))),
        }
    }
    if output != DEFAULT_OUTPUT {
        words.push(format!("-o {}", quote(output)));
    }
    words.join(" ")
}

/// `word` as a POSIX shell takes it for one word.
fn quote(word: &str) -> Cow<'_, str> {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=,+@%".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        Cow::Borrowed(word)
    } else {
        Cow::Owned(format!("'{}'", word.replace('\'', r"'\''")))
    }
}

/// Reads the header of `text` (LF or CRLF); `None` where another tool wrote it. What a newer format adds is not
/// in it.
pub(super) fn read(text: &str) -> Option<Header> {
    let (_, lines) = lines(text)?;
    let mut header = Header::default();
    lines.for_each(|line| take(&mut header, line));
    Some(header)
}

/// What `text` (LF or CRLF) says of itself; `None` where another tool wrote it.
pub(super) fn seal(text: &str) -> Option<Seal> {
    let (format, mut lines) = lines(text)?;
    // Only the first that was written so counts: it is the one that the digest leaves out.
    let digest = lines.find_map(|line| {
        let digest = line.strip_prefix(DIGEST)?;
        digest.parse().ok().filter(|hash: &Sha256| hash.to_string() == digest)
    });
    Some(Seal { format, digest })
}

/// The format of `text`, and the lines of its header below the first.
fn lines(text: &str) -> Option<(u32, impl Iterator<Item = &str>)> {
    let mut lines = text.lines();
    let format = lines.next()?.strip_prefix(MAGIC)?;
    let format = format.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()?;
    Some((format, lines.take_while(|line| line.starts_with('#'))))
}

fn take(header: &mut Header, line: &str) {
    if let Some(file) = line.strip_prefix(INPUT) {
        header.inputs.push(InputRecord { file: unescape(file), lines: Vec::new() });
    } else if let Some(target) = line.strip_prefix(TARGET) {
        header.targets.push(unescape(target));
    } else if let Some(option) = line.strip_prefix(OPTION) {
        let (name, value) = option.split_once(' ').unwrap_or((option, ""));
        header.options.push((unescape(name), unescape(value)));
    } else if let (Some(line), Some(input)) = (line.strip_prefix(LINE), header.inputs.last_mut()) {
        input.lines.push(unescape(line));
    }
}

/// `text` on one line: Python's `splitlines` (hence pip) ends a line, and with it a comment, at more
/// characters than LF.
pub(super) fn escape(text: &str) -> Cow<'_, str> {
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

/// The inverse of [`escape`]; what it would not write stands for itself.
pub(super) fn unescape(text: &str) -> String {
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
    fn escapes_come_back() {
        for text in ["a b.in", r"dir\new.in", "a\nb", "a\u{2028}--index-url x", r"\u{41}", r"\\", "ä"] {
            let escaped = escape(text);
            assert!(!escaped.contains(char::is_control) && !escaped.contains('\u{2028}'), "{escaped}");
            assert_eq!(unescape(&escaped), text);
        }
        for text in [r"C:\new", r"a\", r"\u{zz}", r"\u{110000}", r"\u{41"] {
            assert_eq!(unescape(text), text, "what escape would not write");
        }
    }

    #[test]
    fn the_command_makes_it_again() {
        let header = Header {
            inputs: vec![InputRecord { file: "my reqs.in".into(), lines: Vec::new() }],
            targets: Vec::new(),
            options: vec![
                ("extra".into(), "it's".into()),
                ("index-url".into(), "sha256:00".into()),
                ("pre".into(), String::new()),
            ],
        };
        assert_eq!(
            command(&header, "prod.txt"),
            r"pinfast lock 'my reqs.in' --extra 'it'\''s' --pre -o prod.txt"
        );
        assert_eq!(command(&Header::default(), "requirements.txt"), "pinfast lock");
    }
}
