//! The runtime, started when some work first has to wait.
//!
//! Work is a future. It begins on the caller's thread, which is enough for what is on disk. When it has to wait,
//! for the network or for another caller's work, it continues in the runtime.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, OnceLock};
use std::task::{Context, Poll, Waker};

use tokio::runtime::{Builder, Handle, Runtime};

use crate::failure::{FetchFailure, FetchResult};
use pinfast_base::error::Error;
use pinfast_base::sync::unpoisoned;

/// Runs work, on the caller's thread as far as possible.
#[derive(Default)]
pub(super) struct Executor {
    runtime: OnceLock<FetchResult<StartedRuntime>>,
}

struct StartedRuntime {
    handle: Handle,
    /// Taken out when the run ends.
    runtime: Mutex<Option<Runtime>>,
}

impl Executor {
    /// Begins `work`; nobody waits for it.
    pub(super) fn spawn(&self, work: impl Future<Output = ()> + Send + 'static) {
        let mut work = Box::pin(work);
        // Without a runtime the work is dropped. Its `Completer` then fails the slot, so nobody waits for it.
        if poll_once(work.as_mut()).is_pending()
            && let Ok(handle) = self.handle()
        {
            handle.spawn(work);
        }
    }

    /// Does `work`, and blocks the thread until it is done.
    pub(super) fn block_on<T>(
        &self,
        mut work: Pin<&mut impl Future<Output = FetchResult<T>>>,
    ) -> FetchResult<T> {
        match poll_once(work.as_mut()) {
            Poll::Ready(result) => result,
            Poll::Pending => self.handle()?.block_on(work),
        }
    }

    /// Returns once the calling work runs inside the runtime: what does network I/O must.
    pub(super) async fn enter_runtime(&self) -> FetchResult<()> {
        self.handle()?;
        // The first poll, outside the runtime, is pending; `spawn` or `block_on` then polls again, inside it.
        std::future::poll_fn(|_| if Handle::try_current().is_ok() { Poll::Ready(()) } else { Poll::Pending })
            .await;
        Ok(())
    }

    /// Ends what is under way, without waiting for it.
    pub(super) fn stop(&self) {
        if let Some(Ok(started)) = self.runtime.get()
            && let Some(runtime) = unpoisoned(started.runtime.lock()).take()
        {
            // Waiting could take as long as the slowest server.
            runtime.shutdown_background();
        }
    }

    fn handle(&self) -> FetchResult<&Handle> {
        self.runtime.get_or_init(start).as_ref().map(|started| &started.handle).map_err(Arc::clone)
    }
}

/// A runtime must not be dropped where blocking is forbidden, which its own drop would do.
impl Drop for Executor {
    fn drop(&mut self) {
        self.stop();
    }
}

fn start() -> FetchResult<StartedRuntime> {
    let runtime = Builder::new_multi_thread()
        // Two threads suffice: they only wait and copy, and the CPU pool parses.
        .worker_threads(2)
        .thread_name("index-net")
        .enable_all()
        .build()
        .map_err(|error| Error::no_answer("cannot start the network's threads").because(error));
    let runtime = runtime.map_err(FetchFailure::fatal)?;
    Ok(StartedRuntime { handle: runtime.handle().clone(), runtime: Mutex::new(Some(runtime)) })
}

/// Polls `work` on this thread, once.
fn poll_once<T>(work: Pin<&mut impl Future<Output = T>>) -> Poll<T> {
    work.poll(&mut Context::from_waker(Waker::noop()))
}
