//! The direct dependencies that are not at their newest release, and what holds each one back.
//!
//! A resolution and the index go in. For each such package the search looks for a requirement that excludes the newest
//! release: an override, a requirement of a line or a package, a constraint, then those of the newest release itself.

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
    /// What excludes the newest release: a line of the inputs, the requirement of a package, or a requirement of the
    /// newest release itself. `None` if only a preferred older pin does.
    pub by: Option<String>,
    /// How far behind it is, if that is far and no line of the inputs asked for it.
    pub distance: Option<Distance>,
}

/// What holds a package back.
enum Limit {
    /// A line of the inputs.
    Line(String),
    /// A requirement of a package.
    Packages(String),
    /// Only the preference for an older pin.
    OlderPin,
}

/// The direct dependencies of `resolution` that are not at their newest release on `solver_index`.
pub(super) fn find_held_back(resolution: &Resolution, solver_index: &SolverIndex) -> Vec<HeldBack> {
    let (problem, index) = (&*solver_index.problem, &*solver_index.source);
    let search = HeldBackSearch { resolution, solver_index, problem, index, steps: Cell::new(MAX_STEPS) };
    let is_direct = |pin: &ResolvedPin| pin.dependents.iter().any(|(by, _)| matches!(by, Dependent::Line(_)));
    let direct = resolution.pins.iter().filter(|(name, pin)| is_direct(pin) && !problem.prefers_lowest(name));
    let behind: Vec<Behind> =
        direct.filter_map(|(name, pin)| Some(Behind { name, pin, newest: pin.newest.as_ref()? })).collect();
    // Only these need the metadata of their newest release.
    let unexplained = behind.iter().filter(|behind| search.limit_by_others(behind).is_none());
    let files = unexplained.filter_map(|behind| Some(behind.pin.newest_candidate.as_ref()?.file().clone()));
    index.prefetch(&files.map(|file| IndexQuery::Metadata(file, Trust::Release)).collect::<Vec<_>>());
    behind.iter().map(|behind| search.explain(behind)).collect()
}

/// A direct dependency that is behind its newest release.
struct Behind<'a> {
    name: &'a PackageName,
    pin: &'a ResolvedPin,
    newest: &'a Version,
}

/// How many packages to follow beyond the requirements of the newest releases. Each can take two round trips, which a
/// remark is not worth. A package that is not followed counts as an older pin.
const MAX_STEPS: usize = 8;

struct HeldBackSearch<'a> {
    resolution: &'a Resolution,
    solver_index: &'a SolverIndex,
    problem: &'a Problem,
    index: &'a dyn Index,
    /// How many packages may still be followed.
    steps: Cell<usize>,
}

impl HeldBackSearch<'_> {
    fn explain(&self, behind: &Behind) -> HeldBack {
        let Behind { name, pin, newest } = *behind;
        let chosen = &pin.candidate.version;
        let (by, distance) =
            match self.limit_by_others(behind).unwrap_or_else(|| self.limit_by_itself(behind)) {
                Limit::Line(by) => (Some(by), None),
                Limit::Packages(by) => (Some(by), distance(name, newest, chosen, self.index)),
                Limit::OlderPin => (None, None),
            };
        HeldBack { name: name.clone(), chosen: chosen.clone(), newest: newest.clone(), by, distance }
    }

    /// A requirement on the package that excludes its newest release.
    fn limit_by_others(&self, Behind { name, pin, newest }: &Behind) -> Option<Limit> {
        let binds = |line: &&InputLine| {
            let InputLine { requirement, .. } = line;
            requirement.name == **name
                && requirement.applies(&self.problem.target, &[])
                && !requirement.specifiers().contains(newest)
        };
        if let Some(line) = self.problem.overrides.iter().find(binds) {
            return Some(Limit::Line(format!("the override {}", describe(line))));
        }
        let mut bars =
            pin.dependents.iter().filter(|(_, requirement)| !requirement.specifiers().contains(newest));
        match bars.next() {
            Some((Dependent::Line(line), _)) => {
                return Some(Limit::Line(describe(&self.problem.lines[*line])));
            }
            Some((Dependent::Package(by), requirement)) => {
                let version = &self.resolution.pins[by].candidate.version;
                return Some(Limit::Packages(format!("{by} {version}, which needs {requirement}")));
            }
            None => {}
        }
        let constraint = self.problem.constraints.iter().find(binds)?;
        Some(Limit::Line(format!("the constraint {}", describe(constraint))))
    }

    /// A requirement of the newest release that the other pins do not satisfy. If an older pin is preferred, only one
    /// that no newer pins could satisfy either.
    fn limit_by_itself(&self, Behind { name, pin, newest }: &Behind) -> Limit {
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

    /// The requirements of `candidate` that the pins do not satisfy.
    fn misfits(&self, candidate: &Candidate) -> Vec<Requirement> {
        let Ok(metadata) = self.index.metadata(candidate.file(), Trust::Release) else { return Vec::new() };
        let misfit = |requirement: &&Requirement| {
            let pin = self.resolution.pins.get(&requirement.name);
            pin.is_some_and(|pin| !requirement.specifiers().contains(&pin.candidate.version))
        };
        base_requirements(self.problem, &metadata).into_iter().filter(misfit).cloned().collect()
    }

    /// Whether no newer pin can satisfy `misfit`. It tries one candidate: the newest stable release that the requirements
    /// of all other packages allow. The packages in `moving` are no longer at their pins.
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
        let Ok(all) = self.solver_index.candidates(&misfit.name) else { return false };
        let Some(next) = all.usable.iter().rfind(fits) else { return true };
        let further = self.misfits(next);
        further.iter().any(|misfit| !moving.contains(&misfit.name) && self.is_stuck(misfit, moving))
    }
}

fn describe(line: &InputLine) -> String {
    format!("`{}` at {}", line.text, line.at)
}
