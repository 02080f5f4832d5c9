//! How the solver sees each package: at first no more than the release that is taken where nothing speaks against it.
//!
//! Most packages of a lock get that release, and then no other is looked at: of a project with a thousand releases one
//! is judged. pubgrub is told that any release would do, which is less than what is true, so all that it derives holds.
//! Where something does speak against the release, a requirement or what the search learned, the package is contested:
//! all of its releases are looked at from then on. A run that was told of it under the old numbers goes on, with a release
//! of it of which nothing is known and which needs nothing, since it may find more such packages; what it comes to does
//! not count, and it begins again. All of this depends on the problem and on what the index says, never on timing.

use std::sync::Arc;

use rustc_hash::{FxHashMap, FxHashSet};

use super::candidates::Candidates;
use crate::spec::PackageName;

/// The packages seen so far.
#[derive(Debug, Default)]
pub(super) struct Views {
    seen: FxHashMap<PackageName, Arc<Candidates>>,
    /// Those that pubgrub was told of.
    told: FxHashSet<PackageName>,
    /// Those that are looked at as a whole from the next run on.
    contested: Vec<PackageName>,
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

    /// Takes note that pubgrub is told of `name`.
    pub(super) fn tell(&mut self, name: &PackageName) {
        if !self.told.contains(name) {
            self.told.insert(name.clone());
        }
    }

    /// Whether pubgrub was told of `name`.
    pub(super) fn was_told(&self, name: &PackageName) -> bool {
        self.told.contains(name)
    }

    /// Has all candidates of a package looked at from the next run on.
    pub(super) fn contest(&mut self, name: &PackageName) {
        self.contested.push(name.clone());
    }

    /// Whether what this run comes to does not count.
    pub(super) fn are_outdated(&self) -> bool {
        !self.contested.is_empty()
    }

    /// Begins another run, with what `all` tells of the packages that are looked at as a whole now: these.
    pub(super) fn renew<E>(
        &mut self,
        all: impl Fn(&PackageName) -> Result<Arc<Candidates>, E>,
    ) -> Result<FxHashSet<PackageName>, E> {
        let contested: FxHashSet<_> = self.contested.drain(..).collect();
        for name in &contested {
            self.see(all(name)?);
        }
        Ok(contested)
    }
}
