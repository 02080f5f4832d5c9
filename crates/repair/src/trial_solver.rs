//! A changed problem -> its solution or the proof that it has none, on the same index and within a budget.

use std::sync::Arc;
use std::time::Duration;

use pinfast_base::event::{Event, Watcher};
use pinfast_solve::{Index, NoSolution, Problem, Resolution, SolveError, solve};

/// How long the search for the core and for fixes may take. The core layers have no clock, so the caller gives one.
#[derive(Clone)]
pub struct Budget {
    elapsed: Arc<dyn Fn() -> Duration + Send + Sync>,
    limit: Duration,
}

impl Budget {
    /// A budget that lasts while `elapsed`, the time since a start of the caller's choice, is below `limit`.
    #[must_use]
    pub fn new(limit: Duration, elapsed: Arc<dyn Fn() -> Duration + Send + Sync>) -> Self {
        Self { elapsed, limit }
    }

    /// No limit, and no clock.
    #[must_use]
    pub fn unlimited() -> Self {
        Self::new(Duration::MAX, Arc::new(|| Duration::ZERO))
    }

    /// A budget with the same start and one `divisor`th of the time that is left.
    #[must_use]
    pub fn fraction(&self, divisor: u32) -> Self {
        let elapsed = self.elapsed();
        let rest = self.limit.saturating_sub(elapsed) / divisor;
        Self { limit: elapsed.saturating_add(rest), ..self.clone() }
    }

    /// Whether there is time left.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.elapsed() < self.limit
    }

    /// The time since the start.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        (self.elapsed)()
    }
}

/// Ignores every event and cancels the solve when the time is up.
impl Watcher for Budget {
    fn on(&self, _: Event) {}

    fn cancelled(&self) -> bool {
        !self.is_open()
    }
}

/// Solves variants of a problem, all on one index.
pub struct TrialSolver {
    /// What the problems are solved on.
    pub index: Arc<dyn Index>,
    /// How long all trials together may take.
    pub budget: Budget,
}

impl TrialSolver {
    /// Solves `problem`.
    ///
    /// # Errors
    /// The proof that there is no solution; `None` when the budget is spent or the index gave no answer.
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
