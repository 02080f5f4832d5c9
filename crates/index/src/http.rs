//! One resource over HTTP: tries, redirects, limits, credentials.
//!
//! Trouble in transit is tried again and never told as "not there". Redirects are followed here, so that
//! credentials go only where they belong and `https` never becomes `http`.

mod body;
mod glance;
mod status;

use std::hash::{Hash as _, Hasher as _};
use std::sync::{Arc, Once};
use std::time::Duration;

use futures_util::future::BoxFuture;
use reqwest::header::{self, HeaderMap, HeaderName, HeaderValue};
use reqwest::{Response, StatusCode, Version};
use tokio::sync::Semaphore;
use url::Url;

pub(super) use body::End;
use body::{check_size, end_of, expected, unpack};
use glance::{Glance, Look};
use status::{is_redirect, judged, redirected};

use super::auth::Credentials;
use super::failure::{Cause, Failure};
use super::limits::{Limits, REDIRECTS_VARIABLE, TIME_VARIABLE};
use super::url::{Login, shown, take_login};
use super::workers::Workers;
use pinfast_base::error::Error;
use pinfast_base::event::{Event, Watcher};

/// The client of a run.
pub(super) struct Http {
    pub(super) client: reqwest::Client,
    /// The client for what is read to the end of its beginning: servers send it little that nobody wants.
    pub(super) glancing: reqwest::Client,
    /// As many as there may be requests in flight.
    pub(super) permits: Semaphore,
    /// Whether there are as many as HTTP/2 allows for.
    pub(super) widened: Once,
    pub(super) limits: Limits,
    pub(super) credentials: Arc<Credentials>,
    pub(super) workers: Arc<Workers>,
    pub(super) watcher: Arc<dyn Watcher>,
}

/// What is wanted.
pub(super) struct Ask {
    /// Where; without credentials.
    pub(super) url: Url,
    /// Credentials that stood in the URL itself, for its origin only.
    pub(super) login: Option<Login>,
    /// The `Accept` header.
    pub(super) accept: &'static str,
    /// How the body may be packed.
    pub(super) packing: Packing,
    /// What tells that the beginning of the body is enough, where it may be.
    pub(super) enough: Option<Enough>,
    /// Further headers: a range, validators.
    pub(super) headers: Vec<(HeaderName, HeaderValue)>,
    /// How many bytes at most.
    pub(super) most: Most,
    /// How long at most, all tries together.
    pub(super) time: Duration,
}

/// How a body may be packed in transit.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Packing {
    /// Packed with gzip.
    Gzip,
    /// As it is: ranges and hashes are about these bytes.
    Identity,
}

/// Whether the beginning of an unpacked body tells all that is wanted.
pub(super) type Enough = fn(&[u8]) -> bool;

/// The most bytes that a body may have.
#[derive(Clone, Copy)]
pub(super) struct Most {
    pub(super) bytes: u64,
    /// Of what, such as `a project page`.
    pub(super) what: &'static str,
    /// The variable that raises it.
    pub(super) variable: &'static str,
}

/// An answer, decoded.
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    /// Where it came from after redirects.
    pub(super) url: Url,
    pub(super) body: Vec<u8>,
    pub(super) end: End,
}

/// What reads an answer; a text says why it is malformed, and it is asked for again.
pub(super) type Decode<T> = Arc<dyn Fn(Answer) -> Result<T, Misread> + Send + Sync>;

/// Why an answer could not be read.
pub(super) enum Misread {
    /// It is malformed: asked for again.
    Malformed(String),
    /// Asking again is no use.
    Stop(Failure),
}

/// Why a try failed.
enum Trouble {
    /// Another try may help, after the pause that the server asks for.
    Again { why: String, pause: Option<Duration> },
    /// Another try is no use.
    Stop(Failure),
}

impl Ask {
    pub(super) fn new(mut url: Url, accept: &'static str, most: Most, limits: &Limits) -> Self {
        let login = take_login(&mut url);
        url.set_fragment(None);
        let (enough, headers) = (None, Vec::new());
        Self { url, login, accept, packing: Packing::Gzip, enough, headers, most, time: limits.time }
    }

    fn is_ranged(&self) -> bool {
        self.headers.iter().any(|(name, _)| name == header::RANGE)
    }

    fn failure(&self, cause: Cause, why: &str) -> Failure {
        Failure::new(cause, Error::no_answer(format!("cannot get {}: {why}", shown(&self.url))))
    }
}

