//! One page: request it, parse it, store its listing.

use std::sync::Arc;

use reqwest::StatusCode;
use reqwest::header::{CONTENT_TYPE, HeaderMap};
use url::Url;

use super::registry::IndexApi;
use super::requests::{ACCEPT_JSON, ACCEPT_SIMPLE, ACCEPT_SIMPLE_JSON, page_request};
use crate::failure::{FailureKind, FetchFailure, FetchResult};
use crate::formats::{LinkScope, PageFormat, is_closed_html, parse_page, validate};
use crate::page_cache::{CachedListing, PageCache, StoredPage};
use crate::transport::{BodyEnd, Decode, DecodeError, HttpRequest, HttpResponse, Transport};
use crate::url::redacted;
use pinfast_base::error::Error;
use pinfast_cache::CacheKey;
use pinfast_packaging::{PackageName, Version};

/// What a page is about, and in which API.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum PageKind {
    /// A project.
    Project(IndexApi),
    /// A project, from the Simple API in JSON or not at all.
    ProjectSimpleJson,
    /// One release.
    Release(Version),
}

impl PageKind {
    pub(super) fn api(&self) -> IndexApi {
        match self {
            Self::Project(api) => *api,
            Self::ProjectSimpleJson => IndexApi::Simple,
            Self::Release(_) => IndexApi::Json,
        }
    }
}

/// As what the page of a release is stored.
#[derive(Clone)]
pub(super) enum StoreAs {
    /// As itself, with its own headers.
    OwnPage,
    /// As the newest release of its project, with the headers of the project's page, which named it: as long as
    /// that page is fresh, so is this fact.
    Newest(HeaderMap),
}

/// Parses a page and stores its listing.
pub(super) struct PageReader {
    pub(super) cache: Arc<PageCache>,
    pub(super) kind: PageKind,
    pub(super) key: CacheKey,
    pub(super) name: PackageName,
    /// The stale page that the request validates.
    pub(super) stored: Option<Arc<StoredPage>>,
    pub(super) store_as: StoreAs,
}

impl PageReader {
    pub(super) fn read(&self, response: &HttpResponse) -> Result<CachedListing, DecodeError> {
        if response.status == StatusCode::NOT_MODIFIED {
            return self.renew(response);
        }
        let format = format_of(&self.kind, response)?;
        let page = parse_page(format, &response.body, &self.name, &response.url)?;
        let listing = validate(&self.name, page, &response.url, LinkScope::Network);
        // Another release's page would be cached as this one.
        if let PageKind::Release(version) = &self.kind
            && !listing.versions().eq([version])
        {
            return Err(DecodeError::Malformed(format!("it is not about {} {version} alone", self.name)));
        }
        let headers = match &self.store_as {
            StoreAs::OwnPage => &response.headers,
            StoreAs::Newest(headers) => headers,
        };
        Ok(self.cache.store(&self.key, headers, listing))
    }

    /// The listing after a 304.
    fn renew(&self, response: &HttpResponse) -> Result<CachedListing, DecodeError> {
        let stored =
            self.stored.as_ref().ok_or_else(|| "it answers 304 although nothing is stored".to_owned())?;
        let listing =
            stored.listing(&self.name).ok_or_else(|| "the cache's record cannot be read".to_owned())?;
        let renewed = self.cache.renew(stored, &response.headers);
        Ok(CachedListing { stored: renewed.and_then(|renewed| renewed.cache_ref()), ..listing })
    }
}

/// Requests pages and reads stored ones.
#[derive(Clone)]
pub(crate) struct PageFetcher {
    pub(super) transport: Arc<Transport>,
    pub(super) cache: Arc<PageCache>,
}

impl PageFetcher {
    pub(crate) fn new(transport: Arc<Transport>, cache: Arc<PageCache>) -> Self {
        Self { transport, cache }
    }

    pub(super) fn request(&self, url: Url, accept: &'static str) -> HttpRequest {
        page_request(url, accept, self.transport.limits())
    }

    /// Requests the page at `url`, or validates the stored one.
    pub(super) async fn fetch(&self, url: Url, reader: PageReader) -> FetchResult<CachedListing> {
        let accept = match reader.kind {
            PageKind::Project(IndexApi::Simple) => ACCEPT_SIMPLE,
            PageKind::ProjectSimpleJson => ACCEPT_SIMPLE_JSON,
            PageKind::Project(IndexApi::Json) | PageKind::Release(_) => ACCEPT_JSON,
        };
        let headers = reader.stored.as_deref().map(StoredPage::validators).unwrap_or_default();
        let request = HttpRequest { headers, ..self.request(url, accept) };
        let read: Decode<CachedListing> = Arc::new(move |response| reader.read(&response));
        self.transport.get(&request, &read).await
    }

    /// The listing of a stored page.
    pub(super) async fn read_stored(
        &self,
        page: Arc<StoredPage>,
        name: &PackageName,
    ) -> FetchResult<Option<CachedListing>> {
        let name = name.clone();
        self.transport.on_cpu(move || page.listing(&name)).await
    }
}

fn format_of(kind: &PageKind, response: &HttpResponse) -> Result<PageFormat, DecodeError> {
    let content_type = response.headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    if kind.api() == IndexApi::Simple {
        let format = PageFormat::of_simple(content_type, &response.body);
        if format == PageFormat::Html && *kind == PageKind::ProjectSimpleJson {
            return Err(wrong_format(response, "HTML"));
        }
        if format == PageFormat::Html {
            check_complete(response)?;
        }
        return Ok(format);
    }
    if content_type.is_some_and(|text| text.to_ascii_lowercase().contains("html")) {
        // A log-in or error page with status 200; the other API may still answer.
        return Err(wrong_format(response, "HTML instead of JSON"));
    }
    let is_release = matches!(kind, PageKind::Release(_));
    Ok(if is_release { PageFormat::JsonApiRelease } else { PageFormat::JsonApi })
}

/// The server speaks another format: another page of it may be asked, but not this one again.
fn wrong_format(response: &HttpResponse, format: &str) -> DecodeError {
    let error = Error::no_answer(format!("{} answers with {format}", redacted(&response.url)));
    DecodeError::Fatal(FetchFailure::new(FailureKind::Transfer, error))
}

/// Refuses HTML that may have been cut: without its end, an older release would seem to be the newest.
pub(super) fn check_complete(response: &HttpResponse) -> Result<(), DecodeError> {
    if response.end == BodyEnd::Unframed && !is_closed_html(&response.body) {
        return Err(DecodeError::Malformed(
            "the page may be cut: neither it nor the server says where it ends".into(),
        ));
    }
    Ok(())
}
