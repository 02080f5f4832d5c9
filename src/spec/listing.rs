//! What an index tells of a project: its releases and their files.

use std::sync::Arc;

use jiff::Timestamp;
use url::Url;

use super::{DistName, PackageName, Sha256, Specifiers, Version};

/// A project's releases, ascending by version; the same whichever API told of them.
#[derive(Clone, Debug)]
pub struct Listing {
    /// The project.
    pub name: PackageName,
    /// The releases that have a file, ascending by version, each version once.
    pub releases: Vec<Release>,
    /// What the JSON API tells of its newest release.
    pub info: Option<ReleaseInfo>,
    /// Entries that were barred, each a sentence that names the file.
    pub warnings: Vec<String>,
}

/// One release.
#[derive(Clone, Debug)]
pub struct Release {
    /// Its version.
    pub version: Version,
    /// Its files, sorted by file name.
    pub files: Vec<Arc<DistFile>>,
}

/// One file of a release.
#[derive(Clone, Debug)]
pub struct DistFile {
    /// The file's name.
    pub filename: Arc<str>,
    /// What the name says.
    pub dist: DistName,
    /// Where it is; absolute; it may hold credentials, so it is never printed as it is.
    pub url: Url,
    /// Its hash, where the index tells one.
    pub sha256: Option<Sha256>,
    /// Its Requires-Python, where the index tells a readable one.
    pub requires_python: Option<Specifiers>,
    /// Why it was yanked (PEP 592), where it was; the reason may be empty.
    pub yanked: Option<Arc<str>>,
    /// When it was uploaded, where the index tells.
    pub uploaded: Option<Timestamp>,
    /// Its size in bytes, where the index tells.
    pub size: Option<u64>,
    /// What the index tells of a metadata file beside it.
    pub metadata: MetadataHint,
}

/// What an index tells of the metadata file beside a distribution (PEP 658, PEP 714).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MetadataHint {
    /// Nothing: there may be one all the same.
    Unknown,
    /// There is one.
    Present,
    /// There is one with this hash.
    Hashed(Sha256),
}

/// The JSON API's `info`: metadata of one release as the index sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReleaseInfo {
    /// Which release it speaks of.
    pub version: Version,
    /// `requires_dist`; `None` is "none" or "unknown".
    pub requires_dist: Option<Vec<String>>,
    /// `requires_python`
    pub requires_python: Option<String>,
    /// `provides_extra`
    pub provides_extra: Vec<String>,
}
