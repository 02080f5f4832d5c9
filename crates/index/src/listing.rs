//! From which index a project's listing comes.
//!
//! The first index that knows a project has it: a name on a later index never mixes in. Find-links are
//! looked through beside the indexes, as pip does.

use std::sync::Arc;

use reqwest::StatusCode;
use reqwest::header::{HeaderName, HeaderValue};
use url::Url;

use super::Shared;
use super::failure::{Cause, Failure, Outcome};
use super::folder;
use super::http::{Answer, Ask, Decode, End, Misread, Most};
use super::kept::{Kept, Known, Negatives, Told};
use super::limits::PAGE_VARIABLE;
use super::page::{self, Entry, Format, Page, Scope};
use super::release::Stead;
use super::site::{Api, Site};
use super::url::IndexUrl;
use pinfast_base::error::Error;
use pinfast_cache::CacheKey;
use pinfast_packaging::{Listing, PackageName, Version};

pub(super) const ACCEPT_JSON: &str = "application/json";
pub(super) const ACCEPT_SIMPLE: &str = "application/vnd.pypi.simple.v1+json, \
    application/vnd.pypi.simple.v1+html;q=0.2, text/html;q=0.1";
const ACCEPT_SIMPLE_JSON: &str = "application/vnd.pypi.simple.v1+json";
const ACCEPT_HTML: &str = "text/html, */*;q=0.1";

