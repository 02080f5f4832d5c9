//! The transport of a run: one HTTP client, one runtime, one CPU pool, each started when first needed.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, OnceLock};

use url::Url;

use super::cpu_pool::CpuPool;
use super::credentials::Credentials;
use super::executor::Executor;
use super::http::{BodySink, HttpClient, StartSink};
use super::request::HttpRequest;
use super::response::Decode;
use crate::config::{CacheMode, IndexConfig};
use crate::failure::{FailureKind, FetchFailure, FetchResult};
use crate::limits::Limits;
use crate::url::redacted;
use pinfast_base::error::Error;
use pinfast_base::event::Watcher;

/// Sends requests and runs work.
pub(crate) struct Transport {
    config: Arc<IndexConfig>,
    credentials: Arc<Credentials>,
    watcher: Arc<dyn Watcher>,
    cpu: Arc<CpuPool>,
    http: OnceLock<FetchResult<HttpClient>>,
    executor: Executor,
}

impl Transport {
    /// Starts nothing yet.
    pub(crate) fn new(
        config: Arc<IndexConfig>,
        credentials: Arc<Credentials>,
        watcher: Arc<dyn Watcher>,
    ) -> Self {
        Self {
            config,
            credentials,
            watcher,
            cpu: Arc::default(),
            http: OnceLock::new(),
            executor: Executor::default(),
        }
    }

    pub(crate) fn limits(&self) -> &Limits {
        &self.config.limits
    }

    pub(crate) fn cpu(&self) -> &CpuPool {
        &self.cpu
    }

    /// Begins `work`; nobody waits for it.
    pub(crate) fn spawn(&self, work: impl Future<Output = ()> + Send + 'static) {
        self.executor.spawn(work);
    }

    /// Does `work`, and blocks the thread until it is done.
    pub(crate) fn block_on<T>(&self, work: Pin<&mut impl Future<Output = FetchResult<T>>>) -> FetchResult<T> {
        self.executor.block_on(work)
    }

    /// Does `work` on the CPU pool.
    pub(crate) async fn on_cpu<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> FetchResult<T> {
        self.cpu.run(work).await.ok_or_else(|| FetchFailure::internal().into())
    }

    /// Gets and decodes one resource.
    pub(crate) async fn get<T: Send + 'static>(
        &self,
        request: &HttpRequest,
        decode: &Decode<T>,
    ) -> FetchResult<T> {
        Ok(self.http(&request.url).await?.get(request, decode).await?)
    }

    /// Streams one resource into a sink.
    pub(crate) async fn stream<S: BodySink>(
        &self,
        request: &HttpRequest,
        start: StartSink<'_, S>,
    ) -> FetchResult<S> {
        Ok(self.http(&request.url).await?.stream(request, start).await?)
    }

    /// The HTTP client, inside the runtime.
    async fn http(&self, url: &Url) -> FetchResult<&HttpClient> {
        // Checked first: an offline run must not even load TLS.
        if self.config.cache_mode == CacheMode::Offline {
            let what = redacted(url);
            let error =
                Error::no_answer(format!("{what} is not in the cache, and --offline forbids to get it"));
            let error = error.hint("run once without --offline");
            return Err(FetchFailure::new(FailureKind::Transfer, error).into());
        }
        let start = || {
            let (credentials, cpu) = (self.credentials.clone(), self.cpu.clone());
            let client = HttpClient::new(&self.config, credentials, cpu, self.watcher.clone());
            client.map_err(|error| FetchFailure::fatal(error).into())
        };
        let client = self.http.get_or_init(start).as_ref().map_err(Arc::clone)?;
        // The HTTP client panics outside the runtime.
        self.executor.enter_runtime().await?;
        Ok(client)
    }

    /// Whether the run has sent a request, or is about to.
    pub(crate) fn is_connected(&self) -> bool {
        self.http.get().is_some()
    }

    /// Whether further requests would wait for a permit.
    pub(crate) fn is_saturated(&self) -> bool {
        matches!(self.http.get(), Some(Ok(http)) if http.permits.available_permits() == 0)
    }

    /// Ends what is under way, without waiting for it.
    pub(crate) fn stop(&self) {
        self.executor.stop();
    }
}
