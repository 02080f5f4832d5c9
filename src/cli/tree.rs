//! `pinfast tree`

use std::sync::Arc;

use clap::{Args, ValueEnum};

use super::options::LockArg;
use super::ui::Ui;
use pinfast_base::error::{Error, Result};
use pinfast_lock::tree::{DependencyGraph, TreeDirection, TreeOptions};
use pinfast_ops::{Session, read_lock};
use pinfast_packaging::PackageName;
use pinfast_settings::ProcessEnv;

/// Draw who needs whom, and under which constraint, from the lock alone
#[derive(Args, Debug)]
pub(super) struct TreeArgs {
    #[command(flatten)]
    lock: LockArg,
    /// Only from this package on
    #[arg(short, long, value_name = "PACKAGE")]
    package: Option<PackageName>,
    /// From what is needed up to who needs it
    #[arg(long)]
    invert: bool,
    /// How many levels below the roots
    #[arg(long, value_name = "N")]
    depth: Option<usize>,
    /// The form of the result
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    format: TreeFormat,
}

/// The form of a tree
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum TreeFormat {
    /// For people; (*) stands elsewhere in full
    Text,
    /// For programs: the whole graph
    Json,
    /// For Graphviz: the whole graph
    Dot,
    /// A picture
    Svg,
}

pub(super) fn run(arguments: &TreeArgs, ui: &Arc<Ui>) -> Result<()> {
    let session = Session::new(ProcessEnv::capture(), None, ui.clone())?;
    let parsed = read_lock::read(&arguments.lock.lock, &session)?;
    let graph = DependencyGraph::of(&parsed.lock)?;
    let options = TreeOptions {
        direction: if arguments.invert { TreeDirection::NeededBy } else { TreeDirection::Needs },
        root: arguments.package.clone(),
        depth: arguments.depth,
    };
    match arguments.format {
        TreeFormat::Text => ui.result(&graph.tree(&options)?.to_text()),
        TreeFormat::Svg => ui.result(&graph.tree(&options)?.to_svg()),
        _ if options != TreeOptions::default() => {
            Err(Error::usage("the forms `json` and `dot` hold the whole graph")
                .hint("leave --package, --invert and --depth out, or take the form `text` or `svg`"))
        }
        TreeFormat::Json => ui.json(&graph.report()),
        TreeFormat::Dot => ui.result(&graph.to_dot()),
    }
}
