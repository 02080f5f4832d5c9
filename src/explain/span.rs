//! Groups of releases, as people say them.

use crate::solve::Candidates;
use crate::spec::{PackageName, Version};

/// Some releases of a package.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) package: PackageName,
    pub(super) shape: Shape,
}

/// How they lie among the releases in question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    /// This one.
    One(Version),
    /// All that there are, so many.
    All(usize),
    /// All that are in question, so many, from the first to the last.
    AllInRange(usize, Version, Version),
    /// All from this one to the newest.
    From(Version),
    /// All up to this one.
    UpTo(Version),
    /// Neighbours: so many, the first and the last.
    Between(usize, Version, Version),
    /// So many, of so many in question, the first and the last.
    Scattered(usize, usize, Version, Version),
}

/// The `chosen` ones among the releases in `range`.
pub(super) fn span(candidates: &Candidates, chosen: &[bool], range: &[bool]) -> Span {
    let places: Vec<usize> = (0..chosen.len()).filter(|&n| chosen[n]).collect();
    let version = |place: usize| candidates.usable[place].version.clone();
    let shape = match (places.as_slice(), places.len()) {
        ([], _) => Shape::All(0),
        ([only], _) => Shape::One(version(*only)),
        ([first, .., last], count) => {
            let in_range = range.iter().filter(|r| **r).count();
            let (low, high) = (version(*first), version(*last));
            let unbroken = (*first..=*last).all(|n| chosen[n] || !range[n]);
            if count == chosen.len() {
                Shape::All(count)
            } else if count == in_range {
                Shape::AllInRange(count, low, high)
            } else if unbroken && !range[last + 1..].contains(&true) {
                Shape::From(low)
            } else if unbroken && !range[..*first].contains(&true) {
                Shape::UpTo(high)
            } else if unbroken {
                Shape::Between(count, low, high)
            } else {
                Shape::Scattered(count, in_range, low, high)
            }
        }
    };
    Span { package: candidates.name.clone(), shape }
}
