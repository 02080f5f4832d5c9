//! Requirement text -> name, extras, source and marker (PyPA "Dependency specifiers", PEP 508).

use std::fmt;
use std::str::FromStr;

use url::Url;

use super::{ExtraName, Marker, PackageName, Sha256, SpecifierSet, SpecifierSetError, Target};

/// One requirement, of an input line or a `Requires-Dist`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Requirement {
    /// The required package.
    pub name: PackageName,
    /// Its required extras, sorted, each once.
    pub extras: Vec<ExtraName>,
    /// Where the distribution may come from.
    pub source: RequirementSource,
    /// The environments in which it applies.
    pub marker: Marker,
}

/// Where the distribution of a requirement may come from.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum RequirementSource {
    /// Any release on the indexes that satisfies the specifier set.
    Index(SpecifierSet),
    /// This one file or checkout (`name @ URL`).
    Url(DirectUrl),
}

/// The URL of a `name @ URL` requirement.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct DirectUrl {
    /// The URL. It may hold credentials: never print it. Hashes and `egg=` are removed from its fragment; others stay, such as
    /// `subdirectory=…`.
    pub url: Url,
    /// The hash of a `#sha256=…` fragment.
    pub sha256: Option<Sha256>,
}

/// A text that is not a requirement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequirementError {
    /// What is wrong and what was expected, as a sentence without a full stop.
    pub message: String,
    /// The place of the error in the text, in characters from 0.
    pub start: usize,
    /// The length of the wrong part in characters, at least 1.
    pub len: usize,
}

impl Requirement {
    /// Whether it applies in `target` with `extras` of the distribution that requires it.
    #[must_use]
    pub fn applies(&self, target: &Target, extras: &[ExtraName]) -> bool {
        self.marker.holds(target, extras)
    }

    /// The specifier set; empty for a URL.
    #[must_use]
    pub fn specifiers(&self) -> &SpecifierSet {
        static ANY: std::sync::LazyLock<SpecifierSet> = std::sync::LazyLock::new(SpecifierSet::default);
        match &self.source {
            RequirementSource::Index(specifiers) => specifiers,
            RequirementSource::Url(_) => &ANY,
        }
    }

    /// Parses a `Requires-Dist`, repairing specifiers that pip and uv accept.
    ///
    /// # Errors
    /// When `text` is no requirement even then.
    pub fn parse_lenient(text: &str) -> Result<Self, RequirementError> {
        RequirementParser { text, at: 0, specifiers: SpecifierSet::parse_lenient }.requirement()
    }
}

/// Parses what a user wrote, strictly by the specification.
impl FromStr for Requirement {
    type Err = RequirementError;

    fn from_str(text: &str) -> Result<Self, RequirementError> {
        RequirementParser { text, at: 0, specifiers: SpecifierSet::from_str }.requirement()
    }
}

impl RequirementError {
    /// An error about `len` bytes of `text` from the byte `at` on.
    pub(super) fn at_bytes(text: &str, at: usize, len: usize, message: String) -> Self {
        let chars = |bytes: usize| text.char_indices().take_while(|(i, _)| *i < bytes).count();
        let start = chars(at);
        Self { message, start, len: chars(at.saturating_add(len)).saturating_sub(start).max(1) }
    }

    /// The same error, placed in `text`: the parsed part starts at its byte `bytes`.
    fn moved(mut self, text: &str, bytes: usize) -> Self {
        self.start += text[..bytes].chars().count();
        self
    }
}

struct RequirementParser<'a> {
    text: &'a str,
    /// The offset of the next byte to parse.
    at: usize,
    /// Parses specifiers, strictly or leniently.
    specifiers: fn(&str) -> Result<SpecifierSet, SpecifierSetError>,
}

