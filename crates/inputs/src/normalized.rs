//! Requirements and options in normalized form, as the header of a lock records them.
//!
//! Two files that differ in comments, spacing, case or order of specifiers have the same forms. No secret and no host is
//! in them.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use url::Url;

use super::paths;
use super::{FileOption, FileOptionKind, FormatControl, InputLine};
use pinfast_packaging::{NameError, PackageName, Requirement, RequirementSource, Sha256, SpecifierSet};

impl InputLine {
    /// The requirement in normalized form, with its hashes: `aiogram[fast]>=3.4 ; os_name == 'posix'`. A URL
    /// becomes `sha256:` and 12 digits of the digest of the URL without credentials.
    #[must_use]
    pub fn normalized(&self) -> String {
        let bare = Requirement {
            source: RequirementSource::Index(SpecifierSet::default()),
            ..self.requirement.clone()
        };
        let bare = bare.to_string();
        let (named, marker) = bare.split_once(" ; ").unwrap_or((&bare, ""));
        let mut normal = format!("{named}{}", source(&self.requirement.source));
        if !marker.is_empty() {
            normal.push_str(&format!(" ; {marker}"));
        }
        let hashes: BTreeSet<_> = self.hashes.iter().collect();
        for hash in hashes {
            normal.push_str(&format!(" --hash=sha256:{hash}"));
        }
        normal
    }
}

/// The part between name and marker: specifiers sorted by their text, or the digest of a URL.
fn source(source: &RequirementSource) -> String {
    match source {
        RequirementSource::Index(specifiers) => {
            let text = specifiers.to_string();
            let parts: BTreeSet<_> = text.split(',').map(without_url).collect();
            parts.into_iter().collect::<Vec<_>>().join(",")
        }
        RequirementSource::Url(direct) => format!(" @ {}", digest(&direct.to_string())),
    }
}

/// A specifier, with a URL behind `===` as its digest: arbitrary equality (PEP 440) takes any text.
fn without_url(specifier: &str) -> Cow<'_, str> {
    match specifier.strip_prefix("===") {
        Some(text) if text.contains("://") => format!("==={}", digest(text)).into(),
        _ => specifier.into(),
    }
}

impl FileOption {
    /// The option in its long form, with a URL or an absolute path as its digest and a relative path as it is.
    #[must_use]
    pub fn normalized(&self) -> String {
        match &self.kind {
            FileOptionKind::IndexUrl(url) => format!("--index-url {}", without_host(url)),
            FileOptionKind::ExtraIndexUrl(url) => format!("--extra-index-url {}", without_host(url)),
            FileOptionKind::FindLinks(url) => format!("--find-links {}", without_host(url)),
            FileOptionKind::NoIndex => "--no-index".to_owned(),
            FileOptionKind::NoBinary(control) => format!("--no-binary {control}"),
            FileOptionKind::OnlyBinary(control) => format!("--only-binary {control}"),
            FileOptionKind::Pre => "--pre".to_owned(),
            FileOptionKind::RequireHashes => "--require-hashes".to_owned(),
        }
    }
}

/// As pip accepts it: `:all:`, `:none:`, or names joined by `,`, sorted, each once.
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

/// A relative path as it is; anything else as a digest, since it names a host or a folder of this machine.
fn without_host(url: &str) -> String {
    if paths::scheme(url).is_some() || paths::is_absolute(url) { digest(url) } else { url.replace('\\', "/") }
}

/// `sha256:` and 12 digits of the digest of a URL without credentials and final `/`.
fn digest(text: &str) -> String {
    let bare = match Url::parse(text) {
        Ok(mut url) => {
            // These fail only on a URL that cannot hold credentials.
            let _ = url.set_username("");
            let _ = url.set_password(None);
            url.to_string()
        }
        Err(_) => text.to_owned(),
    };
    let hex = Sha256::of(bare.trim_end_matches('/').as_bytes()).to_string();
    format!("sha256:{}", &hex[..12])
}
