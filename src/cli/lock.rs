//! `pinfast lock`

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use clap::{Args, ValueEnum};

use super::byte_count::ByteCount;
use super::locked_report;
use super::options::{IndexArgs, InputArgs, OutputFormat, PolicyArgs, TargetArgs};
use super::ui::{Ui, Verbosity};
use pinfast_base::error::{Error, Result};
use pinfast_base::event::counted;
use pinfast_explain::{Budget, DetailLevel};
use pinfast_lock::Annotations;
use pinfast_lock::diff::{ChangeKind, Summary};
use pinfast_ops::downgrades::Distance;
use pinfast_ops::held_back::HeldBack;
use pinfast_ops::lock::{LockError, LockFileState, LockRequest, Locked, Unsolved, Upgrade, lock};
use pinfast_ops::saved_fixes::{self, AppliedFix};
use pinfast_ops::{Hashes, LockPlace, Session, WritingRequest};
use pinfast_packaging::PackageName;
use pinfast_settings::ProcessEnv;

/// How long to try fixes.
const FIX_BUDGET: Duration = Duration::from_secs(2);

/// Resolve the inputs and write a lock with hashes
///
/// A lock that exists keeps its versions where they still fit; --upgrade and --upgrade-package take newer ones. If the
/// inputs and options are those that the lock was made from, pinfast asks no index.
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

/// Which pins of the existing lock to give up
#[derive(Args, Debug)]
#[command(next_help_heading = "Upgrade")]
struct UpgradeArgs {
    /// Upgrade every package to the newest release that fits
    #[arg(short = 'U', long)]
    upgrade: bool,
    /// Upgrade this package to the newest release that fits; repeat it for several
    #[arg(short = 'P', long, value_name = "PACKAGE")]
    upgrade_package: Vec<PackageName>,
    /// Apply fix N from the last failed run: edit the input, and lock
    #[arg(long, value_name = "N")]
    fix: Option<usize>,
}

/// How to write the lock
#[derive(Args, Debug)]
#[command(next_help_heading = "Lock")]
struct WritingArgs {
    /// Which files of each release to list in the lock [default: all]
    #[arg(long, value_name = "WHICH")]
    hashes: Option<HashesArg>,
    /// Leave out the `# via` comments, which name what needs each package
    #[arg(long)]
    no_annotate: bool,
    /// Show what would change; write nothing
    #[arg(long)]
    dry_run: bool,
    /// Output format
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    format: OutputFormat,
}

/// Which files of a release to allow
#[derive(Clone, Copy, Debug, ValueEnum)]
enum HashesArg {
    /// All files, so that the lock installs on any platform
    All,
    /// Only files that fit a target
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
            writing: self.writing.request(),
            edited: BTreeMap::new(),
        }
    }
}

