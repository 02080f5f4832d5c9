//! Prefetched queries start at once; speculative ones never make the first connection.

use std::time::Instant;

use super::super::testing::{metadata, wheel};
use super::*;
use pinfast_solve::IndexQuery;

/// A server of one wheel of `a`, with its metadata file.
fn server() -> Server {
    let bytes = wheel("a", "1", &["b"]);
    let listing = page(&[entry("a-1-py3-none-any.whl", &bytes, r#", "core-metadata": true"#)]);
    Server::answering(move |request| match request.path.as_str() {
        "/simple/a/" => Response::json(listing.clone()),
        "/files/a-1-py3-none-any.whl.metadata" => Response::ok("text/plain", metadata("a", "1", &["b"])),
        _ => Response::status(404),
    })
}

/// Whether the metadata of `file` is looked for within `patience`.
fn is_started_within(client: &Client, file: &DistFile, patience: Duration) -> bool {
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
fn a_speculative_query_starts_only_when_connected_or_cached() {
    let (server, folder) = (server(), tempfile::tempdir().unwrap());
    let with_cache = || IndexConfig { cache: Some(folder.path().to_owned()), ..config(&server) };
    let connected = client(with_cache());
    let wants = [IndexQuery::Metadata(only_file(&connected), Trust::Release)];
    let IndexQuery::Metadata(file, _) = &wants[0] else { unreachable!() };
    let later = client(with_cache());
    only_file(&later);
    later.prefetch_speculative(&wants);
    assert!(!is_started_within(&later, file, LITTLE), "the listing was in the cache");
    connected.prefetch_speculative(&wants);
    assert!(is_started_within(&connected, file, MUCH));
    connected.metadata(file, Trust::File).unwrap();
    let third = client(with_cache());
    third.prefetch_speculative(&wants);
    assert!(is_started_within(&third, file, MUCH), "it is in the cache");
    assert_eq!(server.requests().len(), 3, "the listing from two APIs, and the metadata of one file");
}

#[test]
fn a_certain_query_starts_without_a_connection() {
    let (server, folder) = (server(), tempfile::tempdir().unwrap());
    let with_cache = || IndexConfig { cache: Some(folder.path().to_owned()), ..config(&server) };
    let file = only_file(&client(with_cache()));
    let later = client(with_cache());
    later.prefetch(&[IndexQuery::Metadata(file.clone(), Trust::Release)]);
    assert!(is_started_within(&later, &file, MUCH));
}

#[test]
fn a_speculative_query_for_a_local_file_starts_without_a_connection() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("a-1-py3-none-any.whl"), wheel("a", "1", &["b"])).unwrap();
    let location = IndexUrl::parse(folder.path().to_str().unwrap(), Path::new("/")).unwrap();
    let client = client(IndexConfig { find_links: vec![location], ..IndexConfig::default() });
    let file = only_file(&client);
    client.prefetch_speculative(&[IndexQuery::Metadata(file.clone(), Trust::Release)]);
    assert!(is_started_within(&client, &file, MUCH));
}
