//! The prefetcher: threads that run ahead of the solver through the packages that it will most likely meet.
//!
//! The solver asks for one thing at a time, and each answer takes a round trip. The prefetcher follows the requirements
//! of the likeliest candidate of each package, so all packages of one level of the graph are fetched at once. The pins
//! of an older lock are fetched from the very beginning.
//!
//! It guesses wrong where the solver backtracks. When a requirement excludes the candidate that was followed, the next
//! likeliest is followed as well, and the full listings of the packages concerned are fetched. What it finds goes into
//! the [`SolverIndex`]; it changes only when an answer is there, never the answer.

use std::collections::{BTreeSet, VecDeque};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};

use rustc_hash::FxHashMap;

use super::candidates::{Candidate, Candidates};
use super::index::{IndexQuery, Trust};
use super::requirements;
use super::solver_index::SolverIndex;
use pinfast_base::error::Error;
use pinfast_base::sync::unpoisoned;
use pinfast_packaging::{DistFilename, ExtraName, Metadata, PackageName, Requirement, SpecifierSet, Version};

/// How many packages beyond the inputs' lines get a [`JobStage::HeldBack`] job.
const MAX_HELD_BACK: usize = 8;

/// How many packages are added to the queue at once.
const BATCH: usize = 64;

/// How many distinct specifiers on one package are heeded: hostile metadata may have any number.
const MAX_SPECIFIERS: usize = 64;

/// The queue of jobs, shared by the prefetching threads.
#[derive(Default)]
pub(super) struct Prefetcher {
    state: Mutex<PrefetchState>,
    changed: Condvar,
}

#[derive(Default)]
struct PrefetchState {
    queue: VecDeque<PrefetchJob>,
    packages: FxHashMap<PackageName, RequestedPackage>,
    /// How many held-back jobs were added beyond those of the inputs' lines.
    held_back_jobs: usize,
    /// How many threads were started.
    threads: usize,
    is_stopped: bool,
}

/// What was required of a package so far.
#[derive(Default)]
struct RequestedPackage {
    /// Each distinct specifier, and which packages require it.
    specifiers: Vec<(SpecifierSet, BTreeSet<PackageName>)>,
    /// The extras that were required; `None` stands for the package without extras.
    extras: BTreeSet<Option<ExtraName>>,
    /// The candidates that were followed; the last is the likeliest.
    followed: Vec<(Option<ExtraName>, Version)>,
}

/// One package to fetch, with one extra or without.
struct PrefetchJob {
    name: PackageName,
    extra: Option<ExtraName>,
    stage: JobStage,
}

/// What a job does next. A job between two stages goes to the end of the queue, so that no thread waits for one
/// package's metadata while other listings are there already.
enum JobStage {
    /// Fetch what the newest release of a package requires, though an older lock's pin goes before it: the report on
    /// held-back packages will need it.
    HeldBack,
    /// Follow the newest release's metadata, which the index may send before its files.
    EarlyMetadata,
    /// Fetch the listing.
    Listing,
    /// Fetch the metadata of this candidate.
    Metadata(Box<Candidate>),
}

impl RequestedPackage {
    /// Adds a requirement of the package `by`, or of the inputs; returns which jobs follow from it.
    fn add(
        &mut self,
        by: Option<&PackageName>,
        specifiers: &SpecifierSet,
        extras: impl Iterator<Item = Option<ExtraName>>,
    ) -> NewJobs {
        let new: Vec<_> = extras.filter(|extra| self.extras.insert(extra.clone())).collect();
        if let Some((_, dependents)) = self.specifiers.iter_mut().find(|(earlier, _)| earlier == specifiers) {
            dependents.extend(by.cloned());
            return NewJobs::ForExtras(new);
        }
        // Heeding fewer specifiers only makes the guess worse, never the answer.
        if self.specifiers.len() == MAX_SPECIFIERS {
            return NewJobs::ForExtras(new);
        }
        self.specifiers.push((specifiers.clone(), by.cloned().into_iter().collect()));
        match self.followed.last() {
            Some((_, likeliest)) if !specifiers.contains(likeliest) => NewJobs::ForOtherCandidate,
            _ => NewJobs::ForExtras(new),
        }
    }

    fn permits(&self, version: &Version) -> bool {
        self.specifiers.iter().all(|(specifiers, _)| specifiers.contains(version))
    }

