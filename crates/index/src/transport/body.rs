//! Bodies: how large they may be, how their end is known, how they are decompressed.

use std::io::Read as _;

use reqwest::header::{self, HeaderMap, HeaderValue};
use reqwest::{Response, Version};
use url::Url;

use super::attempt::AttemptError;
use super::request::{HttpRequest, SizeLimit};
use super::response::BodyEnd;
use crate::failure::FetchFailure;
use crate::url::redacted;
use pinfast_base::error::Error;

/// The most memory that is reserved because a server announces a large body.
const MOST_RESERVED: usize = 64 << 20;

/// How the end of the body of `response` is known.
pub(super) fn end_of(response: &Response) -> BodyEnd {
    let headers = response.headers();
    let is_framed =
        headers.contains_key(header::CONTENT_LENGTH) || headers.contains_key(header::TRANSFER_ENCODING);
    if is_framed || response.version() >= Version::HTTP_2 { BodyEnd::Framed } else { BodyEnd::Unframed }
}

/// The memory to reserve for the body of `response`, in bytes.
pub(super) fn expected_length(response: &Response, limit: SizeLimit) -> usize {
    let announced = response.content_length().unwrap_or(0).min(limit.bytes);
    usize::try_from(announced).unwrap_or(0).min(MOST_RESERVED)
}

/// Fails once `size` exceeds the limit of `request`.
pub(super) fn check_size(request: &HttpRequest, size: u64) -> Result<(), AttemptError> {
    if size > request.limit.bytes { Err(too_large(&request.url, request.limit)) } else { Ok(()) }
}

fn too_large(url: &Url, limit: SizeLimit) -> AttemptError {
    let SizeLimit { bytes, what, variable } = limit;
    let message = format!("cannot get {}: {what} may have {bytes} bytes at most", redacted(url));
    let error = Error::no_answer(message).hint(format!("{variable}=BYTES raises the limit"));
    AttemptError::Fatal(FetchFailure::fatal(error))
}

/// The memory to reserve for the decompressed body: gzip ends with that length (RFC 1952, ISIZE).
fn decompressed_length(compressed: &[u8], limit: SizeLimit) -> usize {
    // Deflate cannot compress further than this, so a forged length reserves no more.
    const MOST_RATIO: usize = 1032;
    let announced = compressed.last_chunk::<4>().map_or(0, |bytes| u32::from_le_bytes(*bytes) as usize);
    announced
        .min(compressed.len().saturating_mul(MOST_RATIO))
        .min(usize::try_from(limit.bytes).unwrap_or(usize::MAX))
        .min(MOST_RESERVED)
}

/// Undoes the `Content-Encoding`.
pub(super) fn decompress(
    body: Vec<u8>,
    headers: &HeaderMap,
    limit: SizeLimit,
    url: &Url,
) -> Result<Vec<u8>, AttemptError> {
    let encoding = headers.get(header::CONTENT_ENCODING).map(HeaderValue::as_bytes);
    match encoding {
        None | Some(b"" | b"identity") => Ok(body),
        // Several members in a row are one body (RFC 1952, section 2.2).
        Some(b"gzip" | b"x-gzip") => {
            let mut plain = Vec::with_capacity(decompressed_length(&body, limit));
            // One byte more than allowed is enough to notice a decompression bomb.
            let mut reader = flate2::bufread::MultiGzDecoder::new(body.as_slice()).take(limit.bytes + 1);
            let broken = |error| AttemptError::retry(format!("its gzip is broken: {error}"));
            reader.read_to_end(&mut plain).map_err(broken)?;
            if plain.len() as u64 > limit.bytes {
                return Err(too_large(url, limit));
            }
            Ok(plain)
        }
        // Not asked for, so some proxy is at fault; the next attempt may avoid it.
        Some(other) => {
            let other = String::from_utf8_lossy(other);
            Err(AttemptError::retry(format!("its encoding `{}` is unknown", other.escape_debug())))
        }
    }
}
