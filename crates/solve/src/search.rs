//! What the search remembers from one run of pubgrub to the next: where it got stuck.
//!
//! pubgrub keeps a package's priority until its range changes, so a better order cannot be had in
//! mid-run. When the candidates of one package are rejected one after the other, the run stops, that
//! package is moved to the front, the one whose choice stood most in its way (the culprit) to the back, and
//! the solve begins again on what is known already: that costs milliseconds, where going on costs a page of
//! metadata for each candidate. Each restart doubles the patience with the package that caused it, so the search
//! ends.

use std::sync::Arc;

use pubgrub::DependencyConstraints;
use rustc_hash::{FxHashMap, FxHashSet};

use super::Chosen;
use super::candidates::{Candidates, ExclusionReason};
use super::known::SolverIndex;
use super::nodes::{Dist, Node, Nodes, Part, Table};
use super::package::Package;
use super::set::{Ordinal, OrdinalSet};
use super::settled::Settled;
use super::stride::{self, Rank, Strides};
use super::trail::Trail;
use super::views::Views;
use pinfast_base::error::Error;
use pinfast_packaging::{DistFile, PackageName, Version};

/// How many candidates of one package are tried before the first restart for its sake.
const PATIENCE: usize = 5;

/// For how many packages that were met one more candidate is tried before the first restart.
const PACKAGES_A_TRY: usize = 40;

/// How many candidates of one package are tried before a package that the inputs name themselves is put last
/// for tier in their way: people want the newest of those before the newest of anything else.
const PATIENCE_WITH_DIRECT: usize = 20;

/// The memory of a search.
#[derive(Debug, Default)]
pub(super) struct Search {
    /// The numbers of the packages.
    pub(super) nodes: Nodes,
    /// How each package is seen.
    pub(super) views: Views,
    /// What is remembered of each distribution over restarts.
    traits: Table<Dist, Traits>,
    /// What happened in this run.
    pub(super) trail: Trail,
    /// What this run need not decide.
    settled: Settled,
    /// The files of which the index's word counted.
    doubted: Vec<Arc<DistFile>>,
    /// What was found out of candidates: it holds as long as packages are seen as they are.
    found: FxHashMap<(Node, Ordinal), Found>,
    /// The yanked releases that an exact pin permits.
    yanked: FxHashSet<(PackageName, Version)>,
    /// The yanked releases that were chosen though the pin on them was not in the solution.
    unpinned: FxHashSet<(PackageName, Version)>,
    /// Where candidates were passed over.
    strides: Strides,
    /// The distribution that this run got stuck at.
    stuck: Option<Dist>,
    restarts: u32,
    /// How many runs there were before this one.
    runs_before: u32,
    /// How many choices something stood against, in all runs.
    at_odds: usize,
}

/// What is remembered of a distribution over restarts.
#[derive(Debug, Default)]
struct Traits {
    /// That earlier runs got stuck at it.
    trouble: Option<Trouble>,
    /// Its choice stood in the way of others: it is decided last.
    is_late: bool,
    /// The inputs name it.
    is_direct: bool,
    /// The inputs leave at most one candidate of it.
    is_fixed: bool,
}

/// What a candidate needs: one entry a package, ordered by package.
pub(super) type Needs = Arc<[(Node, OrdinalSet)]>;

/// What pubgrub is told of them.
pub(super) type Asked = DependencyConstraints<Node, OrdinalSet>;

/// What a candidate comes to.
#[derive(Clone, Debug)]
pub(super) enum Found {
    /// It cannot be chosen, for this reason.
    Barred(ExclusionReason),
    /// It needs these.
    Needs(Needs),
}

/// That earlier runs got stuck at a package.
#[derive(Clone, Copy, Debug)]
struct Trouble {
    /// The last of the restarts for its sake.
    restart: u32,
    /// How many of its candidates are tried before the next one.
    patience: usize,
}

