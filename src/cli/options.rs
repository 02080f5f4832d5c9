//! Options that several commands take: each has its one home here.

use std::path::PathBuf;

use anstream::ColorChoice;
use clap::{Args, ValueEnum};

use super::ui::Volume;

/// What is said, and how.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Output")]
pub(crate) struct OutputArgs {
    /// Say nothing but errors
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    quiet: bool,
    /// Say more: where each thing came from, every request
    #[arg(short, long, global = true)]
    verbose: bool,
    /// When to use colours
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto")]
    color: When,
}

/// When to use colours.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum When {
    /// On a terminal that wants them
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

impl OutputArgs {
    pub(crate) fn volume(&self) -> Volume {
        match (self.quiet, self.verbose) {
            (true, _) => Volume::Quiet,
            (_, true) => Volume::Verbose,
            _ => Volume::Normal,
        }
    }

    pub(crate) fn color(&self) -> ColorChoice {
        match self.color {
            When::Auto => ColorChoice::Auto,
            When::Always => ColorChoice::Always,
            When::Never => ColorChoice::Never,
        }
    }
}

/// The form of a result.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For people
    Text,
    /// For programs: one JSON document on standard output
    Json,
}

/// What is read, and what is written.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Inputs")]
pub(crate) struct InputArgs {
    /// Requirement files or pyproject.toml; `-` is standard input
    ///
    /// By default requirements.in, else pyproject.toml.
    #[arg(value_name = "INPUT")]
    pub(crate) inputs: Vec<String>,
    /// The lock; `-` prints it
    #[arg(short, long, value_name = "LOCK", default_value = "requirements.txt")]
    pub(crate) output: PathBuf,
    /// A file of constraints: they bind without adding
    #[arg(short, long = "constraint", value_name = "FILE")]
    pub(crate) constraints: Vec<String>,
    /// A file of overrides: they replace every requirement on their packages
    #[arg(long = "override", value_name = "FILE")]
    pub(crate) overrides: Vec<String>,
    /// An extra of pyproject.toml to include
    #[arg(long = "extra", value_name = "EXTRA", conflicts_with = "all_extras")]
    pub(crate) extras: Vec<String>,
    /// Include all extras of pyproject.toml
    #[arg(long)]
    pub(crate) all_extras: bool,
    /// A dependency group of pyproject.toml to include
    #[arg(long = "group", value_name = "GROUP")]
    pub(crate) groups: Vec<String>,
}

/// Which environments.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Target")]
pub(crate) struct TargetArgs {
    /// The interpreter whose environment is meant: a path, a name or a version
    #[arg(long, value_name = "PYTHON", conflicts_with_all = ["python_versions", "platforms"])]
    pub(crate) python: Option<String>,
    /// The Python version that is meant, X.Y or X.Y.Z; given again for several targets
    #[arg(long = "python-version", value_name = "X.Y")]
    pub(crate) python_versions: Vec<String>,
    /// The platform that is meant: linux, macos, windows or a wheel platform tag; given again for several
    #[arg(long = "platform", value_name = "PLATFORM")]
    pub(crate) platforms: Vec<String>,
}

/// Where packages come from.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Indexes")]
pub(crate) struct IndexArgs {
    /// The index: a URL or a folder
    #[arg(short, long, value_name = "URL")]
    pub(crate) index_url: Option<String>,
    /// A further index, for what the first does not have
    #[arg(long, value_name = "URL")]
    pub(crate) extra_index_url: Vec<String>,
    /// A folder or page of links to files
    #[arg(short, long, value_name = "PLACE")]
    pub(crate) find_links: Vec<String>,
    /// Ask no index: only --find-links
    #[arg(long)]
    pub(crate) no_index: bool,
    #[command(flatten)]
    pub(crate) cache: CacheArgs,
}

/// How the cache is used.
#[derive(Args, Clone, Debug)]
pub(crate) struct CacheArgs {
    /// Use the cache only; never the network
    #[arg(long, conflicts_with = "refresh")]
    pub(crate) offline: bool,
    /// Ask for everything anew
    #[arg(long)]
    pub(crate) refresh: bool,
    /// The cache's folder
    #[arg(long, value_name = "DIR", env = "PINFAST_CACHE_DIR", hide_env_values = true)]
    pub(crate) cache_dir: Option<PathBuf>,
}

/// What may be chosen, and what first.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Choice")]
pub(crate) struct PolicyArgs {
    /// Which release is taken first
    #[arg(long, value_name = "MODE", default_value = "highest")]
    pub(crate) resolution: Option<ResolutionArg>,
    /// When a pre-release may be taken
    #[arg(long, value_name = "MODE")]
    pub(crate) prerelease: Option<PrereleaseArg>,
    /// Take pre-releases like any other release
    #[arg(long, conflicts_with = "prerelease")]
    pub(crate) pre: bool,
    /// Only files uploaded up to then: a date (to its end, UTC), an instant, or an age such as `7 days`
    #[arg(long, value_name = "DATE|DURATION")]
    pub(crate) exclude_newer: Option<String>,
    /// Packages whose wheels are not taken, or `:all:`
    #[arg(long, value_name = "PACKAGES")]
    pub(crate) no_binary: Vec<String>,
    /// Packages whose sdists are not taken, or `:all:`
    #[arg(long, value_name = "PACKAGES")]
    pub(crate) only_binary: Vec<String>,
    /// Never run a package's build to learn its metadata
    #[arg(long)]
    pub(crate) no_build: bool,
}

/// Which release is taken first.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum ResolutionArg {
    /// The newest that fits
    Highest,
    /// The oldest that fits
    Lowest,
    /// The oldest of what the inputs name, the newest of the rest
    LowestDirect,
}

/// When a pre-release may be taken.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum PrereleaseArg {
    /// Never
    Disallow,
    /// Like any other release
    Allow,
    /// When no stable release fits
    IfNecessary,
    /// When no stable release fits, and an input names a pre-release of that package
    Explicit,
}
