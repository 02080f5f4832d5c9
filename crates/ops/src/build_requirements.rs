//! What the builds that a lock permits require: pinned as everything else, as wheels only, so that no build
//! leads to another one.

use std::sync::Arc;
use std::time::Duration;

use super::lock::{self, LockError, LockRequest};
use super::pins::Hashes;
use super::policy;
use super::scope::LockScope;
use super::session::Session;
use pinfast_base::error::{Error, Result};
use pinfast_build::{self as build, BuildingIndex};
use pinfast_explain::Budget;
use pinfast_lock::{Lock, PermittedBuild, Pin};
use pinfast_packaging::{DistFile, DistFilename, PackageName};
use pinfast_solve::{Index, PackageSet, Policy};

/// For which environments, and from where.
pub(super) struct BuildRequirements<'a> {
    pub(super) scope: &'a LockScope,
    pub(super) index: &'a Arc<dyn Index>,
    /// The older lock, whose pins are preferred.
    pub(super) before: Option<&'a Lock>,
    pub(super) request: &'a LockRequest,
}

impl BuildRequirements<'_> {
    /// The builds of those of `pins` that are named, and have a source distribution.
    pub(super) fn builds(
        &self,
        named: &[PackageName],
        pins: &[Pin],
        building: Option<&BuildingIndex>,
        session: &Session,
    ) -> Result<Vec<PermittedBuild>, LockError> {
        let Some(building) = building else { return Ok(Vec::new()) };
        for name in named.iter().filter(|name| pins.iter().all(|pin| pin.name != **name)) {
            session.warn(format!("`--allow-build {name}` permits nothing: {name} is not in the lock"));
        }
        let permitted = pins.iter().filter(|pin| named.contains(&pin.name));
        let sdists = permitted.filter_map(|pin| Some((pin, sdist(pin)?)));
        sdists.map(|(pin, sdist)| self.build(pin, &sdist, building, session)).collect()
    }

    fn build(
        &self,
        pin: &Pin,
        sdist: &DistFile,
        building: &BuildingIndex,
        session: &Session,
    ) -> Result<PermittedBuild, LockError> {
        let inputs = build::build_inputs(&building.build_requirements(sdist)?);
        let exclude_newer = policy::settled(&self.request.policy, session)?.exclude_newer;
        let exclude_newer =
            exclude_newer.map(|text| policy::instant(&text, jiff::Timestamp::now())).transpose()?;
        let older = self.before.iter().flat_map(|lock| &lock.builds).filter(|build| build.name == pin.name);
        let question = lock::LockProblem {
            inputs: &inputs,
            policy: Policy { only_binary: PackageSet::All, exclude_newer, ..Policy::default() },
            preferences: self.request.upgrade.preferences(older.flat_map(|build| &build.pins)),
            hashes: Hashes::All,
        };
        let answer = question.answer_in(self.scope, self.index.clone(), session);
        let mut pins = answer.map_err(|failure| told(failure, pin, session))?.pins;
        // Who wants what of a build is its own affair.
        pins.iter_mut().for_each(|pin| pin.via.clear());
        Ok(PermittedBuild { name: pin.name.clone(), version: pin.version.clone(), pins })
    }
}

/// The source distribution of a pin: `.tar.gz` before `.zip`.
fn sdist(pin: &Pin) -> Option<DistFile> {
    let files = pin.files.iter().filter_map(|file| file.to_dist_file(&pin.name));
    let sdists = files.filter(|file| matches!(file.dist, DistFilename::Sdist { .. }));
    sdists.min_by(|a, b| a.filename.cmp(&b.filename))
}

/// Why there is no lock, for people who did not ask for what is missing.
fn told(failure: LockError, pin: &Pin, session: &Session) -> LockError {
    let LockError::NoSolution(unsolved) = failure else { return failure };
    let budget = Budget::new(Duration::ZERO, Arc::new(|| Duration::ZERO));
    let why = unsolved.explain(budget, &*session.watcher).headline;
    let error =
        Error::no(format!("what the build of {} {} requires cannot be had as wheels", pin.name, pin.version))
            .detail(format!("  {why}"))
            .hint(format!("build a wheel of {} once, give it with `--find-links`, and lock again", pin.name));
    LockError::Error(error)
}
