//! Names of packages and extras, normalised when parsed (PyPA "Names and normalization"; PEP 503, PEP 685).

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::str::FromStr;
use std::sync::Arc;

use rustc_hash::FxHasher;

/// A normalised distribution name: lower case, runs of `-`, `_` and `.` folded to one `-`.
///
/// A solve looks names up by the million, so each carries its hash.
#[derive(Clone)]
pub struct PackageName {
    text: Arc<str>,
    hash: u64,
}

/// A normalised name of an extra or a dependency group.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ExtraName(Arc<str>);

/// A text that is not a name: ASCII letters and digits, with `-`, `_`, `.` inside only.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NameError {
    /// The text, unchanged.
    pub text: String,
}

impl PackageName {
    /// Checks and normalises `text`.
    ///
    /// # Errors
    /// When `text` is not a valid name.
    pub fn new(text: &str) -> Result<Self, NameError> {
        normalise(text).map(|text| Self { hash: hash(&text), text })
    }

    /// The normalised name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

impl PartialEq for PackageName {
    fn eq(&self, other: &Self) -> bool {
        self.hash == other.hash && self.text == other.text
    }
}

impl Eq for PackageName {}

impl Hash for PackageName {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(self.hash);
    }
}

impl PartialOrd for PackageName {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for PackageName {
    fn cmp(&self, other: &Self) -> Ordering {
        self.text.cmp(&other.text)
    }
}

impl ExtraName {
    /// Checks and normalises `text`.
    ///
    /// # Errors
    /// When `text` is not a valid name.
    pub fn new(text: &str) -> Result<Self, NameError> {
        normalise(text).map(Self)
    }

    /// The normalised name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

fn hash(text: &str) -> u64 {
    let mut hasher = FxHasher::default();
    text.hash(&mut hasher);
    hasher.finish()
}

fn normalise(text: &str) -> Result<Arc<str>, NameError> {
    let bad = || NameError { text: text.to_owned() };
    let (Some(first), Some(last)) = (text.bytes().next(), text.bytes().next_back()) else {
        return Err(bad());
    };
    if !first.is_ascii_alphanumeric() || !last.is_ascii_alphanumeric() {
        return Err(bad());
    }
    if is_normal(text) {
        return Ok(text.into());
    }
    let mut name = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'-' | b'_' | b'.' if name.ends_with('-') => {}
            b'-' | b'_' | b'.' => name.push('-'),
            _ if byte.is_ascii_alphanumeric() => name.push(char::from(byte.to_ascii_lowercase())),
            _ => return Err(bad()),
        }
    }
    Ok(name.into())
}

/// Whether `text`, whose ends are checked, is normal as it is. Most names are: they need no second string.
fn is_normal(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    text.bytes().all(plain) && !text.contains("--")
}

impl FromStr for PackageName {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        Self::new(text)
    }
}

impl FromStr for ExtraName {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        Self::new(text)
    }
}

impl fmt::Display for PackageName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Debug for PackageName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Display for ExtraName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for ExtraName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for NameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "`{}` is not a name: ASCII letters and digits, with `-`, `_` and `.` between them",
            self.text
        )
    }
}

impl std::error::Error for NameError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_normalised_or_refused() {
        for (text, name) in [
            ("Friendly-Bard", "friendly-bard"),
            ("FRIENDLY.BARD", "friendly-bard"),
            ("friendly--.__bard", "friendly-bard"),
            ("A", "a"),
            ("zope.interface", "zope-interface"),
        ] {
            assert_eq!(PackageName::new(text).unwrap().as_str(), name);
        }
        for text in ["", "-a", "a-", ".", "a b", "ä", "a[b]", "a/b"] {
            assert!(PackageName::new(text).is_err(), "{text}");
        }
    }

    proptest::proptest! {
        #[test]
        fn a_normalised_name_normalises_to_itself(text in "[A-Za-z0-9._-]{1,12}|\\PC{0,8}") {
            if let Ok(name) = PackageName::new(&text) {
                proptest::prop_assert_eq!(&PackageName::new(name.as_str()).unwrap(), &name);
                proptest::prop_assert!(!name.as_str().contains("--") && !name.as_str().contains(['_', '.']));
            }
        }
    }
}
