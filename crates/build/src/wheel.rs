//! A wheel of a source distribution, for an installation: built from what its lock pins and nothing else.
//! Nothing is resolved, and where the system permits it the backend has no network.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::path::PathBuf;
use std::time::Duration;

use super::run::{Backend, Network};
use super::{Fault, Ground, environment, label, made, ran};
use pinfast_base::error::{Error, Result};
use pinfast_base::event::{Event, Watcher};
use pinfast_install::venv::{self, BasePython};
use pinfast_install::{self as install, Files, Order};
use pinfast_lock::{Lock, Pin};
use pinfast_packaging::Requirement;

/// What builds are done with.
#[derive(Clone, Copy)]
pub struct Bench<'a> {
    /// The interpreter.
    pub base: &'a BasePython,
    /// Where the files of build requirements come from.
    pub files: &'a dyn Files,
    /// The `PATH` on which a build finds compilers.
    pub path: &'a OsStr,
    /// How long one hook of a backend may take.
    pub time: Duration,
    /// Who is told.
    pub watcher: &'a dyn Watcher,
}

/// Builds the wheel and returns its path.
///
/// # Errors
/// `No` when the build fails, or requires what is not pinned for it.
pub fn wheel(order: &Order<'_>, bench: &Bench<'_>) -> Result<PathBuf> {
    bench.watcher.on(Event::Step(format!("building {}", label(order.file))));
    build(order, bench).map_err(|fault| fault.told(order.file))
}

fn build(order: &Order<'_>, bench: &Bench<'_>) -> Result<PathBuf, Fault> {
    let unreadable = |error| Error::no_answer("cannot read a source distribution").because(error);
    let ground = Ground::break_up(order.file, File::open(order.archive).map_err(unreadable)?)?;
    keep(&ground.system.requires, order, bench)?;
    furnish(&ground, order, bench)?;
    let backend = Backend {
        python: venv::planned(&ground.environment(), bench.base).python,
        source: &ground.source,
        scratch: ground.scratch.path(),
        path: bench.path,
        system: &ground.system,
        time: bench.time,
        network: Network::None,
        watcher: bench.watcher,
    };
    let all = made::all_requirements(&backend);
    bench.watcher.on(Event::Warning(format!("{} to build its wheel", ran(order.file, &ground.system))));
    keep(&all?, order, bench)?;
    let made = made::wheel(&backend)?;
    let path = order.folder.join(made.file_name().unwrap_or_default());
    let failed = |error| Error::no_answer(format!("cannot write {}", path.display())).because(error);
    fs::copy(&made, &path).map_err(failed)?;
    Ok(path)
}

/// Makes the environment that the backend runs in.
fn furnish(ground: &Ground, order: &Order<'_>, bench: &Bench<'_>) -> Result<()> {
    let lock = Lock { pins: order.requires.to_vec(), ..Lock::default() };
    let place = install::Place::New { folder: ground.environment(), base: bench.base.clone() };
    environment::fill(place, &lock, order.store, bench.files, bench.watcher)
}

/// Refuses a build that requires what is not pinned for it.
fn keep(requirements: &[Requirement], order: &Order<'_>, bench: &Bench<'_>) -> Result<(), Fault> {
    let kept = |wanted: &Requirement| {
        let keeps = |pin: &Pin| pin.name == wanted.name && wanted.specifiers().contains(&pin.version);
        order.requires.iter().any(keeps)
    };
    let applies = |wanted: &&Requirement| wanted.applies(&bench.base.target, &[]);
    match requirements.iter().filter(applies).find(|wanted| !kept(wanted)) {
        None => Ok(()),
        Some(lacking) => Err(Fault::World(
            Error::no(format!(
                "the build of {} requires `{lacking}`, which the lock does not pin for it",
                label(order.file)
            ))
            .hint("nothing was built; lock again: `pinfast lock`"),
        )),
    }
}
