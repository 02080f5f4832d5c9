//! Which candidates may be taken, and which of them first: the user's policy as data.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use rustc_hash::{FxHashMap, FxHashSet};

use pinfast_packaging::{Marker, PackageName, Target, Version};

/// What shapes the choice among candidates. The default is the default of the command line.
#[derive(Clone, Debug, Default)]
pub struct Policy {
    /// Which release is taken first.
    pub resolution: ResolutionMode,
    /// When a pre-release may be taken.
    pub prerelease: PrereleaseMode,
    /// The same for single packages.
    pub prerelease_packages: FxHashMap<PackageName, PrereleaseMode>,
    /// Only files uploaded before this instant.
    pub exclude_newer: Option<Timestamp>,
    /// The same for single packages.
    pub exclude_newer_packages: FxHashMap<PackageName, Timestamp>,
    /// Packages whose wheels may not be taken.
    pub no_binary: PackageSet,
    /// Packages whose sdists may not be taken.
    pub only_binary: PackageSet,
}

/// Which release is taken first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ResolutionMode {
    /// The newest that fits.
    #[default]
    Highest,
    /// The oldest that fits.
    Lowest,
    /// The oldest of what the inputs name, the newest of the rest.
    LowestDirect,
}

/// When a pre-release may be taken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PrereleaseMode {
    /// Never.
    Disallow,
    /// Like any other release.
    Allow,
    /// When every stable candidate that fits was rejected.
    #[default]
    IfNecessary,
    /// As `IfNecessary`, for packages whose requirement in the inputs names a pre-release; else never.
    Explicit,
}

/// A set of packages that may be "all".
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum PackageSet {
    /// No package.
    #[default]
    None,
    /// Every package.
    All,
    /// These.
    Only(FxHashSet<PackageName>),
}

/// Gives an enum of named modes its names: for options, settings and locks alike.
macro_rules! named_modes {
    ($mode:ty: $($variant:ident = $name:literal),+) => {
        impl $mode {
            /// The names, as options and settings spell them.
            pub const NAMES: &[&str] = &[$($name),+];
        }

        impl fmt::Display for $mode {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(match self { $(Self::$variant => $name),+ })
            }
        }

        impl FromStr for $mode {
            type Err = String;

            fn from_str(text: &str) -> Result<Self, String> {
                match text {
                    $($name => Ok(Self::$variant),)+
                    _ => Err(format!("`{text}` is none of {}", Self::NAMES.join(", "))),
                }
            }
        }
    };
}

named_modes!(ResolutionMode: Highest = "highest", Lowest = "lowest", LowestDirect = "lowest-direct");
named_modes!(PrereleaseMode:
    Disallow = "disallow", Allow = "allow", IfNecessary = "if-necessary", Explicit = "explicit");

impl PackageSet {
    /// Whether `name` is in it.
    #[must_use]
    pub fn contains(&self, name: &PackageName) -> bool {
        match self {
            Self::None => false,
            Self::All => true,
            Self::Only(names) => names.contains(name),
        }
    }
}

/// Versions to be taken first wherever they fit: the pins of an older lock, or another target's.
#[derive(Clone, Debug, Default)]
pub struct Preferences {
    versions: FxHashMap<PackageName, Vec<Version>>,
    /// Those that are dearer where the marker holds.
    marked: Vec<(PackageName, Version, Marker)>,
}

impl Preferences {
    /// Adds `version` of `name`, after those that are there.
    pub fn add(&mut self, name: PackageName, version: Version) {
        self.versions.entry(name).or_default().push(version);
    }

    /// Adds `version` of `name`: where `marker` holds before all others, elsewhere after them.
    pub fn add_with_marker(&mut self, name: PackageName, version: Version, marker: &Marker) {
        if marker.is_always() {
            self.add(name, version);
        } else {
            self.marked.push((name, version, marker.clone()));
        }
    }

    /// What is preferred in `target`.
    #[must_use]
    pub fn for_target(mut self, target: &Target) -> Self {
        let (here, elsewhere): (Vec<_>, Vec<_>) =
            self.marked.drain(..).partition(|(_, _, marker)| marker.holds(target, &[]));
        for (name, version, _) in here.into_iter().rev() {
            self.versions.entry(name).or_default().insert(0, version);
        }
        elsewhere.into_iter().for_each(|(name, version, _)| self.add(name, version));
        self
    }

    /// The packages of which a version is preferred.
    pub fn names(&self) -> impl Iterator<Item = &PackageName> {
        self.versions.keys()
    }

    /// Forgets what is preferred of `name`.
    pub fn forget(&mut self, name: &PackageName) {
        self.versions.remove(name);
        self.marked.retain(|(marked, _, _)| marked != name);
    }

    /// The preferred versions of `name`, the first the dearest.
    #[must_use]
    pub fn versions(&self, name: &PackageName) -> &[Version] {
        self.versions.get(name).map_or(&[], Vec::as_slice)
    }
}
