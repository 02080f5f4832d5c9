//! What a deploy needs from outside: the settings with their paths resolved, and whoever makes environments.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use super::root::DeployRoot;
use pinfast_base::error::{Error, Result};
use pinfast_install::{PlacedFile, VerifyReport};
use pinfast_settings::DeploySettings;

/// The configuration of deploys and rollbacks.
#[derive(Clone, Debug)]
pub struct DeployConfig {
    /// The table `[deploy]`.
    pub settings: DeploySettings,
    /// The folder that is deployed to.
    pub root: DeployRoot,
    /// The folder of the settings file.
    pub project: PathBuf,
    /// The folder whose tracked files are deployed.
    pub source: PathBuf,
    /// The git revision that is deployed, such as `HEAD`.
    pub revision: String,
    /// The user who deploys.
    pub by: String,
    /// The `PATH` of the release's commands, after the environment's own `bin`.
    pub path: OsString,
}

/// The committed source, in a temporary folder outside the root.
#[derive(Clone, Copy, Debug)]
pub struct SourceView<'a> {
    /// The copy of the folder of the settings file.
    pub project: &'a Path,
    /// The copy of the source.
    pub source: &'a Path,
}

/// Makes and verifies the environments of releases.
pub trait Environments {
    /// All problems of the lock in the source: it is stale, or not for this host.
    fn lock_problems(&self, view: SourceView<'_>) -> Vec<Error>;

    /// The files of an environment made from the lock in the source. Downloads what the cache lacks, so that
    /// no release is begun that cannot be finished.
    ///
    /// # Errors
    /// A file cannot be downloaded, or does not match its hash.
    fn contents(&self, view: SourceView<'_>) -> Result<Vec<PlacedFile>>;

    /// The interpreter that environments are made from.
    ///
    /// # Errors
    /// No answer: there is none.
    fn interpreter(&self) -> Result<PathBuf>;

    /// Makes the environment in the folder `release` from its lock.
    ///
    /// # Errors
    /// As for `pinfast install`.
    fn install(&self, release: &Path) -> Result<()>;

    /// Compares the environment `venv` in the folder `release` with its `lock`.
    ///
    /// # Errors
    /// As for `pinfast verify`.
    fn verify(&self, release: &Path, lock: &str, venv: &str) -> Result<VerifyReport>;
}
