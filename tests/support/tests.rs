//! The server does what it says, as a client sees it that knows nothing of this crate.

use std::io::{Cursor, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::time::{Duration, Instant};

use pinfast::packaging::Sha256;
use serde_json::Value;

use super::{Caching, Fault, ProjectPages, ReleasePages, Server};

/// What came back over a connection.
struct Reply {
    head: String,
    body: Vec<u8>,
}

impl Reply {
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
fn get(server: &Server, path: &str, headers: &[&str]) -> Reply {
    let mut stream = TcpStream::connect(server.address).expect("the server listens");
    let headers: String = headers.iter().map(|header| format!("{header}\r\n")).collect();
    write!(stream, "GET {path} HTTP/1.1\r\nHost: x\r\n{headers}\r\n").expect("the server reads");
    stream.shutdown(Shutdown::Write).expect("the connection is open");
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).expect("the server writes");
    let at = bytes.windows(4).position(|window| window == b"\r\n\r\n").map_or(bytes.len(), |at| at + 4);
    Reply { body: bytes.split_off(at), head: String::from_utf8(bytes).expect("a head is ASCII") }
}

const JSON: &str = "Accept: application/vnd.pypi.simple.v1+json, text/html;q=0.01";

#[test]
fn the_simple_api_is_negotiated() {
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
fn a_recorded_file_has_the_hash_that_its_page_tells() {
    let server = Server::of_recorded();
    let page = get(&server, "/simple/google-auth/", &[JSON]).json();
    let file = &page["files"][1];
    let path = file["url"].as_str().expect("a URL").trim_start_matches("../..");
    let metadata = get(&server, &format!("{path}.metadata"), &[]);
    assert_eq!(file["core-metadata"]["sha256"], Sha256::of(&metadata.body).to_string());
}

#[test]
fn ranges_are_cut_out() {
    let server = Server::empty();
    server.put("/files/a", *b"0123456789");
    for (range, body, told) in [
        ("2-4", "234", "bytes 2-4/10"),
        ("7-", "789", "bytes 7-9/10"),
        ("-3", "789", "bytes 7-9/10"),
        ("8-99", "89", "bytes 8-9/10"),
    ] {
        let part = get(&server, "/files/a", &[&format!("Range: bytes={range}")]);
        assert_eq!((part.status(), part.header("Content-Range")), ("206", Some(told)));
        assert_eq!(part.body, body.as_bytes());
    }
    assert_eq!(get(&server, "/files/a", &["Range: bytes=10-12"]).status(), "416");
    server.once("/files/a", Fault::NoRanges);
    assert_eq!(get(&server, "/files/a", &["Range: bytes=2-4"]).body, b"0123456789");
}

#[test]
fn caching_is_as_told() {
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
fn pages_of_releases_are_made_of_the_projects() {
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
fn pages_are_in_gzip_where_it_is_welcome() {
    let server = Server::of_recorded();
    let packed = get(&server, "/pypi/aiogram/json", &["Accept-Encoding: gzip"]);
    assert_eq!(packed.header("Content-Encoding"), Some("gzip"));
    let mut plain = Vec::new();
    flate2::read::GzDecoder::new(&packed.body[..]).read_to_end(&mut plain).unwrap();
    assert_eq!(plain, get(&server, "/pypi/aiogram/json", &[]).body);
}

#[test]
fn faults_happen_as_often_as_told_and_are_counted() {
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
fn each_fault_is_what_it_says() {
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
fn a_login_is_asked_for() {
    let server = Server::empty();
    server.put("/a", *b"body");
    server.always("*", Fault::Login("me", "secret"));
    assert_eq!(get(&server, "/a", &[]).status(), "401");
    assert_eq!(get(&server, "/a", &["Authorization: Basic bWU6d3Jvbmc="]).status(), "401");
    assert_eq!(get(&server, "/a", &["Authorization: Basic bWU6c2VjcmV0"]).status(), "200");
    assert!(server.requests()[2].header("authorization").is_some());
}

#[test]
fn a_connection_goes_on_and_many_are_served_at_once() {
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
fn a_universe_has_pages_and_wheels() {
    let server = Server::empty();
    server.universe("a-b 1.0\n    c[x]>=2\n    python >=3.9\na-b 2.0\n\nc 2.0\n");
    let file = get(&server, "/simple/a-b/", &[JSON]).json()["files"][0].clone();
    assert_eq!(
        (&file["filename"], &file["requires-python"]),
        (&"a_b-1.0-py3-none-any.whl".into(), &">=3.9".into())
    );
    assert_eq!(get(&server, "/pypi/a-b/json", &[]).json()["info"]["version"], "2.0");
    let wheel = get(&server, "/files/a-b/a_b-1.0-py3-none-any.whl", &[]).body;
    assert_eq!(file["hashes"]["sha256"], Sha256::of(&wheel).to_string());
    let metadata = get(&server, "/files/a-b/a_b-1.0-py3-none-any.whl.metadata", &[]).body;
    let metadata = String::from_utf8(metadata).unwrap();
    assert!(metadata.ends_with("Requires-Python: >=3.9\nRequires-Dist: c[x]>=2\n"), "{metadata}");
    let mut inside = String::new();
    let mut wheel = zip::ZipArchive::new(Cursor::new(wheel)).unwrap();
    wheel.by_name("a_b-1.0.dist-info/METADATA").unwrap().read_to_string(&mut inside).unwrap();
    assert_eq!(inside, metadata);
    let html = String::from_utf8(get(&server, "/simple/c/", &[]).body).unwrap();
    assert!(html.contains("../../files/c/c-2.0-py3-none-any.whl#sha256="), "{html}");
}

#[test]
fn the_page_of_a_project_is_as_long_as_told() {
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
