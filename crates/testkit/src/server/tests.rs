//! The server over a socket, by a client that uses nothing of this crate.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::time::{Duration, Instant};

use serde_json::Value;

use super::{Caching, Delivery, Fault, ProjectPages, ReleasePages, Response, Server};
use crate::sha256;

/// The bytes of a response.
struct Received {
    head: String,
    body: Vec<u8>,
}

impl Received {
    fn status(&self) -> &str {
        self.head.split(' ').nth(1).unwrap_or("none")
    }

    fn header(&self, name: &str) -> Option<&str> {
        let lines = self.head.lines().filter_map(|line| line.split_once(": "));
        lines.filter(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value).next()
    }

    fn json(&self) -> Value {
        serde_json::from_slice(&self.body).expect("JSON")
    }
}

/// Sends one request and reads until the server closes.
fn get(server: &Server, path: &str, headers: &[&str]) -> Received {
    let mut stream = TcpStream::connect(server.address).expect("the server listens");
    let headers: String = headers.iter().map(|header| format!("{header}\r\n")).collect();
    write!(stream, "GET {path} HTTP/1.1\r\nHost: x\r\n{headers}\r\n").expect("the server reads");
    stream.shutdown(Shutdown::Write).expect("the connection is open");
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).expect("the server writes");
    let at = bytes.windows(4).position(|window| window == b"\r\n\r\n").map_or(bytes.len(), |at| at + 4);
    Received { body: bytes.split_off(at), head: String::from_utf8(bytes).expect("a head is ASCII") }
}

const JSON: &str = "Accept: application/vnd.pypi.simple.v1+json, text/html;q=0.01";

#[test]
fn a_page_is_json_or_html_by_the_accept_header() {
    let server = Server::of_recorded();
    let json = get(&server, "/simple/google-genai/", &[JSON]);
    assert_eq!(json.header("Content-Type"), Some("application/vnd.pypi.simple.v1+json"));
    assert_eq!(json.json()["name"], "google-genai");
    for accept in
        ["Accept: text/html", "X: y", "Accept: application/vnd.pypi.simple.v1+json;q=0.1, text/html"]
    {
        assert_eq!(
            get(&server, "/simple/google-genai/", &[accept]).header("Content-Type"),
            Some("text/html")
        );
    }
    let moved = get(&server, "/simple/google-genai", &[JSON]);
    assert_eq!((moved.status(), moved.header("Location")), ("301", Some("/simple/google-genai/")));
    assert_eq!(get(&server, "/pypi/google-genai/json", &[]).json()["info"]["name"], "google-genai");
    for nowhere in ["/simple/no-such-project/", "/pypi/google-genai/1.0/json", "/"] {
        assert_eq!(get(&server, nowhere, &[]).status(), "404", "{nowhere}");
    }
    assert_eq!(get(&server, "/simple/%2e%2e/%2e%2e/Cargo.toml", &[]).status(), "400");
}

#[test]
fn a_recorded_metadata_file_has_the_hash_of_its_page() {
    let server = Server::of_recorded();
    let page = get(&server, "/simple/google-auth/", &[JSON]).json();
    let file = &page["files"][1];
    let path = file["url"].as_str().expect("a URL").trim_start_matches("../..");
    let metadata = get(&server, &format!("{path}.metadata"), &[]);
    assert_eq!(file["core-metadata"]["sha256"], sha256(&metadata.body));
}

#[test]
fn a_range_request_gets_that_part() {
    let server = Server::empty();
    server.put("/files/a", *b"0123456789");
    for (range, body, part_of) in [
        ("2-4", "234", "bytes 2-4/10"),
        ("7-", "789", "bytes 7-9/10"),
        ("-3", "789", "bytes 7-9/10"),
        ("8-99", "89", "bytes 8-9/10"),
    ] {
        let part = get(&server, "/files/a", &[&format!("Range: bytes={range}")]);
        assert_eq!((part.status(), part.header("Content-Range")), ("206", Some(part_of)));
        assert_eq!(part.body, body.as_bytes());
    }
    assert_eq!(get(&server, "/files/a", &["Range: bytes=10-12"]).status(), "416");
    server.once("/files/a", Fault::NoRanges);
    assert_eq!(get(&server, "/files/a", &["Range: bytes=2-4"]).body, b"0123456789");
}