impl Http {
    /// The answer to `ask`, read by `decode` on a worker.
    pub(super) async fn get<T: Send + 'static>(&self, ask: &Ask, decode: &Decode<T>) -> Result<T, Failure> {
        self.whole(ask, || Box::pin(self.try_get(ask, decode.clone()))).await
    }

    /// The body of `ask`, handed to `sink` in pieces; `sink` starts afresh with every try.
    pub(super) async fn stream<S: Sink>(
        &self,
        ask: &Ask,
        start: &(dyn Fn() -> Result<S, Error> + Sync),
    ) -> Result<S, Failure> {
        self.whole(ask, || Box::pin(self.try_stream(ask, start))).await
    }

    /// All tries of a resource, within its time.
    async fn whole<'a, T: Send>(
        &'a self,
        ask: &'a Ask,
        once: impl Fn() -> BoxFuture<'a, Result<T, Trouble>> + Send,
    ) -> Result<T, Failure> {
        let _permit = self.permits.acquire().await.map_err(|_| Failure::abandoned())?;
        self.watcher.on(Event::RequestSent);
        let result = tokio::time::timeout(ask.time, self.tries(ask, once)).await;
        self.watcher.on(Event::RequestDone);
        result.unwrap_or_else(|_| Err(self.too_slow(ask)))
    }

    async fn tries<'a, T: Send>(
        &'a self,
        ask: &'a Ask,
        once: impl Fn() -> BoxFuture<'a, Result<T, Trouble>> + Send,
    ) -> Result<T, Failure> {
        for attempt in 0.. {
            match once().await {
                Ok(value) => return Ok(value),
                Err(Trouble::Stop(failure)) => return Err(failure),
                Err(Trouble::Again { why, .. }) if attempt == self.limits.retries => {
                    return Err(ask.failure(Cause::Transit, &format!("{why} (tried {} times)", attempt + 1)));
                }
                Err(Trouble::Again { why, pause }) => {
                    self.watcher.on(Event::Detail(format!("{}: {why}; trying again", shown(&ask.url))));
                    tokio::time::sleep(pause.unwrap_or_else(|| self.backoff(&ask.url, attempt))).await;
                }
            }
        }
        Err(Failure::abandoned())
    }

    /// The pause before a retry: it doubles, and is spread by the URL so that retries do not come together.
    fn backoff(&self, url: &Url, attempt: u32) -> Duration {
        let mut hasher = rustc_hash::FxHasher::default();
        (url, attempt).hash(&mut hasher);
        let spread = 0.75 + 0.5 * f64::from((hasher.finish() >> 48) as u16) / f64::from(u16::MAX);
        self.limits.pause.mul_f64(spread * f64::from(1_u32 << attempt.min(6)))
    }

    fn too_slow(&self, ask: &Ask) -> Failure {
        let seconds = ask.time.as_secs_f64();
        let why = format!("it takes longer than {seconds} s");
        let error = Error::no_answer(format!("cannot get {}: {why}", shown(&ask.url)))
            .hint(format!("{TIME_VARIABLE}=SECONDS raises the limit"));
        Failure::last(error)
    }

    async fn try_get<T: Send + 'static>(&self, ask: &Ask, decode: Decode<T>) -> Result<T, Trouble> {
        let (mut response, url) = self.send(ask).await?;
        let (status, headers, end) = (response.status(), response.headers().clone(), end_of(&response));
        let mut glance = ask.enough.filter(|_| status == StatusCode::OK).map(|it| Glance::new(it, &response));
        let mut body = Vec::with_capacity(expected(&response, ask.most));
        // A server that does not serve ranges sends the whole file: of no use here, and perhaps large.
        let wanted = !ask.is_ranged() || status == StatusCode::PARTIAL_CONTENT;
        while let Some(piece) = if wanted { response.chunk().await.map_err(in_transit)? } else { None } {
            self.watcher.on(Event::BytesReceived(piece.len() as u64));
            body.extend_from_slice(&piece);
            check_size(ask, body.len() as u64)?;
            match glance.as_mut().map_or(Look::Off, |glance| glance.look(&piece)) {
                Look::On => {}
                Look::Off => glance = None,
                Look::Enough(body) => {
                    // What else of it is on its way is called off with the response.
                    drop(response);
                    let read = move || decode(Answer { status, headers, url, body, end: End::LeftOff });
                    return self.read(read).await;
                }
            }
        }
        let (most, asked) = (ask.most, ask.url.clone());
        let read = move || {
            let body = unpack(body, &headers, most, &asked)?;
            decode(Answer { status, headers, url, body, end }).map_err(Trouble::from)
        };
        self.read(read).await
    }

    /// What `read` comes to on a worker.
    async fn read<T: Send + 'static, E: Into<Trouble>>(
        &self,
        read: impl FnOnce() -> Result<T, E> + Send + 'static,
    ) -> Result<T, Trouble> {
        let read = move || read().map_err(Into::into);
        self.workers.run(read).await.unwrap_or_else(|| Err(Trouble::Stop(Failure::abandoned())))
    }

    async fn try_stream<S: Sink>(
        &self,
        ask: &Ask,
        start: &(dyn Fn() -> Result<S, Error> + Sync),
    ) -> Result<S, Trouble> {
        let (mut response, _) = self.send(ask).await?;
        if let Some(encoding) = response.headers().get(header::CONTENT_ENCODING)
            && encoding != "identity"
        {
            return Err(again(format!("its encoding {encoding:?} was not asked for")));
        }
        let end = end_of(&response);
        let mut sink = start().map_err(stopped)?;
        let mut size = 0;
        while let Some(piece) = response.chunk().await.map_err(in_transit)? {
            self.watcher.on(Event::BytesReceived(piece.len() as u64));
            self.watcher.on(Event::FileBytesReceived(piece.len() as u64));
            size += piece.len() as u64;
            check_size(ask, size)?;
            sink.take(&piece).map_err(stopped)?;
        }
        sink.end(end).map_err(Trouble::from)?;
        Ok(sink)
    }

    /// Sends `ask` and follows redirects. What comes back is 2xx, 304, or 416 to a range.
    async fn send(&self, ask: &Ask) -> Result<(Response, Url), Trouble> {
        let mut url = ask.url.clone();
        for _ in 0..=self.limits.redirects {
            let response = self.request(ask, &url).send().await.map_err(in_transit)?;
            self.widen(response.version());
            let location = response.headers().get(header::LOCATION);
            match location.filter(|_| is_redirect(response.status())) {
                Some(location) => url = redirected(&url, location)?,
                None => return Ok((judged(ask, response)?, url)),
            }
        }
        let why = format!("more than {} redirects", self.limits.redirects);
        let error = Error::no_answer(format!("cannot get {}: {why}", shown(&ask.url)))
            .hint(format!("{REDIRECTS_VARIABLE}=COUNT raises the limit"));
        Err(Trouble::Stop(Failure::new(Cause::Transit, error)))
    }

    /// Lets more requests be in flight where they do not take a connection each.
    pub(super) fn widen(&self, version: Version) {
        if version == Version::HTTP_2 {
            let Limits { requests, streams, .. } = self.limits;
            self.widened.call_once(|| self.permits.add_permits(streams.saturating_sub(requests)));
        }
    }

    fn request(&self, ask: &Ask, url: &Url) -> reqwest::RequestBuilder {
        let packing = if ask.packing == Packing::Gzip { "gzip" } else { "identity" };
        let client = if ask.enough.is_some() { &self.glancing } else { &self.client };
        let mut request = client.get(url.clone()).header(header::ACCEPT, ask.accept);
        request = request.header(header::ACCEPT_ENCODING, packing);
        for (name, value) in &ask.headers {
            request = request.header(name, value);
        }
        let own = ask.login.clone().filter(|_| same_origin(&ask.url, url));
        match own.or_else(|| self.credentials.login(url)) {
            Some(login) => request.basic_auth(login.user, Some(login.password)),
            None => request,
        }
    }
}

