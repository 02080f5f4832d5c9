//! An index for the solver that builds metadata where the index below it has none.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock};

use rustc_hash::FxHashMap;

use super::backend::{Backend, NetworkAccess};
use super::config::{BuildConfig, BuildPolicy};
use super::environment::BuildEnvironment;
use super::failure::BuildFailure;
use super::hooks;
use super::source_tree::SourceTree;
use super::text::{display_name, excerpt, last_lines};
use pinfast_base::error::{Error, Result};
use pinfast_base::event::{Event, Watcher};
use pinfast_base::sync::unpoisoned;
use pinfast_cache::{Bucket, Cache, CacheKey, CacheLookup};
use pinfast_index::Client;
use pinfast_install::venv::BasePython;
use pinfast_packaging::{
    DirectUrl, DistFile, Listing, Metadata, PackageName, Requirement, Sha256, Target, Version,
};
use pinfast_solve::{Index, IndexQuery, MetadataFailure, SearchScope, Trust};

/// A part of the cache key of built metadata: raise it when builds start to give other results.
pub(super) const BUILD_FORMAT: &str = "1";

/// An index that builds the metadata of source distributions which declare it nowhere.
pub struct BuildingIndex {
    client: Arc<Client>,
    config: BuildConfig,
    watcher: Arc<dyn Watcher>,
    interpreter: OnceLock<BuildInterpreter>,
    /// The result of each build, by the file's URL. Locked during a build, so that only one runs at a time.
    results: Mutex<FxHashMap<String, BuildResult>>,
    closed: AtomicBool,
}

/// Metadata, or why the candidate cannot be used.
type BuildResult = std::result::Result<Arc<Metadata>, String>;

/// The interpreter that runs builds.
pub(super) struct BuildInterpreter {
    pub(super) base: BasePython,
    /// The labels of the targets that differ from it.
    other_targets: Vec<String>,
}

impl BuildingIndex {
    /// An index that answers from `client`, and builds what `client` cannot answer.
    #[must_use]
    pub fn new(client: Arc<Client>, config: BuildConfig, watcher: Arc<dyn Watcher>) -> Self {
        Self {
            client,
            config,
            watcher,
            interpreter: OnceLock::new(),
            results: Mutex::default(),
            closed: AtomicBool::new(false),
        }
    }

    /// Builds nothing from now on: the trials of an explanation must not run foreign code.
    pub fn close(&self) {
        self.closed.store(true, Ordering::Relaxed);
    }

    fn built_metadata(&self, file: &DistFile, reason: String) -> Result<Arc<Metadata>, MetadataFailure> {
        let mut results = unpoisoned(self.results.lock());
        if let Some(result) = results.get(file.url.as_str()) {
            return result.clone().map_err(MetadataFailure::Invalid);
        }
        if let BuildPolicy::Forbidden(by) = &self.config.permission {
            return Err(MetadataFailure::BuildForbidden(format!("{reason}, and {by} forbids it")));
        }
        if self.closed.load(Ordering::Relaxed) {
            return Err(MetadataFailure::NeedsBuild(reason));
        }
        let result = match self.cached_or_built(file) {
            Ok(metadata) => Ok(Arc::new(metadata)),
            // Not remembered: the next attempt may succeed.
            Err(BuildFailure::Fatal(error)) => return Err(MetadataFailure::Fatal(error)),
            Err(BuildFailure::Candidate(why)) => Err(self.warn_of_candidate(file, why)),
            Err(BuildFailure::Backend { what, output }) => Err(self.warn_of_backend(file, &what, &output)),
        };
        results.insert(file.url.to_string(), result.clone());
        result.map_err(MetadataFailure::Invalid)
    }

    fn cached_or_built(&self, file: &DistFile) -> Result<Metadata, BuildFailure> {
        let interpreter = self.interpreter()?;
        let sha256 = match file.sha256 {
            Some(sha256) => sha256,
            None => self.client.open_file(file)?.1,
        };
        let label = interpreter.base.target.label();
        let key = Bucket::Built.key(&[&sha256.to_string(), label, BUILD_FORMAT]);
        let metadata = match self.read_cache(&key, file) {
            Some(metadata) => metadata,
            None => {
                let text = self.run_backend(file, interpreter, "its metadata", hooks::metadata)?;
                let metadata = hooks::parse_metadata(&text, file)?;
                self.write_cache(&key, &text);
                metadata
            }
        };
        if !interpreter.other_targets.is_empty() {
            let (name, others) = (display_name(file), interpreter.other_targets.join(", "));
            self.watcher.on(Event::Warning(format!(
                "the metadata of {name} was built on {label} and is used unchanged for {others}"
            )));
        }
        Ok(metadata)
    }

    /// The metadata of an earlier build, if it is still about `file`.
    fn read_cache(&self, key: &CacheKey, file: &DistFile) -> Option<Metadata> {
        let cache = Cache::new(self.config.cache.clone()?);
        let CacheLookup::Hit(text) = cache.read(Bucket::Built, key) else { return None };
        hooks::parse_metadata(&text, file).ok()
    }

    fn write_cache(&self, key: &CacheKey, text: &[u8]) {
        let Some(root) = self.config.cache.clone() else { return };
        if let Err(error) = Cache::new(root).write(Bucket::Built, key, text) {
            self.watcher.on(Event::Detail(format!("built metadata is not cached: {error}")));
        }
    }

