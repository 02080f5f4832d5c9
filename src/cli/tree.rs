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

/// Show what depends on what, as a tree
#[derive(Args, Debug)]
pub(super) struct TreeArgs {
    #[command(flatten)]
    lock: LockArg,
    /// Start at this package
    #[arg(short, long, value_name = "PACKAGE")]
    package: Option<PackageName>,
    /// Show what needs each package instead of what it needs
    #[arg(long)]
    invert: bool,
    /// Show only N levels below the top
    #[arg(long, value_name = "N")]
    depth: Option<usize>,
    /// Output format
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    format: TreeFormat,
}

/// Format of a tree
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum TreeFormat {
    /// For people; (*) marks a package whose dependencies stand elsewhere in the tree
    Text,
    /// For programs: the whole graph
    Json,
    /// For Graphviz: the whole graph
    Dot,
    /// An SVG picture
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
        TreeFormat::Text => ui.print_result(&graph.tree(&options)?.to_text()),
        TreeFormat::Svg => ui.print_result(&graph.tree(&options)?.to_svg()),
        _ if options != TreeOptions::default() => {
            Err(Error::usage("the formats `json` and `dot` hold the whole graph")
                .hint("omit --package, --invert and --depth, or use `--format text` or `--format svg`"))
        }
        TreeFormat::Json => ui.print_json(&graph.report()),
        TreeFormat::Dot => ui.print_result(&graph.to_dot()),
    }
}
