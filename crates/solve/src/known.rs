//! What is known of the packages met so far: candidates and metadata, each looked up once and shared by
//! the solver, its restarts and the scouts that look ahead.

use std::borrow::Cow;
use std::sync::{Arc, Mutex, OnceLock};

use rustc_hash::{FxHashMap, FxHashSet};

use super::candidates::{Candidate, Candidates, Demands, ExclusionReason, ProjectLookup};
use super::index::{Index, IndexQuery, MetadataFailure, Trust};
use super::package::Package;
use super::policy::PrereleaseMode;
use super::problem::Problem;
use super::set::Ordinal;
use super::stride::Rank;
use pinfast_base::error::Error;
use pinfast_base::sync::unpoisoned;
use pinfast_packaging::{DistFile, Metadata, MetadataSource, PackageName, SpecifierSet, Version};

/// Metadata, or why the candidate is barred.
pub(crate) type Told = Result<Arc<Metadata>, ExclusionReason>;

/// Everything known so far; see the module.
pub struct SolverIndex {
    /// The inputs, target and policy that are solved for.
    pub problem: Arc<Problem>,
    /// Where listings and metadata come from.
    pub source: Arc<dyn Index>,
    demands: FxHashMap<PackageName, Demands>,
    /// The lines that are alone in naming their packages.
    lone_lines: FxHashMap<PackageName, usize>,
    /// The packages that the inputs name by URL.
    by_url: FxHashSet<PackageName>,
    candidates: Mutex<FxHashMap<PackageName, Arc<Slot>>>,
    metadata: Mutex<FxHashMap<Arc<str>, Told>>,
}

/// One candidate of a package, where that may be enough.
type View = Once<Option<Arc<Candidates>>>;

/// The candidates of a package.
#[derive(Default)]
struct Slot {
    first: View,
    pinned: Mutex<Vec<(Version, Arc<View>)>>,
    all: Once<Arc<Candidates>>,
    newest: Once<Option<Newest>>,
}

/// The newest release of a package that fits the target and policy, whatever constraints and preferences say; and its
/// candidate, where no constraint bars it.
pub(super) type Newest = (Version, Option<Candidate>);

impl Slot {
    fn of_pin(&self, pin: &Version) -> Arc<View> {
        let mut pinned = unpoisoned(self.pinned.lock());
        if let Some((_, known)) = pinned.iter().find(|(version, _)| version == pin) {
            return known.clone();
        }
        let new = Arc::default();
        pinned.push((pin.clone(), Arc::clone(&new)));
        new
    }
}

/// A value worked out by the first who asks while the others wait.
struct Once<T> {
    value: OnceLock<T>,
    /// Held by whoever works it out.
    work: Mutex<()>,
}

impl<T> Default for Once<T> {
    fn default() -> Self {
        Self { value: OnceLock::new(), work: Mutex::default() }
    }
}

impl<T: Clone> Once<T> {
    fn get(&self, work: impl FnOnce() -> Result<T, Error>) -> Result<T, Error> {
        if let Some(value) = self.value.get() {
            return Ok(value.clone());
        }
        let _work = unpoisoned(self.work.lock());
        if let Some(value) = self.value.get() {
            return Ok(value.clone());
        }
        let value = work()?;
        Ok(self.value.get_or_init(|| value).clone())
    }
}

impl SolverIndex {
    /// Nothing known yet.
    #[must_use]
    pub fn new(problem: Arc<Problem>, source: Arc<dyn Index>) -> Self {
        let (demands, lone_lines) = (problem.demands(), problem.lone_lines());
        let by_url = problem.by_url().cloned().collect();
        let (candidates, metadata) = (Mutex::default(), Mutex::default());
        Self { problem, source, demands, lone_lines, by_url, candidates, metadata }
    }

    /// The candidates of `name`; blocks until its listing is there.
    ///
    /// # Errors
    /// When the index gives no answer.
    pub fn candidates(&self, name: &PackageName) -> Result<Arc<Candidates>, Error> {
        self.slot(name).all.get(|| self.find_candidates(name).map(Arc::new))
    }

