//! A lock -> a hash-locked requirements file that pip (hash mode) and uv take as it stands.
//!
//! Extras are left out, as uv does and as pip-compile announces for its default: every package that an
//! extra brings has its own line, and the file may still serve as a constraints file. A `name @ URL`
//! pin carries its hash as `--hash` like all others, never as a `#sha256=` fragment.

use std::fmt::Write as _;

use crate::spec::DistName;

use super::{builds, digest, header};
use crate::lock::{Lock, Pin, Via};

/// How a lock is written.
#[derive(Clone, Debug)]
pub struct WriteOptions {
    /// Whether each pin says who wants it.
    pub annotations: Annotations,
    /// The file's name as the user gave it, for the command in the header; relative, with `/`.
    pub output: String,
}

/// Whether each pin says who wants it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Annotations {
    /// `# via …` below each pin.
    Via,
    /// None (`--no-annotate`): then the lock cannot answer `why` and `tree`.
    Off,
}

impl Default for WriteOptions {
    fn default() -> Self {
        Self { annotations: Annotations::Via, output: "requirements.txt".to_owned() }
    }
}

impl Lock {
    /// The requirements file. Equal locks give equal bytes; lines end with LF. Pins and what is in
    /// them are written in the order in which they stand: see [`Lock::sort`].
    #[must_use]
    pub fn write(&self, options: &WriteOptions) -> String {
        // A pin takes little more than its hashes, of 80 bytes each.
        let hashes: usize = self.pins.iter().map(|pin| pin.hashes.len() + 2).sum();
        let mut body = String::with_capacity(hashes * 84);
        if self.header.is_some() {
            body.push('\n');
        }
        for pin in &self.pins {
            write_pin(&mut body, pin, options.annotations);
        }
        builds::write(&mut body, &self.builds);
        match &self.header {
            Some(header) => {
                let header = header::write(header, &options.output);
                digest::seal(&header, header::DIGEST, "\n", &body)
            }
            None => body,
        }
    }
}

fn write_pin(text: &mut String, pin: &Pin, annotations: Annotations) {
    text.push_str(&pin.requirement());
    for hash in &pin.hashes {
        // Writing to a string cannot fail.
        let _ = write!(text, " \\\n    --hash=sha256:{hash}");
    }
    text.push('\n');
    if pin.hides_version() {
        let _ = writeln!(text, "    # version {}", pin.version);
    }
    if annotations == Annotations::Via {
        write_via(text, &pin.via);
    }
}

fn write_via(text: &mut String, via: &[Via]) {
    // As pip-compile and uv sort: by text, so `-c` and `-r` come first.
    let mut whos: Vec<_> = via.iter().map(Via::to_string).collect();
    whos.sort();
    match whos.as_slice() {
        [] => {}
        [who] => text.extend(["    # via ", who, "\n"]),
        whos => {
            text.push_str("    # via\n");
            whos.iter().for_each(|who| text.extend(["    #   ", who, "\n"]));
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

    /// Whether its requirement does not tell its version.
    fn hides_version(&self) -> bool {
        self.url.as_ref().is_some_and(|url| {
            let told = url_dist(&url.url, &self.name);
            told.is_none_or(|dist| *dist.version() != self.version)
        })
    }
}

/// What the file name at the end of `url` says.
pub(in crate::lock) fn url_dist(url: &url::Url, project: &crate::spec::PackageName) -> Option<DistName> {
    let name = url.path_segments()?.next_back()?;
    let name = percent_encoding::percent_decode_str(name).decode_utf8().ok()?;
    DistName::parse(&name, project).ok()
}
