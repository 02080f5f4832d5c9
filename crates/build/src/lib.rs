//! Builds: the metadata of a source distribution that says it nowhere, learnt by running its build
//! backend (PEP 517).
//!
//! [`Building`] stands between the solver and the index and steps in only where the index says that a
//! build is needed; so no more is built than the candidates that the solver decides on. The steps of a
//! build, each with a file: `unpack` the archive, read from `system` what builds it, make an `environment`
//! that holds what the build requires, `run` the backend's hooks, read what came of it (`made`).
//! Where a lock permits it, a `wheel` is built for an installation, from what the lock pins and offline.
//! It is somebody else's code that runs: each run is told to the user, its result is kept in the cache,
//! and [`Permission`] may forbid it.

mod environment;
mod made;
mod run;
mod system;
mod unpack;
mod wheel;

#[cfg(test)]
mod tests;

use std::ffi::OsString;
use std::fs::File;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use jiff::Timestamp;
use rustc_hash::FxHashMap;
use tempfile::TempDir;

use environment::Workshop;
pub use environment::inputs;
use pinfast_base::error::{Error, Result};
use pinfast_base::event::{Event, Watcher};
use pinfast_base::sync::unpoisoned;
use pinfast_cache::{Bucket, Cache, CacheKey, CacheLookup};
use pinfast_index::Client;
use pinfast_install::venv::BasePython;
use pinfast_packaging::{
    DirectUrl, DistFile, DistFilename, Listing, Metadata, PackageName, Requirement, Sha256, Target, Version,
};
use pinfast_python::FoundInterpreter;
use pinfast_solve::{Index, IndexQuery, MetadataFailure, SearchScope, Trust};
use run::{Backend, Network};
use system::System;
use unpack::Most;
pub use wheel::{Bench, wheel};

/// The variable that sets [`Config::time`], in seconds.
pub const TIME_VARIABLE: &str = "PINFAST_BUILD_TIMEOUT";
/// How long a hook may take by default.
pub const TIME: Duration = Duration::from_secs(600);

/// Part of the key of built metadata: to be raised when builds come to other results.
const BUILDER: &str = "1";

/// How builds are done.
pub struct Config {
    /// Whether they may be done.
    pub permission: Permission,
    /// Finds the interpreter that runs them.
    pub interpreter: Box<dyn Fn() -> Result<FoundInterpreter> + Send + Sync>,
    /// The cache's folder.
    pub cache: Option<PathBuf>,
    /// Build requirements are taken only from files uploaded before this instant.
    pub exclude_newer: Option<Timestamp>,
    /// How long one hook of a backend may take.
    pub time: Duration,
    /// The `PATH` on which a build finds compilers.
    pub path: OsString,
    /// What the metadata is for; `None` is every environment.
    pub targets: Option<Vec<Target>>,
}

/// Whether builds may be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Permission {
    /// They may.
    Allowed,
    /// They may not, for the option or setting of this name says so.
    Forbidden(String),
}

/// An index whose source distributions are built where nothing else tells their metadata.
pub struct Building {
    client: Arc<Client>,
    config: Config,
    watcher: Arc<dyn Watcher>,
    builder: OnceLock<Builder>,
    /// What came of each build, by the file's URL; held while one is under way, so they go one by one.
    built: Mutex<FxHashMap<String, Told>>,
    closed: AtomicBool,
}

/// Metadata, or why the candidate is barred.
type Told = std::result::Result<Arc<Metadata>, String>;

/// The interpreter that runs builds.
struct Builder {
    base: BasePython,
    /// The targets that it is not.
    elsewhere: Vec<String>,
}

/// Why a build came to nothing.
#[derive(Debug)]
enum Fault {
    /// The candidate is at fault: a sentence without a full stop.
    Candidate(String),
    /// Its backend is: a clause about it, and the end of what it printed.
    Backend { what: String, printed: Vec<u8> },
    /// The world is: the run ends.
    World(Error),
}