    fn specifiers(&self) -> Vec<SpecifierSet> {
        self.specifiers.iter().map(|(specifiers, _)| specifiers.clone()).collect()
    }

    /// The packages whose requirements exclude `version`.
    fn opponents(&self, version: &Version) -> impl Iterator<Item = &PackageName> {
        self.specifiers
            .iter()
            .filter(|(specifiers, _)| !specifiers.contains(version))
            .flat_map(|(_, dependents)| dependents)
    }
}

/// Which jobs follow from a new requirement on a package.
enum NewJobs {
    /// One for each of these extras.
    ForExtras(Vec<Option<ExtraName>>),
    /// One for each extra again: the candidate that was followed is excluded now.
    ForOtherCandidate,
}

impl Prefetcher {
    /// Starts the threads with the lines of the problem. Nobody waits for them: one that hangs on a slow answer when the
    /// solve is over ends by itself.
    pub(super) fn start(index: &Arc<SolverIndex>) -> Arc<Self> {
        let prefetcher = Arc::new(Self::default());
        prefetcher.start_threads(index);
        // An index in memory answers at once: there is nothing to run ahead of.
        if index.source.prefetch_concurrency() > 0 {
            let problem = &*index.problem;
            // The report on held-back packages needs the newest release of everything that the lines name.
            let named = problem.lines.iter().map(|line| index.newest_query(&line.requirement.name));
            index.source.prefetch(&named.collect::<Vec<_>>());
            let requirements =
                problem.lines.iter().flat_map(|line| problem.apply_overrides(&line.requirement));
            prefetcher.follow(index, None, &requirements.collect::<Vec<_>>());
            let any = SpecifierSet::default();
            let preferred = problem.preferences.names().map(|name| (name, &any, &[] as &[ExtraName]));
            prefetcher.add_all(index, None, preferred);
            let pinned = problem.lines.iter().map(|line| line.requirement.name.clone());
            let pinned = pinned.filter(|name| !problem.preferences.versions(name).is_empty());
            let held_back = pinned.map(|name| PrefetchJob { name, extra: None, stage: JobStage::HeldBack });
            prefetcher.lock().queue.extend(held_back);
            prefetcher.changed.notify_all();
        }
        prefetcher
    }

    /// Starts more threads, if the index can use more by now.
    fn start_threads(self: &Arc<Self>, index: &Arc<SolverIndex>) {
        let mut state = self.lock();
        while state.threads < index.source.prefetch_concurrency() {
            let (prefetcher, index) = (Arc::clone(self), Arc::clone(index));
            std::thread::spawn(move || prefetcher.run(&index));
            state.threads += 1;
        }
    }

    /// Stops the threads, each after its present job.
    pub(super) fn stop(&self) {
        self.lock().is_stopped = true;
        self.changed.notify_all();
    }

    fn run(self: &Arc<Self>, index: &Arc<SolverIndex>) {
        while let Some(job) = self.next_job() {
            // The first request of a run raises the number that pays off.
            self.start_threads(index);
            // An error is dropped: the solver meets the same one, if it needs the answer.
            let _ = self.run_job(index, job);
        }
    }

