//! Spans of PythonRelease versions, and where a condition on the version changes its value.

use crate::marker::{Key, Relation};
use crate::version::Interval;
use crate::{SpecifierSet, Version};

/// A final release of PythonRelease: its three numbers.
pub(super) type PythonRelease = (u64, u64, u64);

/// From one release to below another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) first: PythonRelease,
    pub(super) end: PythonRelease,
}

/// The newest minor version of PythonRelease 3 that is there or soon will be, and for which wheels are made.
pub const NEWEST_MINOR: u64 = 15;

/// A text that lists versions is asked about no later minor version.
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

    /// The known minor versions with a release in it, the newest first.
    pub(super) fn minors(self) -> Vec<u64> {
        if self.first.0 != 3 {
            return Vec::new();
        }
        let meets = |minor: &u64| self.overlaps(Self { first: (3, *minor, 0), end: (3, minor + 1, 0) });
        (0..=NEWEST_MINOR).rev().filter(meets).collect()
    }

    /// The release that stands for it: the first of the newest known minor version, where that is in it.
    pub(super) fn newest(self) -> PythonRelease {
        let firsts = self.minors().into_iter().map(|minor| (3, minor, 0));
        firsts.max().map_or(self.first, |newest| newest.max(self.first))
    }

    /// Where `holds` first changes its value, if it can only do so at `places`.
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

/// The release as a version.
pub(super) fn version(python: PythonRelease) -> Version {
    Version::new([python.0, python.1, python.2])
}

/// The value of `python_version` or `python_full_version`.
pub(super) fn value(key: Key, python: PythonRelease) -> Version {
    match key {
        Key::PythonVersion => Version::new([python.0, python.1]),
        _ => version(python),
    }
}

/// Where what `specifiers` say of `key` may change.
pub(super) fn places(key: Key, specifiers: &SpecifierSet) -> Vec<PythonRelease> {
    let named = specifiers.intervals().flat_map(named).collect::<Vec<_>>();
    named.iter().flat_map(|version| around(key, of_version(version))).collect()
}

/// Where what a text says of `key` may change.
pub(super) fn places_of_text(key: Key, relation: Relation, text: &str) -> Vec<PythonRelease> {
    if key == Key::PythonVersion {
        return (0..=LAST_MINOR).map(|minor| (3, minor, 0)).collect();
    }
    let words = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '.');
    let versions = words.filter_map(|word| word.parse::<Version>().ok());
    let exact = versions.flat_map(|version| around(key, of_version(&version)));
    match relation {
        // Any part of a version's text may hold the text.
        Relation::Contains => {
            (0..=LAST_MINOR).flat_map(|minor| (0..=LAST_MINOR).map(move |patch| (3, minor, patch))).collect()
        }
        Relation::Equal | Relation::In => exact.collect(),
    }
}

fn around(key: Key, (major, minor, patch): PythonRelease) -> [PythonRelease; 2] {
    match key {
        Key::PythonVersion => [(major, minor, 0), (major, minor + 1, 0)],
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
