//! What to install and how, and what it came to, as plain types.

use std::path::PathBuf;

use super::archive::WheelLimits;
use super::compile::Compile;
use super::environment::Environment;
use super::link::LinkMode;
use super::plan::{InstallReason, Prune};
use super::venv::BasePython;
use super::wheel_cache::WheelCache;
use pinfast_lock::Lock;
use pinfast_packaging::{PackageName, Version};

/// What to install, where and how.
#[derive(Debug)]
pub struct InstallJob<'a> {
    /// What the environment is to hold.
    pub lock: &'a Lock,
    /// The environment.
    pub destination: Destination,
    /// The cache of unpacked wheels.
    pub wheels: &'a WheelCache,
    /// Which distributions that the lock does not name are uninstalled.
    pub prune: Prune,
    /// How closely installed distributions are compared with the lock.
    pub inspection: Inspection,
    /// How files get from the cache into the environment.
    pub link: LinkMode,
    /// Whether sources are compiled to byte code.
    pub compile: Compile,
    /// Whether nothing is changed.
    pub dry_run: DryRun,
    /// How much an archive may hold.
    pub limits: WheelLimits,
}

/// The environment that an installation changes.
#[derive(Clone, Debug)]
pub enum Destination {
    /// It exists.
    Existing(Environment),
    /// It is created first, unless another run does so meanwhile.
    New {
        /// Its folder, absolute.
        folder: PathBuf,
        /// The interpreter that it is made from.
        base: BasePython,
    },
}

/// How closely installed distributions are compared with the lock.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Inspection {
    /// Names, versions, and the archives that they came from.
    #[default]
    Metadata,
    /// Each file's hash, too: an altered distribution is reinstalled.
    Hashes,
}

/// Whether a run only reports what it would do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DryRun {
    /// It changes things.
    #[default]
    No,
    /// The environment and its folder stay untouched.
    Yes,
}

/// What an installation did, or would do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InstallReport {
    /// The environment's folder.
    pub environment: PathBuf,
    /// What changed, sorted by name.
    pub changes: Vec<DistributionChange>,
    /// How many distributions were right already.
    pub kept: usize,
    /// What the lock does not name and stayed all the same, each `NAME VERSION`.
    pub spared: Vec<String>,
    /// How many files were fetched.
    pub fetched: u64,
}

/// One distribution that was installed, replaced or removed.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct DistributionChange {
    /// The package.
    pub name: PackageName,
    /// The removed version; several if the package was installed twice.
    pub old: Vec<Version>,
    /// The installed version.
    pub new: Option<Version>,
    /// Why it was installed; `None` if it was only removed.
    pub reason: Option<InstallReason>,
}
