//! Options that several commands take: each has its one home here.

use std::path::PathBuf;

use anstream::ColorChoice;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, ValueEnum};

use super::ui::Verbosity;
use pinfast_inputs::{Extras, FormatControl, InputRequest};
use pinfast_ops::{CacheUse, EnvironmentRequest, IndexRequest, LockPlace, PolicyRequest, TargetRequest};
use pinfast_packaging::{ExtraName, PackageName, Platform, Version};
use pinfast_solve::{PrereleaseMode, ResolutionMode};

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
    color: ColorWhen,
}

/// When to use colours.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum ColorWhen {
    /// On a terminal that wants them
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

impl OutputArgs {
    pub(crate) fn verbosity(&self) -> Verbosity {
        match (self.quiet, self.verbose) {
            (true, _) => Verbosity::Quiet,
            (_, true) => Verbosity::Verbose,
            _ => Verbosity::Normal,
        }
    }

    pub(crate) fn color(&self) -> ColorChoice {
        match self.color {
            ColorWhen::Auto => ColorChoice::Auto,
            ColorWhen::Always => ColorChoice::Always,
            ColorWhen::Never => ColorChoice::Never,
        }
    }
}

/// The form of a result.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum OutputFormat {
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
    pub(crate) extras: Vec<ExtraName>,
    /// Include all extras of pyproject.toml
    #[arg(long)]
    pub(crate) all_extras: bool,
    /// A dependency group of pyproject.toml to include
    #[arg(long = "group", value_name = "GROUP")]
    pub(crate) groups: Vec<ExtraName>,
}

/// The lock that is read.
#[derive(Args, Clone, Debug)]
pub(crate) struct LockArg {
    /// The lock
    #[arg(value_name = "LOCK", default_value = "requirements.txt")]
    pub(crate) lock: PathBuf,
}

/// An installed environment.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Environment")]
pub(crate) struct EnvironmentArgs {
    /// The environment's folder [default: .venv]
    #[arg(long, value_name = "DIR")]
    pub(crate) venv: Option<PathBuf>,
    /// The interpreter whose own environment is meant; beside --venv, what a new one is made from
    #[arg(long, value_name = "PYTHON")]
    pub(crate) python: Option<String>,
}

impl EnvironmentArgs {
    pub(crate) fn request(&self) -> EnvironmentRequest {
        EnvironmentRequest { venv: self.venv.clone(), python: self.python.clone() }
    }
}

/// What may be installed that the lock does not name.
#[derive(Args, Clone, Debug)]
pub(crate) struct SeedArg {
    /// Leave pip and setuptools, though the lock does not name them
    #[arg(long)]
    pub(crate) keep_seed: bool,
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
    pub(crate) python_versions: Vec<Version>,
    /// The platform that is meant: linux, macos, windows or a wheel platform tag; given again for several
    #[arg(long = "platform", value_name = "PLATFORM")]
    pub(crate) platforms: Vec<Platform>,
    /// Every environment from the lowest Python up: --python-version, else requires-python, else the
    /// interpreter
    #[arg(long, conflicts_with_all = ["python", "platforms"])]
    pub(crate) universal: bool,
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
    #[arg(long, value_name = "MODE", value_parser = mode::<ResolutionMode>(ResolutionMode::NAMES))]
    pub(crate) resolution: Option<ResolutionMode>,
    /// When a pre-release may be taken
    #[arg(long, value_name = "MODE", value_parser = mode::<PrereleaseMode>(PrereleaseMode::NAMES))]
    pub(crate) prerelease: Option<PrereleaseMode>,
    /// Take pre-releases like any other release
    #[arg(long, conflicts_with = "prerelease")]
    pub(crate) pre: bool,
    /// Only files uploaded up to then: a date (to its end, UTC), an instant, or an age such as `7 days`
    #[arg(long, value_name = "DATE|DURATION")]
    pub(crate) exclude_newer: Option<String>,
    /// Packages whose wheels are not taken, or `:all:`
    #[arg(long, value_name = "PACKAGES")]
    pub(crate) no_binary: Vec<FormatControl>,
    /// Packages whose sdists are not taken, or `:all:`
    #[arg(long, value_name = "PACKAGES")]
    pub(crate) only_binary: Vec<FormatControl>,
    /// Run no build backend: what only a build could tell of an sdist bars it
    #[arg(long)]
    pub(crate) no_build: bool,
    /// A package whose sdist `install` may build where no wheel fits; what its build requires is locked
    #[arg(long, value_name = "NAME")]
    pub(crate) allow_build: Vec<PackageName>,
}

/// Reads one of the named modes; the help lists them.
fn mode<T>(names: &'static [&'static str]) -> impl TypedValueParser<Value = T>
where
    T: std::str::FromStr<Err = String> + Clone + Send + Sync + 'static,
{
    PossibleValuesParser::new(names).try_map(|name| name.parse::<T>())
}

impl InputArgs {
    pub(crate) fn request(&self) -> InputRequest {
        InputRequest {
            inputs: self.inputs.clone(),
            constraints: self.constraints.clone(),
            overrides: self.overrides.clone(),
            extras: if self.all_extras { Extras::All } else { Extras::Named(self.extras.clone()) },
            groups: self.groups.clone(),
        }
    }

    pub(crate) fn place(&self) -> LockPlace {
        if self.output.as_os_str() == "-" {
            LockPlace::StandardOutput
        } else {
            LockPlace::File(self.output.clone())
        }
    }
}

impl TargetArgs {
    pub(crate) fn request(&self) -> TargetRequest {
        TargetRequest {
            python: self.python.clone(),
            versions: self.python_versions.clone(),
            platforms: self.platforms.clone(),
            universal: self.universal.then_some(()),
        }
    }
}

impl IndexArgs {
    pub(crate) fn request(&self) -> IndexRequest {
        IndexRequest {
            index_url: self.index_url.clone(),
            extra_index_urls: self.extra_index_url.clone(),
            find_links: self.find_links.clone(),
            no_index: self.no_index.then_some(()),
            cache_use: match (self.cache.offline, self.cache.refresh) {
                (true, _) => CacheUse::Offline,
                (_, true) => CacheUse::Refresh,
                _ => CacheUse::Normal,
            },
        }
    }
}

impl PolicyArgs {
    pub(crate) fn request(&self) -> PolicyRequest {
        PolicyRequest {
            resolution: self.resolution,
            prerelease: self.pre.then_some(PrereleaseMode::Allow).or(self.prerelease),
            exclude_newer: self.exclude_newer.clone(),
            no_binary: self.no_binary.clone(),
            only_binary: self.only_binary.clone(),
            no_build: self.no_build.then_some(()),
            allow_build: self.allow_build.clone(),
        }
    }
}
