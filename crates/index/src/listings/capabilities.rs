//! What a run has learnt about an index. Every fact saves requests; none changes an answer.

use std::sync::atomic::{AtomicBool, Ordering};

use crate::once_map::OnceMap;

/// Which pages an index has.
#[derive(Default)]
pub(super) struct IndexCapabilities {
    /// The JSON API lacked a project that the Simple API has.
    no_json_api: AtomicBool,
    /// A page of the JSON API began with a project's newest release.
    has_json_api: AtomicBool,
    /// The page of a release was absent, although the JSON API had named the release.
    no_release_pages: AtomicBool,
    /// The Simple API has no JSON. Its HTML lacks sizes and upload times.
    no_simple_json: AtomicBool,
    /// Done once the first page of a release has shown whether there are such pages.
    pub(super) release_page_probe: OnceMap<(), ()>,
}

// Relaxed is enough: each flag stands alone and is only ever set. Who reads it late sends one request too many.
impl IndexCapabilities {
    pub(super) fn note_no_json_api(&self) {
        self.no_json_api.store(true, Ordering::Relaxed);
    }

    pub(super) fn note_json_api(&self) {
        self.has_json_api.store(true, Ordering::Relaxed);
    }

    pub(super) fn note_no_release_pages(&self) {
        self.no_release_pages.store(true, Ordering::Relaxed);
    }

    pub(super) fn note_no_simple_json(&self) {
        self.no_simple_json.store(true, Ordering::Relaxed);
    }

    pub(super) fn may_have_json_api(&self) -> bool {
        !self.no_json_api.load(Ordering::Relaxed)
    }

    pub(super) fn may_have_release_pages(&self) -> bool {
        self.may_have_json_api() && !self.no_release_pages.load(Ordering::Relaxed)
    }

    /// Whether a whole listing should come from the Simple API in JSON. It is shorter and has more fields; the JSON
    /// API's `info`, which it lacks, came with the newest release already.
    pub(super) fn prefers_simple_json(&self) -> bool {
        self.has_json_api.load(Ordering::Relaxed) && !self.no_simple_json.load(Ordering::Relaxed)
    }
}
