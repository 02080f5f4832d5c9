//! The solver: a [`Problem`] and an [`Index`] -> a [`Resolution`], or the [`Proof`] that there is none.
//!
//! Solved by PubGrub over candidate ordinals (see `candidates.rs`, `judge.rs` and `set.rs`); `provider.rs` is pubgrub's view
//! of the problem, `views.rs` how much of each package it looks at, `nodes.rs` what it calls one, `search.rs` what is
//! remembered over restarts, `trail.rs` what happened in one run, `settled.rs` what the next need not decide,
//! `stride.rs` how a train of a thousand releases is crossed, `scout.rs` what runs ahead. The answer depends on the problem
//! and on what the index says, never on timing nor on the order of the inputs' lines.

mod candidates;
mod edges;
mod index;
mod judge;
mod known;
mod nodes;
mod package;
mod policy;
mod problem;
mod proof;
mod provider;
mod resolution;
mod scout;
mod search;
mod set;
mod settled;
mod stride;
mod trail;
pub mod universal;
pub mod universe;
mod views;

pub use candidates::{Candidate, Candidates, ExclusionReason, ProjectLookup, Tier};
pub use index::{Index, IndexQuery, MetadataFailure, SearchScope, Trust};
pub use known::SolverIndex;
pub use policy::{PackageSet, Policy, Preferences, PrereleaseMode, ResolutionMode};
pub use problem::Problem;
pub use proof::Proof;
pub use resolution::{Dependent, Resolution, ResolvedPin};

pub use edges::{base as base_requirements, of_extra as extra_requirements};
pub use package::Package;
pub use proof::{Fact, ProofStep};
pub use set::{Ordinal, OrdinalSet};

use std::sync::Arc;

use pubgrub::PubGrubError;
use rustc_hash::FxHashMap;

use known::Confirmation;
use nodes::Part;
use pinfast_base::error::Error;
use pinfast_base::event::{Event, Watcher};
use pinfast_packaging::{DistFile, PackageName};
use provider::{Provider, Stop};
use scout::Scouts;
use search::Search;

/// Why a problem has no resolution.
pub enum SolveError {
    /// There is none: the proof, and what it speaks of.
    NoSolution(Box<NoSolution>),
    /// The world is at fault.
    Fatal(Error),
}

/// The proof that there is no solution, with what is known of the packages it speaks of.
pub struct NoSolution {
    /// The proof.
    pub proof: Proof,
    /// The packages, and the problem.
    pub index: Arc<SolverIndex>,
}

/// Solves `problem` on what `index` tells.
///
/// # Errors
/// See [`SolveError`].
pub fn solve(
    problem: Arc<Problem>,
    index: Arc<dyn Index>,
    watcher: &dyn Watcher,
) -> Result<Resolution, SolveError> {
    solve_with_index(&Arc::new(SolverIndex::new(problem, index)), watcher)
}

/// Solves the problem of `known`, which knows more then.
///
/// # Errors
/// See [`SolveError`].
pub fn solve_with_index(known: &Arc<SolverIndex>, watcher: &dyn Watcher) -> Result<Resolution, SolveError> {
    let scouts = Scouts::send(known);
    let answer = search(known, watcher);
    scouts.call_back();
    match answer {
        Ok(Answer::Resolved(resolution)) => Ok(resolution),
        Ok(Answer::Impossible(proof)) => {
            Err(SolveError::NoSolution(Box::new(NoSolution { proof, index: known.clone() })))
        }
        Err(error) => Err(SolveError::Fatal(error)),
    }
}

/// What a search comes to.
enum Answer {
    Resolved(Resolution),
    Impossible(Proof),
}

/// Runs pubgrub until its answer stands.
fn search(known: &SolverIndex, watcher: &dyn Watcher) -> Result<Answer, Error> {
    let mut search = Search::new(known.problem.direct());
    let answer = searched(known, &mut search, watcher);
    watcher.on(Event::Detail(format!(
        "looked at the metadata of {} files of {} packages in {} runs of the solver",
        known.files_told(),
        known.packages_met(),
        search.runs()
    )));
    for name in search.strode() {
        watcher.on(Event::Detail(format!(
            "not every release of {name} between two that do not fit was looked at"
        )));
    }
    answer
}

fn searched(known: &SolverIndex, search: &mut Search, watcher: &dyn Watcher) -> Result<Answer, Error> {
    loop {
        let run = run(known, search, watcher);
        let outcome = match run.outcome {
            _ if search.views.are_outdated() => {
                search.renew(known)?;
                continue;
            }
            Err(Stop::Trouble(error)) => return Err(error),
            Err(Stop::Restart) => {
                search.restart();
                continue;
            }
            Ok(outcome) => outcome,
        };
        if known.confirm(search.doubted())? == Confirmation::Different {
            // What the wrong word led to is forgotten: the answer depends on the files' own word alone.
            search.forget(known.problem.direct());
            continue;
        }
        match outcome {
            Outcome::Impossible(proof) => return Ok(Answer::Impossible(proof)),
            Outcome::Chosen(chosen) => {
                if search.passed_over(&chosen, |candidates, ordinal| known.rank(candidates, ordinal)) {
                    search.restart();
                    continue;
                }
                let mut resolution = resolution::build(known, &chosen)?;
                let unpinned: Vec<_> = resolution.unpinned_views(&chosen).collect();
                if !unpinned.is_empty() {
                    search.contest(unpinned);
                    search.renew(known)?;
                    continue;
                }
                match resolution.unpinned_yank(&known.problem) {
                    None => {
                        resolution.tell_newer(known, &chosen)?;
                        resolution.tell_unusable(known, &run.asked);
                        return Ok(Answer::Resolved(resolution));
                    }
                    Some((name, version)) => search.forbid_yanked(name, version),
                }
                search.restart();
            }
        }
    }
}

/// Of each package its candidates, as the solver saw them, and which of them was chosen.
type Chosen = FxHashMap<PackageName, (Arc<Candidates>, Ordinal)>;

/// One run of pubgrub, and the files whose metadata it used.
struct Run {
    outcome: Result<Outcome, Stop>,
    asked: Vec<Arc<DistFile>>,
}

/// What one run comes to.
enum Outcome {
    Chosen(Chosen),
    Impossible(Proof),
}

fn run(known: &SolverIndex, search: &mut Search, watcher: &dyn Watcher) -> Run {
    let root = search.nodes.node(&Package::Root);
    let provider = Provider::new(known, search, watcher);
    let answer = pubgrub::resolve(&provider, root, 0u32);
    let asked = provider.into_asked();
    let outcome = match answer {
        Ok(selected) => {
            let dists = selected.into_iter().filter_map(|(node, ordinal)| match search.nodes.part(node) {
                Part::Whole(dist) => Some((search.views.of(dist)?, ordinal)),
                Part::Question | Part::Extra(_) => None,
            });
            let all = dists.chain(search.settled().map(|seen| (seen, settled::ONLY)));
            let chosen = all.map(|(seen, ordinal)| (seen.name.clone(), (seen.clone(), ordinal)));
            Ok(Outcome::Chosen(chosen.collect()))
        }
        Err(PubGrubError::NoSolution(tree)) => {
            Ok(Outcome::Impossible(Proof::new(tree, &search.nodes, known)))
        }
        Err(
            PubGrubError::ErrorRetrievingDependencies { source, .. }
            | PubGrubError::ErrorChoosingVersion { source, .. }
            | PubGrubError::ErrorInShouldCancel(source),
        ) => Err(source),
    };
    Run { outcome, asked }
}

#[cfg(test)]
mod tests;
