//! What will be asked soon is under way by then.

use std::sync::Arc;

use super::Shared;
use super::release::Stead;
use pinfast_solve::{IndexQuery, Trust};

/// So many wants are looked for by whoever expects them, where that is quick.
const FEW: usize = 2;

impl Shared {
    /// Whether it was asked for before: most of what the solver expects was.
    pub(super) fn was_asked(&self, want: &IndexQuery) -> bool {
        match want {
            IndexQuery::Listing(name) => self.listings.was_asked(name),
            IndexQuery::Release(name, version) => {
                self.listings.was_asked(name) || self.releases.was_asked(&(name.clone(), version.clone()))
            }
            IndexQuery::Newest(name) => self.listings.was_asked(name) || self.newest.was_asked(name),
            IndexQuery::Metadata(file, _) => self.metadata.was_asked(file.url.as_text()),
        }
    }

    /// Begins with what is new of these, without waiting for an answer.
    pub(super) fn expect<'w>(self: &Arc<Self>, wants: impl Iterator<Item = &'w IndexQuery>) {
        let new: Vec<_> = wants.filter(|want| !self.was_asked(want) && !self.recalls(want)).collect();
        if new.len() <= FEW && !self.is_connected() && new.iter().all(|want| self.is_at_hand(want)) {
            // It is there sooner than a thread that looks for it.
            return new.iter().for_each(|want| self.begin(want));
        }
        for want in new {
            let (shared, want) = (self.clone(), want.clone());
            self.workers.spawn(move || shared.begin(&want));
        }
    }

    /// Begins with what is new of these, likewise, unless that would take the first connection.
    pub(super) fn foresee<'w>(self: &Arc<Self>, wants: impl Iterator<Item = &'w IndexQuery>) {
        let is_connected = self.is_connected();
        self.expect(wants.filter(|want| is_connected || self.is_on_disk(want)));
    }

    fn is_connected(&self) -> bool {
        self.net.get().is_some()
    }

    /// Whether it takes a glance at the cache, and perhaps a request that somebody else waits for.
    fn is_at_hand(&self, want: &IndexQuery) -> bool {
        match want {
            IndexQuery::Metadata(file, trust) => {
                self.has_word_of(file) || (*trust == Trust::Release && self.released(file).is_some())
            }
            IndexQuery::Listing(_) | IndexQuery::Release(..) | IndexQuery::Newest(_) => {
                let mut sites = self.sites.iter().chain(self.sources.values());
                self.config.find_links.is_empty() && sites.all(|site| site.folder.is_none())
            }
        }
    }

    /// Whether no connection is needed for it.
    fn is_on_disk(&self, want: &IndexQuery) -> bool {
        matches!(want, IndexQuery::Metadata(file, _) if file.url.scheme() == "file" || self.has_word_of(file))
    }

    pub(super) fn begin(self: &Arc<Self>, want: &IndexQuery) {
        if self.was_asked(want) {
            return;
        }
        match want {
            IndexQuery::Listing(name) => drop(self.want_listing(name)),
            IndexQuery::Release(name, version) => drop(self.want_release(name, version, Stead::Itself)),
            IndexQuery::Newest(name) => drop(self.want_newest(name)),
            IndexQuery::Metadata(file, Trust::Release)
                if !self.has_word_of(file) && self.released(file).is_some() => {}
            IndexQuery::Metadata(file, _) => drop(self.want_metadata(file)),
        }
    }
}
