//! One connection: requests are read and answered until either side closes it.

use std::io::{self, BufRead, BufReader, Read};
use std::net::TcpStream;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;

use super::{Response, Shared, lock};

/// The head of a request.
#[derive(Clone, Debug)]
pub struct Request {
    /// `GET` or `HEAD`.
    pub method: String,
    /// The path as the client sent it, with the query.
    pub path: String,
    /// How many requests of this path came before.
    pub earlier: usize,
    headers: Vec<(String, String)>,
}

impl Request {
    /// The value of a header, whose name is given in lower case.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// The same without a header.
    pub(super) fn without(&self, name: &str) -> Self {
        let mut request = self.clone();
        request.headers.retain(|(key, _)| key != name);
        request
    }

    /// Whether it carries this user and password.
    pub(super) fn is_from(&self, user: &str, password: &str) -> bool {
        let expected = format!("Basic {}", BASE64_STANDARD.encode(format!("{user}:{password}")));
        self.header("authorization") == Some(&expected)
    }

    /// Reads one; `None` at the end of the connection.
    fn read(from: &mut impl BufRead) -> io::Result<Option<Self>> {
        let first = line(from)?;
        let mut words = first.split(' ');
        let (Some(method), Some(path)) = (words.next(), words.next()) else { return Ok(None) };
        let mut headers = Vec::new();
        loop {
            let line = line(from)?;
            let Some((name, value)) = line.split_once(':') else { break };
            headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
        }
        Ok(Some(Self { method: method.to_owned(), path: path.to_owned(), earlier: 0, headers }))
    }
}

/// A line without its end, of at most 64 KiB.
fn line(from: &mut impl BufRead) -> io::Result<String> {
    let mut line = String::new();
    from.by_ref().take(1 << 16).read_line(&mut line)?;
    line.truncate(line.trim_end().len());
    Ok(line)
}

/// Answers the requests that come on `stream`.
pub(super) fn serve(stream: &TcpStream, shared: &Shared) {
    let mut reader = BufReader::new(stream);
    while let Ok(Some(mut request)) = Request::read(&mut reader) {
        begin(shared, &mut request);
        let response = respond(shared, &request);
        let goes_on = response.send(stream).unwrap_or(false);
        lock(&shared.log).in_flight -= 1;
        if !goes_on {
            break;
        }
    }
    drop(stream.shutdown(std::net::Shutdown::Both));
}

fn begin(shared: &Shared, request: &mut Request) {
    let mut log = lock(&shared.log);
    request.earlier = log.requests.iter().filter(|other| other.path == request.path).count();
    log.requests.push(request.clone());
    log.in_flight += 1;
    log.most_in_flight = log.most_in_flight.max(log.in_flight);
}

fn respond(shared: &Shared, request: &Request) -> Response {
    // Taken out first: a fault may wait, and the lock must not.
    let fault = lock(&shared.rules).take(&request.path);
    let response = match fault {
        Some(fault) => fault.apply(request, |request| shared.respond(request)),
        None => shared.respond(request),
    };
    if request.method == "HEAD" { response.without_body() } else { response }
}
