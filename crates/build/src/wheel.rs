//! Builds a wheel of a source distribution for `pinfast install`. The build requirements are exactly those that
//! the lock pins for this build: nothing is resolved. If the system permits it, the backend has no network.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::path::PathBuf;
use std::time::Duration;

use super::backend::{Backend, NetworkAccess};
use super::environment::install_lock;
use super::failure::BuildFailure;
use super::hooks;
use super::index::whose_code_ran;
use super::source_tree::SourceTree;
use super::text::display_name;
use pinfast_base::error::{Error, Result};
use pinfast_base::event::{Event, Watcher};
use pinfast_install::venv::{self, BasePython};
use pinfast_install::{self as install, FileSource, WheelBuildRequest};
use pinfast_lock::{Lock, Pin};
use pinfast_packaging::Requirement;

/// What builds of wheels need.
#[derive(Clone, Copy)]
pub struct WheelBuilder<'a> {
    /// The interpreter of the build environments.
    pub base: &'a BasePython,
    /// The source of the build requirements' files.
    pub files: &'a dyn FileSource,
    /// The `PATH` on which a build finds compilers.
    pub path: &'a OsStr,
    /// The time limit of one hook.
    pub timeout: Duration,
    /// Receives the progress and the warnings.
    pub watcher: &'a dyn Watcher,
}

/// Builds the wheel of `request` into the request's folder, and returns its path.
///
/// # Errors
/// `No` if the build fails, or requires something that the lock does not pin for it.
pub fn build_wheel(request: &WheelBuildRequest<'_>, builder: &WheelBuilder<'_>) -> Result<PathBuf> {
    builder.watcher.on(Event::Step(format!("building {}", display_name(request.file))));
    build(request, builder).map_err(|failure| failure.into_error(request.file))
}

fn build(request: &WheelBuildRequest<'_>, builder: &WheelBuilder<'_>) -> Result<PathBuf, BuildFailure> {
    let unreadable = |error| Error::no_answer("cannot read a source distribution").because(error);
    let tree = SourceTree::unpack(request.file, File::open(request.archive).map_err(unreadable)?)?;
    // Checked before any foreign code runs, and again below for what the backend adds.
    check_pinned(&tree.build_system.requires, request, builder)?;
    install_pinned(&tree, request, builder)?;
    let backend = Backend {
        python: venv::planned(&tree.environment(), builder.base).python,
        source: &tree.root,
        scratch: tree.scratch(),
        path: builder.path,
        build_system: &tree.build_system,
        timeout: builder.timeout,
        network: NetworkAccess::Isolated,
        watcher: builder.watcher,
    };
    let requirements = hooks::requirements(&backend);
    // Reported even after a failure: the code has run.
    let ran = whose_code_ran(request.file, &tree);
    builder.watcher.on(Event::Warning(format!("{ran} to build its wheel")));
    check_pinned(&requirements?, request, builder)?;
    let built = hooks::wheel(&backend)?;
    let path = request.folder.join(built.file_name().unwrap_or_default());
    let unwritable = |error| Error::no_answer(format!("cannot write {}", path.display())).because(error);
    fs::copy(&built, &path).map_err(unwritable)?;
    Ok(path)
}

/// Makes the build environment from the pins of this build.
fn install_pinned(
    tree: &SourceTree,
    request: &WheelBuildRequest<'_>,
    builder: &WheelBuilder<'_>,
) -> Result<()> {
    let lock = Lock { pins: request.requires.to_vec(), ..Lock::default() };
    let destination = install::Destination::New { folder: tree.environment(), base: builder.base.clone() };
    install_lock(destination, &lock, request.wheels, builder.files, builder.watcher)
}

/// Fails if the lock pins no fitting release of a build requirement.
fn check_pinned(
    requirements: &[Requirement],
    request: &WheelBuildRequest<'_>,
    builder: &WheelBuilder<'_>,
) -> Result<(), BuildFailure> {
    let is_pinned = |requirement: &Requirement| {
        let fits =
            |pin: &Pin| pin.name == requirement.name && requirement.specifiers().contains(&pin.version);
        request.requires.iter().any(fits)
    };
    let applies = |requirement: &&Requirement| requirement.applies(&builder.base.target, &[]);
    match requirements.iter().filter(applies).find(|requirement| !is_pinned(requirement)) {
        None => Ok(()),
        Some(missing) => Err(BuildFailure::Fatal(
            Error::no(format!(
                "the build of {} requires `{missing}`, which the lock does not pin for it",
                display_name(request.file)
            ))
            .hint("nothing was built; lock again: `pinfast lock`"),
        )),
    }
}
