//! The pins of several targets -> one list whose markers tell the targets apart.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use rustc_hash::FxHashMap;

use super::Pin;
use pinfast_packaging::{Marker, PackageName, Target, Version};

/// What makes two pins one: the package, the release, and the URL that it comes from.
type Release = (PackageName, Version, Option<String>);

/// Merges the pins of each of `targets`, which are in the same order.
///
/// A pin that all targets share has no marker; one that only some have carries a marker that holds on
/// these and on no other of the targets.
#[must_use]
pub fn merge(targets: &[Target], pins: Vec<Vec<Pin>>) -> Vec<Pin> {
    let mut merger = Merger::default();
    pins.into_iter().for_each(|pins| merger.add(pins));
    merger.merged(|places| Marker::distinguishing(targets, |target| places.contains(&target)))
}

/// The pins of several environments, merged one environment after the other.
#[derive(Default)]
pub struct Merger {
    merged: BTreeMap<Release, (Pin, Vec<usize>)>,
    environments: usize,
}

impl Merger {
    /// Adds the pins of the next environment.
    pub fn add(&mut self, pins: Vec<Pin>) {
        for pin in pins {
            let key =
                (pin.name.clone(), pin.version.clone(), pin.url.as_ref().map(|url| url.url.to_string()));
            match self.merged.entry(key) {
                Entry::Vacant(entry) => {
                    entry.insert((pin, vec![self.environments]));
                }
                Entry::Occupied(mut entry) => {
                    let (kept, environments) = entry.get_mut();
                    environments.push(self.environments);
                    join(kept, pin);
                }
            }
        }
        self.environments += 1;
    }

    /// The merged pins: each carries the marker that `telling` gives for the environments that have it, by their places
    /// in the order in which they were added.
    #[must_use]
    pub fn merged(self, telling: impl Fn(&[usize]) -> Marker) -> Vec<Pin> {
        // Many pins, few sets of environments: each marker is worked out once.
        let mut markers: FxHashMap<Vec<usize>, Marker> = FxHashMap::default();
        let marked = |(mut pin, environments): (Pin, Vec<usize>)| {
            pin.marker = markers.entry(environments).or_insert_with_key(|places| telling(places)).clone();
            pin
        };
        self.merged.into_values().map(marked).collect()
    }
}

/// Adds what is new in `pin`; of most, all environments have the same files.
fn join(kept: &mut Pin, pin: Pin) {
    kept.extras.extend(pin.extras);
    if kept.hashes != pin.hashes || kept.files != pin.files {
        kept.hashes.extend(pin.hashes);
        kept.files.extend(pin.files);
    }
    if kept.via != pin.via {
        kept.via.extend(pin.via);
    }
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