/// What takes a body in pieces.
pub(super) trait Sink: Send {
    /// Takes the next piece.
    ///
    /// # Errors
    /// When it cannot be kept: the disk, say.
    fn take(&mut self, piece: &[u8]) -> Result<(), Error>;

    /// Judges the whole.
    ///
    /// # Errors
    /// When it is not what was wanted.
    fn end(&mut self, end: End) -> Result<(), Misread>;
}

impl From<Misread> for Trouble {
    fn from(misread: Misread) -> Self {
        match misread {
            Misread::Malformed(why) => again(why),
            Misread::Stop(failure) => Self::Stop(failure),
        }
    }
}

impl From<String> for Misread {
    fn from(why: String) -> Self {
        Self::Malformed(why)
    }
}

fn stopped(error: Error) -> Trouble {
    Trouble::Stop(Failure::last(error))
}

fn again(why: String) -> Trouble {
    Trouble::Again { why, pause: None }
}

/// The words of `error` and of its causes; without the URL, which may hold a secret.
fn in_transit(error: reqwest::Error) -> Trouble {
    let error = error.without_url();
    let mut words: Vec<String> = Vec::new();
    let mut next: Option<&dyn std::error::Error> = Some(&error);
    while let Some(error) = next {
        let word = error.to_string();
        if !words.iter().any(|said| said.contains(&word)) {
            words.push(word);
        }
        next = error.source();
    }
    again(words.join(": "))
}

fn same_origin(a: &Url, b: &Url) -> bool {
    (a.scheme(), a.host_str(), a.port_or_known_default())
        == (b.scheme(), b.host_str(), b.port_or_known_default())
}
