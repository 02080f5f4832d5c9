//! Solves a lock's problem for its targets, or for every environment at once.

use std::sync::Arc;

use super::held_back::find_held_back;
use super::pins;
use super::resolution_problem::{ResolutionProblem, ResolvedPins};
use super::scope::LockScope;
use super::session::Session;
use super::universal::solve_universal_lock;
use super::unsolved::{LockError, Unsolved};
use pinfast_explain as explain;
use pinfast_lock as lock;
use pinfast_packaging::Target;
use pinfast_solve::{self as solve, Index, NoSolution, Preferences, SolveError, SolverIndex};

impl ResolutionProblem<'_> {
    /// Solves the problem for all environments of `scope`.
    pub(super) fn solve(
        &self,
        scope: &LockScope,
        index: Arc<dyn Index>,
        session: &Session,
    ) -> Result<ResolvedPins, LockError> {
        match scope {
            LockScope::Targets(targets) => self.solve_targets(targets, index, session),
            LockScope::Universal(lowest) => solve_universal_lock(self, lowest, index, session),
        }
    }

    /// One solve for each target. Later targets prefer the pins of earlier ones, so that targets agree.
    fn solve_targets(
        &self,
        targets: &[Target],
        index: Arc<dyn Index>,
        session: &Session,
    ) -> Result<ResolvedPins, LockError> {
        let mut solution = ResolvedPins::default();
        let mut pins = Vec::new();
        let mut preferences = self.preferences.clone();
        for target in targets {
            let problem = self.for_target(target, &preferences);
            let solver_index = Arc::new(SolverIndex::new(problem.clone(), index.clone()));
            session.keep_alive(solver_index.clone());
            let resolution = match solve::solve_with_index(&solver_index, &*session.watcher) {
                Ok(resolution) => resolution,
                Err(SolveError::Fatal(error)) => return Err(LockError::Error(error)),
                Err(SolveError::NoSolution(failure)) => {
                    let unsolved = self.unsolved(failure, target, targets, &preferences);
                    return Err(LockError::NoSolution(Box::new(unsolved)));
                }
            };
            pins.push(pins::build_pins(&resolution, &problem, self.hashes, &*index, session)?);
            solution.held_back.extend(find_held_back(&resolution, &solver_index));
            for (name, pin) in &resolution.pins {
                preferences.add(name.clone(), pin.candidate.version.clone());
            }
            solution.warnings.extend(resolution.warnings);
            solution.skipped_entries.extend(resolution.skipped_entries);
        }
        solution.held_back.sort();
        solution.held_back.dedup();
        solution.pins = lock::merge(targets, pins);
        Ok(solution)
    }

    fn unsolved(
        &self,
        failure: Box<NoSolution>,
        target: &Target,
        targets: &[Target],
        preferences: &Preferences,
    ) -> Unsolved {
        let problem = |target: &Target| self.for_target(target, preferences);
        let others = targets.iter().filter(|other| other.label() != target.label());
        let alternatives = explain::target_alternatives(targets, target, problem);
        Unsolved::for_target(failure, alternatives, others.map(problem).collect())
    }
}
