//! Indexes over the network and on disk: listings, metadata, files.
//!
//! - [`Config`] says where packages come from; [`Client`] answers the solver ([`pinfast_solve::Index`])
//! - `page`: bytes -> listing, without I/O; `folder`: indexes on disk; `listing`: which index is asked; `release`: what it
//!   says of one release alone, such as the newest
//! - `shelf`: a listing as the cache keeps it; `kept`: how long it may stand for the page; `snapshot`: what the last run
//!   that wrote a lock pinned
//! - `metadata`, `ranges`, `zip`, `sdist`: where a file's metadata comes from; `download`: whole files
//! - `http`: one resource with tries, redirects, limits and credentials (`auth`, `url`, `limits`), and as much of its body as is wanted;
//!   `net`: the runtime, started at first need; `work`: what may need it; `workers`: threads that parse
//! - `ahead`: what will be asked soon; `once`: one request a resource; `origins`, `site`: what a run learns of servers
//!
//! Every question has one answer a run, whoever asks first and whatever arrives first.

mod ahead;
mod auth;
mod config;
mod download;
mod failure;
mod folder;
mod http;
mod kept;
mod limits;
mod listing;
mod metadata;
mod names;
mod net;
mod once;
mod origins;
mod page;
mod ranges;
mod release;
mod sdist;
mod shelf;
mod site;
mod snapshot;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
mod url;
mod word;
mod work;
mod workers;
mod zip;

use std::fs::File;
use std::path::Path;
use std::pin::pin;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, OnceLock};
use std::time::SystemTime;

use ::url::Url;
use rustc_hash::FxHashMap;

pub use config::{ApiOrder, Config, Freshness};
pub use limits::{
    FILE_VARIABLE, Limits, METADATA_VARIABLE, PAGE_VARIABLE, REDIRECTS_VARIABLE, REQUESTS_VARIABLE,
    RETRIES_VARIABLE, TIME_VARIABLE,
};
pub use url::IndexUrl;

use auth::Credentials;
use download::Download;
use failure::{Cause, Outcome};
use kept::Told;
use listing::Loose;
use metadata::Spoken;
use net::Net;
use once::{OnceMap, Slot};
use origins::Origins;
use pinfast_base::error::Error;
use pinfast_base::event::Watcher;
use pinfast_cache::Cache;
use pinfast_packaging::{
    DirectUrl, DistFile, DistFilename, Listing, Metadata, MetadataHint, PackageName, Sha256, Version,
};
use pinfast_solve::{Index, IndexQuery, MetadataFailure, SearchScope, Trust};
use release::{Newest, Stead};
use site::Site;
use snapshot::Snapshot;
use workers::Workers;

/// How many threads look ahead of the solver over the network; most of the time each waits for an answer.
const PREFETCH_THREADS: usize = 32;

/// How many do as long as all that is asked for lies on disk: there is nothing to wait for.
const PREFETCH_THREADS_ON_DISK: usize = 2;

/// The indexes of a run. Made without I/O: threads, TLS and connections start when something needs them.
pub struct Client {
    shared: Arc<Shared>,
}

/// What the tasks of a client share.
struct Shared {
    config: Config,
    cache: Option<Cache>,
    /// Set once the cache could not be read or written.
    cache_failed: AtomicBool,
    /// The time of this run, against which freshness is judged.
    now: SystemTime,
    credentials: OnceLock<Arc<Credentials>>,
    watcher: Arc<dyn Watcher>,
    workers: Arc<Workers>,
    net: OnceLock<Outcome<Net>>,
    sites: Vec<Site>,
    sources: FxHashMap<PackageName, Site>,
    origins: Origins,
    listings: OnceMap<PackageName, Option<Told>>,
    loose: OnceMap<Url, Loose>,
    newest: OnceMap<PackageName, Option<Arc<Newest>>>,
    pages_kept: OnceMap<PackageName, bool>,
    releases: OnceMap<(PackageName, Version), Option<Told>>,
    released: OnceMap<(PackageName, Version), Option<Arc<Metadata>>>,
    /// By the file's URL.
    metadata: OnceMap<Arc<str>, Spoken>,
    downloads: OnceMap<(Url, Option<Sha256>), Arc<Download>>,
    snapshot: OnceLock<Snapshot>,
}

impl Client {
    /// A client that tells `watcher` what it does.
    #[must_use]
    pub fn new(config: Config, watcher: Arc<dyn Watcher>) -> Self {
        Self::at(SystemTime::now(), config, watcher)
    }

