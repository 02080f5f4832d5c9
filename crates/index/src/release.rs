//! What an index says of one release alone: of one that is known, or of the one that it calls the project's newest.
//!
//! A project's page of the JSON API begins with its newest release; what follows, the files of all releases, is most of
//! it. So it is read no further than that, and the page of the release tells its files. What the project's page says
//! of the release is told at once: whoever looks ahead goes on from there.
//!
//! Both are taken at their word. The newest release is the one that the index calls so, where its page is not read whole
//! for another reason; and an index that has pages of single releases is taken to have no local versions (PEP 440), as
//! the public one has none: `==1.0` would let these in as well.

use std::sync::Arc;

use reqwest::StatusCode;
use reqwest::header::HeaderMap;
use url::Url;

use super::config::ApiOrder;
use super::failure::Cause;
use super::http::{Answer, Ask, Decode, End, Misread};
use super::kept::{Kept, Known, Negatives, Told};
use super::listing::{ACCEPT_JSON, PageReader, Subject, validators};
use super::metadata::of_release;
use super::once::{Promise, Slot};
use super::site::{Api, Site};
use super::{Shared, page};
use pinfast_cache::{Bucket, CacheKey};
use pinfast_packaging::{Metadata, PackageName, ReleaseInfo, Version};

/// The release that an index calls the newest of a project: the newest stable one.
pub(super) struct Newest {
    pub(super) version: Version,
    /// What the index says of it, where that was not known before.
    pub(super) word: Option<Arc<Metadata>>,
}

/// What the page of a release is kept for.
#[derive(Clone)]
pub(super) enum Stead {
    /// For itself.
    Itself,
    /// In the stead of the project's page that named the release its newest, and came with these headers: as long as that
    /// page holds, so does what it would say of the release.
    Project(HeaderMap),
}

impl Stead {
    pub(super) fn headers(&self) -> Option<&HeaderMap> {
        match self {
            Self::Itself => None,
            Self::Project(headers) => Some(headers),
        }
    }
}

/// What the beginning of a project's page comes to.
enum Begun {
    /// It is as it was when this was kept.
    Unchanged(Told),
    /// It was short enough to be read whole.
    Whole(Told),
    /// It names its newest release.
    Names(ReleaseInfo, HeaderMap),
}

impl Shared {
    /// The newest release of `name` as the index says; waits until it has. `None` where the project's page has to be
    /// looked at.
    pub(super) fn told_newest(self: &Arc<Self>, name: &PackageName) -> Option<Arc<Newest>> {
        let is_told = self.newest.was_asked(name) || self.recalled_newest(name).is_some();
        if !is_told && self.tells_all(name) {
            return None;
        }
        self.want_newest(name).wait().ok()?
    }

    /// Whether the project's page was asked for, and had: what it does not tell, a page of one release need not be asked.
    pub(super) fn tells_all(self: &Arc<Self>, name: &PackageName) -> bool {
        self.listings.was_asked(name) && self.want_listing(name).wait().is_ok()
    }

    pub(super) fn want_newest(self: &Arc<Self>, name: &PackageName) -> Arc<Slot<Option<Arc<Newest>>>> {
        let (slot, promise) = self.newest.claim(name.clone());
        if let Some(promise) = promise {
            if let Some(newest) = self.recalled_newest(name).and_then(|told| self.learn_newest(name, told)) {
                promise.keep(Ok(Some(Arc::new(newest))));
                return slot;
            }
            let (shared, name) = (self.clone(), name.clone());
            self.launch(async move {
                let newest = shared.find_newest(&name).await;
                if newest.is_none() {
                    drop(shared.want_listing(&name));
                }
                promise.keep(Ok(newest.map(Arc::new)));
            });
        }
        slot
    }

    pub(super) fn want_release(
        self: &Arc<Self>,
        name: &PackageName,
        version: &Version,
        stead: Stead,
    ) -> Arc<Slot<Option<Told>>> {
        let (slot, promise) = self.releases.claim((name.clone(), version.clone()));
        if let Some(promise) = promise {
            if stead.headers().is_none()
                && let Some(release) = self.recalled_release(name, version)
            {
                promise.keep(Ok(Some(release)));
                return slot;
            }
            let (shared, name, version) = (self.clone(), name.clone(), version.clone());
            self.launch(async move {
                let release = shared.find_release(&name, &version, stead).await;
                if release.is_none() {
                    drop(shared.want_listing(&name));
                }
                promise.keep(Ok(release));
            });
        }
        slot
    }

