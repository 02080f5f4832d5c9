//! `pinfast install`

use std::sync::Arc;
use std::time::Instant;

use clap::Args;
use serde_json::json;

use super::options::{EnvironmentArgs, IndexArgs, LockArg, OutputFormat, SeedArg};
use super::ui::{ByteCount, Ui, Verbosity};
use pinfast_base::error::Result;
use pinfast_base::event::counted;
use pinfast_install::{Compile, Done, Effort, Outcome, Prune, Run, Why};
use pinfast_ops::Session;
use pinfast_ops::install::{InstallRequest, install};
use pinfast_ops::read_lock::FreshnessCheck;
use pinfast_settings::ProcessEnv;

/// Make the environment exactly the lock, every file checked against its hash
///
/// What the lock names is installed or replaced, what it does not name is removed. Nothing is resolved, and
/// no package's code is run. Before anything changes, every file lies checked in the cache.
#[derive(Args, Debug)]
pub(super) struct InstallArgs {
    #[command(flatten)]
    lock: LockArg,
    #[command(flatten)]
    environment: EnvironmentArgs,
    #[command(flatten)]
    what: PruneArgs,
    #[command(flatten)]
    how: InstallModeArgs,
    #[command(flatten)]
    indexes: IndexArgs,
}

/// What stays
#[derive(Args, Debug)]
#[command(next_help_heading = "Installation")]
struct PruneArgs {
    #[command(flatten)]
    seed: SeedArg,
    /// Remove nothing that the lock does not name
    #[arg(long, conflicts_with = "keep_seed")]
    no_prune: bool,
    /// Do not hold the lock against its inputs
    #[arg(long)]
    no_check: bool,
}

/// How it is done
#[derive(Args, Debug)]
#[command(next_help_heading = "Installation")]
struct InstallModeArgs {
    /// Look at every installed file's hash, and install anew what was altered
    #[arg(long)]
    repair: bool,
    /// Compile to byte-code now, not at the first import
    #[arg(long)]
    compile: bool,
    /// Change nothing; say what would change
    #[arg(long)]
    dry_run: bool,
    /// The form of the result
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    format: OutputFormat,
}

impl InstallModeArgs {
    fn run(&self) -> Run {
        if self.dry_run { Run::Dry } else { Run::Real }
    }
}

impl InstallArgs {
    fn request(&self) -> InstallRequest {
        InstallRequest {
            lock: self.lock.lock.clone(),
            environment: self.environment.request(),
            indexes: self.indexes.request(),
            check: if self.what.no_check { FreshnessCheck::Nothing } else { FreshnessCheck::Inputs },
            prune: match (self.what.no_prune, self.what.seed.keep_seed) {
                (true, _) => Prune::Nothing,
                (_, true) => Prune::KeepSeed,
                _ => Prune::All,
            },
            effort: if self.how.repair { Effort::Hash } else { Effort::Look },
            compile: if self.how.compile { Compile::Yes } else { Compile::No },
            run: self.how.run(),
        }
    }
}

pub(super) fn run(arguments: &InstallArgs, ui: &Arc<Ui>) -> Result<()> {
    let started = Instant::now();
    let cache = arguments.indexes.cache.cache_dir.clone();
    let session = Session::new(ProcessEnv::capture(), cache, ui.clone())?;
    ui.begin("installing");
    let outcome = install(&arguments.request(), &session);
    ui.finish();
    let outcome = outcome?;
    if arguments.how.format == OutputFormat::Json {
        ui.json(&document(&outcome, arguments.how.run()))?;
    }
    told(&outcome, &session, arguments, started, ui);
    Ok(())
}

/// Each change on a line, unless all is new; then the summary.
fn told(outcome: &Outcome, session: &Session, arguments: &InstallArgs, started: Instant, ui: &Ui) {
    let fresh = |done: &Done| done.old.is_empty() && done.why == Some(Why::Missing);
    let afresh = outcome.kept == 0 && outcome.changes.iter().all(fresh);
    if !afresh || ui.verbosity() >= Verbosity::Verbose {
        outcome.changes.iter().for_each(|done| ui.note(line(done)));
    }
    if !outcome.spared.is_empty() {
        ui.note(format_args!("not in the lock, and left: {}", outcome.spared.join(", ")));
    }
    let what = if outcome.spared.is_empty() { "exactly the lock" } else { "the lock and more" };
    let place = session.shown(&outcome.environment);
    let seconds = started.elapsed().as_secs_f64();
    if outcome.changes.is_empty() {
        let kept = counted(outcome.kept, "package");
        return ui.note(format_args!("{place} is {what}: {kept} in {seconds:.2} s"));
    }
    let done = if arguments.how.dry_run { "would be" } else { "is now" };
    let (_, bytes) = ui.traffic();
    ui.note(format_args!(
        "{place} {done} {what}: {} in {seconds:.2} s ({} fetched, {})",
        counts(outcome),
        outcome.fetched,
        ByteCount(bytes)
    ));
}

/// `3 installed, 1 replaced, 2 removed, 90 kept`
fn counts(outcome: &Outcome) -> String {
    let count = |is: fn(&Done) -> bool| outcome.changes.iter().filter(|done| is(done)).count();
    let counts = [
        (count(|done| done.old.is_empty()), "installed"),
        (count(|done| !done.old.is_empty() && done.new.is_some()), "replaced"),
        (count(|done| done.new.is_none()), "removed"),
        (outcome.kept, "kept"),
    ];
    let shown = counts.iter().filter(|(count, _)| *count > 0).map(|(count, what)| format!("{count} {what}"));
    shown.collect::<Vec<_>>().join(", ")
}

fn line(done: &Done) -> String {
    let name = &done.name;
    let old = done.old.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    match (&done.new, done.old.last()) {
        (Some(new), None) => format!("+ {name} {new}"),
        (Some(new), Some(last)) if last == new => {
            format!("~ {name} {new} ({})", done.why.map_or("", reason))
        }
        (Some(new), Some(last)) => format!("{} {name} {old} -> {new}", if new > last { '^' } else { 'v' }),
        (None, _) => format!("- {name} {old}"),
    }
}

/// Why a package was installed anew.
fn reason(why: Why) -> &'static str {
    match why {
        Why::Missing => "missing",
        Why::OtherVersion => "another version",
        Why::OtherFile => "not from a file of the lock",
        Why::Unfinished => "unfinished",
        Why::Shared => "shared a file with what went",
        Why::Altered => "altered",
    }
}

fn code(why: Why) -> &'static str {
    match why {
        Why::Missing => "missing",
        Why::OtherVersion => "other-version",
        Why::OtherFile => "other-file",
        Why::Unfinished => "unfinished",
        Why::Shared => "shared",
        Why::Altered => "altered",
    }
}

/// The document of `docs/json.md`.
fn document(outcome: &Outcome, run: Run) -> serde_json::Value {
    let change = |done: &Done| {
        json!({
            "name": done.name.as_str(),
            "old": done.old.iter().map(ToString::to_string).collect::<Vec<_>>(),
            "new": done.new.as_ref().map(ToString::to_string),
            "why": done.why.map(code),
        })
    };
    json!({
        "schema": 1,
        "environment": outcome.environment.display().to_string(),
        "dry_run": run == Run::Dry,
        "changes": outcome.changes.iter().map(change).collect::<Vec<_>>(),
        "kept": outcome.kept,
        "spared": outcome.spared,
        "fetched": outcome.fetched,
    })
}
