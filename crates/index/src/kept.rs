//! What the cache keeps of project pages, and how long it may stand for them.
//!
//! A page's lifetime is what HTTP says (`Cache-Control`, `Expires`, `Age`); a page without a word about it
//! is fresh for ten minutes. An index that sends validators is asked whether a stale page still holds.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, SystemTime};

use http_cache_semantics::{CacheOptions, CachePolicy};
use reqwest::header::{self, HeaderMap, HeaderName, HeaderValue};
use serde::{Deserialize, Serialize};
use url::Url;

use super::Shared;
use super::config::Freshness;
use super::shelf;
use pinfast_base::event::Event;
use pinfast_cache::{Bucket, Cache, CacheKey, CacheLookup, CacheRecord, RecordStamp};
use pinfast_packaging::{Listing, PackageName};

/// The lifetime of a page whose server says nothing of it.
const UNSAID: Duration = Duration::from_secs(600);

/// What is kept of an answer beside the page itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Head {
    /// Whether the page was there.
    pub(super) known: Known,
    age: Age,
    etag: Option<String>,
    modified: Option<String>,
}

/// Since when, and how long, a page may stand for what the index says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Age {
    /// When it came, in seconds since 1970.
    fetched: u64,
    /// How long it is fresh, in seconds.
    lifetime: u64,
}

/// Whether a page was there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Known {
    Page,
    Absent,
}

/// Whether the cache's word that a project is unknown will do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Negatives {
    Believed,
    Doubted,
}

/// A listing as the cache keeps it.
pub(super) struct Kept {
    pub(super) head: Head,
    key: CacheKey,
    record: Arc<CacheRecord>,
    /// Where in the record the listing begins.
    at: usize,
}

/// A listing, and the record of the cache that says the same, where there is one.
#[derive(Clone)]
pub(super) struct Told {
    pub(super) listing: Arc<Listing>,
    pub(super) backing: Option<Backing>,
}

/// A record of the cache that vouches for a listing as long as it is there and fresh.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Backing {
    pub(super) key: CacheKey,
    stamp: RecordStamp,
    pub(super) age: Age,
}

impl Head {
    /// Of an answer with `headers` that came `now`; `None` where it must not be stored.
    fn new(known: Known, headers: &HeaderMap, now: SystemTime) -> Option<Self> {
        let text =
            |name: HeaderName| headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
        Some(Self {
            known,
            age: Age { fetched: seconds(now), lifetime: lifetime(headers, now)?.as_secs() },
            etag: text(header::ETAG),
            modified: text(header::LAST_MODIFIED),
        })
    }

    /// After the server said `now`, with `headers`, that the page still holds.
    fn renewed(&self, headers: &HeaderMap, now: SystemTime) -> Self {
        let said = says_freshness(headers).then(|| lifetime(headers, now)).flatten();
        let lifetime = said.map_or(self.age.lifetime, |said| said.as_secs());
        Self { age: Age { fetched: seconds(now), lifetime }, ..self.clone() }
    }

    /// The headers that ask whether the page still holds.
    pub(super) fn validators(&self) -> Vec<(HeaderName, HeaderValue)> {
        let pairs = [(header::IF_NONE_MATCH, &self.etag), (header::IF_MODIFIED_SINCE, &self.modified)];
        let value = |text: &Option<String>| HeaderValue::from_str(text.as_deref()?).ok();
        pairs.into_iter().filter_map(|(name, text)| Some((name, value(text)?))).collect()
    }
}

impl Age {
    /// When it becomes stale, in seconds since 1970.
    pub(super) fn end(&self) -> u64 {
        self.fetched.saturating_add(self.lifetime)
    }

    fn is_fresh(self, now: SystemTime) -> bool {
        // What seems to come from the future was written under another clock.
        let age = seconds(now).checked_sub(self.fetched);
        age.is_some_and(|age| age < self.lifetime)
    }
}

impl Kept {
    fn read(key: &CacheKey, record: CacheRecord) -> Option<Self> {
        let (head, rest) = postcard::take_from_bytes(&record).ok()?;
        let at = record.len() - rest.len();
        Some(Self { head, key: *key, record: Arc::new(record), at })
    }

    /// The listing; `None` where the record is damaged beyond its checksum.
    pub(super) fn listing(&self, name: &PackageName) -> Option<Told> {
        let end = self.record.len();
        let listing = Arc::new(shelf::open(name, Arc::clone(&self.record), self.at..end)?);
        Some(Told { listing, backing: self.backing() })
    }

    pub(super) fn backing(&self) -> Option<Backing> {
        Some(Backing { key: self.key, stamp: self.record.stamp()?, age: self.head.age })
    }
}

impl Told {
    /// What nothing in the cache says.
    pub(super) fn unbacked(listing: Listing) -> Self {
        Self { listing: Arc::new(listing), backing: None }
    }
}

