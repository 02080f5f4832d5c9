//! The activation of a release: the switch, the restart and the health check. If the release is not healthy, all
//! of it is undone.

use std::path::{Path, PathBuf};

use super::command::{
    CommandEnv, CommandLog, CommandOutcome, Descendants, OnSignal, RunOptions, interrupted, run_command,
};
use super::health::wait_until_healthy;
use super::journal_entry::{Direction, JournalEvent, ReleaseManifest};
use super::plan;
use super::root::{CurrentLink, DeployRoot};
use super::run::DeployRun;
use pinfast_base::error::{Error, ErrorKind, Result};
use pinfast_process::{Signal, SignalDeferral};

/// Why a release does not stay live.
enum ActivationFailure {
    /// Its restart or its health check failed.
    Unhealthy(Error),
    /// This signal came.
    Interrupted(Signal),
}

/// Makes a complete release live. Returns what failed although it is live and healthy.
///
/// # Errors
/// The release that was live before is live again; or, with `LiveButUnclean`, the new one still is.
pub(super) fn activate(
    run: &mut DeployRun<'_>,
    manifest: &ReleaseManifest,
    direction: Direction,
    deferral: &SignalDeferral,
) -> Result<Vec<Error>> {
    if let Some(signal) = deferral.received() {
        return Err(interrupted(signal));
    }
    let release = &manifest.release;
    let old = run.root().read_current()?;
    let target = DeployRoot::link_target(release);
    run.start_step(release, "switch", format!("current -> {}", target.display()))?;
    run.journal.record(JournalEvent::Switch { release: release.clone(), direction })?;
    run.root().point_current_to(&target)?;
    // From here on the release is live: an error only makes the result unclean.
    let mut errors = Vec::new();
    errors.extend(run.root().sync_current().err());
    errors.extend(run.journal.record(JournalEvent::Live { release: release.clone() }).err());
    match restart_and_check(run, manifest) {
        Ok(()) => {
            errors.extend(run.journal.record(JournalEvent::Healthy { release: release.clone() }).err());
            Ok(errors)
        }
        Err(failure) => Err(switch_back(run, manifest, &old, failure)),
    }
}

/// Restarts the service, and waits for its health check.
fn restart_and_check(run: &mut DeployRun<'_>, manifest: &ReleaseManifest) -> Result<(), ActivationFailure> {
    let env = run.command_env(&manifest.release, &manifest.venv);
    let open = || CommandLog::open(run.root().log(&manifest.release)).map_err(ActivationFailure::Unhealthy);
    let mut log = open()?;
    if let Some(restart) = &run.config.settings.restart {
        let step = run.start_step(&manifest.release, "restart", restart.command.clone());
        step.and_then(|()| restart_service(run, &env, OnSignal::Stop, &mut log))
            .map_err(ActivationFailure::Unhealthy)
            .and_then(|outcome| healthy(outcome, &restart.command, &log))?;
    }
    if let Some(health) = &run.config.settings.health {
        let what = plan::health(health);
        let step = run.start_step(&manifest.release, "health", what.clone());
        step.and_then(|()| wait_until_healthy(health, &env, &mut log))
            .map_err(ActivationFailure::Unhealthy)
            .and_then(|outcome| healthy(outcome, &what, &log))?;
    }
    Ok(())
}

fn healthy(outcome: CommandOutcome, what: &str, log: &CommandLog) -> Result<(), ActivationFailure> {
    match outcome {
        CommandOutcome::Success => Ok(()),
        CommandOutcome::Failure(why) => {
            let message = format!("the release is not healthy: `{what}` {why}");
            Err(ActivationFailure::Unhealthy(log.failure(&message)))
        }
        CommandOutcome::Interrupted(signal) => Err(ActivationFailure::Interrupted(signal)),
    }
}

/// Runs the restart command, if there is one.
fn restart_service(
    run: &DeployRun<'_>,
    env: &CommandEnv,
    on_signal: OnSignal,
    log: &mut CommandLog,
) -> Result<CommandOutcome> {
    let Some(restart) = &run.config.settings.restart else { return Ok(CommandOutcome::Success) };
    let options = RunOptions { within: restart.within, descendants: Descendants::Leave, on_signal };
    run_command(env.shell(&restart.command), &restart.command, options, log)
}

/// Points `current` back and restarts the service. Returns the error that reports the failure and the way back.
fn switch_back(
    run: &mut DeployRun<'_>,
    manifest: &ReleaseManifest,
    old: &CurrentLink,
    failure: ActivationFailure,
) -> Error {
    let release = &manifest.release;
    let mut error = match failure {
        ActivationFailure::Unhealthy(error) => error,
        ActivationFailure::Interrupted(signal) => interrupted(signal),
    };
    let root = run.root();
    let (what, switched) = match old {
        CurrentLink::Link(target) => {
            (format!("current -> {}", target.display()), root.point_current_to(target))
        }
        CurrentLink::Absent | CurrentLink::NotALink => {
            ("current is removed".to_owned(), root.remove_current())
        }
    };
    if let Err(cause) = switched {
        let message = format!("{error}; it is live all the same, because it could not be switched back");
        return Error { kind: ErrorKind::LiveButUnclean, message, ..error }.because(cause);
    }
    // `current` is right. What cannot be recorded now, the next run finds out by itself.
    let _ = root.sync_current();
    let _ = run.journal.record(JournalEvent::SwitchedBack { release: release.clone() });
    let _ = run.start_step(release, "back", what);
    error.details.push(match old {
        CurrentLink::Link(target) => format!("  switched back{}", restart_old(run, target)),
        CurrentLink::Absent | CurrentLink::NotALink => "  nothing was live before, and nothing is".to_owned(),
    });
    error
}

/// Restarts the release that is live again. Returns the rest of the sentence `switched back…`.
fn restart_old(run: &mut DeployRun<'_>, target: &Path) -> String {
    // A signal may be the reason for switching back; the old service must come up all the same.
    let Some(restart) = &run.config.settings.restart else { return String::new() };
    let env = old_command_env(run, target);
    let restarted = CommandLog::open(run.root().state_folder().join("logs/back.log"))
        .and_then(|mut log| restart_service(run, &env, OnSignal::Ignore, &mut log));
    match restarted {
        Ok(CommandOutcome::Success) => " and restarted".to_owned(),
        Ok(CommandOutcome::Failure(why)) => {
            format!("; restarting failed, too: `{}` {why}", restart.command)
        }
        Ok(CommandOutcome::Interrupted(_)) => "; restarting was interrupted".to_owned(),
        Err(error) => format!("; restarting failed, too: {error}"),
    }
}

/// The environment of the commands of what `current` points to. Another tool may have made that.
fn old_command_env(run: &DeployRun<'_>, target: &Path) -> CommandEnv {
    let live = run.root().live_release().ok().flatten();
    let recorded = live.as_ref().and_then(|live| run.journal.history().find(live));
    if let Some(release) = recorded {
        return run.command_env(release.id(), &release.manifest.venv);
    }
    let folder: PathBuf = run.root().path().join(target);
    CommandEnv {
        venv: folder.join(&run.config.settings.venv),
        folder,
        path: run.config.path.clone(),
        root: run.root().path().to_owned(),
        release: String::new(),
    }
}
