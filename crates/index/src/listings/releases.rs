//! One release of a project: a given one, or the newest.
//!
//! A project's page in the JSON API begins with the metadata of its newest release; the files of all releases, most
//! of the page, follow. So we read it only so far, and get the files from the page of that release. The metadata at
//! the beginning is passed on at once, so that a prefetch can continue with the dependencies.
//!
//! Two assumptions:
//!
//! - `info.version` is the newest stable release.
//! - An index with pages of single releases has no local versions (PEP 440), as the public one has none. With them,
//!   `==1.0` would also admit `1.0+local`, which is another page.

use std::sync::Arc;

use reqwest::StatusCode;
use reqwest::header::HeaderMap;
use url::Url;

use super::index_set::IndexSet;
use super::pages::{PageFetcher, PageKind, PageReader, StoreAs};
use super::projects::Listings;
use super::registry::{IndexApi, RegistryIndex};
use super::requests::ACCEPT_JSON;
use crate::config::ApiOrder;
use crate::failure::FailureKind;
use crate::formats::{leading_info, release_info};
use crate::lock_snapshot::SnapshotReader;
use crate::once_map::{Completer, OnceMap, OnceSlot};
use crate::page_cache::{CachedListing, NegativeCaching, PageStatus, StoredPage};
use crate::raw_metadata::metadata_of_release;
use crate::transport::{BodyEnd, Decode, DecodeError, HttpRequest, HttpResponse};
use pinfast_cache::CacheKey;
use pinfast_packaging::{Listing, Metadata, PackageName, ReleaseInfo, Version};

/// Single releases, and the newest ones; `None` where the project's listing must be asked.
pub(crate) struct Releases {
    pub(super) fetcher: PageFetcher,
    pub(super) indexes: Arc<IndexSet>,
    pub(super) listings: Arc<Listings>,
    snapshot: Arc<SnapshotReader>,
    pub(super) newest: OnceMap<PackageName, Option<Arc<LatestRelease>>>,
    pub(super) releases: OnceMap<(PackageName, Version), Option<CachedListing>>,
    /// Whether the project's whole page was in the cache when that was first asked.
    has_project_page: OnceMap<PackageName, bool>,
}

/// The newest stable release of a project, as the index names it.
pub(crate) struct LatestRelease {
    pub(crate) version: Version,
    /// Its metadata in the index, where the project's page was requested for it.
    pub(crate) metadata: Option<Arc<Metadata>>,
}

/// What the beginning of a project's page gave.
enum PageBeginning {
    /// 304: the stored newest release holds.
    Unchanged(CachedListing),
    /// The page was so short that it was read whole.
    Whole(CachedListing),
    /// The `info` of the newest release, and the page's headers.
    Newest(ReleaseInfo, HeaderMap),
}

/// Reads the response to a request for the beginning of a project's page.
struct BeginningReader {
    /// Reads a 304, which renews the stored newest release.
    newest: PageReader,
    /// Reads a page so short that all of it came: then it is the project's.
    project: PageReader,
}

impl BeginningReader {
    fn read(&self, response: HttpResponse) -> Result<PageBeginning, DecodeError> {
        if response.status == StatusCode::NOT_MODIFIED {
            return self.newest.read(&response).map(PageBeginning::Unchanged);
        }
        if response.end != BodyEnd::Stopped {
            return self.project.read(&response).map(PageBeginning::Whole);
        }
        let info = leading_info(&response.body).and_then(release_info);
        let info = info.ok_or("its newest release cannot be read".to_owned())?;
        Ok(PageBeginning::Newest(info, response.headers))
    }
}

impl Releases {
    pub(crate) fn new(
        fetcher: PageFetcher,
        indexes: Arc<IndexSet>,
        listings: Arc<Listings>,
        snapshot: Arc<SnapshotReader>,
    ) -> Self {
        Self {
            fetcher,
            indexes,
            listings,
            snapshot,
            newest: OnceMap::default(),
            releases: OnceMap::default(),
            has_project_page: OnceMap::default(),
        }
    }

