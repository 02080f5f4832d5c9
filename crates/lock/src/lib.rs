//! The lock as data, its readers and writers, its freshness, and what changed between two.
//!
//! - `text`: a lock as a hash-locked requirements file with a header, and back
//! - `pylock`: the same lock as PEP 751
//! - `fresh`: whether a lock still says what its inputs say
//! - `merge`: the pins of several targets -> one list whose markers tell them apart
//! - `diff`: what changed between two locks
//! - `tree`: who needs what, from the `# via` lines

pub mod diff;
mod digest;
mod duplicates;
mod escape;
mod freshness;
mod header_line;
mod line_index;
mod merge;
mod parsed;
mod problem;
mod pylock;
mod requirements_txt;
pub mod tree;
mod via;

#[cfg(test)]
mod samples;
#[cfg(test)]
mod tests;

use std::cmp::Ordering;
use std::sync::Arc;

use pinfast_packaging::{
    DirectUrl, DistFile, DistFilename, ExtraName, FileUrl, Location, Marker, MetadataHint, PackageName,
    Requirement, Sha256, SpecifierSet, Version,
};

pub use digest::Integrity;
pub use freshness::{
    CurrentInput, CurrentLine, CurrentOption, LockFreshness, ResolutionInputs, StaleReason, freshness,
};
pub use merge::{Merger, merge};
pub use parsed::ParsedLock;
pub use problem::LockProblem;
pub use pylock::{PylockCompatibility, is_pylock};
pub use requirements_txt::{Annotations, WriteOptions, integrity};

/// The format of the header that this pinfast writes, and the newest that it reads.
pub const FORMAT: u32 = 1;

/// A lock: one pin a line, sorted by name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lock {
    /// What it was made from and for; `None` for a file that another tool wrote.
    pub header: Option<Header>,
    /// The pins, sorted by name and then version.
    pub pins: Vec<Pin>,
    /// The source distributions that may be built, sorted by name and then version.
    pub builds: Vec<PermittedBuild>,
}

/// A source distribution that may be built, from what is pinned here and nothing else.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PermittedBuild {
    /// The package.
    pub name: PackageName,
    /// The release.
    pub version: Version,
    /// What its build requires, as wheels; nobody's dependents. Sorted by name and then version.
    pub pins: Vec<Pin>,
}

/// What a lock was made from and for: all that `check` needs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Header {
    /// The inputs, in order, each with the requirements that it held.
    pub inputs: Vec<InputRecord>,
    /// The targets' labels, in order.
    pub targets: Vec<String>,
    /// The options that shape the result and are not the default, sorted: name and value (empty for a
    /// flag). No host, no credentials: a URL stands here as a digest, `sha256:…`.
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
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pin {
    /// The package.
    pub name: PackageName,
    /// The release.
    pub version: Version,
    /// The extras that were wanted of it, sorted. The writer leaves them out (the lock names all that
    /// they bring, and stays usable as a constraints file); the reader keeps those of other tools.
    pub extras: Vec<ExtraName>,
    /// Where it is wanted; always, if there is one target.
    pub marker: Marker,
    /// For a `name @ URL` pin: the URL.
    pub url: Option<DirectUrl>,
    /// The hashes of its files, sorted.
    pub hashes: Vec<Sha256>,
    /// The files behind the hashes, sorted by name: a `pylock.toml` names them, a requirements file
    /// cannot, so it is empty in a lock read from one.
    pub files: Vec<LockedFile>,
    /// Who wants it, sorted.
    pub via: Vec<Via>,
    /// Where it stands in the file it was read from; `None` in a lock that was just made.
    pub at: Option<Location>,
}

/// A file of a pinned release.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct LockedFile {
    /// Its name.
    pub name: Arc<str>,
    /// Its hash.
    pub sha256: Sha256,
    /// Where it is, where known.
    pub location: Option<FileLocation>,
    /// Its size in bytes, where known.
    pub size: Option<u64>,
}

/// Where a file is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum FileLocation {
    /// A URL; it may hold credentials, so it is never written as it is.
    Url(FileUrl),
    /// A path relative to the lock file's folder, with `/`.
    Path(Arc<str>),
}

/// Who wants a pin.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Via {
    /// A top-level input: `-r FILE`.
    Input(Arc<str>),
    /// A constraint file: `-c FILE`.
    Constraint(Arc<str>),
    /// Another pin.
    Package {
        /// Its name.
        name: PackageName,
        /// What it asks: extras and specifiers as in a requirement, `[grpc]>=1.2,<3`; empty for any
        /// version, and where the file does not tell.
        wants: Arc<str>,
    },
}

impl Via {
    /// Another pin that takes any version.
    #[must_use]
    pub fn package(name: PackageName) -> Self {
        Self::Package { name, wants: "".into() }
    }

