//! Options that several commands share.

use std::path::PathBuf;

use anstream::ColorChoice;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, ValueEnum};

use super::ui::Verbosity;
use pinfast_inputs::{Extras, FormatControl, InputRequest};
use pinfast_ops::{CacheUse, EnvironmentRequest, IndexRequest, LockPlace, PolicyRequest, TargetRequest};
use pinfast_packaging::{ExtraName, PackageName, Platform, Version};
use pinfast_solve::{PrereleaseMode, ResolutionMode};

/// How much is printed, and in which colours.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Output")]
pub(crate) struct OutputArgs {
    /// Print only errors and results
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    quiet: bool,
    /// Print details, such as which source set the index
    #[arg(short, long, global = true)]
    verbose: bool,
    /// When to use colours
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto")]
    color: ColorWhen,
}

/// When to use colours.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum ColorWhen {
    /// On a terminal that supports them
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

/// An output format.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum OutputFormat {
    /// For people
    Text,
    /// For programs: one JSON document on standard output
    Json,
}

/// The inputs and the lock.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Inputs")]
pub(crate) struct InputArgs {
    /// Requirements files or pyproject.toml; `-` is standard input
    ///
    /// The default is requirements.in, else pyproject.toml.
    #[arg(value_name = "INPUT")]
    pub(crate) inputs: Vec<String>,
    /// The lock file; `-` is standard output
    #[arg(short, long, value_name = "LOCK", default_value = "requirements.txt")]
    pub(crate) output: PathBuf,
    /// A file of constraints, which limit versions but add no package
    #[arg(short, long = "constraint", value_name = "FILE")]
    pub(crate) constraints: Vec<String>,
    /// A file of overrides, which replace all other requirements on their packages
    #[arg(long = "override", value_name = "FILE")]
    pub(crate) overrides: Vec<String>,
    /// Include an extra of pyproject.toml
    #[arg(long = "extra", value_name = "EXTRA", conflicts_with = "all_extras")]
    pub(crate) extras: Vec<ExtraName>,
    /// Include all extras of pyproject.toml
    #[arg(long)]
    pub(crate) all_extras: bool,
    /// Include a dependency group of pyproject.toml
    #[arg(long = "group", value_name = "GROUP")]
    pub(crate) groups: Vec<ExtraName>,
}

/// The lock to read.
#[derive(Args, Clone, Debug)]
pub(crate) struct LockArg {
    /// The lock file
    #[arg(value_name = "LOCK", default_value = "requirements.txt")]
    pub(crate) lock: PathBuf,
}

/// An installed environment.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Environment")]
pub(crate) struct EnvironmentArgs {
    /// Folder of the virtual environment [default: .venv]
    #[arg(long, value_name = "DIR")]
    pub(crate) venv: Option<PathBuf>,
    /// Use the environment of this Python; with --venv, the Python that the environment is created from
    #[arg(long, value_name = "PYTHON")]
    pub(crate) python: Option<String>,
}

impl EnvironmentArgs {
    pub(crate) fn request(&self) -> EnvironmentRequest {
        EnvironmentRequest { venv: self.venv.clone(), python: self.python.clone() }
    }
}

/// What may stay installed besides the lock.
#[derive(Args, Clone, Debug)]
pub(crate) struct SeedArg {
    /// Keep pip and setuptools, even if the lock does not name them
    #[arg(long)]
    pub(crate) keep_seed: bool,
}

/// The target environments.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Target")]
pub(crate) struct TargetArgs {
    /// Python to lock for: a path, a name such as `python3.12`, or a version
    #[arg(long, value_name = "PYTHON", conflicts_with_all = ["python_versions", "platforms"])]
    pub(crate) python: Option<String>,
    /// Python version to lock for, X.Y or X.Y.Z; repeat it for several targets
    #[arg(long = "python-version", value_name = "X.Y")]
    pub(crate) python_versions: Vec<Version>,
    /// Platform to lock for: linux, macos, windows or a wheel platform tag; repeat it for several
    #[arg(long = "platform", value_name = "PLATFORM")]
    pub(crate) platforms: Vec<Platform>,
    /// Make one lock for all platforms, and for every Python from the lowest version up
    ///
    /// The lowest version is that of --python-version, else of requires-python, else of the interpreter.
    #[arg(long, conflicts_with_all = ["python", "platforms"])]
    pub(crate) universal: bool,
}

/// The indexes.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Indexes")]
pub(crate) struct IndexArgs {
    /// Index to use: a URL or a folder
    #[arg(short, long, value_name = "URL")]
    pub(crate) index_url: Option<String>,
    /// Further index, for packages that --index-url does not have
    #[arg(long, value_name = "URL")]
    pub(crate) extra_index_url: Vec<String>,
    /// Folder of wheels and sdists, or page of links to them; searched besides the indexes
    #[arg(short, long, value_name = "PLACE")]
    pub(crate) find_links: Vec<String>,
    /// Use no index, only --find-links
    #[arg(long)]
    pub(crate) no_index: bool,
    #[command(flatten)]
    pub(crate) cache: CacheArgs,
}

/// How the cache and the network are used.
#[derive(Args, Clone, Debug)]
pub(crate) struct CacheArgs {
    /// Use only the cache, not the network
    #[arg(long, conflicts_with = "refresh")]
    pub(crate) offline: bool,
    /// Ignore cached index data, and ask the index again
    #[arg(long)]
    pub(crate) refresh: bool,
    /// Folder of the cache
    #[arg(long, value_name = "DIR", env = "PINFAST_CACHE_DIR", hide_env_values = true)]
    pub(crate) cache_dir: Option<PathBuf>,
}

/// Which releases and files may be chosen, and which are preferred.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Releases")]
pub(crate) struct PolicyArgs {
    /// Which release to prefer [default: highest]
    ///
    /// `lowest-direct` takes the oldest release of packages that the inputs name, and the newest of all others.
    #[arg(long, value_name = "MODE", value_parser = mode::<ResolutionMode>(ResolutionMode::NAMES))]
    pub(crate) resolution: Option<ResolutionMode>,
    /// When to allow pre-releases [default: if-necessary]
    ///
    /// `if-necessary`: only if no other release fits. `explicit`: the same, but only for packages of which the inputs
    /// name a pre-release.
    #[arg(long, value_name = "MODE", value_parser = mode::<PrereleaseMode>(PrereleaseMode::NAMES))]
    pub(crate) prerelease: Option<PrereleaseMode>,
    /// Short for `--prerelease allow`
    #[arg(long, conflicts_with = "prerelease")]
    pub(crate) pre: bool,
    /// Ignore files uploaded later than this: a date, an instant, or an age such as `7 days`
    ///
    /// `2026-02-01` means the end of that day in UTC. An age counts back from now.
    #[arg(long, value_name = "DATE|DURATION")]
    pub(crate) exclude_newer: Option<String>,
    /// Do not use wheels of these packages: names with commas between them, or `:all:`
    #[arg(long, value_name = "PACKAGES")]
    pub(crate) no_binary: Vec<FormatControl>,
    /// Do not use sdists of these packages: names with commas between them, or `:all:`
    #[arg(long, value_name = "PACKAGES")]
    pub(crate) only_binary: Vec<FormatControl>,
    /// Run no build backend, and ignore sdists that need one for their metadata
    #[arg(long)]
    pub(crate) no_build: bool,
    /// Let `install` build this package from source if no wheel fits; its build requirements are locked
    #[arg(long, value_name = "NAME")]
    pub(crate) allow_build: Vec<PackageName>,
}

/// Parses one of the named modes; the help lists them.
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
