//! A deploy: a release is built at its final place, tested there, and goes live.

use std::fs;

use jiff::Timestamp;

use super::activate::activate;
use super::config::{Config, Environments};
use super::held::Patience;
use super::history::LeftOver;
use super::id::ReleaseId;
use super::journal;
use super::plan::{self, Stage};
use super::preflight::{Lacking, LeftOvers, Moment, Ready, preflight};
use super::record::{Begin, Way, What};
use super::remove::{is_there, remove};
use super::root::failed;
use super::run::Run;
use super::shared::{self, Moved};
use pinfast_base::error::{Error, ErrorKind, Result};
use pinfast_base::event::{Event, Watcher};
use pinfast_process::SignalDeferral;

/// What a deploy does about others and about what is lacking.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// What it does when another run is at work.
    pub patience: Patience,
    /// What it does about shared paths that are lacking.
    pub lacking: Lacking,
}

/// A release that is live.
#[derive(Debug)]
pub struct Activated {
    /// The release.
    pub release: ReleaseId,
    /// What was live before.
    pub before: Option<ReleaseId>,
    /// What a rollback would go to now.
    pub next_back: Option<ReleaseId>,
    /// The releases that were removed.
    pub removed: Vec<ReleaseId>,
    /// What went wrong although it is live.
    pub unclean: Vec<Error>,
}

/// Deploys.
///
/// # Errors
/// What was live before is live still or again; except for `LiveButUnclean`.
pub fn deploy(
    config: &Config,
    environments: &dyn Environments,
    options: Options,
    watcher: &dyn Watcher,
) -> Result<Activated> {
    let what = format!("{} of {}", config.revision, config.source.display());
    watcher.on(Event::Stage { name: "preflight", what });
    let ready = preflight(config, environments, before(config, options.lacking)?, None)?;
    let mut run = Run::begin(config, options.patience, watcher)?;
    if options.lacking == Lacking::MoveIn {
        for moved in shared::initialise(config)? {
            let what = match moved {
                Moved::In(path) => format!("{path} is now in {}", config.root.shared().display()),
                Moved::Created(path) => format!("{path}/ is created in {}", config.root.shared().display()),
            };
            watcher.on(Event::Stage { name: "move", what });
        }
    }
    let ready = preflight(config, environments, Moment::UnderLock, Some(ready.source))?;
    let begin = begin(&mut run, &ready)?;
    if let Err(error) = build(&mut run, &begin, &ready, environments) {
        // What is not removed now, the next run removes.
        let _ = run.clear(&begin.release, &error.message);
        return Err(error);
    }
    if let Err(error) = run.smoke(&begin) {
        return Err(given_up(&mut run, &begin, error));
    }
    let outcome = go_live(&mut run, &begin);
    outcome.map_err(|error| match error.kind {
        ErrorKind::LiveButUnclean => error,
        _ => given_up(&mut run, &begin, error),
    })
}

/// What would be done, step by step; nothing is.
///
/// # Errors
/// As for the preflight of [`deploy`].
pub fn planned(config: &Config, environments: &dyn Environments, lacking: Lacking) -> Result<Vec<Stage>> {
    let ready = preflight(config, environments, before(config, lacking)?, None)?;
    let mut history = journal::read(&config.root)?;
    let release = ReleaseId::next(Timestamp::now(), &ready.source.commit, |name| history.knows(name));
    history.imagine(begin_of(config, &ready, release.clone()));
    Ok(plan::stages(config, &ready, &history.surplus(Some(&release), config.settings.keep)))
}

fn before(config: &Config, lacking: Lacking) -> Result<Moment> {
    let history = journal::read(&config.root)?;
    let live = config.root.live()?;
    let half = |left_over: &LeftOver| matches!(left_over, LeftOver::Half(_) | LeftOver::Removing(_));
    let some = history.left_over(live.as_ref()).iter().any(half);
    Ok(Moment::Before { lacking, left_over: if some { LeftOvers::Some } else { LeftOvers::None } })
}

