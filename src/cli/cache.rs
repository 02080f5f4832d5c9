//! `pinfast cache`

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use clap::{Args, Subcommand};
use serde_json::json;

use super::options::OutputFormat;
use super::ui::{ByteCount, Ui};
use pinfast_base::error::{Error, Result};
use pinfast_cache::{Cache, CacheUsage};
use pinfast_ops::Session;
use pinfast_settings::ProcessEnv;

/// Show, shrink or empty the cache
#[derive(Args, Debug)]
pub(super) struct CacheCommand {
    #[command(subcommand)]
    action: CacheAction,
    /// The cache's folder
    #[arg(long, global = true, value_name = "DIR", env = "PINFAST_CACHE_DIR", hide_env_values = true)]
    cache_dir: Option<PathBuf>,
    /// The form of the result
    #[arg(long, global = true, value_name = "FORMAT", default_value = "text")]
    format: OutputFormat,
}

/// What to do with the cache
#[derive(Clone, Debug, Subcommand)]
enum CacheAction {
    /// Print its folder
    Dir,
    /// Print how large it is
    Size,
    /// Remove what is old, of other versions' formats, or half-written
    Prune {
        /// What was written more than so many days ago is old
        #[arg(long, value_name = "N", default_value = "90")]
        days: u64,
    },
    /// Remove all that pinfast put there
    Clear,
}

const DAY: u64 = 24 * 3600;

pub(super) fn run(arguments: &CacheCommand, ui: &Arc<Ui>) -> Result<()> {
    let session = Session::new(ProcessEnv::capture(), arguments.cache_dir.clone(), ui.clone())?;
    let folder = session.cache.ok_or_else(|| {
        Error::no_answer("there is no place for a cache").hint("name one with `--cache-dir DIR`")
    })?;
    let cache = Cache::new(folder.clone());
    let failed =
        |error| Error::no_answer(format!("cannot tend the cache {}", folder.display())).because(error);
    let (done, removed, left) = match arguments.action {
        CacheAction::Dir => return shown(arguments, ui, &folder.display().to_string(), json!({})),
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
    shown(arguments, ui, &text, json!({ "removed": usage(removed), "left": usage(left) }))
}

/// The text, or the document of `docs/json.md`.
fn shown(arguments: &CacheCommand, ui: &Ui, text: &str, mut document: serde_json::Value) -> Result<()> {
    if arguments.format == OutputFormat::Text {
        return ui.result(&format!("{text}\n"));
    }
    document["schema"] = 1.into();
    if matches!(arguments.action, CacheAction::Dir) {
        document["folder"] = text.into();
    }
    ui.json(&document)
}

fn usage(usage: CacheUsage) -> serde_json::Value {
    json!({ "records": usage.records, "bytes": usage.bytes })
}
