//! `pinfast lock`: the inputs, resolved and written down.

use std::cell::OnceCell;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::downgrades::{Downgrade, downgrades};
use super::held_back::{HeldBack, held_back};
use super::lock_inputs::LockInputs;
use super::pins::{self, Hashes};
use super::request::{IndexRequest, LockPlace, PolicyRequest, TargetRequest};
use super::scope::{self, LockScope};
use super::session::Session;
use super::skipped_entries::{self, SkippedEntries};
use super::{build_requirements, index_locations, metadata_builds, policy, render, unchanged};
use pinfast_base::error::{Error, Result};
use pinfast_base::event::Watcher;
use pinfast_build::BuildingIndex;
use pinfast_explain::{self as explain, Alternative, Budget, ExplainRequest, Explanation};
use pinfast_files as files;
use pinfast_inputs::{InputRequest, Inputs};
use pinfast_lock::diff::{Diff, diff};
use pinfast_lock::{self as lock, Annotations, Lock, Pin};
use pinfast_packaging::{Marker, PackageName, Target};
use pinfast_solve::{
    self as solve, Index, NoSolution, Policy, Preferences, Problem, SolveError, SolverIndex,
};

/// What to lock, and how.
#[derive(Clone, Debug)]
pub struct LockRequest {
    /// The inputs; none is `requirements.in`, else `pyproject.toml`.
    pub inputs: InputRequest,
    /// Where the lock goes, and where an older one is looked for.
    pub place: LockPlace,
    /// The target environments.
    pub targets: TargetRequest,
    /// Where packages come from.
    pub indexes: IndexRequest,
    /// What may be chosen.
    pub policy: PolicyRequest,
    /// Which pins of the older lock are not preferred.
    pub upgrade: Upgrade,
    /// Which hashes are written.
    pub hashes: Option<Hashes>,
    /// Whether each pin says who wants it.
    pub annotations: Option<Annotations>,
    /// The inputs that are read as they are here, not as they stand on the disk: file and text.
    pub edited: BTreeMap<String, String>,
}

/// Which pins of the older lock are not preferred.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Upgrade {
    /// All are preferred.
    #[default]
    None,
    /// None is (`--upgrade`).
    All,
    /// These are not (`--upgrade-package`).
    Packages(BTreeSet<PackageName>),
}

impl Upgrade {
    /// Those of older `pins` that are not to be upgraded.
    pub(super) fn preferences<'a>(&self, pins: impl Iterator<Item = &'a Pin>) -> Preferences {
        let mut preferences = Preferences::default();
        let kept = |pin: &&Pin| match self {
            Self::None => true,
            Self::All => false,
            Self::Packages(names) => !names.contains(&pin.name),
        };
        for pin in pins.filter(kept) {
            preferences.add_with_marker(pin.name.clone(), pin.version.clone(), &pin.marker);
        }
        preferences
    }
}

/// What came of it.
#[derive(Debug)]
pub struct Locked {
    /// The lock.
    pub lock: Lock,
    /// The lock as text.
    pub text: String,
    /// What changes from the lock that was there before; `None` where there was none.
    pub changes: Option<Diff>,
    /// The packages that fell far.
    pub downgrades: Vec<Downgrade>,
    /// Whether the file has these bytes already.
    pub state: LockFileState,
    /// The direct dependencies that are not at their newest release, sorted.
    pub held_back: Vec<HeldBack>,
    /// What a person should know of the resolution, each a sentence, sorted.
    pub warnings: Vec<String>,
}

/// Whether the file at the lock's place has its bytes already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LockFileState {
    /// It has, and the indexes say nothing else.
    Unchanged,
    /// It has, and no index was asked: see [`super::unchanged`].
    Fresh,
    /// It is to be written.
    New,
}

/// Why there is no lock.
pub enum LockError {
    /// There is no solution.
    NoSolution(Box<Unsolved>),
    /// Anything else.
    Error(Error),
}

/// A question without a solution, and what may be tried about it.
pub struct Unsolved {
    failure: Box<NoSolution>,
    /// The same inputs under other options, and for the other targets.
    alternatives: Vec<Alternative>,
    others: Vec<Arc<Problem>>,
    /// Where there is none, in a lock for every environment.
    somewhere: Option<Marker>,
}