impl Fault {
    fn candidate(why: String) -> Self {
        Self::Candidate(tame(&why))
    }

    /// As the end of a run.
    fn told(self, file: &DistFile) -> Error {
        match self {
            Self::World(error) => error,
            Self::Candidate(why) => Error::no(format!("{} cannot be built: {why}", label(file))),
            Self::Backend { what, printed } => {
                let mut error = Error::no(format!("the build backend of {} {what}", label(file)));
                error.details = last_lines(&printed).iter().map(|line| format!("  {line}")).collect();
                error
            }
        }
    }
}

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        Self::World(error)
    }
}

impl Building {
    /// What `client` tells, and builds of what it cannot tell.
    #[must_use]
    pub fn new(client: Arc<Client>, config: Config, watcher: Arc<dyn Watcher>) -> Self {
        Self {
            client,
            config,
            watcher,
            builder: OnceLock::new(),
            built: Mutex::default(),
            closed: AtomicBool::new(false),
        }
    }

    /// Builds nothing from now on: an explanation that tries this and that runs nobody's code.
    pub fn close(&self) {
        self.closed.store(true, Ordering::Relaxed);
    }

    fn build(&self, file: &DistFile, reason: String) -> Result<Arc<Metadata>, MetadataFailure> {
        let mut built = unpoisoned(self.built.lock());
        if let Some(told) = built.get(file.url.as_str()) {
            return told.clone().map_err(MetadataFailure::Invalid);
        }
        if let Permission::Forbidden(by) = &self.config.permission {
            return Err(MetadataFailure::BuildForbidden(format!("{reason}, and {by} forbids it")));
        }
        if self.closed.load(Ordering::Relaxed) {
            return Err(MetadataFailure::NeedsBuild(reason));
        }
        let told = match self.learn(file) {
            Ok(metadata) => Ok(Arc::new(metadata)),
            Err(Fault::World(error)) => return Err(MetadataFailure::Fatal(error)),
            Err(Fault::Candidate(why)) => Err(self.warned(file, why)),
            Err(Fault::Backend { what, printed }) => Err(self.failed(file, &what, &printed)),
        };
        built.insert(file.url.to_string(), told.clone());
        told.map_err(MetadataFailure::Invalid)
    }

    /// The metadata that was built before, else what a build tells.
    fn learn(&self, file: &DistFile) -> Result<Metadata, Fault> {
        let builder = self.builder()?;
        let sha256 = match file.sha256 {
            Some(sha256) => sha256,
            None => self.client.open_file(file)?.1,
        };
        let key = Bucket::Built.key(&[&sha256.to_string(), builder.base.target.label(), BUILDER]);
        let metadata = match self.kept(&key, file) {
            Some(metadata) => metadata,
            None => {
                let text = self.run(file, builder, "its metadata", made::metadata)?;
                let metadata = made::believe(&text, file)?;
                self.keep(&key, &text);
                metadata
            }
        };
        if !builder.elsewhere.is_empty() {
            let (here, there) = (builder.base.target.label(), builder.elsewhere.join(", "));
            let what = label(file);
            self.watcher.on(Event::Warning(format!(
                "the metadata of {what} was built on {here} and is taken as it is for {there}"
            )));
        }
        Ok(metadata)
    }

    /// What an earlier build told, if it can still be believed.
    fn kept(&self, key: &CacheKey, file: &DistFile) -> Option<Metadata> {
        let cache = Cache::new(self.config.cache.clone()?);
        let CacheLookup::Hit(text) = cache.read(Bucket::Built, key) else { return None };
        made::believe(&text, file).ok()
    }

    fn keep(&self, key: &CacheKey, text: &[u8]) {
        let Some(root) = self.config.cache.clone() else { return };
        if let Err(error) = Cache::new(root).write(Bucket::Built, key, text) {
            self.watcher.on(Event::Detail(format!("built metadata is not kept: {error}")));
        }
    }

