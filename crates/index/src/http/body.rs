//! The bodies of answers: how large they may be, where they end, how they are unpacked.

use std::io::Read as _;

use reqwest::header::{self, HeaderMap, HeaderValue};
use reqwest::{Response, Version};
use url::Url;

use super::{Ask, Most, Trouble, again};
use crate::failure::Failure;
use crate::url::shown;
use pinfast_base::error::Error;

/// Whether one can tell a whole body from a cut one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// Its length was said, or it was sent in frames or chunks.
    Known,
    /// It went on until the connection closed.
    Unknown,
    /// It was left off where that was enough.
    LeftOff,
}

/// Where the body of `response` ends.
pub(super) fn end_of(response: &Response) -> End {
    let headers = response.headers();
    let said =
        headers.contains_key(header::CONTENT_LENGTH) || headers.contains_key(header::TRANSFER_ENCODING);
    if said || response.version() >= Version::HTTP_2 { End::Known } else { End::Unknown }
}

/// How much room a body is given in advance: what the server says, within reason.
pub(super) fn expected(response: &Response, most: Most) -> usize {
    let said = response.content_length().unwrap_or(0).min(most.bytes).min(64 << 20);
    usize::try_from(said).unwrap_or(0)
}

/// Refuses a body that is too large.
pub(super) fn check_size(ask: &Ask, size: u64) -> Result<(), Trouble> {
    if size > ask.most.bytes { Err(Trouble::Stop(too_big(&ask.url, ask.most))) } else { Ok(()) }
}

/// The failure of a body with more than `most` bytes.
fn too_big(url: &Url, most: Most) -> Failure {
    let Most { bytes, what, variable } = most;
    Failure::last(
        Error::no_answer(format!("cannot get {}: {what} may have {bytes} bytes at most", shown(url)))
            .hint(format!("{variable}=BYTES raises the limit")),
    )
}

/// How much room `packed` is given in advance: what its end says that it holds (RFC 1952, ISIZE), within reason.
fn unpacked_length(packed: &[u8], most: Most) -> usize {
    const MOST_TIMES: usize = 1032;
    let said = packed.last_chunk::<4>().map_or(0, |bytes| u32::from_le_bytes(*bytes) as usize);
    said.min(packed.len().saturating_mul(MOST_TIMES))
        .min(usize::try_from(most.bytes).unwrap_or(usize::MAX))
        .min(64 << 20)
}

/// Undoes the `Content-Encoding`.
pub(super) fn unpack(body: Vec<u8>, headers: &HeaderMap, most: Most, url: &Url) -> Result<Vec<u8>, Trouble> {
    let encoding = headers.get(header::CONTENT_ENCODING).map(HeaderValue::as_bytes);
    match encoding {
        None | Some(b"" | b"identity") => Ok(body),
        Some(b"gzip" | b"x-gzip") => {
            let mut plain = Vec::with_capacity(unpacked_length(&body, most));
            let mut reader = flate2::bufread::MultiGzDecoder::new(body.as_slice()).take(most.bytes + 1);
            reader.read_to_end(&mut plain).map_err(|error| again(format!("its gzip is broken: {error}")))?;
            if plain.len() as u64 > most.bytes {
                return Err(Trouble::Stop(too_big(url, most)));
            }
            Ok(plain)
        }
        Some(other) => {
            Err(again(format!("its encoding `{}` is unknown", String::from_utf8_lossy(other).escape_debug())))
        }
    }
}