    /// The newest release of `name`; blocks.
    pub(crate) fn newest(self: &Arc<Self>, name: &PackageName) -> Option<Arc<LatestRelease>> {
        // An answer that was given once stays; only a first question may be left to the listing.
        let is_answered = self.newest.is_registered(name) || self.snapshot.newest(name).is_some();
        if !is_answered && self.is_listed(name) {
            return None;
        }
        self.start_newest(name).wait_blocking().ok()?
    }

    /// The listing of one release; blocks.
    pub(crate) fn release(self: &Arc<Self>, name: &PackageName, version: &Version) -> Option<Arc<Listing>> {
        // The snapshot answers the same in every run, whatever was asked before.
        if self.snapshot.release(name, version).is_none() && self.is_listed(name) {
            return None;
        }
        Some(self.start_release(name, version).wait_blocking().ok()??.listing)
    }

    /// Whether the project's listing was requested and arrived: then no single release needs a request. Blocks.
    fn is_listed(&self, name: &PackageName) -> bool {
        self.listings.is_started(name) && self.listings.start(name).wait_blocking().is_ok()
    }

    pub(crate) fn is_newest_started(&self, name: &PackageName) -> bool {
        self.newest.is_registered(name)
    }

    pub(crate) fn is_release_started(&self, name: &PackageName, version: &Version) -> bool {
        self.releases.is_registered(&(name.clone(), version.clone()))
    }

    /// Begins to look for the newest release, unless that has begun.
    pub(crate) fn start_newest(
        self: &Arc<Self>,
        name: &PackageName,
    ) -> Arc<OnceSlot<Option<Arc<LatestRelease>>>> {
        let (slot, completer) = self.newest.register(name.clone());
        if let Some(completer) = completer {
            if let Some(newest) =
                self.snapshot.newest(name).and_then(|release| self.set_newest(name, release))
            {
                completer.done(Ok(Some(Arc::new(newest))));
                return slot;
            }
            let (releases, name) = (self.clone(), name.clone());
            self.fetcher.transport.spawn(async move {
                let newest = releases.find_newest(&name).await;
                if newest.is_none() {
                    // The caller needs the whole listing next.
                    drop(releases.listings.start(&name));
                }
                completer.done(Ok(newest.map(Arc::new)));
            });
        }
        slot
    }

    /// Begins to look for one release, unless that has begun.
    pub(crate) fn start_release(
        self: &Arc<Self>,
        name: &PackageName,
        version: &Version,
    ) -> Arc<OnceSlot<Option<CachedListing>>> {
        self.start_release_as(name, version, StoreAs::OwnPage)
    }

    fn start_release_as(
        self: &Arc<Self>,
        name: &PackageName,
        version: &Version,
        store_as: StoreAs,
    ) -> Arc<OnceSlot<Option<CachedListing>>> {
        let (slot, completer) = self.releases.register((name.clone(), version.clone()));
        if let Some(completer) = completer {
            // A release to store as the newest was just named by a server, which the snapshot may not contradict.
            if let StoreAs::OwnPage = store_as
                && let Some(release) = self.snapshot.release(name, version)
            {
                completer.done(Ok(Some(release)));
                return slot;
            }
            let (releases, name, version) = (self.clone(), name.clone(), version.clone());
            self.fetcher.transport.spawn(async move {
                let release = releases.find_release(&name, &version, store_as).await;
                if release.is_none() {
                    // As above: the caller falls back to the whole listing.
                    drop(releases.listings.start(&name));
                }
                completer.done(Ok(release));
            });
        }
        slot
    }