    /// The same in a run that takes place `now`.
    fn at(now: SystemTime, config: Config, watcher: Arc<dyn Watcher>) -> Self {
        let shared = Shared {
            sites: config.indexes.iter().map(Site::new).collect(),
            sources: config.sources.iter().map(|(name, url)| (name.clone(), Site::new(url))).collect(),
            cache: config.cache.clone().map(Cache::new),
            config,
            cache_failed: AtomicBool::new(false),
            now,
            credentials: OnceLock::new(),
            watcher,
            workers: Arc::default(),
            net: OnceLock::new(),
            origins: Origins::default(),
            listings: OnceMap::new(),
            loose: OnceMap::new(),
            newest: OnceMap::new(),
            pages_kept: OnceMap::new(),
            releases: OnceMap::new(),
            released: OnceMap::new(),
            metadata: OnceMap::new(),
            downloads: OnceMap::new(),
            snapshot: OnceLock::new(),
        };
        Self { shared: Arc::new(shared) }
    }

    /// Writes `file` to `path`, which is made or overwritten; it is streamed and checked against its hash.
    /// On failure nothing is left at `path`. Blocks; may be called from several threads at once.
    ///
    /// # Errors
    /// When the file cannot be had or written (3) or does not match its hash (4).
    pub fn fetch_file(&self, file: &DistFile, path: &Path) -> Result<(), Error> {
        let to = File::create(path)
            .map_err(|error| Error::no_answer(format!("cannot write {}", path.display())).because(error))?;
        let fetched = self.fetch(file, &to).and_then(|sha256| {
            download::check(&file.url, file.sha256, sha256).map_err(|failure| failure.to_error())
        });
        if fetched.is_err() {
            // What cannot be removed either is reported by the failure itself.
            let _ = std::fs::remove_file(path);
        }
        fetched
    }

    /// Writes the bytes of `file` to `to`, which is emptied first (and at each retry), and returns their
    /// hash, computed on the way; whether it is the right one is the caller's question. Blocks; may be
    /// called from several threads at once.
    ///
    /// # Errors
    /// When the file cannot be had or written.
    pub fn fetch(&self, file: &DistFile, to: &File) -> Result<Sha256, Error> {
        let work = pin!(self.shared.fetch(file, to));
        self.shared.block_on(work).map_err(|failure| failure.to_error())
    }

    /// `file` as it lies on this machine, got once a run and checked, and its hash.
    ///
    /// # Errors
    /// When it cannot be had (3) or does not match its hash (4).
    pub fn open_file(&self, file: &DistFile) -> Result<(File, Sha256), Error> {
        let work = pin!(self.shared.download(&file.url, file.sha256, file.size));
        let download = self.shared.block_on(work).map_err(|failure| failure.to_error())?;
        let opened = download
            .open()
            .map_err(|error| Error::no_answer("cannot read a downloaded file").because(error))?;
        Ok((opened, download.sha256))
    }

    /// The file of a `name @ URL` requirement as its URL names it; nothing is asked.
    ///
    /// # Errors
    /// When it is no http, https or file URL, or not that of a distribution of `name`.
    pub fn file_of(name: &PackageName, url: &DirectUrl) -> Result<DistFile, Error> {
        direct_file(name, url)
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        if let Some(Ok(net)) = self.shared.net.get() {
            net.stop();
        }
    }
}

impl Index for Client {
    fn listing(&self, name: &PackageName) -> Result<Option<Arc<Listing>>, Error> {
        let told = self.shared.want_listing(name).wait().map_err(|failure| failure.to_error())?;
        Ok(told.map(|told| told.listing))
    }

    fn release_listing(&self, name: &PackageName, version: &Version) -> Option<Arc<Listing>> {
        // What is recalled is so whatever was asked before.
        if self.shared.recalled_release(name, version).is_none() && self.shared.tells_all(name) {
            return None;
        }
        Some(self.shared.want_release(name, version, Stead::Itself).wait().ok()??.listing)
    }

    fn newest_listing(&self, name: &PackageName) -> Option<Arc<Listing>> {
        let newest = self.shared.told_newest(name)?;
        Some(self.shared.want_release(name, &newest.version, Stead::Itself).wait().ok()??.listing)
    }

    fn newest_metadata(&self, name: &PackageName) -> Option<Arc<Metadata>> {
        let newest = self.shared.told_newest(name)?;
        let alone =
            self.shared.releases.peek(&(name.clone(), newest.version.clone())).and_then(|told| told.ok()?);
        let is_there = alone.is_some() || self.shared.listings.peek(name).is_some();
        newest.word.clone().filter(|_| !is_there)
    }