impl Shared {
    /// The key of the page at `url`: what one user may see is not shown to another.
    pub(super) fn page_key(&self, url: &Url) -> CacheKey {
        let login = self.credentials().login(url);
        Bucket::Pages.key(&[url.as_str(), login.as_ref().map_or("", |login| &login.user)])
    }

    pub(super) fn kept(&self, key: &CacheKey) -> Option<Kept> {
        let kept = Kept::read(key, self.recorded(Bucket::Pages, key)?);
        if kept.is_none() {
            self.warn_of_damage(key, "it cannot be read");
        }
        kept
    }

    /// Whether what is kept may stand for the page.
    pub(super) fn will_do(&self, kept: &Kept, negatives: Negatives) -> bool {
        let is_doubtful = kept.head.known == Known::Absent && negatives == Negatives::Doubted;
        self.is_young_enough(kept.head.age) && !(is_doubtful && self.config.freshness == Freshness::Normal)
    }

    /// Whether what is so old may stand for what the index says.
    pub(super) fn is_young_enough(&self, age: Age) -> bool {
        match self.config.freshness {
            Freshness::Offline => true,
            Freshness::Refresh => false,
            Freshness::Normal => age.is_fresh(self.now),
        }
    }

    /// Whether what `backing` vouched for once is still so.
    pub(super) fn is_backed(&self, backing: &Backing) -> bool {
        let Backing { key, stamp, age } = backing;
        let is_there = |cache: &Cache| cache.is_unchanged(Bucket::Pages, key, stamp);
        self.is_young_enough(*age) && self.cache.as_ref().is_some_and(is_there)
    }

    /// Keeps the `listing` of a page that came with `headers`, and tells it from there: so it takes less memory, and a
    /// run sees the same whether the cache was warm or not.
    pub(super) fn keep_page(&self, key: &CacheKey, headers: &HeaderMap, listing: Listing) -> Told {
        let Ok(packed) = shelf::pack(&listing) else { return Told::unbacked(listing) };
        let kept = match Head::new(Known::Page, headers, self.now) {
            Some(head) => self.put_page(key, head, &packed),
            None => {
                // It must not be stored; nor may an older one be taken for it. What is not there is not removed.
                self.cache.as_ref().map(|cache| cache.remove(Bucket::Pages, key));
                None
            }
        };
        let told = match kept {
            Some(kept) => kept.listing(&listing.name),
            None => {
                let whole = 0..packed.len();
                shelf::open(&listing.name, Arc::new(packed.into()), whole).map(Told::unbacked)
            }
        };
        told.unwrap_or_else(|| Told::unbacked(listing))
    }

    /// Keeps the fact that there is no page.
    pub(super) fn keep_absence(&self, key: &CacheKey) {
        if let Some(head) = Head::new(Known::Absent, &HeaderMap::new(), self.now) {
            self.put(Bucket::Pages, key, postcard::to_stdvec(&head), &[]);
        }
    }

    /// Keeps the fact that a page still holds; `None` where it cannot be kept.
    pub(super) fn keep_on(&self, kept: &Kept, headers: &HeaderMap) -> Option<Kept> {
        let head = kept.head.renewed(headers, self.now);
        self.put_page(&kept.key, head, &kept.record[kept.at..])
    }

    fn put_page(&self, key: &CacheKey, head: Head, listing: &[u8]) -> Option<Kept> {
        let (record, at) = self.written(|cache| {
            let head = postcard::to_stdvec(&head).map_err(std::io::Error::other)?;
            Ok((cache.write_and_map(Bucket::Pages, key, &[&head, listing])?, head.len()))
        })?;
        Some(Kept { head, key: *key, record: Arc::new(record), at })
    }

    /// What the cache holds under `key`; damage is a warning, and nothing.
    pub(super) fn recorded(&self, bucket: Bucket, key: &CacheKey) -> Option<CacheRecord> {
        match self.cache.as_ref()?.read(bucket, key) {
            CacheLookup::Hit(record) => Some(record),
            CacheLookup::Miss => None,
            CacheLookup::Damaged(why) => {
                self.warn_of_damage(key, &why);
                // So that it is told once. What cannot be removed is told again.
                self.cache.as_ref().map(|cache| cache.remove(bucket, key));
                None
            }
            CacheLookup::Unreadable(why) => {
                self.warn_of_cache(&why);
                None
            }
        }
    }

    fn warn_of_damage(&self, key: &CacheKey, why: &str) {
        let what = format!("the cache's record {key} is passed over: {why}");
        self.watcher.on(Event::Warning(what));
    }

    /// Puts a record into the cache: a head, and what follows it.
    pub(super) fn put(&self, bucket: Bucket, key: &CacheKey, head: postcard::Result<Vec<u8>>, rest: &[u8]) {
        self.written(|cache| {
            let head = head.map_err(std::io::Error::other)?;
            cache.write_parts(bucket, key, &[&head, rest])
        });
    }

