//! A resolution -> the pins of a lock, with the hashes of their files.

use std::str::FromStr;
use std::sync::Arc;

use super::paths::file_name;
use super::session::Session;
use pinfast_base::error::Result;
use pinfast_lock::{FileLocation, LockedFile, Pin, Via};
use pinfast_packaging::{DistFile, PackageName, Sha256};
use pinfast_solve::{Dependent, Index, Problem, Resolution, ResolvedPin};

/// The files of a release whose hashes a lock holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Hashes {
    /// All files that the policy allows: the lock installs on any platform.
    #[default]
    All,
    /// The files that fit the target.
    Targets,
}

impl FromStr for Hashes {
    type Err = String;

    fn from_str(text: &str) -> std::result::Result<Self, String> {
        match text {
            "all" => Ok(Self::All),
            "targets" => Ok(Self::Targets),
            _ => Err(format!("`{text}` is neither `all` nor `targets`")),
        }
    }
}

/// The pins of a lock for one resolution.
pub(super) fn build_pins(
    resolution: &Resolution,
    problem: &Problem,
    hashes: Hashes,
    index: &dyn Index,
    session: &Session,
) -> Result<Vec<Pin>> {
    let builder = PinBuilder { problem, hashes, index, session };
    resolution.pins.iter().map(|(name, pin)| builder.build_pin(name, pin)).collect()
}

struct PinBuilder<'a> {
    problem: &'a Problem,
    hashes: Hashes,
    index: &'a dyn Index,
    session: &'a Session,
}

impl PinBuilder<'_> {
    fn build_pin(&self, name: &PackageName, resolved: &ResolvedPin) -> Result<Pin> {
        let candidate = &resolved.candidate;
        let mut files = Vec::new();
        for file in candidate.files().filter(|file| self.is_allowed(file, candidate.file())) {
            files.push(locked_file(file, self.hash(file)?));
        }
        let mut pin = Pin::new(name.clone(), candidate.version.clone());
        pin.extras = resolved.extras.iter().cloned().collect();
        pin.url = candidate.url.as_deref().cloned();
        pin.hashes = files.iter().map(|file| file.sha256).collect();
        pin.files = files;
        pin.via = resolved
            .dependents
            .iter()
            .map(|(dependent, requirement)| self.via(dependent, requirement))
            .collect();
        if let Some(line) = self.problem.constraints.iter().find(|line| line.requirement.name == *name) {
            pin.via.push(Via::Constraint(file_name(&line.at.file, self.session).into()));
        }
        Ok(pin)
    }

    fn is_allowed(&self, file: &Arc<DistFile>, chosen: &Arc<DistFile>) -> bool {
        match (self.hashes, &file.dist) {
            (Hashes::All, _) => true,
            (Hashes::Targets, pinfast_packaging::DistFilename::Wheel(wheel)) => {
                self.problem.target.tags().rank(&wheel.tags).is_some()
            }
            (Hashes::Targets, pinfast_packaging::DistFilename::Sdist { .. }) => Arc::ptr_eq(file, chosen),
        }
    }

    /// The hash on the index; without one, the file is downloaded and hashed.
    fn hash(&self, file: &Arc<DistFile>) -> Result<Sha256> {
        file.sha256.map_or_else(|| self.index.sha256(file), Ok)
    }

    fn via(&self, dependent: &Dependent, requirement: &pinfast_packaging::Requirement) -> Via {
        match dependent {
            Dependent::Line(line) => {
                Via::Input(file_name(&self.problem.lines[*line].at.file, self.session).into())
            }
            Dependent::Package(name) => Via::requiring(name.clone(), requirement),
        }
    }
}

fn locked_file(file: &DistFile, sha256: Sha256) -> LockedFile {
    LockedFile {
        name: file.filename.clone(),
        sha256,
        location: Some(FileLocation::Url(file.url.clone())),
        size: file.size,
    }
}
