//! Lazy candidates: of most packages only one release is ever evaluated.
//!
//! A lock mostly takes the release that each package offers first: the newest, or the one that an older lock pins. So
//! the solver looks at that one release, ordinal 0, and tells pubgrub that any release would satisfy a requirement on
//! the package. That claim is weaker than the truth, so everything that pubgrub derives from it holds.
//!
//! When a requirement or a derived incompatibility excludes ordinal 0, the package is *widened*: from the next run on,
//! all of its releases are candidates. The current run cannot change the ordinals that pubgrub already knows. It goes on
//! with an unseen release that depends on nothing, because it may find more packages to widen; its result is discarded.
//! All of this depends on the problem and the index's answers, never on timing.
//!
//! ```text
//! lines: app, lib<2      lib's first release is 2
//! run 1: app -> any lib; lib<2 excludes lib 2      widen lib, discard the run
//! run 2: app -> any lib; lib<2 -> {lib 0, lib 1}   the result stands
//! ```
//!
//! [`Predecided`] draws the second profit. When a package has only its first release, and depends only on such packages
//! and on what the root requires anyway, no other decision can conflict with it. The next runs do not give it to pubgrub
//! at all, which spares a large search most of its work. Widening a package makes it an ordinary one again.

use std::sync::Arc;

use pubgrub::VersionSet as _;
use rustc_hash::FxHashSet;

use super::candidates::Candidates;
use super::dependencies::{CandidateDependencies, DependencySets};
use super::interner::{IdMap, NameId, PackageId, PackageInterner};
use super::ordinal_set::{Ordinal, OrdinalSet};

/// The ordinal of a package's only evaluated release.
pub(super) const FIRST: Ordinal = 0;

/// The candidates of each package, as far as this search has evaluated them.
#[derive(Debug, Default)]
pub(super) struct LazyCandidates {
    candidates: IdMap<NameId, Option<Arc<Candidates>>>,
    /// Whether pubgrub has been given a set of the package's ordinals: these cannot change within the run.
    is_registered: IdMap<NameId, bool>,
    /// Packages to widen before the next run.
    to_widen: Vec<NameId>,
}

impl LazyCandidates {
    /// The candidates evaluated so far; `None` if the package was not met yet.
    pub(super) fn get(&self, name: NameId) -> Option<&Arc<Candidates>> {
        self.candidates.get(name)?.as_ref()
    }

    /// Sets the candidates of a package.
    pub(super) fn set(&mut self, name: NameId, candidates: Arc<Candidates>) {
        *self.candidates.entry(name) = Some(candidates);
    }

    /// Records that pubgrub knows ordinals of the package.
    pub(super) fn register(&mut self, name: NameId) {
        *self.is_registered.entry(name) = true;
    }

    /// Whether pubgrub knows ordinals of the package.
    pub(super) fn is_registered(&self, name: NameId) -> bool {
        self.is_registered.get(name).is_some_and(|registered| *registered)
    }

    /// Has a package widened before the next run.
    pub(super) fn widen_later(&mut self, name: NameId) {
        self.to_widen.push(name);
    }

    /// Whether the result of this run is discarded, because some package needs widening.
    pub(super) fn is_stale(&self) -> bool {
        !self.to_widen.is_empty()
    }

    /// Widens the packages that need it with `all` of their candidates, and returns them.
    pub(super) fn widen<E>(
        &mut self,
        all: impl Fn(NameId) -> Result<Arc<Candidates>, E>,
    ) -> Result<FxHashSet<NameId>, E> {
        let widened: FxHashSet<_> = self.to_widen.drain(..).collect();
        for &name in &widened {
            self.set(name, all(name)?);
        }
        Ok(widened)
    }
}

/// The packages whose decision is known before a run begins.
#[derive(Debug, Default)]
pub(super) struct Predecided {
    packages: IdMap<PackageId, bool>,
    count: usize,
    /// What the root itself requires of each package.
    root_requires: IdMap<PackageId, Option<OrdinalSet>>,
}

impl Predecided {
    /// Finds the packages that no decision can conflict with.
    ///
    /// It is a greatest fixpoint: begin with every package that has one evaluated release, then drop each one that
    /// depends on something outside, until nothing changes.
    pub(super) fn new<'a>(
        interner: &PackageInterner,
        lazy: &LazyCandidates,
        root: &DependencySets,
        dependencies_of: impl Fn(PackageId, Ordinal) -> Option<&'a CandidateDependencies>,
    ) -> Self {
        let mut predecided = Self::default();
        for (package, set) in root.iter() {
            *predecided.root_requires.entry(*package) = Some(set.clone());
        }
        let has_one_release = |package: PackageId| {
            let candidates = interner.kind(package).name().and_then(|name| lazy.get(name));
            candidates.is_some_and(|candidates| candidates.sole().is_some())
        };
        let dependencies = |package: PackageId| match dependencies_of(package, FIRST)? {
            CandidateDependencies::Available(needed) if has_one_release(package) => Some((package, needed)),
            CandidateDependencies::Available(_) | CandidateDependencies::Unavailable(_) => None,
        };
        // Most packages depend on packages met after them: backwards, the first pass settles nearly all.
        let mut left: Vec<_> = interner.package_ids().rev().filter_map(dependencies).collect();
        for (package, _) in &left {
            *predecided.packages.entry(*package) = true;
        }
        loop {
            let before = left.len();
            left.retain(|(package, needed)| {
                let stays = needed.iter().all(|(needed, set)| predecided.satisfies(*needed, set));
                *predecided.packages.entry(*package) = stays;
                stays
            });
            if left.len() == before {
                predecided.count = before;
                return predecided;
            }
        }
    }

    /// Whether a dependency on `set` of `package` holds whatever is decided.
    pub(super) fn satisfies(&self, package: PackageId, set: &OrdinalSet) -> bool {
        let is_required_by_root = || {
            let required = self.root_requires.get(package).and_then(Option::as_ref);
            required.is_some_and(|required| required.subset_of(set))
        };
        self.contains(package) && set.contains(&FIRST) || is_required_by_root()
    }

    /// Whether the decision of a package is known.
    pub(super) fn contains(&self, package: PackageId) -> bool {
        self.packages.get(package).is_some_and(|predecided| *predecided)
    }

    /// How many packages are predecided.
    pub(super) fn count(&self) -> usize {
        self.count
    }
}