    /// What `write` comes to; where that is nothing, people are told once.
    fn written<T>(&self, write: impl FnOnce(&Cache) -> std::io::Result<T>) -> Option<T> {
        let written = write(self.cache.as_ref()?);
        written.map_err(|error| self.warn_of_cache(&error.to_string())).ok()
    }

    /// A cache that cannot be used costs time, not the run: one warning.
    fn warn_of_cache(&self, why: &str) {
        if let Some(cache) = &self.cache
            && !self.cache_failed.swap(true, Ordering::Relaxed)
        {
            let folder = cache.root().display();
            self.watcher.on(Event::Warning(format!("the cache {folder} cannot be used: {why}")));
        }
    }
}

/// How long an answer is fresh; `None` where it must not be stored.
fn lifetime(headers: &HeaderMap, now: SystemTime) -> Option<Duration> {
    // No heuristics: a page that has not changed for a year may change today.
    let options = CacheOptions { shared: false, cache_heuristic: 0.0, ..CacheOptions::default() };
    let mut response = http::Response::new(());
    let names = [header::CACHE_CONTROL, header::EXPIRES, header::PRAGMA, header::DATE, header::VARY];
    for name in names {
        for value in headers.get_all(&name) {
            response.headers_mut().append(&name, value.clone());
        }
    }
    let policy = CachePolicy::new_options(&http::Request::new(()), &response, now, options);
    if !policy.is_storable() && says_freshness(headers) {
        return None;
    }
    let said = if says_freshness(headers) { policy.time_to_live(now) } else { UNSAID };
    Some(said.saturating_sub(age(headers)))
}

fn says_freshness(headers: &HeaderMap) -> bool {
    [header::CACHE_CONTROL, header::EXPIRES, header::PRAGMA].iter().any(|name| headers.contains_key(name))
}

/// How long the answer lay in caches on the way.
fn age(headers: &HeaderMap) -> Duration {
    let said = headers.get(header::AGE).and_then(|value| value.to_str().ok()?.trim().parse().ok());
    Duration::from_secs(said.unwrap_or(0))
}

fn seconds(time: SystemTime) -> u64 {
    time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head(headers: &[(HeaderName, &str)], now: SystemTime) -> Option<Head> {
        let headers =
            headers.iter().map(|(name, value)| (name.clone(), HeaderValue::from_str(value).unwrap()));
        Head::new(Known::Page, &headers.collect(), now)
    }

    #[test]
    fn a_page_is_fresh_as_long_as_http_says() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000);
        let control = header::CACHE_CONTROL;
        for (headers, lifetime) in [
            (vec![], Some(600)),
            (vec![(header::ETAG, "\"x\"")], Some(600)),
            (vec![(header::LAST_MODIFIED, "Wed, 21 Oct 2015 07:28:00 GMT")], Some(600)),
            (vec![(control.clone(), "max-age=60, public")], Some(60)),
            (vec![(control.clone(), "max-age=60"), (header::AGE, "20")], Some(40)),
            (vec![(control.clone(), "max-age=60"), (header::AGE, "18446744073709551615")], Some(0)),
            (vec![(control.clone(), "private, max-age=60")], Some(60)),
            (vec![(control.clone(), "no-cache")], Some(0)),
            (vec![(control.clone(), "max-age=0, must-revalidate")], Some(0)),
            (vec![(control.clone(), "nonsense=")], Some(0)),
            (vec![(header::EXPIRES, "0")], Some(0)),
            (vec![(header::VARY, "*"), (control.clone(), "max-age=60")], Some(0)),
            (vec![(control.clone(), "no-store")], None),
        ] {
            assert_eq!(head(&headers, now).map(|head| head.age.lifetime), lifetime, "{headers:?}");
        }
        let head = head(&[(control, "max-age=60")], now).unwrap();
        for (seconds, fresh) in [(0, true), (59, true), (60, false), (1_000_000, false)] {
            assert_eq!(head.age.is_fresh(now + Duration::from_secs(seconds)), fresh, "{seconds}");
        }
        assert!(!head.age.is_fresh(now - Duration::from_secs(1)), "another clock");
    }

    #[test]
    fn a_renewed_page_lives_as_long_again() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000);
        let later = now + Duration::from_secs(100);
        let old = head(&[(header::CACHE_CONTROL, "max-age=60"), (header::ETAG, "\"x\"")], now).unwrap();
        let kept = old.renewed(&HeaderMap::new(), later);
        assert!(
            kept.age.is_fresh(later + Duration::from_secs(59))
                && !kept.age.is_fresh(later + Duration::from_secs(60))
        );
        assert_eq!(kept.validators(), [(header::IF_NONE_MATCH, HeaderValue::from_static("\"x\""))]);
        let longer = HeaderMap::from_iter([(header::CACHE_CONTROL, HeaderValue::from_static("max-age=900"))]);
        assert!(old.renewed(&longer, later).age.is_fresh(later + Duration::from_secs(899)));
    }
}
