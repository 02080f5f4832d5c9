//! What the commands are told, as data. An absent value means: what the settings say, else the default.

use std::path::PathBuf;

use pinfast_inputs::FormatControl;
use pinfast_packaging::{PackageName, Platform, Version};
use pinfast_solve::{PrereleaseMode, ResolutionMode};

/// Where a lock is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LockPlace {
    /// This file.
    File(PathBuf),
    /// Standard output (`-o -`).
    StandardOutput,
}

/// Which environments are meant.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TargetRequest {
    /// `--python`
    pub python: Option<String>,
    /// `--python-version`, each.
    pub versions: Vec<Version>,
    /// `--platform`, each.
    pub platforms: Vec<Platform>,
    /// `--universal`
    pub universal: Option<()>,
}

/// Where packages come from.
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

impl IndexRequest {
    /// Whether it says where packages come from.
    pub(super) fn names_any(&self) -> bool {
        *self != Self { cache_use: self.cache_use, ..Self::default() }
    }
}

/// How the cache and the network are used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CacheUse {
    /// As HTTP says.
    #[default]
    Normal,
    /// Everything is asked for anew.
    Refresh,
    /// No network.
    Offline,
}

/// What may be chosen, and what first.
#[derive(Clone, Debug, Default)]
pub struct PolicyRequest {
    /// `--resolution`
    pub resolution: Option<ResolutionMode>,
    /// `--prerelease`, `--pre`
    pub prerelease: Option<PrereleaseMode>,
    /// `--exclude-newer`: a date, an instant or an age.
    pub exclude_newer: Option<String>,
    /// `--no-binary`, each.
    pub no_binary: Vec<FormatControl>,
    /// `--only-binary`, each.
    pub only_binary: Vec<FormatControl>,
    /// `--no-build`
    pub no_build: Option<()>,
    /// `--allow-build`, each.
    pub allow_build: Vec<PackageName>,
}
