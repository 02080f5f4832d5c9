//! pubgrub's view of a problem: the order of decisions, the candidate to try, and its dependencies.
//!
//! The trait's methods borrow `self` immutably, hence the `RefCell`s. One [`Provider`] lives for one run; what outlives
//! it is in [`SearchState`].

mod dependencies;
mod selector;

use std::cell::RefCell;
use std::cmp::Reverse;
use std::fmt;
use std::sync::Arc;

use pubgrub::{Dependencies, DependencyProvider, PackageResolutionStatistics, VersionSet as _};

use super::candidates::ExclusionReason;
use super::conflicts::RunProgress;
use super::dependencies::CandidateDependencies;
use super::interner::{NameId, PackageId, PackageKind};
use super::lazy_candidates::FIRST;
use super::ordinal_set::{Ordinal, OrdinalSet};
use super::package::Package;
use super::search::SearchState;
use super::solver_index::SolverIndex;
use pinfast_base::error::Error;
use pinfast_base::event::{Event, Watcher};
use pinfast_packaging::DistFile;

/// The dependency provider of one run of pubgrub.
pub(super) struct Provider<'a> {
    index: &'a SolverIndex,
    search: RefCell<&'a mut SearchState>,
    watcher: &'a dyn Watcher,
    used_files: RefCell<Vec<Arc<DistFile>>>,
}

/// Why a run of pubgrub ended without a result.
#[derive(Debug)]
pub(super) enum RunAbort {
    /// Another order of decisions promises more.
    Restart,
    /// Index, network or disk failed, or the user called the run off.
    Fatal(Error),
}

/// The order of decisions: pubgrub decides the package with the greatest priority next; of equals the one met first.
pub(super) type Priority = (PriorityClass, Reverse<usize>);

/// How early a package is decided, from the last to the first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum PriorityClass {
    /// Demoted: its decision stood in the way of others in earlier runs.
    ConflictLate,
    /// In the order in which packages were met.
    Ordinary,
    /// At most one candidate is left: deciding it can prune others, and loses no choice.
    Singleton,
    /// Promoted: earlier runs got stuck on it. The value is the number of the last such restart; the latest goes first.
    ConflictEarly(u32),
    /// The root and the lines of the inputs.
    Root,
}

impl<'a> Provider<'a> {
    pub(super) fn new(index: &'a SolverIndex, search: &'a mut SearchState, watcher: &'a dyn Watcher) -> Self {
        Self { index, search: RefCell::new(search), watcher, used_files: RefCell::default() }
    }

    /// The files whose metadata this run used.
    pub(super) fn into_used_files(self) -> Vec<Arc<DistFile>> {
        self.used_files.into_inner()
    }

    /// Reports what a long search is deciding between: the candidate of `package`, and the decision of `rival`.
    fn report_conflict(&self, package: PackageId, ordinal: Ordinal, rival: NameId, conflicts: usize) {
        if conflicts < LONG_SEARCH || !conflicts.is_multiple_of(REPORT_EVERY) {
            return;
        }
        let search = self.search.borrow();
        let release = |name: NameId, ordinal: Option<Ordinal>| {
            let decided = ordinal.zip(search.lazy.get(name));
            let version = decided.map(|(ordinal, all)| format!(" {}", all.get(ordinal).version));
            format!("{}{}", search.interner.name(name), version.unwrap_or_default())
        };
        let Some(name) = search.interner.kind(package).name() else { return };
        let tried = release(name, Some(ordinal));
        let against = release(rival, search.conflicts.decision(rival));
        self.watcher.on(Event::Deciding { tried, against, tries: conflicts });
    }
}

/// After so many conflicting candidates a search is long, and reports itself once in so many. A count rather than a
/// time, so that the same problem gives the same reports.
const LONG_SEARCH: usize = 40;
const REPORT_EVERY: usize = 20;

