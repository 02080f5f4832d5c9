//! `pinfast install`

use std::sync::Arc;
use std::time::Instant;

use clap::Args;
use serde_json::json;

use super::byte_count::ByteCount;
use super::options::{EnvironmentArgs, IndexArgs, LockArg, OutputFormat, SeedArg};
use super::ui::{Ui, Verbosity};
use pinfast_base::error::Result;
use pinfast_base::event::counted;
use pinfast_install::{Compile, DistributionChange, DryRun, Inspection, InstallReason, InstallReport, Prune};
use pinfast_ops::Session;
use pinfast_ops::install::{InstallRequest, install};
use pinfast_ops::read_lock::FreshnessCheck;
use pinfast_settings::ProcessEnv;

/// Make the environment match the lock exactly, with every file checked against its hash
///
/// Installs or replaces the packages that the lock names, and removes all others. It downloads and checks every file
/// before it changes the environment. It runs no code of packages, except builds that `pinfast lock --allow-build`
/// permitted.
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

/// What stays installed
#[derive(Args, Debug)]
#[command(next_help_heading = "Installation")]
struct PruneArgs {
    #[command(flatten)]
    seed: SeedArg,
    /// Keep packages that the lock does not name
    #[arg(long, conflicts_with = "keep_seed")]
    no_prune: bool,
    /// Install even if the lock is stale
    #[arg(long)]
    no_check: bool,
}

/// How the environment is changed
#[derive(Args, Debug)]
#[command(next_help_heading = "Installation")]
struct InstallModeArgs {
    /// Hash every installed file, and reinstall packages that were altered
    #[arg(long)]
    repair: bool,
    /// Compile to bytecode now instead of at the first import
    #[arg(long)]
    compile: bool,
    /// Show what would change; change nothing
    #[arg(long)]
    dry_run: bool,
    /// Output format
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    format: OutputFormat,
}

impl InstallModeArgs {
    fn dry_run(&self) -> DryRun {
        if self.dry_run { DryRun::Yes } else { DryRun::No }
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
            inspection: if self.how.repair { Inspection::Hashes } else { Inspection::Metadata },
            compile: if self.how.compile { Compile::Yes } else { Compile::No },
            dry_run: self.how.dry_run(),
        }
    }
}

pub(super) fn run(arguments: &InstallArgs, ui: &Arc<Ui>) -> Result<()> {
    let started = Instant::now();
    let cache = arguments.indexes.cache.cache_dir.clone();
    let session = Session::new(ProcessEnv::capture(), cache, ui.clone())?;
    ui.begin("installing");
    let report = install(&arguments.request(), &session);
    ui.finish();
    let report = report?;
    if arguments.how.format == OutputFormat::Json {
        ui.print_json(&document(&report, arguments.how.dry_run()))?;
    }
    summarise(&report, &session, arguments, started, ui);
    Ok(())
}

/// Prints each change on a line, unless all packages are new; then a summary.
fn summarise(report: &InstallReport, session: &Session, arguments: &InstallArgs, started: Instant, ui: &Ui) {
    let is_new =
        |change: &DistributionChange| change.old.is_empty() && change.reason == Some(InstallReason::Missing);
    let all_are_new = report.kept == 0 && report.changes.iter().all(is_new);
    if !all_are_new || ui.verbosity() >= Verbosity::Verbose {
        report.changes.iter().for_each(|change| ui.note(change_line(change)));
    }
    if !report.spared.is_empty() {
        ui.note(format_args!("not in the lock, and left: {}", report.spared.join(", ")));
    }
    let what = if report.spared.is_empty() { "exactly the lock" } else { "the lock and more" };
    let place = session.display_path(&report.environment);
    let seconds = started.elapsed().as_secs_f64();
    if report.changes.is_empty() {
        let packages = counted(report.kept, "package");
        return ui.note(format_args!("{place} is {what}: {packages} in {seconds:.2} s"));
    }
    let change = if arguments.how.dry_run { "would be" } else { "is now" };
    let (_, bytes) = ui.traffic();
    ui.note(format_args!(
        "{place} {change} {what}: {} in {seconds:.2} s ({} fetched, {})",
        counts(report),
        report.fetched,
        ByteCount(bytes)
    ));
}

/// `3 installed, 1 replaced, 2 removed, 90 kept`
fn counts(report: &InstallReport) -> String {
    let count =
        |is: fn(&DistributionChange) -> bool| report.changes.iter().filter(|change| is(change)).count();
    let counts = [
        (count(|change| change.old.is_empty()), "installed"),
        (count(|change| !change.old.is_empty() && change.new.is_some()), "replaced"),
        (count(|change| change.new.is_none()), "removed"),
        (report.kept, "kept"),
    ];
    let shown = counts.iter().filter(|(count, _)| *count > 0).map(|(count, what)| format!("{count} {what}"));
    shown.collect::<Vec<_>>().join(", ")
}

fn change_line(change: &DistributionChange) -> String {
    let name = &change.name;
    let old = change.old.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    match (&change.new, change.old.last()) {
        (Some(new), None) => format!("+ {name} {new}"),
        (Some(new), Some(last)) if last == new => {
            format!("~ {name} {new} ({})", change.reason.map_or("", reason_text))
        }
        (Some(new), Some(last)) => format!("{} {name} {old} -> {new}", if new > last { '^' } else { 'v' }),
        (None, _) => format!("- {name} {old}"),
    }
}

/// Why a package was installed, for people.
fn reason_text(reason: InstallReason) -> &'static str {
    match reason {
        InstallReason::Missing => "missing",
        InstallReason::OtherVersion => "another version",
        InstallReason::OtherFile => "not from a file of the lock",
        InstallReason::Unfinished => "unfinished",
        InstallReason::SharedFile => "shared a file with what went",
        InstallReason::Altered => "altered",
    }
}

fn reason_code(reason: InstallReason) -> &'static str {
    match reason {
        InstallReason::Missing => "missing",
        InstallReason::OtherVersion => "other-version",
        InstallReason::OtherFile => "other-file",
        InstallReason::Unfinished => "unfinished",
        InstallReason::SharedFile => "shared",
        InstallReason::Altered => "altered",
    }
}

/// The document of `docs/json.md`.
fn document(report: &InstallReport, dry_run: DryRun) -> serde_json::Value {
    let change = |change: &DistributionChange| {
        json!({
            "name": change.name.as_str(),
            "old": change.old.iter().map(ToString::to_string).collect::<Vec<_>>(),
            "new": change.new.as_ref().map(ToString::to_string),
            "why": change.reason.map(reason_code),
        })
    };
    json!({
        "schema": 1,
        "environment": report.environment.display().to_string(),
        "dry_run": dry_run == DryRun::Yes,
        "changes": report.changes.iter().map(change).collect::<Vec<_>>(),
        "kept": report.kept,
        "spared": report.spared,
        "fetched": report.fetched,
    })
}
