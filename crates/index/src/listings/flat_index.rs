//! Find-links: flat lists of files, of any project, beside the indexes.
//!
//! One is a folder of files, a page of links, or one file. Each is read once a run.

use std::sync::Arc;

use url::Url;

use super::local;
use super::pages::check_complete;
use super::requests::{ACCEPT_HTML, page_request};
use crate::config::IndexConfig;
use crate::failure::{FetchFailure, FetchResult};
use crate::formats::{LinkScope, RawFile, RawPage, parse_links, validate};
use crate::once_map::OnceMap;
use crate::transport::{Decode, HttpResponse, Transport};
use crate::url::IndexUrl;
use pinfast_packaging::{DistFilename, Listing, PackageName};

/// The find-links of a run.
pub(crate) struct FlatIndexes {
    transport: Arc<Transport>,
    config: Arc<IndexConfig>,
    indexes: OnceMap<Url, FlatIndex>,
}

/// The files of one flat index, each with its normalised name, which begins with the project's.
#[derive(Clone)]
struct FlatIndex {
    files: Arc<Vec<(String, RawFile<'static>)>>,
}

impl FlatIndexes {
    pub(crate) fn new(config: Arc<IndexConfig>, transport: Arc<Transport>) -> Self {
        Self { transport, config, indexes: OnceMap::default() }
    }

    /// The files of `name` in all of them.
    pub(super) async fn listing(&self, name: &PackageName) -> FetchResult<Listing> {
        let mut page = RawPage::default();
        for url in &self.config.find_links {
            let index = self.index(url).await?;
            page.files.extend(index.files_of(name).cloned());
        }
        // Reading made all URLs absolute, so any base will do.
        let base = self.config.find_links.first().map_or_else(no_base, |url| url.as_url().clone());
        Ok(validate(name, page, &base, LinkScope::Disk))
    }

    async fn index(&self, url: &IndexUrl) -> FetchResult<FlatIndex> {
        let (slot, completer) = self.indexes.register(url.as_url().clone());
        if let Some(completer) = completer {
            completer.done(self.read(url).await.map(FlatIndex::new));
        }
        slot.wait().await
    }

    async fn read(&self, url: &IndexUrl) -> FetchResult<Vec<RawFile<'static>>> {
        if let Some(path) = url.path() {
            return Ok(local::flat_files(&path)?);
        }
        let read = |response: HttpResponse| {
            let page = parse_links(&response.body, &response.url)?;
            check_complete(&response)?;
            Ok(page.files)
        };
        let read: Decode<Vec<RawFile<'static>>> = Arc::new(read);
        let request = page_request(url.as_url().clone(), ACCEPT_HTML, self.transport.limits());
        self.transport.get(&request, &read).await.map_err(FetchFailure::of_named)
    }
}

impl FlatIndex {
    fn new(files: Vec<RawFile<'static>>) -> Self {
        let files = files.into_iter().map(|file| (normalized(&file.filename), file));
        Self { files: Arc::new(files.collect()) }
    }

    fn files_of(&self, name: &PackageName) -> impl Iterator<Item = &RawFile<'static>> {
        let prefix = format!("{name}-");
        let candidates = self.files.iter().filter(move |(normalized, _)| normalized.starts_with(&prefix));
        // `a-b-1.0.tar.gz` has the prefix `a-`, but it belongs to `a-b`.
        let own = candidates.filter(|(_, file)| DistFilename::parse(&file.filename, name).is_ok());
        own.map(|(_, file)| file)
    }
}

/// A file name normalised like a project's name (PEP 503).
fn normalized(filename: &str) -> String {
    let mut normalized = String::with_capacity(filename.len());
    for letter in filename.chars() {
        match letter {
            '-' | '_' | '.' if normalized.ends_with('-') => {}
            '-' | '_' | '.' => normalized.push('-'),
            _ => normalized.push(letter.to_ascii_lowercase()),
        }
    }
    normalized
}

/// The base of the links of no page at all.
fn no_base() -> Url {
    Url::parse("file:///").expect("a constant URL is valid")
}
