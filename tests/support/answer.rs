//! An answer, and how it is written.

use std::io::{self, Write};

/// An answer to a request.
#[derive(Clone, Debug, Default)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) headers: Vec<(&'static str, String)>,
    pub(super) body: Vec<u8>,
    /// Break the connection off after so many bytes of the body.
    pub(super) cut: Option<usize>,
}

impl Answer {
    /// An answer with nothing but a status, and its number as the body.
    pub(super) fn status(status: u16) -> Self {
        let body = if status == 304 { Vec::new() } else { status.to_string().into_bytes() };
        Self { status, body, ..Self::default() }
    }

    /// `200` with this body.
    pub(super) fn ok(content_type: &str, body: impl Into<Vec<u8>>) -> Self {
        Self { status: 200, body: body.into(), ..Self::default() }.header("Content-Type", content_type)
    }

    /// With a header.
    pub(super) fn header(mut self, name: &'static str, value: &str) -> Self {
        self.headers.push((name, value.to_owned()));
        self
    }

    /// With another last byte of the body.
    pub(super) fn corrupted(mut self) -> Self {
        if let Some(last) = self.body.last_mut() {
            *last ^= 1;
        }
        self
    }

    /// Writes it; says whether the connection may go on.
    pub(super) fn write(&self, mut to: impl Write) -> io::Result<bool> {
        let mut text = format!("HTTP/1.1 {} {}\r\n", self.status, reason(self.status)).into_bytes();
        for (name, value) in &self.headers {
            write!(text, "{name}: {value}\r\n")?;
        }
        if self.status != 304 {
            write!(text, "Content-Length: {}\r\n", self.body.len())?;
        }
        text.extend_from_slice(b"\r\n");
        text.extend(self.body.iter().take(self.cut.unwrap_or(usize::MAX)));
        to.write_all(&text)?;
        Ok(self.cut.is_none())
    }
}

fn reason(status: u16) -> &'static str {
    match status {
        200..300 => "OK",
        300..400 => "Elsewhere",
        400..500 => "Your Fault",
        _ => "My Fault",
    }
}
