//! What a deploy is told: the settings with their paths resolved, and whoever makes environments.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use super::root::Root;
use pinfast_base::error::{Error, Result};
use pinfast_install::{Content, VerifyReport};
use pinfast_settings::DeploySettings;

/// What a deploy is told.
#[derive(Clone, Debug)]
pub struct Config {
    /// `[deploy]`
    pub settings: DeploySettings,
    /// The folder that is deployed to.
    pub root: Root,
    /// The folder of the settings.
    pub project: PathBuf,
    /// The folder whose tracked files go out.
    pub source: PathBuf,
    /// The revision of which they go out.
    pub revision: String,
    /// Who deploys.
    pub by: String,
    /// The `PATH` that commands are looked for on, after the environment's own.
    pub path: OsString,
}

/// The source, as it is committed, in a folder outside of the root.
#[derive(Clone, Copy, Debug)]
pub struct View<'a> {
    /// What stands for the folder of the settings.
    pub project: &'a Path,
    /// What stands for the source.
    pub source: &'a Path,
}

/// Makes the environments of releases.
pub trait Environments {
    /// Everything that is wrong with the lock in the source: stale, or not for this host.
    fn lock_problems(&self, view: View<'_>) -> Vec<Error>;

    /// What an environment made from the lock in the source would hold. The files that the cache lacks are
    /// fetched, so that a release is not begun that cannot be finished.
    ///
    /// # Errors
    /// A file cannot be had, or is not what it should be.
    fn contents(&self, view: View<'_>) -> Result<Vec<Content>>;

    /// The interpreter that environments are made from.
    ///
    /// # Errors
    /// No answer: there is none.
    fn interpreter(&self) -> Result<PathBuf>;

    /// Makes the environment `venv` in the folder `release` from its lock.
    ///
    /// # Errors
    /// As for an installation.
    fn install(&self, release: &Path) -> Result<()>;

    /// Holds the environment `venv` of the folder `release` against its `lock`.
    ///
    /// # Errors
    /// As for a verification.
    fn verify(&self, release: &Path, lock: &str, venv: &str) -> Result<VerifyReport>;
}
