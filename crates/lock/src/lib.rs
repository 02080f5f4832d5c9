//! The lock as data: it is read, written, merged, compared with its inputs, compared with another lock, and drawn as a
//! tree.
//!
//! - `requirements_txt`: a lock <-> a hash-locked requirements file with a header; reads pip-compile and uv, too
//! - `pylock`: a lock <-> `pylock.toml` (PEP 751)
//! - `parsed`: a file of either form -> lock, integrity, problems
//! - `freshness`: lock + what the inputs state now -> fresh, or the reasons why it is stale
//! - `merge`: the pins of several targets -> one list with markers
//! - `diff`: two locks -> what changed
//! - `tree`: the `# via` lines -> dependency graph, tree, chains
//!
//! # The lock file, format 1
//!
//! A UTF-8 text with LF line ends that pip (`--require-hashes`) and uv install as it stands:
//!
//! ```text
//! # pinfast lock, format 1. Change the inputs, not this file, then run:
//! #     pinfast lock requirements.in
//! #
//! # input: requirements.in
//! #     anyio>=4
//! # target: cpython 3.11.0 manylinux_2_28_x86_64
//! # option: exclude-newer 2026-01-01
//! # digest: sha256:8f0e…
//!
//! anyio==4.6.0 \
//!     --hash=sha256:91c5… \
//!     --hash=sha256:c7d2…
//!     # via -r requirements.in
//! idna==3.10 \
//!     --hash=sha256:12f6…
//!     # via anyio (>=2.8)
//!
//! # build: docopt==0.6.2
//! #     setuptools==80.9.0
//! #         --hash=sha256:062d…
//! ```
//!
//! **Header.** The comment lines from the first line on, up to the first line that is no comment.
//!
//! 1. `# pinfast lock, format N.` with the number of the format; a reader refuses a higher number than it knows. The
//!    rest of this line and the command below it are for people.
//! 2. `# input: FILE`, for each input in order; FILE is relative to the lock, with `/`. Each `#     LINE` below it is
//!    one requirement, constraint (`-c …`), override (`--override …`) or option of that input, and of the files that
//!    it refers to. LINE is normalized, and the lines are sorted.
//! 3. `# target: LABEL`, for each target in order.
//! 4. `# option: NAME VALUE` (`# option: NAME` for a flag), sorted, for each option that shapes the result and is not
//!    the default. A URL or an absolute path stands as `sha256:` and 12 digits of its digest, so that no host and no
//!    credentials are in the file.
//! 5. `# digest: sha256:HEX`.
//!
//! A backslash, a control character, U+2028 and U+2029 are escaped in FILE, LINE, LABEL, NAME and VALUE: `\\` and
//! `\u{HEX}`. A reader passes over keys that it does not know.
//!
//! **Digest.** SHA-256 of all bytes of the file without the line of the digest (with its LF). A reader first removes a
//! byte order mark and turns CRLF into LF.
//!
//! **Pins.** An empty line; then for each pin, sorted by name, version and marker: `NAME==VERSION` or `NAME @ URL`,
//! ` ; MARKER` unless it is always installed, and ` \` with `    --hash=sha256:HEX` for each file, sorted. Names are
//! normalized (PyPA "Names and normalization"). No two pins of a name have markers that are true together. Comments follow:
//!
//! - `    # version VERSION`, if the file name in URL does not name the version
//! - `    # via WHO`, or `    # via` and one `    #   WHO` a line, sorted: `-r FILE`, `-c FILE`, or the dependent with
//!   its extras and specifiers, `NAME ([EXTRA]>=1)`
//!
//! **Builds.** For each source distribution that may be built: an empty line, `# build: NAME==VERSION`, then the pins
//! that its build requires as comments, as above.

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
pub use problem::LockFileProblem;
pub use pylock::{PylockCompatibility, is_pylock};
pub use requirements_txt::{Annotations, WriteOptions, integrity};

/// The format of the header that this pinfast writes, and the newest that it reads.
pub const FORMAT: u32 = 1;

/// A lock: one pin a line, sorted by name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lock {
    /// What it was made from and for; `None` if another tool wrote the file.
    pub header: Option<Header>,
    /// The pins, sorted by name and then version.
    pub pins: Vec<Pin>,
    /// The permitted builds, sorted by name and then version.
    pub builds: Vec<PermittedBuild>,
}

/// A source distribution that may be built, in an environment of these pins alone (PEP 517 build isolation).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PermittedBuild {
    /// The package.
    pub name: PackageName,
    /// The release.
    pub version: Version,
    /// The build requirements and their dependencies, as wheels. Sorted by name and then version.
    pub pins: Vec<Pin>,
}

