//! How the solver sees each package: at first no more than the release that is taken where nothing speaks against it.
//!
//! Most packages of a lock get that release, and then no other is looked at: of a project with a thousand releases one
//! is judged. pubgrub is told that any release would do, which is less than what is true, so all that it derives holds.
//! Where something does speak against the release, a requirement or what the search learned, the package is contested:
//! all of its releases are looked at from then on, and a run that was told of it under the old numbers begins again.
//! Which packages these are depends on the problem and on what the index says, never on timing.

use std::sync::Arc;

use rustc_hash::{FxHashMap, FxHashSet};

use super::candidates::Candidates;
use crate::spec::PackageName;

/// The packages seen so far.
#[derive(Debug, Default)]
pub(super) struct Views {
    seen: FxHashMap<PackageName, Arc<Candidates>>,
    /// Those that pubgrub was told of in this run.
    told: FxHashSet<PackageName>,
}

/// Whether a run can go on with a package that is looked at as a whole now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Widened {
    /// It was not told of the package yet.
    InTime,
    /// It was, under other numbers.
    TooLate,
}

impl Views {
    /// What is seen of `name` so far.
    pub(super) fn of(&self, name: &PackageName) -> Option<&Arc<Candidates>> {
        self.seen.get(name)
    }

    /// Takes note of what is seen of `name` at first.
    pub(super) fn see(&mut self, view: Arc<Candidates>) {
        self.seen.insert(view.name.clone(), view);
    }

    /// Takes note that pubgrub is told of `name` in this run.
    pub(super) fn tell(&mut self, name: &PackageName) {
        if !self.told.contains(name) {
            self.told.insert(name.clone());
        }
    }

    /// Looks at `all` candidates of a package from now on.
    pub(super) fn widen(&mut self, all: Arc<Candidates>) -> Widened {
        let was_told = self.told.contains(&all.name);
        self.see(all);
        if was_told { Widened::TooLate } else { Widened::InTime }
    }

    /// Begins another run.
    pub(super) fn rewind(&mut self) {
        self.told.clear();
    }
}
