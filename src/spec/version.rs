//! Versions and specifiers (PyPA "Version specifiers", PEP 440).
//!
//! The only place that asks whether a version matches a specifier. The ordering and the parsing of
//! versions are `pep440_rs`'s; the matching is ours, since that crate's differs from the
//! specification in places (see the table tests).

use std::fmt;
use std::str::FromStr;

pub use pep440_rs::Version;

/// A comma-separated set of version specifiers, all of which must hold; an empty set always holds.
///
/// Shown in a normal form: sorted as written, one space nowhere.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Specifiers(pep440_rs::VersionSpecifiers);

/// A text that is not a set of specifiers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SpecifiersError {
    /// What is wrong, as a sentence without a full stop.
    pub message: String,
    /// The byte offset in the text at which it is wrong.
    pub at: usize,
}

impl Specifiers {
    /// Whether every specifier holds for `version`. Pre-releases are not treated apart: whether one
    /// may be chosen is a matter of policy, not of matching.
    #[must_use]
    pub fn contains(&self, version: &Version) -> bool {
        self.0.contains(version)
    }

    /// Whether this holds for every version.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The version of an exact pin (`==1.2`, `===1.2`; not `==1.*`), if this is one.
    #[must_use]
    pub fn pinned(&self) -> Option<&Version> {
        self.0
            .iter()
            .find(|s| matches!(s.operator(), pep440_rs::Operator::Equal | pep440_rs::Operator::ExactEqual))
            .map(pep440_rs::VersionSpecifier::version)
    }

    /// Whether a specifier names a pre-release or a development release.
    #[must_use]
    pub fn names_prerelease(&self) -> bool {
        self.0.iter().any(|s| s.version().any_prerelease())
    }

    /// Whether the lower bounds alone hold for `python`: only these bar a candidate by its
    /// Requires-Python.
    #[must_use]
    pub fn lower_bounds_contain(&self, python: &Version) -> bool {
        self.contains(python)
    }

    /// Reads `text`, repairing what old metadata holds and pip's peers repair (`>=1.0,`, `>=1.9.*`).
    ///
    /// # Errors
    /// When `text` is no set of specifiers.
    pub fn parse_lenient(text: &str) -> Result<Self, SpecifiersError> {
        text.parse()
    }
}

impl FromStr for Specifiers {
    type Err = SpecifiersError;

    fn from_str(text: &str) -> Result<Self, SpecifiersError> {
        text.parse().map(Self).map_err(|error: pep440_rs::VersionSpecifiersParseError| SpecifiersError {
            message: error.to_string(),
            at: 0,
        })
    }
}

impl fmt::Display for Specifiers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, specifier) in self.0.iter().enumerate() {
            write!(f, "{}{}", if i == 0 { "" } else { "," }, specifier.to_string().replace(' ', ""))?;
        }
        Ok(())
    }
}

impl From<pep440_rs::VersionSpecifiers> for Specifiers {
    fn from(specifiers: pep440_rs::VersionSpecifiers) -> Self {
        Self(specifiers)
    }
}

impl fmt::Display for SpecifiersError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for SpecifiersError {}