    /// The newest release, by the beginning of the project's page. A failure is `None`: asking for the listing
    /// repeats it.
    async fn find_newest(self: &Arc<Self>, name: &PackageName) -> Option<LatestRelease> {
        let index = self.index_of_newest(name)?;
        if !index.may_have_release_pages() {
            // The newest release's files will come from the whole listing, so begin with it.
            drop(self.listings.start(name));
        }
        let url = index.page(IndexApi::Json, name)?;
        let key = self.newest_key(&url);
        let stored = self.fetcher.cache.get(&key).map(Arc::new);
        let beginning = match self.usable(&stored, name).await {
            Some(release) => PageBeginning::Unchanged(release),
            None => self.fetch_beginning(url, key, stored, name).await?,
        };
        match beginning {
            PageBeginning::Unchanged(release) => self.set_newest(name, release),
            PageBeginning::Whole(listing) => {
                self.listings.set(name, listing);
                None
            }
            PageBeginning::Newest(info, headers) => {
                // A pre-release is named where there is no stable release. Which one is taken depends on the
                // pre-release mode, and that needs the listing.
                if info.version.any_prerelease() {
                    return None;
                }
                index.capabilities.note_json_api();
                // Begun before this search is done, so that the files arrive while the solver reads the metadata.
                if index.may_have_release_pages() {
                    drop(self.start_release_as(name, &info.version, StoreAs::Newest(headers)));
                }
                let metadata = metadata_of_release(name, &info).map(Arc::new);
                Some(LatestRelease { version: info.version, metadata })
            }
        }
    }

    /// Sets the listing of the newest release, from the cache.
    fn set_newest(&self, name: &PackageName, release: CachedListing) -> Option<LatestRelease> {
        let version = release.listing.versions().next()?.clone();
        self.releases.set((name.clone(), version.clone()), Some(release));
        Some(LatestRelease { version, metadata: None })
    }

    /// Requests the beginning of the project's page at `url`; the newest release is stored under `key`.
    async fn fetch_beginning(
        &self,
        url: Url,
        key: CacheKey,
        stored: Option<Arc<StoredPage>>,
        name: &PackageName,
    ) -> Option<PageBeginning> {
        let cache = &self.fetcher.cache;
        let page_key = cache.key(&url);
        let headers = stored.as_deref().map(StoredPage::validators).unwrap_or_default();
        let request = self.fetcher.request(url, ACCEPT_JSON);
        let request = HttpRequest { headers, is_enough: Some(names_newest), ..request };
        let page_reader = |key: CacheKey, stored: Option<Arc<StoredPage>>| PageReader {
            cache: cache.clone(),
            kind: PageKind::Project(IndexApi::Json),
            key,
            name: name.clone(),
            stored,
            store_as: StoreAs::OwnPage,
        };
        // The validators are those of the newest release, so a 304 says nothing about a stored whole page.
        let reader =
            BeginningReader { newest: page_reader(key, stored), project: page_reader(page_key, None) };
        let read: Decode<PageBeginning> = Arc::new(move |response| reader.read(response));
        let beginning = self.fetcher.transport.get(&request, &read).await;
        if let Err(failure) = &beginning
            && failure.kind == FailureKind::Absent
        {
            // The search for the listing need not request this page again.
            cache.store_absence(&page_key);
        }
        beginning.ok()
    }

    /// One release by its own page. A failure is `None`: asking for the listing repeats it.
    async fn find_release(
        self: &Arc<Self>,
        name: &PackageName,
        version: &Version,
        store_as: StoreAs,
    ) -> Option<CachedListing> {
        let index = self.index_of_releases(name)?;
        let url = index.release_page(name, version)?;
        let cache = &self.fetcher.cache;
        let (own_key, newest_key) = (cache.key(&url), self.newest_key(&index.page(IndexApi::Json, name)?));
        let is_newest = matches!(store_as, StoreAs::Newest(_));
        // Stored as the newest release, it counts as fresh as long as the project's page does.
        if !is_newest
            && let Some(newest) = self.usable(&cache.get(&newest_key).map(Arc::new), name).await
            && newest.listing.versions().eq([version])
        {
            return Some(newest);
        }
        let stored = cache.get(&own_key).map(Arc::new);
        if let Some(release) = self.usable(&stored, name).await {
            return Some(release);
        }
        if !is_newest && self.is_listing_preferable(name).await {
            return None;
        }
        // As the newest release it has another key: its freshness is that of the project's page.
        let (key, stored) = if is_newest { (newest_key, None) } else { (own_key, stored) };
        let (kind, name) = (PageKind::Release(version.clone()), name.clone());
        let reader = PageReader { cache: cache.clone(), kind, key, name, stored, store_as };
        self.fetch_release(index, url, reader).await
    }

