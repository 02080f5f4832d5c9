//! `pinfast releases`

use std::sync::Arc;

use clap::Args;
use serde_json::json;

use super::options::OutputFormat;
use super::ui::Ui;
use pinfast_base::error::Result;
use pinfast_deploy::{Listed, State, short};
use pinfast_ops::{Session, deploy};
use pinfast_settings::ProcessEnv;

/// List the releases, the newest first, and which one is live
#[derive(Args, Debug)]
pub(super) struct ReleasesArgs {
    /// The form of the result
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    format: OutputFormat,
}

pub(super) fn run(arguments: &ReleasesArgs, ui: &Arc<Ui>) -> Result<()> {
    let session = Session::new(ProcessEnv::capture(), None, ui.clone())?;
    let releases = deploy::releases(&session)?;
    match arguments.format {
        OutputFormat::Json => ui.json(&document(&releases)),
        OutputFormat::Text if releases.is_empty() => {
            ui.note("nothing was deployed yet");
            Ok(())
        }
        OutputFormat::Text => {
            ui.result(&releases.iter().map(|listed| line(listed, &releases)).collect::<String>())
        }
    }
}

/// `20261127T164301Z-3f2a1bc9d8  live      by marketing  lock 0a1b2c3d4e`
fn line(listed: &Listed, all: &[Listed]) -> String {
    let width = |of: fn(&Listed) -> usize| all.iter().map(of).max().unwrap_or_default();
    let id = width(|listed| listed.id.as_str().len());
    let by = width(|listed| listed.by.len());
    let note = match (&listed.why, listed.state) {
        (Some(why), State::Failed) => format!("  {why}"),
        _ if listed.is_next_back => "  (rollback goes here)".to_owned(),
        _ => String::new(),
    };
    let (state, lock) = (listed.state.name(), short(&listed.lock));
    format!("{:<id$}  {state:<8}  {:<by$}  lock {lock}{note}", listed.id, listed.by).trim_end().to_owned()
        + "\n"
}

/// The document of `docs/json.md`.
fn document(releases: &[Listed]) -> serde_json::Value {
    let release = |listed: &Listed| {
        json!({
            "id": listed.id,
            "state": listed.state.name(),
            "live": listed.state == State::Live,
            "commit": listed.commit,
            "lock": listed.lock,
            "at": listed.at,
            "by": listed.by,
            "why": listed.why,
        })
    };
    json!({ "schema": 1, "releases": releases.iter().map(release).collect::<Vec<_>>() })
}
