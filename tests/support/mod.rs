//! An index on 127.0.0.1 for the tests of the whole program: serves a folder and pages put in by a test, and
//! misbehaves by rule.
//!
//! ```ignore
//! let index = Server::of_recorded();
//! index.once("/simple/six/", Fault::Status(503));
//! run(&["lock", "--index-url", &index.url("/simple/")]);
//! assert_eq!(index.count("/simple/six/"), 2);
//! ```

mod answer;
mod connection;
mod fault;
mod site;
mod tests;
mod universe;

use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;

pub(crate) use connection::Request;
pub(crate) use fault::Fault;
use fault::Rules;
use site::Site;
pub(crate) use site::{Caching, ProjectPages, ReleasePages};

/// A running server; it ends when this is dropped.
pub(crate) struct Server {
    address: SocketAddr,
    shared: Arc<Shared>,
}

/// What the server's threads share.
#[derive(Default)]
struct Shared {
    site: Mutex<Site>,
    rules: Mutex<Rules>,
    log: Mutex<Log>,
    streams: Mutex<Vec<TcpStream>>,
    ended: AtomicBool,
}

/// What was asked.
#[derive(Default)]
struct Log {
    requests: Vec<Request>,
    in_flight: usize,
    most_in_flight: usize,
}

impl Server {
    /// A server of the recorded index in `testdata/index`.
    pub(crate) fn of_recorded() -> Self {
        Self::of_folder(&Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/index"))
    }

    /// A server of the folder index at `root`.
    pub(crate) fn of_folder(root: &Path) -> Self {
        Self::start(Some(root.to_owned()))
    }

    /// A server of nothing but what is [`put`](Self::put) in.
    pub(crate) fn empty() -> Self {
        Self::start(None)
    }

    fn start(root: Option<PathBuf>) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port on 127.0.0.1");
        let address = listener.local_addr().expect("a bound socket has an address");
        let shared = Arc::new(Shared { site: Mutex::new(Site::new(root)), ..Shared::default() });
        let accepting = Arc::clone(&shared);
        thread::spawn(move || accept(&listener, &accepting));
        Self { address, shared }
    }

    /// The URL of `path`, which begins with `/`.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// Serves `body` at `path`, over what the folder has there. A folder's page goes by the name of its file:
    /// `/simple/a/index.json`.
    pub(crate) fn put(&self, path: &str, body: impl Into<Vec<u8>>) {
        lock(&self.shared.site).put(path, body.into());
    }

    /// Serves a made-up universe, with wheels that can be installed: a line for each release, and under it, indented,
    /// what it requires; `python` stands for its Requires-Python, `uploaded` for its time or `unknown`.
    ///
    /// ```text
    /// a 1.0
    ///     b[x]>=2; sys_platform == "linux"
    ///     python >=3.9
    /// b 2.0
    /// ```
    pub(crate) fn universe(&self, text: &str) {
        for (path, body) in universe::pages(text) {
            self.put(&path, body);
        }
    }

    /// What later answers say of caching; at first nothing.
    pub(crate) fn caching(&self, caching: Caching) {
        lock(&self.shared.site).caching = caching;
    }

    /// Whether there are pages of single releases; at first there are.
    pub(crate) fn release_pages(&self, pages: ReleasePages) {
        lock(&self.shared.site).releases = pages;
    }

    /// How long the projects' pages are; at first short.
    pub(crate) fn project_pages(&self, pages: ProjectPages) {
        lock(&self.shared.site).projects = pages;
    }

    /// Answers every request of `path` with `fault`. A path that ends with `*` is the beginning of many. Of several
    /// rules for a path the latest that is not used up is followed.
    pub(crate) fn always(&self, path: &str, fault: Fault) {
        lock(&self.shared.rules).add(path, fault, usize::MAX);
    }

    /// Answers the next `times` requests of `path` with `fault`.
    pub(crate) fn times(&self, times: usize, path: &str, fault: Fault) {
        lock(&self.shared.rules).add(path, fault, times);
    }

    /// Answers the next request of `path` with `fault`.
    pub(crate) fn once(&self, path: &str, fault: Fault) {
        self.times(1, path, fault);
    }

    /// How often `path` was asked for; a path that ends with `*` is the beginning of many.
    pub(crate) fn count(&self, path: &str) -> usize {
        lock(&self.shared.log).requests.iter().filter(|request| fault::matches(path, &request.path)).count()
    }

    /// All requests so far, in the order in which they came.
    pub(crate) fn requests(&self) -> Vec<Request> {
        lock(&self.shared.log).requests.clone()
    }

    /// How many requests were being answered at the same time at most.
    pub(crate) fn most_in_flight(&self) -> usize {
        lock(&self.shared.log).most_in_flight
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.shared.ended.store(true, Ordering::SeqCst);
        for stream in lock(&self.shared.streams).drain(..) {
            drop(stream.shutdown(Shutdown::Both));
        }
        drop(TcpStream::connect(self.address));
    }
}

/// A thread for each connection, until the server has ended.
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

/// The lock, whatever became of the thread that held it last.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
