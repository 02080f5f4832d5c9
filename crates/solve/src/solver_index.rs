//! What the solver knows of the packages of one problem: candidates and metadata, each looked up once.
//!
//! The solver, its restarts and the prefetching threads share it. Everything in it is a pure function of the problem and
//! of the index's answers, so it does not matter which thread asks first.

use std::borrow::Cow;
use std::sync::{Arc, Mutex};

use rustc_hash::{FxHashMap, FxHashSet};

use super::candidates::{
    Candidate, Candidates, Coverage, ExclusionReason, PackageConstraints, ProjectLookup,
};
use super::evaluator::CandidateEvaluator;
use super::galloping::PreferenceRank;
use super::index::{Index, IndexQuery, MetadataFailure, Trust};
use super::once_value::OnceValue;
use super::ordinal_set::Ordinal;
use super::package::Package;
use super::policy::PrereleaseMode;
use super::problem::Problem;
use pinfast_base::error::Error;
use pinfast_base::sync::unpoisoned;
use pinfast_packaging::{DistFile, Listing, Metadata, MetadataSource, PackageName, SpecifierSet, Version};

/// Metadata, or why it excludes the candidate.
pub(crate) type MetadataResult = Result<Arc<Metadata>, ExclusionReason>;

/// The packages of one problem, as far as they were looked up.
pub struct SolverIndex {
    /// The inputs, target and policy to solve for.
    pub problem: Arc<Problem>,
    /// Where listings and metadata come from.
    pub source: Arc<dyn Index>,
    constraints: FxHashMap<PackageName, PackageConstraints>,
    /// For each package that exactly one line of the inputs names, the index of that line.
    lone_lines: FxHashMap<PackageName, usize>,
    /// The packages that the inputs name by URL.
    by_url: FxHashSet<PackageName>,
    candidates: Mutex<FxHashMap<PackageName, Arc<CandidateSlot>>>,
    /// By file name.
    metadata: Mutex<FxHashMap<Arc<str>, MetadataResult>>,
}

/// The only candidate evaluated of a package; `None` where one is not enough.
type SoleCandidate = OnceValue<Option<Arc<Candidates>>>;

/// The candidates of one package, for each [`Coverage`].
#[derive(Default)]
struct CandidateSlot {
    first: SoleCandidate,
    pinned: Mutex<Vec<(Version, Arc<SoleCandidate>)>>,
    all: OnceValue<Arc<Candidates>>,
    newest: OnceValue<Option<NewestMatch>>,
}

/// The newest release of a package that fits the target and policy, whatever constraints and preferences say; with its
/// candidate, unless a constraint excludes it.
pub(super) type NewestMatch = (Version, Option<Candidate>);

impl CandidateSlot {
    fn of_pin(&self, pin: &Version) -> Arc<SoleCandidate> {
        let mut pinned = unpoisoned(self.pinned.lock());
        if let Some((_, candidate)) = pinned.iter().find(|(version, _)| version == pin) {
            return candidate.clone();
        }
        let new = Arc::default();
        pinned.push((pin.clone(), Arc::clone(&new)));
        new
    }
}

impl SolverIndex {
    /// An index of `problem` on `source`, with nothing looked up yet.
    #[must_use]
    pub fn new(problem: Arc<Problem>, source: Arc<dyn Index>) -> Self {
        let (constraints, lone_lines) = (problem.package_constraints(), problem.lone_lines());
        let by_url = problem.by_url().cloned().collect();
        let (candidates, metadata) = (Mutex::default(), Mutex::default());
        Self { problem, source, constraints, lone_lines, by_url, candidates, metadata }
    }

    /// All candidates of `name`; blocks until its listing is there.
    ///
    /// # Errors
    /// When the index does not answer.
    pub fn candidates(&self, name: &PackageName) -> Result<Arc<Candidates>, Error> {
        self.slot(name).all.get_or_try_init(|| self.evaluate_all(name).map(Arc::new))
    }

