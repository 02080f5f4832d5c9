//! The lock as data, its readers and writers, its freshness, and what changed between two.

use std::sync::Arc;

use crate::spec::{ExtraName, Location, Marker, PackageName, Sha256, Version};

/// A lock: one pin a line, sorted by name.
#[derive(Clone, Debug, Default)]
pub struct Lock {
    /// What it was made from and for; `None` for a file that another tool wrote.
    pub header: Option<Header>,
    /// The pins, sorted by name and then version.
    pub pins: Vec<Pin>,
}

/// What a lock was made from and for: all that `check` needs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Header {
    /// The inputs, in order, each with the requirements that it held.
    pub inputs: Vec<InputRecord>,
    /// The targets' labels, in order.
    pub targets: Vec<String>,
    /// The options that shape the result and are not the default, sorted: name and value. No host, no
    /// credentials: a URL stands here as a digest.
    pub options: Vec<(String, String)>,
}

/// What an input said when the lock was made.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct InputRecord {
    /// The file, as a relative path with `/`.
    pub file: String,
    /// Each requirement, constraint and option in normal form, sorted: `aiogram>=3.4`, `-c urllib3<2`.
    pub lines: Vec<String>,
}

/// One pinned distribution.
#[derive(Clone, Debug)]
pub struct Pin {
    /// The package.
    pub name: PackageName,
    /// The release.
    pub version: Version,
    /// The extras that were wanted of it, sorted; shown only in annotations.
    pub extras: Vec<ExtraName>,
    /// Where it is wanted; always, if there is one target.
    pub marker: Marker,
    /// For a `name @ URL` pin: the URL.
    pub url: Option<crate::spec::DirectUrl>,
    /// The hashes of its files, sorted.
    pub hashes: Vec<Sha256>,
    /// Who wants it, sorted.
    pub via: Vec<Via>,
    /// Where it stands in the file it was read from; `None` in a lock that was just made.
    pub at: Option<Location>,
}

/// Who wants a pin.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Via {
    /// A top-level input: `-r FILE`.
    Input(Arc<str>),
    /// A constraint file: `-c FILE`.
    Constraint(Arc<str>),
    /// Another pin.
    Package(PackageName),
}
