//! A failed transfer never changes the answer.

use super::super::testing::Delivery;
use super::*;
use crate::transport::{Credentials, HttpClient};
use reqwest::Version;

const WHEEL: &str = "a-1-py3-none-any.whl";

fn good() -> Response {
    Response::json(page(&[entry(WHEEL, b"1", "")]))
}

/// Replies of every kind that must count as a failure.
fn failing_replies() -> Vec<(&'static str, Response)> {
    let garbage = Response::json("not gzip").header("Content-Encoding", "gzip");
    let mut failing_replies = vec![
        ("hung up", good().delivered(Delivery::HangUp)),
        ("cut body", good().delivered(Delivery::CutAt(40))),
        ("cut body without a length", good().delivered(Delivery::UnframedUpTo(40))),
        ("empty body", Response::json("")),
        ("malformed body", Response::json("{\"files\": [")),
        ("another project's page", Response::json(page(&[]).replace("\"a\"", "\"b\""))),
        ("an unknown version of the API", Response::json(page(&[]).replace("1.1", "2.0"))),
        ("gzip garbage", garbage),
        ("unknown encoding", good().header("Content-Encoding", "br")),
        ("redirect without a target", Response::status(302)),
        ("redirect away from http", Response::redirect("file:///etc/passwd")),
        ("a log-in page", Response::html("<html><form action=/login></form></html>")),
        (
            "cut HTML",
            Response::html("<html><a href=a-1-py3-none-any.whl>a</a>").delivered(Delivery::UnframedUpTo(999)),
        ),
        ("nothing that is HTML", Response::html("nothing")),
    ];
    for status in [100, 204, 300, 400, 405, 408, 418, 429, 500, 502, 503, 504, 599] {
        failing_replies.push(("status", Response::status(status).header("Retry-After", "0")));
    }
    failing_replies
}

#[test]
fn a_persistent_failure_is_no_answer_and_never_an_unknown_project() {
    for (what, reply) in failing_replies() {
        let answer = reply.clone();
        let error = listing_from(move |_| answer.clone()).unwrap_err();
        assert_eq!(error.kind, ErrorKind::NoAnswer, "{what}: {reply:?}: {error}");
    }
}

#[test]
fn a_passing_failure_is_retried() {
    for (what, reply) in failing_replies() {
        let answer = reply.clone();
        let listing = listing_from(move |request| match (request.path.as_str(), request.earlier) {
            ("/simple/a/", 0 | 1) => answer.clone(),
            ("/simple/a/", _) => good(),
            _ => Response::status(404),
        });
        let listing = listing.unwrap_or_else(|error| panic!("{what}: {error}")).unwrap();
        assert_eq!(versions(&listing), ["1"], "{what}");
    }
}

#[test]
fn a_failure_of_one_api_falls_back_to_the_other() {
    for (what, reply) in failing_replies() {
        let answer = reply.clone();
        let listing =
            listing_from(move |request| if request.path == "/simple/a/" { good() } else { answer.clone() });
        assert_eq!(versions(&listing.unwrap().unwrap()), ["1"], "{what}");
    }
}

#[test]
fn a_failure_of_one_api_is_no_answer_when_the_other_lacks_the_project() {
    let error =
        listing_from(|request| Response::status(if request.path == "/simple/a/" { 404 } else { 500 }));
    assert_eq!(kind_of(error), ErrorKind::NoAnswer);
    let error =
        listing_from(|request| Response::status(if request.path == "/simple/a/" { 500 } else { 404 }));
    assert_eq!(kind_of(error), ErrorKind::NoAnswer);
}

#[test]
fn only_404_and_410_mean_an_unknown_project() {
    for status in [404, 410] {
        assert!(listing_from(move |_| Response::status(status)).unwrap().is_none());
    }
    for status in [401, 403] {
        let server = Server::answering(move |_| Response::status(status));
        let error = client(config(&server)).listing(&name("a")).unwrap_err();
        assert_eq!(error.kind, ErrorKind::NoAnswer);
        assert!(!error.hints.is_empty());
        assert_eq!(server.requests().len(), 2, "no retries");
    }
}

