//! Reading a body only as far as its beginning is enough.
//!
//! Over HTTP/2, cancelling the rest costs no more than what is already on its way. Over HTTP/1.1 it closes the
//! connection, so only a large rest is worth it.

use std::io::{self, Write as _};

use flate2::write::MultiGzDecoder;
use reqwest::header::{self, HeaderValue};
use reqwest::{Response, Version};

use super::request::IsEnough;

/// A rest of so many bytes is read rather than cancelled. Over HTTP/2: about what a further request costs. Over
/// HTTP/1.1: about what arrives while another connection is made.
const SMALL_REST: u64 = 16 << 10;
const SMALL_REST_HTTP_1: u64 = 1 << 20;

/// The beginning must be enough within so many decompressed bytes, else the whole body is read.
const LONGEST_PREFIX: usize = 4 << 20;

/// So many compressed bytes are decompressed at a time: even a decompression bomb makes a few megabytes of them.
const CHUNK: usize = 4 << 10;

/// Decompresses a body while it arrives, and checks whether it is enough.
pub(super) struct PrefixReader {
    is_enough: IsEnough,
    plain: PlainPrefix,
    /// Bytes of the body still to come, as the server announced.
    remaining: u64,
    /// A rest of so many bytes is read rather than cancelled.
    small_rest: u64,
    /// The decompressed length from which on the next check pays: a quarter more than at the last one.
    next_check: usize,
}

/// What to do with the rest of the body.
pub(super) enum PrefixProgress {
    /// Read on, and check again.
    Continue,
    /// Read the whole body, without checking.
    ReadAll,
    /// Stop reading: this is the beginning, decompressed.
    Enough(Vec<u8>),
}

/// What has arrived, decompressed.
enum PlainPrefix {
    Identity(Vec<u8>),
    Gzip(Box<MultiGzDecoder<Vec<u8>>>),
}

impl PrefixReader {
    pub(super) fn new(is_enough: IsEnough, response: &Response) -> Self {
        let encoding = response.headers().get(header::CONTENT_ENCODING).map(HeaderValue::as_bytes);
        let plain = match encoding {
            Some(b"gzip" | b"x-gzip") => PlainPrefix::Gzip(Box::new(MultiGzDecoder::new(Vec::new()))),
            _ => PlainPrefix::Identity(Vec::new()),
        };
        let small_rest = if response.version() == Version::HTTP_2 { SMALL_REST } else { SMALL_REST_HTTP_1 };
        // Without a length, the rest counts as large: stopping early then costs at most a connection.
        let remaining = response.content_length().unwrap_or(u64::MAX);
        Self { is_enough, plain, remaining, small_rest, next_check: 0 }
    }

    /// Takes the next piece. What cannot be decompressed here is left to the reader of the whole body.
    pub(super) fn push(&mut self, piece: &[u8]) -> PrefixProgress {
        self.remaining = self.remaining.saturating_sub(piece.len() as u64);
        if self.remaining <= self.small_rest {
            return PrefixProgress::ReadAll;
        }
        // Decompressed chunk by chunk, so that the limit is checked before a bomb has unfolded.
        for chunk in piece.chunks(CHUNK) {
            if self.plain.push(chunk).is_err() || self.plain.bytes().len() > LONGEST_PREFIX {
                return PrefixProgress::ReadAll;
            }
        }
        let plain = self.plain.bytes();
        // Each check parses from the start, so checking every piece would take quadratic time.
        if plain.len() < self.next_check {
            return PrefixProgress::Continue;
        }
        // A quarter more each time: all checks together then parse at most five times the prefix.
        self.next_check = plain.len() + plain.len() / 4;
        if (self.is_enough)(plain) {
            PrefixProgress::Enough(std::mem::take(plain))
        } else {
            PrefixProgress::Continue
        }
    }
}

impl PlainPrefix {
    fn push(&mut self, compressed: &[u8]) -> io::Result<()> {
        match self {
            Self::Identity(plain) => plain.extend_from_slice(compressed),
            // Flushed at once: what has arrived must be visible, since the rest may never be read.
            Self::Gzip(decoder) => decoder.write_all(compressed).and_then(|()| decoder.flush())?,
        }
        Ok(())
    }

    fn bytes(&mut self) -> &mut Vec<u8> {
        match self {
            Self::Identity(plain) => plain,
            Self::Gzip(decoder) => decoder.get_mut(),
        }
    }
}
