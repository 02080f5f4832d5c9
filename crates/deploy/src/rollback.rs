//! Back to a release that was live before.

use super::activate::activate;
use super::config::{Config, Environments};
use super::held::Patience;
use super::history::{History, Release, State};
use super::id::ReleaseId;
use super::journal;
use super::record::{Begin, Way, What};
use super::release::{Activated, verified};
use super::remove::is_there;
use super::root::Root;
use super::run::Run;
use super::shared;
use super::source;
use super::space;
use pinfast_base::error::{Error, ErrorKind, Result};
use pinfast_base::event::{Event, Watcher};
use pinfast_process::SignalDeferral;

/// Goes back to `wanted`, or to the good release that was live before the one that is live now.
///
/// # Errors
/// `No` when there is no such release, or it does not pass; what was live before is live still or again,
/// except for `LiveButUnclean`.
pub fn rollback(
    config: &Config,
    environments: &dyn Environments,
    wanted: Option<&ReleaseId>,
    patience: Patience,
    watcher: &dyn Watcher,
) -> Result<Activated> {
    // Looked at before anything is created.
    let chosen = target(config, wanted)?;
    watcher.on(Event::Stage { name: "preflight", what: format!("back to {}", chosen.release) });
    let problems = space::forbidden(&config.root)
        .into_iter()
        .chain(shared::problems(&config.settings.shared, &config.root));
    if let Some(problem) = problems.into_iter().next() {
        return Err(problem);
    }
    let mut run = Run::begin(config, patience, watcher)?;
    let live = run.root().live()?;
    let begin = choose(run.journal.history(), run.root(), live.as_ref(), wanted)?;
    run.step(&begin.release, "verify", format!("{} against {}", begin.venv, begin.lock_file))?;
    let lock = run.root().release(&begin.release).join(&begin.lock_file);
    if source::hash(&lock)?.to_string() != begin.lock {
        return Err(Error::no(format!(
            "{} is not the lock that {} was made from",
            lock.display(),
            begin.release
        )));
    }
    verified(environments, &run, &begin)?;
    run.smoke(&begin)?;
    let deferred = SignalDeferral::start();
    let outcome = activate(&mut run, &begin, Way::Back, &deferred);
    let unclean = outcome.inspect_err(|error| {
        if error.kind != ErrorKind::LiveButUnclean {
            // Of a switch that was begun; what is not noted now, the next run finds out.
            let _ = run.journal.note(What::Back { release: begin.release.clone() });
        }
    })?;
    deferred.make_permanent();
    let next_back = run.journal.history().before(Some(&begin.release)).map(|release| release.id().clone());
    Ok(Activated { release: begin.release, before: live, next_back, removed: Vec::new(), unclean })
}

/// The release that a rollback would go to; nothing is changed.
///
/// # Errors
/// `No` when there is none.
pub fn destination(config: &Config, wanted: Option<&ReleaseId>) -> Result<ReleaseId> {
    target(config, wanted).map(|begin| begin.release)
}

fn target(config: &Config, wanted: Option<&ReleaseId>) -> Result<Begin> {
    choose(&journal::read(&config.root)?, &config.root, config.root.live()?.as_ref(), wanted)
}

fn choose(
    history: &History,
    root: &Root,
    live: Option<&ReleaseId>,
    wanted: Option<&ReleaseId>,
) -> Result<Begin> {
    let release = match wanted {
        Some(wanted) => named(history, live, wanted)?,
        None => history.before(live).ok_or_else(|| {
            let live = live.map_or_else(|| "no release is live".to_owned(), |live| format!("{live} is live"));
            Error::no(format!("there is no good release to go back to: {live}"))
                .hint("`pinfast releases` lists them; a retired one can be named")
        })?,
    };
    if is_there(&root.release(release.id())) {
        return Ok(release.begin.clone());
    }
    Err(Error::no(format!("the folder of {} is gone", release.id())))
}

fn named<'a>(history: &'a History, live: Option<&ReleaseId>, wanted: &ReleaseId) -> Result<&'a Release> {
    let unknown = || Error::no(format!("there is no release {wanted}")).hint("`pinfast releases` lists them");
    let release = history.newest_first().find(|release| release.id() == wanted).ok_or_else(unknown)?;
    match release.state(live) {
        State::Live => Err(Error::no(format!("{wanted} is live already"))),
        State::Retired if history.was_good(wanted) => Ok(release),
        State::Retired => Err(Error::no(format!("{wanted} never showed that its health is good"))),
        state => Err(Error::no(format!("{wanted} is {}, and never was live", state.name()))),
    }
}
