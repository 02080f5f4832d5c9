//! A lock -> a hash-locked requirements file that pip (hash-checking mode) and uv install as it stands.
//!
//! Extras are left out, as by uv and by pip-compile's `--strip-extras`: every package that an extra brings has its own
//! line, and the file can serve as a constraints file. A `name @ URL` pin has its hash as `--hash`, not as a `#sha256=`
//! fragment.

use std::fmt::{self, Write as _};

use super::{builds, header};
use crate::digest::with_digest;
use crate::{Lock, Pin, Via, url_filename};

/// How a lock is written.
#[derive(Clone, Debug)]
pub struct WriteOptions {
    /// Whether each pin lists its dependents.
    pub annotations: Annotations,
    /// The file's name as the user gave it, for the command in the header; relative, with `/`.
    pub output: String,
}

/// Whether each pin lists its dependents.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Annotations {
    /// `# via …` below each pin.
    Via,
    /// No (`--no-annotate`): `why` and `tree` cannot work on such a lock.
    Off,
}

impl Default for WriteOptions {
    fn default() -> Self {
        Self { annotations: Annotations::Via, output: "requirements.txt".to_owned() }
    }
}

impl Lock {
    /// The text of the requirements file. Equal locks give equal bytes. Nothing is sorted here: see [`Lock::sort`].
    #[must_use]
    pub fn write(&self, options: &WriteOptions) -> String {
        // A pin takes little more than its hashes, of 80 bytes each.
        let hashes: usize = self.pins.iter().map(|pin| pin.hashes.len() + 2).sum();
        let mut body = String::with_capacity(hashes * 84);
        // Writing to a string cannot fail.
        let _ = self.write_body(&mut body, options.annotations);
        match &self.header {
            Some(header) => {
                let header = header::write(header, &options.output);
                with_digest(&header, header::DIGEST, "\n", &body)
            }
            None => body,
        }
    }

    /// Whether [`Lock::write`] would give `text`, provided that its digest is right: compares while writing, without
    /// a copy of the text and without hashing it again.
    #[must_use]
    pub fn is_written_as(&self, text: &str, options: &WriteOptions) -> bool {
        let body = match &self.header {
            Some(header) => text
                .strip_prefix(&header::write(header, &options.output))
                .and_then(|rest| rest.strip_prefix(header::DIGEST))
                .and_then(|rest| rest.get(64..)?.strip_prefix('\n')),
            None => Some(text),
        };
        body.is_some_and(|body| {
            let mut expected = Expected(body);
            self.write_body(&mut expected, options.annotations).is_ok() && expected.0.is_empty()
        })
    }

    /// The text below the digest; all of it, without a header.
    fn write_body(&self, text: &mut impl fmt::Write, annotations: Annotations) -> fmt::Result {
        if self.header.is_some() {
            text.write_char('\n')?;
        }
        self.pins.iter().try_for_each(|pin| write_pin(text, pin, annotations))?;
        builds::write(text, &self.builds)
    }
}

/// A writer that only accepts the text that it holds.
struct Expected<'a>(&'a str);

impl fmt::Write for Expected<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0 = self.0.strip_prefix(text).ok_or(fmt::Error)?;
        Ok(())
    }
}

fn write_pin(text: &mut impl fmt::Write, pin: &Pin, annotations: Annotations) -> fmt::Result {
    text.write_str(&pin.requirement())?;
    for hash in &pin.hashes {
        write!(text, " \\\n    --hash=sha256:{hash}")?;
    }
    text.write_char('\n')?;
    if pin.hides_version() {
        writeln!(text, "    # version {}", pin.version)?;
    }
    match annotations {
        Annotations::Via => write_via(text, &pin.via),
        Annotations::Off => Ok(()),
    }
}

fn write_via(text: &mut impl fmt::Write, via: &[Via]) -> fmt::Result {
    // As pip-compile and uv sort: by text, so `-c` and `-r` come first.
    let mut dependents: Vec<_> = via.iter().map(Via::to_string).collect();
    dependents.sort();
    match dependents.as_slice() {
        [] => Ok(()),
        [dependent] => writeln!(text, "    # via {dependent}"),
        dependents => {
            text.write_str("    # via\n")?;
            dependents.iter().try_for_each(|dependent| writeln!(text, "    #   {dependent}"))
        }
    }
}

impl Pin {
    /// `name==version ; marker`, or `name @ URL ; marker`, as it stands in a requirements file; no
    /// credentials.
    #[must_use]
    pub fn requirement(&self) -> String {
        let mut text = match &self.url {
            Some(url) => format!("{} @ {url}", self.name),
            None => format!("{}=={}", self.name, self.version),
        };
        if !self.marker.is_always() {
            let _ = write!(text, " ; {}", self.marker);
        }
        text
    }

    /// Whether its URL does not name its version, so that a comment has to.
    fn hides_version(&self) -> bool {
        self.url.as_ref().is_some_and(|url| {
            let named = url_filename(&url.url, &self.name);
            named.is_none_or(|dist| *dist.version() != self.version)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples::{any_lock, lock};

    #[test]
    fn another_output_annotation_or_line_end_is_another_text() {
        let options = WriteOptions::default();
        let text = lock().write(&options);
        assert!(lock().is_written_as(&text, &options));
        let bare = WriteOptions { annotations: Annotations::Off, ..options.clone() };
        let elsewhere = WriteOptions { output: "other.txt".to_owned(), ..options.clone() };
        assert!(!lock().is_written_as(&text, &bare) && !lock().is_written_as(&text, &elsewhere));
        for other in [text.replace('\n', "\r\n"), format!("{text}\n"), text[..text.len() - 1].to_owned()] {
            assert!(!lock().is_written_as(&other, &options), "{other}");
        }
    }

    proptest::proptest! {
        #[test]
        fn a_written_lock_is_recognized_and_another_is_not(lock in any_lock(), other in any_lock()) {
            let options = WriteOptions::default();
            let text = lock.write(&options);
            proptest::prop_assert!(lock.is_written_as(&text, &options));
            proptest::prop_assert_eq!(other.is_written_as(&text, &options), other.write(&options) == text);
        }
    }
}
