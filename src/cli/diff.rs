//! `pinfast diff`

use std::path::PathBuf;
use std::sync::Arc;

use clap::{Args, ValueEnum};

use super::ui::Ui;
use pinfast_base::error::Result;
use pinfast_lock::diff::diff;
use pinfast_ops::{Session, read_lock};
use pinfast_settings::ProcessEnv;

/// Show what changed between two locks, one line for each package
///
/// With git: `git show HEAD:requirements.txt | pinfast diff - requirements.txt`.
#[derive(Args, Debug)]
pub(super) struct DiffArgs {
    /// The older lock; `-` is standard input
    old: PathBuf,
    /// The newer lock
    new: PathBuf,
    /// Output format
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    format: DiffFormat,
}

/// Format of a diff
#[derive(Clone, Copy, Debug, ValueEnum)]
enum DiffFormat {
    /// For people: + added, - removed, ^ up, v down, ~ otherwise changed
    Text,
    /// A table for a pull request comment
    Markdown,
    /// For programs
    Json,
}

pub(super) fn run(arguments: &DiffArgs, ui: &Arc<Ui>) -> Result<()> {
    let session = Session::new(ProcessEnv::capture(), None, ui.clone())?;
    let (old, new) = (read_lock::read(&arguments.old, &session)?, read_lock::read(&arguments.new, &session)?);
    let diff = diff(&old.lock, &new.lock);
    match arguments.format {
        DiffFormat::Text => ui.print_result(&diff.to_text()),
        DiffFormat::Markdown => ui.print_result(&diff.to_markdown()),
        DiffFormat::Json => ui.print_json(&diff.report()),
    }
}