    /// The newest release of `name`, whose page is on its way or there, where there is one. Trouble is told by who asks
    /// for the project.
    async fn find_newest(self: &Arc<Self>, name: &PackageName) -> Option<Newest> {
        let site = self.site_of_newest(name)?;
        if !site.may_tell_releases() {
            drop(self.want_listing(name));
        }
        let url = site.page(Api::Json, name)?;
        let key = self.newest_key(&url);
        let kept = self.kept(&key).map(Arc::new);
        let begun = match self.standing(&kept, name).await {
            Some(told) => Begun::Unchanged(told),
            None => self.begin_page(url, key, kept, name).await?,
        };
        match begun {
            Begun::Unchanged(release) => self.learn_newest(name, release),
            Begun::Whole(told) => {
                if let (_, Some(promise)) = self.listings.claim(name.clone()) {
                    promise.keep(Ok(Some(told)));
                }
                None
            }
            Begun::Names(info, headers) => {
                // There is no stable one: it takes a look at all to know what is taken instead.
                if info.version.any_prerelease() {
                    return None;
                }
                site.has_named_newest();
                if site.may_tell_releases() {
                    drop(self.want_release(name, &info.version, Stead::Project(headers)));
                }
                let word = of_release(name, &info).map(Arc::new);
                Some(Newest { version: info.version, word })
            }
        }
    }

    /// Notes that `release` is what the index has of the newest release of `name`.
    fn learn_newest(&self, name: &PackageName, release: Told) -> Option<Newest> {
        let version = release.listing.versions().next()?.clone();
        if let (_, Some(promise)) = self.releases.claim((name.clone(), version.clone())) {
            promise.keep(Ok(Some(release)));
        }
        Some(Newest { version, word: None })
    }

    /// Asks for the beginning of the project's page at `url`, which is kept under `key`.
    async fn begin_page(
        self: &Arc<Self>,
        url: Url,
        key: CacheKey,
        kept: Option<Arc<Kept>>,
        name: &PackageName,
    ) -> Option<Begun> {
        let page_key = self.page_key(&url);
        let headers = validators(kept.as_deref());
        let ask = Ask { headers, enough: Some(names_newest), ..self.ask_page(url, ACCEPT_JSON) };
        let (shared, name) = (self.clone(), name.clone());
        let reader = |key: &CacheKey, kept: &Option<Arc<Kept>>| PageReader {
            shared: shared.clone(),
            subject: Subject::Project(Api::Json),
            key: *key,
            name: name.clone(),
            kept: kept.clone(),
            stead: Stead::Itself,
        };
        let (of_newest, of_project) = (reader(&key, &kept), reader(&page_key, &None));
        let read = move |answer: Answer| -> Result<Begun, Misread> {
            if answer.status == StatusCode::NOT_MODIFIED {
                return of_newest.read(&answer).map(Begun::Unchanged);
            }
            if answer.end != End::LeftOff {
                return of_project.read(&answer).map(Begun::Whole);
            }
            let info = page::beginning(&answer.body).and_then(page::release_info);
            Ok(Begun::Names(info.ok_or("its newest release cannot be read".to_owned())?, answer.headers))
        };
        let read: Decode<Begun> = Arc::new(read);
        let begun = self.http(&ask.url).await.ok()?.get(&ask, &read).await;
        if let Err(failure) = &begun
            && failure.cause == Cause::Absent
        {
            // Who looks for the project need not ask here again.
            self.keep_absence(&page_key);
        }
        begun.ok()
    }

