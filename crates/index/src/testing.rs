//! A small HTTP/1.1 server on this machine that can misbehave, and archives for it to serve.

use std::collections::HashMap;
use std::io::{BufRead as _, BufReader, Cursor, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

/// A server that answers each request as a function of it.
pub(super) struct Server {
    address: String,
    log: Arc<Mutex<Vec<Request>>>,
}

/// A request as it came.
#[derive(Clone, Debug)]
pub(super) struct Request {
    pub(super) path: String,
    /// With lower-case names.
    pub(super) headers: HashMap<String, String>,
    /// How often this path was requested before.
    pub(super) before: usize,
}

/// An answer.
#[derive(Clone, Debug)]
pub(super) struct Reply {
    status: u16,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
    delivery: Delivery,
}

/// How an answer is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Delivery {
    /// Well.
    Whole,
    /// With its length, but only so many bytes of it.
    CutAt(usize),
    /// Without its length; the connection closes after so many bytes.
    UnframedUpTo(usize),
    /// The body again and again, without end.
    Endless,
    /// No byte until the client gives up.
    Silent,
    /// The connection closes at once.
    HangUp,
}

impl Server {
    pub(super) fn start(answer: impl Fn(&Request) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let log = Arc::new(Mutex::new(Vec::new()));
        let (answer, seen) = (Arc::new(answer), log.clone());
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let (answer, seen) = (answer.clone(), seen.clone());
                std::thread::spawn(move || serve(&stream.unwrap(), &*answer, &seen));
            }
        });
        Self { address, log }
    }

    pub(super) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub(super) fn requests(&self) -> Vec<Request> {
        self.log.lock().unwrap().clone()
    }

    /// How often `path` was requested.
    pub(super) fn count(&self, path: &str) -> usize {
        self.requests().iter().filter(|request| request.path == path).count()
    }
}

impl Request {
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(String::as_str)
    }
}

impl Reply {
    pub(super) fn status(status: u16) -> Self {
        Self { status, headers: Vec::new(), body: Vec::new(), delivery: Delivery::Whole }
    }

    pub(super) fn ok(content_type: &str, body: impl Into<Vec<u8>>) -> Self {
        Self { body: body.into(), ..Self::status(200) }.with("Content-Type", content_type)
    }

    pub(super) fn json(body: impl Into<Vec<u8>>) -> Self {
        Self::ok("application/vnd.pypi.simple.v1+json", body)
    }

    pub(super) fn html(body: impl Into<Vec<u8>>) -> Self {
        Self::ok("text/html; charset=utf-8", body)
    }

    pub(super) fn redirect(to: &str) -> Self {
        Self::status(302).with("Location", to)
    }

    pub(super) fn with(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    pub(super) fn delivered(self, delivery: Delivery) -> Self {
        Self { delivery, ..self }
    }

    /// A file, with support for ranges.
    pub(super) fn file(request: &Request, bytes: &[u8]) -> Self {
        let whole = Self::ok("application/octet-stream", bytes);
        let Some(range) = request.header("range").and_then(|range| range.strip_prefix("bytes=")) else {
            return whole;
        };
        let (start, end) = range.split_once('-').unwrap();
        let len = bytes.len();
        let (start, end) = match (start.parse::<usize>(), end.parse::<usize>()) {
            (Err(_), Ok(last)) => (len.saturating_sub(last), len),
            (Ok(start), Ok(end)) => (start, (end + 1).min(len)),
            other => panic!("{other:?}"),
        };
        let range = format!("bytes {start}-{}/{len}", end - 1);
        Self { status: 206, body: bytes[start..end].to_vec(), ..whole }.with("Content-Range", &range)
    }
}

fn serve(stream: &TcpStream, answer: &dyn Fn(&Request) -> Reply, log: &Mutex<Vec<Request>>) {
    let Some(request) = read(stream, log) else { return };
    let reply = answer(&request);
    // The client may have gone away: that is its right.
    let _ = send(stream, &reply);
}

fn read(stream: &TcpStream, log: &Mutex<Vec<Request>>) -> Option<Request> {
    let mut lines = BufReader::new(stream).lines().map_while(Result::ok).take_while(|line| !line.is_empty());
    let path = lines.next()?.split(' ').nth(1)?.to_owned();
    let split = |line: String| line.split_once(": ").map(|(n, v)| (n.to_lowercase(), v.to_owned()));
    let headers = lines.filter_map(split).collect();
    let mut log = log.lock().unwrap();
    let before = log.iter().filter(|request| request.path == path).count();
    let request = Request { path, headers, before };
    log.push(request.clone());
    Some(request)
}

fn send(mut stream: &TcpStream, reply: &Reply) -> std::io::Result<()> {
    let mut head = format!("HTTP/1.1 {} X\r\nConnection: close\r\n", reply.status);
    for (name, value) in &reply.headers {
        head += &format!("{name}: {value}\r\n");
    }
    let framed = matches!(reply.delivery, Delivery::Whole | Delivery::CutAt(_)) && reply.status != 304;
    if framed {
        head += &format!("Content-Length: {}\r\n", reply.body.len());
    }
    head += "\r\n";
    let body = reply.body.as_slice();
    match reply.delivery {
        Delivery::HangUp => return Ok(()),
        Delivery::Silent => {
            // Waits until the client closes the connection.
            let _ = std::io::copy(&mut stream, &mut std::io::sink());
            return Ok(());
        }
        _ => stream.write_all(head.as_bytes())?,
    }
    match reply.delivery {
        Delivery::CutAt(len) | Delivery::UnframedUpTo(len) => stream.write_all(&body[..len.min(body.len())]),
        Delivery::Endless => loop {
            stream.write_all(body)?;
        },
        _ => stream.write_all(body),
    }
}

/// A zip archive of these members.
pub(super) fn zip_of(members: &[(&str, &[u8])]) -> Vec<u8> {
    let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (path, bytes) in members {
        writer.start_file(*path, zip::write::SimpleFileOptions::default()).unwrap();
        writer.write_all(bytes).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

/// A gzipped tar archive of these members.
pub(super) fn tar_gz_of(members: &[(&str, &[u8])]) -> Vec<u8> {
    let packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    let mut archive = tar::Builder::new(packed);
    for (path, bytes) in members {
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        archive.append_data(&mut header, path, *bytes).unwrap();
    }
    archive.into_inner().unwrap().finish().unwrap()
}

/// A wheel of `name` at `version` that requires `requires`.
pub(super) fn wheel(name: &str, version: &str, requires: &[&str]) -> Vec<u8> {
    let metadata = metadata(name, version, requires);
    zip_of(&[
        (&format!("{name}/__init__.py"), b"pass\n".repeat(4000).as_slice()),
        (&format!("{name}-{version}.dist-info/METADATA"), metadata.as_bytes()),
        (&format!("{name}-{version}.dist-info/RECORD"), b""),
    ])
}

/// The text of a METADATA file.
pub(super) fn metadata(name: &str, version: &str, requires: &[&str]) -> String {
    let mut text = format!("Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n");
    for requirement in requires {
        text += &format!("Requires-Dist: {requirement}\n");
    }
    text + "\nA description\n"
}
