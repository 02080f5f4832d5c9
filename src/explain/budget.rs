//! How long lines are left out and fixes are tried. The core has no clock: one is given.

use std::sync::Arc;
use std::time::Duration;

/// A stretch of time.
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
    pub(super) fn part(&self, divisor: u32) -> Self {
        let elapsed = self.elapsed();
        let rest = self.limit.saturating_sub(elapsed) / divisor;
        Self { limit: elapsed.saturating_add(rest), ..self.clone() }
    }

    pub(super) fn is_open(&self) -> bool {
        self.elapsed() < self.limit
    }

    pub(super) fn elapsed(&self) -> Duration {
        (self.elapsed)()
    }
}
