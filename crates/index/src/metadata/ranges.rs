//! METADATA by range requests (RFC 9110, section 14): mostly one, for the wheel's tail.

use std::ops::Range;
use std::sync::Arc;

use reqwest::StatusCode;
use reqwest::header::{CONTENT_RANGE, HeaderMap, HeaderValue, RANGE};

use super::archive::{ArchiveStep, PartialArchive, TAIL, ZipReadError};
use super::requests::metadata_request;
use super::servers::{FileServers, RangeSupport};
use super::wheel::{archive_failure, is_metadata};
use crate::failure::{FetchFailure, FetchResult};
use crate::transport::{BodyEncoding, Decode, HttpRequest, HttpResponse, Transport};
use crate::url::redacted;
use pinfast_packaging::{DistFile, WheelFilename};

/// The most requests for one wheel. An honest one needs three: tail, directory, metadata.
const MOST_REQUESTS: usize = 8;

/// The answer to a range request.
enum RangeResponse {
    /// These bytes, from `start` on, of a wheel of `length` bytes.
    Piece { start: u64, length: u64, bytes: Vec<u8> },
    /// The server does not serve ranges.
    Refused,
}

/// The METADATA text; `None` where the whole wheel must be read.
pub(super) async fn fetch_ranged(
    transport: &Transport,
    servers: &FileServers,
    file: &DistFile,
    wheel: &WheelFilename,
) -> FetchResult<Option<Vec<u8>>> {
    if servers.ranges(&file.url) == RangeSupport::Refused {
        return Ok(None);
    }
    match read_pieces(transport, servers, file, wheel).await {
        Err(failure) if failure.allows_fallback() => Ok(None),
        result => result,
    }
}

async fn read_pieces(
    transport: &Transport,
    servers: &FileServers,
    file: &DistFile,
    wheel: &WheelFilename,
) -> FetchResult<Option<Vec<u8>>> {
    let most = transport.limits().metadata;
    let RangeResponse::Piece { start, length, bytes } =
        request_range(transport, file, &tail_of(file)).await?
    else {
        servers.note_no_ranges(&file.url);
        return Ok(None);
    };
    let mut archive = PartialArchive::new(length, most);
    archive.add(start, bytes);
    for _ in 0..MOST_REQUESTS {
        match archive.read(&|path| is_metadata(path, wheel)) {
            Ok(ArchiveStep::Need(range)) => {
                // HTTP's ranges include their last byte.
                let text = format!("bytes={}-{}", range.start, range.end - 1);
                match request_range(transport, file, &text).await? {
                    RangeResponse::Piece { start, length: same, bytes }
                        // Another length means that the file changed between two requests.
                        if same == length && covers(start, &bytes, &range) =>
                    {
                        archive.add(start, bytes);
                    }
                    _ => return Ok(None),
                }
            }
            Ok(ArchiveStep::Done(Some(text))) => return Ok(Some(text)),
            // It may have been broken in transit: the whole wheel, hash-checked, decides.
            Ok(ArchiveStep::Done(None)) | Err(ZipReadError::Broken(_)) => return Ok(None),
            Err(error @ ZipReadError::TooLarge) => {
                return Err(archive_failure(error, &redacted(&file.url), most).into());
            }
        }
    }
    Ok(None)
}

/// The range of the wheel's tail. It uses the size where the index has it: not every server knows suffix ranges.
fn tail_of(file: &DistFile) -> String {
    match file.size.filter(|size| *size > 0) {
        Some(size) => format!("bytes={}-{}", size.saturating_sub(TAIL), size - 1),
        None => format!("bytes=-{TAIL}"),
    }
}

async fn request_range(transport: &Transport, file: &DistFile, range: &str) -> FetchResult<RangeResponse> {
    let value = HeaderValue::from_str(range).map_err(|_| FetchFailure::internal())?;
    let request = metadata_request(url::Url::clone(&file.url), transport.limits());
    let headers = vec![(RANGE, value)];
    // A range of a compressed body would be a range of other bytes.
    let request = HttpRequest { encoding: BodyEncoding::Identity, headers, ..request };
    let read: Decode<RangeResponse> = Arc::new(|response: HttpResponse| match response.status {
        StatusCode::PARTIAL_CONTENT => {
            let (start, length) = content_range(&response.headers, response.body.len() as u64)
                .ok_or_else(|| "its Content-Range does not fit what came".to_owned())?;
            Ok(RangeResponse::Piece { start, length, bytes: response.body })
        }
        // 200: the server sends the whole wheel. `Downloads` reads that, onto the disk and with its hash checked.
        _ => Ok(RangeResponse::Refused),
    });
    transport.get(&request, &read).await
}

fn covers(start: u64, bytes: &[u8], range: &Range<u64>) -> bool {
    start <= range.start && range.end <= start + bytes.len() as u64
}

/// START and LENGTH of `bytes START-END/LENGTH`, if they fit a body of `received` bytes.
fn content_range(headers: &HeaderMap, received: u64) -> Option<(u64, u64)> {
    let text = headers.get(CONTENT_RANGE)?.to_str().ok()?.strip_prefix("bytes ")?;
    let (range, length) = text.split_once('/')?;
    let (start, end) = range.split_once('-')?;
    let (start, end, length): (u64, u64, u64) =
        (start.parse().ok()?, end.parse().ok()?, length.parse().ok()?);
    (end.checked_sub(start)?.checked_add(1)? == received && end < length).then_some((start, length))
}