    /// All that building a wheel of the source distribution `file` requires, by its own word and by that of
    /// its backend, which is run.
    ///
    /// # Errors
    /// `No` when it cannot be told, or may not be asked for.
    pub fn requirements(&self, file: &DistFile) -> Result<Vec<Requirement>> {
        if let Permission::Forbidden(by) = &self.config.permission {
            let what = label(file);
            let why = "is told by its build backend";
            return Err(Error::no(format!("what the build of {what} requires {why}, and {by} forbids to run it"))
                .hint(format!("without {by} the backend would be asked; else build a wheel of {what} once and give it with `--find-links`")));
        }
        let ask = || self.run(file, self.builder()?, "what its build requires", made::requirements);
        ask().map_err(|fault| fault.told(file))
    }

    /// Runs the backend for `answer`, which is `what` a person is told.
    fn run<T>(
        &self,
        file: &DistFile,
        builder: &Builder,
        what: &str,
        answer: impl FnOnce(&Backend<'_>, &Workshop<'_>) -> Result<T, Fault>,
    ) -> Result<T, Fault> {
        self.watcher.on(Event::Step(format!("asking {} for {what}", label(file))));
        let (archive, _) = self.client.open_file(file)?;
        let ground = Ground::break_up(file, archive)?;
        let workshop = Workshop {
            client: &self.client,
            config: &self.config,
            builder,
            watcher: &*self.watcher,
            folder: ground.environment(),
        };
        workshop.provide(&ground.system.requires)?;
        let backend = Backend {
            python: workshop.python(),
            source: &ground.source,
            scratch: ground.scratch.path(),
            path: &self.config.path,
            system: &ground.system,
            time: self.config.time,
            network: Network::AsItIs,
            watcher: &*self.watcher,
        };
        let answer = answer(&backend, &workshop);
        let ran = ran(file, &ground.system);
        self.watcher.on(Event::Warning(format!("{ran} to learn {what}")));
        answer
    }

    fn builder(&self) -> Result<&Builder> {
        if let Some(builder) = self.builder.get() {
            return Ok(builder);
        }
        let found = (self.config.interpreter)().map_err(|error| {
            error.hint("the metadata of a source distribution needs a build, and a build an interpreter: `--no-build` does without")
        })?;
        let base = BasePython::of(&found.probe)?;
        let elsewhere = match &self.config.targets {
            None => vec!["every environment".to_owned()],
            Some(targets) => {
                let others = targets.iter().filter(|target| !alike(target, &base.target));
                others.map(|target| target.label().to_owned()).collect()
            }
        };
        Ok(self.builder.get_or_init(|| Builder { base, elsewhere }))
    }

    fn warned(&self, file: &DistFile, why: String) -> String {
        self.watcher.on(Event::Warning(format!("{} cannot be built: {why}", label(file))));
        why
    }

    /// Tells what a backend that failed printed last.
    fn failed(&self, file: &DistFile, what: &str, printed: &[u8]) -> String {
        let lines = last_lines(printed);
        for line in &lines {
            self.watcher.on(Event::Detail(format!("{}: {line}", label(file))));
        }
        let last = lines.last().map(|line| format!(": {line}")).unwrap_or_default();
        self.watcher.on(Event::Warning(format!("the build backend of {} {what}{last}", label(file))));
        format!("its build backend {what}{last}")
    }
}

/// Where a build takes place: a temporary folder with the unpacked source.
struct Ground {
    scratch: TempDir,
    source: PathBuf,
    system: System,
}