#[test]
fn caching_headers_follow_the_setting() {
    let server = Server::of_recorded();
    let page = "/pypi/aiogram/json";
    assert_eq!(get(&server, page, &[]).header("ETag"), None);
    server.caching(Caching::Validated);
    let first = get(&server, page, &[]);
    assert_eq!(first.header("Cache-Control"), Some("no-cache"));
    let known = format!("If-None-Match: {}", first.header("ETag").expect("a tag"));
    let again = get(&server, page, &[&known]);
    assert_eq!((again.status(), again.body.len()), ("304", 0));
    server.caching(Caching::Fresh(600));
    assert_eq!(get(&server, page, &[]).header("Cache-Control"), Some("max-age=600"));
}

#[test]
fn a_release_page_is_made_of_the_project_page() {
    let server = Server::of_recorded();
    let path = "/pypi/aiogram/3.30.0/json";
    let page = get(&server, path, &[]).json();
    assert_eq!(
        (&page["info"]["version"], page["urls"].as_array().map(Vec::len)),
        (&"3.30.0".into(), Some(2))
    );
    assert!(page["urls"][0]["url"].as_str().is_some_and(|url| url.starts_with("../../../files/")));
    server.release_pages(ReleasePages::Absent);
    assert_eq!(get(&server, path, &[]).status(), "404");
}

#[test]
fn a_page_is_gzip_when_the_client_accepts_it() {
    let server = Server::of_recorded();
    let packed = get(&server, "/pypi/aiogram/json", &["Accept-Encoding: gzip"]);
    assert_eq!(packed.header("Content-Encoding"), Some("gzip"));
    let mut plain = Vec::new();
    flate2::read::GzDecoder::new(&packed.body[..]).read_to_end(&mut plain).unwrap();
    assert_eq!(plain, get(&server, "/pypi/aiogram/json", &[]).body);
}

#[test]
fn a_fault_applies_as_often_as_set_and_requests_are_counted() {
    let server = Server::empty();
    server.put("/a", *b"body");
    server.times(2, "/a", Fault::Status(503));
    let statuses = || get(&server, "/a", &[]).status().to_owned();
    assert_eq!([statuses(), statuses(), statuses()], ["503", "503", "200"]);
    server.always("/b*", Fault::Status(500));
    assert_eq!(get(&server, "/bc", &[]).status(), "500");
    server.once("/bc", Fault::Status(501));
    assert_eq!(get(&server, "/bc", &[]).status(), "501");
    assert_eq!(
        (server.count("/a"), server.count("/b*"), server.count("/b"), server.count("*")),
        (3, 2, 0, 5)
    );
    let paths: Vec<_> = server.requests().into_iter().map(|request| request.path).collect();
    assert_eq!(paths, ["/a", "/a", "/a", "/bc", "/bc"]);
}

#[test]
fn each_fault_changes_the_response() {
    let server = Server::empty();
    server.put("/a", *b"body");
    let once = |fault| {
        server.once("/a", fault);
        get(&server, "/a", &[])
    };
    let cut = once(Fault::Cut(2));
    assert_eq!((cut.header("Content-Length"), &cut.body[..]), (Some("4"), &b"bo"[..]));
    assert_eq!(once(Fault::Corrupt).body, b"bodx");
    assert_eq!(once(Fault::Body("text/html", b"other".to_vec())).body, b"other");
    let later = once(Fault::RetryAfter(429, 7));
    assert_eq!((later.status(), later.header("Retry-After")), ("429", Some("7")));
    assert_eq!(once(Fault::Redirect("/b".to_owned())).header("Location"), Some("/b"));
    assert_eq!(once(Fault::GarbageGzip).header("Content-Encoding"), Some("gzip"));
    assert_eq!(once(Fault::Drop).head, "");
    let begin = Instant::now();
    assert_eq!(once(Fault::Delay(Duration::from_millis(30))).body, b"body");
    assert!(begin.elapsed() >= Duration::from_millis(30));
}