    /// The candidate of `name` that is taken where nothing speaks against it, in a view of its own: the one that the
    /// requirement to come pins, if it does; blocks until its listing is there. `None` where all candidates have to be
    /// looked at to know it.
    pub(super) fn first(
        &self,
        name: &PackageName,
        pin: Option<&Version>,
    ) -> Result<Option<Arc<Candidates>>, Error> {
        let slot = self.slot(name);
        match pin {
            None => slot.first.get(|| Ok(self.find_first(name)?.map(Arc::new))),
            Some(pin) => slot.of_pin(pin).get(|| Ok(self.find_pinned(name, pin)?.map(Arc::new))),
        }
    }

    /// The line that is alone in naming `name`, if one is.
    pub(super) fn lone_line(&self, name: &PackageName) -> Option<usize> {
        self.lone_lines.get(name).copied()
    }

    fn slot(&self, name: &PackageName) -> Arc<Slot> {
        unpoisoned(self.candidates.lock()).entry(name.clone()).or_default().clone()
    }

    /// The candidates of `name`, where they were looked up before.
    pub fn loaded_candidates(&self, name: &PackageName) -> Option<Arc<Candidates>> {
        unpoisoned(self.candidates.lock()).get(name)?.all.value.get().cloned()
    }

    /// The same for a distribution or one of its extras.
    pub fn loaded_candidates_of(&self, package: &Package) -> Option<Arc<Candidates>> {
        self.loaded_candidates(package.name()?)
    }

    /// The candidates of all packages whose releases were all looked at.
    pub fn all_loaded_candidates(&self) -> Vec<Arc<Candidates>> {
        unpoisoned(self.candidates.lock()).values().filter_map(|slot| slot.all.value.get().cloned()).collect()
    }

    /// How much a candidate is preferred: 0 is the most. The rank of a rank is the ordinal.
    pub(super) fn rank(&self, candidates: &Candidates, ordinal: Ordinal) -> Rank {
        let is_lowest_first = self.problem.prefers_lowest(&candidates.name);
        if is_lowest_first { ordinal } else { candidates.count() - 1 - ordinal }
    }

    fn find_first(&self, name: &PackageName) -> Result<Option<Candidates>, Error> {
        if !self.may_be_first(name) {
            return Ok(None);
        }
        let problem = &*self.problem;
        let demands = self.demands(name);
        let (target, policy) = (&problem.target, &problem.policy);
        let preferred = problem.preferences.versions(name);
        let alone = match preferred.first() {
            Some(version) => self.source.release_listing(name, version),
            None => self.source.newest_listing(name),
        };
        if let Some(first) =
            alone.and_then(|release| Candidates::first(&release, target, policy, &demands, preferred))
        {
            return Ok(Some(first));
        }
        let Some(listing) = self.source.listing(name)? else { return Ok(None) };
        Ok(Candidates::first(&listing, target, policy, &demands, preferred))
    }

    fn find_pinned(&self, name: &PackageName, pin: &Version) -> Result<Option<Candidates>, Error> {
        if !self.may_be_first(name) {
            return Ok(None);
        }
        let (target, policy, demands) = (&self.problem.target, &self.problem.policy, self.demands(name));
        let of = |listing: &_| Candidates::pinned(listing, target, policy, &demands, pin);
        if let Some(alone) = self.source.release_listing(name, pin).and_then(|release| of(&release)) {
            return Ok(Some(alone));
        }
        let Some(listing) = self.source.listing(name)? else { return Ok(None) };
        Ok(of(&listing))
    }

    /// What will be asked to see `name`, of which this is `asked`, at first.
    pub(super) fn want(&self, name: &PackageName, asked: &SpecifierSet) -> IndexQuery {
        match asked.pinned().or(self.problem.preferences.versions(name).first()) {
            None => self.want_newest(name),
            Some(version) if asked.contains(version) && self.may_be_first(name) => {
                IndexQuery::Release(name.clone(), version.clone())
            }
            Some(_) => IndexQuery::Listing(name.clone()),
        }
    }