/// What a lock was made from and for: `check` needs nothing else.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Header {
    /// The inputs, in order.
    pub inputs: Vec<InputRecord>,
    /// The targets' labels, in order.
    pub targets: Vec<String>,
    /// Name and value (empty for a flag) of the options that shape the result and are not the default, sorted. A URL
    /// stands as a digest, `sha256:…`: no host, no credentials.
    pub options: Vec<(String, String)>,
}

/// An input as it was when the lock was made.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct InputRecord {
    /// The file, as a relative path with `/`.
    pub file: String,
    /// Each requirement, constraint and option, normalized and sorted: `aiogram>=3.4`, `-c urllib3<2`.
    pub lines: Vec<String>,
}

/// One pinned distribution.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pin {
    /// The package.
    pub name: PackageName,
    /// The release.
    pub version: Version,
    /// The extras that were required of it, sorted. The writer leaves them out: the lock pins all that they bring, and a
    /// constraints file has no extras. The reader keeps those of other tools.
    pub extras: Vec<ExtraName>,
    /// The environments in which it is installed; all, if there is one target.
    pub marker: Marker,
    /// The URL of a `name @ URL` pin.
    pub url: Option<DirectUrl>,
    /// The hashes of its files, sorted.
    pub hashes: Vec<Sha256>,
    /// The files behind the hashes, sorted by name. Empty in a lock read from a requirements file, which names no files.
    pub files: Vec<LockedFile>,
    /// Its dependents, sorted.
    pub via: Vec<Via>,
    /// The place in the file that it was read from; `None` in a lock that was just made.
    pub at: Option<Location>,
}

/// A file of a pinned release.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct LockedFile {
    /// Its name.
    pub name: Arc<str>,
    /// Its hash.
    pub sha256: Sha256,
    /// Where to fetch it, if known.
    pub location: Option<FileLocation>,
    /// Its size in bytes, if known.
    pub size: Option<u64>,
}

/// Where to fetch a file: PEP 751's `url` or `path`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum FileLocation {
    /// A URL; the writers take out its credentials.
    Url(FileUrl),
    /// A path relative to the lock file's folder, with `/`.
    Path(Arc<str>),
}

/// A dependent of a pin.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Via {
    /// An input that requires it: `-r FILE`.
    Input(Arc<str>),
    /// A constraint file that constrains it: `-c FILE`.
    Constraint(Arc<str>),
    /// A pin that depends on it.
    Package {
        /// Its name.
        name: PackageName,
        /// The extras and specifiers that it requires: `[grpc]>=1.2,<3`. Empty for any version, and where the file does
        /// not record them.
        wants: Arc<str>,
    },
}

impl Via {
    /// A dependent that takes any version.
    #[must_use]
    pub fn package(name: PackageName) -> Self {
        Self::Package { name, wants: "".into() }
    }

    /// The specifiers of `wants`; `None` if `{name}{wants}` is no requirement, or one with a marker.
    fn specifiers(name: &PackageName, wants: &str) -> Option<SpecifierSet> {
        if let Ok(specifiers) = wants.parse() {
            return Some(specifiers);
        }
        let requirement: Requirement = format!("{name}{wants}").parse().ok()?;
        requirement.marker.is_always().then(|| requirement.specifiers().clone())
    }

    /// The dependent `by`, whose metadata holds `requirement`. The marker and a URL are left out.
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
    /// The pins of `name` in a sorted lock: several where markers distinguish targets.
    pub fn pins_of<'a>(&'a self, name: &'a PackageName) -> impl Iterator<Item = &'a Pin> {
        let first = self.pins.partition_point(|pin| pin.name < *name);
        self.pins[first..].iter().take_while(move |pin| pin.name == *name)
    }

    /// Every file of every pin, of permitted builds, too.
    pub fn files_mut(&mut self) -> impl Iterator<Item = &mut LockedFile> {
        let builds = self.builds.iter_mut().flat_map(|build| &mut build.pins);
        self.pins.iter_mut().chain(builds).flat_map(|pin| &mut pin.files)
    }

    /// The build of this release, if the lock permits it.
    #[must_use]
    pub fn build_of(&self, pin: &Pin) -> Option<&PermittedBuild> {
        self.builds.iter().find(|build| build.name == pin.name && build.version == pin.version)
    }

    /// Sorts pins, hashes, options and the rest, so that equal locks are equal texts.
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
    /// The file as an index would list it. `None` without a URL, and for a name that is no distribution filename of
    /// `project`.
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
    /// A pin of a release for all environments, without hashes and dependents.
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