#[test]
fn a_login_fault_refuses_other_credentials() {
    let server = Server::empty();
    server.put("/a", *b"body");
    server.always("*", Fault::Login("me", "secret"));
    assert_eq!(get(&server, "/a", &[]).status(), "401");
    assert_eq!(get(&server, "/a", &["Authorization: Basic bWU6d3Jvbmc="]).status(), "401");
    assert_eq!(get(&server, "/a", &["Authorization: Basic bWU6c2VjcmV0"]).status(), "200");
    assert!(server.requests()[2].header("authorization").is_some());
}

#[test]
fn a_connection_is_kept_and_many_are_served_at_once() {
    let server = Server::empty();
    server.put("/a", *b"body");
    let mut stream = TcpStream::connect(server.address).unwrap();
    for _ in 0..2 {
        write!(stream, "GET /a HTTP/1.1\r\n\r\n").unwrap();
        let mut head = [0; 64];
        while !head.ends_with(b"body") {
            head.rotate_left(1);
            stream.read_exact(&mut head[63..]).unwrap();
        }
    }
    assert_eq!(server.most_in_flight(), 1);
    server.times(3, "/a", Fault::Delay(Duration::from_millis(200)));
    std::thread::scope(|scope| (0..3).for_each(|_| drop(scope.spawn(|| get(&server, "/a", &[])))));
    assert_eq!((server.most_in_flight(), server.count("/a")), (3, 5));
    assert!(server.url("/a").starts_with("http://127.0.0.1:"));
}

#[test]
fn a_long_project_page_is_padded() {
    let server = Server::of_recorded();
    let path = "/pypi/aiogram/json";
    let short = get(&server, path, &[]);
    server.project_pages(ProjectPages::Long);
    let long = get(&server, path, &["Accept-Encoding: gzip"]);
    assert!(long.body.len() > 1 << 20 && long.header("Content-Encoding").is_none());
    assert_eq!(
        (&long.json()["info"], &long.json()["releases"]),
        (&short.json()["info"], &short.json()["releases"])
    );
}

#[test]
fn a_function_sees_the_request_and_how_often_its_path_came_before() {
    let server = Server::answering(|request| match request.path.as_str() {
        "/file" => Response::file(request, b"0123456789"),
        _ => Response::json(format!("{} {}", request.earlier, request.header("x").unwrap_or_default())),
    });
    assert_eq!(get(&server, "/a", &["X: y"]).body, b"0 y");
    assert_eq!(get(&server, "/a", &["X: z"]).body, b"1 z");
    assert_eq!(get(&server, "/b", &[]).body, b"0 ");
    assert_eq!(get(&server, "/file", &["Range: bytes=2-4"]).body, b"234");
}

#[test]
fn each_delivery_sends_what_it_promises() {
    let get = |delivery| {
        let server = Server::answering(move |_| Response::html("body").delivered(delivery));
        get(&server, "/", &[])
    };
    let cut = get(Delivery::CutAt(1));
    assert_eq!((cut.header("Content-Length"), &cut.body[..]), (Some("4"), &b"b"[..]));
    let unframed = get(Delivery::UnframedUpTo(3));
    assert_eq!((unframed.header("Content-Length"), &unframed.body[..]), (None, &b"bod"[..]));
    for silent in [Delivery::Silent, Delivery::HangUp] {
        assert_eq!(get(silent).head, "");
    }
}

#[test]
fn an_endless_body_repeats_until_the_client_leaves() {
    let server = Server::answering(|_| Response::html("ab").delivered(Delivery::Endless));
    let mut stream = TcpStream::connect(server.address).unwrap();
    write!(stream, "GET / HTTP/1.1\r\n\r\n").unwrap();
    let mut received = [0; 1000];
    stream.read_exact(&mut received).unwrap();
    assert!(received.ends_with(b"babababa") || received.ends_with(b"abababab"));
}
