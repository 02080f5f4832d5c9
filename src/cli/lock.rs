//! `pinfast lock`

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use clap::{Args, ValueEnum};

use super::locked_report;
use super::options::{IndexArgs, InputArgs, OutputFormat, PolicyArgs, TargetArgs};
use super::ui::{ByteCount, Ui, Verbosity};
use pinfast_base::error::{Error, Result};
use pinfast_base::event::counted;
use pinfast_explain::{Budget, DetailLevel};
use pinfast_lock::Annotations;
use pinfast_lock::diff::{ChangeKind, Summary};
use pinfast_ops::downgrades::Distance;
use pinfast_ops::held_back::HeldBack;
use pinfast_ops::lock::{LockError, LockFileState, LockRequest, Locked, Unsolved, Upgrade, lock};
use pinfast_ops::saved_fixes::{self, Applied};
use pinfast_ops::{Hashes, LockPlace, Session};
use pinfast_packaging::PackageName;
use pinfast_settings::ProcessEnv;

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
    /// Take fix N that the last failed run with the same arguments told: edit the input, and lock
    #[arg(long, value_name = "N")]
    fix: Option<usize>,
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
    format: OutputFormat,
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
            edited: BTreeMap::new(),
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

pub(super) fn run(arguments: &LockArgs, ui: &Arc<Ui>) -> Result<()> {
    let started = Instant::now();
    let session = Session::new(ProcessEnv::capture(), arguments.indexes.cache.cache_dir.clone(), ui.clone())?;
    let asked = arguments.request();
    let format = arguments.writing.format;
    if format == OutputFormat::Json && asked.place == LockPlace::StandardOutput {
        return Err(Error::usage("standard output cannot hold both the lock and a JSON document")
            .hint("name a file for the lock: `-o requirements.txt`"));
    }
    let applied =
        arguments.upgrade.fix.map(|number| saved_fixes::apply(&asked, number, &session)).transpose()?;
    let request = applied.as_ref().map_or(&asked, |applied| &applied.request);
    ui.begin("resolving");
    let locked = lock(request, &session);
    ui.finish();
    let locked = match locked {
        Ok(locked) => locked,
        Err(LockError::Error(error)) => return Err(error),
        Err(LockError::NoSolution(unsolved)) => {
            return Err(no_solution(*unsolved, request, format, &session, ui)?);
        }
    };
    let wet = !arguments.writing.dry_run;
    if wet {
        saved_fixes::write(request, &session)?;
    }
    match &request.place {
        LockPlace::StandardOutput => ui.result(&locked.text)?,
        LockPlace::File(path) if wet => locked.write(path, &session)?,
        LockPlace::File(_) => {}
    }
    if format == OutputFormat::Json {
        ui.json(&locked_report::document(&locked, &request.place))?;
    }
    if let Some(applied) = &applied {
        tell_fix(applied, ui);
    }
    summarise(&locked, request, arguments, started, ui);
    // The program ends here: freeing what was made takes longer than making an end.
    std::mem::forget((session, locked));
    Ok(())
}

/// The variable that names another time for trying fixes, in seconds: for slow machines.
const FIX_TIME: &str = "PINFAST_FIX_TIME";

fn fix_budget(session: &Session) -> Result<Duration> {
    let Some(text) = session.env.text(FIX_TIME) else { return Ok(FIX_BUDGET) };
    let seconds = text.trim().parse::<u32>();
    let wrong = |_| Error::usage(format!("{FIX_TIME} is `{text}`, not a whole number of seconds"));
    seconds.map(|seconds| Duration::from_secs(seconds.into())).map_err(wrong)
}

/// Tells the time spent since now. Waiting for an index counts a fifth: the budget is one of work, but with
/// nothing in the cache it ends all the same.
fn time_spent(ui: &Arc<Ui>) -> Arc<dyn Fn() -> Duration + Send + Sync> {
    let (started, waited_before, ui) = (Instant::now(), ui.waited(), ui.clone());
    Arc::new(move || {
        let waited = ui.waited().saturating_sub(waited_before);
        started.elapsed().saturating_sub(waited.mul_f64(0.8))
    })
}

