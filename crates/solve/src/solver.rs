//! The solver's loop: runs of pubgrub until one result stands. The crate's head explains the algorithm.

use std::sync::Arc;

use pubgrub::PubGrubError;

use super::index::Index;
use super::interner::PackageKind;
use super::lazy_candidates::FIRST;
use super::package::Package;
use super::prefetcher::Prefetcher;
use super::problem::Problem;
use super::proof::Proof;
use super::provider::{Provider, RunAbort};
use super::resolution::Resolution;
use super::search::{Decisions, SearchState};
use super::solver_index::{Confirmation, SolverIndex};
use pinfast_base::error::Error;
use pinfast_base::event::{Event, Watcher};
use pinfast_packaging::DistFile;

/// Why a problem has no resolution.
pub enum SolveError {
    /// It is unsatisfiable.
    NoSolution(Box<NoSolution>),
    /// Index, network or disk failed, or the user called the solve off.
    Fatal(Error),
}

/// The proof that a problem is unsatisfiable, with the packages that it speaks of.
pub struct NoSolution {
    /// The proof.
    pub proof: Proof,
    /// The packages, and the problem.
    pub index: Arc<SolverIndex>,
}

/// Solves `problem` with the packages of `source`.
///
/// # Errors
/// See [`SolveError`].
pub fn solve(
    problem: Arc<Problem>,
    source: Arc<dyn Index>,
    watcher: &dyn Watcher,
) -> Result<Resolution, SolveError> {
    solve_with_index(&Arc::new(SolverIndex::new(problem, source)), watcher)
}

/// Solves the problem of `index`, which afterwards holds all packages that the solver looked up.
///
/// # Errors
/// See [`SolveError`].
pub fn solve_with_index(index: &Arc<SolverIndex>, watcher: &dyn Watcher) -> Result<Resolution, SolveError> {
    let prefetcher = Prefetcher::start(index);
    let outcome = search(index, watcher);
    // After a failure too: its threads would go on fetching for nobody.
    prefetcher.stop();
    match outcome {
        Ok(SearchOutcome::Resolved(resolution)) => Ok(resolution),
        Ok(SearchOutcome::Unsatisfiable(proof)) => {
            Err(SolveError::NoSolution(Box::new(NoSolution { proof, index: index.clone() })))
        }
        Err(error) => Err(SolveError::Fatal(error)),
    }
}

/// The result of a search.
pub(super) enum SearchOutcome {
    Resolved(Resolution),
    Unsatisfiable(Proof),
}

/// Searches, and reports how much work that was.
pub(super) fn search(index: &SolverIndex, watcher: &dyn Watcher) -> Result<SearchOutcome, Error> {
    let mut search = SearchState::new(index.problem.direct());
    let outcome = run_to_end(index, &mut search, watcher);
    watcher.on(Event::Detail(format!(
        "looked at the metadata of {} files of {} packages in {} runs of the solver",
        index.files_examined(),
        index.packages_met(),
        search.runs()
    )));
    for name in search.galloped_packages() {
        watcher.on(Event::Detail(format!(
            "skipped some releases of {name} that lie between two that do not fit"
        )));
    }
    outcome
}

/// Runs pubgrub until its result stands.
pub(super) fn run_to_end(
    index: &SolverIndex,
    search: &mut SearchState,
    watcher: &dyn Watcher,
) -> Result<SearchOutcome, Error> {
    loop {
        let run = run(index, search, watcher);
        let outcome = match run.outcome {
            // First of all: what a stale run ended with means nothing, not even an error.
            _ if search.lazy.is_stale() => {
                search.widen(index)?;
                continue;
            }
            Err(RunAbort::Fatal(error)) => return Err(error),
            Err(RunAbort::Restart) => {
                search.restart();
                continue;
            }
            Ok(outcome) => outcome,
        };
        // A proof is confirmed as well: wrong release data can hide a solution.
        if index.confirm(search.unconfirmed())? == Confirmation::Changed {
            // Wrong release data has shaped the search's memory: forget it, so that only the files' own metadata counts.
            search.reset(index.problem.direct());
            continue;
        }
        match outcome {
            RunOutcome::Unsatisfiable(proof) => return Ok(SearchOutcome::Unsatisfiable(proof)),
            RunOutcome::Solved(decisions) => {
                if let Some(resolution) = accept(index, search, &decisions, &run.used_files)? {
                    return Ok(SearchOutcome::Resolved(resolution));
                }
            }
        }
    }
}

/// The resolution that the decisions make. `None` if something in them needs another run, which is prepared then.
fn accept(
    index: &SolverIndex,
    search: &mut SearchState,
    decisions: &Decisions,
    used_files: &[Arc<DistFile>],
) -> Result<Option<Resolution>, Error> {
    // First: if a better candidate was skipped, all that follows would be done again.
    if search.record_solution(decisions, |candidates, ordinal| index.preference_rank(candidates, ordinal)) {
        search.restart();
        return Ok(None);
    }
    let mut resolution = Resolution::new(index, decisions)?;
    // A pin whose dependent fell out in mid-run may have left an old release as the only candidate.
    let unpinned: Vec<_> = resolution.unpinned(decisions).collect();
    if !unpinned.is_empty() {
        search.widen_later(unpinned);
        search.widen(index)?;
        return Ok(None);
    }
    if let Some((name, version)) = resolution.unpinned_yanked(&index.problem) {
        search.revoke_yanked(name, version);
        search.restart();
        return Ok(None);
    }
    resolution.add_newest(index, decisions)?;
    resolution.warn_of_unusable(index, used_files);
    Ok(Some(resolution))
}

/// One run of pubgrub.
struct SolverRun {
    outcome: Result<RunOutcome, RunAbort>,
    /// The files whose metadata it used.
    used_files: Vec<Arc<DistFile>>,
}

/// The result of one run.
enum RunOutcome {
    Solved(Decisions),
    Unsatisfiable(Proof),
}

fn run(index: &SolverIndex, search: &mut SearchState, watcher: &dyn Watcher) -> SolverRun {
    let root = search.interner.intern(&Package::Root);
    let provider = Provider::new(index, search, watcher);
    let result = pubgrub::resolve(&provider, root, 0u32);
    let used_files = provider.into_used_files();
    let outcome = match result {
        Ok(selected) => {
            let decided =
                selected.into_iter().filter_map(|(package, ordinal)| match search.interner.kind(package) {
                    PackageKind::Dist(name) => Some((search.lazy.get(name)?, ordinal)),
                    PackageKind::Input | PackageKind::Extra(_) => None,
                });
            let predecided = search.predecided().map(|candidates| (candidates, FIRST));
            let decisions = decided
                .chain(predecided)
                .map(|(candidates, ordinal)| (candidates.name.clone(), (candidates.clone(), ordinal)));
            Ok(RunOutcome::Solved(decisions.collect()))
        }
        Err(PubGrubError::NoSolution(derivation)) => {
            Ok(RunOutcome::Unsatisfiable(Proof::new(derivation, &search.interner, index)))
        }
        Err(
            PubGrubError::ErrorRetrievingDependencies { source, .. }
            | PubGrubError::ErrorChoosingVersion { source, .. }
            | PubGrubError::ErrorInShouldCancel(source),
        ) => Err(source),
    };
    SolverRun { outcome, used_files }
}