    /// The candidate of `name` that is taken if nothing excludes it, alone: the release of `pin`, if a requirement pins
    /// one. Blocks until its listing is there. `None` where only all candidates together show which one that is.
    pub(super) fn sole_candidate(
        &self,
        name: &PackageName,
        pin: Option<&Version>,
    ) -> Result<Option<Arc<Candidates>>, Error> {
        let slot = self.slot(name);
        match pin {
            None => slot.first.get_or_try_init(|| Ok(self.evaluate_first(name)?.map(Arc::new))),
            Some(pin) => {
                slot.of_pin(pin).get_or_try_init(|| Ok(self.evaluate_pinned(name, pin)?.map(Arc::new)))
            }
        }
    }

    /// The index of the only line that names `name`, if exactly one does.
    pub(super) fn lone_line(&self, name: &PackageName) -> Option<usize> {
        self.lone_lines.get(name).copied()
    }

    fn slot(&self, name: &PackageName) -> Arc<CandidateSlot> {
        unpoisoned(self.candidates.lock()).entry(name.clone()).or_default().clone()
    }

    /// All candidates of `name`, if they were looked up before. Asks no index.
    pub fn loaded_candidates(&self, name: &PackageName) -> Option<Arc<Candidates>> {
        unpoisoned(self.candidates.lock()).get(name)?.all.get()
    }

    /// The same for the distribution of a package.
    pub fn loaded_candidates_of(&self, package: &Package) -> Option<Arc<Candidates>> {
        self.loaded_candidates(package.name()?)
    }

    /// The candidates of each package of which all were looked up before.
    pub fn all_loaded_candidates(&self) -> Vec<Arc<Candidates>> {
        unpoisoned(self.candidates.lock()).values().filter_map(|slot| slot.all.get()).collect()
    }

    /// How much the policy prefers a candidate: 0 is tried first. Applied to a rank, it gives the ordinal again.
    pub(super) fn preference_rank(&self, candidates: &Candidates, ordinal: Ordinal) -> PreferenceRank {
        let is_lowest_first = self.problem.prefers_lowest(&candidates.name);
        if is_lowest_first { ordinal } else { candidates.count() - 1 - ordinal }
    }

    fn evaluate_first(&self, name: &PackageName) -> Result<Option<Candidates>, Error> {
        if !self.allows_sole_candidate(name) {
            return Ok(None);
        }
        let constraints = self.constraints(name);
        let preferred = self.problem.preferences.versions(name);
        let first = |listing: &_| self.evaluator(listing, &constraints).first(preferred);
        let release = match preferred.first() {
            Some(version) => self.source.release_listing(name, version),
            None => self.source.newest_listing(name),
        };
        if let Some(first) = release.and_then(|release| first(&release)) {
            return Ok(Some(first));
        }
        // That release may be excluded, by its Requires-Python for example: the next ones are in the full listing.
        let Some(listing) = self.source.listing(name)? else { return Ok(None) };
        Ok(first(&listing))
    }

    fn evaluate_pinned(&self, name: &PackageName, pin: &Version) -> Result<Option<Candidates>, Error> {
        if !self.allows_sole_candidate(name) {
            return Ok(None);
        }
        let constraints = self.constraints(name);
        let pinned = |listing: &_| self.evaluator(listing, &constraints).pinned(pin);
        if let Some(pinned) = self.source.release_listing(name, pin).and_then(|release| pinned(&release)) {
            return Ok(Some(pinned));
        }
        let Some(listing) = self.source.listing(name)? else { return Ok(None) };
        Ok(pinned(&listing))
    }

