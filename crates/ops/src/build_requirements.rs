//! Locks the build requirements of the sdists that `install` may build.
//!
//! Build requirements are resolved to wheels only, so that no build needs another build.

use std::sync::Arc;
use std::time::Duration;

use super::lock_inputs::LockInputs;
use super::pins::Hashes;
use super::resolution_problem::ResolutionProblem;
use super::scope::LockScope;
use super::session::Session;
use super::unsolved::LockError;
use pinfast_base::error::{Error, Result};
use pinfast_build::{self as build, BuildingIndex};
use pinfast_explain::Budget;
use pinfast_lock::{PermittedBuild, Pin};
use pinfast_packaging::{DistFile, DistFilename};
use pinfast_solve::{Index, PackageSet, Policy};

/// The source of the build requirements.
pub(super) struct BuildRequirements<'a> {
    pub(super) scope: &'a LockScope,
    pub(super) index: &'a Arc<dyn Index>,
    pub(super) inputs: &'a LockInputs,
    pub(super) building: &'a BuildingIndex,
}

impl BuildRequirements<'_> {
    /// Locks the builds of those of `pins` that the settings allow and that have an sdist.
    pub(super) fn lock(&self, pins: &[Pin], session: &Session) -> Result<Vec<PermittedBuild>, LockError> {
        let allowed = &self.inputs.settings.policy.allow_build.value;
        for name in allowed.iter().filter(|name| pins.iter().all(|pin| pin.name != **name)) {
            session.warn(format!("`--allow-build {name}` has no effect: {name} is not in the lock"));
        }
        let pins = pins.iter().filter(|pin| allowed.contains(&pin.name));
        let sdists = pins.filter_map(|pin| Some((pin, sdist(pin)?)));
        sdists.map(|(pin, sdist)| self.lock_build(pin, &sdist, session)).collect()
    }

    fn lock_build(
        &self,
        pin: &Pin,
        sdist: &DistFile,
        session: &Session,
    ) -> Result<PermittedBuild, LockError> {
        let existing = self.inputs.existing.lock().into_iter().flat_map(|lock| &lock.builds);
        let existing = existing.filter(|build| build.name == pin.name).flat_map(|build| &build.pins);
        let problem = ResolutionProblem {
            inputs: &build::build_inputs(&self.building.build_requirements(sdist)?),
            policy: Policy {
                only_binary: PackageSet::All,
                exclude_newer: self.inputs.settings.policy.exclude_newer(),
                ..Policy::default()
            },
            preferences: self.inputs.upgrade.preferences(existing),
            hashes: Hashes::All,
        };
        let solution = problem.solve(self.scope, self.index.clone(), session);
        let mut pins = solution.map_err(|failure| build_error(failure, pin, session))?.pins;
        // Their dependents are in the sdist, which no reader of the lock sees.
        pins.iter_mut().for_each(|pin| pin.via.clear());
        Ok(PermittedBuild { name: pin.name.clone(), version: pin.version.clone(), pins })
    }
}

/// The source distribution of a pin; `.tar.gz` is preferred to `.zip`.
fn sdist(pin: &Pin) -> Option<DistFile> {
    let files = pin.files.iter().filter_map(|file| file.to_dist_file(&pin.name));
    let sdists = files.filter(|file| matches!(file.dist, DistFilename::Sdist { .. }));
    sdists.min_by(|a, b| a.filename.cmp(&b.filename))
}

/// Turns a conflict among build requirements into an error. Its fixes would not help: the user did not write
/// these requirements.
fn build_error(failure: LockError, pin: &Pin, session: &Session) -> LockError {
    let LockError::NoSolution(unsolved) = failure else { return failure };
    let budget = Budget::new(Duration::ZERO, Arc::new(|| Duration::ZERO));
    let why = unsolved.explain(budget, &*session.watcher).headline;
    let error =
        Error::no(format!("no wheels satisfy the build requirements of {} {}", pin.name, pin.version))
            .detail(format!("  {why}"))
            .hint(format!(
                "build a wheel of {} once, name its folder with `--find-links`, and lock again",
                pin.name
            ));
    LockError::Error(error)
}
