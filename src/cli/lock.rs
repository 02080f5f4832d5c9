//! `pinfast lock`

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use clap::{Args, ValueEnum};

use super::options::{Format, IndexArgs, InputArgs, PolicyArgs, TargetArgs};
use super::ui::{Bytes, Ui, Volume};
use crate::error::{Error, Result};
use crate::explain::{Budget, Detail};
use crate::lock::Annotations;
use crate::ops::lock::{HeldBack, LockRequest, Locked, NoLock, State, Unsolved, Upgrade, lock};
use crate::ops::{Hashes, LockPlace, Session};
use crate::settings::Surroundings;
use crate::spec::PackageName;

/// How long fixes are tried for.
const FIX_BUDGET: Duration = Duration::from_secs(2);

/// Resolve the inputs and write the hash-locked file
#[derive(Args, Debug)]
pub(super) struct LockArgs {
    #[command(flatten)]
    inputs: InputArgs,
    #[command(flatten)]
    targets: TargetArgs,
    #[command(flatten)]
    policy: PolicyArgs,
    #[command(flatten)]
    upgrade: UpgradeArgs,
    #[command(flatten)]
    indexes: IndexArgs,
    #[command(flatten)]
    writing: WritingArgs,
}

/// What becomes of the pins that are there
#[derive(Args, Debug)]
#[command(next_help_heading = "Upgrade")]
struct UpgradeArgs {
    /// Take the newest that fits, whatever the old lock pins
    #[arg(short = 'U', long)]
    upgrade: bool,
    /// Take the newest of this package that fits
    #[arg(short = 'P', long, value_name = "PACKAGE")]
    upgrade_package: Vec<PackageName>,
}

/// How the lock is written
#[derive(Args, Debug)]
#[command(next_help_heading = "Lock")]
struct WritingArgs {
    /// Which files of a release the lock permits
    #[arg(long, value_name = "WHICH")]
    hashes: Option<HashesArg>,
    /// Leave out who wants each pin
    #[arg(long)]
    no_annotate: bool,
    /// Write nothing; say what would change
    #[arg(long)]
    dry_run: bool,
    /// The form of the result
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    format: Format,
}

/// Which files of a release the lock permits
#[derive(Clone, Copy, Debug, ValueEnum)]
enum HashesArg {
    /// All: it can be installed from anywhere
    All,
    /// Those that fit a target
    Targets,
}

impl LockArgs {
    fn request(&self) -> LockRequest {
        LockRequest {
            inputs: self.inputs.request(),
            place: self.inputs.place(),
            targets: self.targets.request(),
            indexes: self.indexes.request(),
            policy: self.policy.request(),
            upgrade: self.upgrade.request(),
            hashes: self.writing.hashes.map(|hashes| match hashes {
                HashesArg::All => Hashes::All,
                HashesArg::Targets => Hashes::Targets,
            }),
            annotations: self.writing.no_annotate.then_some(Annotations::Off),
        }
    }
}

impl UpgradeArgs {
    fn request(&self) -> Upgrade {
        match (self.upgrade, self.upgrade_package.is_empty()) {
            (true, _) => Upgrade::All,
            (false, true) => Upgrade::None,
            (false, false) => {
                Upgrade::Packages(self.upgrade_package.iter().cloned().collect::<BTreeSet<_>>())
            }
        }
    }
}

pub(super) fn run(arguments: LockArgs, ui: &Arc<Ui>) -> Result<()> {
    let started = Instant::now();
    let session =
        Session::new(Surroundings::of_process(), arguments.indexes.cache.cache_dir.clone(), ui.clone())?;
    let request = arguments.request();
    ui.begin("resolving");
    let locked = lock(&request, &session);
    ui.finish();
    let locked = match locked {
        Ok(locked) => locked,
        Err(NoLock::Error(error)) => return Err(error),
        Err(NoLock::NoSolution(unsolved)) => return Err(no_solution(*unsolved, ui)),
    };
    locked.warnings.iter().for_each(|warning| ui.warn(warning));
    match &request.place {
        LockPlace::StandardOutput => ui.result(&locked.text)?,
        LockPlace::File(_) if arguments.writing.dry_run => {}
        LockPlace::File(path) => locked.write(path, &session)?,
    }
    summarise(&locked, &request, &arguments, started, ui);
    std::mem::forget(session);
    Ok(())
}

/// The explanation of a conflict, as an error.
fn no_solution(unsolved: Unsolved, ui: &Arc<Ui>) -> Error {
    let started = Instant::now();
    let budget = Budget::new(FIX_BUDGET, Arc::new(move || started.elapsed()));
    ui.begin("explaining");
    let explanation = unsolved.explain(budget, &**ui);
    ui.finish();
    let detail = if ui.volume() >= Volume::Verbose { Detail::Full } else { Detail::Short };
    let mut error = Error::no(explanation.headline.clone());
    error.details = explanation.lines(ui.width(), detail);
    error
}

fn summarise(locked: &Locked, request: &LockRequest, arguments: &LockArgs, started: Instant, ui: &Ui) {
    for held in &locked.held_back {
        held_back(held, ui);
    }
    let place = match &request.place {
        LockPlace::StandardOutput => "standard output".to_owned(),
        LockPlace::File(path) => path.display().to_string(),
    };
    let done = match (locked.state, arguments.writing.dry_run) {
        (State::Unchanged, _) => format!("{place} is up to date"),
        (State::New, true) => format!("{place} would change"),
        (State::New, false) => format!("wrote {place}"),
    };
    let (requests, bytes) = ui.traffic();
    let traffic = if requests == 0 {
        "no request".to_owned()
    } else {
        format!("{requests} requests, {}", Bytes(bytes))
    };
    ui.note(format_args!(
        "{done}: {} packages in {:.2} s ({traffic})",
        locked.lock.pins.len(),
        started.elapsed().as_secs_f64()
    ));
}

fn held_back(held: &HeldBack, ui: &Ui) {
    let HeldBack { name, chosen, newest, by } = held;
    match by {
        Some(by) => ui.note(format_args!("held back: {name} {chosen}, not {newest}, by {by}")),
        None if ui.volume() >= Volume::Verbose => {
            ui.note(format_args!("kept: {name} {chosen}, not {newest} (--upgrade takes it)"));
        }
        None => {}
    }
}
