//! All releases of a project.

use std::sync::Arc;

use url::Url;

use super::flat_index::FlatIndexes;
use super::index_set::IndexSet;
use super::local;
use super::pages::{PageFetcher, PageKind, PageReader, StoreAs};
use super::registry::{IndexApi, RegistryIndex};
use crate::failure::{FailureKind, FetchFailure, FetchResult};
use crate::formats::merge;
use crate::once_map::{OnceMap, OnceSlot};
use crate::page_cache::{CachedListing, NegativeCaching, PageStatus};
use crate::url::redacted;
use pinfast_base::error::Error;
use pinfast_packaging::{Listing, PackageName};

/// The listings of projects; `None` for a project that no index knows.
pub(crate) struct Listings {
    fetcher: PageFetcher,
    indexes: Arc<IndexSet>,
    flat: FlatIndexes,
    listings: OnceMap<PackageName, Option<CachedListing>>,
}

impl Listings {
    pub(crate) fn new(fetcher: PageFetcher, indexes: Arc<IndexSet>, flat: FlatIndexes) -> Self {
        Self { fetcher, indexes, flat, listings: OnceMap::default() }
    }

    /// Begins to look for the listing of `name`, unless that has begun.
    pub(crate) fn start(self: &Arc<Self>, name: &PackageName) -> Arc<OnceSlot<Option<CachedListing>>> {
        let (slot, completer) = self.listings.register(name.clone());
        if let Some(completer) = completer {
            let (listings, name) = (self.clone(), name.clone());
            self.fetcher.transport.spawn(async move { completer.done(listings.find(&name).await) });
        }
        slot
    }

    pub(crate) fn is_started(&self, name: &PackageName) -> bool {
        self.listings.is_registered(name)
    }

    /// The listing, where it is there already.
    pub(crate) fn get(&self, name: &PackageName) -> Option<FetchResult<Option<CachedListing>>> {
        self.listings.get(name)
    }

    /// Sets the listing from a page that was requested for another reason.
    pub(super) fn set(&self, name: &PackageName, listing: CachedListing) {
        self.listings.set(name.clone(), Some(listing));
    }

    async fn find(&self, name: &PackageName) -> FetchResult<Option<CachedListing>> {
        let mut found = self.search(name, NegativeCaching::Use).await?;
        if found.is_none() && self.fetcher.cache.is_enabled() {
            // Only servers may declare a project unknown: it may have been published a minute ago.
            found = self.search(name, NegativeCaching::Bypass).await?;
        }
        Ok(found)
    }

    /// Asks the indexes in order, then find-links.
    async fn search(
        &self,
        name: &PackageName,
        negative: NegativeCaching,
    ) -> FetchResult<Option<CachedListing>> {
        if let Some(index) = self.indexes.sources.get(name) {
            return self.search_index(index, name, negative).await;
        }
        let mut found = None;
        for index in &self.indexes.indexes {
            found = self.search_index(index, name, negative).await?;
            // Another index may have a project of the same name by somebody else.
            if found.is_some() {
                break;
            }
        }
        let flat = self.flat.listing(name).await?;
        Ok(with_flat(found, flat))
    }

    /// Asks the APIs of one index in order. A failed API is no answer, unless another one has the project.
    async fn search_index(
        &self,
        index: &RegistryIndex,
        name: &PackageName,
        negative: NegativeCaching,
    ) -> FetchResult<Option<CachedListing>> {
        if let Some(folder) = &index.folder {
            return Ok(local::listing(folder, name)?.map(CachedListing::not_stored));
        }
        // The cache may have the page of either API, from a run with another order.
        for api in index.possible_apis(self.indexes.api_order) {
            if let Some(listing) = self.stored_listing(index, api, name).await? {
                return Ok(Some(listing));
            }
        }
        let mut failed = None;
        let mut absent = None;
        let short = index.capabilities.prefers_simple_json().then_some(PageKind::ProjectSimpleJson);
        let apis = index.likely_apis(self.indexes.api_order).into_iter().map(PageKind::Project);
        for kind in short.into_iter().chain(apis) {
            match self.fetch_page(index, &kind, name, negative).await {
                Ok(listing) => {
                    // The index has the project, so what it lacks is the JSON API as a whole.
                    if absent == Some(PageKind::Project(IndexApi::Json)) {
                        index.capabilities.note_no_json_api();
                    }
                    return Ok(Some(listing));
                }
                Err(failure) => match failure.kind {
                    FailureKind::Absent => absent = Some(kind),
                    _ if kind == PageKind::ProjectSimpleJson => index.capabilities.note_no_simple_json(),
                    // The other API may still have the listing.
                    FailureKind::Transfer | FailureKind::Denied => failed = Some(failure),
                    FailureKind::Invalid | FailureKind::NeedsBuild | FailureKind::Fatal => {
                        return Err(failure);
                    }
                },
            }
        }
        // "Unknown" needs every API to say so: the failed one may have the project.
        failed.map_or(Ok(None), Err)
    }

    /// The listing in the cache, from whichever API, where it may be used.
    async fn stored_listing(
        &self,
        index: &RegistryIndex,
        api: IndexApi,
        name: &PackageName,
    ) -> FetchResult<Option<CachedListing>> {
        let cache = &self.fetcher.cache;
        let url = index.page(api, name).ok_or_else(FetchFailure::internal)?;
        match cache.get(&cache.key(&url)) {
            Some(page)
                if page.status() == PageStatus::Found && cache.is_usable(&page, NegativeCaching::Use) =>
            {
                self.fetcher.read_stored(Arc::new(page), name).await
            }
            _ => Ok(None),
        }
    }

    /// The listing from one page, by a request; absence may come from the cache.
    async fn fetch_page(
        &self,
        index: &RegistryIndex,
        kind: &PageKind,
        name: &PackageName,
        negative: NegativeCaching,
    ) -> FetchResult<CachedListing> {
        let cache = &self.fetcher.cache;
        let url = index.page(kind.api(), name).ok_or_else(FetchFailure::internal)?;
        let key = cache.key(&url);
        let stored = cache.get(&key).map(Arc::new);
        if let Some(page) = &stored
            && page.status() == PageStatus::Absent
            && cache.is_usable(page, negative)
        {
            return Err(was_absent(&url).into());
        }
        let reader = PageReader {
            cache: cache.clone(),
            kind: kind.clone(),
            key,
            name: name.clone(),
            stored,
            store_as: StoreAs::OwnPage,
        };
        let result = self.fetcher.fetch(url, reader).await;
        if let Err(failure) = &result
            && failure.kind == FailureKind::Absent
        {
            cache.store_absence(&key);
        }
        result
    }
}

/// An index's listing with the files of find-links added.
fn with_flat(found: Option<CachedListing>, flat: Listing) -> Option<CachedListing> {
    if flat.is_empty() && flat.warnings.is_empty() {
        return found;
    }
    Some(CachedListing::not_stored(match found {
        Some(found) => merge(&found.listing, &flat),
        None => flat,
    }))
}

/// The failure of a page that was absent when it was last requested.
fn was_absent(url: &Url) -> FetchFailure {
    FetchFailure::new(FailureKind::Absent, Error::no_answer(format!("{} was not there", redacted(url))))
}