impl DependencyProvider for Provider<'_> {
    type P = PackageId;
    type V = Ordinal;
    type VS = OrdinalSet;
    type Priority = Priority;
    type M = ExclusionReason;
    type Err = RunAbort;

    fn prioritize(
        &self,
        package: &PackageId,
        range: &OrdinalSet,
        _: &PackageResolutionStatistics,
    ) -> Priority {
        let mut search = self.search.borrow_mut();
        let order = Reverse(search.conflicts.discovery_order(*package));
        let kind = search.interner.kind(*package);
        let Some(name) = kind.name() else { return (PriorityClass::Root, order) };
        if let PackageKind::Dist(_) = kind {
            search.conflicts.set_remaining(name, range);
        }
        if let Some(restart) = search.promotion(name) {
            return (PriorityClass::ConflictEarly(restart), order);
        }
        let class = match search.lazy.get(name) {
            Some(candidates) if candidates.is_singleton(range) => PriorityClass::Singleton,
            _ if search.is_demoted(name) => PriorityClass::ConflictLate,
            _ => PriorityClass::Ordinary,
        };
        (class, order)
    }

    fn choose_version(&self, package: &PackageId, range: &OrdinalSet) -> Result<Option<Ordinal>, RunAbort> {
        let kind = self.search.borrow().interner.kind(*package);
        let Some(name) = kind.name() else { return Ok(Some(0)) };
        let candidates = self.candidates(name, None)?;
        if candidates.sole().is_some() && !range.contains(&FIRST) {
            // The run's result will be discarded; an unseen release keeps it going (see `lazy_candidates.rs`).
            self.widen(name)?;
            self.search.borrow_mut().conflicts.undo_decision(name);
            return Ok(candidates.unseen_ordinal(range));
        }
        let decision = self.search.borrow().conflicts.decision(name).filter(|it| range.contains(it));
        let best = self.best(&candidates, range);
        let is_extra = kind == PackageKind::Extra(name);
        let choice = match decision {
            // An extra follows its distribution: both have to end at the same ordinal.
            Some(_) if is_extra => decision,
            _ => best.and_then(|best| self.next_candidate(name, &candidates, range, best)),
        };
        if let Some(ordinal) = choice.filter(|_| !is_extra || choice != decision) {
            let mut search = self.search.borrow_mut();
            let attempts =
                if is_extra { search.attempt(name, ordinal) } else { search.decide(name, ordinal) };
            // If an earlier run came here, it has prefetched what follows.
            let is_new = search.cached_dependencies(*package, ordinal).is_none();
            // `prefetch_after` borrows the search itself.
            drop(search);
            if best == choice && is_new {
                self.prefetch_after(&candidates, range, ordinal, attempts);
            }
        }
        let RunProgress { met, decided } = self.search.borrow().conflicts.progress();
        self.watcher.on(Event::Solving { met, decided });
        Ok(choice)
    }

    fn get_dependencies(
        &self,
        package: &PackageId,
        ordinal: &Ordinal,
    ) -> Result<Dependencies<PackageId, OrdinalSet, ExclusionReason>, RunAbort> {
        let dependencies = match self.dependencies(*package, *ordinal)? {
            CandidateDependencies::Unavailable(reason) => return Ok(Dependencies::Unavailable(reason)),
            CandidateDependencies::Available(dependencies) => dependencies,
        };
        let mut search = self.search.borrow_mut();
        let undecided = match search.interner.package(*package) {
            Package::Root => search.predecide(&dependencies),
            _ => search.undecided(&dependencies),
        };
        let conflict = search.record_dependencies(*package, &dependencies);
        drop(search);
        if let Some((rival, conflicts)) = conflict {
            self.report_conflict(*package, *ordinal, rival, conflicts);
        }
        Ok(Dependencies::Available(undecided))
    }

    fn should_cancel(&self) -> Result<(), RunAbort> {
        // pubgrub calls this between two decisions: the one point at which a run can be stopped.
        if self.watcher.cancelled() {
            return Err(RunAbort::Fatal(Error::no_answer("the solve was called off")));
        }
        if self.search.borrow_mut().should_restart() { Err(RunAbort::Restart) } else { Ok(()) }
    }
}

impl From<Error> for RunAbort {
    fn from(error: Error) -> Self {
        Self::Fatal(error)
    }
}

impl fmt::Display for RunAbort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Restart => f.write_str("restart"),
            Self::Fatal(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for RunAbort {}
