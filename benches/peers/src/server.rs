//! Serves the recorded index on 127.0.0.1 as a public index does: TLS, HTTP/2, latency, caching headers.
//!
//! The tests have a server of their own, which misbehaves (`crates/testkit/src/server.rs`); this one is for figures.

use std::convert::Infallible;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::Result;
use bytes::Bytes;
use http_body_util::Full;
use hyper::header::{self, HeaderMap, HeaderName, HeaderValue};
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

use crate::counts::RequestCounter;
use crate::resource::Resource;
use crate::store::{RecordedIndex, RecordedResponse};
use crate::upstream::Upstream;
use crate::wheel;
use crate::wire::MeteredStream;

/// Requests that a client may have under way on a connection.
const STREAMS: u32 = 100;

/// How the server behaves.
#[derive(Clone, Copy)]
pub(crate) struct ServerBehaviour {
    /// Added to each request.
    pub(crate) latency: Duration,
    /// Bytes a second on a connection.
    pub(crate) rate: Option<u64>,
    /// Seconds for which a page is fresh.
    pub(crate) max_age: u32,
    pub(crate) releases: ReleasePages,
    pub(crate) unknown: UnrecordedResource,
}

/// Whether there are pages of single releases.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum ReleasePages {
    Served,
    Absent,
}

/// How a request for something that is not recorded is answered.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum UnrecordedResource {
    Recorded,
    Missing,
}

/// A server.
pub(crate) struct RecordedServer {
    pub(crate) store: Arc<RecordedIndex>,
    pub(crate) upstream: Option<Arc<Upstream>>,
    pub(crate) counter: Arc<RequestCounter>,
    behaviour: Mutex<ServerBehaviour>,
}

type ServerResponse = Response<Full<Bytes>>;

impl RecordedServer {
    pub(crate) fn new(
        store: Arc<RecordedIndex>,
        upstream: Option<Upstream>,
        behaviour: ServerBehaviour,
    ) -> Arc<Self> {
        let upstream = upstream.map(Arc::new);
        Arc::new(Self { store, upstream, counter: Arc::default(), behaviour: Mutex::new(behaviour) })
    }

