//! The pins of several targets -> one list of pins, each with a marker for the targets that have it.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use rustc_hash::FxHashMap;

use super::Pin;
use pinfast_packaging::{Marker, PackageName, Target, Version};

/// Pins with the same key are merged: package, version, and the URL of a URL pin.
type MergeKey = (PackageName, Version, Option<String>);

/// Merges `pins`, one list for each of `targets`, in the same order.
///
/// A pin that all targets share gets no marker. A pin that only some have gets a marker that is true on these and false
/// on the others.
#[must_use]
pub fn merge(targets: &[Target], pins: Vec<Vec<Pin>>) -> Vec<Pin> {
    let mut merger = Merger::default();
    pins.into_iter().for_each(|pins| merger.add(pins));
    merger.merged(|places| Marker::distinguishing(targets, |target| places.contains(&target)))
}

/// The pins of several environments, merged one environment after the other.
#[derive(Default)]
pub struct Merger {
    merged: BTreeMap<MergeKey, (Pin, Vec<usize>)>,
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

    /// The merged pins. `distinguishing` gives the marker for a set of environments, by the order in which they were
    /// added.
    #[must_use]
    pub fn merged(self, distinguishing: impl Fn(&[usize]) -> Marker) -> Vec<Pin> {
        // There are many pins but few sets of environments, and a marker is expensive: each is made once.
        let mut markers: FxHashMap<Vec<usize>, Marker> = FxHashMap::default();
        let marked = |(mut pin, environments): (Pin, Vec<usize>)| {
            pin.marker = markers
                .entry(environments)
                .or_insert_with_key(|environments| distinguishing(environments))
                .clone();
            pin
        };
        self.merged.into_values().map(marked).collect()
    }
}

/// Adds to `kept` what is new in `pin`.
fn join(kept: &mut Pin, pin: Pin) {
    kept.extras.extend(pin.extras);
    // Most pins have the same files everywhere: comparing is cheaper than sorting duplicates out later.
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
    fn a_pin_of_some_targets_gets_a_marker() {
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
