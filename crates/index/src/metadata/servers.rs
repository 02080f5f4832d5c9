//! What a run has learnt about servers of files. Every fact saves requests; none changes an answer.

use std::sync::Mutex;

use rustc_hash::FxHashMap;
use url::Url;

use crate::failure::{FailureKind, FetchResult};
use crate::url::UrlOrigin;
use pinfast_base::sync::unpoisoned;
use pinfast_packaging::MetadataHint;

/// What is known about each server.
#[derive(Default)]
pub(super) struct FileServers {
    by_origin: Mutex<FxHashMap<UrlOrigin, ServerCapabilities>>,
}

#[derive(Clone, Copy, Default)]
struct ServerCapabilities {
    siblings: SiblingSupport,
    ranges: RangeSupport,
}

/// Whether a server has metadata files (PEP 658) that its index does not announce.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum SiblingSupport {
    #[default]
    Unknown,
    Present,
    Absent,
}

/// Whether a server answers range requests (RFC 9110, section 14).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum RangeSupport {
    #[default]
    Assumed,
    Refused,
}

impl FileServers {
    pub(super) fn siblings(&self, url: &Url) -> SiblingSupport {
        self.capabilities(url).siblings
    }

    pub(super) fn ranges(&self, url: &Url) -> RangeSupport {
        self.capabilities(url).ranges
    }

    /// Learns from a request for a metadata file that was not announced.
    pub(super) fn note_sibling<T>(&self, url: &Url, hint: MetadataHint, result: &FetchResult<T>) {
        let learnt = match result {
            // The index announced this file, so it shows nothing about files that are not announced.
            _ if hint != MetadataHint::Unknown => return,
            Ok(_) => SiblingSupport::Present,
            // Some object stores answer 403 where a key does not exist.
            Err(failure) if matches!(failure.kind, FailureKind::Absent | FailureKind::Denied) => {
                SiblingSupport::Absent
            }
            // A broken transfer shows nothing about the server's other files.
            Err(_) => return,
        };
        self.change(url, |server| {
            // Old wheels lack the file on servers that have it for new ones: one present file decides.
            if server.siblings != SiblingSupport::Present {
                server.siblings = learnt;
            }
        });
    }

    pub(super) fn note_no_ranges(&self, url: &Url) {
        self.change(url, |server| server.ranges = RangeSupport::Refused);
    }

    fn capabilities(&self, url: &Url) -> ServerCapabilities {
        let Some(origin) = UrlOrigin::of(url) else { return ServerCapabilities::default() };
        unpoisoned(self.by_origin.lock()).get(&origin).copied().unwrap_or_default()
    }

    fn change(&self, url: &Url, change: impl FnOnce(&mut ServerCapabilities)) {
        if let Some(origin) = UrlOrigin::of(url) {
            change(unpoisoned(self.by_origin.lock()).entry(origin).or_default());
        }
    }
}
