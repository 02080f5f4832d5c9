//! `pinfast releases`

use std::sync::Arc;

use clap::Args;
use serde_json::json;

use super::options::OutputFormat;
use super::ui::Ui;
use pinfast_base::error::Result;
use pinfast_deploy::{ReleaseState, ReleaseSummary, short_hash};
use pinfast_ops::{Session, deploy};
use pinfast_settings::ProcessEnv;

/// List the releases, newest first, with their states
///
/// The state is `building`, `ready`, `live`, `retired` (it was live) or `failed`.
#[derive(Args, Debug)]
pub(super) struct ReleasesArgs {
    /// Output format
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    format: OutputFormat,
}

pub(super) fn run(arguments: &ReleasesArgs, ui: &Arc<Ui>) -> Result<()> {
    let session = Session::new(ProcessEnv::capture(), None, ui.clone())?;
    let releases = deploy::releases(&session)?;
    match arguments.format {
        OutputFormat::Json => ui.print_json(&document(&releases)),
        OutputFormat::Text if releases.is_empty() => {
            ui.note("there is no release yet");
            Ok(())
        }
        OutputFormat::Text => ui.print_result(
            &releases.iter().map(|release| release_line(release, &releases)).collect::<String>(),
        ),
    }
}

/// `20261127T164301Z-3f2a1bc9d8  live      by marketing  lock 0a1b2c3d4e`
fn release_line(release: &ReleaseSummary, all: &[ReleaseSummary]) -> String {
    let width = |of: fn(&ReleaseSummary) -> usize| all.iter().map(of).max().unwrap_or_default();
    let id = width(|release| release.id.as_str().len());
    let by = width(|release| release.by.len());
    let note = match (&release.failure, release.state) {
        (Some(why), ReleaseState::Failed) => format!("  {why}"),
        _ if release.is_rollback_target => "  (rollback goes here)".to_owned(),
        _ => String::new(),
    };
    let (state, lock) = (release.state.name(), short_hash(&release.lock));
    format!("{:<id$}  {state:<8}  {:<by$}  lock {lock}{note}", release.id, release.by).trim_end().to_owned()
        + "\n"
}

/// The document of `docs/json.md`.
fn document(releases: &[ReleaseSummary]) -> serde_json::Value {
    let entry = |release: &ReleaseSummary| {
        json!({
            "id": release.id,
            "state": release.state.name(),
            "live": release.state == ReleaseState::Live,
            "commit": release.commit,
            "lock": release.lock,
            "at": release.at,
            "by": release.by,
            "why": release.failure,
        })
    };
    json!({ "schema": 1, "releases": releases.iter().map(entry).collect::<Vec<_>>() })
}
