//! The direct dependencies that are not at their newest release, and what holds each back.

use std::sync::Arc;

use super::changes::{Height, height};
use crate::inputs::InputLine;
use crate::solve::{self, Asker, Index, Problem, Resolution, ResolvedPin, Trust, base_requirements};
use crate::spec::{PackageName, Version};

/// A direct dependency that is not at its newest release for the target.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct HeldBack {
    /// The package.
    pub name: PackageName,
    /// The release that was chosen.
    pub chosen: Version,
    /// The newest one.
    pub newest: Version,
    /// Who holds it back: `FILE:LINE` or `package version`, with what it asks, or what the newest release itself asks
    /// for; `None` where an older pin was kept.
    pub by: Option<String>,
    /// How far behind the newest it is, where that is far and no line of the inputs on this package asks for it:
    /// a fall that nobody chose.
    pub fall: Option<Height>,
}

/// What holds a package back.
enum Bar {
    /// A line of the inputs.
    Line(String),
    /// What other packages ask for.
    Packages(String),
    /// Nothing: an older pin was kept.
    OlderPin,
}

/// The direct dependencies of a resolution that are not at their newest release.
pub(super) fn held_back(
    resolution: &Resolution,
    problem: &Arc<Problem>,
    index: &Arc<dyn Index>,
) -> Vec<HeldBack> {
    let asked = Held { resolution, problem, index };
    let pins = resolution.pins.iter();
    let direct = pins.filter(|(_, pin)| pin.askers.iter().any(|(by, _)| matches!(by, Asker::Line(_))));
    direct.filter_map(|(name, pin)| asked.held(name, pin)).collect()
}

struct Held<'a> {
    resolution: &'a Resolution,
    problem: &'a Arc<Problem>,
    index: &'a Arc<dyn Index>,
}

impl Held<'_> {
    fn held(&self, name: &PackageName, pin: &ResolvedPin) -> Option<HeldBack> {
        let newest = pin.newest.clone()?;
        let chosen = pin.candidate.version.clone();
        let (by, fall) = match self.bar(name, pin, &newest) {
            Bar::Line(by) => (Some(by), None),
            Bar::Packages(by) => (Some(by), height(name, &newest, &chosen, &**self.index)),
            Bar::OlderPin => (None, None),
        };
        Some(HeldBack { name: name.clone(), chosen, newest, by, fall })
    }

    fn bar(&self, name: &PackageName, pin: &ResolvedPin, newest: &Version) -> Bar {
        let mut bars =
            pin.askers.iter().filter(|(_, requirement)| !requirement.specifiers().contains(newest));
        match bars.next() {
            Some((Asker::Line(line), _)) => return Bar::Line(told(&self.problem.lines[*line])),
            Some((Asker::Package(by), requirement)) => {
                let version = &self.resolution.pins[by].candidate.version;
                return Bar::Packages(format!("{by} {version}, which needs {requirement}"));
            }
            None => {}
        }
        let binds = |line: &&InputLine| {
            line.requirement.name == *name && !line.requirement.specifiers().contains(newest)
        };
        if let Some(constraint) = self.problem.constraints.iter().find(binds) {
            return Bar::Line(format!("the constraint {}", told(constraint)));
        }
        if self.problem.preferences.of(name).contains(&pin.candidate.version) {
            return Bar::OlderPin;
        }
        let misfit =
            self.misfit(name, newest).unwrap_or_else(|| "does not fit what else is locked".to_owned());
        Bar::Packages(format!("{name} {newest} itself, which {misfit}"))
    }

    /// What `version` of `name` asks for that the other pins are not.
    fn misfit(&self, name: &PackageName, version: &Version) -> Option<String> {
        let candidates = solve::candidates(self.problem.clone(), self.index.clone(), name).ok()?;
        let newest = candidates.usable.iter().find(|candidate| candidate.version == *version)?;
        let metadata = self.index.metadata(newest.file(), Trust::Release).ok()?;
        let pinned = |name| Some(&self.resolution.pins.get(name)?.candidate.version);
        base_requirements(self.problem, &metadata).into_iter().find_map(|requirement| {
            let pin = pinned(&requirement.name).filter(|pin| !requirement.specifiers().contains(pin))?;
            Some(format!("needs {requirement}, where {pin} is locked"))
        })
    }
}

fn told(line: &InputLine) -> String {
    format!("`{}` at {}", line.text, line.at)
}
