//! What to lock, as the command line gives it. An absent value is left to the other sources.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use super::lock_settings::{IndexRequest, LockArguments, PolicyRequest, TargetRequest, WritingRequest};
use pinfast_inputs::InputRequest;
use pinfast_lock::Pin;
use pinfast_packaging::PackageName;
use pinfast_solve::Preferences;

/// Where a lock is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LockPlace {
    /// A file.
    File(PathBuf),
    /// Standard output (`-o -`).
    StandardOutput,
}

/// What to lock, and how.
#[derive(Clone, Debug)]
pub struct LockRequest {
    /// The inputs; by default `requirements.in`, else `pyproject.toml`.
    pub inputs: InputRequest,
    /// Where to write the lock, and where an older one is.
    pub place: LockPlace,
    /// The target environments.
    pub targets: TargetRequest,
    /// The indexes.
    pub indexes: IndexRequest,
    /// Which releases and files may be chosen.
    pub policy: PolicyRequest,
    /// Which pins of the older lock are not preferred.
    pub upgrade: Upgrade,
    /// What the lock's file holds besides its pins.
    pub writing: WritingRequest,
    /// Texts that replace those of input files, by file: a fix is tried before it is written.
    pub edited: BTreeMap<String, String>,
}

impl LockRequest {
    /// The arguments that set options.
    pub(super) fn arguments(&self) -> LockArguments<'_> {
        LockArguments {
            inputs: &self.inputs,
            targets: &self.targets,
            policy: &self.policy,
            writing: &self.writing,
        }
    }
}

/// Which pins of the older lock are not preferred.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Upgrade {
    /// All pins are preferred.
    #[default]
    None,
    /// No pin is preferred (`--upgrade`).
    All,
    /// These packages' pins are not preferred (`--upgrade-package`).
    Packages(BTreeSet<PackageName>),
}

impl Upgrade {
    /// The preferences for those of older `pins` that are not to be upgraded.
    pub(super) fn preferences<'a>(&self, pins: impl Iterator<Item = &'a Pin>) -> Preferences {
        let mut preferences = Preferences::default();
        let is_preferred = |pin: &&Pin| match self {
            Self::None => true,
            Self::All => false,
            Self::Packages(names) => !names.contains(&pin.name),
        };
        for pin in pins.filter(is_preferred) {
            preferences.add_with_marker(pin.name.clone(), pin.version.clone(), &pin.marker);
        }
        preferences
    }
}
