//! What changed between two locks, a line a package.

mod render;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use super::{Lock, Pin};
use crate::spec::{PackageName, Sha256};

pub use render::{DiffReport, ReportedChange, ReportedPin, Summary};

/// What changed between two locks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Diff {
    /// The changes, sorted by name; several of one name where markers tell its pins apart.
    pub changes: Vec<Change>,
}

/// What changed of one pin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The package.
    pub name: PackageName,
    /// What kind of change it is.
    pub kind: ChangeKind,
    /// As it was; `None` if it is added.
    pub old: Option<Pin>,
    /// As it is; `None` if it is removed.
    pub new: Option<Pin>,
}

/// A kind of change, the first that holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChangeKind {
    /// It was not pinned.
    Added,
    /// It is not pinned any more.
    Removed,
    /// Its version is higher.
    Up,
    /// Its version is lower.
    Down,
    /// It comes from elsewhere: an index or a URL.
    Source,
    /// It is wanted in other environments.
    Marker,
    /// Its files are others: more were uploaded, or some were taken away.
    Hashes,
}

/// What changed from `old` to `new`. Who wants a package is no change of the package.
#[must_use]
pub fn diff(old: &Lock, new: &Lock) -> Diff {
    let mut names: BTreeMap<&PackageName, (Vec<&Pin>, Vec<&Pin>)> = BTreeMap::new();
    for pin in &old.pins {
        names.entry(&pin.name).or_default().0.push(pin);
    }
    for pin in &new.pins {
        names.entry(&pin.name).or_default().1.push(pin);
    }
    let changes = names.into_values().flat_map(|(old, new)| pairs(old, new));
    Diff { changes: changes.filter_map(|(old, new)| change(old, new)).collect() }
}

/// The pins of one name, each old one with what became of it: the new one with the same marker, else the
/// one with the same version, else the next that is left.
fn pairs<'a>(mut old: Vec<&'a Pin>, mut new: Vec<&'a Pin>) -> Vec<(Option<&'a Pin>, Option<&'a Pin>)> {
    let mut pairs = Vec::new();
    let alike: [fn(&Pin, &Pin) -> bool; 3] =
        [|a, b| a.marker == b.marker, |a, b| a.version == b.version, |_, _| true];
    for alike in alike {
        old.retain(|was| match new.iter().position(|is| alike(was, is)) {
            Some(at) => {
                pairs.push((Some(*was), Some(new.remove(at))));
                false
            }
            None => true,
        });
    }
    pairs.extend(old.into_iter().map(|was| (Some(was), None)));
    pairs.extend(new.into_iter().map(|is| (None, Some(is))));
    pairs.sort_by_key(|(old, new)| old.or(*new).map(|pin| pin.version.clone()));
    pairs
}

fn change(old: Option<&Pin>, new: Option<&Pin>) -> Option<Change> {
    let kind = match (old, new) {
        (Some(old), Some(new)) => kind(old, new)?,
        (None, _) => ChangeKind::Added,
        (_, None) => ChangeKind::Removed,
    };
    let name = old.or(new)?.name.clone();
    Some(Change { name, kind, old: old.cloned(), new: new.cloned() })
}

fn kind(old: &Pin, new: &Pin) -> Option<ChangeKind> {
    use std::cmp::Ordering;
    match new.version.cmp(&old.version) {
        Ordering::Greater => return Some(ChangeKind::Up),
        Ordering::Less => return Some(ChangeKind::Down),
        Ordering::Equal => {}
    }
    let url = |pin: &Pin| pin.url.as_ref().map(ToString::to_string);
    if url(old) != url(new) {
        Some(ChangeKind::Source)
    } else if old.marker != new.marker {
        Some(ChangeKind::Marker)
    } else {
        (old.hashes != new.hashes).then_some(ChangeKind::Hashes)
    }
}

impl Change {
    /// How many hashes came and how many went.
    #[must_use]
    pub fn hashes(&self) -> (usize, usize) {
        let hashes = |pin: &Option<Pin>| pin.as_ref().map(|pin| pin.hashes.clone()).unwrap_or_default();
        let (old, new) = (hashes(&self.old), hashes(&self.new));
        let lacks = |all: &[Sha256], some: &[Sha256]| some.iter().filter(|hash| !all.contains(hash)).count();
        (lacks(&old, &new), lacks(&new, &old))
    }
}
