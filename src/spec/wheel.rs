//! File names of distributions and wheel tags (PyPA "Binary distribution format", "Source
//! distribution format", "Platform compatibility tags").

use std::fmt;
use std::sync::Arc;

use super::{PackageName, Version};

/// What the name of a distribution's file says.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum DistName {
    /// `NAME-VERSION(-BUILD)-PYTHON-ABI-PLATFORM.whl`
    Wheel(WheelName),
    /// `NAME-VERSION.tar.gz` or `.zip`
    Sdist {
        /// The project.
        name: PackageName,
        /// The release.
        version: Version,
        /// How it is packed.
        format: SdistFormat,
    },
}

/// How a source distribution is packed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SdistFormat {
    /// `.tar.gz`
    TarGz,
    /// `.zip`
    Zip,
}

/// What the file name of a wheel says.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct WheelName {
    /// The project.
    pub name: PackageName,
    /// The release.
    pub version: Version,
    /// The build tag: its number, then the rest of it; an absent one sorts first.
    pub build: Option<(u64, Arc<str>)>,
    /// The tags, expanded from the compressed set.
    pub tags: Vec<Tag>,
}

/// One `PYTHON-ABI-PLATFORM` triple.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tag {
    /// Such as `cp311` or `py3`.
    pub python: Arc<str>,
    /// Such as `cp311`, `abi3` or `none`.
    pub abi: Arc<str>,
    /// Such as `manylinux_2_28_x86_64` or `any`.
    pub platform: Arc<str>,
}

/// The tags that an environment accepts, the most specific first.
#[derive(Clone, Debug, Default)]
pub struct Tags {
    ranks: Arc<rustc_hash::FxHashMap<Tag, u32>>,
}

/// A file name that is not a distribution's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DistNameError {
    /// What is wrong, as a sentence without a full stop.
    pub message: String,
}

impl DistName {
    /// Reads a file name. For an sdist whose name could be split in several places (`a-b-1.0.tar.gz`),
    /// `project` (the page on which it stands) decides; a name that is not the project's is an error.
    ///
    /// # Errors
    /// When it is not the name of a wheel or an sdist of `project`.
    pub fn parse(filename: &str, project: &PackageName) -> Result<Self, DistNameError> {
        let _ = (filename, project);
        todo!("H1")
    }

    /// The release.
    #[must_use]
    pub fn version(&self) -> &Version {
        match self {
            Self::Wheel(wheel) => &wheel.version,
            Self::Sdist { version, .. } => version,
        }
    }
}

impl WheelName {
    /// Reads a wheel's file name.
    ///
    /// # Errors
    /// When it is not one.
    pub fn parse(filename: &str) -> Result<Self, DistNameError> {
        let _ = filename;
        todo!("H1")
    }
}

impl Tags {
    /// From the tags in order, the most specific first.
    #[must_use]
    pub fn new(tags: impl IntoIterator<Item = Tag>) -> Self {
        let mut ranks = rustc_hash::FxHashMap::default();
        for (rank, tag) in (0..).zip(tags) {
            ranks.entry(tag).or_insert(rank);
        }
        Self { ranks: Arc::new(ranks) }
    }

    /// How well `wheel` fits, the least is the best; `None` where it does not fit.
    #[must_use]
    pub fn rank(&self, wheel: &WheelName) -> Option<u32> {
        wheel.tags.iter().filter_map(|tag| self.ranks.get(tag).copied()).min()
    }
}

impl fmt::Display for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}-{}", self.python, self.abi, self.platform)
    }
}

impl fmt::Display for DistNameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for DistNameError {}
