//! From a request to an index client.

use std::path::PathBuf;
use std::sync::Arc;

use rustc_hash::FxHashMap;

use super::request::{CacheUse, IndexRequest};
use super::session::Session;
use pinfast_base::error::Result;
use pinfast_index::{CacheMode, Client, IndexConfig, IndexUrl, Limits};
use pinfast_inputs::FileOption;
use pinfast_packaging::{PackageName, Sha256};
use pinfast_settings::{
    IndexLocation, IndexOptions, IndexReference, Origin, PipConfig, built_in_index, choose_indexes,
};

/// Where packages come from.
pub(super) struct IndexLocations {
    indexes: Vec<IndexUrl>,
    find_links: Vec<IndexUrl>,
    /// The index of single packages.
    sources: FxHashMap<PackageName, IndexUrl>,
    pip: PipConfig,
}

impl IndexLocations {
    /// A digest of them, without credentials; nothing of them can be read from it.
    pub(super) fn digest(&self) -> [u8; 32] {
        let list = |name: &str, urls: &[IndexUrl]| {
            let urls = urls.iter().map(|url| format!("{name} {}\n", url.as_url()));
            urls.collect::<String>()
        };
        let mut sources: Vec<_> =
            self.sources.iter().map(|(name, url)| format!("{name} {}\n", url.as_url())).collect();
        sources.sort();
        let text = list("index", &self.indexes) + &list("links", &self.find_links) + &sources.concat();
        Sha256::of(text.as_bytes()).0
    }
}

/// The places that the request, the inputs' `options`, the settings, pip's configuration or the
/// interpreter's pip name, in this order. `python` is the word of `--python`.
///
/// # Errors
/// `Usage` when no index is named anywhere or one makes no sense.
pub(super) fn places(
    request: &IndexRequest,
    options: &[FileOption],
    python: Option<&str>,
    session: &Session,
) -> Result<IndexLocations> {
    let env = &session.env;
    let pip = PipConfig::read(env, "install", None)?;
    pip.warnings.iter().for_each(|warning| session.warn(warning.clone()));
    let layers = [
        flags(request, session),
        IndexOptions::of_files(options, env),
        session.settings.index_options(),
        pip.index_options(env)?,
    ];
    let by_default = || Ok(session.interpreter(python)?.probe.default_index.clone());
    let choice = choose_indexes(&layers, env, built_in_index(), by_default)?;
    choice.details.iter().for_each(|detail| session.detail(detail.clone()));
    let url = |chosen: &IndexLocation| IndexUrl::new(chosen.url.clone());
    let mut sources = FxHashMap::default();
    for package in session.settings.sources.keys() {
        if let Some(said) = session.settings.source_of(package) {
            sources.insert(package.clone(), url(&said.index(env)?));
        }
    }
    let indexes = choice.index.iter().chain(&choice.extra).map(url).collect();
    let find_links = choice.find_links.iter().map(url).collect();
    Ok(IndexLocations { indexes, find_links, sources, pip })
}

/// A client for `places`.
///
/// # Errors
/// `Usage` when a variable makes no sense.
pub(super) fn client(
    request: &IndexRequest,
    places: &IndexLocations,
    session: &Session,
) -> Result<Arc<Client>> {
    let (env, pip) = (&session.env, &places.pip);
    let config = IndexConfig {
        indexes: places.indexes.clone(),
        find_links: places.find_links.clone(),
        sources: places.sources.clone(),
        cache: session.cache.clone(),
        cache_mode: cache_mode(request.cache_use, session),
        netrc: netrc(session),
        ca_bundle: pip.cert().or_else(|| env.path("REQUESTS_CA_BUNDLE")),
        client_cert: pip.client_cert(),
        proxy: pip.proxy().map(|proxy| proxy.text.clone()),
        limits: Limits::from_variables(|name| env.text(name).map(str::to_owned))?,
        ..IndexConfig::default()
    };
    Ok(Arc::new(Client::new(config, session.watcher.clone())))
}

fn flags(request: &IndexRequest, session: &Session) -> IndexOptions {
    let said = |flag: &'static str| {
        move |text: &String| IndexReference::new(text, Origin::Argument(flag), &session.env)
    };
    IndexOptions {
        index_url: request.index_url.as_ref().map(said("--index-url")),
        extra_index_urls: request.extra_index_urls.iter().map(said("--extra-index-url")).collect(),
        find_links: request.find_links.iter().map(said("--find-links")).collect(),
        no_index: request.no_index.map(|()| Origin::Argument("--no-index")),
    }
}

fn cache_mode(cache_use: CacheUse, session: &Session) -> CacheMode {
    let offline_by_settings = session.settings.offline.as_ref().is_some_and(|offline| offline.value);
    match cache_use {
        CacheUse::Refresh => CacheMode::Refresh,
        CacheUse::Offline => CacheMode::Offline,
        CacheUse::Normal if offline_by_settings => CacheMode::Offline,
        CacheUse::Normal => CacheMode::Normal,
    }
}

/// `NETRC`, else `.netrc` in the home folder, as other tools look it up.
fn netrc(session: &Session) -> Option<PathBuf> {
    let env = &session.env;
    env.path("NETRC").or_else(|| env.home().map(|home| home.join(".netrc")))
}
