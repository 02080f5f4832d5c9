//! Why there is no lock.

use std::sync::Arc;

use pinfast_base::error::Error;
use pinfast_base::event::Watcher;
use pinfast_explain::{self as explain, Alternative, Budget, ExplainRequest, Explanation};
use pinfast_packaging::Marker;
use pinfast_solve::{NoSolution, Problem};

/// Why there is no lock.
pub enum LockError {
    /// There is no solution.
    NoSolution(Box<Unsolved>),
    /// Any other error.
    Error(Error),
}

impl From<Error> for LockError {
    fn from(error: Error) -> Self {
        Self::Error(error)
    }
}

/// A problem without a solution, and what an explanation may try.
pub struct Unsolved {
    failure: Box<NoSolution>,
    /// The same inputs under other options.
    alternatives: Vec<Alternative>,
    /// The problems of the other targets: a fix must solve them, too.
    others: Vec<Arc<Problem>>,
    /// For a universal lock: the environments without a solution.
    environments: Option<Marker>,
}

impl Unsolved {
    /// No solution for one of the targets.
    pub(super) fn for_target(
        failure: Box<NoSolution>,
        alternatives: Vec<Alternative>,
        others: Vec<Arc<Problem>>,
    ) -> Self {
        Self { failure, alternatives, others, environments: None }
    }

    /// No solution in the `environments` of a universal lock; `others` are solved.
    pub(super) fn in_environments(
        failure: Box<NoSolution>,
        environments: Marker,
        others: Vec<Arc<Problem>>,
    ) -> Self {
        Self { failure, alternatives: Vec::new(), others, environments: Some(environments) }
    }

    /// Explains the conflict, and tries fixes within `budget`.
    #[must_use]
    pub fn explain(self, budget: Budget, watcher: &dyn Watcher) -> Explanation {
        let Self { failure, alternatives, others, environments } = self;
        let note = match &environments {
            Some(marker) if marker.is_always() => None,
            Some(marker) => Some(format!("There is no solution in the environments with `{marker}`.")),
            None if others.is_empty() => None,
            None => Some(format!("This is about the target {}.", failure.index.problem.target.label())),
        };
        let request = ExplainRequest { budget, alternatives, others };
        let mut explanation = explain::explain(failure, &request, watcher);
        explanation.notes.extend(note);
        explanation
    }
}
