//! The pins of several targets -> one list whose markers tell the targets apart.

use std::collections::BTreeMap;

use super::Pin;
use crate::spec::{Marker, PackageName, Target, Version};

/// What makes two pins one: the package, the release, and the URL that it comes from.
type Release = (PackageName, Version, Option<String>);

/// Merges the pins of each of `targets`, which are in the same order.
///
/// A pin that all targets share has no marker; one that only some have carries a marker that holds on
/// these and on no other of the targets.
#[must_use]
pub fn merge(targets: &[Target], pins: Vec<Vec<Pin>>) -> Vec<Pin> {
    merge_by(pins, |of_targets| Marker::telling(targets, |target| of_targets.contains(&target)))
}

/// Merges the pins of several environments: each carries the marker that `telling` gives for the
/// environments, by their places in `pins`, that have it.
#[must_use]
pub fn merge_by(pins: Vec<Vec<Pin>>, telling: impl Fn(&[usize]) -> Marker) -> Vec<Pin> {
    let mut merged: BTreeMap<Release, (Pin, Vec<usize>)> = BTreeMap::new();
    for (target, pins) in pins.into_iter().enumerate() {
        for pin in pins {
            let key =
                (pin.name.clone(), pin.version.clone(), pin.url.as_ref().map(|url| url.url.to_string()));
            match merged.entry(key) {
                std::collections::btree_map::Entry::Vacant(entry) => {
                    entry.insert((pin, vec![target]));
                }
                std::collections::btree_map::Entry::Occupied(mut entry) => {
                    let (kept, of_targets) = entry.get_mut();
                    of_targets.push(target);
                    add(kept, pin);
                }
            }
        }
    }
    let marked = |(mut pin, of_targets): (Pin, Vec<usize>)| {
        pin.marker = telling(&of_targets);
        pin
    };
    merged.into_values().map(marked).collect()
}

fn add(kept: &mut Pin, pin: Pin) {
    kept.extras.extend(pin.extras);
    kept.hashes.extend(pin.hashes);
    kept.files.extend(pin.files);
    kept.via.extend(pin.via);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markers_tell_the_targets_apart() {
        let target = |python: &str, platform: &str| {
            Target::declared(&python.parse().unwrap(), &platform.parse().unwrap())
        };
        let targets = [target("3.11", "linux"), target("3.12", "linux"), target("3.12", "windows")];
        let pin =
            |name: &str, version: &str| Pin::new(PackageName::new(name).unwrap(), version.parse().unwrap());
        let merged = merge(
            &targets,
            vec![
                vec![pin("everywhere", "1"), pin("split", "1")],
                vec![pin("everywhere", "1"), pin("split", "2")],
                vec![pin("everywhere", "1"), pin("split", "2"), pin("windows", "1")],
            ],
        );
        let lines: Vec<_> = merged.iter().map(Pin::requirement).collect();
        assert_eq!(
            lines,
            [
                "everywhere==1",
                "split==1 ; python_version < '3.12'",
                "split==2 ; python_version >= '3.12'",
                "windows==1 ; sys_platform == 'win32'",
            ]
        );
    }
}
