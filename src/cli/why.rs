//! `pinfast why`

use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;
use serde_json::{Value, json};

use super::options::OutputFormat;
use super::ui::Ui;
use pinfast_base::error::Result;
use pinfast_lock::tree::{ChainLink, DependencyChain, DependencyGraph, InputRequirement, WhyReport};
use pinfast_ops::{Session, read_lock};
use pinfast_packaging::{PackageName, Version};
use pinfast_settings::ProcessEnv;

/// Show what depends on a package, through which chain, and with which version limits
#[derive(Args, Debug)]
pub(super) struct WhyArgs {
    /// Name of the package
    package: PackageName,
    /// The lock file
    #[arg(short = 'o', long = "lock", value_name = "LOCK", default_value = "requirements.txt")]
    lock: PathBuf,
    /// Output format
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    format: OutputFormat,
}

pub(super) fn run(arguments: &WhyArgs, ui: &Arc<Ui>) -> Result<()> {
    let session = Session::new(ProcessEnv::capture(), None, ui.clone())?;
    let parsed = read_lock::read(&arguments.lock, &session)?;
    let why = DependencyGraph::of(&parsed.lock)?.why(&arguments.package)?;
    match arguments.format {
        OutputFormat::Text => ui.print_result(&why.to_text()),
        OutputFormat::Json => ui.print_json(&document(&why)),
    }
}

/// The document of `docs/json.md`.
fn document(why: &WhyReport) -> Value {
    let chain = |chain: &DependencyChain| {
        json!({
            "input": chain.input.as_ref().map(line),
            "steps": chain.links.iter().map(link).collect::<Vec<_>>(),
        })
    };
    json!({
        "schema": 1,
        "name": why.name.as_str(),
        "versions": texts(&why.versions),
        "chains": why.chains.iter().map(chain).collect::<Vec<_>>(),
        "constraints": why.constraints.iter().map(line).collect::<Vec<_>>(),
    })
}

fn line(top: &InputRequirement) -> Value {
    json!({ "file": *top.file, "line": top.line })
}

fn link(link: &ChainLink) -> Value {
    json!({ "name": link.name.as_str(), "versions": texts(&link.versions), "asks": link.requirement })
}

fn texts(versions: &[Version]) -> Vec<String> {
    versions.iter().map(ToString::to_string).collect()
}
