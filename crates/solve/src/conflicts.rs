//! What happened in one run of pubgrub: which candidates were decided and tried, and which decisions conflicted.
//!
//! pubgrub does not report the conflicts that it meets. So whenever a candidate's dependencies become known, the tracker
//! compares them with the decisions and the ranges so far. Each time they contradict, it blames the package whose
//! decision stands in the way. When the search gets stuck on a package, the most blamed one is the *culprit*: the next
//! run decides it later. SAT solvers bump a variable's activity for the same purpose (VSIDS).

use pubgrub::VersionSet as _;
use rustc_hash::{FxHashMap, FxHashSet};

use super::dependencies::DependencySets;
use super::interner::{IdMap, NameId, PackageId, PackageInterner, PackageKind};
use super::ordinal_set::{Ordinal, OrdinalSet};

/// The decisions and conflicts of the current run.
#[derive(Debug, Default)]
pub(super) struct ConflictTracker {
    names: IdMap<NameId, NameStats>,
    /// The place of each package in the order in which the run met them.
    discovery_order: IdMap<PackageId, Option<usize>>,
    /// The dependencies of the candidate decided last, by package.
    dependencies: IdMap<PackageId, Option<DependencySets>>,
    progress: RunProgress,
}

/// What happened to the packages of one name.
#[derive(Debug, Default)]
struct NameStats {
    /// The candidate decided last, unless that was undone.
    decision: Option<Ordinal>,
    /// The distinct candidates tried.
    attempts: FxHashSet<Ordinal>,
    /// What pubgrub still permitted when it asked for a priority, thus before the decision.
    remaining: Option<OrdinalSet>,
    /// The packages with a candidate that depended on it.
    dependents: Vec<PackageId>,
    /// How often a candidate of it conflicted with the decision of another name.
    blame: FxHashMap<NameId, u32>,
}

/// How far a run has come.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct RunProgress {
    /// How many packages were met.
    pub(super) met: usize,
    /// How many names are decided.
    pub(super) decided: usize,
}

impl ConflictTracker {
    /// How far the run has come.
    pub(super) fn progress(&self) -> RunProgress {
        self.progress
    }

    /// Counts predecided packages as met and decided.
    pub(super) fn count_predecided(&mut self, count: usize) {
        self.progress.met += count;
        self.progress.decided += count;
    }

    /// The place of a package in the order in which the run met them.
    pub(super) fn discovery_order(&mut self, package: PackageId) -> usize {
        let progress = &mut self.progress;
        *self.discovery_order.entry(package).get_or_insert_with(|| {
            progress.met += 1;
            progress.met - 1
        })
    }

    /// Records what pubgrub still permits of a name.
    pub(super) fn set_remaining(&mut self, name: NameId, remaining: &OrdinalSet) {
        self.names.entry(name).remaining = Some(remaining.clone());
    }

    /// The candidate of `name` that was decided last.
    pub(super) fn decision(&self, name: NameId) -> Option<Ordinal> {
        self.names.get(name)?.decision
    }

    /// Forgets the decision of `name`.
    pub(super) fn undo_decision(&mut self, name: NameId) {
        self.progress.decided -= usize::from(self.names.entry(name).decision.take().is_some());
    }

    /// Records a decision.
    pub(super) fn decide(&mut self, name: NameId, ordinal: Ordinal) {
        self.progress.decided += usize::from(self.names.entry(name).decision.replace(ordinal).is_none());
    }

    /// Records that a candidate was tried; returns how many distinct candidates of `name` were.
    pub(super) fn attempt(&mut self, name: NameId, ordinal: Ordinal) -> usize {
        let attempts = &mut self.names.entry(name).attempts;
        attempts.insert(ordinal);
        attempts.len()
    }

    /// The distinct candidates of `name` that were tried, in no order.
    pub(super) fn attempts(&self, name: NameId) -> impl ExactSizeIterator<Item = Ordinal> {
        self.names.get(name).map_or_else(Default::default, |stats| stats.attempts.iter()).copied()
    }

