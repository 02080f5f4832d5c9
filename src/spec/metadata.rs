//! Core metadata (PyPA "Core metadata specifications") -> what a resolver needs of it.

use std::fmt;

use super::{ExtraName, PackageName, Requirement, Specifiers, Version};

/// The part of a distribution's metadata that a resolver needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Metadata {
    /// The name inside.
    pub name: PackageName,
    /// The version inside.
    pub version: Version,
    /// Every `Requires-Dist`, in order.
    pub requires: Vec<Requirement>,
    /// `Requires-Python`; an unreadable one is `None` and a warning.
    pub requires_python: Option<Specifiers>,
    /// Every `Provides-Extra`.
    pub extras: Vec<ExtraName>,
    /// Whose word it is.
    pub source: MetadataSource,
    /// What was repaired or ignored, each a sentence.
    pub warnings: Vec<String>,
}

/// Whose word some metadata is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MetadataSource {
    /// The file's own: its METADATA or PKG-INFO, or the index's hash-checked copy of it.
    File,
    /// The index's `info` about a release, which need not be what each file says: to be confirmed.
    Release,
}

/// Metadata that cannot be believed: it bars the candidate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MetadataError {
    /// What is wrong, as a sentence without a full stop.
    pub message: String,
}

impl Metadata {
    /// Reads a `METADATA` or `PKG-INFO` text of at most 16 MB.
    ///
    /// # Errors
    /// When it is unreadable, lacks a name or version, or holds a `Requires-Dist` that is no requirement.
    pub fn parse(text: &[u8]) -> Result<Self, MetadataError> {
        let _ = text;
        todo!("H1")
    }

    /// From the fields that the JSON API tells of a release.
    ///
    /// # Errors
    /// When a requirement cannot be read.
    pub fn of_release(
        name: &PackageName,
        version: &Version,
        requires_dist: &[String],
        requires_python: Option<&str>,
        provides_extra: &[String],
    ) -> Result<Self, MetadataError> {
        let _ = (name, version, requires_dist, requires_python, provides_extra);
        todo!("H1")
    }
}

impl fmt::Display for MetadataError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for MetadataError {}
