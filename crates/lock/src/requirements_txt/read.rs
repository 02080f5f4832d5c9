//! A requirements file of pinfast, pip-compile or uv -> a lock.

use std::sync::Arc;

use super::pins::PinReader;
use super::{builds, header};
use crate::duplicates::find_duplicates;
use crate::problem::LockFileProblems;
use crate::{Lock, LockOption};
use pinfast_packaging::{CommentLine, LineEnds, LogicalLines, ScannedLine};

/// What a requirements file holds.
pub(crate) struct ReadRequirements {
    pub(crate) lock: Lock,
    pub(crate) options: Vec<LockOption>,
    pub(crate) problems: LockFileProblems,
}

/// The lock alone, whatever its problems.
pub(super) fn read_lock(text: &str) -> Lock {
    read(text, &"".into()).lock
}

/// Reads `text`, which was in `file`.
pub(crate) fn read(text: &str, file: &Arc<str>) -> ReadRequirements {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut reader = PinReader::new(file);
    let mut lines = LogicalLines::new(text, 1, LineEnds::Newline);
    let mut first_build: Option<CommentLine<'_>> = None;
    while let Some(line) = lines.next() {
        match line {
            ScannedLine::Comment(comment) => {
                if text[comment.offset..].starts_with(builds::BUILD) {
                    first_build.get_or_insert(comment);
                }
                reader.comment(comment.text);
            }
            ScannedLine::Logical(line) => reader.logical(&line),
        }
    }
    let mut read = reader.finish();
    find_duplicates(&read.pins, &mut read.problems);
    let pins = read.pins.into_iter().map(|(pin, _)| pin).collect();
    let header = header::read(text);
    // A permitted build runs code, so a comment permits one only in a lock of pinfast.
    let builds = match first_build.filter(|_| header.is_some()) {
        Some(first) => builds::read(&text[first.offset..], first.number, file, &mut read.problems),
        None => Vec::new(),
    };
    let mut lock = Lock { header, pins, builds };
    lock.sort();
    ReadRequirements { lock, options: read.options, problems: read.problems }
}