impl Ground {
    /// Unpacks the `archive` of `file`, and reads what builds it.
    fn break_up(file: &DistFile, archive: File) -> Result<Self, Fault> {
        let DistFilename::Sdist { format, .. } = file.dist else {
            return Err(Fault::Candidate("it is no source distribution".to_owned()));
        };
        let scratch = tempfile::Builder::new().prefix("pinfast-build-").tempdir().map_err(|error| {
            Error::no_answer("cannot create a temporary folder for a build").because(error)
        })?;
        let unpacked = scratch.path().join("source");
        std::fs::create_dir(&unpacked)
            .map_err(|error| Error::no_answer("cannot create a folder for a build").because(error))?;
        let source = unpack::unpack(archive, format, &unpacked, Most::default())?;
        let system = System::of(&source)?;
        Ok(Self { scratch, source, system })
    }

    fn environment(&self) -> PathBuf {
        self.scratch.path().join("environment")
    }
}

/// Whose code ran, for a message that goes on.
fn ran(file: &DistFile, system: &System) -> String {
    format!("ran the build backend of {} ({})", label(file), excerpt(&system.backend))
}

/// The last lines of what a backend printed.
fn last_lines(printed: &[u8]) -> Vec<String> {
    let text = String::from_utf8_lossy(printed);
    let lines: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).collect();
    lines[lines.len().saturating_sub(SHOWN)..].iter().map(|line| excerpt(line)).collect()
}

/// How many lines of what a failed backend printed are told.
const SHOWN: usize = 20;

impl Index for Building {
    fn listing(&self, name: &PackageName) -> Result<Option<Arc<Listing>>> {
        self.client.listing(name)
    }

    fn release_listing(&self, name: &PackageName, version: &Version) -> Option<Arc<Listing>> {
        self.client.release_listing(name, version)
    }

    fn newest_listing(&self, name: &PackageName) -> Option<Arc<Listing>> {
        self.client.newest_listing(name)
    }

    fn newest_metadata(&self, name: &PackageName) -> Option<Arc<Metadata>> {
        self.client.newest_metadata(name)
    }

    fn metadata(&self, file: &Arc<DistFile>, trust: Trust) -> Result<Arc<Metadata>, MetadataFailure> {
        match self.client.metadata(file, trust) {
            Err(MetadataFailure::NeedsBuild(reason)) => self.build(file, reason),
            told => told,
        }
    }

    fn direct_url_listing(&self, name: &PackageName, url: &DirectUrl) -> Result<Arc<Listing>> {
        Index::direct_url_listing(&*self.client, name, url)
    }

    fn sha256(&self, file: &Arc<DistFile>) -> Result<Sha256> {
        self.client.sha256(file)
    }

    fn prefetch(&self, wants: &[IndexQuery]) {
        self.client.prefetch(wants);
    }

    fn prefetch_speculative(&self, wants: &[IndexQuery]) {
        self.client.prefetch_speculative(wants);
    }

    fn search_scope(&self) -> SearchScope {
        self.client.search_scope()
    }

    fn project_names(&self) -> Vec<PackageName> {
        self.client.project_names()
    }

    fn prefetch_concurrency(&self) -> usize {
        self.client.prefetch_concurrency()
    }
}

/// Whether markers can hardly tell two environments apart.
fn alike(a: &Target, b: &Target) -> bool {
    let (a, b) = (a.marker_values(), b.marker_values());
    a.python_version == b.python_version
        && a.implementation_name == b.implementation_name
        && a.sys_platform == b.sys_platform
        && a.platform_machine == b.platform_machine
}

/// Such as `a 1.0`.
fn label(file: &DistFile) -> String {
    format!("{} {}", file.dist.name(), file.dist.version())
}

/// The beginning of a foreign text, fit for one line of a message.
fn excerpt(text: &str) -> String {
    let text = text.trim();
    let more = if text.chars().nth(LONGEST_EXCERPT).is_some() { "…" } else { "" };
    format!("{}{more}", tame(&text.chars().take(LONGEST_EXCERPT).collect::<String>()))
}

const LONGEST_EXCERPT: usize = 200;

/// The text without what would steer a terminal.
fn tame(text: &str) -> String {
    let tame = |letter: char| if letter.is_control() { '\u{fffd}' } else { letter };
    text.chars().map(tame).collect()
}
