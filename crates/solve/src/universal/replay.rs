//! A region's resolution from the pins of earlier regions, without a search.
//!
//! Why it stays: most regions differ in a pin or two. Of the 48 regions of the marketing bot for Python 3.11 and later
//! (`examples/marketing-bot`), 32 need no search this way: 46 runs of pubgrub instead of 82, and 3,968 decisions instead
//! of 8,700, with the same pins.
//!
//! It walks the requirements from the inputs' lines, and takes for each package the first preferred version that fits
//! where the package is first required. Wherever that is not plainly what a search would find, it gives up: the search
//! solves the region then.

use std::collections::BTreeMap;

use rustc_hash::FxHashMap;

use super::has_file_for;
use crate::{Dependent, Problem, Resolution, ResolvedPin, Tier, base_requirements, extra_requirements};
use pinfast_packaging::{ExtraName, PackageName, Requirement, RequirementSource};

/// The pins of the regions solved so far: for each package, in the order in which they were chosen.
#[derive(Default)]
pub(super) struct KnownPins(FxHashMap<PackageName, Vec<ResolvedPin>>);

impl KnownPins {
    /// Adds the pins of `resolution` that are new.
    pub(super) fn add(&mut self, resolution: &Resolution) {
        for (name, pin) in &resolution.pins {
            let pins = self.0.entry(name.clone()).or_default();
            let is_same = |known: &ResolvedPin| {
                (&known.candidate.version, &known.candidate.url)
                    == (&pin.candidate.version, &pin.candidate.url)
            };
            // A pre-release or yanked release was chosen for reasons that hold in its own region only.
            if pin.candidate.tier == Tier::Stable && !pins.iter().any(is_same) {
                pins.push(pin.clone());
            }
        }
    }

    /// The resolution of `problem` that the known pins make, or `None`.
    pub(super) fn replay(&self, problem: &Problem) -> Option<Resolution> {
        let mut replay = Replay { known: self, problem, pins: BTreeMap::new(), queue: Vec::new() };
        for (place, line) in problem.lines.iter().enumerate() {
            for requirement in problem.apply_overrides(&line.requirement) {
                replay.require(requirement, Dependent::Line(place))?;
            }
        }
        while let Some((name, extra)) = replay.queue.pop() {
            replay.expand(&name, extra.as_ref())?;
        }
        Some(replay.finish())
    }
}

struct Replay<'a> {
    known: &'a KnownPins,
    problem: &'a Problem,
    pins: BTreeMap<PackageName, ResolvedPin>,
    /// Distributions and extras whose requirements are still to be followed.
    queue: Vec<(PackageName, Option<ExtraName>)>,
}

impl Replay<'_> {
    fn require(&mut self, requirement: &Requirement, dependent: Dependent) -> Option<()> {
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
            // The search knows how to warn of an extra that the release does not provide.
            if !pin.metadata.extras.contains(extra) {
                return None;
            }
            if pin.extras.insert(extra.clone()) {
                self.queue.push((name.clone(), Some(extra.clone())));
            }
        }
        let dependent = (dependent, requirement.clone());
        if !pin.dependents.contains(&dependent) {
            pin.dependents.push(dependent);
        }
        Some(())
    }

    /// The first preferred release that fits, as the search would choose. `None` if a preferred release before it was
    /// never looked at: the search might choose that one.
    fn choose(&self, requirement: &Requirement) -> Option<&ResolvedPin> {
        let name = &requirement.name;
        let pins = self.known.0.get(name)?;
        for version in self.problem.preferences.versions(name) {
            let pin = pins.iter().find(|pin| pin.candidate.version == *version)?;
            if permits(requirement, pin) && self.is_candidate(name, pin) {
                return Some(pin);
            }
        }
        None
    }

    /// Whether the pin's release is a candidate for this problem's target.
    fn is_candidate(&self, name: &PackageName, pin: &ResolvedPin) -> bool {
        let target = &self.problem.target;
        let bounds = pin.candidate.file().requires_python.as_ref();
        let mut constraints =
            self.problem.constraints.iter().map(|line| &line.requirement).filter(|r| r.name == *name);
        bounds.is_none_or(|bounds| bounds.lower_bounds_contain(target.python()))
            && has_file_for(pin, target.tags())
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
            .try_for_each(|requirement| self.require(requirement, Dependent::Package(name.clone())))
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
