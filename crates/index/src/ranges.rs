//! A wheel's metadata by ranged reads: most often one request for its tail.

use std::ops::Range;
use std::sync::Arc;

use reqwest::StatusCode;
use reqwest::header::{CONTENT_RANGE, HeaderMap, HeaderValue, RANGE};

use super::Shared;
use super::failure::{Failure, Outcome};
use super::http::{Answer, Ask, Decode, Packing};
use super::metadata::{is_metadata, judged};
use super::origins::Ranges;
use super::url::shown;
use super::zip::{Archive, Step, TAIL, ZipError};
use pinfast_packaging::{DistFile, WheelFilename};

/// The most requests for one wheel: its tail, its directory, its metadata, and one more each.
const MOST_REQUESTS: usize = 8;

/// What came of a ranged request.
enum Piece {
    /// These bytes, from `start` on, of `len` in all.
    Bytes { start: u64, len: u64, bytes: Vec<u8> },
    /// The server does not serve ranges.
    Refused,
}

impl Shared {
    /// The text of the wheel's METADATA; `None` where only the whole wheel can tell.
    pub(super) async fn ranged(&self, file: &DistFile, wheel: &WheelFilename) -> Outcome<Option<Vec<u8>>> {
        if self.origins.ranges(&file.url) == Ranges::Refused {
            return Ok(None);
        }
        match self.really_ranged(file, wheel).await {
            Err(failure) if failure.leaves_hope() => Ok(None),
            result => result,
        }
    }

    async fn really_ranged(&self, file: &DistFile, wheel: &WheelFilename) -> Outcome<Option<Vec<u8>>> {
        let most = self.config.limits.metadata;
        let Some(Piece::Bytes { start, len, bytes }) = self.tail(file).await? else { return Ok(None) };
        let mut archive = Archive::new(len, most);
        archive.give(start, bytes);
        for _ in 0..MOST_REQUESTS {
            match archive.read(&|path| is_metadata(path, wheel)) {
                Ok(Step::Need(range)) => {
                    match self.piece(file, &format!("bytes={}-{}", range.start, range.end - 1)).await? {
                        Piece::Bytes { start, len: said, bytes }
                            if said == len && covers(start, &bytes, &range) =>
                        {
                            archive.give(start, bytes);
                        }
                        _ => return Ok(None),
                    }
                }
                Ok(Step::Done(Some(text))) => return Ok(Some(text)),
                // What is broken may have been broken in transit: the whole wheel, hash-checked, decides.
                Ok(Step::Done(None)) | Err(ZipError::Broken(_)) => return Ok(None),
                Err(error @ ZipError::TooBig) => return Err(judged(error, &shown(&file.url), most).into()),
            }
        }
        Ok(None)
    }

    /// The end of the wheel, by its size where the index tells it: not every server knows suffix ranges.
    async fn tail(&self, file: &DistFile) -> Outcome<Option<Piece>> {
        let range = match file.size.filter(|size| *size > 0) {
            Some(size) => format!("bytes={}-{}", size.saturating_sub(TAIL), size - 1),
            None => format!("bytes=-{TAIL}"),
        };
        match self.piece(file, &range).await? {
            Piece::Refused => {
                self.origins.refuses_ranges(&file.url);
                Ok(None)
            }
            piece => Ok(Some(piece)),
        }
    }

    async fn piece(&self, file: &DistFile, range: &str) -> Outcome<Piece> {
        let value = HeaderValue::from_str(range).map_err(|_| Failure::abandoned())?;
        let ask = self.ask_metadata(url::Url::clone(&file.url));
        let ask = Ask { packing: Packing::Identity, headers: vec![(RANGE, value)], ..ask };
        let read: Decode<Piece> = Arc::new(|answer: Answer| match answer.status {
            StatusCode::PARTIAL_CONTENT => {
                let (start, len) = content_range(&answer.headers, answer.body.len() as u64)
                    .ok_or_else(|| "its Content-Range does not fit what came".to_owned())?;
                Ok(Piece::Bytes { start, len, bytes: answer.body })
            }
            _ => Ok(Piece::Refused),
        });
        Ok(self.http(&ask.url).await?.get(&ask, &read).await?)
    }
}

fn covers(start: u64, bytes: &[u8], range: &Range<u64>) -> bool {
    start <= range.start && range.end <= start + bytes.len() as u64
}

/// Start and length of the whole from `bytes START-END/LEN`, if they fit a body of `got` bytes.
fn content_range(headers: &HeaderMap, got: u64) -> Option<(u64, u64)> {
    let text = headers.get(CONTENT_RANGE)?.to_str().ok()?.strip_prefix("bytes ")?;
    let (range, len) = text.split_once('/')?;
    let (start, end) = range.split_once('-')?;
    let (start, end, len): (u64, u64, u64) = (start.parse().ok()?, end.parse().ok()?, len.parse().ok()?);
    (end.checked_sub(start)?.checked_add(1)? == got && end < len).then_some((start, len))
}
