//! One resolution for every environment: the result of a universal lock.

use std::sync::Arc;

use super::held_back::find_held_back;
use super::pins::{self, Hashes};
use super::resolution_problem::{ResolutionProblem, ResolvedPins};
use super::session::Session;
use super::unsolved::{LockError, Unsolved};
use pinfast_lock::Merger;
use pinfast_packaging::Version;
use pinfast_solve::universal::{UniversalError, UniversalProblem, solve_universal};
use pinfast_solve::{Index, SolverIndex};

/// Solves `problem` for every environment with Python `lowest` or a later one.
pub(super) fn solve_universal_lock(
    problem: &ResolutionProblem<'_>,
    lowest: &Version,
    index: Arc<dyn Index>,
    session: &Session,
) -> Result<ResolvedPins, LockError> {
    let universal_problem = UniversalProblem {
        inputs: problem.inputs,
        policy: &problem.policy,
        preferences: &problem.preferences,
        python: lowest,
    };
    let universal = match solve_universal(&universal_problem, &index, &*session.watcher) {
        Ok(universal) => universal,
        Err(UniversalError::Fatal(error)) => return Err(LockError::Error(error)),
        Err(UniversalError::NoSolution { failure, regions, others }) => {
            let unsolved = Unsolved::in_environments(failure, regions, others);
            return Err(LockError::NoSolution(Box::new(unsolved)));
        }
    };
    session.detail(format!("solved for {} kinds of environments", universal.answers.len()));
    let mut solution = ResolvedPins::default();
    let mut merger = Merger::default();
    for (problem, resolution) in &universal.answers {
        // `--hashes targets` has no effect: every file fits some environment.
        merger.add(pins::build_pins(resolution, problem, Hashes::All, &*index, session)?);
        let solver_index = SolverIndex::new(problem.clone(), index.clone());
        solution.held_back.extend(find_held_back(resolution, &solver_index));
        solution.skipped_entries.extend(resolution.skipped_entries.clone());
    }
    solution.held_back.sort();
    solution.held_back.dedup();
    solution.pins = merger.merged(|places| universal.marker(places));
    solution.warnings.extend(universal.warnings);
    Ok(solution)
}
