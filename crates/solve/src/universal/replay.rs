//! An answer out of the pins of other regions, without a search: most regions differ in a pin or two.

use std::collections::BTreeMap;

use rustc_hash::FxHashMap;

use super::fits;
use crate::{Dependent, Problem, Resolution, ResolvedPin, Tier, base_requirements, extra_requirements};
use pinfast_packaging::{ExtraName, PackageName, Requirement, RequirementSource};

/// The pins of the regions solved so far: for each package, in the order in which they were chosen.
#[derive(Default)]
pub(super) struct Repertoire(FxHashMap<PackageName, Vec<ResolvedPin>>);

impl Repertoire {
    /// Adds the pins of `resolution` that are new.
    pub(super) fn add(&mut self, resolution: &Resolution) {
        for (name, pin) in &resolution.pins {
            let pins = self.0.entry(name.clone()).or_default();
            let is_same = |known: &ResolvedPin| {
                (&known.candidate.version, &known.candidate.url)
                    == (&pin.candidate.version, &pin.candidate.url)
            };
            // What is not stable is taken for reasons of its own region.
            if pin.candidate.tier == Tier::Stable && !pins.iter().any(is_same) {
                pins.push(pin.clone());
            }
        }
    }

    /// The resolution of `problem` that takes for each package the dearest release that fits where the
    /// package is first asked for; `None` where that is none.
    pub(super) fn replayed(&self, problem: &Problem) -> Option<Resolution> {
        let mut replay = Replay { repertoire: self, problem, pins: BTreeMap::new(), queue: Vec::new() };
        for (place, line) in problem.lines.iter().enumerate() {
            for requirement in problem.apply_overrides(&line.requirement) {
                replay.ask(requirement, Dependent::Line(place))?;
            }
        }
        while let Some((name, extra)) = replay.queue.pop() {
            replay.expand(&name, extra.as_ref())?;
        }
        Some(replay.finish())
    }
}

struct Replay<'a> {
    repertoire: &'a Repertoire,
    problem: &'a Problem,
    pins: BTreeMap<PackageName, ResolvedPin>,
    /// Distributions and extras whose requirements are still to be followed.
    queue: Vec<(PackageName, Option<ExtraName>)>,
}

impl Replay<'_> {
    fn ask(&mut self, requirement: &Requirement, asker: Dependent) -> Option<()> {
        let name = &requirement.name;
        if !self.pins.contains_key(name) {
            let pin = self.choose(requirement)?;
            let pin = ResolvedPin { extras: Default::default(), dependents: Vec::new(), ..pin.clone() };
            self.pins.insert(name.clone(), pin);
            self.queue.push((name.clone(), None));
        }
        let pin = self.pins.get_mut(name)?;
        if !permits(requirement, pin) {
            return None;
        }
        for extra in &requirement.extras {
            // Of an extra that is not there, the search knows how to warn.
            if !pin.metadata.extras.contains(extra) {
                return None;
            }
            if pin.extras.insert(extra.clone()) {
                self.queue.push((name.clone(), Some(extra.clone())));
            }
        }
        let asked = (asker, requirement.clone());
        if !pin.dependents.contains(&asked) {
            pin.dependents.push(asked);
        }
        Some(())
    }

    /// The first of the preferred releases that fits, as the search would choose; `None` where nothing is
    /// known of a release before it.
    fn choose(&self, requirement: &Requirement) -> Option<&ResolvedPin> {
        let name = &requirement.name;
        let pins = self.repertoire.0.get(name)?;
        for version in self.problem.preferences.versions(name) {
            let pin = pins.iter().find(|pin| pin.candidate.version == *version)?;
            if permits(requirement, pin) && self.is_usable(name, pin) {
                return Some(pin);
            }
        }
        None
    }

    /// Whether the pin's release is a candidate for this problem's target.
    fn is_usable(&self, name: &PackageName, pin: &ResolvedPin) -> bool {
        let target = &self.problem.target;
        let bounds = pin.candidate.file().requires_python.as_ref();
        let mut constraints =
            self.problem.constraints.iter().map(|line| &line.requirement).filter(|r| r.name == *name);
        bounds.is_none_or(|bounds| bounds.lower_bounds_contain(target.python()))
            && fits(pin, target.tags())
            && constraints.all(|constraint| constraint.specifiers().contains(&pin.candidate.version))
    }

    fn expand(&mut self, name: &PackageName, extra: Option<&ExtraName>) -> Option<()> {
        let problem = self.problem;
        let metadata = self.pins.get(name)?.metadata.clone();
        let requirements = match extra {
            None => base_requirements(problem, &metadata),
            Some(extra) => extra_requirements(problem, &metadata, extra),
        };
        requirements
            .into_iter()
            .try_for_each(|requirement| self.ask(requirement, Dependent::Package(name.clone())))
    }

    fn finish(mut self) -> Resolution {
        for pin in self.pins.values_mut() {
            pin.sort_dependents();
        }
        Resolution { pins: self.pins, warnings: Vec::new(), skipped_entries: BTreeMap::new() }
    }
}

fn permits(requirement: &Requirement, pin: &ResolvedPin) -> bool {
    match &requirement.source {
        RequirementSource::Index(specifiers) => specifiers.contains(&pin.candidate.version),
        RequirementSource::Url(url) => pin.candidate.url.as_deref() == Some(url),
    }
}
