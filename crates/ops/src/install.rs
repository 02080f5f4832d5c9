//! `pinfast install`, `verify` and `download`: they need the lock, not its inputs.

use std::path::PathBuf;

use tempfile::TempDir;

use super::environment::EnvironmentRequest;
use super::index_files::IndexFiles;
use super::lock_settings::IndexRequest;
use super::read_lock::{self, FreshnessCheck};
use super::session::Session;
use pinfast_base::error::{Error, Result};
use pinfast_base::event::Watcher;
use pinfast_install::{
    self as install, Compile, DownloadJob, DownloadReport, DownloadScope, DryRun, FileSource, Inspection,
    InstallReport, LinkMode, PlacedFile, Prune, Strictness, VerifyReport, WheelCache,
};

/// What to install, where and how.
#[derive(Clone, Debug)]
pub struct InstallRequest {
    /// The lock.
    pub lock: PathBuf,
    /// The environment.
    pub environment: EnvironmentRequest,
    /// The indexes.
    pub indexes: IndexRequest,
    /// Whether a stale lock is refused.
    pub check: FreshnessCheck,
    /// Which packages besides the lock may be removed.
    pub prune: Prune,
    /// Whether installed files are hashed.
    pub inspection: Inspection,
    /// Whether sources are compiled.
    pub compile: Compile,
    /// Whether it is a dry run.
    pub dry_run: DryRun,
}

/// Makes the environment exactly the lock.
///
/// # Errors
/// `Usage` for a lock that cannot be installed from, `No` for one that is stale or does not fit, `Refused`
/// for a file that is not what it should be, `NoAnswer` when the world does not let it.
pub fn install(request: &InstallRequest, session: &Session) -> Result<InstallReport> {
    with_job(request, session, install::install)
}

/// What an environment made from the lock would hold; what the cache lacks is fetched.
pub(super) fn contents(request: &InstallRequest, session: &Session) -> Result<Vec<PlacedFile>> {
    with_job(request, session, install::contents)
}

fn with_job<T>(
    request: &InstallRequest,
    session: &Session,
    act: fn(&install::InstallJob<'_>, &dyn FileSource, &dyn Watcher) -> Result<T>,
) -> Result<T> {
    let locked = read_lock::installable(&request.lock, request.check, session)?;
    let destination = request.environment.destination(session)?;
    let python = request.environment.python.as_deref();
    let source = IndexFiles::new(&request.indexes, &locked.options, python, session);
    let (wheels, _temporary) = wheel_cache(session)?;
    let job = install::InstallJob {
        lock: &locked.lock,
        destination,
        wheels: &wheels,
        prune: request.prune,
        inspection: request.inspection,
        link: LinkMode::Auto,
        compile: request.compile,
        dry_run: request.dry_run,
        limits: install::WheelLimits::default(),
    };
    act(&job, &source, &*session.watcher)
}

/// The cache of wheels; where there is no place for a cache, one for this run.
fn wheel_cache(session: &Session) -> Result<(WheelCache, Option<TempDir>)> {
    if let Some(root) = &session.cache {
        return Ok((WheelCache::open(root, &*session.watcher)?, None));
    }
    let folder = tempfile::tempdir()
        .map_err(|error| Error::no_answer("cannot create a temporary folder").because(error))?;
    Ok((WheelCache::open(folder.path(), &*session.watcher)?, Some(folder)))
}

/// What to verify.
#[derive(Clone, Debug)]
pub struct VerifyLockRequest {
    /// The lock.
    pub lock: PathBuf,
    /// The environment.
    pub environment: EnvironmentRequest,
    /// Which packages besides the lock may be installed.
    pub prune: Prune,
    /// Whether files that no package owns are findings.
    pub strictness: Strictness,
}

/// Compares the environment with the lock; the network is not touched.
///
/// # Errors
/// `Usage` for a lock that cannot be installed from, `No` for an environment that is not there.
pub fn verify(request: &VerifyLockRequest, session: &Session) -> Result<VerifyReport> {
    let locked = read_lock::installable(&request.lock, FreshnessCheck::Nothing, session)?;
    let environment = request.environment.existing(session)?;
    install::verify(&install::VerifyJob {
        lock: &locked.lock,
        environment: &environment,
        prune: request.prune,
        strictness: request.strictness,
    })
}

/// What to download, and where to.
#[derive(Clone, Debug)]
pub struct DownloadLockRequest {
    /// The lock.
    pub lock: PathBuf,
    /// The folder.
    pub folder: PathBuf,
    /// The indexes.
    pub indexes: IndexRequest,
    /// Whether a stale lock is refused.
    pub check: FreshnessCheck,
    /// Whether it is a dry run.
    pub dry_run: DryRun,
}

/// Puts every file of the lock into a folder that serves as an index.
///
/// # Errors
/// As for [`install`].
pub fn download(request: &DownloadLockRequest, session: &Session) -> Result<DownloadReport> {
    let locked = read_lock::installable(&request.lock, request.check, session)?;
    let source = IndexFiles::new(&request.indexes, &locked.options, None, session);
    let folder = session.env.current_dir().join(&request.folder);
    let job = DownloadJob {
        lock: &locked.lock,
        folder: &folder,
        scope: DownloadScope::All,
        dry_run: request.dry_run,
    };
    install::download(&job, &source, &*session.watcher)
}
