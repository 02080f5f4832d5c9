//! The user's policy as data: which candidates may be chosen, and which of them are tried first.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use rustc_hash::{FxHashMap, FxHashSet};

use pinfast_packaging::{Marker, PackageName, Target, Version};

/// Which candidates may be chosen. The default is the command line's default.
#[derive(Clone, Debug, Default)]
pub struct Policy {
    /// Which release is tried first (`--resolution`).
    pub resolution: ResolutionMode,
    /// When a pre-release may be chosen (`--prerelease`).
    pub prerelease: PrereleaseMode,
    /// Exceptions from it for single packages.
    pub prerelease_packages: FxHashMap<PackageName, PrereleaseMode>,
    /// Only files uploaded before this instant may be chosen (`--exclude-newer`).
    pub exclude_newer: Option<Timestamp>,
    /// Exceptions from it for single packages.
    pub exclude_newer_packages: FxHashMap<PackageName, Timestamp>,
    /// Packages whose wheels may not be chosen (`--no-binary`).
    pub no_binary: PackageSet,
    /// Packages whose sdists may not be chosen (`--only-binary`).
    pub only_binary: PackageSet,
}

/// Which of the releases that fit is tried first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ResolutionMode {
    /// The newest.
    #[default]
    Highest,
    /// The oldest.
    Lowest,
    /// The oldest of a package that the inputs name, the newest of any other.
    LowestDirect,
}

/// When a pre-release may be chosen (PEP 440, "Handling of pre-releases").
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PrereleaseMode {
    /// Never.
    Disallow,
    /// Like any other release.
    Allow,
    /// When every stable candidate that fits was rejected.
    #[default]
    IfNecessary,
    /// As `IfNecessary` for a package of which the inputs name a pre-release; never for any other.
    Explicit,
}

/// A set of packages: none, all or some, as `--no-binary` and `--only-binary` name them.
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

/// Implements `Display` and `FromStr` for an enum, with one spelling for options, settings and locks.
macro_rules! named_modes {
    ($mode:ty: $($variant:ident = $name:literal),+) => {
        impl $mode {
            /// All spellings.
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
    /// Whether it contains `name`.
    #[must_use]
    pub fn contains(&self, name: &PackageName) -> bool {
        match self {
            Self::None => false,
            Self::All => true,
            Self::Only(names) => names.contains(name),
        }
    }
}

/// Versions to try before all others: the pins of an older lock, or those of another target.
#[derive(Clone, Debug, Default)]
pub struct Preferences {
    versions: FxHashMap<PackageName, Vec<Version>>,
    /// Versions that come first only where the marker holds.
    conditional: Vec<(PackageName, Version, Marker)>,
}

impl Preferences {
    /// Adds `version` of `name`, as the last choice so far.
    pub fn add(&mut self, name: PackageName, version: Version) {
        self.versions.entry(name).or_default().push(version);
    }

    /// Adds `version` of `name`: the first choice where `marker` holds, the last one elsewhere.
    pub fn add_with_marker(&mut self, name: PackageName, version: Version, marker: &Marker) {
        if marker.is_always() {
            self.add(name, version);
        } else {
            self.conditional.push((name, version, marker.clone()));
        }
    }

    /// The preferences in `target`, with all markers evaluated.
    #[must_use]
    pub fn for_target(mut self, target: &Target) -> Self {
        let (here, elsewhere): (Vec<_>, Vec<_>) =
            self.conditional.drain(..).partition(|(_, _, marker)| marker.holds(target, &[]));
        // Backwards, since each goes to the front: the first one added ends up first.
        for (name, version, _) in here.into_iter().rev() {
            self.versions.entry(name).or_default().insert(0, version);
        }
        elsewhere.into_iter().for_each(|(name, version, _)| self.add(name, version));
        self
    }

    /// The packages with a preferred version.
    pub fn names(&self) -> impl Iterator<Item = &PackageName> {
        self.versions.keys()
    }

    /// Removes the preferences for `name`.
    pub fn remove(&mut self, name: &PackageName) {
        self.versions.remove(name);
        self.conditional.retain(|(other, _, _)| other != name);
    }

    /// The preferred versions of `name`, the first choice first.
    #[must_use]
    pub fn versions(&self, name: &PackageName) -> &[Version] {
        self.versions.get(name).map_or(&[], Vec::as_slice)
    }
}