    /// What the index says of one release, where that takes less than the project's page: where that page is not
    /// at hand, and there is but one index that can be asked. Trouble is told by who asks for the project.
    async fn find_release(
        self: &Arc<Self>,
        name: &PackageName,
        version: &Version,
        stead: Stead,
    ) -> Option<Told> {
        let site = self.site_of_releases(name)?;
        let url = site.release_page(name, version)?;
        let (own_key, newest_key) = (self.page_key(&url), self.newest_key(&site.page(Api::Json, name)?));
        let is_meant = |told: &Told| told.listing.versions().eq([version]);
        if stead.headers().is_none()
            && let Some(newest) = self.standing(&self.kept(&newest_key).map(Arc::new), name).await
            && is_meant(&newest)
        {
            return Some(newest);
        }
        let kept = self.kept(&own_key).map(Arc::new);
        if let Some(release) = self.standing(&kept, name).await {
            return Some(release);
        }
        // Where requests queue up, one that may be needless waits until that is known.
        if stead.headers().is_none() && self.is_busy() && self.newest.was_asked(name) {
            let _ = self.want_newest(name).answer().await;
            if self.listings.was_asked(name) {
                return None;
            }
        }
        let mut probe = None;
        let (key, kept) = match stead {
            Stead::Itself => (own_key, kept),
            Stead::Project(_) => {
                probe = self.probe(site).await;
                (newest_key, None)
            }
        };
        if !site.may_tell_releases() {
            return None;
        }
        // The page of a release that the index does not name itself may be missing because there is no such release.
        let is_named = stead.headers().is_some();
        let (subject, name) = (Subject::Release(version.clone()), name.clone());
        let reader = PageReader { shared: self.clone(), subject, key, name, kept, stead };
        let result = self.get_page(url, reader).await;
        if is_named && result.as_ref().is_err_and(|failure| failure.cause == Cause::Absent) {
            site.has_no_releases();
        }
        if let Some(probe) = probe {
            probe.keep(Ok(()));
        }
        result.ok()
    }

    /// Waits until one page of a release has shown whether `site` has such pages: where it has none, asking for those of all
    /// projects would be in vain. Nobody waits for long: what the projects' pages say at their beginning is told before.
    /// The first who asks is to show it.
    async fn probe(&self, site: &Site) -> Option<Promise<()>> {
        let (slot, promise) = site.probe.claim(());
        if promise.is_none() {
            let _ = slot.answer().await;
        }
        promise
    }

    /// The listing that is kept, where that may stand for what the index says.
    async fn standing(&self, kept: &Option<Arc<Kept>>, name: &PackageName) -> Option<Told> {
        let kept = kept.as_ref()?;
        if kept.head.known != Known::Page || !self.will_do(kept, Negatives::Believed) {
            return None;
        }
        let (kept, name) = (kept.clone(), name.clone());
        self.on_worker(move || kept.listing(&name)).await.ok()?
    }

    /// The key of what is kept in the stead of the project's page at `url`.
    fn newest_key(&self, url: &Url) -> CacheKey {
        let mut url = url.clone();
        url.set_fragment(Some("newest"));
        self.page_key(&url)
    }

    /// The index whose pages of single releases are asked for.
    fn site_of_releases(&self, name: &PackageName) -> Option<&Site> {
        self.site_of_newest(name).filter(|site| site.may_tell_releases())
    }

    /// The index whose projects' pages are read no further than their newest release.
    fn site_of_newest(&self, name: &PackageName) -> Option<&Site> {
        let ([site], [], None) = (&*self.sites, &*self.config.find_links, self.sources.get(name)) else {
            return None;
        };
        let worth_it = self.config.api_order == ApiOrder::JsonFirst && site.may_name_newest();
        (worth_it && !self.keeps_page(site, name)).then_some(site)
    }

    /// Whether the project's page was in the cache when this was asked first.
    fn keeps_page(&self, site: &Site, name: &PackageName) -> bool {
        let (slot, promise) = self.pages_kept.claim(name.clone());
        if let Some(promise) = promise {
            let in_cache = |api: &Api| {
                let page = site.page(*api, name).zip(self.cache.as_ref());
                page.is_some_and(|(url, cache)| cache.contains(Bucket::Pages, &self.page_key(&url)))
            };
            promise.keep(Ok(site.all_apis(self.config.api_order).iter().any(in_cache)));
        }
        slot.wait().unwrap_or_default()
    }
}

/// Whether so much of a project's page names its newest release.
fn names_newest(body: &[u8]) -> bool {
    page::beginning(body).is_some()
}
