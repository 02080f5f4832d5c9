//! What a search learns from one run of pubgrub for the next: restarts with a better decision order.
//!
//! pubgrub fixes a package's priority until its range changes, so a run cannot reorder its decisions. When the
//! candidates of one package are rejected one after the other, the run is *stuck* there, and stops. That package is
//! promoted: the next run decides it first. Its culprit (see `conflicts.rs`) is demoted: the next run decides it last.
//! A restart costs milliseconds, since everything fetched is still known; going on would cost a metadata file for each
//! candidate.
//!
//! Each restart doubles the patience with the package that caused it, so the search terminates, as SAT solvers do with
//! growing restart intervals.

use std::sync::Arc;

use rustc_hash::{FxHashMap, FxHashSet};

use super::candidates::Candidates;
use super::conflicts::ConflictTracker;
use super::dependencies::{CandidateDependencies, DependencySets, PubGrubDependencies};
use super::galloping::{GALLOP_AFTER, GallopingSearch, PreferenceRank};
use super::interner::{IdMap, NameId, PackageId, PackageInterner, PackageKind};
use super::lazy_candidates::{LazyCandidates, Predecided};
use super::ordinal_set::{Ordinal, OrdinalSet};
use super::package::Package;
use super::solver_index::SolverIndex;
use pinfast_base::error::Error;
use pinfast_packaging::{DistFile, PackageName, Version};

/// How many candidates of one package are tried before the first restart for its sake.
const PATIENCE: usize = 5;

/// One more candidate is tried for each so many packages met: the more there is to decide again, the dearer a restart.
const PACKAGES_PER_ATTEMPT: usize = 40;

/// How many candidates are tried before a package that the inputs name is demoted: people want the newest of those
/// before the newest of anything else.
const PATIENCE_WITH_DIRECT: usize = 20;

/// The decision that the last run made for each package, and the candidates it chose among.
pub(super) type Decisions = FxHashMap<PackageName, (Arc<Candidates>, Ordinal)>;

/// The state of a search over its restarts.
#[derive(Debug, Default)]
pub(super) struct SearchState {
    /// The ids of packages and names.
    pub(super) interner: PackageInterner,
    /// The candidates evaluated so far.
    pub(super) lazy: LazyCandidates,
    /// What is remembered of each name over restarts.
    names: IdMap<NameId, NameState>,
    /// The decisions and conflicts of this run.
    pub(super) conflicts: ConflictTracker,
    /// The packages that this run need not decide.
    predecided: Predecided,
    /// Files whose metadata was taken from the index's release data.
    unconfirmed: Vec<Arc<DistFile>>,
    /// Dependencies computed so far; valid until one of their packages is widened.
    dependencies: FxHashMap<(PackageId, Ordinal), CandidateDependencies>,
    /// Yanked releases that an exact pin permits (PEP 592).
    permitted_yanked: FxHashSet<(PackageName, Version)>,
    /// Yanked releases that were chosen although the pin on them was not in the solution.
    revoked_yanked: FxHashSet<(PackageName, Version)>,
    /// The gaps of galloping search.
    galloping: GallopingSearch,
    /// The name that this run is stuck on.
    stuck_on: Option<NameId>,
    restarts: u32,
    /// How many runs there were before this one.
    earlier_runs: u32,
    /// How many conflicting candidates all runs have met.
    conflict_count: usize,
}

/// What is remembered of a name over restarts.
#[derive(Debug, Default)]
struct NameState {
    /// Earlier runs got stuck on it: it is decided early.
    promotion: Option<Promotion>,
    /// It was a culprit: it is decided last.
    is_demoted: bool,
    /// The inputs name it.
    is_direct: bool,
    /// The inputs leave at most one candidate of it.
    is_singleton: bool,
}

/// That earlier runs got stuck on a name.
#[derive(Clone, Copy, Debug)]
struct Promotion {
    /// The number of the last restart for its sake.
    restart: u32,
    /// How many of its candidates are tried before the next one.
    patience: usize,
}

