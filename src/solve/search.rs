//! What the search remembers from one run of pubgrub to the next: where it got stuck.
//!
//! pubgrub keeps a package's priority until its range changes, so a better order cannot be had in
//! mid-run. When the candidates of one package are rejected one after the other, the run stops, that
//! package is moved to the front, the one whose choice stood most in its way (the culprit) to the back, and
//! the solve begins again on what is known already: that costs milliseconds, where going on costs a page of
//! metadata for each candidate. Each restart doubles the patience with the package that caused it, so the search
//! ends.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use pubgrub::VersionSet as _;
use rustc_hash::{FxHashMap, FxHashSet};

use super::Chosen;
use super::candidates::{Candidates, Reason};
use super::known::Known;
use super::package::Package;
use super::set::{Ordinal, OrdinalSet};
use super::stride::{self, Rank, Strides};
use super::views::Views;
use crate::error::Error;
use crate::spec::{DistFile, PackageName, Version};

/// How many candidates of one package are tried before the first restart for its sake.
const PATIENCE: usize = 5;

/// For how many packages that were met one more candidate is tried before the first restart.
const PACKAGES_A_TRY: usize = 40;

/// How many candidates of one package are tried before a package that the inputs name themselves is put last
/// for standing in their way: people want the newest of those before the newest of anything else.
const PATIENCE_WITH_DIRECT: usize = 20;

/// The memory of a search.
#[derive(Debug)]
pub(super) struct Search {
    /// How each package is seen.
    pub(super) views: Views,
    /// The files of which the index's word counted.
    doubted: Vec<Arc<DistFile>>,
    /// What was found out of candidates: it holds as long as packages are seen as they are.
    found: FxHashMap<(Package, Ordinal), Found>,
    /// The order in which packages were met in this run.
    met: FxHashMap<Package, usize>,
    /// The candidates chosen last in this run.
    decided: FxHashMap<PackageName, Ordinal>,
    /// How many different candidates of a package this run has tried.
    tries: FxHashMap<PackageName, FxHashSet<Ordinal>>,
    /// The packages that earlier runs got stuck at.
    troubled: FxHashMap<PackageName, Trouble>,
    /// The packages whose choice stood in the way of others: they are decided last.
    late: FxHashSet<PackageName>,
    /// What is left of the packages that are not decided, in this run.
    left: FxHashMap<PackageName, OrdinalSet>,
    /// What the candidates chosen last want, in this run.
    wants: FxHashMap<Package, Arc<[(Package, OrdinalSet)]>>,
    /// How often a candidate of the first was at odds with the choice of the second, in this run.
    blame: FxHashMap<PackageName, BTreeMap<PackageName, u32>>,
    /// The yanked releases that an exact pin permits.
    yanked: FxHashSet<(PackageName, Version)>,
    /// The yanked releases that were chosen though the pin on them was not in the solution.
    unpinned: FxHashSet<(PackageName, Version)>,
    /// Where candidates were passed over.
    strides: Strides,
    /// The packages that the inputs name.
    direct: FxHashSet<PackageName>,
    /// Those of which the inputs leave at most one candidate.
    fixed: FxHashSet<PackageName>,
    stuck: Option<PackageName>,
    restarts: u32,
    /// How many runs there were.
    runs: u32,
    /// How many choices something stood against, in all runs.
    at_odds: usize,
}

/// What a candidate comes to.
#[derive(Clone, Debug)]
pub(super) enum Found {
    /// It cannot be chosen, for this reason.
    Barred(Reason),
    /// It needs these, one entry a package, ordered by package.
    Needs(Arc<[(Package, OrdinalSet)]>),
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
    pub(super) fn new(direct: FxHashSet<PackageName>) -> Self {
        Self {
            direct,
            views: Views::default(),
            doubted: Vec::new(),
            found: FxHashMap::default(),
            met: FxHashMap::default(),
            decided: FxHashMap::default(),
            tries: FxHashMap::default(),
            troubled: FxHashMap::default(),
            late: FxHashSet::default(),
            left: FxHashMap::default(),
            wants: FxHashMap::default(),
            blame: FxHashMap::default(),
            yanked: FxHashSet::default(),
            unpinned: FxHashSet::default(),
            fixed: FxHashSet::default(),
            strides: Strides::default(),
            stuck: None,
            restarts: 0,
            runs: 1,
            at_odds: 0,
        }
    }

    /// Begins another run, having learned where the last one got stuck.
    pub(super) fn restart(&mut self) {
        self.restarts += 1;
        self.learn();
        self.rewind();
    }

    /// Has the package that this run got stuck at, if it did, decided earlier from now on, and what stood in its way later.
    fn learn(&mut self) {
        if let Some(name) = self.stuck.take() {
            let culprit = self.culprit(&name).filter(|culprit| self.may_wait(culprit, &name)).cloned();
            self.late.extend(culprit);
            let patience = self.patience(&name).saturating_mul(2);
            self.troubled.insert(name, Trouble { restart: self.restarts, patience });
        }
    }

