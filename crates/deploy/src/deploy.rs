//! A deploy: preflight, lock, build, smoke tests, activation, pruning. The crate's head tells the whole life of
//! a release.

use std::fs;

use jiff::Timestamp;

use super::activate::activate;
use super::config::{DeployConfig, Environments};
use super::disk::lexists;
use super::history::{RecoveryTask, ReleaseRecord};
use super::id::ReleaseId;
use super::journal::read_history;
use super::journal_entry::{Direction, JournalEvent, ReleaseManifest};
use super::lock_file::WhenLocked;
use super::plan::{self, DeployStep};
use super::preflight::{CheckedSource, MissingShared, PendingRecovery, PreflightPass, preflight};
use super::remove::remove_release;
use super::run::DeployRun;
use super::shared::{self, SharedInit};
use pinfast_base::error::{Error, ErrorKind, Result};
use pinfast_base::event::{Event, Watcher};
use pinfast_files::path_error;
use pinfast_process::SignalDeferral;

/// The options of a deploy.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DeployOptions {
    /// What it does if another run holds the lock.
    pub when_locked: WhenLocked,
    /// What it does if shared paths are missing.
    pub missing_shared: MissingShared,
}

/// A release that a deploy or a rollback made live.
#[derive(Debug)]
pub struct LiveRelease {
    /// Its name.
    pub release: ReleaseId,
    /// The release that was live before.
    pub previous: Option<ReleaseId>,
    /// The release that `pinfast rollback` would go to now.
    pub rollback_target: Option<ReleaseId>,
    /// The releases that were pruned.
    pub removed: Vec<ReleaseId>,
    /// What failed although the release is live.
    pub cleanup_errors: Vec<Error>,
}

/// Deploys the commit that `config` names.
///
/// # Errors
/// The release that was live before is live still or again, except for `LiveButUnclean`.
pub fn deploy(
    config: &DeployConfig,
    environments: &dyn Environments,
    options: DeployOptions,
    watcher: &dyn Watcher,
) -> Result<LiveRelease> {
    let what = format!("{} of {}", config.revision, config.source.display());
    watcher.on(Event::Stage { name: "preflight", what });
    let pass = before_lock(config, options.missing_shared)?;
    let checked = preflight(config, environments, pass, None)?;
    let mut run = DeployRun::begin(config, options.when_locked, watcher)?;
    // Only with the lock: two runs must not move the same file.
    if options.missing_shared == MissingShared::MoveIn {
        for done in shared::init_shared(config)? {
            let what = match done {
                SharedInit::MovedIn(path) => {
                    format!("{path} is now in {}", config.root.shared().display())
                }
                SharedInit::Created(path) => {
                    format!("{path}/ is created in {}", config.root.shared().display())
                }
            };
            watcher.on(Event::Stage { name: "move", what });
        }
    }
    // The wait for the lock may have been long, and another run may have changed the root.
    let checked = preflight(config, environments, PreflightPass::UnderLock, Some(checked.source))?;
    let manifest = begin_release(&mut run, &checked)?;
    if let Err(error) = build(&mut run, &manifest, &checked, environments) {
        // If this fails too, the next run removes the rest.
        let _ = run.discard_build(&manifest.release, &error.message);
        return Err(error);
    }
    if let Err(error) = run.smoke_test(&manifest) {
        return Err(mark_failed(&mut run, &manifest, error));
    }
    go_live(&mut run, &manifest).map_err(|error| match error.kind {
        ErrorKind::LiveButUnclean => error,
        _ => mark_failed(&mut run, &manifest, error),
    })
}

/// The steps that a deploy would take after the preflight; takes none of them.
///
/// # Errors
/// As for the preflight of [`deploy`].
pub fn plan_deploy(
    config: &DeployConfig,
    environments: &dyn Environments,
    missing_shared: MissingShared,
) -> Result<Vec<DeployStep>> {
    let checked = preflight(config, environments, before_lock(config, missing_shared)?, None)?;
    let mut history = read_history(&config.root)?;
    let release = ReleaseId::next(Timestamp::now(), &checked.source.commit, |name| history.has_name(name));
    history.simulate_deploy(manifest(config, &checked, release.clone()));
    Ok(plan::steps(config, &checked, &history.prunable(Some(&release), config.settings.keep)))
}

fn before_lock(config: &DeployConfig, missing_shared: MissingShared) -> Result<PreflightPass> {
    let history = read_history(&config.root)?;
    let live = config.root.live_release()?;
    let frees_space = |task: &RecoveryTask| {
        matches!(task, RecoveryTask::RemovePartialBuild(_) | RecoveryTask::FinishRemoval(_))
    };
    let pending = history.recovery_tasks(live.as_ref()).iter().any(frees_space);
    let recovery = if pending { PendingRecovery::Yes } else { PendingRecovery::No };
    Ok(PreflightPass::BeforeLock { missing_shared, recovery })
}

