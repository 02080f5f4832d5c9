//! Whole files: their hashes, retries and cuts.

use super::super::testing::{Delivery, wheel};
use super::*;
use pinfast_packaging::DirectUrl;
use pinfast_solve::Index as _;

const WHEEL: &str = "a-1-py3-none-any.whl";

fn unhashed(bytes: &[u8]) -> String {
    entry(WHEEL, bytes, "").replace("sha256", "md5")
}

fn serving(listed: String, answer: impl Fn(&Request) -> Response + Send + Sync + 'static) -> Server {
    Server::answering(move |request| match request.path.as_str() {
        "/simple/a/" => Response::json(page(std::slice::from_ref(&listed))),
        "/pypi/a/json" => Response::status(404),
        _ => answer(request),
    })
}

#[test]
fn a_file_is_fetched_after_failed_attempts() {
    let server = serving(entry(WHEEL, b"12345", ""), |request| match request.earlier {
        0 => Response::ok("x", "12345").delivered(Delivery::CutAt(2)),
        1 => Response::status(503),
        _ => Response::ok("x", "12345"),
    });
    let client = client(config(&server));
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.whl");
    client.fetch_file(&only_file(&client), &path).unwrap();
    assert_eq!(std::fs::read(path).unwrap(), b"12345");
}

#[test]
fn a_file_that_does_not_match_its_hash_is_refused_and_removed() {
    let server = serving(entry(WHEEL, b"12345", ""), |_| Response::ok("x", "12346"));
    let client = client(config(&server));
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.whl");
    assert_eq!(kind_of(client.fetch_file(&only_file(&client), &path)), ErrorKind::Refused);
    assert!(!path.exists());
    assert_eq!(server.count("/files/a-1-py3-none-any.whl"), 1, "no retry");
}

#[test]
fn a_cut_file_is_no_answer_and_not_refused() {
    let server = serving(entry(WHEEL, b"12345", ""), |_| {
        Response::ok("x", "12345").delivered(Delivery::UnframedUpTo(3))
    });
    let client = client(config(&server));
    let path = tempfile::tempdir().unwrap().path().join("missing").join("a.whl");
    assert_eq!(kind_of(client.fetch_file(&only_file(&client), &path)), ErrorKind::NoAnswer, "unwritable");
    let folder = tempfile::tempdir().unwrap();
    let error = client.fetch_file(&only_file(&client), &folder.path().join("a.whl"));
    assert_eq!(kind_of(error), ErrorKind::NoAnswer);
}

#[test]
fn an_unhashed_file_is_downloaded_once_and_hashed() {
    let bytes = wheel("a", "1", &["b"]);
    let whole = bytes.clone();
    let server = serving(unhashed(&bytes), move |request| match request.path.as_str() {
        path if path.ends_with(".metadata") => Response::status(404),
        _ => Response::file(request, &whole),
    });
    let client = client(config(&server));
    let file = only_file(&client);
    assert_eq!(file.sha256, None);
    assert_eq!(client.sha256(&file).unwrap(), Sha256::of(&bytes));
    assert_eq!(client.sha256(&file).unwrap(), Sha256::of(&bytes));
    assert_eq!(client.metadata(&file, Trust::File).unwrap().requires.len(), 1);
    assert_eq!(server.count("/files/a-1-py3-none-any.whl"), 1);
}

#[test]
fn a_direct_url_gives_a_listing_of_one_hashed_file() {
    let bytes = wheel("a", "1", &["b"]);
    let whole = bytes.clone();
    let server = Server::answering(move |request| match request.path.as_str() {
        "/x/a-1-py3-none-any.whl" => Response::ok("x", whole.clone()),
        _ => Response::status(404),
    });
    let client = client(config_of(&[] as &[&str]));
    let at = |path: &str, sha256| DirectUrl { url: server.url(path).parse().unwrap(), sha256 };
    for hash in [None, Some(Sha256::of(&bytes))] {
        let listing = client.direct_url_listing(&name("a"), &at("/x/a-1-py3-none-any.whl", hash)).unwrap();
        let file = &listing.files(0)[0];
        assert_eq!(file.sha256, Some(Sha256::of(&bytes)));
        assert_eq!(client.metadata(file, Trust::Release).unwrap().requires.len(), 1);
    }
    let wrong = Some(Sha256::of(b"other"));
    assert_eq!(
        kind_of(client.direct_url_listing(&name("a"), &at("/x/a-1-py3-none-any.whl", wrong))),
        ErrorKind::Refused
    );
    assert_eq!(
        kind_of(client.direct_url_listing(&name("a"), &at("/y/a-1-py3-none-any.whl", None))),
        ErrorKind::NoAnswer
    );
    assert_eq!(
        kind_of(client.direct_url_listing(&name("b"), &at("/x/a-1-py3-none-any.whl", None))),
        ErrorKind::Usage
    );
    let git = DirectUrl { url: "git+https://code.example/a.git".parse().unwrap(), sha256: None };
    assert_eq!(kind_of(client.direct_url_listing(&name("a"), &git)), ErrorKind::Usage);
}