#[test]
fn an_unreachable_server_is_no_answer() {
    let error = client(config_of(&["http://127.0.0.1:1/simple"])).listing(&name("a"));
    assert_eq!(kind_of(error), ErrorKind::NoAnswer);
}

#[test]
fn redirects_are_followed_up_to_the_limit() {
    let hops = |count: usize| {
        move |request: &Request| {
            let hop: usize = request.path.strip_prefix("/hop/").and_then(|hop| hop.parse().ok()).unwrap_or(0);
            if hop == count { good() } else { Response::redirect(&format!("/hop/{}", hop + 1)) }
        }
    };
    assert!(listing_from(hops(10)).unwrap().is_some());
    let error = listing_from(hops(11)).unwrap_err();
    assert_eq!(error.kind, ErrorKind::NoAnswer);
    assert!(error.hints[0].contains("PINFAST_MAX_REDIRECTS"), "{error:?}");
}

#[test]
fn an_exceeded_limit_names_its_variable() {
    let slow = Limits { time: Duration::from_millis(300), ..quick() };
    let small = Limits { page: 1000, ..quick() };
    let bomb = {
        let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        std::io::Write::write_all(&mut packer, &[b' '; 1_000_000]).unwrap();
        let packed = packer.finish().unwrap();
        assert!(packed.len() < 100_000, "the bomb is small while packed");
        Response::json(packed).header("Content-Encoding", "gzip")
    };
    for (reply, limits, variable) in [
        (good().delivered(Delivery::Silent), slow, "PINFAST_HTTP_TIMEOUT"),
        (Response::json("  ").delivered(Delivery::Endless), small, "PINFAST_MAX_PAGE_SIZE"),
        (Response::json(" ".repeat(1001)), small, "PINFAST_MAX_PAGE_SIZE"),
        (bomb, Limits { page: 100_000, ..quick() }, "PINFAST_MAX_PAGE_SIZE"),
    ] {
        let server = Server::answering(move |_| reply.clone());
        let error = client(IndexConfig { limits, ..config(&server) }).listing(&name("a")).unwrap_err();
        assert_eq!(error.kind, ErrorKind::NoAnswer);
        assert!(error.hints.iter().any(|hint| hint.contains(variable)), "{error:?}");
        assert_eq!(server.requests().len(), 1, "a limit is final: {variable}");
    }
}

#[test]
fn a_silent_server_is_given_up_in_time_for_a_retry() {
    let server = Server::answering(|request| match request.earlier {
        0 => good().delivered(Delivery::Silent),
        _ => good(),
    });
    let limits = Limits { silence: Duration::from_millis(200), ..quick() };
    let listing = client(IndexConfig { limits, ..config(&server) }).listing(&name("a")).unwrap();
    assert!(listing.is_some());
}

#[test]
fn a_gzip_page_is_decompressed() {
    let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    std::io::Write::write_all(&mut packer, page(&[entry(WHEEL, b"1", "")]).as_bytes()).unwrap();
    let packed = packer.finish().unwrap();
    let listing = listing_from(move |request| {
        assert_eq!(request.header("accept-encoding"), Some("gzip"));
        Response::json(packed.clone()).header("Content-Encoding", "gzip")
    });
    assert_eq!(versions(&listing.unwrap().unwrap()), ["1"]);
}

#[test]
fn many_callers_of_one_listing_send_one_request() {
    let server = Server::answering(|request| match request.path.as_str() {
        "/simple/a/" => good(),
        _ => Response::status(404),
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
fn permits_grow_only_over_http_2() {
    for (limits, most) in [(quick(), 100), (Limits { requests: 2, streams: 2, ..quick() }, 2)] {
        let config = IndexConfig { limits, ..IndexConfig::default() };
        let config = Arc::new(config);
        let watcher = Arc::new(EventRecorder::default());
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
