//! Trouble in transit never changes the answer.

use super::super::testing::Manner;
use super::*;
use crate::transport::{Credentials, HttpClient};
use reqwest::Version;

const WHEEL: &str = "a-1-py3-none-any.whl";

fn good() -> Reply {
    Reply::json(page(&[entry(WHEEL, b"1", "")]))
}

/// The kinds of trouble, each an answer that must never be believed.
fn troubles() -> Vec<(&'static str, Reply)> {
    let garbage = Reply::json("not gzip").with("Content-Encoding", "gzip");
    let mut troubles = vec![
        ("hung up", good().sent(Manner::HangUp)),
        ("cut body", good().sent(Manner::CutAt(40))),
        ("cut body without a length", good().sent(Manner::UnframedUpTo(40))),
        ("empty body", Reply::json("")),
        ("malformed body", Reply::json("{\"files\": [")),
        ("another project's page", Reply::json(page(&[]).replace("\"a\"", "\"b\""))),
        ("an unknown version of the API", Reply::json(page(&[]).replace("1.1", "2.0"))),
        ("gzip garbage", garbage),
        ("unknown encoding", good().with("Content-Encoding", "br")),
        ("redirect without a place", Reply::status(302)),
        ("redirect away from http", Reply::redirect("file:///etc/passwd")),
        ("a log-in page", Reply::html("<html><form action=/login></form></html>")),
        ("cut HTML", Reply::html("<html><a href=a-1-py3-none-any.whl>a</a>").sent(Manner::UnframedUpTo(999))),
        ("nothing that is HTML", Reply::html("nothing")),
    ];
    for status in [100, 204, 300, 400, 405, 408, 418, 429, 500, 502, 503, 504, 599] {
        troubles.push(("status", Reply::status(status).with("Retry-After", "0")));
    }
    troubles
}

#[test]
fn persistent_trouble_is_no_answer_and_never_an_unknown_project() {
    for (what, reply) in troubles() {
        let answer = reply.clone();
        let error = ask(move |_| answer.clone()).unwrap_err();
        assert_eq!(error.kind, ErrorKind::NoAnswer, "{what}: {reply:?}: {error}");
    }
}

#[test]
fn passing_trouble_is_tried_again() {
    for (what, reply) in troubles() {
        let answer = reply.clone();
        let listing = ask(move |request| match (request.path.as_str(), request.before) {
            ("/simple/a/", 0 | 1) => answer.clone(),
            ("/simple/a/", _) => good(),
            _ => Reply::status(404),
        });
        let listing = listing.unwrap_or_else(|error| panic!("{what}: {error}")).unwrap();
        assert_eq!(versions(&listing), ["1"], "{what}");
    }
}

#[test]
fn trouble_with_one_api_is_got_round_by_the_other() {
    for (what, reply) in troubles() {
        let answer = reply.clone();
        let listing = ask(move |request| if request.path == "/simple/a/" { good() } else { answer.clone() });
        assert_eq!(versions(&listing.unwrap().unwrap()), ["1"], "{what}");
    }
}

#[test]
fn trouble_with_one_api_is_no_answer_when_the_other_does_not_know() {
    let error = ask(|request| Reply::status(if request.path == "/simple/a/" { 404 } else { 500 }));
    assert_eq!(kind_of(error), ErrorKind::NoAnswer);
    let error = ask(|request| Reply::status(if request.path == "/simple/a/" { 500 } else { 404 }));
    assert_eq!(kind_of(error), ErrorKind::NoAnswer);
}

#[test]
fn only_404_and_410_say_that_a_project_is_unknown() {
    for status in [404, 410] {
        assert!(ask(move |_| Reply::status(status)).unwrap().is_none());
    }
    for status in [401, 403] {
        let server = Server::start(move |_| Reply::status(status));
        let error = client(config(&server)).listing(&name("a")).unwrap_err();
        assert_eq!(error.kind, ErrorKind::NoAnswer);
        assert!(!error.hints.is_empty());
        assert_eq!(server.requests().len(), 2, "no retries");
    }
}

#[test]
fn a_server_that_is_not_there_is_no_answer() {
    let error = client(config_of(&["http://127.0.0.1:1/simple"])).listing(&name("a"));
    assert_eq!(kind_of(error), ErrorKind::NoAnswer);
}