/// The explanation of a conflict, as an error; its fixes are kept for `--fix`.
fn no_solution(
    unsolved: Unsolved,
    request: &LockRequest,
    format: OutputFormat,
    session: &Session,
    ui: &Arc<Ui>,
) -> Result<Error> {
    let budget = Budget::new(fix_budget(session)?, time_spent(ui));
    ui.begin("explaining");
    let explanation = unsolved.explain(budget, &**ui);
    ui.finish();
    if request.edited.is_empty() {
        saved_fixes::remember(request, &explanation.fix_report.fixes, session);
    }
    if format == OutputFormat::Json {
        ui.json(&explanation.json())?;
    }
    let detail = if ui.verbosity() >= Verbosity::Verbose { DetailLevel::Full } else { DetailLevel::Short };
    let mut lines = explanation.lines(ui.width(), detail).into_iter();
    let mut error = Error::no(lines.next().unwrap_or_default().trim_start_matches("error: "));
    error.details = lines.collect();
    Ok(error)
}

/// What a fix edited, and how an option that it added is kept.
fn tell_fix(applied: &Applied, ui: &Ui) {
    applied.edits.iter().for_each(|edit| ui.note(edit));
    for (option, setting) in &applied.options {
        ui.note(format_args!(
            "locked with `{option}`: give it each time, or keep it as `{setting}` in pinfast.toml"
        ));
    }
}

/// How many changes are listed without `--verbose`.
const LISTED: usize = 30;

fn summarise(locked: &Locked, request: &LockRequest, arguments: &LockArgs, started: Instant, ui: &Ui) {
    locked.warnings.iter().for_each(|warning| ui.warn(warning));
    list_changes(locked, ui);
    locked.downgrades.iter().for_each(|distance| ui.warn(distance));
    locked.held_back.iter().for_each(|held| held_back(held, ui));
    let place = match &request.place {
        LockPlace::StandardOutput => "standard output".to_owned(),
        LockPlace::File(path) => path.display().to_string(),
    };
    let done = match (locked.state, arguments.writing.dry_run) {
        (LockFileState::Unchanged | LockFileState::Fresh, _) => format!("{place} is up to date"),
        (LockFileState::New, true) => format!("{place} would change"),
        (LockFileState::New, false) => format!("wrote {place}"),
    };
    let (requests, bytes) = ui.traffic();
    let traffic = if requests == 0 {
        "no request".to_owned()
    } else {
        format!("{}, {}", counted(requests, "request"), ByteCount(bytes))
    };
    let changed = match &locked.changes {
        Some(changes) if changes.summary() != Summary::default() => format!(" ({})", changes.summary()),
        _ => String::new(),
    };
    ui.note(format_args!(
        "{done}: {}{changed} in {:.2} s ({traffic})",
        counted(locked.lock.pins.len(), "package"),
        started.elapsed().as_secs_f64()
    ));
}

/// The changes, a line each: those that add files to a pinned release are only counted.
fn list_changes(locked: &Locked, ui: &Ui) {
    let Some(changes) = &locked.changes else { return };
    let all = ui.verbosity() >= Verbosity::Verbose;
    let told: Vec<_> =
        changes.changes.iter().filter(|change| all || change.kind != ChangeKind::Hashes).collect();
    let listed = if all { told.len() } else { told.len().min(LISTED) };
    told[..listed].iter().for_each(|change| ui.note(change));
    if listed < told.len() {
        ui.note(format_args!("… and {} more changes (--verbose lists them)", told.len() - listed));
    }
    changes.builds.iter().for_each(|build| ui.note(build.to_string().trim_end()));
}

fn held_back(held: &HeldBack, ui: &Ui) {
    let HeldBack { name, chosen, newest, by, distance } = held;
    match (by, distance) {
        (Some(by), Some(distance)) => {
            let far = match distance {
                Distance::Major => "a major version".to_owned(),
                Distance::Years(years) => format!("{years} years"),
            };
            ui.warn(format_args!("held back by {far}: {name} {chosen}, not {newest}, by {by}"));
        }
        (Some(by), None) => ui.note(format_args!("held back: {name} {chosen}, not {newest}, by {by}")),
        (None, _) if ui.verbosity() >= Verbosity::Verbose => {
            ui.note(format_args!("kept: {name} {chosen}, not {newest} (--upgrade takes it)"));
        }
        (None, _) => {}
    }
}
