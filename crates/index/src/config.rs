//! What an index client is told, as plain data.

use std::path::PathBuf;

use rustc_hash::FxHashMap;

use super::limits::Limits;
use super::url::IndexUrl;
use pinfast_packaging::PackageName;

/// Where packages come from and how they may be asked for.
#[derive(Clone, Debug, Default)]
pub struct Config {
    /// The indexes, the first that knows a project has it: the index URL, then the extra ones in order.
    /// Empty is `--no-index`.
    pub indexes: Vec<IndexUrl>,
    /// Folders, pages and files that are looked through beside the indexes.
    pub find_links: Vec<IndexUrl>,
    /// Projects that come from one index only, whatever the others say.
    pub sources: FxHashMap<PackageName, IndexUrl>,
    /// Which API is asked first.
    pub api_order: ApiOrder,
    /// The folder of the cache, where there is one.
    pub cache: Option<PathBuf>,
    /// Whether the network and the cache may be used.
    pub freshness: Freshness,
    /// The netrc file, where there is one.
    pub netrc: Option<PathBuf>,
    /// A PEM file or a folder of certificates that stands instead of the system's (`PIP_CERT`,
    /// `REQUESTS_CA_BUNDLE`); without it `SSL_CERT_FILE` and `SSL_CERT_DIR` are honoured.
    pub ca_bundle: Option<PathBuf>,
    /// A PEM file with a certificate and its key, for servers that want to know who asks (`client-cert`).
    pub client_cert: Option<PathBuf>,
    /// The proxy for all requests, as pip's configuration names it; it may hold credentials. Without it the
    /// proxy variables (`HTTPS_PROXY` and its kin) are honoured.
    pub proxy: Option<String>,
    /// What servers may cost.
    pub limits: Limits,
}

/// Which API of an index is asked first for a project.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ApiOrder {
    /// The JSON API (`/pypi/NAME/json`), then the Simple API.
    #[default]
    JsonFirst,
    /// The Simple API (PEP 503, PEP 691), then the JSON API.
    SimpleFirst,
}

/// How fresh what is in the cache must be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Freshness {
    /// As HTTP says; a page without cache headers is fresh for ten minutes.
    #[default]
    Normal,
    /// Every page is asked for again (`--refresh`).
    Refresh,
    /// No network: what the cache holds, however old (`--offline`).
    Offline,
}

impl Config {
    /// Every URL that the user named.
    pub(super) fn urls(&self) -> impl Iterator<Item = &IndexUrl> {
        self.indexes.iter().chain(&self.find_links).chain(self.sources.values())
    }
}