impl SearchState {
    /// A search that has learned nothing; the inputs name `direct`.
    pub(super) fn new<'a>(direct: impl IntoIterator<Item = &'a PackageName>) -> Self {
        let mut search = Self::default();
        for name in direct {
            let name = search.interner.intern_name(name);
            search.names.entry(name).is_direct = true;
        }
        search
    }

    /// Begins another run, with what this one learned.
    pub(super) fn restart(&mut self) {
        self.restarts += 1;
        self.learn();
        self.begin_run();
    }

    /// Promotes the name that this run is stuck on, if any, and demotes its culprit.
    fn learn(&mut self) {
        if let Some(stuck) = self.stuck_on.take() {
            let culprit = self.conflicts.culprit(&self.interner, stuck);
            if let Some(culprit) = culprit.filter(|culprit| self.may_demote(*culprit, stuck)) {
                self.names.entry(culprit).is_demoted = true;
            }
            let patience = self.patience(stuck).saturating_mul(2);
            self.names.entry(stuck).promotion = Some(Promotion { restart: self.restarts, patience });
        }
    }

    /// Begins another run after widening the packages that need it. Dependencies that mention none of them stay valid.
    pub(super) fn widen(&mut self, index: &SolverIndex) -> Result<(), Error> {
        self.restarts += u32::from(self.should_restart());
        self.learn();
        let interner = &self.interner;
        let widened = self.lazy.widen(|name| index.candidates(interner.name(name)))?;
        let is_widened =
            |package: PackageId| interner.kind(package).name().is_some_and(|name| widened.contains(&name));
        // Ordinals of a widened package have new meanings, in keys and in sets alike.
        self.dependencies.retain(|(package, _), dependencies| {
            let sets = if let CandidateDependencies::Available(sets) = dependencies { &**sets } else { &[] };
            !is_widened(*package) && !sets.iter().any(|(needed, _)| is_widened(*needed))
        });
        self.begin_run();
        Ok(())
    }

    /// Has these packages widened before the next run.
    pub(super) fn widen_later<'a>(&mut self, names: impl IntoIterator<Item = &'a PackageName>) {
        for name in names {
            let name = self.interner.intern_name(name);
            self.lazy.widen_later(name);
        }
    }

    fn begin_run(&mut self) {
        self.earlier_runs += 1;
        self.stuck_on = None;
        self.conflicts = ConflictTracker::default();
    }

    /// Begins a run in which the root requires `root`. Returns the part of it that has to be decided.
    pub(super) fn predecide(&mut self, root: &DependencySets) -> PubGrubDependencies {
        let dependencies_of = |package, ordinal| self.dependencies.get(&(package, ordinal));
        self.predecided = Predecided::new(&self.interner, &self.lazy, root, dependencies_of);
        self.conflicts.count_predecided(self.predecided.count());
        root.iter().filter(|(package, _)| !self.predecided.contains(*package)).cloned().collect()
    }

    /// The candidates of the packages that were predecided for this run: each has one.
    pub(super) fn predecided(&self) -> impl Iterator<Item = &Arc<Candidates>> {
        let predecided = self.interner.package_ids().filter(|package| self.predecided.contains(*package));
        predecided.filter_map(|package| match self.interner.kind(package) {
            PackageKind::Dist(name) => self.lazy.get(name),
            PackageKind::Input | PackageKind::Extra(_) => None,
        })
    }

    /// Those of a package's dependencies that do not hold anyway.
    pub(super) fn undecided(&self, dependencies: &DependencySets) -> PubGrubDependencies {
        let undecided = dependencies.iter().filter(|(needed, set)| !self.predecided.satisfies(*needed, set));
        undecided.cloned().collect()
    }

    /// Forgets everything learned; the inputs name `direct`.
    pub(super) fn reset<'a>(&mut self, direct: impl IntoIterator<Item = &'a PackageName>) {
        // The counters go on: they are reported, and promotions are compared by them.
        let (restarts, earlier_runs) = (self.restarts + 1, self.earlier_runs + 1);
        let conflict_count = self.conflict_count;
        *self = Self { restarts, earlier_runs, conflict_count, ..Self::new(direct) };
    }

    /// Records that the index's release data stood in for the metadata of `file`.
    pub(super) fn mark_unconfirmed(&mut self, file: Arc<DistFile>) {
        self.unconfirmed.push(file);
    }

    /// Files whose index metadata influenced a run since the last reset; confirm them before accepting the result.
    /// Earlier runs count too: they shaped the order of decisions.
    pub(super) fn unconfirmed(&self) -> &[Arc<DistFile>] {
        &self.unconfirmed
    }

    /// How many runs of pubgrub there were, this one included.
    pub(super) fn runs(&self) -> u32 {
        self.earlier_runs + 1
    }

    /// Whether `culprit` may be demoted, after what was tried of the stuck `name`.
    fn may_demote(&self, culprit: NameId, name: NameId) -> bool {
        let attempts = self.conflicts.attempts(name).len();
        let Some(state) = self.names.get(culprit) else { return true };
        (!state.is_direct || attempts > PATIENCE_WITH_DIRECT)
            && state.promotion.is_none()
            && !state.is_demoted
    }

    /// Whether `name` is decided last, as a former culprit.
    pub(super) fn is_demoted(&self, name: NameId) -> bool {
        self.names.get(name).is_some_and(|state| state.is_demoted)
    }

    /// The dependencies of a candidate, if an earlier run or this one has computed them.
    pub(super) fn cached_dependencies(
        &self,
        package: PackageId,
        ordinal: Ordinal,
    ) -> Option<&CandidateDependencies> {
        self.dependencies.get(&(package, ordinal))
    }

    /// Stores the dependencies of a candidate.
    pub(super) fn cache_dependencies(
        &mut self,
        package: PackageId,
        ordinal: Ordinal,
        dependencies: CandidateDependencies,
    ) {
        self.dependencies.insert((package, ordinal), dependencies);
    }

    /// Replaces packages by their ids.
    pub(super) fn intern(&mut self, dependencies: Vec<(Package, OrdinalSet)>) -> DependencySets {
        dependencies.into_iter().map(|(package, set)| (self.interner.intern(&package), set)).collect()
    }

    /// Records the dependencies of the candidate just decided, and the decisions that they contradict. Returns the first
    /// of these, and how many conflicting candidates there were so far.
    pub(super) fn record_dependencies(
        &mut self,
        package: PackageId,
        dependencies: &DependencySets,
    ) -> Option<(NameId, usize)> {
        let is_undecided = |needed, set: &OrdinalSet| !self.predecided.satisfies(needed, set);
        let first =
            self.conflicts.record_dependencies(&self.interner, package, dependencies, is_undecided)?;
        self.conflict_count += 1;
        Some((first, self.conflict_count))
    }

    /// The number of the last restart for the sake of `name`, if there was one.
    pub(super) fn promotion(&self, name: NameId) -> Option<u32> {
        self.names.get(name)?.promotion.map(|promotion| promotion.restart)
    }

    fn patience(&self, name: NameId) -> usize {
        let promotion = self.names.get(name).and_then(|state| state.promotion);
        let first = || PATIENCE + self.conflicts.progress().met / PACKAGES_PER_ATTEMPT;
        promotion.map_or_else(first, |promotion| promotion.patience)
    }

    /// Records that the inputs leave at most one candidate of `name`.
    pub(super) fn mark_singleton(&mut self, name: NameId) {
        self.names.entry(name).is_singleton = true;
    }

    /// Records a decision. Returns how many distinct candidates of `name` this run has tried.
    pub(super) fn decide(&mut self, name: NameId, ordinal: Ordinal) -> usize {
        self.conflicts.decide(name, ordinal);
        self.attempt(name, ordinal)
    }

    /// The same for a candidate that an extra tries by itself, because its distribution's decision is out for it.
    pub(super) fn attempt(&mut self, name: NameId, ordinal: Ordinal) -> usize {
        let count = self.conflicts.attempt(name, ordinal);
        if count > self.patience(name) && !self.must_try_many(name, count) {
            self.stuck_on = Some(name);
        }
        count
    }

    /// Whether the candidates of `name` are searched by galloping.
    pub(super) fn is_galloping(&self, name: NameId) -> bool {
        self.conflicts.attempts(name).len() >= GALLOP_AFTER || self.galloping.has_gap(name)
    }

    /// The candidate of `name` to try next, out of `left` (ascending), and those that may come after it.
    pub(super) fn gallop(
        &mut self,
        name: NameId,
        left: &[PreferenceRank],
        rank: impl Fn(Ordinal) -> PreferenceRank,
    ) -> Option<(PreferenceRank, Vec<PreferenceRank>)> {
        // A decision that is still permitted was not rejected: pubgrub undid it for another package's sake.
        if let Some(last) = self.conflicts.decision(name).map(&rank).filter(|last| left.contains(last)) {
            return Some((last, Vec::new()));
        }
        let tried: Vec<_> = self.conflicts.attempts(name).map(rank).collect();
        let pick = self.galloping.next(name, left, &tried)?;
        Some((pick, self.galloping.likely_next(name, pick, left, &tried).collect()))
    }

    /// Records a solution in galloping search. Returns whether a better candidate may have been skipped.
    pub(super) fn record_solution(
        &mut self,
        decisions: &Decisions,
        rank: impl Fn(&Candidates, Ordinal) -> PreferenceRank,
    ) -> bool {
        let (galloping, interner, conflicts) = (&mut self.galloping, &self.interner, &self.conflicts);
        let open = conflicts.attempted_names().filter(|name| {
            let Some((candidates, ordinal)) = decisions.get(interner.name(*name)) else { return false };
            let tried: Vec<_> = conflicts.attempts(*name).map(|ordinal| rank(candidates, ordinal)).collect();
            galloping.record_solution(*name, rank(candidates, *ordinal), &tried)
        });
        // `count` rather than `any`: every name has to be recorded.
        open.count() > 0
    }

    /// The packages of which galloping skipped candidates, sorted.
    pub(super) fn galloped_packages(&self) -> Vec<&PackageName> {
        let mut names: Vec<_> = self.galloping.names().map(|name| self.interner.name(name)).collect();
        names.sort();
        names
    }

    /// Whether `name` would have to try its `count` candidates in any order of decisions, so that a restart is no use.
    fn must_try_many(&self, name: NameId, count: usize) -> bool {
        // What is decided last has to fit all the others.
        if self.is_demoted(name) {
            return true;
        }
        let Some(restart) = self.promotion(name) else { return false };
        let culprit = self.conflicts.culprit(&self.interner, name);
        let is_fixed = |culprit: NameId| self.names.get(culprit).is_some_and(|state| state.is_singleton);
        if culprit.is_some_and(is_fixed) {
            return true;
        }
        // Promoted by the last restart, it is first already; only demoting another could help further.
        let was_just_promoted = restart == self.restarts;
        let may_demote_another = || culprit.is_some_and(|culprit| self.may_demote(culprit, name));
        was_just_promoted && (count <= PATIENCE_WITH_DIRECT || !may_demote_another())
    }

    /// Whether this run is stuck, and a restart promises more.
    pub(super) fn should_restart(&self) -> bool {
        self.stuck_on.is_some()
    }

    /// Permits a yanked release, which an exact pin asks for; returns whether that is new.
    pub(super) fn permit_yanked(&mut self, name: &PackageName, version: Version) -> bool {
        self.permitted_yanked.insert((name.clone(), version))
    }

    /// Whether a yanked release may be chosen.
    pub(super) fn is_yanked_permitted(&self, name: &PackageName, version: &Version) -> bool {
        let release = (name.clone(), version.clone());
        self.permitted_yanked.contains(&release) && !self.revoked_yanked.contains(&release)
    }

    /// Takes back the permission for a yanked release that nothing in the solution pins, for good.
    ///
    /// A solution in which something does pin it is thereby lost. That is rare; otherwise a lock could hold a yanked
    /// release that nobody pinned.
    pub(super) fn revoke_yanked(&mut self, name: &PackageName, version: &Version) {
        self.revoked_yanked.insert((name.clone(), version.clone()));
    }
}
