//! What a run has learnt of servers: whether they keep metadata files, whether they serve ranges.

use std::sync::Mutex;

use rustc_hash::FxHashMap;
use url::Url;

use super::failure::{Cause, Failure};
use super::once::unpoisoned;
use super::url::Origin;
use pinfast_packaging::MetadataHint;

/// The habits of servers.
#[derive(Default)]
pub(super) struct Origins {
    known: Mutex<FxHashMap<Origin, Habits>>,
}

#[derive(Clone, Copy, Default)]
struct Habits {
    siblings: Siblings,
    ranges: Ranges,
}

/// Whether a server keeps metadata files that its index does not speak of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Siblings {
    #[default]
    Unknown,
    Present,
    Absent,
}

/// Whether a server serves ranges.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Ranges {
    #[default]
    Likely,
    Refused,
}

impl Origins {
    pub(super) fn siblings(&self, url: &Url) -> Siblings {
        self.habits(url).siblings
    }

    pub(super) fn ranges(&self, url: &Url) -> Ranges {
        self.habits(url).ranges
    }

    /// Learns from a request for a metadata file that the index said nothing of.
    pub(super) fn learn_siblings<T>(&self, url: &Url, hint: MetadataHint, result: &Result<T, Failure>) {
        let learnt = match result {
            _ if hint != MetadataHint::Unknown => return,
            Ok(_) => Siblings::Present,
            Err(failure) if matches!(failure.cause, Cause::Absent | Cause::Denied) => Siblings::Absent,
            Err(_) => return,
        };
        self.change(url, |habits| {
            // One file with a sibling says more than one without.
            if habits.siblings != Siblings::Present {
                habits.siblings = learnt;
            }
        });
    }

    pub(super) fn refuses_ranges(&self, url: &Url) {
        self.change(url, |habits| habits.ranges = Ranges::Refused);
    }

    fn habits(&self, url: &Url) -> Habits {
        let Some(origin) = Origin::of(url) else { return Habits::default() };
        unpoisoned(self.known.lock()).get(&origin).copied().unwrap_or_default()
    }

    fn change(&self, url: &Url, change: impl FnOnce(&mut Habits)) {
        if let Some(origin) = Origin::of(url) {
            change(unpoisoned(self.known.lock()).entry(origin).or_default());
        }
    }
}
