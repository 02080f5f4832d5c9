//! `pinfast check`

use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;

use super::options::{InputArgs, OutputFormat, PolicyArgs, TargetArgs};
use super::ui::Ui;
use pinfast_base::error::{Error, Result};
use pinfast_base::event::counted;
use pinfast_ops::check::{CheckReport, CheckRequest, check};
use pinfast_ops::{LockPlace, Session};
use pinfast_settings::ProcessEnv;

/// Check that the lock is up to date and was not edited; uses no network
///
/// The lock is up to date if its inputs and options are those that it was made from. Inputs and targets that no
/// argument names are those that the lock records. It is also an error if git does not ignore the environment folder.
#[derive(Args, Debug)]
pub(super) struct CheckArgs {
    #[command(flatten)]
    inputs: InputArgs,
    #[command(flatten)]
    targets: TargetArgs,
    #[command(flatten)]
    policy: PolicyArgs,
    /// Output format
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    format: OutputFormat,
}

pub(super) fn run(arguments: CheckArgs, ui: &Arc<Ui>) -> Result<()> {
    let session = Session::new(ProcessEnv::capture(), None, ui.clone())?;
    let lock = match arguments.inputs.place() {
        LockPlace::File(path) => path,
        LockPlace::StandardOutput => PathBuf::from("requirements.txt"),
    };
    let request = CheckRequest {
        inputs: arguments.inputs.request(),
        lock,
        targets: arguments.targets.request(),
        policy: arguments.policy.request(),
    };
    let checked = check(&request, &session)?;
    if arguments.format == OutputFormat::Json {
        ui.print_json(&document(&checked))?;
    }
    if checked.is_good() {
        ui.note(format_args!(
            "{} is fresh: {}",
            checked.lock.file,
            counted(checked.lock.lock.pins.len(), "package")
        ));
        // The program ends here: freeing a lock takes a tenth of reading it.
        std::mem::forget(checked);
        return Ok(());
    }
    Err(check_error(&checked))
}

/// All that is wrong, as one error.
fn check_error(checked: &CheckReport) -> Error {
    let file = &checked.lock.file;
    let mut error = match checked.reasons.is_empty() {
        false => Error::no(format!("{file} is stale")).hint("lock again: `pinfast lock`"),
        true => Error::no("the environment folder is not kept out of git"),
    };
    for reason in &checked.reasons {
        error = error.detail(format!("  {reason}"));
    }
    for finding in &checked.findings {
        error = error.detail(format!("  {}", finding.message)).hint(format!("fix it: `{}`", finding.fix));
    }
    error
}

/// The documented form: `{"schema": 1, "fresh": bool, "reasons": [{"code", "file", "line", "text"}], "environment": [text]}`.
fn document(checked: &CheckReport) -> serde_json::Value {
    let reasons: Vec<_> = checked
        .reasons
        .iter()
        .map(|reason| {
            let at = reason.at();
            serde_json::json!({
                "code": reason.code(),
                "file": at.map(|at| &*at.file),
                "line": at.map(|at| at.line),
                "text": reason.to_string(),
            })
        })
        .collect();
    let environment: Vec<_> = checked.findings.iter().map(|finding| &finding.message).collect();
    serde_json::json!({
        "schema": 1,
        "fresh": checked.reasons.is_empty(),
        "reasons": reasons,
        "environment": environment,
    })
}