fn begin_of(config: &Config, ready: &Ready, release: ReleaseId) -> Begin {
    Begin {
        release,
        commit: ready.source.commit.clone(),
        lock_file: config.settings.lock.clone(),
        lock: ready.lock.to_string(),
        venv: config.settings.venv.clone(),
        smoke: config.settings.smoke.iter().map(ToString::to_string).collect(),
    }
}

/// Notes a new release, and creates its folder.
fn begin(run: &mut Run<'_>, ready: &Ready) -> Result<Begin> {
    let root = run.root();
    let history = run.journal.history();
    let taken = |name: &str| history.knows(name) || is_there(&root.releases().join(name));
    let release = ReleaseId::next(Timestamp::now(), &ready.source.commit, taken);
    let begin = begin_of(run.config, ready, release);
    run.journal.note(What::Begin(begin.clone()))?;
    let folder = root.release(&begin.release);
    fs::create_dir(&folder).map_err(|error| failed("create the folder", &folder, error))?;
    Ok(begin)
}

/// Fills the release's folder.
fn build(run: &mut Run<'_>, begin: &Begin, ready: &Ready, environments: &dyn Environments) -> Result<()> {
    let (config, release) = (run.config, &begin.release);
    let folder = run.root().release(release);
    run.step(release, "export", format!("{} to releases/{release}", plan::export(ready)))?;
    ready.source.export(&folder)?;
    if !config.settings.shared.is_empty() {
        run.step(release, "share", plan::share(config))?;
        shared::link(&config.settings.shared, &folder)?;
    }
    run.step(release, "install", plan::install(config))?;
    environments.install(&folder)?;
    run.step(release, "verify", plan::verify(config))?;
    verified(environments, run, begin)
}

/// Holds the environment of a release against its lock.
pub(super) fn verified(environments: &dyn Environments, run: &Run<'_>, begin: &Begin) -> Result<()> {
    let folder = run.root().release(&begin.release);
    let report = environments.verify(&folder, &begin.lock_file, &begin.venv)?;
    if report.findings.is_empty() {
        return Ok(());
    }
    let mut error = Error::no(format!("the environment of {} is not its lock", begin.release));
    error.details = report.findings.iter().take(10).map(|finding| format!("  {finding}")).collect();
    Err(error)
}

/// A release that is whole goes live; then what is not needed any more goes.
fn go_live(run: &mut Run<'_>, begin: &Begin) -> Result<Activated> {
    run.journal.note(What::Ready { release: begin.release.clone() })?;
    run.root().sync_all()?;
    let deferred = SignalDeferral::start();
    let before = run.root().live()?;
    let mut unclean = activate(run, begin, Way::Forth, &deferred)?;
    // It is live, and no signal makes another end of that.
    deferred.make_permanent();
    let (removed, failed) = prune(run, begin);
    unclean.extend(failed);
    let next_back = run.journal.history().before(Some(&begin.release)).map(|release| release.id().clone());
    Ok(Activated { release: begin.release.clone(), before, next_back, removed, unclean })
}

/// Removes the releases that are one too many.
fn prune(run: &mut Run<'_>, begin: &Begin) -> (Vec<ReleaseId>, Vec<Error>) {
    let (mut removed, mut failed) = (Vec::new(), Vec::new());
    for id in run.journal.history().surplus(Some(&begin.release), run.config.settings.keep) {
        let step = run.step(&begin.release, "prune", format!("releases/{id}"));
        match step.and_then(|()| remove(run.root(), &id, &mut run.journal)) {
            Ok(()) => removed.push(id),
            Err(error) => failed.push(error),
        }
    }
    (removed, failed)
}

/// A release that is not live is marked failed, and kept for whoever looks into it.
fn given_up(run: &mut Run<'_>, begin: &Begin, error: Error) -> Error {
    let (release, why) = (begin.release.clone(), error.message.clone());
    // What is not noted now, the next run finds out.
    let _ = run.journal.note(What::Failed { release, why });
    let live = run.root().live().ok().flatten();
    let live = live.map_or_else(|| "no release is live".to_owned(), |live| format!("{live} is live"));
    error.detail(format!("  {live}; {} is kept as failed", begin.release))
}
