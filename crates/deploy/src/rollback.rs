//! A rollback: a release that was live before is verified, tested again, and activated.

use super::activate::activate;
use super::config::{DeployConfig, Environments};
use super::deploy::{LiveRelease, rollback_target_now, verify_environment};
use super::disk::lexists;
use super::history::{History, ReleaseRecord, ReleaseState};
use super::id::ReleaseId;
use super::journal::read_history;
use super::journal_entry::{Direction, JournalEvent, ReleaseManifest};
use super::lock_file::WhenLocked;
use super::root::DeployRoot;
use super::run::DeployRun;
use super::shared;
use super::source::hash_lock;
use super::space::permission_problems;
use pinfast_base::error::{Error, ErrorKind, Result};
use pinfast_base::event::{Event, Watcher};
use pinfast_process::SignalDeferral;

/// Goes back to the release `named`, or else to the good release that was live before the live one.
///
/// # Errors
/// `No` if there is no such release, or it does not pass. The release that was live before is live still or
/// again, except for `LiveButUnclean`.
pub fn rollback(
    config: &DeployConfig,
    environments: &dyn Environments,
    named: Option<&ReleaseId>,
    when_locked: WhenLocked,
    watcher: &dyn Watcher,
) -> Result<LiveRelease> {
    // A problem is reported before anything is created.
    let target = rollback_target(config, named)?;
    watcher.on(Event::Stage { name: "preflight", what: format!("back to {target}") });
    let problems = permission_problems(&config.root)
        .into_iter()
        .chain(shared::problems(&config.settings.shared, &config.root));
    if let Some(problem) = problems.into_iter().next() {
        return Err(problem);
    }
    let mut run = DeployRun::begin(config, when_locked, watcher)?;
    let live = run.root().live_release()?;
    // Chosen again: another run may have switched while this one waited for the lock.
    let manifest = choose(run.journal.history(), run.root(), live.as_ref(), named)?;
    run.start_step(&manifest.release, "verify", format!("{} against {}", manifest.venv, manifest.lock_file))?;
    verify_lock(run.root(), &manifest)?;
    verify_environment(environments, &run, &manifest)?;
    run.smoke_test(&manifest)?;
    let deferral = SignalDeferral::start();
    let activated = activate(&mut run, &manifest, Direction::Back, &deferral);
    let cleanup_errors = activated.inspect_err(|error| {
        if error.kind != ErrorKind::LiveButUnclean {
            // If it cannot be recorded, the next run finds that out by itself.
            let _ = run.journal.record(JournalEvent::SwitchedBack { release: manifest.release.clone() });
        }
    })?;
    deferral.make_permanent();
    let rollback_target = rollback_target_now(&run, &manifest);
    let release = manifest.release;
    Ok(LiveRelease { release, previous: live, rollback_target, removed: Vec::new(), cleanup_errors })
}

/// The release that a rollback would go to; changes nothing.
///
/// # Errors
/// `No` if there is none.
pub fn rollback_target(config: &DeployConfig, named: Option<&ReleaseId>) -> Result<ReleaseId> {
    let history = read_history(&config.root)?;
    let live = config.root.live_release()?;
    choose(&history, &config.root, live.as_ref(), named).map(|manifest| manifest.release)
}

/// The lock in a release must be the one that its environment was made from.
fn verify_lock(root: &DeployRoot, manifest: &ReleaseManifest) -> Result<()> {
    let lock = root.release(&manifest.release).join(&manifest.lock_file);
    if hash_lock(&lock)?.to_string() == manifest.lock {
        return Ok(());
    }
    Err(Error::no(format!("{} is not the lock that {} was made from", lock.display(), manifest.release)))
}

fn choose(
    history: &History,
    root: &DeployRoot,
    live: Option<&ReleaseId>,
    named: Option<&ReleaseId>,
) -> Result<ReleaseManifest> {
    let release = match named {
        Some(id) => named_release(history, live, id)?,
        None => history.rollback_target(live).ok_or_else(|| {
            let live = live.map_or_else(|| "no release is live".to_owned(), |live| format!("{live} is live"));
            Error::no(format!("there is no good release to go back to: {live}"))
                .hint("`pinfast releases` lists them; a retired one can be named")
        })?,
    };
    if lexists(&root.release(release.id())) {
        return Ok(release.manifest.clone());
    }
    Err(Error::no(format!("the folder of {} is gone", release.id())))
}

fn named_release<'a>(
    history: &'a History,
    live: Option<&ReleaseId>,
    id: &ReleaseId,
) -> Result<&'a ReleaseRecord> {
    let unknown = || Error::no(format!("there is no release {id}")).hint("`pinfast releases` lists them");
    let release = history.newest_first().find(|release| release.id() == id).ok_or_else(unknown)?;
    match release.state(live) {
        ReleaseState::Live => Err(Error::no(format!("{id} is live already"))),
        ReleaseState::Retired if history.was_healthy(id) => Ok(release),
        ReleaseState::Retired => Err(Error::no(format!("{id} never passed its health check"))),
        state => Err(Error::no(format!("{id} is {}, and was never live", state.name()))),
    }
}