#[test]
fn redirects_are_followed_within_reason() {
    let hops = |count: usize| {
        move |request: &Request| {
            let hop: usize = request.path.strip_prefix("/hop/").and_then(|hop| hop.parse().ok()).unwrap_or(0);
            if hop == count { good() } else { Reply::redirect(&format!("/hop/{}", hop + 1)) }
        }
    };
    assert!(ask(hops(10)).unwrap().is_some());
    let error = ask(hops(11)).unwrap_err();
    assert_eq!(error.kind, ErrorKind::NoAnswer);
    assert!(error.hints[0].contains("PINFAST_MAX_REDIRECTS"), "{error:?}");
}

#[test]
fn limits_are_named_with_what_raises_them() {
    let slow = Limits { time: Duration::from_millis(300), ..quick() };
    let small = Limits { page: 1000, ..quick() };
    let bomb = {
        let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        std::io::Write::write_all(&mut packer, &[b' '; 1_000_000]).unwrap();
        let packed = packer.finish().unwrap();
        assert!(packed.len() < 100_000, "the bomb is small while packed");
        Reply::json(packed).with("Content-Encoding", "gzip")
    };
    for (reply, limits, variable) in [
        (good().sent(Manner::Silent), slow, "PINFAST_HTTP_TIMEOUT"),
        (Reply::json("  ").sent(Manner::Endless), small, "PINFAST_MAX_PAGE_SIZE"),
        (Reply::json(" ".repeat(1001)), small, "PINFAST_MAX_PAGE_SIZE"),
        (bomb, Limits { page: 100_000, ..quick() }, "PINFAST_MAX_PAGE_SIZE"),
    ] {
        let server = Server::start(move |_| reply.clone());
        let error = client(IndexConfig { limits, ..config(&server) }).listing(&name("a")).unwrap_err();
        assert_eq!(error.kind, ErrorKind::NoAnswer);
        assert!(error.hints.iter().any(|hint| hint.contains(variable)), "{error:?}");
        assert_eq!(server.requests().len(), 1, "a limit is final: {variable}");
    }
}

#[test]
fn a_silent_server_is_left_in_time_for_another_try() {
    let server = Server::start(|request| match request.before {
        0 => good().sent(Manner::Silent),
        _ => good(),
    });
    let limits = Limits { silence: Duration::from_millis(200), ..quick() };
    let listing = client(IndexConfig { limits, ..config(&server) }).listing(&name("a")).unwrap();
    assert!(listing.is_some());
}

#[test]
fn gzip_is_understood() {
    let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    std::io::Write::write_all(&mut packer, page(&[entry(WHEEL, b"1", "")]).as_bytes()).unwrap();
    let packed = packer.finish().unwrap();
    let listing = ask(move |request| {
        assert_eq!(request.header("accept-encoding"), Some("gzip"));
        Reply::json(packed.clone()).with("Content-Encoding", "gzip")
    });
    assert_eq!(versions(&listing.unwrap().unwrap()), ["1"]);
}

#[test]
fn one_request_a_resource_however_many_ask() {
    let server = Server::start(|request| match request.path.as_str() {
        "/simple/a/" => good(),
        _ => Reply::status(404),
    });
    let client = client(config(&server));
    client.prefetch(&vec![pinfast_solve::IndexQuery::Listing(name("a")); 5]);
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| client.listing(&name("a")).unwrap().unwrap());
        }
    });
    assert_eq!(server.requests().len(), 2, "the JSON API, then the Simple API");
}

#[test]
fn more_requests_are_in_flight_only_where_they_share_a_connection() {
    for (limits, most) in [(quick(), 100), (Limits { requests: 2, streams: 2, ..quick() }, 2)] {
        let config = IndexConfig { limits, ..IndexConfig::default() };
        let config = Arc::new(config);
        let watcher = Arc::new(Witness::default());
        let credentials = Arc::new(Credentials::new(config.clone(), watcher.clone()));
        let http = HttpClient::new(&config, credentials, Arc::default(), watcher).unwrap();
        http.widen(Version::HTTP_11);
        assert_eq!(http.permits.available_permits(), limits.requests);
        for _ in 0..2 {
            http.widen(Version::HTTP_2);
            assert_eq!(http.permits.available_permits(), most);
        }
    }
}