    /// Whether the project's listing is on its way, so that one release needs no request.
    ///
    /// Looked at only while permits are scarce: then we wait for the newest release, which may begin the listing.
    async fn is_listing_preferable(self: &Arc<Self>, name: &PackageName) -> bool {
        if !self.fetcher.transport.is_saturated() || !self.newest.is_registered(name) {
            return false;
        }
        let _ = self.start_newest(name).wait().await;
        self.listings.is_started(name)
    }

    /// Requests the page of a release, unless the run has learnt that the index has no such pages.
    async fn fetch_release(
        &self,
        index: &RegistryIndex,
        url: Url,
        reader: PageReader,
    ) -> Option<CachedListing> {
        let is_newest = matches!(reader.store_as, StoreAs::Newest(_));
        let probe = if is_newest { probe_release_pages(index).await } else { None };
        // Asked again: the probe may have just shown it.
        if !index.may_have_release_pages() {
            return None;
        }
        let result = self.fetcher.fetch(url, reader).await;
        // Only a release that the index itself named must have a page; another one may not exist at all.
        if is_newest && result.as_ref().is_err_and(|failure| failure.kind == FailureKind::Absent) {
            index.capabilities.note_no_release_pages();
        }
        if let Some(probe) = probe {
            probe.done(Ok(()));
        }
        result.ok()
    }

    /// The listing of a stored page, where it may be used without a request.
    async fn usable(&self, page: &Option<Arc<StoredPage>>, name: &PackageName) -> Option<CachedListing> {
        let page = page.as_ref()?;
        if page.status() != PageStatus::Found || !self.fetcher.cache.is_usable(page, NegativeCaching::Use) {
            return None;
        }
        self.fetcher.read_stored(page.clone(), name).await.ok()?
    }

    /// The cache key of the newest release of the project with its page at `url`.
    fn newest_key(&self, url: &Url) -> CacheKey {
        let mut url = url.clone();
        // A fragment is never sent, so no page's own URL has this key.
        url.set_fragment(Some("newest"));
        self.fetcher.cache.key(&url)
    }

    /// The index to ask for single releases of `name`.
    fn index_of_releases(&self, name: &PackageName) -> Option<&RegistryIndex> {
        self.index_of_newest(name).filter(|index| index.may_have_release_pages())
    }

    /// The index to ask for the newest release of `name`, where that is cheaper than the listing.
    fn index_of_newest(&self, name: &PackageName) -> Option<&RegistryIndex> {
        let index = self.indexes.only_index_of(name)?;
        // Where the user prefers the Simple API, no page of the JSON API may decide.
        let is_possible = self.indexes.api_order == ApiOrder::JsonFirst && index.may_have_newest();
        (is_possible && !self.had_project_page(index, name)).then_some(index)
    }

    /// Whether the project's whole page was in the cache when that was first asked. It is asked once: a page that
    /// arrives during the run must not change how the run goes on.
    fn had_project_page(&self, index: &RegistryIndex, name: &PackageName) -> bool {
        let (slot, completer) = self.has_project_page.register(name.clone());
        if let Some(completer) = completer {
            let is_stored =
                |api: &IndexApi| index.page(*api, name).is_some_and(|url| self.fetcher.cache.has_page(&url));
            completer.done(Ok(index.possible_apis(self.indexes.api_order).iter().any(is_stored)));
        }
        slot.wait_blocking().unwrap_or_default()
    }
}

/// Whether so much of a project's page names its newest release.
fn names_newest(body: &[u8]) -> bool {
    leading_info(body).is_some()
}

/// Waits until the first request for a release's page has shown whether `index` has such pages; else all projects
/// would request theirs in vain. The first caller gets the duty to show it. The wait is short for the solver: the
/// metadata at the beginning of each project's page is known before.
async fn probe_release_pages(index: &RegistryIndex) -> Option<Completer<()>> {
    let (slot, completer) = index.capabilities.release_page_probe.register(());
    if completer.is_none() {
        let _ = slot.wait().await;
    }
    completer
}
