//! A response, and how it is sent.

use std::io::{self, Write};
use std::net::TcpStream;

use super::Request;

/// A response to a request.
#[derive(Clone, Debug, Default)]
pub struct Response {
    pub(super) status: u16,
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: Vec<u8>,
    pub(super) delivery: Delivery,
}

/// How a response is sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Delivery {
    /// Well, and the connection goes on.
    #[default]
    Whole,
    /// With the length of the body, but only so many bytes of it.
    CutAt(usize),
    /// Without the length of the body; the connection closes after so many bytes.
    UnframedUpTo(usize),
    /// The body again and again, without end.
    Endless,
    /// Nothing is sent until the client gives up.
    Silent,
    /// The connection closes at once.
    HangUp,
}

impl Response {
    /// A response with this status, which is its body, too, where a body is allowed.
    #[must_use]
    pub fn status(status: u16) -> Self {
        let body = if has_body(status) { status.to_string().into_bytes() } else { Vec::new() };
        Self { status, body, ..Self::default() }
    }

    /// `200` with this body.
    #[must_use]
    pub fn ok(content_type: &str, body: impl Into<Vec<u8>>) -> Self {
        Self { status: 200, body: body.into(), ..Self::default() }.header("Content-Type", content_type)
    }

    /// A page of the Simple API in JSON (PEP 691).
    #[must_use]
    pub fn json(body: impl Into<Vec<u8>>) -> Self {
        Self::ok(super::site::SIMPLE_JSON, body)
    }

    /// A page of the Simple API in HTML (PEP 503).
    #[must_use]
    pub fn html(body: impl Into<Vec<u8>>) -> Self {
        Self::ok("text/html; charset=utf-8", body)
    }

    /// `302` to this URL or path.
    #[must_use]
    pub fn redirect(to: &str) -> Self {
        Self::status(302).header("Location", to)
    }

    /// A file, or the range of it that `request` names (RFC 9110, section 14).
    #[must_use]
    pub fn file(request: &Request, content: &[u8]) -> Self {
        Self::ok("application/octet-stream", content).ranged(request)
    }

    /// With a header.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Sent in this way.
    #[must_use]
    pub fn delivered(self, delivery: Delivery) -> Self {
        Self { delivery, ..self }
    }

    /// With another last byte of the body.
    pub(super) fn corrupted(mut self) -> Self {
        if let Some(last) = self.body.last_mut() {
            *last ^= 1;
        }
        self
    }

    /// The answer to `HEAD`: the length of the body without the body.
    pub(super) fn without_body(self) -> Self {
        self.delivered(Delivery::CutAt(0))
    }

    /// The part of the body that `request` names: `bytes=A-B`, `bytes=A-` or `bytes=-LAST`.
    pub(super) fn ranged(self, request: &Request) -> Self {
        let Some(range) = request.header("range") else { return self };
        let len = self.body.len();
        let ends = range.strip_prefix("bytes=").and_then(|range| range.split_once('-'));
        let span = ends.and_then(|(first, last)| match (first.parse::<usize>(), last.parse::<usize>()) {
            (Ok(first), Ok(last)) => Some((first, last.saturating_add(1).min(len))),
            (Ok(first), Err(_)) => Some((first, len)),
            (Err(_), Ok(count)) => Some((len.saturating_sub(count), len)),
            _ => None,
        });
        match span {
            Some((start, end)) if start < end => {
                let part = format!("bytes {start}-{}/{len}", end - 1);
                let body = self.body[start..end].to_vec();
                Self { status: 206, body, ..self }.header("Content-Range", &part)
            }
            _ => Self::status(416).header("Content-Range", &format!("bytes */{len}")),
        }
    }

    /// Sends it; returns whether the connection may go on.
    pub(super) fn send(&self, mut stream: &TcpStream) -> io::Result<bool> {
        let (head, body) = (self.head(), self.body.as_slice());
        let len = match self.delivery {
            Delivery::HangUp => return Ok(false),
            Delivery::Silent => {
                // Ends when the client closes the connection.
                let _ = io::copy(&mut stream, &mut io::sink());
                return Ok(false);
            }
            Delivery::Whole | Delivery::Endless => body.len(),
            Delivery::CutAt(len) | Delivery::UnframedUpTo(len) => len.min(body.len()),
        };
        stream.write_all(&[head.as_bytes(), &body[..len]].concat())?;
        if self.delivery == Delivery::Endless {
            loop {
                stream.write_all(body)?;
            }
        }
        // After a 1xx the client waits for the real response, which does not come.
        Ok(self.delivery == Delivery::Whole && self.status >= 200)
    }

    fn head(&self) -> String {
        let mut head = format!("HTTP/1.1 {} {}\r\n", self.status, reason(self.status));
        for (name, value) in &self.headers {
            head += &format!("{name}: {value}\r\n");
        }
        let is_framed = matches!(self.delivery, Delivery::Whole | Delivery::CutAt(_));
        if is_framed && has_body(self.status) {
            head += &format!("Content-Length: {}\r\n", self.body.len());
        }
        head + "\r\n"
    }
}

/// Whether a response of this status has a body (RFC 9110, section 6.4.1).
fn has_body(status: u16) -> bool {
    !matches!(status, 100..200 | 204 | 304)
}

fn reason(status: u16) -> &'static str {
    match status {
        200..300 => "OK",
        300..400 => "Elsewhere",
        400..500 => "Your Fault",
        _ => "My Fault",
    }
}
