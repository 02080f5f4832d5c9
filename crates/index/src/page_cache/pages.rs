//! Stored pages: when they may be used, and how they are written.

use std::sync::Arc;
use std::time::SystemTime;

use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use serde::{Deserialize, Serialize};
use url::Url;

use super::packed::{pack_listing, read_listing};
use super::policy::{CachePolicy, PageFreshness, PageStatus};
use super::records::RecordCache;
use crate::config::CacheMode;
use crate::transport::Credentials;
use pinfast_cache::{Bucket, Cache, CacheKey, CacheRecord, RecordStamp};
use pinfast_packaging::{Listing, PackageName};

/// The cache of pages in one run.
pub(crate) struct PageCache {
    records: Arc<RecordCache>,
    credentials: Arc<Credentials>,
    mode: CacheMode,
    /// The time of the run, against which freshness is measured.
    now: SystemTime,
}

/// A page in the cache.
pub(crate) struct StoredPage {
    policy: CachePolicy,
    key: CacheKey,
    record: Arc<CacheRecord>,
    /// The offset of the packed listing in the record.
    listing_start: usize,
}

/// A listing, and the cache record that holds it.
#[derive(Clone)]
pub(crate) struct CachedListing {
    pub(crate) listing: Arc<Listing>,
    /// `None` where the cache does not hold it: no cache, `no-store`, a folder, find-links.
    pub(crate) stored: Option<CacheRef>,
}

/// A reference to a cache record. The listing that came from it holds as long as the record is unchanged and fresh.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct CacheRef {
    pub(crate) key: CacheKey,
    stamp: RecordStamp,
    pub(crate) freshness: PageFreshness,
}

/// Whether a stored "no such project" may be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NegativeCaching {
    /// Yes, while it is fresh.
    Use,
    /// No, ask again: the project may just have been published.
    Bypass,
}

impl StoredPage {
    fn read(key: &CacheKey, record: CacheRecord) -> Option<Self> {
        let (policy, rest) = postcard::take_from_bytes(&record).ok()?;
        let listing_start = record.len() - rest.len();
        Some(Self { policy, key: *key, record: Arc::new(record), listing_start })
    }

    pub(crate) fn status(&self) -> PageStatus {
        self.policy.status
    }

    /// The listing; `None` where the record is damaged in spite of its checksum.
    pub(crate) fn listing(&self, name: &PackageName) -> Option<CachedListing> {
        let bytes = self.listing_start..self.record.len();
        let listing = Arc::new(read_listing(name, Arc::clone(&self.record), bytes)?);
        Some(CachedListing { listing, stored: self.cache_ref() })
    }

    pub(crate) fn cache_ref(&self) -> Option<CacheRef> {
        Some(CacheRef { key: self.key, stamp: self.record.stamp()?, freshness: self.policy.freshness })
    }

    /// The headers of a request that validates this page.
    pub(crate) fn validators(&self) -> Vec<(HeaderName, HeaderValue)> {
        match self.policy.status {
            PageStatus::Found => self.policy.validators(),
            // There is no page that a 304 could mean.
            PageStatus::Absent => Vec::new(),
        }
    }
}

impl CachedListing {
    /// A listing that no cache record holds.
    pub(crate) fn not_stored(listing: Listing) -> Self {
        Self { listing: Arc::new(listing), stored: None }
    }
}

impl PageCache {
    pub(crate) fn new(
        records: Arc<RecordCache>,
        credentials: Arc<Credentials>,
        mode: CacheMode,
        now: SystemTime,
    ) -> Self {
        Self { records, credentials, mode, now }
    }

    /// The key of the page at `url`. It has the user's name, so that no user gets another's page.
    pub(crate) fn key(&self, url: &Url) -> CacheKey {
        let login = self.credentials.login(url);
        Bucket::Pages.key(&[url.as_str(), login.as_ref().map_or("", |login| &login.user)])
    }