    /// Begins another run, looking at all candidates of the packages that were contested: what was found out of others
    /// holds.
    pub(super) fn renew(&mut self, known: &Known) -> Result<(), Error> {
        self.restarts += u32::from(self.wants_restart());
        self.learn();
        let changed = self.views.renew(|name| known.candidates(name))?;
        let is_changed = |package: &Package| package.name().is_some_and(|name| changed.contains(name));
        self.found.retain(|(package, _), found| {
            let needs = if let Found::Needs(needs) = found { &**needs } else { &[] };
            !is_changed(package) && !needs.iter().any(|(needed, _)| is_changed(needed))
        });
        self.rewind();
        Ok(())
    }

    fn rewind(&mut self) {
        self.runs += 1;
        self.stuck = None;
        self.met.clear();
        self.decided.clear();
        self.tries.clear();
        self.left.clear();
        self.wants.clear();
        self.blame.clear();
    }

    /// Begins anew with nothing learned.
    pub(super) fn forget(&mut self) {
        let (restarts, runs, at_odds) = (self.restarts + 1, self.runs + 1, self.at_odds);
        *self = Self { restarts, runs, at_odds, ..Self::new(std::mem::take(&mut self.direct)) };
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
        self.runs
    }

    /// The package whose choice was most often at odds with candidates of `name`.
    fn culprit(&self, name: &PackageName) -> Option<&PackageName> {
        let blamed = self.blame.get(name)?.iter();
        blamed.rev().max_by_key(|(_, times)| **times).map(|(culprit, _)| culprit)
    }

    /// Whether `culprit` may be put last, with what was tried of `name`.
    fn may_wait(&self, culprit: &PackageName, name: &PackageName) -> bool {
        let tries = self.tries.get(name).map_or(0, FxHashSet::len);
        let tried_enough = !self.direct.contains(culprit) || tries > PATIENCE_WITH_DIRECT;
        tried_enough && !self.troubled.contains_key(culprit) && !self.late.contains(culprit)
    }

    /// Whether the choice of `name` stood in the way of others.
    pub(super) fn is_late(&self, name: &PackageName) -> bool {
        self.late.contains(name)
    }

    /// Takes note of what is left of a package.
    pub(super) fn leave(&mut self, name: &PackageName, left: &OrdinalSet) {
        self.left.insert(name.clone(), left.clone());
    }

    /// What was found out of a candidate of `package`.
    pub(super) fn found(&self, package: &Package, ordinal: Ordinal) -> Option<Found> {
        self.found.get(&(package.clone(), ordinal)).cloned()
    }

    /// Takes note of what was found out of a candidate of `package`.
    pub(super) fn find(&mut self, package: &Package, ordinal: Ordinal, found: Found) {
        self.found.insert((package.clone(), ordinal), found);
    }

    /// Takes note of what the candidate of `package` that was just chosen wants, and of whose choice stands
    /// against it: of a package that wants something else, or else of the wanted one itself.
    ///
    /// Returns the first of the latter, and how many choices so far something stood against.
    pub(super) fn weigh(
        &mut self,
        package: &Package,
        dependencies: &Arc<[(Package, OrdinalSet)]>,
    ) -> Option<(PackageName, usize)> {
        let name = package.name()?;
        let mut first = None;
        for (wanted, set) in wanted(dependencies).filter(|(wanted, _)| *wanted != name) {
            for culprit in self.against(name, wanted, set) {
                first.get_or_insert_with(|| culprit.clone());
                *self.blame.entry(name.clone()).or_default().entry(culprit).or_default() += 1;
            }
        }
        self.wants.insert(package.clone(), dependencies.clone());
        self.at_odds += usize::from(first.is_some());
        Some((first?, self.at_odds))
    }

    fn against(&self, name: &PackageName, wanted: &PackageName, set: &OrdinalSet) -> BTreeSet<PackageName> {
        let decided = self.decided.get(wanted).is_some_and(|decided| !set.contains(decided));
        let excluded = self.left.get(wanted).is_some_and(|left| left.is_disjoint(set));
        if !decided && !excluded {
            return BTreeSet::new();
        }
        let rivals = self.wants.iter().filter(|(_, wants)| {
            self::wanted(wants).any(|(also, other)| also == wanted && other.is_disjoint(set))
        });
        let rivals = rivals.filter_map(|(rival, _)| rival.name()).filter(|rival| *rival != name).cloned();
        let rivals: BTreeSet<_> = rivals.collect();
        if rivals.is_empty() && decided { BTreeSet::from([wanted.clone()]) } else { rivals }
    }

    /// The place of `package` in the order in which packages were met.
    pub(super) fn met(&mut self, package: &Package) -> usize {
        if let Some(&place) = self.met.get(package) {
            return place;
        }
        let place = self.met.len();
        self.met.insert(package.clone(), place);
        place
    }

    pub(super) fn packages_met(&self) -> usize {
        self.met.len()
    }

