//! The header of a lock as comment lines, for a reviewer first: one fact a line, so that one changed
//! requirement is one changed line (and the digest).
//!
//! The head of this crate specifies the form. [`KEYS`] is the one table of what a header holds: a new field of
//! [`Header`] is one more row.

use std::borrow::Cow;
use std::fmt::Write as _;

use pinfast_packaging::Sha256;

use crate::escape::{escape, unescape};
use crate::{FORMAT, Header, InputRecord};

/// How the first line begins; the number of the format follows.
const MAGIC: &str = "# pinfast lock, format ";
/// How a line begins that belongs to the one above it.
const NESTED: &str = "#     ";
/// How the line of the digest begins; the hash follows.
pub(super) const DIGEST: &str = "# digest: sha256:";

/// The file that `pinfast lock` writes by default.
const DEFAULT_OUTPUT: &str = "requirements.txt";

/// A value of a key, and the lines nested below it.
type HeaderValue<'a> = (Cow<'a, str>, &'a [String]);

/// A key of the header.
struct HeaderKey {
    /// How its lines begin.
    prefix: &'static str,
    /// Its values in a header.
    values: fn(&Header) -> Vec<HeaderValue<'_>>,
    /// Adds the value of a line to a header.
    add: fn(&mut Header, &str),
}

/// The keys, in the order in which they are written.
const KEYS: &[HeaderKey] = &[
    HeaderKey {
        prefix: "# input: ",
        values: |header| header.inputs.iter().map(|input| ((&input.file).into(), &input.lines[..])).collect(),
        add: |header, file| header.inputs.push(InputRecord { file: unescape(file), lines: Vec::new() }),
    },
    HeaderKey {
        prefix: "# target: ",
        values: |header| header.targets.iter().map(|target| (target.into(), &[][..])).collect(),
        add: |header, target| header.targets.push(unescape(target)),
    },
    HeaderKey {
        prefix: "# option: ",
        values: |header| {
            let value = |(name, value): &(String, String)| format!("{name} {value}").trim_end().to_owned();
            header.options.iter().map(|option| (value(option).into(), &[][..])).collect()
        },
        add: |header, option| {
            let (name, value) = option.split_once(' ').unwrap_or((option, ""));
            header.options.push((unescape(name), unescape(value)));
        },
    },
];

/// What the first line and the digest say of a text.
pub(super) struct FormatStamp {
    /// The number of the format.
    pub(super) format: u32,
    /// The digest, where there is a readable one.
    pub(super) digest: Option<Sha256>,
}

/// The lines of the header without the digest, for a lock that is written to `output`.
pub(super) fn write(header: &Header, output: &str) -> String {
    let mut text = format!("{MAGIC}{FORMAT}. Change the inputs, not this file, then run:\n");
    write_line(&mut text, NESTED, &command(header, output));
    text.push_str("#\n");
    for key in KEYS {
        for (value, nested) in (key.values)(header) {
            write_line(&mut text, key.prefix, &value);
            nested.iter().for_each(|line| write_line(&mut text, NESTED, line));
        }
    }
    text
}

fn write_line(text: &mut String, prefix: &str, value: &str) {
    // Writing to a string cannot fail.
    let _ = writeln!(text, "{prefix}{}", escape(value));
}

/// The command that makes the same lock. It leaves out an option that the header holds as a digest: such a value
/// comes from the environment or the configuration.
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

/// Reads the header of `text` (LF or CRLF); `None` where another tool wrote it. Keys of a newer format are passed over.
pub(super) fn read(text: &str) -> Option<Header> {
    let (_, lines) = lines(text)?;
    let mut header = Header::default();
    for line in lines {
        let known = KEYS.iter().find_map(|key| Some((key, line.strip_prefix(key.prefix)?)));
        if let Some((key, value)) = known {
            (key.add)(&mut header, value);
        } else if let (Some(nested), Some(input)) = (line.strip_prefix(NESTED), header.inputs.last_mut()) {
            input.lines.push(unescape(nested));
        }
    }
    Some(header)
}

/// The stamp of `text` (LF or CRLF); `None` where another tool wrote it.
pub(super) fn read_stamp(text: &str) -> Option<FormatStamp> {
    let (format, mut lines) = lines(text)?;
    // Only the first that was written so counts: it is the one that the digest leaves out.
    let digest = lines.find_map(|line| {
        let digest = line.strip_prefix(DIGEST)?;
        digest.parse().ok().filter(|hash: &Sha256| hash.to_string() == digest)
    });
    Some(FormatStamp { format, digest })
}

/// The format of `text`, and the lines of its header below the first.
fn lines(text: &str) -> Option<(u32, impl Iterator<Item = &str>)> {
    let mut lines = text.lines();
    let format = lines.next()?.strip_prefix(MAGIC)?;
    let format = format.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()?;
    Some((format, lines.take_while(|line| line.starts_with('#'))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_repeats_inputs_options_and_output() {
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
