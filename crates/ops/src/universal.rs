//! One lock for every environment.

use std::sync::Arc;

use super::held_back::held_back;
use super::lock::{LockError, LockProblem, LockSolution, Unsolved};
use super::pins::{self, Hashes};
use super::session::Session;
use pinfast_lock::Merger;
use pinfast_packaging::Version;
use pinfast_solve::universal::{self, UniversalError, solve_universal};
use pinfast_solve::{Index, SolverIndex};

impl LockProblem<'_> {
    /// One answer for every environment with Python `lowest` or a later one.
    pub(super) fn answer_universal(
        &self,
        lowest: &Version,
        index: Arc<dyn Index>,
        session: &Session,
    ) -> Result<LockSolution, LockError> {
        let question = universal::UniversalProblem {
            inputs: self.inputs,
            policy: &self.policy,
            preferences: &self.preferences,
            python: lowest,
        };
        let universal = match solve_universal(&question, &index, &*session.watcher) {
            Ok(universal) => universal,
            Err(UniversalError::Fatal(error)) => return Err(LockError::Error(error)),
            Err(UniversalError::NoSolution { failure, regions, others }) => {
                return Err(LockError::NoSolution(Box::new(Unsolved::somewhere(failure, regions, others))));
            }
        };
        session.detail(format!("solved for {} kinds of environments", universal.answers.len()));
        let mut answer = LockSolution::default();
        let mut merger = Merger::default();
        for (problem, resolution) in &universal.answers {
            // Every file fits some environment.
            merger.add(pins::pins(resolution, problem, Hashes::All, &*index, session)?);
            let known = SolverIndex::new(problem.clone(), index.clone());
            answer.held_back.extend(held_back(resolution, &known));
            answer.skipped_entries.extend(resolution.skipped_entries.clone());
        }
        answer.held_back.sort();
        answer.held_back.dedup();
        answer.pins = merger.merged(|places| universal.marker(places));
        answer.warnings.extend(universal.warnings);
        Ok(answer)
    }
}