    /// What will be asked to know the newest release of `name`.
    pub(super) fn want_newest(&self, name: &PackageName) -> IndexQuery {
        if self.may_be_first(name) {
            IndexQuery::Newest(name.clone())
        } else {
            IndexQuery::Listing(name.clone())
        }
    }

    /// Whether one release of `name` may tell all that is needed at first: the newest stable one, or a preferred one.
    fn may_be_first(&self, name: &PackageName) -> bool {
        let problem = &*self.problem;
        let allows_any = self.demands(name).prerelease == PrereleaseMode::Allow;
        !problem.prefers_lowest(name) && !allows_any && !self.by_url.contains(name)
    }

    fn demands(&self, name: &PackageName) -> Cow<'_, Demands> {
        let none = || Demands { prerelease: self.problem.prerelease_mode(name), ..Demands::default() };
        self.demands.get(name).map_or_else(|| Cow::Owned(none()), Cow::Borrowed)
    }

    fn find_candidates(&self, name: &PackageName) -> Result<Candidates, Error> {
        let problem = &*self.problem;
        let demands = &*self.demands(name);
        if !self.by_url.contains(name) {
            return Ok(match self.source.listing(name)? {
                Some(listing) => Candidates::new(&listing, &problem.target, &problem.policy, demands),
                None => Candidates::none(name, ProjectLookup::NotFound),
            });
        }
        let mut candidates = Candidates::none(name, ProjectLookup::Found);
        for url in problem.urls(name) {
            let listing = self.source.direct_url_listing(name, url)?;
            candidates.add_direct(Candidates::new(&listing, &problem.target, &problem.policy, demands), url);
        }
        Ok(candidates)
    }

    /// Whether the one release that was looked at is the newest that fits the target and policy.
    pub(super) fn looks_at_newest(&self, seen: &Candidates) -> bool {
        let is_free = self.demands(&seen.name).constraints.is_empty();
        is_free && seen.is_only_first() && self.problem.preferences.versions(&seen.name).is_empty()
    }

    /// The newest release of `name`; blocks until its listing is there.
    pub(super) fn newest(&self, name: &PackageName) -> Result<Option<Newest>, Error> {
        self.slot(name).newest.get(|| self.find_newest(name))
    }

    fn find_newest(&self, name: &PackageName) -> Result<Option<Newest>, Error> {
        let demands = self.demands(name);
        let seen = if demands.prerelease == PrereleaseMode::Allow || self.by_url.contains(name) {
            self.candidates(name)?
        } else {
            let free = Demands { constraints: Vec::new(), ..Demands::clone(&demands) };
            let (target, policy) = (&self.problem.target, &self.problem.policy);
            let first = |listing: &_| Candidates::first(listing, target, policy, &free, &[]);
            let alone = self.source.newest_listing(name).and_then(|newest| first(&newest));
            Arc::new(match alone {
                Some(newest) => newest,
                None => {
                    let Some(listing) = self.source.listing(name)? else { return Ok(None) };
                    first(&listing).unwrap_or_else(|| Candidates::new(&listing, target, policy, &free))
                }
            })
        };
        let Some(newest) = seen.newest() else { return Ok(None) };
        let is_bound = demands.constraints.iter().any(|(specifiers, _)| !specifiers.contains(newest));
        let candidate = seen.usable.iter().rfind(|candidate| candidate.version == *newest && !is_bound);
        Ok(Some((newest.clone(), candidate.cloned())))
    }

    /// The metadata of a candidate; blocks until it is there. The index's word for the release will do
    /// until [`SolverIndex::confirm`] asks the file itself.
    pub(super) fn metadata(&self, candidate: &Candidate) -> Result<Told, Error> {
        if let Some(told) = self.loaded_metadata(candidate) {
            return Ok(told);
        }
        let told = self.ask(candidate.file(), Trust::Release)?;
        if told.as_ref().is_ok_and(|metadata| metadata.source == MetadataSource::Release) {
            self.source.prefetch_speculative(&[IndexQuery::Metadata(candidate.file().clone(), Trust::File)]);
        }
        let mut all = unpoisoned(self.metadata.lock());
        Ok(all.entry(candidate.file().filename.clone()).or_insert(told).clone())
    }

    /// The metadata of a candidate, where it was asked for before.
    pub fn loaded_metadata(&self, candidate: &Candidate) -> Option<Told> {
        self.told(candidate.file())
    }

    /// Of how many files the metadata was looked at.
    pub(super) fn files_told(&self) -> usize {
        unpoisoned(self.metadata.lock()).len()
    }

    /// How many packages were met.
    pub(super) fn packages_met(&self) -> usize {
        unpoisoned(self.candidates.lock()).len()
    }

    /// What was told of a file.
    pub(super) fn told(&self, file: &DistFile) -> Option<Told> {
        unpoisoned(self.metadata.lock()).get(&file.filename).cloned()
    }

    /// What the releases that the target's Python is too old for ask for.
    pub fn excluding_requires_python(&self) -> Vec<SpecifierSet> {
        let mut pythons: Vec<SpecifierSet> = Vec::new();
        for (_, reason) in self.all_loaded_candidates().iter().flat_map(|candidates| &candidates.excluded) {
            if let ExclusionReason::RequiresPython(specifiers) = reason
                && !pythons.contains(specifiers)
            {
                pythons.push(specifiers.clone());
            }
        }
        pythons.sort_by_cached_key(ToString::to_string);
        pythons
    }

    /// All metadata that was asked for before, by file name.
    pub fn all_loaded_metadata(&self) -> Vec<Arc<Metadata>> {
        let all = unpoisoned(self.metadata.lock());
        let mut named: Vec<_> =
            all.iter().filter_map(|(file, told)| Some((file.clone(), told.clone().ok()?))).collect();
        named.sort_by(|a, b| a.0.cmp(&b.0));
        named.into_iter().map(|(_, metadata)| metadata).collect()
    }

    fn ask(&self, file: &Arc<DistFile>, trust: Trust) -> Result<Told, Error> {
        match self.source.metadata(file, trust) {
            Ok(metadata) => Ok(Ok(metadata)),
            Err(MetadataFailure::Invalid(why) | MetadataFailure::NeedsBuild(why)) => {
                Ok(Err(ExclusionReason::InvalidMetadata(why.into())))
            }
            Err(MetadataFailure::BuildForbidden(why)) => Ok(Err(ExclusionReason::BuildForbidden(why.into()))),
            Err(MetadataFailure::Fatal(error)) => Err(error),
        }
    }

    /// Replaces what the index said of `files` by what the files themselves say.
    pub(super) fn confirm(&self, files: &[Arc<DistFile>]) -> Result<Confirmation, Error> {
        let doubtful = self.doubtful(files);
        let wants: Vec<_> =
            doubtful.iter().map(|file| IndexQuery::Metadata(Arc::clone(file), Trust::File)).collect();
        self.source.prefetch(&wants);
        let mut outcome = Confirmation::AsTold;
        for file in doubtful {
            let told = self.ask(&file, Trust::File)?;
            let before = unpoisoned(self.metadata.lock()).insert(file.filename.clone(), told.clone());
            if !before.is_some_and(|before| says_the_same(&before, &told)) {
                outcome = Confirmation::Different;
            }
        }
        Ok(outcome)
    }

    fn is_doubtful(&self, file: &DistFile) -> bool {
        let metadata = unpoisoned(self.metadata.lock());
        matches!(metadata.get(&file.filename), Some(Ok(told)) if told.source == MetadataSource::Release)
    }

    /// Those of `files` of which only the index's word is known, each once, sorted by file name.
    fn doubtful(&self, files: &[Arc<DistFile>]) -> Vec<Arc<DistFile>> {
        let mut files: Vec<_> = files.iter().filter(|file| self.is_doubtful(file)).cloned().collect();
        files.sort_by(|a, b| a.filename.cmp(&b.filename));
        files.dedup_by(|a, b| a.filename == b.filename);
        files
    }
}

/// Whether the files said what the index had said of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Confirmation {
    /// They did: the solve stands.
    AsTold,
    /// One did not: solve again.
    Different,
}

fn says_the_same(before: &Told, after: &Told) -> bool {
    match (before, after) {
        (Ok(before), Ok(after)) => before.requires == after.requires,
        _ => false,
    }
}