/// What lies in a find-links place: the normalised file name, which tells the project, and the entry.
pub(super) type Loose = Arc<Vec<(String, Entry<'static>)>>;

impl Shared {
    /// What the indexes say of `name`. That nobody knows it is believed of servers only, not of the cache:
    /// it may have been published a minute ago.
    pub(super) async fn find_listing(self: &Arc<Self>, name: &PackageName) -> Outcome<Option<Told>> {
        let mut found = self.look_for(name, Negatives::Believed).await?;
        if found.is_none() && self.cache.is_some() {
            found = self.look_for(name, Negatives::Doubted).await?;
        }
        Ok(found)
    }

    async fn look_for(self: &Arc<Self>, name: &PackageName, negatives: Negatives) -> Outcome<Option<Told>> {
        if let Some(site) = self.sources.get(name) {
            return self.site_listing(site, name, negatives).await;
        }
        let mut found = None;
        for site in &self.sites {
            found = self.site_listing(site, name, negatives).await?;
            if found.is_some() {
                break;
            }
        }
        let loose = self.loose_listing(name).await?;
        Ok(with_loose(found, loose))
    }

    async fn site_listing(
        self: &Arc<Self>,
        site: &Site,
        name: &PackageName,
        negatives: Negatives,
    ) -> Outcome<Option<Told>> {
        if let Some(folder) = &site.folder {
            return Ok(folder::listing(folder, name)?.map(Told::unbacked));
        }
        for api in site.all_apis(self.config.api_order) {
            if let Some(listing) = self.kept_listing(site, api, name).await? {
                return Ok(Some(listing));
            }
        }
        let mut trouble = None;
        let mut lacking = None;
        let brief = site.lists_briefly().then_some(Subject::Files);
        let subjects = site.apis(self.config.api_order).into_iter().map(Subject::Project);
        for subject in brief.into_iter().chain(subjects) {
            match self.page_listing(site, &subject, name, negatives).await {
                Ok(listing) => {
                    if lacking == Some(Subject::Project(Api::Json)) {
                        site.has_no_json();
                    }
                    return Ok(Some(listing));
                }
                Err(failure) => match failure.cause {
                    Cause::Absent => lacking = Some(subject),
                    _ if subject == Subject::Files => site.has_no_files(),
                    Cause::Transit | Cause::Denied => trouble = Some(failure),
                    Cause::Unusable | Cause::NeedsBuild | Cause::Final => return Err(failure),
                },
            }
        }
        trouble.map_or(Ok(None), Err)
    }

    /// What the cache says of `name`, where that will do: whichever API told it.
    async fn kept_listing(&self, site: &Site, api: Api, name: &PackageName) -> Outcome<Option<Told>> {
        let url = site.page(api, name).ok_or_else(Failure::abandoned)?;
        match self.kept(&self.page_key(&url)) {
            Some(kept) if kept.head.known == Known::Page && self.will_do(&kept, Negatives::Believed) => {
                let name = name.clone();
                self.on_worker(move || kept.listing(&name)).await
            }
            _ => Ok(None),
        }
    }

    /// What one page says of `name`, which the cache does not.
    async fn page_listing(
        self: &Arc<Self>,
        site: &Site,
        subject: &Subject,
        name: &PackageName,
        negatives: Negatives,
    ) -> Outcome<Told> {
        let url = site.page(subject.api(), name).ok_or_else(Failure::abandoned)?;
        let key = self.page_key(&url);
        let kept = self.kept(&key).map(Arc::new);
        if let Some(kept) = &kept
            && kept.head.known == Known::Absent
            && self.will_do(kept, negatives)
        {
            return Err(absent(&url).into());
        }
        let subject = subject.clone();
        let (name, stead) = (name.clone(), Stead::Itself);
        let reader = PageReader { shared: self.clone(), subject, key, name, kept, stead };
        let result = self.get_page(url.clone(), reader).await;
        if let Err(failure) = &result
            && failure.cause == Cause::Absent
        {
            self.keep_absence(&key);
        }
        result
    }

    pub(super) async fn get_page(&self, url: Url, reader: PageReader) -> Outcome<Told> {
        let accept = match reader.subject {
            Subject::Project(Api::Simple) => ACCEPT_SIMPLE,
            Subject::Files => ACCEPT_SIMPLE_JSON,
            Subject::Project(Api::Json) | Subject::Release(_) => ACCEPT_JSON,
        };
        let headers = validators(reader.kept.as_deref());
        let ask = Ask { headers, ..self.ask_page(url, accept) };
        let read: Decode<Told> = Arc::new(move |answer| reader.read(&answer));
        Ok(self.http(&ask.url).await?.get(&ask, &read).await?)
    }

    pub(super) fn ask_page(&self, url: Url, accept: &'static str) -> Ask {
        let limits = &self.config.limits;
        let most = Most { bytes: limits.page, what: "a project page", variable: PAGE_VARIABLE };
        Ask::new(url, accept, most, limits)
    }

    /// What the find-links places have of `name`.
    async fn loose_listing(&self, name: &PackageName) -> Outcome<Listing> {
        let prefix = format!("{name}-");
        let mut page = Page::default();
        for place in &self.config.find_links {
            let loose = self.loose(place).await?;
            let own = loose.iter().filter(|(normal, _)| normal.starts_with(&prefix));
            // What only begins like the name is another project's.
            let own = own
                .filter(|(_, entry)| pinfast_packaging::DistFilename::parse(&entry.filename, name).is_ok());
            page.entries.extend(own.map(|(_, entry)| entry.clone()));
        }
        let base = self.config.find_links.first().map_or_else(nowhere, |place| place.as_url().clone());
        Ok(page::listing(name, page, &base, Scope::Disk))
    }

    /// What lies in a find-links place, read once.
    async fn loose(&self, place: &IndexUrl) -> Outcome<Loose> {
        let (slot, promise) = self.loose.claim(place.as_url().clone());
        match promise {
            Some(promise) => promise.keep(self.read_loose(place).await.map(keyed)),
            None => return slot.answer().await,
        }
        slot.answer().await
    }

    async fn read_loose(&self, place: &IndexUrl) -> Outcome<Vec<Entry<'static>>> {
        if let Some(path) = place.path() {
            return Ok(folder::loose(&path)?);
        }
        let read = |answer: Answer| {
            let page = page::read_links(&answer.body, &answer.url)?;
            whole(&answer)?;
            Ok(page.entries)
        };
        let read: Decode<Vec<Entry<'static>>> = Arc::new(read);
        let ask = self.ask_page(place.as_url().clone(), ACCEPT_HTML);
        self.http(&ask.url).await?.get(&ask, &read).await.map_err(present)
    }
}

/// What a page is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Subject {
    Project(Api),
    /// The same, from the Simple API in JSON or not at all.
    Files,
    Release(Version),
}

impl Subject {
    fn api(&self) -> Api {
        match self {
            Self::Project(api) => *api,
            Self::Files => Api::Simple,
            Self::Release(_) => Api::Json,
        }
    }
}

/// What reads a page and keeps it.
pub(super) struct PageReader {
    pub(super) shared: Arc<Shared>,
    pub(super) subject: Subject,
    pub(super) key: CacheKey,
    pub(super) name: PackageName,
    pub(super) kept: Option<Arc<Kept>>,
    pub(super) stead: Stead,
}

