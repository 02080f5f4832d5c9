//! Versions and specifier sets (PyPA "Version specifiers", PEP 440).
//!
//! The only home of the question whether a version satisfies a specifier. `pep440_rs` parses and orders versions; the matching
//! is ours, since that crate's differs from the specification in places (see the table tests).

mod interval;
mod lenient;
mod matching;
mod strict;
#[cfg(test)]
mod tests;

use std::fmt;
use std::hash::{Hash, Hasher};
use std::str::FromStr;
use std::sync::Arc;

pub use pep440_rs::Version;
use rustc_hash::FxHasher;

pub(super) use self::interval::Interval;

/// A comma-separated set of version specifiers. A version must satisfy each of them; every version satisfies the empty set.
///
/// Shown in the written order, each version in its normal form, without spaces. Two sets are equal if they have the same
/// specifiers, in any order and spelling (`>=1.0,<2` and `<2.0, >=1`).
#[derive(Clone, Debug, Default)]
pub struct SpecifierSet(Arc<[Specifier]>);

/// One specifier.
#[derive(Clone, Debug)]
enum Specifier {
    /// A comparison with a version: the specification's version clause.
    Ordered(Operator, Version),
    /// `===`, arbitrary equality: the text in lower case, and its version, if it is one.
    Arbitrary(Arc<str>, Option<Version>),
}

/// A comparison operator; prefix matching (`.*`) has its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Operator {
    /// `==1.2`
    Equal,
    /// `!=1.2`
    NotEqual,
    /// `==1.2.*`
    StartsWith,
    /// `!=1.2.*`
    StartsNotWith,
    /// `~=1.2`
    Compatible,
    /// `<1.2`
    Less,
    /// `<=1.2`
    LessOrEqual,
    /// `>1.2`
    Greater,
    /// `>=1.2`
    GreaterOrEqual,
}

/// A text that is not a set of specifiers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SpecifierSetError {
    /// What is wrong, as a sentence without a full stop.
    pub message: String,
    /// The byte offset of the error in the text.
    pub at: usize,
}

impl SpecifierSet {
    /// Whether every specifier holds for `version`. Pre-releases match like others: whether one may be chosen is a policy of
    /// the solver.
    #[must_use]
    pub fn contains(&self, version: &Version) -> bool {
        self.0.iter().all(|specifier| specifier.contains(version))
    }

    /// Whether this is the empty set, which holds for every version.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether `other` shares the allocation of this set: cheaper than equality.
    #[must_use]
    pub(super) fn is_shared_with(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    /// The version of an exact pin (`==1.2`, `===1.2`; not `==1.*`), if there is one.
    #[must_use]
    pub fn pinned(&self) -> Option<&Version> {
        self.0.iter().find_map(|specifier| match specifier {
            Specifier::Ordered(Operator::Equal, version) => Some(version),
            Specifier::Arbitrary(_, version) => version.as_ref(),
            Specifier::Ordered(..) => None,
        })
    }

    /// Whether this is one exact pin and nothing else.
    #[must_use]
    pub fn is_exact(&self) -> bool {
        self.0.len() == 1 && self.pinned().is_some()
    }

    /// Whether a specifier other than `!=` names a pre-release or a development release.
    #[must_use]
    pub fn names_prerelease(&self) -> bool {
        self.0.iter().any(|specifier| match specifier {
            Specifier::Ordered(Operator::NotEqual | Operator::StartsNotWith, _) => false,
            Specifier::Ordered(_, version) => version.any_prerelease(),
            Specifier::Arbitrary(_, version) => version.as_ref().is_some_and(Version::any_prerelease),
        })
    }

    /// Whether the lower bounds hold for `python`. Of a Requires-Python, a universal lock applies only these. As for pip, a
    /// pre-release of 3.14.0 counts as 3.14.0.
    #[must_use]
    pub fn lower_bounds_contain(&self, python: &Version) -> bool {
        with_final(python, |python| self.0.iter().all(|specifier| specifier.lower_side_contains(python)))
    }

    /// Whether all that is not a lower bound holds for `python`. Where it does not, a universal lock warns.
    #[must_use]
    pub fn upper_bounds_contain(&self, python: &Version) -> bool {
        with_final(python, |python| {
            self.0
                .iter()
                .all(|specifier| specifier.contains(python) || !specifier.lower_side_contains(python))
        })
    }

    /// The highest lower bound, if there is one.
    #[must_use]
    pub fn lower_bound(&self) -> Option<&Version> {
        self.0.iter().filter_map(Specifier::lower_bound).max()
    }

    /// The intersection: both sets hold.
    #[must_use]
    pub fn and(&self, other: &Self) -> Self {
        Self::from_iter(self.0.iter().chain(other.0.iter()).cloned())
    }

    /// Parses `text`, repairing faults of old metadata that pip and uv accept (`>=1.0,`, `>=1.9.*`).
    ///
    /// # Errors
    /// When `text` is invalid even then; the error is about the unrepaired `text`.
    pub fn parse_lenient(text: &str) -> Result<Self, SpecifierSetError> {
        text.parse().or_else(|error| lenient::repaired(text).and_then(|text| text.parse().ok()).ok_or(error))
    }

    /// Writes comparisons of the marker variable `key`: `key >= '1.0' and key < '2'`.
    pub(super) fn write_comparisons(&self, f: &mut fmt::Formatter<'_>, key: &str) -> fmt::Result {
        for (i, specifier) in self.0.iter().enumerate() {
            let text = specifier.to_string();
            let version = text.trim_start_matches(strict::is_operator_char);
            let operator = &text[..text.len() - version.len()];
            write!(f, "{}{key} {operator} '{version}'", if i == 0 { "" } else { " and " })?;
        }
        Ok(())
    }

    /// The negation of this, a single comparison; one without an opposite stays as it is.
    pub(super) fn negated_comparison(&self) -> Self {
        Self::from_iter(self.0.iter().map(|specifier| match specifier {
            Specifier::Ordered(operator, version) => Specifier::Ordered(operator.opposite(), version.clone()),
            arbitrary @ Specifier::Arbitrary(..) => arbitrary.clone(),
        }))
    }

    fn from_iter(specifiers: impl Iterator<Item = Specifier>) -> Self {
        let mut unique: Vec<Specifier> = Vec::new();
        for specifier in specifiers {
            if !unique.contains(&specifier) {
                unique.push(specifier);
            }
        }
        Self(unique.into())
    }
}

/// Calls `test` with the final release of `python`.
fn with_final(python: &Version, test: impl Fn(&Version) -> bool) -> bool {
    if python.is_stable() && !python.is_local() { test(python) } else { test(&python.only_release()) }
}

impl FromStr for SpecifierSet {
    type Err = SpecifierSetError;