    /// The build requirements of the source distribution `file`: those of its `pyproject.toml`, and those that
    /// its backend adds. Runs the backend.
    ///
    /// # Errors
    /// `No` if the build fails or is forbidden.
    pub fn build_requirements(&self, file: &DistFile) -> Result<Vec<Requirement>> {
        if let BuildPolicy::Forbidden(by) = &self.config.permission {
            let name = display_name(file);
            let message = format!(
                "the build requirements of {name} come from its build backend, and {by} forbids that"
            );
            return Err(Error::no(message).hint(format!(
                "leave out {by} to ask the backend; or build a wheel of {name} once and give it with `--find-links`"
            )));
        }
        let requirements = |backend: &Backend<'_>, _: &BuildEnvironment<'_>| hooks::requirements(backend);
        self.interpreter()
            .map_err(BuildFailure::from)
            .and_then(|interpreter| {
                self.run_backend(file, interpreter, "its build requirements", requirements)
            })
            .map_err(|failure| failure.into_error(file))
    }

    /// Prepares a build of `file`, and calls the backend by `call`. `purpose` names the result in messages.
    fn run_backend<T>(
        &self,
        file: &DistFile,
        interpreter: &BuildInterpreter,
        purpose: &str,
        call: impl FnOnce(&Backend<'_>, &BuildEnvironment<'_>) -> Result<T, BuildFailure>,
    ) -> Result<T, BuildFailure> {
        self.watcher.on(Event::Step(format!("asking {} for {purpose}", display_name(file))));
        let (archive, _) = self.client.open_file(file)?;
        let tree = SourceTree::unpack(file, archive)?;
        let environment = BuildEnvironment {
            client: &self.client,
            config: &self.config,
            interpreter,
            watcher: &*self.watcher,
            folder: tree.environment(),
        };
        environment.install(&tree.build_system.requires)?;
        let backend = Backend {
            python: environment.python(),
            source: &tree.root,
            scratch: tree.scratch(),
            path: &self.config.path,
            build_system: &tree.build_system,
            timeout: self.config.timeout,
            network: NetworkAccess::Inherited,
            watcher: &*self.watcher,
        };
        let result = call(&backend, &environment);
        // Reported even after a failure: the code has run.
        let ran = whose_code_ran(file, &tree);
        self.watcher.on(Event::Warning(format!("{ran} to learn {purpose}")));
        result
    }

    fn interpreter(&self) -> Result<&BuildInterpreter> {
        if let Some(interpreter) = self.interpreter.get() {
            return Ok(interpreter);
        }
        let found = (self.config.interpreter)().map_err(|error| {
            error.hint("a source distribution must be built for its metadata, and a build needs an interpreter: `--no-build` leaves it out")
        })?;
        let base = BasePython::of(&found.probe)?;
        let other_targets = match &self.config.targets {
            None => vec!["every environment".to_owned()],
            Some(targets) => {
                let others = targets.iter().filter(|target| !gives_same_metadata(target, &base.target));
                others.map(|target| target.label().to_owned()).collect()
            }
        };
        // Two threads may get here at once; both have found the same interpreter.
        Ok(self.interpreter.get_or_init(|| BuildInterpreter { base, other_targets }))
    }

    /// Warns, and returns why the candidate cannot be used.
    fn warn_of_candidate(&self, file: &DistFile, why: String) -> String {
        self.watcher.on(Event::Warning(format!("{} cannot be built: {why}", display_name(file))));
        why
    }

    /// Warns, shows the end of the backend's output, and returns why the candidate cannot be used.
    fn warn_of_backend(&self, file: &DistFile, what: &str, output: &[u8]) -> String {
        let name = display_name(file);
        let lines = last_lines(output);
        for line in &lines {
            self.watcher.on(Event::Detail(format!("{name}: {line}")));
        }
        let last = lines.last().map(|line| format!(": {line}")).unwrap_or_default();
        self.watcher.on(Event::Warning(format!("the build backend of {name} {what}{last}")));
        format!("its build backend {what}{last}")
    }
}

/// The beginning of a warning: `ran the build backend of NAME VERSION (BACKEND)`.
pub(super) fn whose_code_ran(file: &DistFile, tree: &SourceTree) -> String {
    format!("ran the build backend of {} ({})", display_name(file), excerpt(&tree.build_system.backend))
}

/// Whether a build is likely to give the same metadata on both: setup scripts mostly look at these four.
fn gives_same_metadata(a: &Target, b: &Target) -> bool {
    let (a, b) = (a.marker_values(), b.marker_values());
    a.python_version == b.python_version
        && a.implementation_name == b.implementation_name
        && a.sys_platform == b.sys_platform
        && a.platform_machine == b.platform_machine
}

impl Index for BuildingIndex {
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
            Err(MetadataFailure::NeedsBuild(reason)) => self.built_metadata(file, reason),
            metadata => metadata,
        }
    }

    fn direct_url_listing(&self, name: &PackageName, url: &DirectUrl) -> Result<Arc<Listing>> {
        Index::direct_url_listing(&*self.client, name, url)
    }

    fn sha256(&self, file: &Arc<DistFile>) -> Result<Sha256> {
        self.client.sha256(file)
    }

    fn prefetch(&self, queries: &[IndexQuery]) {
        self.client.prefetch(queries);
    }

    fn prefetch_speculative(&self, queries: &[IndexQuery]) {
        self.client.prefetch_speculative(queries);
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