    fn evaluator<'a>(
        &'a self,
        listing: &'a Arc<Listing>,
        constraints: &'a PackageConstraints,
    ) -> CandidateEvaluator<'a> {
        CandidateEvaluator::new(listing, &self.problem.target, &self.problem.policy, constraints)
    }

    /// The query that answers first what the solver needs of `name` under `specifiers`.
    pub(super) fn first_query(&self, name: &PackageName, specifiers: &SpecifierSet) -> IndexQuery {
        match specifiers.pinned().or(self.problem.preferences.versions(name).first()) {
            None => self.newest_query(name),
            Some(version) if specifiers.contains(version) && self.allows_sole_candidate(name) => {
                IndexQuery::Release(name.clone(), version.clone())
            }
            Some(_) => IndexQuery::Listing(name.clone()),
        }
    }

    /// The query for the newest release of `name`.
    pub(super) fn newest_query(&self, name: &PackageName) -> IndexQuery {
        if self.allows_sole_candidate(name) {
            IndexQuery::Newest(name.clone())
        } else {
            IndexQuery::Listing(name.clone())
        }
    }

    /// Whether one release of `name` can be enough at first: the newest stable one, or a preferred one. Other policies
    /// need all releases to find their first.
    fn allows_sole_candidate(&self, name: &PackageName) -> bool {
        let allows_prereleases = self.constraints(name).prerelease == PrereleaseMode::Allow;
        !self.problem.prefers_lowest(name) && !allows_prereleases && !self.by_url.contains(name)
    }

    fn constraints(&self, name: &PackageName) -> Cow<'_, PackageConstraints> {
        let none = || PackageConstraints {
            prerelease: self.problem.prerelease_mode(name),
            ..PackageConstraints::default()
        };
        self.constraints.get(name).map_or_else(|| Cow::Owned(none()), Cow::Borrowed)
    }

    fn evaluate_all(&self, name: &PackageName) -> Result<Candidates, Error> {
        let constraints = &*self.constraints(name);
        if !self.by_url.contains(name) {
            return Ok(match self.source.listing(name)? {
                Some(listing) => self.evaluator(&listing, constraints).all(),
                None => Candidates::none(name, ProjectLookup::NotFound),
            });
        }
        // What the inputs name by URL comes from there alone, never from an index.
        let mut candidates = Candidates::none(name, ProjectLookup::Found);
        for url in self.problem.urls(name) {
            let listing = self.source.direct_url_listing(name, url)?;
            candidates.add_direct_url(self.evaluator(&listing, constraints).all(), url);
        }
        Ok(candidates)
    }

    /// Whether the sole candidate that was evaluated is the newest release that fits the target and policy.
    pub(super) fn is_newest_release(&self, candidates: &Candidates) -> bool {
        let is_unconstrained = self.constraints(&candidates.name).constraints.is_empty();
        is_unconstrained
            && candidates.coverage == Coverage::First
            && self.problem.preferences.versions(&candidates.name).is_empty()
    }

    /// The newest release of `name`; blocks until its listing is there.
    pub(super) fn newest_release(&self, name: &PackageName) -> Result<Option<NewestMatch>, Error> {
        self.slot(name).newest.get_or_try_init(|| self.find_newest_release(name))
    }

    fn find_newest_release(&self, name: &PackageName) -> Result<Option<NewestMatch>, Error> {
        let constraints = self.constraints(name);
        let candidates = if constraints.prerelease == PrereleaseMode::Allow || self.by_url.contains(name) {
            self.candidates(name)?
        } else {
            let unconstrained =
                PackageConstraints { constraints: Vec::new(), ..PackageConstraints::clone(&constraints) };
            let first = |listing: &_| self.evaluator(listing, &unconstrained).first(&[]);
            Arc::new(match self.source.newest_listing(name).and_then(|newest| first(&newest)) {
                Some(newest) => newest,
                None => {
                    let Some(listing) = self.source.listing(name)? else { return Ok(None) };
                    first(&listing).unwrap_or_else(|| self.evaluator(&listing, &unconstrained).all())
                }
            })
        };
        let Some(newest) = candidates.newest() else { return Ok(None) };
        let is_constrained =
            constraints.constraints.iter().any(|(specifiers, _)| !specifiers.contains(newest));
        let candidate =
            candidates.usable.iter().rfind(|candidate| candidate.version == *newest && !is_constrained);
        Ok(Some((newest.clone(), candidate.cloned())))
    }

    /// The metadata of a candidate; blocks until it is there. The index's release data is good enough until
    /// [`SolverIndex::confirm`] reads the file's own.
    pub(super) fn metadata(&self, candidate: &Candidate) -> Result<MetadataResult, Error> {
        if let Some(metadata) = self.loaded_metadata(candidate) {
            return Ok(metadata);
        }
        let metadata = self.fetch_metadata(candidate.file(), Trust::Release)?;
        if metadata.as_ref().is_ok_and(|metadata| metadata.source == MetadataSource::Release) {
            // If it ends up in the solution, the file's own metadata has to confirm it.
            let confirmation = IndexQuery::Metadata(candidate.file().clone(), Trust::File);
            self.source.prefetch_speculative(&[confirmation]);
        }
        // Locked only now, so that nobody waits for this answer. Of two threads that fetched it, the first one wins.
        let mut all = unpoisoned(self.metadata.lock());
        Ok(all.entry(candidate.file().filename.clone()).or_insert(metadata).clone())
    }

    /// The metadata of a candidate, if it was looked up before. Asks no index.
    pub fn loaded_metadata(&self, candidate: &Candidate) -> Option<MetadataResult> {
        self.loaded_file_metadata(candidate.file())
    }

    /// The metadata of a file, if it was looked up before.
    pub(super) fn loaded_file_metadata(&self, file: &DistFile) -> Option<MetadataResult> {
        unpoisoned(self.metadata.lock()).get(&file.filename).cloned()
    }

    /// How many files' metadata was looked up.
    pub(super) fn files_examined(&self) -> usize {
        unpoisoned(self.metadata.lock()).len()
    }

    /// How many packages were met.
    pub(super) fn packages_met(&self) -> usize {
        unpoisoned(self.candidates.lock()).len()
    }

    /// The Requires-Python of each release that it excluded, without duplicates, sorted by text.
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

    /// All metadata looked up before, sorted by file name.
    pub fn all_loaded_metadata(&self) -> Vec<Arc<Metadata>> {
        let all = unpoisoned(self.metadata.lock());
        let mut named: Vec<_> =
            all.iter().filter_map(|(file, metadata)| Some((file.clone(), metadata.clone().ok()?))).collect();
        named.sort_by(|a, b| a.0.cmp(&b.0));
        named.into_iter().map(|(_, metadata)| metadata).collect()
    }

    fn fetch_metadata(&self, file: &Arc<DistFile>, trust: Trust) -> Result<MetadataResult, Error> {
        match self.source.metadata(file, trust) {
            Ok(metadata) => Ok(Ok(metadata)),
            Err(MetadataFailure::Invalid(why) | MetadataFailure::NeedsBuild(why)) => {
                Ok(Err(ExclusionReason::InvalidMetadata(why.into())))
            }
            Err(MetadataFailure::BuildForbidden(why)) => Ok(Err(ExclusionReason::BuildForbidden(why.into()))),
            Err(MetadataFailure::Fatal(error)) => Err(error),
        }
    }

    /// Reads the own metadata of those of `files` whose metadata came from the index's release data, and replaces that.
    ///
    /// # Errors
    /// When the index does not answer.
    pub(super) fn confirm(&self, files: &[Arc<DistFile>]) -> Result<Confirmation, Error> {
        let files = self.unconfirmed(files);
        let queries: Vec<_> =
            files.iter().map(|file| IndexQuery::Metadata(Arc::clone(file), Trust::File)).collect();
        self.source.prefetch(&queries);
        let mut confirmation = Confirmation::Unchanged;
        for file in files {
            // All were prefetched above, so the waits overlap.
            let own = self.fetch_metadata(&file, Trust::File)?;
            let before = unpoisoned(self.metadata.lock()).insert(file.filename.clone(), own.clone());
            if !before.is_some_and(|before| requires_the_same(&before, &own)) {
                confirmation = Confirmation::Changed;
            }
        }
        Ok(confirmation)
    }

    fn is_unconfirmed(&self, file: &DistFile) -> bool {
        let loaded = self.loaded_file_metadata(file);
        matches!(loaded, Some(Ok(metadata)) if metadata.source == MetadataSource::Release)
    }

    /// Those of `files` whose own metadata was not read, each once, sorted by file name.
    fn unconfirmed(&self, files: &[Arc<DistFile>]) -> Vec<Arc<DistFile>> {
        let mut files: Vec<_> = files.iter().filter(|file| self.is_unconfirmed(file)).cloned().collect();
        files.sort_by(|a, b| a.filename.cmp(&b.filename));
        files.dedup_by(|a, b| a.filename == b.filename);
        files
    }
}

/// Whether the files' own metadata requires what the index's release data required.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Confirmation {
    /// It does: the result stands.
    Unchanged,
    /// One file requires something else: solve again.
    Changed,
}

fn requires_the_same(before: &MetadataResult, after: &MetadataResult) -> bool {
    match (before, after) {
        (Ok(before), Ok(after)) => before.requires == after.requires,
        _ => false,
    }
}
