//! Sets of candidate ordinals: pubgrub's version sets here.
//!
//! The candidates of a package are numbered ascending by version. So a specifier permits a few ranges of integers, which
//! are cheaper to compare and intersect than versions. Every range is half-open (`low <= n < high`), a singleton too:
//! neighbours join, and equal sets are equal values.

use std::fmt;
use std::ops::Range;

use pubgrub::{Ranges, VersionSet};

/// The number of a candidate of a package: candidates are sorted ascending by version, and counted from 0.
pub type Ordinal = u32;

/// A set of ordinals.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OrdinalSet(Ranges<Ordinal>);

impl OrdinalSet {
    /// The ordinals below `count` that satisfy `holds`.
    pub fn matching(count: Ordinal, mut holds: impl FnMut(Ordinal) -> bool) -> Self {
        let mut runs: Vec<Range<Ordinal>> = Vec::new();
        for ordinal in (0..count).filter(|&ordinal| holds(ordinal)) {
            match runs.last_mut() {
                Some(run) if run.end == ordinal => run.end = ordinal + 1,
                _ => runs.push(ordinal..ordinal + 1),
            }
        }
        Self(
            runs.into_iter()
                .map(|run| (std::ops::Bound::Included(run.start), std::ops::Bound::Excluded(run.end)))
                .collect(),
        )
    }

    /// The ordinals in it that are below `count`, ascending.
    pub fn ordinals(&self, count: Ordinal) -> impl DoubleEndedIterator<Item = Ordinal> + '_ {
        // `runs` goes forwards only. There are few, so they are collected to be read backwards too.
        self.runs(count).collect::<Vec<_>>().into_iter().flatten()
    }

    /// How many ordinals below `count` are in it.
    pub fn len(&self, count: Ordinal) -> usize {
        self.runs(count).map(|run| run.len()).sum()
    }

    /// The ranges of ordinals in it, each cut at `count`, ascending.
    pub fn runs(&self, count: Ordinal) -> impl Iterator<Item = Range<Ordinal>> + '_ {
        use std::ops::Bound::{Excluded, Included, Unbounded};
        self.0.iter().map(move |(low, high)| {
            let start = match low {
                Included(low) => *low,
                // A complement of half-open ranges never begins so, but the type permits it.
                Excluded(low) => low + 1,
                Unbounded => 0,
            };
            let end = match high {
                Included(high) => high + 1,
                Excluded(high) => *high,
                Unbounded => count,
            };
            start.min(count)..end.min(count)
        })
    }
}

impl VersionSet for OrdinalSet {
    type V = Ordinal;

    fn empty() -> Self {
        Self(Ranges::empty())
    }

    fn full() -> Self {
        Self(Ranges::full())
    }

    fn singleton(ordinal: Ordinal) -> Self {
        Self(Ranges::between(ordinal, ordinal + 1))
    }

    fn complement(&self) -> Self {
        Self(self.0.complement())
    }

    fn intersection(&self, other: &Self) -> Self {
        Self(self.0.intersection(&other.0))
    }

    fn union(&self, other: &Self) -> Self {
        Self(self.0.union(&other.0))
    }

    fn is_disjoint(&self, other: &Self) -> bool {
        self.0.is_disjoint(&other.0)
    }

    fn subset_of(&self, other: &Self) -> bool {
        self.0.subset_of(&other.0)
    }

    fn contains(&self, ordinal: &Ordinal) -> bool {
        self.0.contains(ordinal)
    }
}

impl fmt::Display for OrdinalSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets_of_the_same_ordinals_are_equal_values() {
        let neighbours = OrdinalSet::singleton(3).union(&OrdinalSet::singleton(4));
        assert_eq!(neighbours, OrdinalSet::matching(9, |n| n == 3 || n == 4));
        assert_eq!(neighbours.complement().complement(), neighbours);
        let below_three = OrdinalSet::matching(9, |n| n < 3);
        let not_three_up =
            OrdinalSet::full().intersection(&OrdinalSet(Ranges::higher_than(3u32)).complement());
        assert!(below_three.is_disjoint(&OrdinalSet::singleton(3)));
        assert_eq!(below_three.ordinals(9).collect::<Vec<_>>(), not_three_up.ordinals(9).collect::<Vec<_>>());
        assert_eq!(OrdinalSet::full().len(5), 5);
        assert_eq!(OrdinalSet::matching(9, |_| false), OrdinalSet::empty());
    }
}
