//! How the solver sees each package: at first no more than the release that is taken where nothing speaks against it.
//!
//! Most packages of a lock get that release, and then no other is looked at: of a project with a thousand releases one
//! is judged. pubgrub is told that any release would do, which is less than what is true, so all that it derives holds.
//! Where something does speak against the release, a requirement or what the search learned, the package is contested:
//! all of its releases are looked at from then on. A run that was told of it under the old numbers goes on, with a release
//! of it of which nothing is known and which needs nothing, since it may find more such packages; what it comes to does
//! not count, and it begins again. All of this depends on the problem and on what the index says, never on timing.

use std::sync::Arc;

use rustc_hash::FxHashSet;

use super::candidates::Candidates;
use super::nodes::{Dist, Table};

/// The packages seen so far.
#[derive(Debug, Default)]
pub(super) struct Views {
    seen: Table<Dist, Option<Arc<Candidates>>>,
    /// Whether pubgrub was told of a package.
    told: Table<Dist, bool>,
    /// Those that are looked at as a whole from the next run on.
    contested: Vec<Dist>,
}

impl Views {
    /// What is seen of `dist` so far.
    pub(super) fn of(&self, dist: Dist) -> Option<&Arc<Candidates>> {
        self.seen.get(dist)?.as_ref()
    }

    /// Takes note of what is seen of `dist` at first.
    pub(super) fn see(&mut self, dist: Dist, view: Arc<Candidates>) {
        *self.seen.of(dist) = Some(view);
    }

    /// Takes note that pubgrub is told of `dist`.
    pub(super) fn tell(&mut self, dist: Dist) {
        *self.told.of(dist) = true;
    }

    /// Whether pubgrub was told of `dist`.
    pub(super) fn was_told(&self, dist: Dist) -> bool {
        self.told.get(dist).is_some_and(|told| *told)
    }

    /// Has all candidates of a package looked at from the next run on.
    pub(super) fn contest(&mut self, dist: Dist) {
        self.contested.push(dist);
    }

    /// Whether what this run comes to does not count.
    pub(super) fn are_outdated(&self) -> bool {
        !self.contested.is_empty()
    }

    /// Begins another run, with what `all` tells of the packages that are looked at as a whole now: these.
    pub(super) fn renew<E>(
        &mut self,
        all: impl Fn(Dist) -> Result<Arc<Candidates>, E>,
    ) -> Result<FxHashSet<Dist>, E> {
        let contested: FxHashSet<_> = self.contested.drain(..).collect();
        for &dist in &contested {
            self.see(dist, all(dist)?);
        }
        Ok(contested)
    }
}
