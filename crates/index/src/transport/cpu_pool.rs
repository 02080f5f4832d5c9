//! Threads that parse, hash and decompress, so that neither the solver nor the network waits for it.
//!
//! It is a pool of its own, started when first needed. In rayon's global pool, callers that wait for a result could
//! occupy every thread that would compute it.

use std::sync::OnceLock;

/// A pool of threads; where none can be started, the caller does the work.
#[derive(Default)]
pub(crate) struct CpuPool {
    pool: OnceLock<Option<rayon::ThreadPool>>,
}

impl CpuPool {
    /// Does `work` on a thread of the pool; nobody waits for it. A panic ends `work` only.
    pub(crate) fn spawn(&self, work: impl FnOnce() + Send + 'static) {
        match self.pool.get_or_init(start) {
            Some(pool) => pool.spawn(work),
            None => work(),
        }
    }

    /// The value of `work`; `None` after a panic.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Option<T> {
        // Outside the runtime there is no network to delay, so the calling thread works itself.
        if tokio::runtime::Handle::try_current().is_err() {
            return Some(work());
        }
        let (send, receive) = tokio::sync::oneshot::channel();
        self.spawn(move || {
            // The receiver is gone when the run has ended.
            let _ = send.send(work());
        });
        receive.await.ok()
    }
}

fn start() -> Option<rayon::ThreadPool> {
    rayon::ThreadPoolBuilder::new()
        .thread_name(|number| format!("index-{number}"))
        // Without a handler, rayon aborts the process. Here whoever waits sees its channel closed.
        .panic_handler(|_| {})
        .build()
        .ok()
}
