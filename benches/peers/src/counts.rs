//! Counts of the requests to a server.

use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use serde::Serialize;

/// The requests since the last [`RequestCounter::take`].
#[derive(Default)]
pub(crate) struct RequestCounter(Mutex<OpenCounts>);

#[derive(Default)]
struct OpenCounts {
    counts: RequestCounts,
    spans: Vec<(Instant, Instant)>,
    missing: Vec<String>,
}

/// The requests of one run.
#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct RequestCounts {
    pub(crate) requests: u64,
    /// Requests answered with "not modified".
    pub(crate) unchanged: u64,
    /// Bytes sent, TLS and all.
    pub(crate) bytes: u64,
    pub(crate) connections: u64,
    /// The longest chain of requests in which each began after the response to the one before.
    pub(crate) in_a_row: u64,
}

impl RequestCounter {
    pub(crate) fn connection(&self) {
        self.change(|open| open.counts.connections += 1);
    }

    pub(crate) fn sent(&self, bytes: usize) {
        self.change(|open| open.counts.bytes += bytes as u64);
    }

    pub(crate) fn answered(&self, begin: Instant, end: Instant) {
        self.change(|open| {
            open.counts.requests += 1;
            open.spans.push((begin, end));
        });
    }

    pub(crate) fn unchanged(&self) {
        self.change(|open| open.counts.unchanged += 1);
    }

    /// Counts a request for something that is not recorded.
    pub(crate) fn missing(&self, path: &str) {
        self.change(|open| open.missing.push(path.to_owned()));
    }

    /// Returns the counts and the missing paths, and resets them.
    pub(crate) fn take(&self) -> (RequestCounts, Vec<String>) {
        let mut open = std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner));
        open.counts.in_a_row = in_a_row(&mut open.spans);
        (open.counts, open.missing)
    }

    fn change(&self, change: impl FnOnce(&mut OpenCounts)) {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner));
    }
}

/// The largest number of spans of which no two overlap (interval scheduling: always take the one that ends first).
fn in_a_row<T: Ord + Copy>(spans: &mut [(T, T)]) -> u64 {
    spans.sort_by_key(|(_, end)| *end);
    let (mut count, mut last) = (0, None);
    for &mut (begin, end) in spans {
        if last.is_none_or(|last| begin >= last) {
            count += 1;
            last = Some(end);
        }
    }
    count
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_in_a_row_are_counted() {
        assert_eq!(in_a_row::<u8>(&mut []), 0);
        assert_eq!(in_a_row(&mut [(0, 3), (0, 3), (1, 4), (3, 6), (4, 7), (7, 9)]), 3);
        assert_eq!(in_a_row(&mut [(0, 10), (1, 2), (2, 3), (3, 4)]), 3);
    }
}
