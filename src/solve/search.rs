//! What the search remembers from one run of pubgrub to the next: where it got stuck.
//!
//! pubgrub keeps a package's priority until its range changes, so a better order cannot be had in
//! mid-run. When the candidates of one package are rejected one after the other, the run stops, that
//! package is moved to the front, and the solve begins again on what is known already: that costs
//! milliseconds, where going on costs a page of metadata for each candidate. Each restart doubles the
//! patience, so the search ends.

use rustc_hash::{FxHashMap, FxHashSet};

use super::package::Package;
use super::set::Ordinal;
use crate::spec::{PackageName, Version};

/// How many candidates of one package are tried before the first restart.
const PATIENCE: u32 = 5;

/// The memory of a search.
#[derive(Debug)]
pub(super) struct Search {
    /// The order in which packages were met in this run.
    met: FxHashMap<Package, usize>,
    /// The candidates chosen last in this run.
    decided: FxHashMap<PackageName, Ordinal>,
    /// How many different candidates of a package this run has tried.
    tries: FxHashMap<PackageName, FxHashSet<Ordinal>>,
    /// The packages that earlier runs got stuck at; the greater, the later.
    troubled: FxHashMap<PackageName, u32>,
    /// The yanked releases that an exact pin permits.
    yanked: FxHashSet<(PackageName, Version)>,
    /// The yanked releases that were chosen though the pin on them was not in the solution.
    unpinned: FxHashSet<(PackageName, Version)>,
    patience: u32,
    stuck: Option<PackageName>,
    restarts: u32,
}

impl Search {
    pub(super) fn new() -> Self {
        Self {
            met: FxHashMap::default(),
            decided: FxHashMap::default(),
            tries: FxHashMap::default(),
            troubled: FxHashMap::default(),
            yanked: FxHashSet::default(),
            unpinned: FxHashSet::default(),
            patience: PATIENCE,
            stuck: None,
            restarts: 0,
        }
    }

    /// Begins another run, having learned where the last one got stuck.
    pub(super) fn restart(&mut self) {
        self.restarts += 1;
        if let Some(name) = self.stuck.take() {
            self.troubled.insert(name, self.restarts);
            self.patience = self.patience.saturating_mul(2);
        }
        self.met.clear();
        self.decided.clear();
        self.tries.clear();
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
        self.troubled.get(name).copied()
    }

    /// The candidate of `name` that was chosen last.
    pub(super) fn decided(&self, name: &PackageName) -> Option<Ordinal> {
        self.decided.get(name).copied()
    }

    pub(super) fn decide(&mut self, name: &PackageName, ordinal: Ordinal) {
        self.decided.insert(name.clone(), ordinal);
        let tries = self.tries.entry(name.clone()).or_default();
        tries.insert(ordinal);
        if tries.len() > self.patience as usize && self.troubled.get(name) != Some(&self.restarts) {
            self.stuck = Some(name.clone());
        }
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

    /// Takes back the permission for a yanked release that nothing in the solution pins.
    pub(super) fn forbid_yanked(&mut self, name: &PackageName, version: &Version) {
        self.unpinned.insert((name.clone(), version.clone()));
    }
}