impl Unsolved {
    /// Explains why, and tries what would help within `budget`.
    #[must_use]
    pub fn explain(self, budget: Budget, watcher: &dyn Watcher) -> Explanation {
        let Self { failure, alternatives, others, somewhere } = self;
        let place = match &somewhere {
            Some(marker) if marker.is_always() => None,
            Some(marker) => Some(format!("There is no solution in the environments with `{marker}`.")),
            None if others.is_empty() => None,
            None => Some(format!("This is about the target {}.", failure.index.problem.target.label())),
        };
        let request = ExplainRequest { budget, alternatives, others };
        let mut explanation = explain::explain(failure, &request, watcher);
        explanation.notes.extend(place);
        explanation
    }

    /// There is no solution where `somewhere` holds; `others` are solved.
    pub(super) fn somewhere(failure: Box<NoSolution>, somewhere: Marker, others: Vec<Arc<Problem>>) -> Self {
        Self { failure, alternatives: Vec::new(), others, somewhere: Some(somewhere) }
    }
}

impl From<Error> for LockError {
    fn from(error: Error) -> Self {
        Self::Error(error)
    }
}

/// Resolves what `request` names, or keeps the lock that is there (see [`super::unchanged`]). Nothing is written:
/// see [`Locked::write`].
///
/// # Errors
/// See [`LockError`].
pub fn lock(request: &LockRequest, session: &Session) -> Result<Locked, LockError> {
    let asked = LockInputs::read(request, session)?;
    let fresh = unchanged::fresh(&asked, request, session)?;
    if let Some(lock) = &fresh
        && let Some(kept) = lock.without_places(request)
    {
        return Ok(kept);
    }
    let python = request.targets.python.as_deref();
    let places = index_locations::places(&request.indexes, &asked.inputs.options, python, session)?;
    if let Some(kept) = fresh.and_then(|lock| lock.of(&places)) {
        return Ok(kept);
    }
    let client = index_locations::client(&request.indexes, &places, session)?;
    let place = match &request.place {
        // Without the `.` of `./requirements.txt`.
        LockPlace::File(path) => Some(session.env.current_dir().join(path).components().collect::<PathBuf>()),
        LockPlace::StandardOutput => None,
    };
    place.iter().for_each(|lock| client.load_snapshot(lock));
    let builds = OnceCell::<Arc<BuildingIndex>>::new();
    let locked = asked.resolve(request, session, |inputs, settled| {
        let scope = scope::scope(&request.targets, inputs, session)?;
        let index = metadata_builds::over(client.clone(), settled, scope.targets(), python, session)?;
        let builds = builds.get_or_init(|| index).clone();
        Ok(ResolutionContext { scope, index: builds.clone(), builds: Some(builds) })
    });
    match (&locked, builds.get()) {
        (Ok(locked), _) => {
            let pins = || locked.lock.pins.iter().map(|pin| (&pin.name, &pin.version));
            place.iter().for_each(|lock| client.save_snapshot(lock, pins()));
            unchanged::remember(locked, &places, session);
        }
        // The explanation tries this and that.
        (Err(LockError::NoSolution(_)), Some(builds)) => builds.close(),
        _ => {}
    }
    locked
}

/// What a question is asked of.
pub struct ResolutionContext {
    /// The environments.
    pub scope: LockScope,
    /// Where listings and metadata come from.
    pub index: Arc<dyn Index>,
    /// What tells what builds require; without it, none is locked.
    pub builds: Option<Arc<BuildingIndex>>,
}

/// Resolves what `request` names in the world that `world` tells of, having seen the inputs and the policy
/// that flags and settings make.
///
/// # Errors
/// See [`LockError`].
pub fn lock_in_context(
    request: &LockRequest,
    session: &Session,
    world: impl FnOnce(&Inputs, &PolicyRequest) -> Result<ResolutionContext>,
) -> Result<Locked, LockError> {
    LockInputs::read(request, session)?.resolve(request, session, world)
}

