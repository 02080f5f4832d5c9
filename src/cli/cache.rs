//! `pinfast cache`

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use clap::{Args, Subcommand};
use serde_json::json;

use super::byte_count::ByteCount;
use super::options::OutputFormat;
use super::ui::Ui;
use pinfast_base::error::{Error, Result};
use pinfast_cache::{Cache, CacheUsage};
use pinfast_ops::Session;
use pinfast_settings::ProcessEnv;

/// Show, prune or clear the cache
///
/// The cache holds pages of indexes, metadata and unpacked wheels. To lose it costs only time.
#[derive(Args, Debug)]
pub(super) struct CacheCommand {
    #[command(subcommand)]
    action: CacheAction,
    /// Folder of the cache
    #[arg(long, global = true, value_name = "DIR", env = "PINFAST_CACHE_DIR", hide_env_values = true)]
    cache_dir: Option<PathBuf>,
    /// Output format
    #[arg(long, global = true, value_name = "FORMAT", default_value = "text")]
    format: OutputFormat,
}

/// What to do
#[derive(Clone, Debug, Subcommand)]
enum CacheAction {
    /// Print the folder of the cache
    Dir,
    /// Print the number of records and their size
    Size,
    /// Remove records that are old, damaged, or of other versions of pinfast
    Prune {
        /// Records written more than N days ago are old
        #[arg(long, value_name = "N", default_value = "90")]
        days: u64,
    },
    /// Remove everything that pinfast wrote to the cache
    Clear,
}

const DAY: u64 = 24 * 3600;

pub(super) fn run(arguments: &CacheCommand, ui: &Arc<Ui>) -> Result<()> {
    let session = Session::new(ProcessEnv::capture(), arguments.cache_dir.clone(), ui.clone())?;
    let folder = session.cache.ok_or_else(|| {
        Error::no_answer("no folder for the cache is known").hint("name one: `--cache-dir DIR`")
    })?;
    let cache = Cache::new(folder.clone());
    let failed = |error| {
        Error::no_answer(format!("cannot read or change the cache {}", folder.display())).because(error)
    };
    let (done, removed, left) = match arguments.action {
        CacheAction::Dir => return print(arguments, ui, &folder.display().to_string(), json!({})),
        CacheAction::Size => ("", CacheUsage::default(), cache.size().map_err(failed)?),
        CacheAction::Prune { days } => {
            let age = Duration::from_secs(days.saturating_mul(DAY));
            let pruned = cache.prune(SystemTime::now(), age).map_err(failed)?;
            ("removed ", pruned.removed, pruned.left)
        }
        CacheAction::Clear => ("removed ", cache.clear().map_err(failed)?, CacheUsage::default()),
    };
    let what = if done.is_empty() { left } else { removed };
    let text = format!("{done}{} records, {}", what.records, ByteCount(what.bytes));
    print(arguments, ui, &text, json!({ "removed": usage(removed), "left": usage(left) }))
}

/// Prints the text, or the document of `docs/json.md`.
fn print(arguments: &CacheCommand, ui: &Ui, text: &str, mut document: serde_json::Value) -> Result<()> {
    if arguments.format == OutputFormat::Text {
        return ui.print_result(&format!("{text}\n"));
    }
    document["schema"] = 1.into();
    if matches!(arguments.action, CacheAction::Dir) {
        document["folder"] = text.into();
    }
    ui.print_json(&document)
}

fn usage(usage: CacheUsage) -> serde_json::Value {
    json!({ "records": usage.records, "bytes": usage.bytes })
}
