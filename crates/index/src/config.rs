//! The settings of an index client, as plain data.

use std::path::PathBuf;

use rustc_hash::FxHashMap;

use crate::limits::Limits;
use crate::url::IndexUrl;
use pinfast_packaging::PackageName;

/// Where packages come from, and how servers may be asked.
#[derive(Clone, Debug, Default)]
pub struct IndexConfig {
    /// The indexes in order: the index URL, then the extra ones. The first that knows a project provides it.
    /// Empty means `--no-index`.
    pub indexes: Vec<IndexUrl>,
    /// Find-links: folders, pages and files that are searched beside the indexes.
    pub find_links: Vec<IndexUrl>,
    /// Projects that come from one index only, whatever the others have.
    pub sources: FxHashMap<PackageName, IndexUrl>,
    /// Which API of an index is asked first.
    pub api_order: ApiOrder,
    /// The folder of the cache; `None` runs without one.
    pub cache: Option<PathBuf>,
    /// Whether the network and the cache may be used.
    pub cache_mode: CacheMode,
    /// The netrc file.
    pub netrc: Option<PathBuf>,
    /// A PEM file or a folder of certificates that replaces the system's (`PIP_CERT`, `REQUESTS_CA_BUNDLE`).
    /// Without it, `SSL_CERT_FILE` and `SSL_CERT_DIR` are honoured.
    pub ca_bundle: Option<PathBuf>,
    /// A PEM file with a client certificate and its key (`client-cert`).
    pub client_cert: Option<PathBuf>,
    /// The proxy of all requests, from pip's configuration; it may hold credentials. Without it, `HTTPS_PROXY` and
    /// the other proxy variables are honoured.
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

/// How the cache is used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CacheMode {
    /// By RFC 9111: fresh pages are reused, stale ones revalidated. A page without cache headers is fresh for
    /// ten minutes.
    #[default]
    Normal,
    /// Every page is fetched or revalidated (`--refresh`).
    Refresh,
    /// No network: cached pages are used, however old (`--offline`).
    Offline,
}

impl IndexConfig {
    /// Every URL that the user named.
    pub(crate) fn urls(&self) -> impl Iterator<Item = &IndexUrl> {
        self.indexes.iter().chain(&self.find_links).chain(self.sources.values())
    }
}