    fn from_str(text: &str) -> Result<Self, SpecifierSetError> {
        strict::parse(text).map(|specifiers| Self::from_iter(specifiers.into_iter()))
    }
}

impl PartialEq for SpecifierSet {
    fn eq(&self, other: &Self) -> bool {
        self.0.len() == other.0.len() && self.0.iter().all(|specifier| other.0.contains(specifier))
    }
}

impl Eq for SpecifierSet {}

impl Hash for SpecifierSet {
    fn hash<H: Hasher>(&self, state: &mut H) {
        // A sum does not depend on the order, as equality does not.
        let sum = self.0.iter().fold(0_u64, |sum, specifier| {
            let mut hasher = FxHasher::default();
            specifier.hash(&mut hasher);
            sum.wrapping_add(hasher.finish())
        });
        sum.hash(state);
    }
}

impl PartialEq for Specifier {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Ordered(left, a), Self::Ordered(right, b)) => {
                left == right
                    && a == b
                    && (!left.depends_on_release_len() || a.release().len() == b.release().len())
            }
            (Self::Arbitrary(a, _), Self::Arbitrary(b, _)) => a == b,
            _ => false,
        }
    }
}

impl Hash for Specifier {
    fn hash<H: Hasher>(&self, state: &mut H) {
        match self {
            Self::Ordered(operator, version) => (operator, version).hash(state),
            Self::Arbitrary(text, _) => text.hash(state),
        }
    }
}

impl Operator {
    /// Whether the length of the release segment matters to it, so that `1.0` is not `1`.
    fn depends_on_release_len(self) -> bool {
        matches!(self, Self::StartsWith | Self::StartsNotWith | Self::Compatible)
    }

    /// The operator of the negation; `~=` has none.
    fn opposite(self) -> Self {
        match self {
            Self::Equal => Self::NotEqual,
            Self::NotEqual => Self::Equal,
            Self::StartsWith => Self::StartsNotWith,
            Self::StartsNotWith => Self::StartsWith,
            Self::Compatible => Self::Compatible,
            Self::Less => Self::GreaterOrEqual,
            Self::LessOrEqual => Self::Greater,
            Self::Greater => Self::LessOrEqual,
            Self::GreaterOrEqual => Self::Less,
        }
    }

    fn as_str(self) -> &'static str {
        match self {
            Self::Equal | Self::StartsWith => "==",
            Self::NotEqual | Self::StartsNotWith => "!=",
            Self::Compatible => "~=",
            Self::Less => "<",
            Self::LessOrEqual => "<=",
            Self::Greater => ">",
            Self::GreaterOrEqual => ">=",
        }
    }
}

impl fmt::Display for SpecifierSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, specifier) in self.0.iter().enumerate() {
            write!(f, "{}{specifier}", if i == 0 { "" } else { "," })?;
        }
        Ok(())
    }
}

impl fmt::Display for Specifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Arbitrary(text, _) => write!(f, "==={text}"),
            Self::Ordered(operator @ (Operator::StartsWith | Operator::StartsNotWith), version) => {
                write!(f, "{}{version}.*", operator.as_str())
            }
            Self::Ordered(operator, version) => write!(f, "{}{version}", operator.as_str()),
        }
    }
}

impl fmt::Display for SpecifierSetError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for SpecifierSetError {}
