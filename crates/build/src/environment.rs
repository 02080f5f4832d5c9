//! The environment that a build runs in: new, holding what the build requires and nothing else. What it
//! requires is resolved as any lock is, for the interpreter itself, and installed hash-checked. Only wheels
//! are taken, so a build never leads to another one.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::{Builder, Config, Fault};
use pinfast_base::error::Result;
use pinfast_base::event::{Event, Watcher};
use pinfast_explain::{self as explain, Budget, ExplainRequest};
use pinfast_index::Client;
use pinfast_inputs::{InputLine, Inputs};
use pinfast_install::{self as install, Compile, Effort, Files, LinkMode, Prune, Run, Store, venv};
use pinfast_lock::{FileLocation, Lock, LockedFile, Pin};
use pinfast_packaging::{Location, PackageName, Requirement};
use pinfast_solve::{
    self as solve, Index, NoSolution, PackageSet, Policy, Preferences, Problem, ResolvedPin, SolveError,
};

/// Makes the environment of a build exactly `lock`.
pub(super) fn fill(
    place: install::Place,
    lock: &Lock,
    store: &Store,
    files: &dyn Files,
    watcher: &dyn Watcher,
) -> Result<()> {
    let request = install::Request {
        lock,
        place,
        store,
        prune: Prune::All,
        effort: Effort::Look,
        link: LinkMode::Auto,
        compile: Compile::No,
        run: Run::Real,
        limits: install::Limits::default(),
    };
    install::install(&request, files, &Aside(watcher)).map(drop)
}

/// An environment under construction.
pub(super) struct Workshop<'a> {
    pub(super) client: &'a Arc<Client>,
    pub(super) config: &'a Config,
    pub(super) builder: &'a Builder,
    pub(super) watcher: &'a dyn Watcher,
    /// Where it is, or will be.
    pub(super) folder: PathBuf,
}

impl Workshop<'_> {
    /// Brings the environment to what `requirements` ask for.
    pub(super) fn provide(&self, requirements: &[Requirement]) -> Result<(), Fault> {
        let lock = self.resolve(requirements)?;
        let root = self.config.cache.clone().unwrap_or_else(|| self.folder.with_extension("cache"));
        let place = install::Place::New { folder: self.folder.clone(), base: self.builder.base.clone() };
        let store = Store::open(&root, self.watcher)?;
        Ok(fill(place, &lock, &store, &**self.client, self.watcher)?)
    }

    /// The interpreter of the environment.
    pub(super) fn python(&self) -> PathBuf {
        venv::planned(&self.folder, &self.builder.base).python
    }

    fn resolve(&self, requirements: &[Requirement]) -> Result<Lock, Fault> {
        let policy = Policy {
            only_binary: PackageSet::All,
            exclude_newer: self.config.exclude_newer,
            ..Policy::default()
        };
        let inputs = inputs(requirements);
        let problem = Problem::new(&inputs, self.builder.base.target.clone(), policy, Preferences::default());
        match solve::solve(Arc::new(problem), self.client.clone(), &Aside(self.watcher)) {
            Ok(resolution) => {
                let pins = resolution.pins.iter().map(|(name, pin)| self.pin(name, pin));
                Ok(Lock { pins: pins.collect::<Result<_>>()?, ..Lock::default() })
            }
            Err(SolveError::Fatal(error)) => Err(Fault::World(error)),
            Err(SolveError::NoSolution(failure)) => {
                let why = headline(failure, self.watcher);
                Err(Fault::candidate(format!("what its build requires cannot be had as wheels: {why}")))
            }
        }
    }

    /// The one file that was chosen, with its hash.
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

/// The requirements of a build as inputs of a solve.
#[must_use]
pub fn inputs(requirements: &[Requirement]) -> Inputs {
    let line = |(at, requirement): (usize, &Requirement)| InputLine {
        requirement: requirement.clone(),
        text: requirement.to_string().into(),
        at: Location::new("build-system.requires", u32::try_from(at + 1).unwrap_or(u32::MAX), 1),
        hashes: Vec::new(),
    };
    Inputs { requirements: requirements.iter().enumerate().map(line).collect(), ..Inputs::default() }
}

/// Why there is no solution, in one sentence; no fix is looked for.
fn headline(failure: Box<NoSolution>, watcher: &dyn Watcher) -> String {
    let started = Instant::now();
    let request = ExplainRequest {
        budget: Budget::new(Duration::ZERO, Arc::new(move || started.elapsed())),
        alternatives: Vec::new(),
        others: Vec::new(),
    };
    explain::explain(failure, &request, watcher).headline
}

/// What happens on the way is a detail of the lock that is asked for.
pub(super) struct Aside<'a>(pub(super) &'a dyn Watcher);

impl Watcher for Aside<'_> {
    fn on(&self, event: Event) {
        match event {
            Event::Step(text) | Event::Warning(text) => {
                self.0.on(Event::Detail(format!("for a build: {text}")));
            }
            Event::Solving { .. } | Event::Deciding { .. } => {}
            other => self.0.on(other),
        }
    }

    fn cancelled(&self) -> bool {
        self.0.cancelled()
    }
}
