//! `pinfast deploy`

use std::sync::Arc;
use std::time::Instant;

use clap::Args;
use serde_json::json;

use super::options::{IndexArgs, OutputFormat};
use super::ui::Ui;
use pinfast_base::error::{Error, Result};
use pinfast_deploy::{DeployOptions, DeployStep, LiveRelease, MissingShared, WhenLocked};
use pinfast_ops::{Session, deploy, deploy_init};
use pinfast_settings::ProcessEnv;

/// Build the commit and its lock as a release, test it, and switch to it atomically
///
/// `[deploy]` in pinfast.toml configures it; docs/deploy.md describes every key. After a failure before the
/// switch, the live release stays live. After a failed restart or health check, pinfast switches back.
#[derive(Args, Debug)]
pub(super) struct DeployArgs {
    /// Show the steps; change nothing
    #[arg(long)]
    dry_run: bool,
    /// Write a first pinfast.toml, and add missing lines to .gitignore
    #[arg(long, conflicts_with_all = ["dry_run", "init_shared", "wait"])]
    init: bool,
    /// First move shared files from the working tree to the deploy folder, and create missing shared folders
    #[arg(long)]
    init_shared: bool,
    #[command(flatten)]
    how: ReleaseRunArgs,
    #[command(flatten)]
    indexes: IndexArgs,
}

/// Options that deploy and rollback share.
#[derive(Args, Debug)]
pub(super) struct ReleaseRunArgs {
    /// If another deploy or rollback is running, wait for it instead of failing
    #[arg(long)]
    wait: bool,
    /// Output format
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub(super) format: OutputFormat,
}

impl ReleaseRunArgs {
    pub(super) fn when_locked(&self) -> WhenLocked {
        if self.wait { WhenLocked::Wait } else { WhenLocked::Fail }
    }
}

pub(super) fn run(arguments: &DeployArgs, ui: &Arc<Ui>) -> Result<()> {
    let started = Instant::now();
    let cache = arguments.indexes.cache.cache_dir.clone();
    let session = Session::new(ProcessEnv::capture(), cache, ui.clone())?;
    if arguments.init {
        return init(&session, ui);
    }
    let missing_shared = if arguments.init_shared { MissingShared::MoveIn } else { MissingShared::Refuse };
    let indexes = arguments.indexes.request();
    if arguments.dry_run {
        return print_plan(
            &deploy::plan_deploy(&indexes, missing_shared, &session)?,
            arguments.how.format,
            ui,
        );
    }
    let options = DeployOptions { when_locked: arguments.how.when_locked(), missing_shared };
    ui.begin("deploying");
    let live = deploy::deploy(&indexes, options, &session);
    ui.finish();
    let live = live?;
    report_release(live, arguments.how.format, started, ui)
}

fn init(session: &Session, ui: &Ui) -> Result<()> {
    let written = deploy_init::init(session)?;
    for file in &written {
        ui.note(format_args!("wrote {file}"));
    }
    ui.note("review pinfast.toml, commit both files, then preview the steps: `pinfast deploy --dry-run`");
    Ok(())
}

fn print_plan(steps: &[DeployStep], format: OutputFormat, ui: &Ui) -> Result<()> {
    if format == OutputFormat::Json {
        let step = |step: &DeployStep| json!({ "name": step.name, "what": step.what });
        let steps: Vec<_> = steps.iter().map(step).collect();
        return ui.print_json(&json!({ "schema": 1, "dry_run": true, "steps": steps }));
    }
    let line = |step: &DeployStep| format!("{:<9} {}\n", step.name, step.what);
    ui.print_result(&steps.iter().map(line).collect::<String>())
}

/// Prints which release is live, and what failed after the switch.
pub(super) fn report_release(
    live: LiveRelease,
    format: OutputFormat,
    started: Instant,
    ui: &Ui,
) -> Result<()> {
    let LiveRelease { release, previous, rollback_target, removed, cleanup_errors: mut errors } = live;
    if format == OutputFormat::Json {
        let printed = ui.print_json(&json!({
            "schema": 1,
            "dry_run": false,
            "release": release,
            "before": previous,
            "removed": removed,
            "unclean": errors.iter().map(ToString::to_string).collect::<Vec<_>>(),
        }));
        errors.extend(printed.err());
    }
    ui.note(format_args!("{release} is live in {:.2} s", started.elapsed().as_secs_f64()));
    if let Some(target) = rollback_target {
        ui.note(format_args!("`pinfast rollback` goes back to {target}"));
    }
    if errors.is_empty() {
        return Ok(());
    }
    let mut error = Error::new(
        pinfast_base::error::ErrorKind::LiveButUnclean,
        format!("{release} is live, but a step after the switch failed"),
    );
    for wrong in &errors {
        error.details.push(format!("  {wrong}"));
        let source = std::error::Error::source(wrong);
        error.details.extend(source.map(|source| format!("    caused by: {source}")));
        error.hints.extend(wrong.hints.iter().cloned());
    }
    Err(error)
}