/// The headers that ask whether what is kept still holds.
pub(super) fn validators(kept: Option<&Kept>) -> Vec<(HeaderName, HeaderValue)> {
    kept.filter(|kept| kept.head.known == Known::Page).map(|kept| kept.head.validators()).unwrap_or_default()
}

impl PageReader {
    pub(super) fn read(&self, answer: &Answer) -> Result<Told, Misread> {
        if answer.status == StatusCode::NOT_MODIFIED {
            let kept = self
                .kept
                .as_ref()
                .ok_or_else(|| "it is said to be unchanged, but not since when".to_owned())?;
            let told =
                kept.listing(&self.name).ok_or_else(|| "the cache's record cannot be read".to_owned())?;
            let renewed = self.shared.keep_on(kept, &answer.headers);
            return Ok(Told { backing: renewed.and_then(|renewed| renewed.backing()), ..told });
        }
        let format = format_of(&self.subject, answer)?;
        let page = page::read(format, &answer.body, &self.name, &answer.url)?;
        let listing = page::listing(&self.name, page, &answer.url, Scope::Network);
        if let Subject::Release(version) = &self.subject
            && !listing.versions().eq([version])
        {
            return Err(Misread::Malformed(format!("it is not about {} {version} alone", self.name)));
        }
        let headers = self.stead.headers().unwrap_or(&answer.headers);
        Ok(self.shared.keep_page(&self.key, headers, listing))
    }
}

/// What an index told, and what lies in find-links places beside it.
fn with_loose(found: Option<Told>, loose: Listing) -> Option<Told> {
    if loose.is_empty() && loose.warnings.is_empty() {
        return found;
    }
    Some(Told::unbacked(match found {
        Some(told) => page::merged(&told.listing, &loose),
        None => loose,
    }))
}

/// The cache's word that a page is not there.
fn absent(url: &Url) -> Failure {
    Failure::new(Cause::Absent, Error::no_answer(format!("{} was not there", super::url::shown(url))))
}

fn format_of(subject: &Subject, answer: &Answer) -> Result<Format, Misread> {
    let content_type =
        answer.headers.get(reqwest::header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    if subject.api() == Api::Simple {
        let format = Format::of_simple(content_type, &answer.body);
        if format == Format::Html && *subject == Subject::Files {
            let why = format!("{} answers with HTML", super::url::shown(&answer.url));
            return Err(Misread::Stop(Failure::new(Cause::Transit, Error::no_answer(why))));
        }
        if format == Format::Html {
            whole(answer)?;
        }
        return Ok(format);
    }
    if content_type.is_some_and(|said| said.to_ascii_lowercase().contains("html")) {
        let why = format!("{} answers with HTML instead of JSON", super::url::shown(&answer.url));
        return Err(Misread::Stop(Failure::new(Cause::Transit, Error::no_answer(why))));
    }
    Ok(if matches!(subject, Subject::Release(_)) { Format::Release } else { Format::Api })
}

/// Refuses HTML that may have been cut: an older release would seem the newest.
fn whole(answer: &Answer) -> Result<(), Misread> {
    if answer.end == End::Unknown && !page::is_closed(&answer.body) {
        return Err(Misread::Malformed(
            "the page may be cut: neither it nor the server says where it ends".into(),
        ));
    }
    Ok(())
}

/// A find-links page that is not there is trouble: the user named it.
fn present(failure: Failure) -> Arc<Failure> {
    Arc::new(if failure.cause == Cause::Absent { Failure::last(failure.to_error()) } else { failure })
}

fn keyed(entries: Vec<Entry<'static>>) -> Loose {
    Arc::new(entries.into_iter().map(|entry| (normal(&entry.filename), entry)).collect())
}

/// A file name as names are normalised, so that it begins with the name of its project.
fn normal(filename: &str) -> String {
    let mut normal = String::with_capacity(filename.len());
    for letter in filename.chars() {
        match letter {
            '-' | '_' | '.' if normal.ends_with('-') => {}
            '-' | '_' | '.' => normal.push('-'),
            _ => normal.push(letter.to_ascii_lowercase()),
        }
    }
    normal
}

/// The base of links of which there are none.
fn nowhere() -> Url {
    Url::parse("file:///").expect("a constant URL is valid")
}
