//! `pinfast rollback`

use std::sync::Arc;
use std::time::Instant;

use clap::Args;
use serde_json::json;

use super::deploy::{ReleaseRunArgs, report_release};
use super::options::OutputFormat;
use super::ui::Ui;
use pinfast_base::error::Result;
use pinfast_deploy::ReleaseId;
use pinfast_ops::{Session, deploy};
use pinfast_settings::ProcessEnv;

/// Go back to the previous good release, or to a named one
///
/// A second rollback goes further back; it does not return to the release that was rolled back. Before the
/// switch, pinfast verifies the release against its own lock and runs its smoke tests again.
#[derive(Args, Debug)]
pub(super) struct RollbackArgs {
    /// Name of a retired release, as `pinfast releases` prints it
    #[arg(value_name = "RELEASE")]
    release: Option<ReleaseId>,
    /// Print the release to go back to; change nothing
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    how: ReleaseRunArgs,
}

pub(super) fn run(arguments: &RollbackArgs, ui: &Arc<Ui>) -> Result<()> {
    let started = Instant::now();
    let session = Session::new(ProcessEnv::capture(), None, ui.clone())?;
    let wanted = arguments.release.as_ref();
    if arguments.dry_run {
        let release = deploy::rollback_target(wanted, &session)?;
        return match arguments.how.format {
            OutputFormat::Json => ui.print_json(&json!({ "schema": 1, "dry_run": true, "release": release })),
            OutputFormat::Text => ui.print_result(&format!("{release}\n")),
        };
    }
    ui.begin("rolling back");
    let live = deploy::rollback(wanted, arguments.how.when_locked(), &session);
    ui.finish();
    let live = live?;
    report_release(live, arguments.how.format, started, ui)
}