    /// What `wants` asks of the versions of `name`; `None` where it cannot stand behind it in a requirement, or
    /// only with a marker.
    fn specifiers(name: &PackageName, wants: &str) -> Option<SpecifierSet> {
        if let Ok(specifiers) = wants.parse() {
            return Some(specifiers);
        }
        let requirement: Requirement = format!("{name}{wants}").parse().ok()?;
        requirement.marker.is_always().then(|| requirement.specifiers().clone())
    }

    /// The pin `by`, whose metadata holds `requirement`. Its marker is not told; of a URL, only the
    /// extras.
    #[must_use]
    pub fn requiring(by: PackageName, requirement: &Requirement) -> Self {
        let extras = match requirement.extras.iter().map(ExtraName::as_str).collect::<Vec<_>>().join(",") {
            extras if extras.is_empty() => extras,
            extras => format!("[{extras}]"),
        };
        Self::Package { name: by, wants: format!("{extras}{}", requirement.specifiers()).into() }
    }
}

impl Lock {
    /// The pins of `name` in a sorted lock: several where markers tell targets apart.
    pub fn pins_of<'a>(&'a self, name: &'a PackageName) -> impl Iterator<Item = &'a Pin> {
        let first = self.pins.partition_point(|pin| pin.name < *name);
        self.pins[first..].iter().take_while(move |pin| pin.name == *name)
    }

    /// Every file of every pin, those of builds too.
    pub fn files_mut(&mut self) -> impl Iterator<Item = &mut LockedFile> {
        let builds = self.builds.iter_mut().flat_map(|build| &mut build.pins);
        self.pins.iter_mut().chain(builds).flat_map(|pin| &mut pin.files)
    }

    /// The build of this release, where the lock permits it.
    #[must_use]
    pub fn build_of(&self, pin: &Pin) -> Option<&PermittedBuild> {
        self.builds.iter().find(|build| build.name == pin.name && build.version == pin.version)
    }

    /// Sorts all that is sorted in a lock, so that equal locks are equal texts.
    pub fn sort(&mut self) {
        sort_pins(&mut self.pins);
        self.builds.iter_mut().for_each(|build| sort_pins(&mut build.pins));
        self.builds.sort_by(|a, b| (&a.name, &a.version).cmp(&(&b.name, &b.version)));
        if let Some(header) = &mut self.header {
            header.options.sort();
            header.inputs.iter_mut().for_each(|input| input.lines.sort());
        }
    }
}

fn sort_pins(pins: &mut [Pin]) {
    for pin in pins.iter_mut() {
        pin.extras.sort();
        pin.extras.dedup();
        pin.hashes.sort();
        pin.hashes.dedup();
        pin.files.sort();
        pin.files.dedup();
        pin.via.sort();
        pin.via.dedup();
    }
    pins.sort_by(Pin::order);
}

impl LockedFile {
    /// The file as an index would tell of it; `None` where it is not known where it is, or its name is not
    /// that of a distribution of `project`.
    #[must_use]
    pub fn to_dist_file(&self, project: &PackageName) -> Option<DistFile> {
        let Some(FileLocation::Url(url)) = &self.location else { return None };
        Some(DistFile {
            filename: self.name.clone(),
            dist: DistFilename::parse(&self.name, project).ok()?,
            url: url.clone(),
            sha256: Some(self.sha256),
            requires_python: None,
            yanked: None,
            uploaded: None,
            size: self.size,
            metadata: MetadataHint::Unknown,
        })
    }
}

impl Pin {
    /// A pin of a release, always wanted, with nothing else known yet.
    #[must_use]
    pub fn new(name: PackageName, version: Version) -> Self {
        Self {
            name,
            version,
            extras: Vec::new(),
            marker: Marker::default(),
            url: None,
            hashes: Vec::new(),
            files: Vec::new(),
            via: Vec::new(),
            at: None,
        }
    }

    fn order(&self, other: &Self) -> Ordering {
        let marker = || self.marker.to_string().cmp(&other.marker.to_string());
        (&self.name, &self.version).cmp(&(&other.name, &other.version)).then_with(marker)
    }
}

/// An option that stands in a lock of another tool.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LockOption {
    /// Its long name without dashes, such as `index-url`.
    pub name: &'static str,
    /// Its value, empty for a flag; it may hold credentials.
    pub value: String,
    /// Where it stands.
    pub at: Location,
}

/// The distribution filename at the end of `url`.
fn url_filename(url: &url::Url, project: &PackageName) -> Option<DistFilename> {
    let name = url.path_segments()?.next_back()?;
    let name = percent_encoding::percent_decode_str(name).decode_utf8().ok()?;
    DistFilename::parse(&name, project).ok()
}