    pub(crate) fn behaviour(&self) -> ServerBehaviour {
        *self.behaviour.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn set_behaviour(&self, behaviour: ServerBehaviour) {
        *self.behaviour.lock().unwrap_or_else(PoisonError::into_inner) = behaviour;
    }

    /// Serves on a port of 127.0.0.1, by choice of the system, until the process ends.
    pub(crate) async fn start(self: &Arc<Self>, tls: TlsAcceptor) -> Result<SocketAddr> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let server = self.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(server.clone().converse(stream, tls.clone()));
            }
        });
        Ok(address)
    }

    /// One connection, until the client closes it.
    async fn converse(self: Arc<Self>, stream: TcpStream, tls: TlsAcceptor) {
        let _ = stream.set_nodelay(true);
        self.counter.connection();
        let wire = MeteredStream::new(stream, self.counter.clone(), self.behaviour().rate);
        let Ok(stream) = tls.accept(wire).await else { return };
        let server = self.clone();
        let service = service_fn(move |request: Request<hyper::body::Incoming>| {
            let server = server.clone();
            async move {
                Ok::<_, Infallible>(
                    server.answer(request.method(), request.uri().path(), request.headers()).await,
                )
            }
        });
        let mut builder = auto::Builder::new(TokioExecutor::new());
        builder.http2().max_concurrent_streams(STREAMS);
        let _ = builder.serve_connection(TokioIo::new(stream), service).await;
    }

    async fn answer(&self, method: &Method, path: &str, headers: &HeaderMap) -> ServerResponse {
        let begin = Instant::now();
        let behaviour = self.behaviour();
        tokio::time::sleep(behaviour.latency).await;
        let accept = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let answer = match Resource::at(path, accept) {
            Some(Resource::Release(..)) if behaviour.releases == ReleasePages::Absent => {
                status(StatusCode::NOT_FOUND)
            }
            Some(resource) => self.answer_for(&resource, path, headers, behaviour).await,
            None => status(StatusCode::NOT_FOUND),
        };
        self.counter.answered(begin, Instant::now());
        if method == Method::HEAD { answer.map(|_| Full::default()) } else { answer }
    }

    async fn answer_for(
        &self,
        resource: &Resource,
        path: &str,
        headers: &HeaderMap,
        behaviour: ServerBehaviour,
    ) -> ServerResponse {
        if let Resource::File(file) = resource
            && let Some(answer) = self.piece(file, headers, behaviour).await
        {
            return answer;
        }
        let mut recorded = self.store.get(resource);
        if recorded.is_none() && behaviour.unknown == UnrecordedResource::Recorded {
            recorded = self.record_now(resource).await;
        }
        match recorded.as_deref() {
            None => {
                self.counter.missing(path);
                status(StatusCode::NOT_FOUND)
            }
            Some(RecordedResponse::Absent) => status(StatusCode::NOT_FOUND),
            Some(RecordedResponse::Body { etag, .. }) if asks_whether(headers, etag) => {
                self.counter.unchanged();
                with(StatusCode::NOT_MODIFIED, Bytes::new(), &self.validity(resource, etag, behaviour))
            }
            Some(RecordedResponse::Body { body, etag }) => {
                let mut told = self.validity(resource, etag, behaviour);
                told.push((header::CONTENT_TYPE, resource.content_type().to_owned()));
                if resource.is_page() {
                    told.push((header::CONTENT_ENCODING, "gzip".to_owned()));
                }
                with(StatusCode::OK, body.clone(), &told)
            }
        }
    }

    /// Records `resource`, to the end even where the client goes away.
    async fn record_now(&self, resource: &Resource) -> Option<Arc<RecordedResponse>> {
        let (upstream, wanted) = (self.upstream.clone()?, resource.clone());
        let recording = tokio::spawn(async move { upstream.record(&wanted).await });
        if let Err(error) = recording.await.unwrap_or_else(|error| Err(error.into())) {
            eprintln!("cannot record {resource:?}: {error:#}");
        }
        self.store.get(resource)
    }

    /// How many recordings are under way: each holds a reference to the upstream.
    pub(crate) fn recordings(&self) -> usize {
        self.upstream.as_ref().map_or(0, |upstream| Arc::strong_count(upstream) - 1)
    }

    /// The range of a wheel whose METADATA is recorded, from a stand-in for the wheel.
    async fn piece(
        &self,
        file: &str,
        headers: &HeaderMap,
        behaviour: ServerBehaviour,
    ) -> Option<ServerResponse> {
        let asked = headers.get(header::RANGE)?.to_str().ok()?.strip_prefix("bytes=")?;
        let resource = Resource::Metadata(file.to_owned());
        if self.store.get(&resource).is_none() && behaviour.unknown == UnrecordedResource::Recorded {
            self.record_now(&resource).await;
        }
        let (metadata, len) = (self.store.plain(&resource)?, self.store.size(file)?);
        let (start, end) = asked.split_once('-')?;
        let range = match (start.parse::<u64>(), end.parse::<u64>()) {
            (Ok(start), Ok(end)) => start..(end + 1).min(len),
            (Ok(start), Err(_)) => start..len,
            (Err(_), Ok(suffix)) => len.saturating_sub(suffix)..len,
            (Err(_), Err(_)) => return None,
        };
        let told = format!("bytes {}-{}/{len}", range.start, range.end.checked_sub(1)?);
        let body = wheel::stand_in(file, &metadata, len, range)?;
        Some(with(StatusCode::PARTIAL_CONTENT, body.into(), &[(header::CONTENT_RANGE, told)]))
    }

    fn validity(
        &self,
        resource: &Resource,
        etag: &str,
        behaviour: ServerBehaviour,
    ) -> Vec<(HeaderName, String)> {
        let control = match (resource.is_page(), behaviour.max_age) {
            (true, age) => format!("max-age={age}, public"),
            (false, _) => "max-age=365000000, immutable, public".to_owned(),
        };
        vec![
            (header::CACHE_CONTROL, control),
            (header::ETAG, etag.to_owned()),
            (header::VARY, "Accept, Accept-Encoding".to_owned()),
        ]
    }
}

fn asks_whether(headers: &HeaderMap, etag: &str) -> bool {
    let asked = headers.get(header::IF_NONE_MATCH).and_then(|value| value.to_str().ok());
    asked.is_some_and(|asked| asked.split(',').any(|tag| tag.trim().trim_start_matches("W/") == etag))
}

fn status(status: StatusCode) -> ServerResponse {
    with(status, Bytes::new(), &[])
}

fn with(status: StatusCode, body: Bytes, headers: &[(HeaderName, String)]) -> ServerResponse {
    let mut answer = Response::new(Full::new(body));
    *answer.status_mut() = status;
    for (name, value) in headers {
        if let Ok(value) = HeaderValue::from_str(value) {
            answer.headers_mut().insert(name.clone(), value);
        }
    }
    answer
}
