//! `pinfast verify`

use std::sync::Arc;

use clap::Args;
use serde_json::json;

use super::options::{EnvironmentArgs, LockArg, OutputFormat, SeedArg};
use super::ui::Ui;
use pinfast_base::error::{Error, Result};
use pinfast_base::event::counted;
use pinfast_install::{Prune, Remedy, Strictness, VerifyReport};
use pinfast_ops::Session;
use pinfast_ops::install::{VerifyLockRequest, verify};
use pinfast_settings::ProcessEnv;

/// Check that the environment matches the lock exactly, including the hash of each file
///
/// It changes nothing and uses no network. If something differs, it lists what, and the command that repairs it.
#[derive(Args, Debug)]
pub(super) struct VerifyArgs {
    #[command(flatten)]
    lock: LockArg,
    #[command(flatten)]
    environment: EnvironmentArgs,
    #[command(flatten)]
    seed: SeedArg,
    /// Also report files that no package owns
    #[arg(long)]
    strict: bool,
    /// Output format
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    format: OutputFormat,
}

pub(super) fn run(arguments: &VerifyArgs, ui: &Arc<Ui>) -> Result<()> {
    let session = Session::new(ProcessEnv::capture(), None, ui.clone())?;
    let request = VerifyLockRequest {
        lock: arguments.lock.lock.clone(),
        environment: arguments.environment.request(),
        prune: if arguments.seed.keep_seed { Prune::KeepSeed } else { Prune::All },
        strictness: if arguments.strict { Strictness::Strict } else { Strictness::Owned },
    };
    ui.begin("verifying");
    let report = verify(&request, &session);
    ui.finish();
    let report = report?;
    if arguments.format == OutputFormat::Json {
        ui.print_json(&document(&report, arguments))?;
    }
    if report.findings.is_empty() {
        let VerifyReport { distributions, files, .. } = report;
        let (packages, files) = (counted(distributions, "package"), counted(files, "file"));
        ui.note(format_args!("the environment is the lock: {packages}, {files} hashed"));
        return Ok(());
    }
    Err(verify_error(&report, arguments))
}

fn verify_error(report: &VerifyReport, arguments: &VerifyArgs) -> Error {
    let mut error = Error::no(format!("the environment is not {}", arguments.lock.lock.display()));
    error.details = report.findings.iter().map(|finding| format!("  {finding}")).collect();
    match repair_command(report, arguments) {
        Some(command) => error.hint(format!("fix it: `{command}`")),
        None => error.hint(
            "pinfast does not remove files that it did not install: check them, and remove them by hand",
        ),
    }
}

/// The command that repairs everything that a command can repair.
fn repair_command(report: &VerifyReport, arguments: &VerifyArgs) -> Option<String> {
    let mut command = match report.remedy()? {
        Remedy::ByHand => return None,
        Remedy::Install => "pinfast install".to_owned(),
        Remedy::Repair => "pinfast install --repair".to_owned(),
    };
    let lock = &arguments.lock.lock;
    if lock.as_os_str() != "requirements.txt" {
        command.push_str(&format!(" {}", lock.display()));
    }
    if let Some(venv) = &arguments.environment.venv {
        command.push_str(&format!(" --venv {}", venv.display()));
    }
    if let Some(python) = &arguments.environment.python {
        command.push_str(&format!(" --python {python}"));
    }
    if arguments.seed.keep_seed {
        command.push_str(" --keep-seed");
    }
    Some(command)
}

/// The document of `docs/json.md`.
fn document(report: &VerifyReport, arguments: &VerifyArgs) -> serde_json::Value {
    json!({
        "schema": 1,
        "good": report.findings.is_empty(),
        "findings": report.findings.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "packages": report.distributions,
        "files": report.files,
        "mend": repair_command(report, arguments),
    })
}