impl WritingArgs {
    fn request(&self) -> WritingRequest {
        WritingRequest {
            hashes: self.hashes.map(|hashes| match hashes {
                HashesArg::All => Hashes::All,
                HashesArg::Targets => Hashes::Targets,
            }),
            annotations: self.no_annotate.then_some(Annotations::Off),
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
    let original = arguments.request();
    let format = arguments.writing.format;
    if format == OutputFormat::Json && original.place == LockPlace::StandardOutput {
        return Err(Error::usage("standard output cannot hold both the lock and a JSON document")
            .hint("name a file for the lock: `-o requirements.txt`"));
    }
    let applied =
        arguments.upgrade.fix.map(|number| saved_fixes::apply(&original, number, &session)).transpose()?;
    let request = applied.as_ref().map_or(&original, |applied| &applied.request);
    ui.begin("resolving");
    let locked = lock(request, &session);
    ui.finish();
    let locked = match locked {
        Ok(locked) => locked,
        Err(LockError::Error(error)) => return Err(error),
        Err(LockError::NoSolution(unsolved)) => {
            return Err(explain_conflict(*unsolved, request, format, &session, ui)?);
        }
    };
    let writes = !arguments.writing.dry_run;
    if writes {
        saved_fixes::write(request, &session)?;
    }
    match &request.place {
        LockPlace::StandardOutput => ui.print_result(&locked.text)?,
        LockPlace::File(path) if writes => locked.write(path, &session)?,
        LockPlace::File(_) => {}
    }
    if format == OutputFormat::Json {
        ui.print_json(&locked_report::document(&locked, &request.place))?;
    }
    if let Some(applied) = &applied {
        report_fix(applied, ui);
    }
    summarise(&locked, request, arguments, started, ui);
    // The process ends here; freeing tens of thousands of small values first would take a tenth of a warm run.
    std::mem::forget((session, locked));
    Ok(())
}

/// Variable that replaces [`FIX_BUDGET`], in seconds, for slow machines.
const FIX_TIME: &str = "PINFAST_FIX_TIME";

fn fix_budget(session: &Session) -> Result<Duration> {
    let Some(text) = session.env.text(FIX_TIME) else { return Ok(FIX_BUDGET) };
    let seconds = text.trim().parse::<u32>();
    let wrong = |_| Error::usage(format!("{FIX_TIME} is `{text}`, not a whole number of seconds"));
    seconds.map(|seconds| Duration::from_secs(seconds.into())).map_err(wrong)
}

/// A clock that starts now. The time that requests wait counts only a fifth, because the budget is one of work; it
/// counts at all so that an empty cache does not make the budget endless.
fn time_spent(ui: &Arc<Ui>) -> Arc<dyn Fn() -> Duration + Send + Sync> {
    let (started, waited_before, ui) = (Instant::now(), ui.waited(), ui.clone());
    Arc::new(move || {
        let waited = ui.waited().saturating_sub(waited_before);
        started.elapsed().saturating_sub(waited.mul_f64(0.8))
    })
}

/// Explains a conflict, as an error, and saves its fixes for `--fix`.
fn explain_conflict(
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
        saved_fixes::save(request, &explanation.fix_report.fixes, session);
    }
    if format == OutputFormat::Json {
        ui.print_json(&explanation.json())?;
    }
    let detail = if ui.verbosity() >= Verbosity::Verbose { DetailLevel::Full } else { DetailLevel::Short };
    let mut lines = explanation.lines(ui.width(), detail).into_iter();
    let mut error = Error::no(lines.next().unwrap_or_default().trim_start_matches("error: "));
    error.details = lines.collect();
    Ok(error)
}

/// Prints what a fix edited, and how to keep an option that it added.
fn report_fix(applied: &AppliedFix, ui: &Ui) {
    applied.edits.iter().for_each(|edit| ui.note(edit));
    for (option, setting) in &applied.options {
        ui.note(format_args!(
            "locked with `{option}`: pass it each time, or write `{setting}` into pinfast.toml"
        ));
    }
}

/// How many changes to list without `--verbose`.
const LISTED: usize = 30;

fn summarise(locked: &Locked, request: &LockRequest, arguments: &LockArgs, started: Instant, ui: &Ui) {
    locked.warnings.iter().for_each(|warning| ui.warn(warning));
    list_changes(locked, ui);
    locked.downgrades.iter().for_each(|distance| ui.warn(distance));
    locked.held_back.iter().for_each(|held| report_held_back(held, ui));
    let place = match &request.place {
        LockPlace::StandardOutput => "standard output".to_owned(),
        LockPlace::File(path) => path.display().to_string(),
    };
    let result = match (locked.state, arguments.writing.dry_run) {
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
        "{result}: {}{changed} in {:.2} s ({traffic})",
        counted(locked.lock.pins.len(), "package"),
        started.elapsed().as_secs_f64()
    ));
}

/// Prints the changes, a line each. Those that only add hashes to a pin are listed with `--verbose`.
fn list_changes(locked: &Locked, ui: &Ui) {
    let Some(changes) = &locked.changes else { return };
    let all = ui.verbosity() >= Verbosity::Verbose;
    let shown: Vec<_> =
        changes.changes.iter().filter(|change| all || change.kind != ChangeKind::Hashes).collect();
    let listed = if all { shown.len() } else { shown.len().min(LISTED) };
    shown[..listed].iter().for_each(|change| ui.note(change));
    if listed < shown.len() {
        ui.note(format_args!("… and {} more changes (--verbose lists them)", shown.len() - listed));
    }
    changes.builds.iter().for_each(|build| ui.note(build.to_string().trim_end()));
}

/// Prints which newer release a direct dependency did not get, and why.
fn report_held_back(held: &HeldBack, ui: &Ui) {
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
