//! Solving again: the same question with some lines changed, on the same index, within a budget.

use std::sync::Arc;

use super::Budget;
use crate::event::{Event, Watcher};
use crate::solve::{Failure, Index, NoSolution, Problem, Resolution, solve};

/// Where variants of a problem are tried out.
pub(super) struct Lab {
    index: Arc<dyn Index>,
    budget: Budget,
}

/// What a try comes to.
pub(super) enum Verdict {
    /// It has a resolution.
    Solved(Box<Resolution>),
    /// It has none, proved.
    Failed(Box<NoSolution>),
    /// The budget is spent, or the index gave no answer: nothing is known.
    Unknown,
}

impl Lab {
    pub(super) fn new(index: Arc<dyn Index>, budget: Budget) -> Self {
        Self { index, budget }
    }

    /// Whether there is time left.
    pub(super) fn is_open(&self) -> bool {
        self.budget.is_open()
    }

    /// Solves `problem`, as far as the budget goes.
    pub(super) fn solve(&self, problem: Problem) -> Verdict {
        if !self.is_open() {
            return Verdict::Unknown;
        }
        let silent = Silent { budget: self.budget.clone() };
        match solve(Arc::new(problem), self.index.clone(), &silent) {
            Ok(resolution) => Verdict::Solved(Box::new(resolution)),
            Err(Failure::NoSolution(failure)) => Verdict::Failed(failure),
            Err(Failure::Trouble(_)) => Verdict::Unknown,
        }
    }
}

/// Tells nobody of the solve, and ends it when the budget is spent.
struct Silent {
    budget: Budget,
}

impl Watcher for Silent {
    fn on(&self, _: Event) {}

    fn cancelled(&self) -> bool {
        !self.budget.is_open()
    }
}