    fn metadata(&self, file: &Arc<DistFile>, trust: Trust) -> Result<Arc<Metadata>, MetadataFailure> {
        if trust == Trust::Release
            && !self.shared.has_word_of(file)
            && let Some(metadata) = self.shared.released(file)
        {
            return Ok(metadata);
        }
        let spoken = self.shared.want_metadata(file).wait();
        spoken.map(|spoken| spoken.metadata).map_err(|failure| match failure.cause {
            Cause::Unusable => MetadataFailure::Invalid(failure.message().to_owned()),
            Cause::NeedsBuild => MetadataFailure::NeedsBuild(failure.message().to_owned()),
            _ => MetadataFailure::Fatal(failure.to_error()),
        })
    }

    fn direct_url_listing(&self, name: &PackageName, url: &DirectUrl) -> Result<Arc<Listing>, Error> {
        let file = direct_file(name, url)?;
        let download = self.shared.block_on(pin!(self.shared.download(&file.url, url.sha256, None)));
        let download = download.map_err(|failure| failure.to_error())?;
        let file = DistFile { sha256: Some(download.sha256), ..file };
        self.shared.keep_download(&file, download);
        let release = (file.dist.version().clone(), vec![Arc::new(file)]);
        Ok(Arc::new(Listing::new(name.clone(), vec![release])))
    }

    fn sha256(&self, file: &Arc<DistFile>) -> Result<Sha256, Error> {
        if let Some(sha256) = file.sha256 {
            return Ok(sha256);
        }
        let download = self.shared.block_on(pin!(self.shared.download(&file.url, None, file.size)));
        download.map(|download| download.sha256).map_err(|failure| failure.to_error())
    }

    fn prefetch(&self, wants: &[IndexQuery]) {
        self.shared.expect(wants.iter());
    }

    fn prefetch_speculative(&self, wants: &[IndexQuery]) {
        self.shared.foresee(wants.iter());
    }

    fn search_scope(&self) -> SearchScope {
        let config = &self.shared.config;
        if config.indexes.is_empty() && config.sources.is_empty() {
            SearchScope::FindLinks
        } else {
            SearchScope::Indexes
        }
    }

    fn project_names(&self) -> Vec<PackageName> {
        self.shared.names()
    }

    /// Where a question costs a round trip, as many as keep the levels of the graph under way.
    fn prefetch_concurrency(&self) -> usize {
        if self.shared.net.get().is_some() { PREFETCH_THREADS } else { PREFETCH_THREADS_ON_DISK }
    }
}

impl Shared {
    fn want_listing(self: &Arc<Self>, name: &PackageName) -> Arc<Slot<Option<Told>>> {
        let (slot, promise) = self.listings.claim(name.clone());
        if let Some(promise) = promise {
            let (shared, name) = (self.clone(), name.clone());
            self.launch(async move { promise.keep(shared.find_listing(&name).await) });
        }
        slot
    }

    fn want_metadata(self: &Arc<Self>, file: &Arc<DistFile>) -> Arc<Slot<Spoken>> {
        let (slot, promise) = self.metadata.claim(file.url.as_text().clone());
        if let Some(promise) = promise {
            if let Some(spoken) = self.recalled_word(file) {
                promise.keep(Ok(spoken));
                return slot;
            }
            let (shared, file) = (self.clone(), file.clone());
            self.launch(async move { promise.keep(shared.of_file(&file).await) });
        }
        slot
    }

    fn credentials(&self) -> &Arc<Credentials> {
        self.credentials.get_or_init(|| Arc::new(net::credentials(&self.config, &*self.watcher)))
    }

    /// A download that has become known under its hash too.
    fn keep_download(&self, file: &DistFile, download: Arc<Download>) {
        if let (_, Some(promise)) = self.downloads.claim((Url::clone(&file.url), file.sha256)) {
            promise.keep(Ok(download));
        }
    }
}

/// The file of a `name @ URL` requirement, not yet hashed.
fn direct_file(name: &PackageName, url: &DirectUrl) -> Result<DistFile, Error> {
    let shown = url::shown(&url.url);
    if !matches!(url.url.scheme(), "http" | "https" | "file") {
        return Err(Error::usage(format!("`{name} @ {shown}` is not an http, https or file URL"))
            .hint("only a wheel or an sdist can be locked by its hash: build one, and name its URL"));
    }
    let last = url.url.path_segments().and_then(|mut segments| segments.next_back()).unwrap_or_default();
    let filename = percent_encoding::percent_decode_str(last).decode_utf8_lossy();
    let dist = DistFilename::parse(&filename, name).map_err(|error| {
        Error::usage(format!("`{name} @ {shown}` is not a distribution of {name}: {}", error.message))
    })?;
    Ok(DistFile {
        filename: filename.into(),
        dist,
        url: url.url.clone().into(),
        sha256: url.sha256,
        requires_python: None,
        yanked: None,
        uploaded: None,
        size: None,
        metadata: MetadataHint::Unknown,
    })
}