fn manifest(config: &DeployConfig, checked: &CheckedSource, release: ReleaseId) -> ReleaseManifest {
    ReleaseManifest {
        release,
        commit: checked.source.commit.clone(),
        lock_file: config.settings.lock.clone(),
        lock: checked.lock_hash.to_string(),
        venv: config.settings.venv.clone(),
        smoke: config.settings.smoke.iter().map(ToString::to_string).collect(),
    }
}

/// Records a new release, and creates its empty folder.
fn begin_release(run: &mut DeployRun<'_>, checked: &CheckedSource) -> Result<ReleaseManifest> {
    let root = run.root();
    let history = run.journal.history();
    let taken = |name: &str| history.has_name(name) || lexists(&root.releases().join(name));
    let release = ReleaseId::next(Timestamp::now(), &checked.source.commit, taken);
    let manifest = manifest(run.config, checked, release);
    run.journal.record(JournalEvent::Begin(manifest.clone()))?;
    let folder = root.release(&manifest.release);
    fs::create_dir(&folder).map_err(|error| path_error("create the folder", &folder, error))?;
    Ok(manifest)
}

/// Fills the folder of a release.
fn build(
    run: &mut DeployRun<'_>,
    manifest: &ReleaseManifest,
    checked: &CheckedSource,
    environments: &dyn Environments,
) -> Result<()> {
    let (config, release) = (run.config, &manifest.release);
    let folder = run.root().release(release);
    run.start_step(release, "export", format!("{} to releases/{release}", plan::export(checked)))?;
    checked.source.export(&folder)?;
    if !config.settings.shared.is_empty() {
        run.start_step(release, "share", plan::share(config))?;
        shared::link(&config.settings.shared, &folder)?;
    }
    run.start_step(release, "install", plan::install(config))?;
    environments.install(&folder)?;
    run.start_step(release, "verify", plan::verify(config))?;
    verify_environment(environments, run, manifest)
}

/// Compares the environment of a release with its lock.
pub(super) fn verify_environment(
    environments: &dyn Environments,
    run: &DeployRun<'_>,
    manifest: &ReleaseManifest,
) -> Result<()> {
    let folder = run.root().release(&manifest.release);
    let report = environments.verify(&folder, &manifest.lock_file, &manifest.venv)?;
    if report.findings.is_empty() {
        return Ok(());
    }
    let mut error = Error::no(format!("the environment of {} is not its lock", manifest.release));
    error.details = report.findings.iter().take(10).map(|finding| format!("  {finding}")).collect();
    Err(error)
}

/// Makes a complete release live, then prunes.
fn go_live(run: &mut DeployRun<'_>, manifest: &ReleaseManifest) -> Result<LiveRelease> {
    run.journal.record(JournalEvent::Ready { release: manifest.release.clone() })?;
    // Before `current` may point to it, the release must survive a power failure.
    run.root().sync_all()?;
    let deferral = SignalDeferral::start();
    let previous = run.root().live_release()?;
    let mut cleanup_errors = activate(run, manifest, Direction::Forward, &deferral)?;
    // The deploy has succeeded; a signal during the pruning must not change its exit code.
    deferral.make_permanent();
    let (removed, errors) = prune(run, manifest);
    cleanup_errors.extend(errors);
    let rollback_target = rollback_target_now(run, manifest);
    Ok(LiveRelease { release: manifest.release.clone(), previous, rollback_target, removed, cleanup_errors })
}

/// The release that a rollback would go to, now that the one of `manifest` is live.
pub(super) fn rollback_target_now(run: &DeployRun<'_>, manifest: &ReleaseManifest) -> Option<ReleaseId> {
    run.journal.history().rollback_target(Some(&manifest.release)).map(ReleaseRecord::id).cloned()
}

/// Removes the releases that `keep` does not keep.
fn prune(run: &mut DeployRun<'_>, manifest: &ReleaseManifest) -> (Vec<ReleaseId>, Vec<Error>) {
    let (mut removed, mut errors) = (Vec::new(), Vec::new());
    for id in run.journal.history().prunable(Some(&manifest.release), run.config.settings.keep) {
        let step = run.start_step(&manifest.release, "prune", format!("releases/{id}"));
        match step.and_then(|()| remove_release(run.root(), &id, &mut run.journal)) {
            Ok(()) => removed.push(id),
            // One failed removal does not keep the others.
            Err(error) => errors.push(error),
        }
    }
    (removed, errors)
}

/// Records that a release failed; its folder stays for whoever looks into the failure.
fn mark_failed(run: &mut DeployRun<'_>, manifest: &ReleaseManifest, error: Error) -> Error {
    let (release, reason) = (manifest.release.clone(), error.message.clone());
    // If it cannot be recorded, the next run finds that out by itself.
    let _ = run.journal.record(JournalEvent::Failed { release, reason });
    let live = run.root().live_release().ok().flatten();
    let live = live.map_or_else(|| "no release is live".to_owned(), |live| format!("{live} is live"));
    error.detail(format!("  {live}; {} is kept as failed", manifest.release))
}
