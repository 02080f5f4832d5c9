//! Spans of Python versions, and the versions at which a condition changes its value.

use crate::marker::{MarkerVariable, TextRelation};
use crate::version::Interval;
use crate::{SpecifierSet, Version};

/// A final release of Python: major, minor, patch.
pub(super) type PythonRelease = (u64, u64, u64);

/// The releases from `first` to below `end`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) first: PythonRelease,
    pub(super) end: PythonRelease,
}

/// The newest minor version of Python 3 for which wheels are made, now or soon.
pub const NEWEST_MINOR: u64 = 15;

/// The highest minor version that is tried against a text in a marker.
const LAST_MINOR: u64 = 40;

impl Span {
    /// From `first` to below the next major version.
    pub(super) fn from_version(first: &Version) -> Self {
        let first = of_version(first);
        Self { first, end: (first.0 + 1, 0, 0) }
    }

    pub(super) fn contains(self, python: PythonRelease) -> bool {
        self.first <= python && python < self.end
    }

    pub(super) fn overlaps(self, other: Self) -> bool {
        self.first < other.end && other.first < self.end
    }

    pub(super) fn covers(self, other: Self) -> bool {
        self.first <= other.first && other.end <= self.end
    }

    /// The known minor versions with a release in the span, the newest first.
    pub(super) fn minors(self) -> Vec<u64> {
        if self.first.0 != 3 {
            return Vec::new();
        }
        let meets = |minor: &u64| self.overlaps(Self { first: (3, *minor, 0), end: (3, minor + 1, 0) });
        (0..=NEWEST_MINOR).rev().filter(meets).collect()
    }

    /// The release that represents the span: the first of its newest known minor version, if the span has it.
    pub(super) fn newest(self) -> PythonRelease {
        let firsts = self.minors().into_iter().map(|minor| (3, minor, 0));
        firsts.max().map_or(self.first, |newest| newest.max(self.first))
    }

    /// The first of `places` at which `holds` changes its value; it must not change anywhere else.
    pub(super) fn change(
        self,
        places: impl IntoIterator<Item = PythonRelease>,
        holds: impl Fn(PythonRelease) -> bool,
    ) -> Option<PythonRelease> {
        let mut inner: Vec<_> =
            places.into_iter().filter(|place| self.first < *place && *place < self.end).collect();
        inner.sort_unstable();
        let before = holds(self.first);
        inner.into_iter().find(|place| holds(*place) != before)
    }
}

/// The version of a release.
pub(super) fn version(python: PythonRelease) -> Version {
    Version::new([python.0, python.1, python.2])
}

/// The value of `python_version` or `python_full_version`.
pub(super) fn value(key: MarkerVariable, python: PythonRelease) -> Version {
    match key {
        MarkerVariable::PythonVersion => Version::new([python.0, python.1]),
        _ => version(python),
    }
}

/// The releases at which `specifiers` on `key` may change their value.
pub(super) fn places(key: MarkerVariable, specifiers: &SpecifierSet) -> Vec<PythonRelease> {
    let named = specifiers.intervals().flat_map(named).collect::<Vec<_>>();
    named.iter().flat_map(|version| around(key, of_version(version))).collect()
}

/// The releases at which a comparison of `key` with `text` may change its value.
pub(super) fn places_of_text(key: MarkerVariable, relation: TextRelation, text: &str) -> Vec<PythonRelease> {
    if key == MarkerVariable::PythonVersion {
        return (0..=LAST_MINOR).map(|minor| (3, minor, 0)).collect();
    }
    let words = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '.');
    let versions = words.filter_map(|word| word.parse::<Version>().ok());
    let exact = versions.flat_map(|version| around(key, of_version(&version)));
    match relation {
        // `text` can be any part of a version, so every release is tried.
        TextRelation::Contains => {
            (0..=LAST_MINOR).flat_map(|minor| (0..=LAST_MINOR).map(move |patch| (3, minor, patch))).collect()
        }
        TextRelation::Equal | TextRelation::In => exact.collect(),
    }
}

fn around(key: MarkerVariable, (major, minor, patch): PythonRelease) -> [PythonRelease; 2] {
    match key {
        MarkerVariable::PythonVersion => [(major, minor, 0), (major, minor + 1, 0)],
        _ => [(major, minor, patch), (major, minor, patch + 1)],
    }
}

fn named(interval: Interval) -> Vec<Version> {
    match interval {
        Interval::All | Interval::None => Vec::new(),
        Interval::Is(version)
        | Interval::IsNot(version)
        | Interval::Below(version)
        | Interval::UpTo(version)
        | Interval::Above(version)
        | Interval::From(version) => vec![version],
        Interval::Within(first, end) | Interval::Outside(first, end) => vec![first, end],
    }
}

fn of_version(version: &Version) -> PythonRelease {
    let part = |place: usize| version.release().get(place).copied().unwrap_or(0).min(1 << 30);
    (part(0), part(1), part(2))
}
