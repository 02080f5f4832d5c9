//! Bodies of which the beginning may be enough.
//!
//! Over HTTP/2 the rest is called off, and costs no more than what is on its way. Over HTTP/1.1 that closes the
//! connection, so that only a large rest is worth it.

use std::io::{self, Write as _};

use flate2::write::MultiGzDecoder;
use reqwest::header::{self, HeaderValue};
use reqwest::{Response, Version};

use super::Enough;

/// How many bytes of a body are rather read than left off: over HTTP/2 about as many as it costs to ask for what they
/// would have told, over HTTP/1.1 about as many as come in the time that another connection takes.
const REST: u64 = 16 << 10;
const REST_OF_HTTP_1: u64 = 1 << 20;

/// In how many bytes, unpacked, the beginning has to be found: longer pages are read to their end.
const FAR: usize = 4 << 20;

/// Looks at a body while it comes.
pub(super) struct Glance {
    enough: Enough,
    plain: Plain,
    /// How many bytes of the body are still to come, as far as that is said.
    left: u64,
    /// How many of them are rather read than left off.
    rest: u64,
    /// From how many unpacked bytes on another look pays: a quarter more than at the last.
    next: usize,
}

/// How many packed bytes are unpacked at a time: a few megabytes at most come of them, whatever they are.
const GULP: usize = 4 << 10;

/// What a look comes to.
pub(super) enum Look {
    /// More of the body is needed to tell.
    On,
    /// The whole is to be read.
    Off,
    /// The rest may be left off: this is the beginning, unpacked.
    Enough(Vec<u8>),
}

/// A body as far as it came, unpacked.
enum Plain {
    AsSent(Vec<u8>),
    Gunzipped(Box<MultiGzDecoder<Vec<u8>>>),
}

impl Glance {
    /// Looks at the body of `response` until that is `enough`.
    pub(super) fn new(enough: Enough, response: &Response) -> Self {
        let packing = response.headers().get(header::CONTENT_ENCODING).map(HeaderValue::as_bytes);
        let plain = match packing {
            Some(b"gzip" | b"x-gzip") => Plain::Gunzipped(Box::new(MultiGzDecoder::new(Vec::new()))),
            _ => Plain::AsSent(Vec::new()),
        };
        let rest = if response.version() == Version::HTTP_2 { REST } else { REST_OF_HTTP_1 };
        Self { enough, plain, left: response.content_length().unwrap_or(u64::MAX), rest, next: 0 }
    }

    /// Looks at the next piece. What cannot be unpacked is left to whoever reads the whole.
    pub(super) fn look(&mut self, piece: &[u8]) -> Look {
        self.left = self.left.saturating_sub(piece.len() as u64);
        if self.left <= self.rest {
            return Look::Off;
        }
        for gulp in piece.chunks(GULP) {
            if self.plain.add(gulp).is_err() || self.plain.bytes().len() > FAR {
                return Look::Off;
            }
        }
        let plain = self.plain.bytes();
        if plain.len() < self.next {
            return Look::On;
        }
        self.next = plain.len() + plain.len() / 4;
        if (self.enough)(plain) { Look::Enough(std::mem::take(plain)) } else { Look::On }
    }
}

impl Plain {
    fn add(&mut self, packed: &[u8]) -> io::Result<()> {
        match self {
            Self::AsSent(plain) => plain.extend_from_slice(packed),
            Self::Gunzipped(gunzip) => gunzip.write_all(packed).and_then(|()| gunzip.flush())?,
        }
        Ok(())
    }

    fn bytes(&mut self) -> &mut Vec<u8> {
        match self {
            Self::AsSent(plain) => plain,
            Self::Gunzipped(gunzip) => gunzip.get_mut(),
        }
    }
}
