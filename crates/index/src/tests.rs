//! The contract's clauses about servers, one by one, against a server that behaves so.

mod auth;
mod cache;
mod files;
mod metadata;
mod packed_listing;
mod pages;
mod prefetch;
mod release;
mod snapshot;
mod transfer;

use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::testing::{Request, Response, Server};
use super::{Client, IndexConfig, IndexUrl, Limits};
use pinfast_base::error::{Error, ErrorKind};
use pinfast_base::event::{Event, Watcher};
use pinfast_packaging::{DistFile, Listing, PackageName, Sha256};
use pinfast_solve::{Index as _, MetadataFailure, Trust};

/// Records events.
#[derive(Default)]
struct EventRecorder(Mutex<Vec<Event>>);

impl Watcher for EventRecorder {
    fn on(&self, event: Event) {
        self.0.lock().unwrap().push(event);
    }
}

/// Limits that make a test end soon: few tries, no pauses.
fn quick() -> Limits {
    Limits { retries: 2, pause: Duration::ZERO, ..Limits::default() }
}

fn config(server: &Server) -> IndexConfig {
    config_of(&[server.url("/simple")])
}

fn config_of(indexes: &[impl AsRef<str>]) -> IndexConfig {
    let indexes = indexes.iter().map(|url| IndexUrl::parse(url.as_ref(), Path::new("/")).unwrap()).collect();
    IndexConfig { indexes, limits: quick(), ..IndexConfig::default() }
}

fn client(config: IndexConfig) -> Client {
    Client::new(config, Arc::new(EventRecorder::default()))
}

fn name(text: &str) -> PackageName {
    PackageName::new(text).unwrap()
}

/// The listing of project `a` from a server that replies like this.
fn listing_from(
    answer: impl Fn(&Request) -> Response + Send + Sync + 'static,
) -> Result<Option<Arc<Listing>>, Error> {
    let server = Server::answering(answer);
    client(config(&server)).listing(&name("a"))
}

fn kind_of<T>(result: Result<T, Error>) -> ErrorKind {
    result.map(|_| ()).unwrap_err().kind
}

fn versions(listing: &Listing) -> Vec<String> {
    listing.versions().map(ToString::to_string).collect()
}

/// A PEP 691 page of `a` with these files.
fn page(files: &[String]) -> String {
    format!(r#"{{"meta": {{"api-version": "1.1"}}, "name": "a", "files": [{}]}}"#, files.join(","))
}

/// An entry of such a page, hashed.
fn entry(filename: &str, bytes: &[u8], more: &str) -> String {
    let hash = Sha256::of(bytes);
    let size = bytes.len();
    format!(
        r#"{{"filename": "{filename}", "url": "../../files/{filename}", "size": {size},
            "hashes": {{"sha256": "{hash}"}}{more}}}"#
    )
}

/// The file of the one release of `a`.
fn only_file(client: &Client) -> Arc<DistFile> {
    let listing = client.listing(&name("a")).unwrap().unwrap();
    assert_eq!(listing.warnings, [] as [&str; 0]);
    listing.files(0)[0].clone()
}

fn invalid_reason(client: &Client, file: &Arc<DistFile>) -> String {
    match client.metadata(file, Trust::File).unwrap_err() {
        MetadataFailure::Invalid(why) => why,
        other => panic!("{other:?}"),
    }
}

fn fatal_error(client: &Client, file: &Arc<DistFile>) -> Error {
    match client.metadata(file, Trust::File).unwrap_err() {
        MetadataFailure::Fatal(error) => error,
        other => panic!("{other:?}"),
    }
}
