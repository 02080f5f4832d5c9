//! `pinfast lock`: settings and inputs -> a lock.
//!
//! A fresh lock is kept without an index (see [`super::unchanged`]). Otherwise the inputs are resolved for each
//! target, or once for a universal lock, and the result is rendered.

use std::sync::Arc;

use super::build_requirements::BuildRequirements;
use super::downgrades::downgrades;
use super::lock_inputs::LockInputs;
use super::lock_settings::IndexLocations;
pub use super::locked::{LockFileState, Locked};
use super::metadata_builds;
use super::render::render;
pub use super::request::{LockRequest, Upgrade};
use super::resolution_problem::ResolutionProblem;
use super::scope::LockScope;
use super::session::Session;
pub use super::unsolved::{LockError, Unsolved};
use super::{skipped_entries, unchanged};
use pinfast_base::error::Result;
use pinfast_build::BuildingIndex;
use pinfast_lock::Lock;
use pinfast_lock::diff::diff;
use pinfast_packaging::Target;
use pinfast_solve::Index;

/// Makes the lock that `request` asks for, or keeps a fresh one. Writes no file; [`Locked::write`] does.
///
/// # Errors
/// See [`LockError`].
pub fn lock(request: &LockRequest, session: &Session) -> Result<Locked, LockError> {
    let inputs = LockInputs::read(request, session)?;
    let fresh = unchanged::fresh_lock(&inputs, session)?;
    if let Some(locked) = fresh.as_ref().and_then(|lock| lock.without_locations(&inputs.indexes)) {
        return Ok(locked);
    }
    let interpreter = &inputs.settings.targets.interpreter.value;
    let locations = IndexLocations::choose(&inputs.indexes, interpreter, session)?;
    if let Some(locked) = fresh.and_then(|lock| lock.if_located_at(&locations)) {
        return Ok(locked);
    }
    let client = locations.client(session)?;
    let path = inputs.lock_path(session);
    // Before the scope: what the last run needed is fetched while an interpreter starts.
    path.iter().for_each(|path| client.load_snapshot(path));
    let scope = inputs.scope(session)?;
    let builds = metadata_builds::index(client.clone(), &inputs.settings, scope.targets(), session)?;
    let context = ResolutionContext { scope, index: builds.clone(), builds: Some(&builds) };
    let locked = context.resolve(&inputs, session);
    match &locked {
        Ok(locked) => {
            let pins = || locked.lock.pins.iter().map(|pin| (&pin.name, &pin.version));
            path.iter().for_each(|path| client.save_snapshot(path, pins()));
            unchanged::record_locations(locked, &locations, session);
        }
        // The explanation tries many changes; each could run a build.
        Err(LockError::NoSolution(_)) => builds.close(),
        Err(LockError::Error(_)) => {}
    }
    locked
}

/// Makes the lock of `request` from `index` alone, without builds; for `targets`, if there are some.
///
/// # Errors
/// See [`LockError`].
pub fn lock_from_index(
    request: &LockRequest,
    index: Arc<dyn Index>,
    targets: Option<Vec<Target>>,
    session: &Session,
) -> Result<Locked, LockError> {
    let inputs = LockInputs::read(request, session)?;
    let fixed = targets.map(LockScope::Targets);
    let scope = fixed.as_ref().map_or_else(|| inputs.scope(session), Ok)?;
    ResolutionContext { scope, index, builds: None }.resolve(&inputs, session)
}

/// What a resolution depends on besides its inputs.
struct ResolutionContext<'a> {
    scope: &'a LockScope,
    /// The source of listings and metadata.
    index: Arc<dyn Index>,
    /// The builds; without them, no build requirements are locked.
    builds: Option<&'a BuildingIndex>,
}

impl ResolutionContext<'_> {
    fn resolve(self, inputs: &LockInputs, session: &Session) -> Result<Locked, LockError> {
        let Self { scope, index, builds } = self;
        session.keep_alive(index.clone());
        let settings = &inputs.settings;
        let problem = ResolutionProblem {
            inputs: &inputs.inputs,
            policy: settings.policy.policy(),
            preferences: inputs.preferences(),
            hashes: settings.writing.hashes.value,
        };
        let solution = problem.solve(scope, index.clone(), session)?;
        let builds = match builds {
            Some(building) => {
                BuildRequirements { scope, index: &index, inputs, building }.lock(&solution.pins, session)?
            }
            None => Vec::new(),
        };
        let fingerprint = inputs.fingerprint(scope, session);
        let mut lock = Lock { header: Some(inputs.header(&fingerprint)), pins: solution.pins, builds };
        lock.sort();
        let text = render(&lock, inputs, &fingerprint.environments, session)?;
        let is_unchanged = inputs.existing.text.as_ref() == Some(&text);
        let changes = inputs.existing.lock().map(|existing| diff(existing, &lock));
        let downgrades = changes.as_ref().map(|changes| downgrades(changes, &*index)).unwrap_or_default();
        let skipped = skipped_entries::warning(&solution.skipped_entries, session);
        Ok(Locked {
            lock,
            text,
            changes,
            downgrades,
            state: if is_unchanged { LockFileState::Unchanged } else { LockFileState::New },
            held_back: solution.held_back,
            warnings: solution.warnings.into_iter().chain(skipped).collect(),
        })
    }
}