    /// The names of which candidates were tried, ascending by id.
    pub(super) fn attempted_names(&self) -> impl Iterator<Item = NameId> {
        self.names.iter().filter(|(_, stats)| !stats.attempts.is_empty()).map(|(name, _)| name)
    }

    /// Records the dependencies of the candidate of `package` just decided, and blames each decision that contradicts
    /// one of them. `is_undecided` leaves out the dependencies that hold whatever is decided.
    ///
    /// Returns the first name that was blamed.
    pub(super) fn record_dependencies(
        &mut self,
        interner: &PackageInterner,
        package: PackageId,
        dependencies: &DependencySets,
        is_undecided: impl Fn(PackageId, &OrdinalSet) -> bool,
    ) -> Option<NameId> {
        let name = interner.kind(package).name()?;
        let mut first = None;
        for (needed, set) in dependencies.iter().filter(|(needed, set)| is_undecided(*needed, set)) {
            let PackageKind::Dist(needed) = interner.kind(*needed) else { continue };
            // An extra depends on its own distribution: that is no conflict between two names.
            if needed == name {
                continue;
            }
            for blamed in self.conflicting(interner, name, needed, set) {
                first.get_or_insert(blamed);
                *self.names.entry(name).blame.entry(blamed).or_default() += 1;
            }
            let dependents = &mut self.names.entry(needed).dependents;
            // The candidates of one package are mostly tried in a row, so this keeps the list short.
            if dependents.last() != Some(&package) {
                dependents.push(package);
            }
        }
        *self.dependencies.entry(package) = Some(dependencies.clone());
        first
    }

    /// The names whose decisions contradict a candidate of `name` that depends on `set` of `needed`, sorted by name: those
    /// that depend on other candidates of `needed`; if there are none, `needed` itself, when it was decided otherwise.
    fn conflicting(
        &self,
        interner: &PackageInterner,
        name: NameId,
        needed: NameId,
        set: &OrdinalSet,
    ) -> Vec<NameId> {
        let Some(stats) = self.names.get(needed) else { return Vec::new() };
        let is_decided_otherwise = stats.decision.is_some_and(|decision| !set.contains(&decision));
        // Even an undecided package conflicts once the dependencies of others leave nothing of `set`.
        let is_excluded = stats.remaining.as_ref().is_some_and(|remaining| remaining.is_disjoint(set));
        if !is_decided_otherwise && !is_excluded {
            return Vec::new();
        }
        let needs_other = |rival: PackageId| {
            let dependencies = self.dependencies.get(rival).and_then(Option::as_ref);
            dependencies.into_iter().flat_map(|dependencies| dependencies.iter()).any(|(also, other)| {
                interner.kind(*also) == PackageKind::Dist(needed) && other.is_disjoint(set)
            })
        };
        let rivals = stats.dependents.iter().filter(|rival| needs_other(**rival));
        let rivals = rivals.filter_map(|rival| interner.kind(*rival).name()).filter(|rival| *rival != name);
        let mut rivals: Vec<_> = rivals.collect();
        // By name, since ids depend on the order in which packages were met.
        rivals.sort_by(|a, b| interner.name(*a).cmp(interner.name(*b)));
        rivals.dedup();
        if rivals.is_empty() && is_decided_otherwise { vec![needed] } else { rivals }
    }

    /// The name whose decision conflicted most often with candidates of `name`; of equals the first by name.
    pub(super) fn culprit(&self, interner: &PackageInterner, name: NameId) -> Option<NameId> {
        let blamed = self.names.get(name)?.blame.iter();
        let by_name = |a: NameId, b: NameId| interner.name(a).cmp(interner.name(b));
        blamed.max_by(|(a, x), (b, y)| x.cmp(y).then_with(|| by_name(**b, **a))).map(|(culprit, _)| *culprit)
    }
}
