//! What will be asked soon is under way by then, and what may be asked takes no connection of its own.

use std::time::Instant;

use super::super::testing::{metadata, wheel};
use super::*;
use pinfast_solve::IndexQuery;

/// A server of one wheel of `a`, whose metadata lies beside it.
fn server() -> Server {
    let bytes = wheel("a", "1", &["b"]);
    let listing = page(&[entry("a-1-py3-none-any.whl", &bytes, r#", "core-metadata": true"#)]);
    Server::start(move |request| match request.path.as_str() {
        "/simple/a/" => Reply::json(listing.clone()),
        "/files/a-1-py3-none-any.whl.metadata" => Reply::ok("text/plain", metadata("a", "1", &["b"])),
        _ => Reply::status(404),
    })
}

/// Whether `file` is asked for its metadata before the patience is at an end.
fn is_asked(client: &Client, file: &DistFile, patience: Duration) -> bool {
    let end = Instant::now() + patience;
    while !client.metadata.is_started(file) {
        if Instant::now() > end {
            return false;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    true
}

const LITTLE: Duration = Duration::from_millis(200);
const MUCH: Duration = Duration::from_secs(20);

#[test]
fn what_may_be_asked_is_under_way_where_there_is_a_connection() {
    let (server, folder) = (server(), tempfile::tempdir().unwrap());
    let with_cache = || IndexConfig { cache: Some(folder.path().to_owned()), ..config(&server) };
    let connected = client(with_cache());
    let wants = [IndexQuery::Metadata(only_file(&connected), Trust::Release)];
    let IndexQuery::Metadata(file, _) = &wants[0] else { unreachable!() };
    let later = client(with_cache());
    only_file(&later);
    later.prefetch_speculative(&wants);
    assert!(!is_asked(&later, file, LITTLE), "the listing was in the cache");
    connected.prefetch_speculative(&wants);
    assert!(is_asked(&connected, file, MUCH));
    connected.metadata(file, Trust::File).unwrap();
    let third = client(with_cache());
    third.prefetch_speculative(&wants);
    assert!(is_asked(&third, file, MUCH), "it is in the cache");
    assert_eq!(
        server.requests().len(),
        3,
        "two APIs were asked for the listing, and one file for its metadata"
    );
}

#[test]
fn what_will_be_asked_is_under_way_in_any_case() {
    let (server, folder) = (server(), tempfile::tempdir().unwrap());
    let with_cache = || IndexConfig { cache: Some(folder.path().to_owned()), ..config(&server) };
    let file = only_file(&client(with_cache()));
    let later = client(with_cache());
    later.prefetch(&[IndexQuery::Metadata(file.clone(), Trust::Release)]);
    assert!(is_asked(&later, &file, MUCH));
}

#[test]
fn what_lies_in_a_folder_is_under_way_without_a_connection() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("a-1-py3-none-any.whl"), wheel("a", "1", &["b"])).unwrap();
    let place = IndexUrl::parse(folder.path().to_str().unwrap(), Path::new("/")).unwrap();
    let client = client(IndexConfig { find_links: vec![place], ..IndexConfig::default() });
    let file = only_file(&client);
    client.prefetch_speculative(&[IndexQuery::Metadata(file.clone(), Trust::Release)]);
    assert!(is_asked(&client, &file, MUCH));
}
