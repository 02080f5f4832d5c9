//! The isolated environment of a build (PEP 517): new, with the build requirements and nothing else.
//!
//! The requirements are resolved like any lock, but for the interpreter itself, and installed with their hashes
//! checked. Only wheels count, so a build never leads to another build.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::config::BuildConfig;
use super::failure::BuildFailure;
use super::index::BuildInterpreter;
use pinfast_base::error::Result;
use pinfast_base::event::{Event, Watcher};
use pinfast_explain::{self as explain, Budget, ExplainRequest};
use pinfast_index::Client;
use pinfast_inputs::{InputLine, Inputs};
use pinfast_install::{
    self as install, Compile, DryRun, FileSource, Inspection, LinkMode, Prune, WheelCache, venv,
};
use pinfast_lock::{FileLocation, Lock, LockedFile, Pin};
use pinfast_packaging::{Location, PackageName, Requirement};
use pinfast_solve::{
    self as solve, Index, NoSolution, PackageSet, Policy, Preferences, Problem, ResolvedPin, SolveError,
};

/// Makes the build environment at `place` exactly `lock`.
pub(super) fn install_lock(
    destination: install::Destination,
    lock: &Lock,
    wheels: &WheelCache,
    files: &dyn FileSource,
    watcher: &dyn Watcher,
) -> Result<()> {
    let request = install::InstallJob {
        lock,
        destination,
        wheels,
        prune: Prune::All,
        inspection: Inspection::Metadata,
        link: LinkMode::Auto,
        compile: Compile::No,
        dry_run: DryRun::No,
        limits: install::WheelLimits::default(),
    };
    install::install(&request, files, &BuildWatcher(watcher)).map(drop)
}

/// A build environment whose requirements come from an index.
pub(super) struct BuildEnvironment<'a> {
    pub(super) client: &'a Arc<Client>,
    pub(super) config: &'a BuildConfig,
    pub(super) interpreter: &'a BuildInterpreter,
    pub(super) watcher: &'a dyn Watcher,
    /// Its folder, which may not exist yet.
    pub(super) folder: PathBuf,
}

impl BuildEnvironment<'_> {
    /// Makes the environment exactly what `requirements` need.
    pub(super) fn install(&self, requirements: &[Requirement]) -> Result<(), BuildFailure> {
        let lock = self.resolve(requirements)?;
        // Without a cache the unpacked wheels are beside the environment, and go with it.
        let root = self.config.cache.clone().unwrap_or_else(|| self.folder.with_extension("cache"));
        let destination =
            install::Destination::New { folder: self.folder.clone(), base: self.interpreter.base.clone() };
        let wheels = WheelCache::open(&root, self.watcher)?;
        Ok(install_lock(destination, &lock, &wheels, &**self.client, self.watcher)?)
    }

    /// The interpreter in the environment.
    pub(super) fn python(&self) -> PathBuf {
        venv::planned(&self.folder, &self.interpreter.base).python
    }

    fn resolve(&self, requirements: &[Requirement]) -> Result<Lock, BuildFailure> {
        let policy = Policy {
            only_binary: PackageSet::All,
            exclude_newer: self.config.exclude_newer,
            ..Policy::default()
        };
        let inputs = build_inputs(requirements);
        let target = self.interpreter.base.target.clone();
        let problem = Problem::new(&inputs, target, policy, Preferences::default());
        match solve::solve(Arc::new(problem), self.client.clone(), &BuildWatcher(self.watcher)) {
            Ok(resolution) => {
                let pins = resolution.pins.iter().map(|(name, pin)| self.pin(name, pin));
                Ok(Lock { pins: pins.collect::<Result<_>>()?, ..Lock::default() })
            }
            Err(SolveError::Fatal(error)) => Err(BuildFailure::Fatal(error)),
            Err(SolveError::NoSolution(failure)) => {
                let why = headline(failure, self.watcher);
                let message = format!("its build requirements cannot be installed from wheels: {why}");
                Err(BuildFailure::candidate(message))
            }
        }
    }

    /// A pin with only the file that was chosen: no other machine uses this lock.
    fn pin(&self, name: &PackageName, resolved: &ResolvedPin) -> Result<Pin> {
        let candidate = &resolved.candidate;
        let file = candidate.file();
        let sha256 = self.client.sha256(file)?;
        let mut pin = Pin::new(name.clone(), candidate.version.clone());
        pin.url = candidate.url.as_deref().cloned();
        pin.hashes = vec![sha256];
        pin.files = vec![LockedFile {
            name: file.filename.clone(),
            sha256,
            location: Some(FileLocation::Url(file.url.clone())),
            size: file.size,
        }];
        Ok(pin)
    }
}

/// Build requirements as inputs of the solver, at `build-system.requires:NUMBER`.
#[must_use]
pub fn build_inputs(requirements: &[Requirement]) -> Inputs {
    let line = |(at, requirement): (usize, &Requirement)| InputLine {
        requirement: requirement.clone(),
        text: requirement.to_string().into(),
        at: Location::new("build-system.requires", u32::try_from(at + 1).unwrap_or(u32::MAX), 1),
        hashes: Vec::new(),
    };
    Inputs { requirements: requirements.iter().enumerate().map(line).collect(), ..Inputs::default() }
}

/// The conflict in one sentence. The budget is zero, so no fixes are tried.
fn headline(failure: Box<NoSolution>, watcher: &dyn Watcher) -> String {
    let started = Instant::now();
    let request = ExplainRequest {
        budget: Budget::new(Duration::ZERO, Arc::new(move || started.elapsed())),
        alternatives: Vec::new(),
        others: Vec::new(),
    };
    explain::explain(failure, &request, watcher).headline
}

/// Reports the inner lock and installation as details of the outer command.
struct BuildWatcher<'a>(&'a dyn Watcher);

impl Watcher for BuildWatcher<'_> {
    fn on(&self, event: Event) {
        match event {
            Event::Step(text) | Event::Warning(text) => {
                self.0.on(Event::Detail(format!("for a build: {text}")));
            }
            // The outer solve shows its own progress.
            Event::Solving { .. } | Event::Deciding { .. } => {}
            other => self.0.on(other),
        }
    }

    fn cancelled(&self) -> bool {
        self.0.cancelled()
    }
}