    fn lock(&self) -> MutexGuard<'_, PrefetchState> {
        unpoisoned(self.state.lock())
    }

    fn next_job(&self) -> Option<PrefetchJob> {
        let mut state = self.lock();
        loop {
            if state.is_stopped {
                return None;
            }
            if let Some(job) = state.queue.pop_front() {
                return Some(job);
            }
            state = unpoisoned(self.changed.wait(state));
        }
    }

    fn run_job(&self, index: &SolverIndex, job: PrefetchJob) -> Result<(), Error> {
        let PrefetchJob { name, extra, stage } = job;
        match stage {
            JobStage::HeldBack => self.fetch_held_back(index, &name),
            JobStage::EarlyMetadata => {
                let Some(metadata) = index.source.newest_metadata(&name) else {
                    return self.select_candidate(index, name, extra);
                };
                if !permits_python(index, &metadata) {
                    index.source.prefetch(&[IndexQuery::Listing(name.clone())]);
                } else if self.permits(index, &name, &metadata.version) {
                    self.follow(index, Some(&name), &requirements_of(index, &metadata, extra.as_ref()));
                }
                self.lock().queue.push_back(PrefetchJob { name, extra, stage: JobStage::Listing });
                self.changed.notify_one();
                Ok(())
            }
            JobStage::Listing => self.select_candidate(index, name, extra),
            JobStage::Metadata(candidate) => {
                let Ok(metadata) = index.metadata(&candidate)? else { return Ok(()) };
                self.follow(index, Some(&name), &requirements_of(index, &metadata, extra.as_ref()));
                Ok(())
            }
        }
    }

    /// Selects the likeliest candidate of `name` under the specifiers so far, and queues a job for its metadata.
    fn select_candidate(
        &self,
        index: &SolverIndex,
        name: PackageName,
        extra: Option<ExtraName>,
    ) -> Result<(), Error> {
        let required = self.lock().packages.get(&name).map(RequestedPackage::specifiers).unwrap_or_default();
        let fits = |version: &Version| required.iter().all(|specifiers| specifiers.contains(version));
        let sole = index
            .sole_candidate(&name, required.iter().find_map(SpecifierSet::pinned))?
            .filter(|all| all.sole().is_some_and(|it| self.permits(index, &name, &it.version)));
        let candidates = sole.map_or_else(|| index.candidates(&name), Ok)?;
        let Some(likeliest) = likeliest(index, &candidates, fits) else { return Ok(()) };
        if matches!(likeliest.file().dist, DistFilename::Sdist { .. }) {
            // It may need a build, and that is for the solver to decide.
            return Ok(());
        }
        let mut state = self.lock();
        let package = state.packages.entry(name.clone()).or_default();
        let followed = (extra.clone(), likeliest.version.clone());
        if package.followed.contains(&followed) {
            return Ok(());
        }
        let stage = if package.permits(&likeliest.version) {
            package.followed.push(followed);
            JobStage::Metadata(Box::new(likeliest.clone()))
        } else {
            // Another thread has added a specifier since `required` was read: select again.
            JobStage::Listing
        };
        // `prefetch` may read the disk, so it is never called under the lock.
        drop(state);
        if let JobStage::Metadata(likeliest) = &stage {
            index.source.prefetch(&[IndexQuery::Metadata(likeliest.file().clone(), Trust::Release)]);
        }
        let mut state = self.lock();
        state.queue.push_back(PrefetchJob { name, extra, stage });
        self.changed.notify_one();
        Ok(())
    }

    /// Fetches what holds `name` back at an older lock's pin: the requirements of its newest release, the listings of
    /// the projects whose pins these exclude, and the newest releases of those in turn.
    fn fetch_held_back(&self, index: &SolverIndex, name: &PackageName) -> Result<(), Error> {
        let preferences = &index.problem.preferences;
        let Some(metadata) = newest_metadata(index, name)? else { return Ok(()) };
        if preferences.versions(name).contains(&metadata.version) {
            return Ok(());
        }
        let excludes_pin = |requirement: &&Requirement| {
            let pin = preferences.versions(&requirement.name).first();
            pin.is_some_and(|pin| !requirement.specifiers().contains(pin))
        };
        let excluding =
            requirements::base_requirements(&index.problem, &metadata).into_iter().filter(excludes_pin);
        let names: Vec<_> = excluding.map(|requirement| requirement.name.clone()).collect();
        index.source.prefetch(&names.iter().cloned().map(IndexQuery::Listing).collect::<Vec<_>>());
        let mut state = self.lock();
        // Each batch takes at most what is left, so this cannot underflow.
        let names = names.into_iter().take(MAX_HELD_BACK - state.held_back_jobs);
        let jobs: Vec<_> =
            names.map(|name| PrefetchJob { name, extra: None, stage: JobStage::HeldBack }).collect();
        state.held_back_jobs += jobs.len();
        state.queue.extend(jobs);
        drop(state);
        self.changed.notify_all();
        Ok(())
    }

    /// Whether all specifiers on `name` so far permit `version`, its first candidate. If not, prefetches all releases of
    /// `name` and of the packages that exclude the version: one of them has to give way.
    fn permits(&self, index: &SolverIndex, name: &PackageName, version: &Version) -> bool {
        let state = self.lock();
        let package = state.packages.get(name);
        let Some(package) = package.filter(|package| !package.permits(version)) else { return true };
        let concerned = package.opponents(version).chain([name]).cloned();
        let queries: Vec<_> = concerned.map(IndexQuery::Listing).collect();
        drop(state);
        index.source.prefetch(&queries);
        false
    }

    fn follow(&self, index: &SolverIndex, by: Option<&PackageName>, requirements: &[&Requirement]) {
        let required = requirements.iter().map(|it| (&it.name, it.specifiers(), it.extras.as_slice()));
        self.add_all(index, by, required);
    }

    /// Adds jobs for what is new in these: packages, each with specifiers and extras. Of many, the first are being
    /// fetched while the others are looked at.
    fn add_all<'r>(
        &self,
        index: &SolverIndex,
        by: Option<&PackageName>,
        required: impl Iterator<Item = (&'r PackageName, &'r SpecifierSet, &'r [ExtraName])>,
    ) {
        let mut required = required.peekable();
        while required.peek().is_some() {
            self.add_batch(index, by, required.by_ref().take(BATCH));
        }
    }

    fn add_batch<'r>(
        &self,
        index: &SolverIndex,
        by: Option<&PackageName>,
        required: impl Iterator<Item = (&'r PackageName, &'r SpecifierSet, &'r [ExtraName])>,
    ) {
        let (mut jobs, mut queries) = (Vec::new(), Vec::new());
        let mut state = self.lock();
        for (name, specifiers, extras) in required {
            let package = state.packages.entry(name.clone()).or_default();
            let extras = std::iter::once(None).chain(extras.iter().cloned().map(Some));
            let (extras, query) = match package.add(by, specifiers, extras) {
                NewJobs::ForExtras(new) if new.is_empty() => continue,
                NewJobs::ForExtras(new) => (new, index.first_query(name, specifiers)),
                NewJobs::ForOtherCandidate => {
                    // Either package may have to take an older release.
                    queries.extend(by.cloned().map(IndexQuery::Listing));
                    (package.extras.iter().cloned().collect(), IndexQuery::Listing(name.clone()))
                }
            };
            let is_newest = matches!(query, IndexQuery::Newest(_));
            let stage = || if is_newest { JobStage::EarlyMetadata } else { JobStage::Listing };
            let job = |extra| PrefetchJob { name: name.clone(), extra, stage: stage() };
            jobs.extend(extras.into_iter().map(job));
            queries.push(query);
        }
        drop(state);
        if jobs.is_empty() {
            return;
        }
        // The queries go out before a thread can take a job and wait for one of them alone.
        index.source.prefetch(&queries);
        self.lock().queue.extend(jobs);
        self.changed.notify_all();
    }
}

