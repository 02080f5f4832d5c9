//! The direct dependencies that are not at their newest release, and what holds each back.

use std::cell::Cell;

use super::downgrades::{Distance, distance};
use pinfast_inputs::InputLine;
use pinfast_packaging::{PackageName, Requirement, Version};
use pinfast_solve::{
    Candidate, Dependent, Index, IndexQuery, Problem, Resolution, ResolvedPin, SolverIndex, Tier, Trust,
    base_requirements,
};

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
    /// a distance that nobody chose.
    pub distance: Option<Distance>,
}

/// What holds a package back.
enum Limit {
    /// A line of the inputs.
    Line(String),
    /// What other packages ask for.
    Packages(String),
    /// Nothing: an older pin was kept.
    OlderPin,
}

/// The direct dependencies of a resolution, found on what is `known`, that are not at their newest release.
pub(super) fn held_back(resolution: &Resolution, known: &SolverIndex) -> Vec<HeldBack> {
    let (problem, index) = (&*known.problem, &*known.source);
    let asked = HeldBackSearch { resolution, known, problem, index, steps: Cell::new(MOST_STEPS) };
    let is_direct = |pin: &ResolvedPin| pin.dependents.iter().any(|(by, _)| matches!(by, Dependent::Line(_)));
    let meant = resolution.pins.iter().filter(|(name, pin)| is_direct(pin) && !problem.prefers_lowest(name));
    let behind: Vec<Behind> =
        meant.filter_map(|(name, pin)| Some(Behind { name, pin, newest: pin.newest.as_ref()? })).collect();
    let untold = behind.iter().filter(|behind| asked.asked_for(behind).is_none());
    let files = untold.filter_map(|behind| Some(behind.pin.newest_candidate.as_ref()?.file().clone()));
    index.prefetch(&files.map(|file| IndexQuery::Metadata(file, Trust::Release)).collect::<Vec<_>>());
    behind.iter().map(|behind| asked.held(behind)).collect()
}

/// A direct dependency that is behind.
struct Behind<'a> {
    name: &'a PackageName,
    pin: &'a ResolvedPin,
    newest: &'a Version,
}

/// How many packages are followed beyond what the newest releases ask for, in all. Each may take two round trips, and
/// nobody waits for the sake of a remark: a package that is not followed is told as kept.
const MOST_STEPS: usize = 8;

struct HeldBackSearch<'a> {
    resolution: &'a Resolution,
    known: &'a SolverIndex,
    problem: &'a Problem,
    index: &'a dyn Index,
    /// How many more packages may be followed.
    steps: Cell<usize>,
}

impl HeldBackSearch<'_> {
    fn held(&self, behind: &Behind) -> HeldBack {
        let Behind { name, pin, newest } = *behind;
        let chosen = &pin.candidate.version;
        let (by, distance) = match self.asked_for(behind).unwrap_or_else(|| self.asks_for(behind)) {
            Limit::Line(by) => (Some(by), None),
            Limit::Packages(by) => (Some(by), distance(name, newest, chosen, self.index)),
            Limit::OlderPin => (None, None),
        };
        HeldBack { name: name.clone(), chosen: chosen.clone(), newest: newest.clone(), by, distance }
    }

    /// What is asked of the package that the newest release is not.
    fn asked_for(&self, Behind { name, pin, newest }: &Behind) -> Option<Limit> {
        let binds = |line: &&InputLine| {
            let InputLine { requirement, .. } = line;
            requirement.name == **name
                && requirement.applies(&self.problem.target, &[])
                && !requirement.specifiers().contains(newest)
        };
        if let Some(line) = self.problem.overrides.iter().find(binds) {
            return Some(Limit::Line(format!("the override {}", told(line))));
        }
        let mut bars =
            pin.dependents.iter().filter(|(_, requirement)| !requirement.specifiers().contains(newest));
        match bars.next() {
            Some((Dependent::Line(line), _)) => return Some(Limit::Line(told(&self.problem.lines[*line]))),
            Some((Dependent::Package(by), requirement)) => {
                let version = &self.resolution.pins[by].candidate.version;
                return Some(Limit::Packages(format!("{by} {version}, which needs {requirement}")));
            }
            None => {}
        }
        let constraint = self.problem.constraints.iter().find(binds)?;
        Some(Limit::Line(format!("the constraint {}", told(constraint))))
    }

    /// What the newest release itself asks for; where an older pin was kept, only what no newer lock could give it.
    fn asks_for(&self, Behind { name, pin, newest }: &Behind) -> Limit {
        let is_kept = self.problem.preferences.versions(name).contains(&pin.candidate.version);
        let misfits = pin.newest_candidate.as_ref().map(|newest| self.misfits(newest)).unwrap_or_default();
        match misfits.into_iter().find(|misfit| !is_kept || self.is_stuck(misfit, &mut vec![(*name).clone()]))
        {
            None if is_kept => Limit::OlderPin,
            None => {
                Limit::Packages(format!("{name} {newest} itself, which does not fit what else is locked"))
            }
            Some(misfit) => {
                let locked = &self.resolution.pins[&misfit.name].candidate.version;
                Limit::Packages(format!(
                    "{name} {newest} itself, which needs {misfit}, where {locked} is locked"
                ))
            }
        }
    }

    /// What `candidate` asks for that the other pins are not.
    fn misfits(&self, candidate: &Candidate) -> Vec<Requirement> {
        let Ok(metadata) = self.index.metadata(candidate.file(), Trust::Release) else { return Vec::new() };
        let misfit = |requirement: &&Requirement| {
            let pin = self.resolution.pins.get(&requirement.name);
            pin.is_some_and(|pin| !requirement.specifiers().contains(&pin.candidate.version))
        };
        base_requirements(self.problem, &metadata).into_iter().filter(misfit).cloned().collect()
    }

    /// Whether the pin that `misfit` does not fit could not be raised to fit it either, as far as one choice tells: that
    /// of the newest stable release that all others let in. The packages of `moving` are no longer at their pins.
    fn is_stuck(&self, misfit: &Requirement, moving: &mut Vec<PackageName>) -> bool {
        let Some(left) = self.steps.get().checked_sub(1) else { return false };
        self.steps.set(left);
        moving.push(misfit.name.clone());
        let stays = |asker: &Dependent| !matches!(asker, Dependent::Package(by) if moving.contains(by));
        let dependents = self.resolution.pins.get(&misfit.name).into_iter().flat_map(|pin| &pin.dependents);
        let bounds: Vec<&Requirement> =
            dependents.filter(|(by, _)| stays(by)).map(|(_, asked)| asked).chain([misfit]).collect();
        let fits = |next: &&Candidate| {
            next.tier == Tier::Stable && bounds.iter().all(|bound| bound.specifiers().contains(&next.version))
        };
        let Ok(all) = self.known.candidates(&misfit.name) else { return false };
        let Some(next) = all.usable.iter().rfind(fits) else { return true };
        let further = self.misfits(next);
        further.iter().any(|misfit| !moving.contains(&misfit.name) && self.is_stuck(misfit, moving))
    }
}

fn told(line: &InputLine) -> String {
    format!("`{}` at {}", line.text, line.at)
}
