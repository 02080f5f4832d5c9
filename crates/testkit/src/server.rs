//! An HTTP/1.1 server on 127.0.0.1 that misbehaves on demand and remembers what it was asked.
//!
//! It answers from a folder, from pages that a test [`put`](Server::put)s in, or by a function:
//!
//! ```ignore
//! let index = Server::of_recorded();
//! index.once("/simple/six/", Fault::Status(503));
//! run(&["lock", "--index-url", &index.url("/simple/")]);
//! assert_eq!(index.count("/simple/six/"), 2);
//!
//! let server = Server::answering(|request| match request.path.as_str() {
//!     "/simple/a/" => Response::json("{}").delivered(Delivery::CutAt(1)),
//!     _ => Response::status(404),
//! });
//! ```
//!
//! The benches have a server of their own, because they measure: it speaks TLS and HTTP/2 as a public index
//! does, and adds latency (`benches/peers/src/server.rs`).

mod connection;
mod fault;
mod response;
mod site;
#[cfg(test)]
mod tests;

use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;

pub use connection::Request;
pub use fault::Fault;
use fault::Rules;
pub use response::{Delivery, Response};
use site::Site;
pub use site::{Caching, ProjectPages, ReleasePages};

/// A running server; it ends when this is dropped.
pub struct Server {
    address: SocketAddr,
    shared: Arc<Shared>,
}

/// What the server's threads share.
#[derive(Default)]
struct Shared {
    /// Answers instead of `site`.
    function: Option<Box<Function>>,
    site: Mutex<Site>,
    rules: Mutex<Rules>,
    log: Mutex<Log>,
    streams: Mutex<Vec<TcpStream>>,
    ended: AtomicBool,
}

type Function = dyn Fn(&Request) -> Response + Send + Sync;

/// What was asked.
#[derive(Default)]
struct Log {
    requests: Vec<Request>,
    in_flight: usize,
    most_in_flight: usize,
}

impl Server {
    /// A server of the recorded index in `testdata/index`.
    #[must_use]
    pub fn of_recorded() -> Self {
        Self::of_folder(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata/index"))
    }

    /// A server of the folder index at `root`: `simple/NAME/index.json`, `pypi/NAME/json` and files.
    #[must_use]
    pub fn of_folder(root: &Path) -> Self {
        Self::of_site(Some(root.to_owned()))
    }

    /// A server of nothing but what is [`put`](Self::put) in.
    #[must_use]
    pub fn empty() -> Self {
        Self::of_site(None)
    }

    /// A server that answers each request with the result of `function`.
    #[must_use]
    pub fn answering(function: impl Fn(&Request) -> Response + Send + Sync + 'static) -> Self {
        Self::start(Shared { function: Some(Box::new(function)), ..Shared::default() })
    }

    fn of_site(root: Option<PathBuf>) -> Self {
        Self::start(Shared { site: Mutex::new(Site::new(root)), ..Shared::default() })
    }

    fn start(shared: Shared) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::new(shared);
        let accepting = Arc::clone(&shared);
        thread::spawn(move || accept(&listener, &accepting));
        Self { address, shared }
    }

    /// The URL of `path`, which begins with `/`.
    #[must_use]
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// Serves `body` at `path`, in place of what the folder has there. The path of a page ends with the name of a
    /// file: `/simple/a/index.json`.
    pub fn put(&self, path: &str, body: impl Into<Vec<u8>>) {
        lock(&self.shared.site).put(path, body.into());
    }

    /// Serves all of these pages, each a path and a body.
    pub fn put_all(&self, pages: Vec<(String, Vec<u8>)>) {
        for (path, body) in pages {
            self.put(&path, body);
        }
    }

    /// Sets the caching headers of later responses; at first there are none.
    pub fn caching(&self, caching: Caching) {
        lock(&self.shared.site).caching = caching;
    }

    /// Sets whether there are pages of single releases; at first there are.
    pub fn release_pages(&self, pages: ReleasePages) {
        lock(&self.shared.site).releases = pages;
    }

    /// Sets how long the pages of projects are; at first they are short.
    pub fn project_pages(&self, pages: ProjectPages) {
        lock(&self.shared.site).projects = pages;
    }

    /// Answers every request of `path` with `fault`. A path that ends with `*` is a prefix. Of several rules that
    /// match a path, the latest that is not used up applies.
    pub fn always(&self, path: &str, fault: Fault) {
        self.times(usize::MAX, path, fault);
    }

    /// Answers the next `times` requests of `path` with `fault`.
    pub fn times(&self, times: usize, path: &str, fault: Fault) {
        lock(&self.shared.rules).add(path, fault, times);
    }

    /// Answers the next request of `path` with `fault`.
    pub fn once(&self, path: &str, fault: Fault) {
        self.times(1, path, fault);
    }

    /// How many requests of `path` came so far; a path that ends with `*` is a prefix.
    #[must_use]
    pub fn count(&self, path: &str) -> usize {
        lock(&self.shared.log).requests.iter().filter(|request| fault::matches(path, &request.path)).count()
    }

    /// All requests so far, in the order in which they came.
    #[must_use]
    pub fn requests(&self) -> Vec<Request> {
        lock(&self.shared.log).requests.clone()
    }

    /// The largest number of requests that were under way at once.
    #[must_use]
    pub fn most_in_flight(&self) -> usize {
        lock(&self.shared.log).most_in_flight
    }
}

impl Shared {
    /// The response without faults.
    fn respond(&self, request: &Request) -> Response {
        match &self.function {
            Some(function) => function(request),
            None => lock(&self.site).respond(request),
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.shared.ended.store(true, Ordering::SeqCst);
        for stream in lock(&self.shared.streams).drain(..) {
            drop(stream.shutdown(Shutdown::Both));
        }
        // Wakes the thread that waits in `accept`.
        drop(TcpStream::connect(self.address));
    }
}

/// Starts a thread for each connection, until the server has ended.
fn accept(listener: &TcpListener, shared: &Arc<Shared>) {
    for stream in listener.incoming().map_while(Result::ok) {
        if shared.ended.load(Ordering::SeqCst) {
            return;
        }
        if let Ok(copy) = stream.try_clone() {
            lock(&shared.streams).push(copy);
        }
        let shared = Arc::clone(shared);
        thread::spawn(move || connection::serve(&stream, &shared));
    }
}

/// The lock, even if a thread that held it panicked: the failure of its test says why.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
