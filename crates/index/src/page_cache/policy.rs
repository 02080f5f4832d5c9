//! How long a stored page may be used, and how to validate it, from its response headers (RFC 9111, section 4).

use std::time::{Duration, SystemTime};

use http_cache_semantics::{self as semantics, CacheOptions};
use reqwest::header::{self, HeaderMap, HeaderName, HeaderValue};
use serde::{Deserialize, Serialize};

/// The lifetime of a page without a lifetime in its headers. Public indexes send ten minutes too.
const DEFAULT_LIFETIME: Duration = Duration::from_secs(600);

/// What is stored of a response beside its listing. It begins the record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct CachePolicy {
    pub(super) status: PageStatus,
    pub(super) freshness: PageFreshness,
    etag: Option<String>,
    last_modified: Option<String>,
}

/// Since when and how long a page is fresh.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct PageFreshness {
    /// When it was fetched or validated, in seconds since 1970.
    fetched: u64,
    /// In seconds.
    lifetime: u64,
}

/// Whether there was a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum PageStatus {
    /// 200: a listing follows in the record.
    Found,
    /// 404 or 410.
    Absent,
}

impl CachePolicy {
    /// The policy of a response that arrives `now`; `None` where it must not be stored.
    pub(super) fn new(status: PageStatus, headers: &HeaderMap, now: SystemTime) -> Option<Self> {
        let text =
            |name: HeaderName| headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
        Some(Self {
            status,
            freshness: PageFreshness { fetched: seconds(now), lifetime: lifetime(headers, now)?.as_secs() },
            etag: text(header::ETAG),
            last_modified: text(header::LAST_MODIFIED),
        })
    }

    /// The policy after a 304 with `headers` that arrives `now` (RFC 9111, section 4.3.4).
    pub(super) fn renewed(&self, headers: &HeaderMap, now: SystemTime) -> Self {
        // A 304 may leave out what has not changed; then the old lifetime starts again.
        let new = has_lifetime(headers).then(|| lifetime(headers, now)).flatten();
        let lifetime = new.map_or(self.freshness.lifetime, |new| new.as_secs());
        Self { freshness: PageFreshness { fetched: seconds(now), lifetime }, ..self.clone() }
    }

    /// The headers of a conditional request (RFC 9110, section 13.1).
    pub(super) fn validators(&self) -> Vec<(HeaderName, HeaderValue)> {
        let pairs = [(header::IF_NONE_MATCH, &self.etag), (header::IF_MODIFIED_SINCE, &self.last_modified)];
        let value = |text: &Option<String>| HeaderValue::from_str(text.as_deref()?).ok();
        pairs.into_iter().filter_map(|(name, text)| Some((name, value(text)?))).collect()
    }
}

impl PageFreshness {
    /// When it becomes stale, in seconds since 1970.
    pub(crate) fn expires(&self) -> u64 {
        self.fetched.saturating_add(self.lifetime)
    }

    pub(super) fn is_fresh(self, now: SystemTime) -> bool {
        // A page from the future was stored under another clock: its age is unknown, so it is stale.
        let age = seconds(now).checked_sub(self.fetched);
        age.is_some_and(|age| age < self.lifetime)
    }
}

/// How long a response is fresh; `None` where it must not be stored.
fn lifetime(headers: &HeaderMap, now: SystemTime) -> Option<Duration> {
    // `cache_heuristic: 0.0`: no lifetime is guessed from `Last-Modified`.
    let options = CacheOptions { shared: false, cache_heuristic: 0.0, ..CacheOptions::default() };
    let mut response = http::Response::new(());
    // Not `Age`: it is subtracted below, from the default lifetime as well.
    let names = [header::CACHE_CONTROL, header::EXPIRES, header::PRAGMA, header::DATE, header::VARY];
    for name in names {
        for value in headers.get_all(&name) {
            response.headers_mut().append(&name, value.clone());
        }
    }
    let request = http::Request::new(());
    let policy = semantics::CachePolicy::new_options(&request, &response, now, options);

    if !policy.is_storable() && has_lifetime(headers) {
        return None;
    }
    let lifetime = if has_lifetime(headers) { policy.time_to_live(now) } else { DEFAULT_LIFETIME };
    Some(lifetime.saturating_sub(age(headers)))
}

fn has_lifetime(headers: &HeaderMap) -> bool {
    [header::CACHE_CONTROL, header::EXPIRES, header::PRAGMA].iter().any(|name| headers.contains_key(name))
}

/// The time that the response has spent in caches on the way (RFC 9111, section 5.1).
fn age(headers: &HeaderMap) -> Duration {
    let age = headers.get(header::AGE).and_then(|value| value.to_str().ok()?.trim().parse().ok());
    Duration::from_secs(age.unwrap_or(0))
}

fn seconds(time: SystemTime) -> u64 {
    time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy(headers: &[(HeaderName, &str)], now: SystemTime) -> Option<CachePolicy> {
        let headers =
            headers.iter().map(|(name, value)| (name.clone(), HeaderValue::from_str(value).unwrap()));
        CachePolicy::new(PageStatus::Found, &headers.collect(), now)
    }

    #[test]
    fn a_page_is_fresh_for_the_lifetime_in_its_headers() {
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
            assert_eq!(
                policy(&headers, now).map(|policy| policy.freshness.lifetime),
                lifetime,
                "{headers:?}"
            );
        }
        let policy = policy(&[(control, "max-age=60")], now).unwrap();
        for (seconds, fresh) in [(0, true), (59, true), (60, false), (1_000_000, false)] {
            assert_eq!(policy.freshness.is_fresh(now + Duration::from_secs(seconds)), fresh, "{seconds}");
        }
        assert!(!policy.freshness.is_fresh(now - Duration::from_secs(1)), "another clock");
    }

    #[test]
    fn a_validated_page_is_fresh_for_its_lifetime_again() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000);
        let later = now + Duration::from_secs(100);
        let old = policy(&[(header::CACHE_CONTROL, "max-age=60"), (header::ETAG, "\"x\"")], now).unwrap();
        let renewed = old.renewed(&HeaderMap::new(), later);
        assert!(
            renewed.freshness.is_fresh(later + Duration::from_secs(59))
                && !renewed.freshness.is_fresh(later + Duration::from_secs(60))
        );
        assert_eq!(renewed.validators(), [(header::IF_NONE_MATCH, HeaderValue::from_static("\"x\""))]);
        let longer = HeaderMap::from_iter([(header::CACHE_CONTROL, HeaderValue::from_static("max-age=900"))]);
        assert!(old.renewed(&longer, later).freshness.is_fresh(later + Duration::from_secs(899)));
    }
}
