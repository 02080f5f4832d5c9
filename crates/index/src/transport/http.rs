//! Permits, attempts and redirects around one request.

use std::hash::{Hash as _, Hasher as _};
use std::sync::{Arc, Once};
use std::time::Duration;

use futures_util::future::BoxFuture;
use reqwest::header;
use reqwest::{StatusCode, Version};
use tokio::sync::Semaphore;
use url::Url;

use super::attempt::AttemptError;
use super::body::{check_size, decompress, end_of, expected_length};
use super::cpu_pool::CpuPool;
use super::credentials::Credentials;
use super::prefix::{PrefixProgress, PrefixReader};
use super::request::{BodyEncoding, HttpRequest};
use super::response::{BodyEnd, Decode, DecodeError, HttpResponse};
use super::status::{check_status, is_redirect, redirect_target};
use super::tls::{StreamWindow, http_client};
use crate::config::IndexConfig;
use crate::failure::{FailureKind, FetchFailure};
use crate::limits::{Limits, REDIRECTS_VARIABLE, TIME_VARIABLE};
use crate::url::redacted;
use pinfast_base::error::Error;
use pinfast_base::event::{Event, Watcher};

/// Sends the requests of a run.
pub(crate) struct HttpClient {
    client: reqwest::Client,
    /// The client for bodies that may be read only in part. Its small window keeps servers from sending more.
    prefix_client: reqwest::Client,
    /// One permit for each request that may be in flight.
    pub(crate) permits: Semaphore,
    /// Raises the number of permits to what HTTP/2 allows, once.
    widened: Once,
    limits: Limits,
    credentials: Arc<Credentials>,
    cpu: Arc<CpuPool>,
    watcher: Arc<dyn Watcher>,
}

/// Takes a body in pieces.
pub(crate) trait BodySink: Send {
    /// Takes the next piece.
    ///
    /// # Errors
    /// When it cannot be stored, on a full disk for example.
    fn take(&mut self, piece: &[u8]) -> Result<(), Error>;

    /// Checks the whole, after the last piece.
    ///
    /// # Errors
    /// When the body may be cut.
    fn finish(&mut self, end: BodyEnd) -> Result<(), DecodeError>;
}

/// Makes the sink of one attempt.
pub(crate) type StartSink<'a, S> = &'a (dyn Fn() -> Result<S, Error> + Sync);

impl HttpClient {
    /// Loads TLS. No connection is made yet.
    ///
    /// # Errors
    /// When a certificate, a client certificate or the proxy cannot be used.
    pub(crate) fn new(
        config: &IndexConfig,
        credentials: Arc<Credentials>,
        cpu: Arc<CpuPool>,
        watcher: Arc<dyn Watcher>,
    ) -> Result<Self, Error> {
        Ok(Self {
            client: http_client(config, StreamWindow::Wide)?,
            prefix_client: http_client(config, StreamWindow::Narrow)?,
            permits: Semaphore::new(config.limits.requests),
            widened: Once::new(),
            limits: config.limits,
            credentials,
            cpu,
            watcher,
        })
    }