/// The metadata of the newest release of `name`, from whatever source is there first.
fn newest_metadata(index: &SolverIndex, name: &PackageName) -> Result<Option<Arc<Metadata>>, Error> {
    if let Some(metadata) = index.source.newest_metadata(name) {
        return Ok(Some(metadata));
    }
    let Some((_, Some(candidate))) = index.newest_release(name)? else { return Ok(None) };
    Ok(index.source.metadata(candidate.file(), Trust::Release).ok())
}

/// The requirements of a release without extras, or those that one extra adds.
fn requirements_of<'m>(
    index: &'m SolverIndex,
    metadata: &'m Metadata,
    extra: Option<&ExtraName>,
) -> Vec<&'m Requirement> {
    match extra {
        None => requirements::base_requirements(&index.problem, metadata),
        Some(extra) => requirements::extra_requirements(&index.problem, metadata, extra),
    }
}

/// Whether the Requires-Python of the metadata permits the target's Python.
fn permits_python(index: &SolverIndex, metadata: &Metadata) -> bool {
    let python = metadata.requires_python.as_ref();
    python.is_none_or(|python| python.lower_bounds_contain(index.problem.target.python()))
}

/// The candidate that the solver will most likely choose, of those that fit.
fn likeliest<'c>(
    index: &SolverIndex,
    candidates: &'c Candidates,
    fits: impl Fn(&Version) -> bool,
) -> Option<&'c Candidate> {
    let preferences = index.problem.preferences.versions(&candidates.name);
    let fitting = || candidates.usable.iter().rev().filter(|candidate| fits(&candidate.version));
    let preferred =
        preferences.iter().find_map(|version| fitting().find(|candidate| candidate.version == *version));
    preferred.or_else(|| fitting().min_by_key(|candidate| candidate.tier))
}
