//! The threads that parse, hash and unpack, so that neither the solver nor the network waits for it.
//!
//! A pool of its own, started at first need: a caller that waits for an answer inside rayon's global
//! pool cannot keep that answer from being worked out.

use std::sync::OnceLock;

/// A pool of threads.
#[derive(Default)]
pub(super) struct Workers {
    pool: OnceLock<Option<rayon::ThreadPool>>,
}

impl Workers {
    /// Runs `work` on a thread of the pool; at once where there can be none. A panic ends `work` only.
    pub(super) fn spawn(&self, work: impl FnOnce() + Send + 'static) {
        match self.pool.get_or_init(start) {
            Some(pool) => pool.spawn(work),
            None => work(),
        }
    }

    /// What `work` returns; `None` after a panic. Outside the runtime there is nobody to be held up: `work`
    /// is done on the spot.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Option<T> {
        if tokio::runtime::Handle::try_current().is_err() {
            return Some(work());
        }
        let (send, receive) = tokio::sync::oneshot::channel();
        self.spawn(move || {
            // Nobody waits any more when the run is over.
            let _ = send.send(work());
        });
        receive.await.ok()
    }
}

fn start() -> Option<rayon::ThreadPool> {
    rayon::ThreadPoolBuilder::new()
        .thread_name(|number| format!("index-{number}"))
        .panic_handler(|_| {})
        .build()
        .ok()
}
