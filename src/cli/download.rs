//! `pinfast download`

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use clap::Args;
use serde_json::json;

use super::byte_count::ByteCount;
use super::options::{IndexArgs, LockArg, OutputFormat};
use super::ui::Ui;
use pinfast_base::error::Result;
use pinfast_base::event::counted;
use pinfast_install::DryRun;
use pinfast_ops::Session;
use pinfast_ops::install::{DownloadLockRequest, download};
use pinfast_ops::read_lock::FreshnessCheck;
use pinfast_settings::ProcessEnv;

/// Download every file of the lock, hash-checked, into a folder
///
/// A host without network installs from it: `pinfast install --no-index --find-links DIR`, or with pip
/// `pip install --no-index --find-links DIR --require-hashes -r requirements.txt`.
#[derive(Args, Debug)]
pub(super) struct DownloadArgs {
    #[command(flatten)]
    lock: LockArg,
    /// Folder to download into; created if it does not exist
    #[arg(short, long, value_name = "DIR")]
    dir: PathBuf,
    /// Download even if the lock is stale
    #[arg(long)]
    no_check: bool,
    /// Show what would be downloaded; download nothing
    #[arg(long)]
    dry_run: bool,
    /// Output format
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    format: OutputFormat,
    #[command(flatten)]
    indexes: IndexArgs,
}

pub(super) fn run(arguments: &DownloadArgs, ui: &Arc<Ui>) -> Result<()> {
    let started = Instant::now();
    let cache = arguments.indexes.cache.cache_dir.clone();
    let session = Session::new(ProcessEnv::capture(), cache, ui.clone())?;
    let request = DownloadLockRequest {
        lock: arguments.lock.lock.clone(),
        folder: arguments.dir.clone(),
        indexes: arguments.indexes.request(),
        dry_run: if arguments.dry_run { DryRun::Yes } else { DryRun::No },
        check: if arguments.no_check { FreshnessCheck::Nothing } else { FreshnessCheck::Inputs },
    };
    ui.begin("downloading");
    let outcome = download(&request, &session);
    ui.finish();
    let outcome = outcome?;
    let folder = arguments.dir.display().to_string();
    if arguments.format == OutputFormat::Json {
        ui.print_json(&json!({
            "schema": 1,
            "folder": folder,
            "dry_run": arguments.dry_run,
            "files": outcome.files,
            "fetched": outcome.fetched,
        }))?;
    }
    if arguments.dry_run {
        let files = counted(outcome.files.len(), "file");
        ui.note(format_args!("{folder} would hold the lock: {files}, {} to fetch", outcome.fetched));
        return Ok(());
    }
    let (_, bytes) = ui.traffic();
    ui.note(format_args!(
        "{folder} holds the lock: {} in {:.2} s ({} fetched, {})",
        counted(outcome.files.len(), "file"),
        started.elapsed().as_secs_f64(),
        outcome.fetched,
        ByteCount(bytes)
    ));
    Ok(())
}