    /// Gets the body of `request`, and decodes it on the CPU pool.
    pub(crate) async fn get<T: Send + 'static>(
        &self,
        request: &HttpRequest,
        decode: &Decode<T>,
    ) -> Result<T, FetchFailure> {
        self.in_time(request, || Box::pin(self.attempt(request, decode.clone()))).await
    }

    /// Streams the body of `request` into a sink; every attempt starts a new one.
    pub(crate) async fn stream<S: BodySink>(
        &self,
        request: &HttpRequest,
        start: StartSink<'_, S>,
    ) -> Result<S, FetchFailure> {
        self.in_time(request, || Box::pin(self.attempt_stream(request, start))).await
    }

    /// All attempts, within the deadline. Waiting for a permit does not count: the server is not at fault.
    async fn in_time<'a, T: Send>(
        &'a self,
        request: &'a HttpRequest,
        attempt: impl Fn() -> BoxFuture<'a, Result<T, AttemptError>> + Send,
    ) -> Result<T, FetchFailure> {
        let _permit = self.permits.acquire().await.map_err(|_| FetchFailure::internal())?;
        // The permit is held during retries and pauses too: a struggling server must not get more requests.
        self.watcher.on(Event::RequestSent);
        let result = tokio::time::timeout(request.time, self.attempts(request, attempt)).await;
        self.watcher.on(Event::RequestDone);
        result.unwrap_or_else(|_| Err(past_deadline(request)))
    }

    async fn attempts<'a, T: Send>(
        &'a self,
        request: &'a HttpRequest,
        attempt: impl Fn() -> BoxFuture<'a, Result<T, AttemptError>> + Send,
    ) -> Result<T, FetchFailure> {
        for count in 0.. {
            match attempt().await {
                Ok(value) => return Ok(value),
                Err(AttemptError::Fatal(failure)) => return Err(failure),
                // No pause after the last attempt.
                Err(AttemptError::Retry { why, .. }) if count == self.limits.retries => {
                    let why = format!("{why} (tried {} times)", count + 1);
                    return Err(request.failure(FailureKind::Transfer, &why));
                }
                Err(AttemptError::Retry { why, pause }) => {
                    let url = redacted(&request.url);
                    self.watcher.on(Event::Detail(format!("{url}: {why}; trying again")));
                    tokio::time::sleep(pause.unwrap_or_else(|| self.backoff(&request.url, count))).await;
                }
            }
        }
        Err(FetchFailure::internal())
    }

    /// The pause before a retry doubles each time. A jitter taken from the URL spreads the retries of many
    /// requests.
    fn backoff(&self, url: &Url, count: u32) -> Duration {
        let mut hasher = rustc_hash::FxHasher::default();
        (url, count).hash(&mut hasher);
        // From 0.75 to 1.25, the same in every run: a test or a bug report can be repeated.
        let jitter = 0.75 + 0.5 * f64::from((hasher.finish() >> 48) as u16) / f64::from(u16::MAX);
        // Six doublings are enough: a longer pause would outlast the deadline.
        self.limits.pause.mul_f64(jitter * f64::from(1_u32 << count.min(6)))
    }

    async fn attempt<T: Send + 'static>(
        &self,
        request: &HttpRequest,
        decode: Decode<T>,
    ) -> Result<T, AttemptError> {
        let (mut response, url) = self.send(request).await?;
        let (status, headers, end) = (response.status(), response.headers().clone(), end_of(&response));
        // A 304 has no body, and any other status no beginning that counts.
        let is_enough = request.is_enough.filter(|_| status == StatusCode::OK);
        let mut prefix = is_enough.map(|is_enough| PrefixReader::new(is_enough, &response));
        let mut body = Vec::with_capacity(expected_length(&response, request.limit));
        // A server without ranges answers one with the whole file: useless here, and perhaps large.
        let is_wanted = !request.is_ranged() || status == StatusCode::PARTIAL_CONTENT;
        while let Some(piece) = if is_wanted { response.chunk().await? } else { None } {
            self.watcher.on(Event::BytesReceived(piece.len() as u64));
            body.extend_from_slice(&piece);
            // The compressed size: the decompressed one is checked by `decompress`.
            check_size(request, body.len() as u64)?;
            match prefix.as_mut().map_or(PrefixProgress::ReadAll, |prefix| prefix.push(&piece)) {
                PrefixProgress::Continue => {}
                // Without its reader, the remaining pieces are no longer decompressed twice.
                PrefixProgress::ReadAll => prefix = None,
                PrefixProgress::Enough(body) => {
                    // Dropping the response cancels what the server has not sent yet.
                    drop(response);
                    let end = BodyEnd::Stopped;
                    let decode = move || decode(HttpResponse { status, headers, url, body, end });
                    return self.on_cpu(decode).await;
                }
            }
        }
        let (limit, asked) = (request.limit, request.url.clone());
        self.on_cpu(move || {
            let body = decompress(body, &headers, limit, &asked)?;
            decode(HttpResponse { status, headers, url, body, end }).map_err(AttemptError::from)
        })
        .await
    }

    async fn on_cpu<T: Send + 'static, E: Into<AttemptError>>(
        &self,
        decode: impl FnOnce() -> Result<T, E> + Send + 'static,
    ) -> Result<T, AttemptError> {
        let decode = move || decode().map_err(Into::into);
        self.cpu.run(decode).await.unwrap_or_else(|| Err(AttemptError::Fatal(FetchFailure::internal())))
    }

    async fn attempt_stream<S: BodySink>(
        &self,
        request: &HttpRequest,
        start: StartSink<'_, S>,
    ) -> Result<S, AttemptError> {
        let (mut response, _) = self.send(request).await?;
        if let Some(encoding) = response.headers().get(header::CONTENT_ENCODING)
            && encoding != "identity"
        {
            // The hash is that of the stored file; decoded bytes would not match it.
            return Err(AttemptError::retry(format!("its encoding {encoding:?} was not asked for")));
        }
        let end = end_of(&response);
        let mut sink = start().map_err(AttemptError::fatal)?;
        let mut size = 0;
        while let Some(piece) = response.chunk().await? {
            self.watcher.on(Event::BytesReceived(piece.len() as u64));
            self.watcher.on(Event::FileBytesReceived(piece.len() as u64));
            size += piece.len() as u64;
            check_size(request, size)?;
            sink.take(&piece).map_err(AttemptError::fatal)?;
        }
        sink.finish(end)?;
        Ok(sink)
    }

    /// Sends `request` and follows redirects. The response is 2xx, 304, or 416 to a range.
    async fn send(&self, request: &HttpRequest) -> Result<(reqwest::Response, Url), AttemptError> {
        let mut url = request.url.clone();
        for _ in 0..=self.limits.redirects {
            // Built anew for each redirect: another origin gets other credentials.
            let response = self.builder(request, &url).send().await?;
            self.widen(response.version());
            let location = response.headers().get(header::LOCATION);
            match location.filter(|_| is_redirect(response.status())) {
                // The response is dropped unread: the body of a redirect is for people.
                Some(location) => url = redirect_target(&url, location)?,
                None => return Ok((check_status(request, response)?, url)),
            }
        }
        let error = request
            .error(&format!("more than {} redirects", self.limits.redirects))
            .hint(format!("{REDIRECTS_VARIABLE}=COUNT raises the limit"));
        Err(AttemptError::Fatal(FetchFailure::new(FailureKind::Transfer, error)))
    }

    /// Adds permits once a server speaks HTTP/2: there, another request needs no connection of its own.
    pub(crate) fn widen(&self, version: Version) {
        if version == Version::HTTP_2 {
            let Limits { requests, streams, .. } = self.limits;
            self.widened.call_once(|| self.permits.add_permits(streams.saturating_sub(requests)));
        }
    }

    fn builder(&self, request: &HttpRequest, url: &Url) -> reqwest::RequestBuilder {
        let encoding = if request.encoding == BodyEncoding::Gzip { "gzip" } else { "identity" };
        // A window belongs to a client, so requests that stop early need a client of their own.
        let client = if request.is_enough.is_some() { &self.prefix_client } else { &self.client };
        let mut builder = client.get(url.clone()).header(header::ACCEPT, request.accept);
        builder = builder.header(header::ACCEPT_ENCODING, encoding);
        for (name, value) in &request.headers {
            builder = builder.header(name, value);
        }
        // After a redirect to another origin, the credentials of the URL must not go along.
        let own = request.login.clone().filter(|_| is_same_origin(&request.url, url));
        match own.or_else(|| self.credentials.login(url)) {
            Some(login) => builder.basic_auth(login.user, Some(login.password)),
            None => builder,
        }
    }
}

fn past_deadline(request: &HttpRequest) -> FetchFailure {
    let seconds = request.time.as_secs_f64();
    let error = request
        .error(&format!("it takes longer than {seconds} s"))
        .hint(format!("{TIME_VARIABLE}=SECONDS raises the limit"));
    FetchFailure::fatal(error)
}

fn is_same_origin(a: &Url, b: &Url) -> bool {
    (a.scheme(), a.host_str(), a.port_or_known_default())
        == (b.scheme(), b.host_str(), b.port_or_known_default())
}
