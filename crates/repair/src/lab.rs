//! Solving again: the same question with some lines changed, on the same index, within a budget.

use std::sync::Arc;
use std::time::Duration;

use pinfast_base::event::{Event, Watcher};
use pinfast_solve::{Index, NoSolution, Problem, Resolution, SolveError, solve};

/// How long lines are left out and fixes are tried. The core has no clock: one is given.
#[derive(Clone)]
pub struct Budget {
    elapsed: Arc<dyn Fn() -> Duration + Send + Sync>,
    limit: Duration,
}

impl Budget {
    /// As long as `elapsed`, which tells the time since some beginning, is below `limit`.
    #[must_use]
    pub fn new(limit: Duration, elapsed: Arc<dyn Fn() -> Duration + Send + Sync>) -> Self {
        Self { elapsed, limit }
    }

    /// No limit, and no clock.
    #[must_use]
    pub fn unlimited() -> Self {
        Self::new(Duration::MAX, Arc::new(|| Duration::ZERO))
    }

    /// The same beginning with a part of what is left of the limit.
    pub fn part(&self, divisor: u32) -> Self {
        let elapsed = self.elapsed();
        let rest = self.limit.saturating_sub(elapsed) / divisor;
        Self { limit: elapsed.saturating_add(rest), ..self.clone() }
    }

    pub fn is_open(&self) -> bool {
        self.elapsed() < self.limit
    }

    pub fn elapsed(&self) -> Duration {
        (self.elapsed)()
    }
}

/// A budget is also who is told of a solve: nobody, and it ends when the budget is spent.
impl Watcher for Budget {
    fn on(&self, _: Event) {}

    fn cancelled(&self) -> bool {
        !self.is_open()
    }
}

/// Where variants of a problem are tried out.
pub struct Lab {
    pub index: Arc<dyn Index>,
    pub budget: Budget,
}

impl Lab {
    /// Solves `problem`; the error is the proof that there is no solution, or `None` where nothing is known:
    /// the budget is spent, or the index gave no answer.
    pub fn solve(&self, problem: Problem) -> Result<Box<Resolution>, Option<Box<NoSolution>>> {
        if !self.budget.is_open() {
            return Err(None);
        }
        solve(Arc::new(problem), self.index.clone(), &self.budget).map(Box::new).map_err(|failure| {
            match failure {
                SolveError::NoSolution(failure) => Some(failure),
                SolveError::Fatal(_) => None,
            }
        })
    }
}
