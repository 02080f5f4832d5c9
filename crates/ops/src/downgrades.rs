//! Downgrades that deserve a warning: by a major version, or to a release years older.

use std::fmt;

use jiff::Timestamp;

use pinfast_lock::diff::{ChangeKind, Diff, PinChange};
use pinfast_packaging::{FileSummary, PackageName, Version};
use pinfast_solve::Index;

/// A package that went down far. A conflict often shows only as a silent downgrade.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Downgrade {
    /// The package.
    pub name: PackageName,
    /// The release in the old lock.
    pub old: Version,
    /// The release in the new lock.
    pub new: Version,
    /// How far.
    pub distance: Distance,
}

/// How far apart two releases are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Distance {
    /// A major version.
    Major,
    /// Years between the uploads, at least two.
    Years(i64),
}

/// A downgrade by this many years is worth a warning.
const YEARS: i64 = 2;

/// The downgrades in `diff`. Whatever `index` cannot tell of upload times is no reason to warn.
pub(super) fn downgrades(diff: &Diff, index: &dyn Index) -> Vec<Downgrade> {
    diff.changes
        .iter()
        .filter(|change| change.kind == ChangeKind::Down)
        .filter_map(|c| downgrade(c, index))
        .collect()
}

fn downgrade(change: &PinChange, index: &dyn Index) -> Option<Downgrade> {
    let (old, new) = (&change.old.as_ref()?.version, &change.new.as_ref()?.version);
    let distance = distance(&change.name, old, new, index)?;
    Some(Downgrade { name: change.name.clone(), old: old.clone(), new: new.clone(), distance })
}

/// How far it is from `high` down to `low`, where that is far.
pub(super) fn distance(
    name: &PackageName,
    high: &Version,
    low: &Version,
    index: &dyn Index,
) -> Option<Distance> {
    match years(name, high, low, index) {
        Some(years) if years >= YEARS => Some(Distance::Years(years)),
        _ => (major(low) < major(high)).then_some(Distance::Major),
    }
}

fn major(version: &Version) -> (u64, Option<u64>) {
    (version.epoch(), version.release().first().copied())
}

/// How many years before `old` the release `new` was uploaded.
fn years(name: &PackageName, old: &Version, new: &Version, index: &dyn Index) -> Option<i64> {
    let uploaded = |version: &Version| -> Option<Timestamp> {
        let alone = index.release_listing(name, version);
        let listing = alone.or_else(|| index.listing(name).ok()?)?;
        let number = listing.position(version)?;
        listing.summaries(number).iter().filter_map(FileSummary::uploaded).min()
    };
    Some(uploaded(old)?.duration_since(uploaded(new)?).as_hours() / (365 * 24))
}

impl fmt::Display for Downgrade {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, old, new, distance } = self;
        write!(f, "{name} is downgraded from {old} to {new}, ")?;
        match distance {
            Distance::Major => f.write_str("a major version"),
            Distance::Years(years) => write!(f, "which is {years} years older"),
        }
    }
}