    pub(crate) fn get(&self, key: &CacheKey) -> Option<StoredPage> {
        let page = StoredPage::read(key, self.records.read(Bucket::Pages, key)?);
        if page.is_none() {
            self.records.warn_of_damage(key, "it cannot be read");
        }
        page
    }

    /// Whether there is a cache at all.
    pub(crate) fn is_enabled(&self) -> bool {
        self.records.cache().is_some()
    }

    /// Whether there is a page for `url`, fresh or stale.
    pub(crate) fn has_page(&self, url: &Url) -> bool {
        self.records.cache().is_some_and(|cache| cache.contains(Bucket::Pages, &self.key(url)))
    }

    /// Whether `page` may be used without a request.
    pub(crate) fn is_usable(&self, page: &StoredPage, negative: NegativeCaching) -> bool {
        // Offline there is nobody to ask again; `--refresh` uses no stored page anyway.
        let is_bypassed = page.status() == PageStatus::Absent
            && negative == NegativeCaching::Bypass
            && self.mode == CacheMode::Normal;
        self.is_fresh(page.policy.freshness) && !is_bypassed
    }

    /// Whether pages of this age may be used without a request.
    pub(crate) fn is_fresh(&self, freshness: PageFreshness) -> bool {
        match self.mode {
            CacheMode::Offline => true,
            CacheMode::Refresh => false,
            CacheMode::Normal => freshness.is_fresh(self.now),
        }
    }

    /// Whether what came from this record earlier still holds.
    pub(crate) fn still_holds(&self, stored: &CacheRef) -> bool {
        let is_unchanged = |cache: &Cache| cache.is_unchanged(Bucket::Pages, &stored.key, &stored.stamp);
        // Freshness first: it costs no system call.
        self.is_fresh(stored.freshness) && self.records.cache().is_some_and(is_unchanged)
    }

    /// Stores the listing of a page that came with `headers`, and reads it back from its packed form.
    pub(crate) fn store(&self, key: &CacheKey, headers: &HeaderMap, listing: Listing) -> CachedListing {
        // Hostile texts may not fit the packed form; such a listing is used but not stored.
        let Ok(packed) = pack_listing(&listing) else { return CachedListing::not_stored(listing) };
        let page = match CachePolicy::new(PageStatus::Found, headers, self.now) {
            Some(policy) => self.write(key, policy, &packed),
            None => {
                // It must not be stored, and no later run may take the older page for it.
                self.records.remove(Bucket::Pages, key);
                None
            }
        };
        let read_back = match page {
            Some(page) => page.listing(&listing.name),
            None => {
                let bytes = 0..packed.len();
                read_listing(&listing.name, Arc::new(packed.into()), bytes).map(CachedListing::not_stored)
            }
        };
        read_back.unwrap_or_else(|| CachedListing::not_stored(listing))
    }

    /// Stores the fact that there is no page.
    pub(crate) fn store_absence(&self, key: &CacheKey) {
        // Without the 404's own headers: negative answers have our lifetime, not the server's.
        if let Some(policy) = CachePolicy::new(PageStatus::Absent, &HeaderMap::new(), self.now) {
            self.records.write(Bucket::Pages, key, postcard::to_stdvec(&policy));
        }
    }

    /// Makes `page` fresh again, after a 304 with `headers`; `None` where it cannot be written.
    pub(crate) fn renew(&self, page: &StoredPage, headers: &HeaderMap) -> Option<StoredPage> {
        let policy = page.policy.renewed(headers, self.now);
        self.write(&page.key, policy, &page.record[page.listing_start..])
    }

    fn write(&self, key: &CacheKey, policy: CachePolicy, listing: &[u8]) -> Option<StoredPage> {
        let (record, listing_start) = self.records.attempt(|cache| {
            let head = postcard::to_stdvec(&policy).map_err(std::io::Error::other)?;
            // Read back as a mapping, so that a large listing takes no memory of its own.
            Ok((cache.write_and_map(Bucket::Pages, key, &[&head, listing])?, head.len()))
        })?;
        Some(StoredPage { policy, key: *key, record: Arc::new(record), listing_start })
    }
}