    pub(super) fn packages_decided(&self) -> usize {
        self.decided.len()
    }

    /// How lately earlier runs got stuck at `name`, if they did.
    pub(super) fn trouble(&self, name: &PackageName) -> Option<u32> {
        self.troubled.get(name).map(|trouble| trouble.restart)
    }

    /// A restart costs the more, the more packages there are to decide again.
    fn patience(&self, name: &PackageName) -> usize {
        let at_first = PATIENCE + self.met.len() / PACKAGES_A_TRY;
        self.troubled.get(name).map_or(at_first, |trouble| trouble.patience)
    }

    /// Takes note that the inputs leave at most one candidate of `name`.
    pub(super) fn fix(&mut self, name: &PackageName) {
        self.fixed.insert(name.clone());
    }

    /// The candidate of `name` that was chosen last.
    pub(super) fn decided(&self, name: &PackageName) -> Option<Ordinal> {
        self.decided.get(name).copied()
    }

    /// Forgets what was chosen of `name`.
    pub(super) fn undecide(&mut self, name: &PackageName) {
        self.decided.remove(name);
    }

    /// Takes note of a choice; tells how many different candidates of `name` this run has tried.
    pub(super) fn decide(&mut self, name: &PackageName, ordinal: Ordinal) -> usize {
        self.decided.insert(name.clone(), ordinal);
        self.attempt(name, ordinal)
    }

    /// The same of a candidate that an extra tries on its own, since what is chosen of its distribution is out for it.
    pub(super) fn attempt(&mut self, name: &PackageName, ordinal: Ordinal) -> usize {
        let tries = self.tries.entry(name.clone()).or_default();
        tries.insert(ordinal);
        let count = tries.len();
        if count > self.patience(name) && !self.is_expected_to_try(name, count) {
            self.stuck = Some(name.clone());
        }
        count
    }

    /// Whether the next candidate of `name` need not be the first in order: see [`stride`].
    pub(super) fn strides_through(&self, name: &PackageName) -> bool {
        self.tries.get(name).is_some_and(|tries| tries.len() >= stride::FROM) || self.strides.is_at(name)
    }

    /// The candidate of `name` to try next, one of `left`, ascending; and those that may be tried after it. What was
    /// tried last and is still among them was not rejected, but undone for the sake of another package.
    pub(super) fn stride(
        &mut self,
        name: &PackageName,
        left: &[Rank],
        rank: impl Fn(Ordinal) -> Rank,
    ) -> Option<(Rank, Vec<Rank>)> {
        if let Some(last) = self.decided(name).map(&rank).filter(|last| left.contains(last)) {
            return Some((last, Vec::new()));
        }
        let tried = ranks(self.tries.get(name), rank);
        let pick = self.strides.pick(name, left, &tried)?;
        Some((pick, self.strides.after(name, pick, left, &tried).collect()))
    }

    /// Whether a better candidate than the `chosen` ones may have been passed over.
    pub(super) fn passed_over(
        &mut self,
        chosen: &Chosen,
        rank: impl Fn(&Candidates, Ordinal) -> Rank,
    ) -> bool {
        let strides = &mut self.strides;
        let open = self.tries.iter().filter(|(name, tried)| {
            let Some((candidates, ordinal)) = chosen.get(*name) else { return false };
            let tried = ranks(Some(tried), |ordinal| rank(candidates, ordinal));
            strides.found(name, rank(candidates, *ordinal), &tried)
        });
        open.count() > 0
    }

    /// The packages of which candidates were passed over, sorted.
    pub(super) fn strode(&self) -> Vec<&PackageName> {
        self.strides.packages()
    }

    /// Whether no other order would spare `name` the `count` candidates that it tries: what is decided last tries
    /// many; and what was put first before, when it is at odds with what the inputs fix, or when it was put first
    /// a moment ago, unless another can be put last for it.
    fn is_expected_to_try(&self, name: &PackageName, count: usize) -> bool {
        if self.late.contains(name) {
            return true;
        }
        let Some(restart) = self.trouble(name) else { return false };
        let culprit = self.culprit(name);
        if culprit.is_some_and(|culprit| self.fixed.contains(culprit)) {
            return true;
        }
        let just_now = restart == self.restarts;
        just_now
            && (count <= PATIENCE_WITH_DIRECT || !culprit.is_some_and(|culprit| self.may_wait(culprit, name)))
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

/// The distributions among `dependencies`, each with the candidates that will do.
fn wanted(dependencies: &[(Package, OrdinalSet)]) -> impl Iterator<Item = (&PackageName, &OrdinalSet)> {
    dependencies.iter().filter_map(|(package, set)| match package {
        Package::Dist(name) => Some((name, set)),
        _ => None,
    })
}

fn ranks(tried: Option<&FxHashSet<Ordinal>>, rank: impl Fn(Ordinal) -> Rank) -> Vec<Rank> {
    tried.into_iter().flatten().map(|ordinal| rank(*ordinal)).collect()
}
