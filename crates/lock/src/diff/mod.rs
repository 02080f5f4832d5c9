//! Two locks -> what changed between them, a change a pin. `render` writes it as text, Markdown and JSON.

mod render;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use super::{Lock, PermittedBuild, Pin};
use pinfast_packaging::{PackageName, Sha256};

pub use render::{DiffReport, ReportedBuild, ReportedChange, ReportedPin, Summary};

/// What changed between two locks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Diff {
    /// The changes, sorted by name; several of one name where markers tell its pins apart.
    pub changes: Vec<PinChange>,
    /// The changes of the permitted builds, sorted by name.
    pub builds: Vec<BuildChange>,
}

/// A change of a permitted build.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BuildChange {
    /// The package that is built.
    pub name: PackageName,
    /// Whether the lock permits its build.
    pub permission: BuildPermission,
    /// The changes of the pins that its build requires.
    pub changes: Vec<PinChange>,
}

/// How the permission to build a package changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BuildPermission {
    /// The new lock permits the build.
    Granted,
    /// Only the old lock permits it.
    Revoked,
    /// Both permit it.
    Unchanged,
}

/// A change of one pin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PinChange {
    /// The package.
    pub name: PackageName,
    /// What kind of change it is.
    pub kind: ChangeKind,
    /// The old pin; `None` if the package is added.
    pub old: Option<Pin>,
    /// The new pin; `None` if the package is removed.
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
    /// It comes from another URL, or from the index instead.
    Source,
    /// Its marker changed.
    Marker,
    /// Its files changed: some were uploaded or deleted since.
    Hashes,
}

/// What changed from `old` to `new`. Other dependents (`via`) are no change of a package.
#[must_use]
pub fn diff(old: &Lock, new: &Lock) -> Diff {
    Diff { changes: changes(&old.pins, &new.pins), builds: builds(old, new) }
}

fn changes<'a>(
    old: impl IntoIterator<Item = &'a Pin>,
    new: impl IntoIterator<Item = &'a Pin>,
) -> Vec<PinChange> {
    let mut names: BTreeMap<&PackageName, (Vec<&Pin>, Vec<&Pin>)> = BTreeMap::new();
    for pin in old {
        names.entry(&pin.name).or_default().0.push(pin);
    }
    for pin in new {
        names.entry(&pin.name).or_default().1.push(pin);
    }
    let pairs = names.into_values().flat_map(|(old, new)| pairs(old, new));
    pairs.filter_map(|(old, new)| change(old, new)).collect()
}

fn builds(old: &Lock, new: &Lock) -> Vec<BuildChange> {
    let names: BTreeSet<&PackageName> =
        old.builds.iter().chain(&new.builds).map(|build| &build.name).collect();
    let change = |name: &PackageName| {
        let (old, new) = (builds_of(old, name), builds_of(new, name));
        let permission = match (old.is_empty(), new.is_empty()) {
            (true, _) => BuildPermission::Granted,
            (_, true) => BuildPermission::Revoked,
            _ => BuildPermission::Unchanged,
        };
        let pins = |builds| <Vec<&PermittedBuild>>::into_iter(builds).flat_map(|build| &build.pins);
        BuildChange { name: name.clone(), permission, changes: changes(pins(old), pins(new)) }
    };
    let changed = names.into_iter().map(change);
    changed
        .filter(|change| change.permission != BuildPermission::Unchanged || !change.changes.is_empty())
        .collect()
}

fn builds_of<'a>(lock: &'a Lock, name: &PackageName) -> Vec<&'a PermittedBuild> {
    lock.builds.iter().filter(|build| build.name == *name).collect()
}

/// Pairs the pins of one name: each old one with the new one of the same marker, else of the same version, else with
/// the next one left.
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

fn change(old: Option<&Pin>, new: Option<&Pin>) -> Option<PinChange> {
    let kind = match (old, new) {
        (Some(old), Some(new)) => kind(old, new)?,
        (None, _) => ChangeKind::Added,
        (_, None) => ChangeKind::Removed,
    };
    let name = old.or(new)?.name.clone();
    Some(PinChange { name, kind, old: old.cloned(), new: new.cloned() })
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

impl PinChange {
    /// How many hashes were added and how many removed.
    #[must_use]
    pub fn hashes(&self) -> (usize, usize) {
        let hashes = |pin: &Option<Pin>| pin.as_ref().map(|pin| pin.hashes.clone()).unwrap_or_default();
        let (old, new) = (hashes(&self.old), hashes(&self.new));
        let lacks = |all: &[Sha256], some: &[Sha256]| some.iter().filter(|hash| !all.contains(hash)).count();
        (lacks(&old, &new), lacks(&new, &old))
    }
}