impl<'a> RequirementParser<'a> {
    /// `name [extras] (specifiers | @ URL) ; marker`
    fn requirement(mut self) -> Result<Requirement, RequirementError> {
        let name = self.name()?;
        let extras = self.extras()?;
        let source = if self.take('@') {
            RequirementSource::Url(self.url()?)
        } else {
            RequirementSource::Index(self.specifiers()?)
        };
        let marker = if self.take(';') { self.marker()? } else { Marker::default() };
        match self.rest().chars().next() {
            None => Ok(Requirement { name, extras, source, marker }),
            Some(odd) => Err(self.error(odd.len_utf8(), format!("expected `;` or the end, found `{odd}`"))),
        }
    }

    fn name(&mut self) -> Result<PackageName, RequirementError> {
        let rest = self.rest();
        let len = rest.find(|c| !is_name_char(c)).unwrap_or(rest.len());
        let (text, after) = rest.split_at(len);
        if looks_like_file(text, after) {
            let len = rest.find(char::is_whitespace).unwrap_or(rest.len());
            let message = "a URL or a file needs a name before it: `name @ https://…`";
            return Err(self.error(len, message.to_owned()));
        }
        if text.is_empty() {
            let message = match rest.chars().next() {
                None => "expected a package name, found nothing".to_owned(),
                Some(odd) => format!("expected a package name, found `{odd}`"),
            };
            return Err(self.error(1, message));
        }
        let name = PackageName::new(text).map_err(|error| self.error(len, error.to_string()))?;
        self.at += len;
        Ok(name)
    }

    fn extras(&mut self) -> Result<Vec<ExtraName>, RequirementError> {
        let mut extras = Vec::new();
        let open = self.at;
        if !self.take('[') {
            return Ok(extras);
        }
        if self.take(']') {
            return Ok(extras);
        }
        loop {
            let rest = self.rest();
            let len = rest.find(|c| !is_name_char(c)).unwrap_or(rest.len());
            if rest.is_empty() {
                self.at = open;
                return Err(self.error(1, "this `[` is not closed".to_owned()));
            }
            if len == 0 {
                return Err(self.error(1, "expected the name of an extra".to_owned()));
            }
            let extra = ExtraName::new(&rest[..len]).map_err(|error| self.error(len, error.to_string()))?;
            extras.push(extra);
            self.at += len;
            if self.take(']') {
                break;
            }
            if !self.take(',') {
                let message = "expected `,` or `]` after the name of an extra";
                return Err(self.error(1, message.to_owned()));
            }
        }
        extras.sort();
        extras.dedup();
        Ok(extras)
    }

    /// Everything up to the `;`, with or without parentheses around it.
    fn specifiers(&mut self) -> Result<SpecifierSet, RequirementError> {
        let rest = self.rest();
        let end = rest.find(';').unwrap_or(rest.len());
        let (start, text) = if rest.starts_with('(') {
            let Some(close) = rest[..end].find(')') else {
                return Err(self.error(1, "this `(` is not closed".to_owned()));
            };
            let inside = (self.at + 1, &rest[1..close]);
            self.at += close + 1;
            inside
        } else {
            let inside = (self.at, &rest[..end]);
            self.at += end;
            inside
        };
        (self.specifiers)(text).map_err(|error| {
            let at = error.at.min(text.len());
            let word = text[at..].split([',', ' ']).next().map_or(1, str::len);
            RequirementError::at_bytes(self.text, start + at, word, error.message)
        })
    }

    fn url(&mut self) -> Result<DirectUrl, RequirementError> {
        let rest = self.rest();
        let len = rest.find(char::is_whitespace).unwrap_or(rest.len());
        let text = &rest[..len];
        if text.is_empty() {
            return Err(self.error(1, "expected a URL after `@`".to_owned()));
        }
        if text.ends_with(';') {
            self.at += len - 1;
            let message = "put a space before this `;`: it could be a part of the URL";
            return Err(self.error(1, message.to_owned()));
        }
        let url = DirectUrl::read(text).map_err(|message| self.error(len, message))?;
        self.at += len;
        Ok(url)
    }

