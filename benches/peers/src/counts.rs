//! What a server was asked for.

use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use serde::Serialize;

/// What was asked for since the last [`Counter::take`].
#[derive(Default)]
pub(crate) struct Counter(Mutex<Open>);

#[derive(Default)]
struct Open {
    counts: Counts,
    spans: Vec<(Instant, Instant)>,
    missing: Vec<String>,
}

/// What one run asked for.
#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct Counts {
    pub(crate) requests: u64,
    /// Requests answered with "not modified".
    pub(crate) unchanged: u64,
    /// Bytes sent, TLS and all.
    pub(crate) bytes: u64,
    pub(crate) connections: u64,
    /// The most requests of which each began after the one before was answered.
    pub(crate) in_a_row: u64,
}

impl Counter {
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

    /// Somebody asked for what is not recorded.
    pub(crate) fn missing(&self, path: &str) {
        self.change(|open| open.missing.push(path.to_owned()));
    }

    /// The counts and what was missing, and begins anew.
    pub(crate) fn take(&self) -> (Counts, Vec<String>) {
        let mut open = std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner));
        open.counts.in_a_row = in_a_row(&mut open.spans);
        (open.counts, open.missing)
    }

    fn change(&self, change: impl FnOnce(&mut Open)) {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner));
    }
}

/// The most spans of which no two overlap: take the one that ends first, again and again.
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
