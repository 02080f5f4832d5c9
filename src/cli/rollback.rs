//! `pinfast rollback`

use std::sync::Arc;
use std::time::Instant;

use clap::Args;
use serde_json::json;

use super::deploy::{ReleaseRunArgs, told};
use super::options::OutputFormat;
use super::ui::Ui;
use pinfast_base::error::Result;
use pinfast_deploy::ReleaseId;
use pinfast_ops::{Session, deploy};
use pinfast_settings::ProcessEnv;

/// Go back to the good release that was live before, or to a named one
///
/// A second rollback goes one further back, never forth to what was rolled away from. The release is held
/// against its own lock and tested again before the switch, and the switch is that of a deploy.
#[derive(Args, Debug)]
pub(super) struct RollbackArgs {
    /// A retired release, as `pinfast releases` names it
    #[arg(value_name = "RELEASE")]
    release: Option<ReleaseId>,
    /// Change nothing; say where it would go
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
            OutputFormat::Json => ui.json(&json!({ "schema": 1, "dry_run": true, "release": release })),
            OutputFormat::Text => ui.result(&format!("{release}\n")),
        };
    }
    ui.begin("rolling back");
    let live = deploy::rollback(wanted, arguments.how.when_locked(), &session);
    ui.finish();
    let live = live?;
    told(live, arguments.how.format, started, ui)
}