impl Search {
    /// Nothing learned yet; the inputs name `direct`.
    pub(super) fn new<'a>(direct: impl IntoIterator<Item = &'a PackageName>) -> Self {
        let mut search = Self::default();
        for name in direct {
            let dist = search.nodes.dist(name);
            search.traits.of(dist).is_direct = true;
        }
        search
    }

    /// Begins another run, having learned where the last one got stuck.
    pub(super) fn restart(&mut self) {
        self.restarts += 1;
        self.learn();
        self.rewind();
    }

    /// Has the package that this run got stuck at, if it did, decided earlier from now on, and what stood in its way later.
    fn learn(&mut self) {
        if let Some(stuck) = self.stuck.take() {
            if let Some(culprit) =
                self.trail.culprit(&self.nodes, stuck).filter(|culprit| self.may_wait(*culprit, stuck))
            {
                self.traits.of(culprit).is_late = true;
            }
            let patience = self.patience(stuck).saturating_mul(2);
            self.traits.of(stuck).trouble = Some(Trouble { restart: self.restarts, patience });
        }
    }

    /// Begins another run, looking at all candidates of the packages that were contested: what was found out of others
    /// holds.
    pub(super) fn renew(&mut self, known: &SolverIndex) -> Result<(), Error> {
        self.restarts += u32::from(self.wants_restart());
        self.learn();
        let nodes = &self.nodes;
        let changed = self.views.renew(|dist| known.candidates(nodes.name(dist)))?;
        let is_changed = |node: Node| nodes.part(node).dist().is_some_and(|dist| changed.contains(&dist));
        self.found.retain(|(node, _), found| {
            let needs = if let Found::Needs(needs) = found { &**needs } else { &[] };
            !is_changed(*node) && !needs.iter().any(|(needed, _)| is_changed(*needed))
        });
        self.rewind();
        Ok(())
    }

    /// Has all candidates of these looked at from the next run on.
    pub(super) fn contest<'a>(&mut self, names: impl IntoIterator<Item = &'a PackageName>) {
        for name in names {
            let dist = self.nodes.dist(name);
            self.views.contest(dist);
        }
    }

    fn rewind(&mut self) {
        self.runs_before += 1;
        self.stuck = None;
        self.trail = Trail::default();
    }

    /// Begins a run in which the question needs `asked`: tells what of it there is to decide.
    pub(super) fn ask(&mut self, asked: &Needs) -> Asked {
        let found = |node, ordinal| self.found.get(&(node, ordinal));
        self.settled = Settled::new(&self.nodes, &self.views, asked, found);
        self.trail.skip(self.settled.count());
        asked.iter().filter(|(node, _)| !self.settled.contains(*node)).cloned().collect()
    }

    /// The distributions whose choice was known before this run, and what is seen of them.
    pub(super) fn settled(&self) -> impl Iterator<Item = &Arc<Candidates>> {
        let settled = self.nodes.all().filter(|node| self.settled.contains(*node));
        settled.filter_map(|node| match self.nodes.part(node) {
            Part::Whole(dist) => self.views.of(dist),
            Part::Question | Part::Extra(_) => None,
        })
    }

    /// Those of the `needs` of a package that are not met whatever is chosen.
    pub(super) fn open(&self, needs: &Needs) -> Asked {
        needs.iter().filter(|(node, set)| !self.settled.meets(*node, set)).cloned().collect()
    }

    /// Begins anew with nothing learned; `direct` is as it was.
    pub(super) fn forget<'a>(&mut self, direct: impl IntoIterator<Item = &'a PackageName>) {
        let (restarts, runs_before, at_odds) = (self.restarts + 1, self.runs_before + 1, self.at_odds);
        *self = Self { restarts, runs_before, at_odds, ..Self::new(direct) };
    }

    /// Takes note that the index's word on `file` counts.
    pub(super) fn doubt(&mut self, file: Arc<DistFile>) {
        self.doubted.push(file);
    }

    /// The files of which the index's word counted in any run since nothing was learned: each has its share in the order
    /// in which things are decided now.
    pub(super) fn doubted(&self) -> &[Arc<DistFile>] {
        &self.doubted
    }

    /// How many runs of pubgrub there were.
    pub(super) fn runs(&self) -> u32 {
        self.runs_before + 1
    }

    /// Whether `culprit` may be put last, with what was tried of `dist`.
    fn may_wait(&self, culprit: Dist, dist: Dist) -> bool {
        let tries = self.trail.tries(dist).len();
        let Some(traits) = self.traits.get(culprit) else { return true };
        (!traits.is_direct || tries > PATIENCE_WITH_DIRECT) && traits.trouble.is_none() && !traits.is_late
    }

    /// Whether the choice of `dist` stood in the way of others.
    pub(super) fn is_late(&self, dist: Dist) -> bool {
        self.traits.get(dist).is_some_and(|traits| traits.is_late)
    }

    /// What was found out of a candidate of a package.
    pub(super) fn found(&self, node: Node, ordinal: Ordinal) -> Option<&Found> {
        self.found.get(&(node, ordinal))
    }

    /// Takes note of what was found out of a candidate of a package.
    pub(super) fn find(&mut self, node: Node, ordinal: Ordinal, found: Found) {
        self.found.insert((node, ordinal), found);
    }

    /// The same needs, one entry a package, by their numbers.
    pub(super) fn numbered(&mut self, needs: Vec<(Package, OrdinalSet)>) -> Needs {
        needs.into_iter().map(|(package, set)| (self.nodes.node(&package), set)).collect()
    }

    /// Takes note of what the candidate of a package that was just chosen needs, and of whose choice stands against it.
    ///
    /// Returns the first of these, and how many choices so far something stood against.
    pub(super) fn weigh(&mut self, node: Node, needs: &Needs) -> Option<(Dist, usize)> {
        let is_open = |needed, set: &OrdinalSet| !self.settled.meets(needed, set);
        let first = self.trail.weigh(&self.nodes, node, needs, is_open)?;
        self.at_odds += 1;
        Some((first, self.at_odds))
    }

    /// How lately earlier runs got stuck at `dist`, if they did.
    pub(super) fn trouble(&self, dist: Dist) -> Option<u32> {
        self.traits.get(dist)?.trouble.map(|trouble| trouble.restart)
    }

    /// A restart costs the more, the more packages there are to decide again.
    fn patience(&self, dist: Dist) -> usize {
        let trouble = self.traits.get(dist).and_then(|traits| traits.trouble);
        trouble.map_or(PATIENCE + self.trail.progress().met / PACKAGES_A_TRY, |trouble| trouble.patience)
    }

    /// Takes note that the inputs leave at most one candidate of `dist`.
    pub(super) fn fix(&mut self, dist: Dist) {
        self.traits.of(dist).is_fixed = true;
    }

    /// Takes note of a choice; tells how many different candidates of `dist` this run has tried.
    pub(super) fn decide(&mut self, dist: Dist, ordinal: Ordinal) -> usize {
        self.trail.decide(dist, ordinal);
        self.attempt(dist, ordinal)
    }

    /// The same of a candidate that an extra tries on its own, since what is chosen of its distribution is out for it.
    pub(super) fn attempt(&mut self, dist: Dist, ordinal: Ordinal) -> usize {
        let count = self.trail.attempt(dist, ordinal);
        if count > self.patience(dist) && !self.is_expected_to_try(dist, count) {
            self.stuck = Some(dist);
        }
        count
    }

    /// Whether the next candidate of `dist` need not be the first in order: see [`stride`].
    pub(super) fn strides_through(&self, dist: Dist) -> bool {
        self.trail.tries(dist).len() >= stride::FROM || self.strides.is_at(dist)
    }

    /// The candidate of `dist` to try next, one of `left`, ascending; and those that may be tried after it. What was
    /// tried last and is still among them was not rejected, but undone for the sake of another package.
    pub(super) fn stride(
        &mut self,
        dist: Dist,
        left: &[Rank],
        rank: impl Fn(Ordinal) -> Rank,
    ) -> Option<(Rank, Vec<Rank>)> {
        if let Some(last) = self.trail.decided(dist).map(&rank).filter(|last| left.contains(last)) {
            return Some((last, Vec::new()));
        }
        let tried: Vec<_> = self.trail.tries(dist).map(rank).collect();
        let pick = self.strides.pick(dist, left, &tried)?;
        Some((pick, self.strides.after(dist, pick, left, &tried).collect()))
    }

    /// Whether a better candidate than the `chosen` ones may have been passed over.
    pub(super) fn passed_over(
        &mut self,
        chosen: &Chosen,
        rank: impl Fn(&Candidates, Ordinal) -> Rank,
    ) -> bool {
        let (strides, nodes, trail) = (&mut self.strides, &self.nodes, &self.trail);
        let open = trail.tried().filter(|dist| {
            let Some((candidates, ordinal)) = chosen.get(nodes.name(*dist)) else { return false };
            let tried: Vec<_> = trail.tries(*dist).map(|ordinal| rank(candidates, ordinal)).collect();
            strides.found(*dist, rank(candidates, *ordinal), &tried)
        });
        open.count() > 0
    }

    /// The packages of which candidates were passed over, sorted.
    pub(super) fn strode(&self) -> Vec<&PackageName> {
        let mut names: Vec<_> = self.strides.packages().map(|dist| self.nodes.name(dist)).collect();
        names.sort();
        names
    }

    /// Whether no other order would spare `dist` the `count` candidates that it tries: what is decided last tries
    /// many; and what was put first before, when it is at odds with what the inputs fix, or when it was put first
    /// a moment ago, unless another can be put last for it.
    fn is_expected_to_try(&self, dist: Dist, count: usize) -> bool {
        if self.is_late(dist) {
            return true;
        }
        let Some(restart) = self.trouble(dist) else { return false };
        let culprit = self.trail.culprit(&self.nodes, dist);
        if culprit.and_then(|culprit| self.traits.get(culprit)).is_some_and(|traits| traits.is_fixed) {
            return true;
        }
        let just_now = restart == self.restarts;
        just_now
            && (count <= PATIENCE_WITH_DIRECT || !culprit.is_some_and(|culprit| self.may_wait(culprit, dist)))
    }

    /// Whether this run had better stop.
    pub(super) fn wants_restart(&self) -> bool {
        self.stuck.is_some()
    }

    /// Permits a yanked release; tells whether that is news.
    pub(super) fn permit_yanked(&mut self, name: &PackageName, version: Version) -> bool {
        self.yanked.insert((name.clone(), version))
    }

    pub(super) fn is_permitted(&self, name: &PackageName, version: &Version) -> bool {
        let release = (name.clone(), version.clone());
        self.yanked.contains(&release) && !self.unpinned.contains(&release)
    }

    /// Takes back the permission for a yanked release that nothing in the solution pins, for good: where only
    /// another choice of packages would pin it, that choice is not found. It is rare, and the other way round a
    /// yanked release would stand in a lock that nobody pinned.
    pub(super) fn forbid_yanked(&mut self, name: &PackageName, version: &Version) {
        self.unpinned.insert((name.clone(), version.clone()));
    }
}
