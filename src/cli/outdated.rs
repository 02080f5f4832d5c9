//! `pinfast outdated`

use std::sync::Arc;

use clap::Args;
use serde_json::json;

use super::options::{IndexArgs, LockArg, OutputFormat, PolicyArgs, TargetArgs};
use super::ui::Ui;
use pinfast_base::error::Result;
use pinfast_ops::Session;
use pinfast_ops::outdated::{Outdated, OutdatedReport, OutdatedRequest, outdated};
use pinfast_settings::ProcessEnv;

/// List the packages that have newer releases, and what holds each one back
///
/// It asks the index about each package of the lock, and changes nothing. `pinfast lock --upgrade` takes the releases
/// that nothing holds back.
#[derive(Args, Debug)]
pub(super) struct OutdatedArgs {
    #[command(flatten)]
    lock: LockArg,
    /// Output format
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    format: OutputFormat,
    #[command(flatten)]
    targets: TargetArgs,
    #[command(flatten)]
    policy: PolicyArgs,
    #[command(flatten)]
    indexes: IndexArgs,
}

pub(super) fn run(arguments: &OutdatedArgs, ui: &Arc<Ui>) -> Result<()> {
    let cache = arguments.indexes.cache.cache_dir.clone();
    let session = Session::new(ProcessEnv::capture(), cache, ui.clone())?;
    let request = OutdatedRequest {
        lock: arguments.lock.lock.clone(),
        targets: arguments.targets.request(),
        indexes: arguments.indexes.request(),
        policy: arguments.policy.request(),
    };
    ui.begin("looking up");
    let report = outdated(&request, &session);
    ui.finish();
    let report = report?;
    match arguments.format {
        OutputFormat::Json => ui.print_json(&document(&report))?,
        OutputFormat::Text => ui.print_result(&table(&report))?,
    }
    let free = report.outdated.iter().filter(|it| it.by.is_empty()).count();
    ui.note(format_args!(
        "{} of {} packages have newer releases; `pinfast lock --upgrade` may take {free}",
        report.outdated.len(),
        report.looked_up
    ));
    std::mem::forget(session);
    Ok(())
}

/// `NAME  LOCKED -> NEWEST  held back by …`, in columns.
fn table(report: &OutdatedReport) -> String {
    let width =
        |of: fn(&Outdated) -> String| report.outdated.iter().map(|it| of(it).len()).max().unwrap_or(0);
    let (names, locked) = (width(|it| it.name.to_string()), width(|it| it.locked.to_string()));
    let newest = width(|it| it.newest.to_string());
    let line = |it: &Outdated| {
        let head = format!(
            "{:names$}  {:>locked$} -> {:newest$}",
            it.name.as_str(),
            it.locked.to_string(),
            it.newest.to_string()
        );
        let by = if it.by.is_empty() { String::new() } else { format!("  {}", it.by.join("; ")) };
        format!("{}\n", format!("{head}{by}").trim_end())
    };
    report.outdated.iter().map(line).collect()
}

/// The document of `docs/json.md`.
fn document(report: &OutdatedReport) -> serde_json::Value {
    let one = |it: &Outdated| {
        json!({
            "name": it.name.as_str(),
            "locked": it.locked.to_string(),
            "newest": it.newest.to_string(),
            "held_back_by": it.by,
        })
    };
    let outdated: Vec<_> = report.outdated.iter().map(one).collect();
    json!({ "schema": 1, "looked_up": report.looked_up, "outdated": outdated })
}