    fn marker(&mut self) -> Result<Marker, RequirementError> {
        let start = self.at;
        self.at = self.text.len();
        self.text[start..].parse().map_err(|error: RequirementError| error.moved(self.text, start))
    }

    /// Skips spaces; the text that is left.
    fn rest(&mut self) -> &'a str {
        let rest = self.text[self.at..].trim_start();
        self.at = self.text.len() - rest.len();
        rest
    }

    /// Skips spaces and `c`, if that is next.
    fn take(&mut self, c: char) -> bool {
        let is_next = self.rest().starts_with(c);
        if is_next {
            self.at += c.len_utf8();
        }
        is_next
    }

    /// An error about the next `len` bytes.
    fn error(&self, len: usize, message: String) -> RequirementError {
        RequirementError::at_bytes(self.text, self.at, len, message)
    }
}

fn is_name_char(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.')
}

/// Whether a line with `name` and then `after` is a URL, a path or a file name without a name before it.
fn looks_like_file(name: &str, after: &str) -> bool {
    const SUFFIXES: [&str; 4] = [".whl", ".tar.gz", ".tar.bz2", ".zip"];
    let is_archive = SUFFIXES.iter().any(|suffix| name.ends_with(suffix));
    after.starts_with(['/', '\\'])
        || after.starts_with("://")
        || after.starts_with(":\\")
        || (after.starts_with('+') && after.contains("://"))
        || name.starts_with("./")
        || name.starts_with("..")
        || (is_archive && !after.trim_start().starts_with(['@', '=', '<', '>', '~', '!', '[', '(']))
}

impl DirectUrl {
    /// Parses a URL and moves the hash out of its fragment.
    fn read(text: &str) -> Result<Self, String> {
        let mut url = Url::parse(text).map_err(|error| {
            format!("expected an absolute URL such as `https://…` or `file:///…` ({error})")
        })?;
        let mut sha256 = None;
        let mut rest = Vec::new();
        for part in url.fragment().unwrap_or_default().split('&') {
            match part.split_once('=') {
                Some(("sha256", digits)) => {
                    sha256 = Some(digits.parse().map_err(|e: super::Sha256Error| e.to_string())?)
                }
                Some(("egg" | "md5" | "sha1" | "sha224" | "sha384" | "sha512", _)) => {}
                _ if part.is_empty() => {}
                _ => rest.push(part),
            }
        }
        let rest = rest.join("&");
        url.set_fragment(if rest.is_empty() { None } else { Some(&rest) });
        Ok(Self { url, sha256 })
    }
}

/// The normal form, which parses to the same requirement: `name[extras]specifiers ; marker`. A URL loses its credentials.
impl fmt::Display for Requirement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.name)?;
        for (i, extra) in self.extras.iter().enumerate() {
            write!(f, "{}{extra}", if i == 0 { "[" } else { "," })?;
        }
        if !self.extras.is_empty() {
            f.write_str("]")?;
        }
        match &self.source {
            RequirementSource::Index(specifiers) => write!(f, "{specifiers}")?,
            RequirementSource::Url(url) => write!(f, " @ {url}")?,
        }
        if self.marker.is_always() { Ok(()) } else { write!(f, " ; {}", self.marker) }
    }
}

/// The URL without its credentials, and the hash in its fragment.
impl fmt::Display for DirectUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut url = self.url.clone();
        // A URL that cannot hold credentials has none to remove.
        let _ = url.set_username("");
        let _ = url.set_password(None);
        f.write_str(url.as_str())?;
        match self.sha256 {
            Some(sha256) if url.fragment().is_some() => write!(f, "&sha256={sha256}"),
            Some(sha256) => write!(f, "#sha256={sha256}"),
            None => Ok(()),
        }
    }
}

impl fmt::Debug for DirectUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DirectUrl({self})")
    }
}

impl fmt::Display for RequirementError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for RequirementError {}

#[cfg(test)]
#[path = "requirement_tests.rs"]
mod tests;
