//! The normal form of what the inputs say: comments, order, spacing and case do not show in it, and
//! neither does a secret or a host.

use std::fmt;
use std::str::FromStr;

use url::Url;

use super::paths;
use super::{FileOption, FileOptionKind, FormatControl, InputLine};
use crate::spec::{NameError, PackageName, Sha256, Source};

impl InputLine {
    /// The requirement in normal form, with its hashes: `aiogram[fast]>=3.4 ; os_name == 'posix'`. A URL
    /// stands in it as `sha256:` and 12 digits of the digest of the URL without credentials.
    #[must_use]
    pub fn normal(&self) -> String {
        let mut normal = match &self.requirement.source {
            Source::Index(_) => self.requirement.to_string(),
            Source::Url(direct) => {
                let named = crate::spec::Requirement {
                    source: Source::Index(Default::default()),
                    ..self.requirement.clone()
                };
                let (head, marker) = split_marker(&named.to_string());
                let pinned = direct.sha256.map(|hash| format!("#sha256={hash}")).unwrap_or_default();
                format!("{head} @ {}{pinned}{marker}", digest(&direct.to_string()))
            }
        };
        let mut hashes = self.hashes.clone();
        hashes.sort();
        for hash in hashes {
            normal.push_str(&format!(" --hash=sha256:{hash}"));
        }
        normal
    }
}

impl FileOption {
    /// The option in its long form; a URL as [`InputLine::normal`] has it, a relative path as it is.
    #[must_use]
    pub fn normal(&self) -> String {
        match &self.kind {
            FileOptionKind::IndexUrl(url) => format!("--index-url {}", place(url)),
            FileOptionKind::ExtraIndexUrl(url) => format!("--extra-index-url {}", place(url)),
            FileOptionKind::FindLinks(url) => format!("--find-links {}", place(url)),
            FileOptionKind::NoIndex => "--no-index".to_owned(),
            FileOptionKind::NoBinary(control) => format!("--no-binary {control}"),
            FileOptionKind::OnlyBinary(control) => format!("--only-binary {control}"),
            FileOptionKind::Pre => "--pre".to_owned(),
            FileOptionKind::RequireHashes => "--require-hashes".to_owned(),
        }
    }
}

/// `name[extras]` and ` ; marker` of a requirement without specifiers.
fn split_marker(text: &str) -> (String, String) {
    match text.split_once(" ; ") {
        Some((head, marker)) => (head.to_owned(), format!(" ; {marker}")),
        None => (text.to_owned(), String::new()),
    }
}

/// As pip takes it: `:all:`, `:none:`, or names joined by `,`, sorted, each once.
impl fmt::Display for FormatControl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::All => f.write_str(":all:"),
            Self::None => f.write_str(":none:"),
            Self::Packages(names) => {
                let mut names: Vec<_> = names.iter().map(|name| name.as_str()).collect();
                names.sort_unstable();
                names.dedup();
                f.write_str(&names.join(","))
            }
        }
    }
}

/// Reads `:all:`, `:none:`, or names joined by `,`.
impl FromStr for FormatControl {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        match text.trim() {
            ":all:" => Ok(Self::All),
            ":none:" => Ok(Self::None),
            names => names
                .split(',')
                .map(|name| PackageName::new(name.trim()))
                .collect::<Result<_, _>>()
                .map(Self::Packages),
        }
    }
}

/// A relative path as it is; anything else as a digest, since it tells of a host or a machine.
fn place(url: &str) -> String {
    if paths::scheme(url).is_some() || paths::is_absolute(url) { digest(url) } else { url.replace('\\', "/") }
}

/// `sha256:` and 12 digits of the digest of a URL without credentials, final `/` or not.
fn digest(text: &str) -> String {
    let bare = match Url::parse(text) {
        Ok(mut url) => {
            // A URL that cannot hold credentials has none to remove.
            let _ = url.set_username("");
            let _ = url.set_password(None);
            url.to_string()
        }
        Err(_) => text.to_owned(),
    };
    let hex = Sha256::of(bare.trim_end_matches('/').as_bytes()).to_string();
    format!("sha256:{}", &hex[..12])
}