impl LockInputs {
    fn resolve(
        &self,
        request: &LockRequest,
        session: &Session,
        world: impl FnOnce(&Inputs, &PolicyRequest) -> Result<ResolutionContext>,
    ) -> Result<Locked, LockError> {
        let Self { inputs, settled, before, .. } = self;
        let ResolutionContext { scope, index, builds } = world(inputs, settled)?;
        session.keep(index.clone());
        let question = LockProblem {
            inputs,
            policy: policy::policy(settled, &inputs.options, session)?,
            preferences: before.preferences(&request.upgrade),
            hashes: self.hashes,
        };
        let answer = question.answer_in(&scope, index.clone(), session)?;
        let required = build_requirements::BuildRequirements {
            scope: &scope,
            index: &index,
            before: before.lock(),
            request,
        };
        let builds = required.builds(&settled.allow_build, &answer.pins, builds.as_deref(), session)?;
        let current = self.current(&scope, session);
        let mut lock = Lock { header: Some(self.header(&current)), pins: answer.pins, builds };
        lock.sort();
        let text = render::written(&lock, request, inputs, &current.environments, session)?;
        let state =
            if before.text.as_ref() == Some(&text) { LockFileState::Unchanged } else { LockFileState::New };
        let changes = before.lock().map(|before| diff(before, &lock));
        let downgrades = changes.as_ref().map(|changes| downgrades(changes, &*index)).unwrap_or_default();
        let warnings = answer
            .warnings
            .into_iter()
            .chain(skipped_entries::folded(&answer.skipped_entries, session))
            .collect();
        Ok(Locked { lock, text, changes, downgrades, state, held_back: answer.held_back, warnings })
    }
}

/// What is to be solved, for whatever target.
pub(super) struct LockProblem<'a> {
    pub(super) inputs: &'a Inputs,
    pub(super) policy: Policy,
    pub(super) preferences: Preferences,
    pub(super) hashes: Hashes,
}

/// What came of it, for all targets.
#[derive(Default)]
pub(super) struct LockSolution {
    pub(super) pins: Vec<Pin>,
    pub(super) warnings: BTreeSet<String>,
    pub(super) skipped_entries: SkippedEntries,
    pub(super) held_back: Vec<HeldBack>,
}

impl LockProblem<'_> {
    /// The answer for all environments of `scope`.
    pub(super) fn answer_in(
        &self,
        scope: &LockScope,
        index: Arc<dyn Index>,
        session: &Session,
    ) -> Result<LockSolution, LockError> {
        match scope {
            LockScope::Targets(targets) => self.answer(targets, index, session),
            LockScope::Universal(lowest) => self.answer_universal(lowest, index, session),
        }
    }

    /// One solve a target; what earlier ones chose is preferred by later ones.
    fn answer(
        &self,
        targets: &[Target],
        index: Arc<dyn Index>,
        session: &Session,
    ) -> Result<LockSolution, LockError> {
        let mut answer = LockSolution::default();
        let mut pins = Vec::new();
        let mut preferences = self.preferences.clone();
        for target in targets {
            let problem = Problem::new(self.inputs, target.clone(), self.policy.clone(), preferences.clone());
            let problem = Arc::new(problem);
            let known = Arc::new(SolverIndex::new(problem.clone(), index.clone()));
            session.keep(known.clone());
            let resolution = match solve::solve_with_index(&known, &*session.watcher) {
                Ok(resolution) => resolution,
                Err(SolveError::Fatal(error)) => return Err(LockError::Error(error)),
                Err(SolveError::NoSolution(failure)) => {
                    return Err(LockError::NoSolution(Box::new(self.unsolved(
                        failure,
                        target,
                        targets,
                        &preferences,
                    ))));
                }
            };
            pins.push(pins::pins(&resolution, &problem, self.hashes, &*index, session)?);
            answer.held_back.extend(held_back(&resolution, &known));
            answer.held_back.sort();
            answer.held_back.dedup();
            for (name, pin) in &resolution.pins {
                preferences.add(name.clone(), pin.candidate.version.clone());
            }
            answer.warnings.extend(resolution.warnings);
            answer.skipped_entries.extend(resolution.skipped_entries);
        }
        answer.pins = lock::merge(targets, pins);
        Ok(answer)
    }

    fn unsolved(
        &self,
        failure: Box<NoSolution>,
        target: &Target,
        targets: &[Target],
        preferences: &Preferences,
    ) -> Unsolved {
        let pose = |target: &Target| {
            let (policy, preferences) = (self.policy.clone(), preferences.clone());
            Arc::new(Problem::new(self.inputs, target.clone(), policy, preferences))
        };
        let others = targets.iter().filter(|other| other.label() != target.label());
        Unsolved {
            failure,
            alternatives: explain::target_alternatives(targets, target, pose),
            others: others.map(pose).collect(),
            somewhere: None,
        }
    }
}

impl Locked {
    /// Writes the lock to its place, unless it is there already.
    ///
    /// # Errors
    /// When it cannot be written; then the old one is untouched.
    pub fn write(&self, path: &Path, session: &Session) -> Result<()> {
        match self.state {
            LockFileState::Unchanged | LockFileState::Fresh => Ok(()),
            LockFileState::New => files::replace(&session.env.current_dir().join(path), &self.text),
        }
    }
}
