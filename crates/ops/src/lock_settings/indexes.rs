//! Which indexes provide packages, and how the cache and the network are used.

use std::path::PathBuf;
use std::sync::Arc;

use rustc_hash::FxHashMap;

use super::argument;
use crate::session::Session;
use pinfast_base::error::Result;
use pinfast_index::{CacheMode, Client, IndexConfig, IndexUrl, Limits};
use pinfast_inputs::FileOption;
use pinfast_packaging::{PackageName, Sha256};
use pinfast_python::InterpreterRequest;
use pinfast_settings::{
    IndexLocation, IndexOptions, IndexReference, Origin, PipConfig, Setting, Sourced, built_in_index,
    choose_indexes,
};

/// The arguments that name indexes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct IndexRequest {
    /// `--index-url`
    pub index_url: Option<String>,
    /// `--extra-index-url`, each.
    pub extra_index_urls: Vec<String>,
    /// `--find-links`, each.
    pub find_links: Vec<String>,
    /// `--no-index`
    pub no_index: Option<()>,
    /// `--offline`, `--refresh`
    pub cache_use: CacheUse,
}

/// How the cache and the network are used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CacheUse {
    /// By the rules of HTTP caching (RFC 9111).
    #[default]
    Normal,
    /// Nothing cached counts as fresh (`--refresh`).
    Refresh,
    /// Only the cache, no network (`--offline`).
    Offline,
}

/// The options that name indexes, by source, and the cache mode.
pub(crate) struct IndexSettings {
    arguments: IndexOptions,
    in_files: IndexOptions,
    in_settings: IndexOptions,
    /// The only index of each package that has one.
    of_packages: Vec<(PackageName, IndexReference)>,
    cache_use: Sourced<CacheUse>,
}

impl IndexSettings {
    /// Collects the options of the arguments, the input files and the settings file.
    pub(crate) fn merge(request: &IndexRequest, file_options: &[FileOption], session: &Session) -> Self {
        let settings = &session.settings;
        let of_package = |name: &PackageName| Some((name.clone(), settings.source_of(name)?));
        let offline = settings.offline.clone().filter(|offline| offline.value).map(Setting::sourced);
        let cache_argument = match request.cache_use {
            CacheUse::Normal => None,
            CacheUse::Refresh => argument("--refresh", Some(CacheUse::Refresh)),
            CacheUse::Offline => argument("--offline", Some(CacheUse::Offline)),
        };
        Self {
            arguments: arguments(request, session),
            in_files: IndexOptions::of_files(file_options, &session.env),
            in_settings: settings.index_options(),
            of_packages: settings.sources.keys().filter_map(of_package).collect(),
            cache_use: cache_argument
                .or(offline.map(|offline| Sourced::new(CacheUse::Offline, offline.origin)))
                .unwrap_or_default(),
        }
    }

    /// Whether an argument names an index.
    pub(crate) fn has_arguments(&self) -> bool {
        self.arguments != IndexOptions::default()
    }

    /// Whether cached answers of indexes must not be used.
    pub(crate) fn is_refresh(&self) -> bool {
        self.cache_use.value == CacheUse::Refresh
    }
}

fn arguments(request: &IndexRequest, session: &Session) -> IndexOptions {
    let reference = |name: &'static str| {
        move |text: &String| IndexReference::new(text, Origin::Argument(name), &session.env)
    };
    IndexOptions {
        index_url: request.index_url.as_ref().map(reference("--index-url")),
        extra_index_urls: request.extra_index_urls.iter().map(reference("--extra-index-url")).collect(),
        find_links: request.find_links.iter().map(reference("--find-links")).collect(),
        no_index: request.no_index.map(|()| Origin::Argument("--no-index")),
    }
}

/// The locations of the indexes that provide packages.
pub(crate) struct IndexLocations {
    indexes: Vec<IndexUrl>,
    find_links: Vec<IndexUrl>,
    /// The only index of each package that has one.
    of_packages: FxHashMap<PackageName, IndexUrl>,
    pip: PipConfig,
    cache_use: CacheUse,
}

impl IndexLocations {
    /// Chooses the indexes from `settings` and pip's configuration.
    ///
    /// If nothing names an index, the pip of `interpreter` names the default one.
    ///
    /// # Errors
    /// `Usage` if nothing names an index, or a reference is not valid.
    pub(crate) fn choose(
        settings: &IndexSettings,
        interpreter: &InterpreterRequest,
        session: &Session,
    ) -> Result<Self> {
        let env = &session.env;
        let pip = PipConfig::read(env, "install", None)?;
        pip.warnings.iter().for_each(|warning| session.warn(warning.clone()));
        let IndexSettings { arguments, in_files, in_settings, of_packages, cache_use } = settings;
        let sources = [arguments.clone(), in_files.clone(), in_settings.clone(), pip.index_options(env)?];
        let interpreter_index = || Ok(session.interpreter(interpreter)?.probe.default_index.clone());
        let choice = choose_indexes(&sources, env, built_in_index(), interpreter_index)?;
        choice.details.iter().for_each(|detail| session.detail(detail.clone()));
        let url = |location: &IndexLocation| IndexUrl::new(location.url.clone());
        let of_packages = of_packages.iter().map(|(name, index)| Ok((name.clone(), url(&index.index(env)?))));
        Ok(Self {
            indexes: choice.index.iter().chain(&choice.extra).map(url).collect(),
            find_links: choice.find_links.iter().map(url).collect(),
            of_packages: of_packages.collect::<Result<_>>()?,
            pip,
            cache_use: cache_use.value,
        })
    }

    /// A hash of the locations without credentials, for comparison only.
    pub(crate) fn digest(&self) -> [u8; 32] {
        let list = |name: &str, urls: &[IndexUrl]| {
            let urls = urls.iter().map(|url| format!("{name} {}\n", url.as_url()));
            urls.collect::<String>()
        };
        let mut of_packages: Vec<_> =
            self.of_packages.iter().map(|(name, url)| format!("{name} {}\n", url.as_url())).collect();
        of_packages.sort();
        let text = list("index", &self.indexes) + &list("links", &self.find_links) + &of_packages.concat();
        Sha256::of(text.as_bytes()).0
    }

    /// A client for these locations.
    ///
    /// # Errors
    /// `Usage` for a limit variable that is not a valid number.
    pub(crate) fn client(&self, session: &Session) -> Result<Arc<Client>> {
        let (env, pip) = (&session.env, &self.pip);
        let config = IndexConfig {
            indexes: self.indexes.clone(),
            find_links: self.find_links.clone(),
            sources: self.of_packages.clone(),
            cache: session.cache.clone(),
            cache_mode: match self.cache_use {
                CacheUse::Normal => CacheMode::Normal,
                CacheUse::Refresh => CacheMode::Refresh,
                CacheUse::Offline => CacheMode::Offline,
            },
            netrc: netrc(session),
            ca_bundle: pip.cert().or_else(|| env.path("REQUESTS_CA_BUNDLE")),
            client_cert: pip.client_cert(),
            proxy: pip.proxy().map(|proxy| proxy.text.clone()),
            limits: Limits::from_variables(|name| env.text(name).map(str::to_owned))?,
            ..IndexConfig::default()
        };
        Ok(Arc::new(Client::new(config, session.watcher.clone())))
    }
}

/// `NETRC`, else `.netrc` in the home folder, as with curl and requests.
fn netrc(session: &Session) -> Option<PathBuf> {
    let env = &session.env;
    env.path("NETRC").or_else(|| env.home().map(|home| home.join(".netrc")))
}
