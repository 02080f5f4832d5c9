//! A release goes live: the switch, the restart and the health; and all the way back if that is not good.

use std::path::{Path, PathBuf};

use super::health;
use super::process::{Attention, Children, Ending, Log, Manner, Setting, run as run_command};
use super::record::{Begin, Way, What};
use super::root::{Current, Root};
use super::run::{Run, failure, interrupted};
use pinfast_base::error::{Error, ErrorKind, Result};
use pinfast_process::{Signal, SignalDeferral};
use pinfast_settings::HealthCheck;

/// Why a release does not stay live.
enum Trouble {
    /// Its restart or its health.
    Bad(Error),
    /// This signal came.
    Interrupted(Signal),
}

/// Makes a release live that is whole; gives what went wrong although it is.
///
/// # Errors
/// What was live is live again; or, as `LiveButUnclean`, the new one still is.
pub(super) fn activate(
    run: &mut Run<'_>,
    begin: &Begin,
    way: Way,
    deferred: &SignalDeferral,
) -> Result<Vec<Error>> {
    if let Some(signal) = deferred.received() {
        return Err(interrupted(signal));
    }
    let release = &begin.release;
    let old = run.root().current()?;
    let target = Root::target(release);
    run.step(release, "switch", format!("current -> {}", target.display()))?;
    run.journal.note(What::Switch { release: release.clone(), way })?;
    run.root().point_to(&target)?;
    let mut unclean = Vec::new();
    unclean.extend(run.root().sync_link().err());
    unclean.extend(run.journal.note(What::Live { release: release.clone() }).err());
    match prove(run, begin) {
        Ok(()) => {
            unclean.extend(run.journal.note(What::Passed { release: release.clone() }).err());
            Ok(unclean)
        }
        Err(trouble) => Err(go_back(run, begin, &old, trouble)),
    }
}

/// Restarts the service, and looks whether it is well.
fn prove(run: &mut Run<'_>, begin: &Begin) -> Result<(), Trouble> {
    let setting = run.setting(&begin.release, &begin.venv);
    let open = || Log::open(run.root().log(&begin.release)).map_err(Trouble::Bad);
    let mut log = open()?;
    let judge = |ending: Ending, what: &str, log: &Log| match ending {
        Ending::Good => Ok(()),
        Ending::Bad(why) => {
            Err(Trouble::Bad(failure(&format!("the release is not well: {what} {why}"), log)))
        }
        Ending::Interrupted(signal) => Err(Trouble::Interrupted(signal)),
    };
    if let Some(restart) = &run.config.settings.restart {
        let step = run.step(&begin.release, "restart", restart.command.clone());
        step.and_then(|()| restart_with(run, &setting, Attention::Signals, &mut log))
            .map_err(Trouble::Bad)
            .and_then(|ending| judge(ending, &format!("`{}`", restart.command), &log))?;
    }
    if let Some(health) = &run.config.settings.health {
        let what = match health {
            HealthCheck::Url { url, .. } => url.to_string(),
            HealthCheck::Command(timed) => timed.command.clone(),
        };
        let step = run.step(&begin.release, "health", what.clone());
        step.and_then(|()| health::check(health, &setting, &mut log))
            .map_err(Trouble::Bad)
            .and_then(|ending| judge(ending, &format!("`{what}`"), &log))?;
    }
    Ok(())
}

fn restart_with(run: &Run<'_>, setting: &Setting, attention: Attention, log: &mut Log) -> Result<Ending> {
    let Some(restart) = &run.config.settings.restart else { return Ok(Ending::Good) };
    let manner = Manner { within: restart.within, children: Children::Leave, attention };
    run_command(setting.shell(&restart.command), &restart.command, manner, log)
}

/// Makes live again what was, and tells all of it.
fn go_back(run: &mut Run<'_>, begin: &Begin, old: &Current, trouble: Trouble) -> Error {
    let release = &begin.release;
    let mut error = match trouble {
        Trouble::Bad(error) => error,
        Trouble::Interrupted(signal) => interrupted(signal),
    };
    let root = run.root();
    let (what, pointed) = match old {
        Current::Link(target) => (format!("current -> {}", target.display()), root.point_to(target)),
        Current::Absent | Current::Other => ("current is removed".to_owned(), root.point_nowhere()),
    };
    if let Err(stuck) = pointed {
        let said = format!("{error}; it is live all the same, since it could not be switched back");
        return Error { kind: ErrorKind::LiveButUnclean, message: said, ..error }.because(stuck);
    }
    // The link stands as it should; what is not noted now, the next run finds out.
    let _ = root.sync_link();
    let _ = run.journal.note(What::Back { release: release.clone() });
    let _ = run.step(release, "back", what);
    error.details.push(match old {
        Current::Link(target) => format!("  switched back{}", restart_old(run, target)),
        Current::Absent | Current::Other => "  nothing was live before, and nothing is".to_owned(),
    });
    error
}

/// Restarts what is live again, and says how that went; a signal does not cut it short.
fn restart_old(run: &mut Run<'_>, target: &Path) -> String {
    let Some(restart) = &run.config.settings.restart else { return String::new() };
    let setting = old_setting(run, target);
    let again = Log::open(run.root().notes().join("logs/back.log"))
        .and_then(|mut log| restart_with(run, &setting, Attention::None, &mut log));
    match again {
        Ok(Ending::Good) => " and restarted".to_owned(),
        Ok(Ending::Bad(why)) => format!("; restarting failed, too: `{}` {why}", restart.command),
        Ok(Ending::Interrupted(_)) => "; restarting was interrupted".to_owned(),
        Err(error) => format!("; restarting failed, too: {error}"),
    }
}

/// Where the commands of what `current` points to run, even if pinfast did not make it.
fn old_setting(run: &Run<'_>, target: &Path) -> Setting {
    let live = run.root().live().ok().flatten();
    let known = live.as_ref().and_then(|live| run.journal.history().find(live));
    if let Some(known) = known {
        return run.setting(known.id(), &known.begin.venv);
    }
    let folder: PathBuf = run.root().path().join(target);
    Setting {
        venv: folder.join(&run.config.settings.venv),
        folder,
        path: run.config.path.clone(),
        root: run.root().path().to_owned(),
        release: String::new(),
    }
}
