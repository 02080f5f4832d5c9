//! What will be asked soon is under way by then.

use std::sync::Arc;

use super::Shared;
use super::release::Stead;
use pinfast_solve::{Trust, Want};

/// So many wants are looked for by whoever expects them, where that is quick.
const FEW: usize = 2;

impl Shared {
    /// Whether it was asked for before: most of what the solver expects was.
    pub(super) fn was_asked(&self, want: &Want) -> bool {
        match want {
            Want::Listing(name) => self.listings.was_asked(name),
            Want::Release(name, version) => {
                self.listings.was_asked(name) || self.releases.was_asked(&(name.clone(), version.clone()))
            }
            Want::Newest(name) => self.listings.was_asked(name) || self.newest.was_asked(name),
            Want::Metadata(file, _) => self.metadata.was_asked(file.url.as_text()),
        }
    }

    /// Begins with what is new of these, without waiting for an answer.
    pub(super) fn expect<'w>(self: &Arc<Self>, wants: impl Iterator<Item = &'w Want>) {
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
    pub(super) fn foresee<'w>(self: &Arc<Self>, wants: impl Iterator<Item = &'w Want>) {
        let is_connected = self.is_connected();
        self.expect(wants.filter(|want| is_connected || self.is_on_disk(want)));
    }

    fn is_connected(&self) -> bool {
        self.net.get().is_some()
    }

    /// Whether it takes a glance at the cache, and perhaps a request that somebody else waits for.
    fn is_at_hand(&self, want: &Want) -> bool {
        match want {
            Want::Metadata(file, trust) => {
                self.has_word_of(file) || (*trust == Trust::Release && self.released(file).is_some())
            }
            Want::Listing(_) | Want::Release(..) | Want::Newest(_) => {
                let mut sites = self.sites.iter().chain(self.sources.values());
                self.config.find_links.is_empty() && sites.all(|site| site.folder.is_none())
            }
        }
    }

    /// Whether no connection is needed for it.
    fn is_on_disk(&self, want: &Want) -> bool {
        matches!(want, Want::Metadata(file, _) if file.url.scheme() == "file" || self.has_word_of(file))
    }

    pub(super) fn begin(self: &Arc<Self>, want: &Want) {
        if self.was_asked(want) {
            return;
        }
        match want {
            Want::Listing(name) => drop(self.want_listing(name)),
            Want::Release(name, version) => drop(self.want_release(name, version, Stead::Itself)),
            Want::Newest(name) => drop(self.want_newest(name)),
            Want::Metadata(file, Trust::Release)
                if !self.has_word_of(file) && self.released(file).is_some() => {}
            Want::Metadata(file, _) => drop(self.want_metadata(file)),
        }
    }
}
