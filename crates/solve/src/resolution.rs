//! A solution as people use it: pins, who asked for each, and what is worth saying of it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::candidates::{Candidate, ExclusionReason, Tier};
use super::known::SolverIndex;
use super::problem::Problem;
use super::{Chosen, edges};
use pinfast_base::error::Error;
use pinfast_packaging::{DistFile, ExtraName, Metadata, PackageName, Requirement, Version};

/// A consistent, closed set of pins with nothing unneeded in it.
#[derive(Clone, Debug, Default)]
pub struct Resolution {
    /// One pin a package, by name.
    pub pins: BTreeMap<PackageName, ResolvedPin>,
    /// What a person should know of it, each a sentence, sorted.
    pub warnings: Vec<String>,
    /// Of each pinned package, the entries of its page that could not be used, each a sentence.
    pub skipped_entries: BTreeMap<PackageName, Vec<String>>,
}

/// One package of a resolution.
#[derive(Clone, Debug)]
pub struct ResolvedPin {
    /// The candidate that was chosen.
    pub candidate: Candidate,
    /// What its metadata says.
    pub metadata: Arc<Metadata>,
    /// The extras that somebody wants of it.
    pub extras: BTreeSet<ExtraName>,
    /// Who asks for it, each with the requirement as it counts; sorted.
    pub dependents: Vec<(Dependent, Requirement)>,
    /// Of a package that a line asks for: the newest release that would fit the target and policy, constraints
    /// apart, where the chosen one is older.
    pub newest: Option<Version>,
    /// The candidate of that release, where no constraint bars it.
    pub newest_candidate: Option<Candidate>,
}

/// Who asks for a package, and how.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Dependent {
    /// A line of the inputs, by its place in the problem.
    Line(usize),
    /// Another pin.
    Package(PackageName),
}

impl ResolvedPin {
    /// Sorts those who ask by who they are; what one asks twice, by what it says.
    pub(super) fn sort_askers(&mut self) {
        let said = |requirement: &Requirement| requirement.to_string();
        self.dependents.sort_by(|a, b| a.0.cmp(&b.0).then_with(|| said(&a.1).cmp(&said(&b.1))));
    }
}

impl ResolvedPin {
    /// Whether somebody who asks for it pins it exactly.
    fn is_pinned(&self) -> bool {
        self.dependents.iter().any(|(_, requirement)| requirement.specifiers().pinned().is_some())
    }
}

impl Resolution {
    /// The packages of which no release was looked at but one that was pinned, where nothing pins them any more.
    pub(super) fn unpinned_views(&self, chosen: &Chosen) -> impl Iterator<Item = &PackageName> {
        let pinned = |name: &PackageName| chosen.get(name).is_some_and(|(seen, _)| seen.is_only_pinned());
        let unpinned = self.pins.iter().filter(move |(name, pin)| pinned(name) && !pin.is_pinned());
        unpinned.map(|(name, _)| name)
    }

    /// Tells of what the lines ask for whether something newer would fit the target and policy.
    pub(super) fn tell_newer(&mut self, known: &SolverIndex, chosen: &Chosen) -> Result<(), Error> {
        for (name, pin) in &mut self.pins {
            // Lines come first.
            let is_direct = matches!(pin.dependents.first(), Some((Dependent::Line(_), _)));
            let is_newest = chosen.get(name).is_some_and(|(seen, _)| known.looks_at_newest(seen));
            if is_direct && !is_newest {
                let newest = known.newest(name)?.filter(|(newest, _)| *newest > pin.candidate.version);
                if let Some((newest, candidate)) = newest {
                    (pin.newest, pin.newest_candidate) = (Some(newest), candidate);
                }
            }
        }
        Ok(())
    }

    /// A yanked pin that no exact pin asks for.
    pub(super) fn unpinned_yank(&self, problem: &Problem) -> Option<(&PackageName, &Version)> {
        let yanked = self.pins.iter().filter(|(_, pin)| pin.candidate.tier == Tier::Yanked);
        let pinned = |name: &PackageName, pin: &ResolvedPin| pin.is_pinned() || problem.constraints_pin(name);
        yanked
            .filter(|(name, pin)| !pinned(name, pin))
            .map(|(name, pin)| (name, &pin.candidate.version))
            .next()
    }

    /// Says of each package which of its releases were passed over because their metadata is of no use.
    /// `asked` are the files whose metadata was wanted.
    pub(super) fn tell_unusable(&mut self, known: &SolverIndex, asked: &[Arc<DistFile>]) {
        let mut unusable: BTreeMap<&PackageName, BTreeMap<&Version, Arc<str>>> = BTreeMap::new();
        for file in asked.iter().filter(|file| self.pins.contains_key(file.dist.name())) {
            if let Some(Err(ExclusionReason::InvalidMetadata(why) | ExclusionReason::BuildForbidden(why))) =
                known.told(file)
            {
                unusable.entry(file.dist.name()).or_default().insert(file.dist.version(), why);
            }
        }
        for (name, releases) in unusable {
            let Some((newest, why)) = releases.last_key_value() else { continue };
            let others = match releases.len() - 1 {
                0 => String::new(),
                1 => " (and 1 more release)".to_owned(),
                more => format!(" (and {more} more releases)"),
            };
            self.warnings.push(format!("{name} {newest}{others} is passed over: {why}"));
        }
        self.warnings.sort();
    }
}

/// The pins of `chosen` that the lines lead to; what is newer than them is told by [`Resolution::tell_newer`].
pub(super) fn build(known: &SolverIndex, chosen: &Chosen) -> Result<Resolution, Error> {
    let mut builder = Builder {
        known,
        chosen,
        pins: BTreeMap::new(),
        warnings: BTreeSet::new(),
        skipped_entries: BTreeMap::new(),
        queue: Vec::new(),
    };
    let problem = &*known.problem;
    for (place, line) in problem.lines.iter().enumerate() {
        for requirement in problem.apply_overrides(&line.requirement) {
            builder.ask(requirement, Dependent::Line(place))?;
        }
    }
    while let Some((name, extra)) = builder.queue.pop() {
        builder.expand(&name, extra.as_ref())?;
    }
    Ok(builder.finish())
}

struct Builder<'a> {
    known: &'a SolverIndex,
    chosen: &'a Chosen,
    pins: BTreeMap<PackageName, ResolvedPin>,
    warnings: BTreeSet<String>,
    skipped_entries: BTreeMap<PackageName, Vec<String>>,
    /// Distributions and extras whose requirements are still to be followed.
    queue: Vec<(PackageName, Option<ExtraName>)>,
}

impl Builder<'_> {
    fn ask(&mut self, requirement: &Requirement, asker: Dependent) -> Result<(), Error> {
        let name = &requirement.name;
        if !self.pins.contains_key(name) {
            let pin = self.pin(name)?;
            self.pins.insert(name.clone(), pin);
            self.queue.push((name.clone(), None));
        }
        let Some(pin) = self.pins.get_mut(name) else { return Ok(()) };
        let asked = (asker, requirement.clone());
        if !pin.dependents.contains(&asked) {
            pin.dependents.push(asked);
        }
        for extra in &requirement.extras {
            if pin.extras.insert(extra.clone()) {
                self.queue.push((name.clone(), Some(extra.clone())));
            }
        }
        Ok(())
    }

    fn pin(&mut self, name: &PackageName) -> Result<ResolvedPin, Error> {
        let missing =
            || Error::no_answer(format!("the solution lacks {name}, which it needs: a fault of pinfast"));
        let (candidates, ordinal) = self.chosen.get(name).ok_or_else(missing)?;
        let candidate = candidates.get(*ordinal).clone();
        let metadata = self.known.metadata(&candidate)?.map_err(|_| missing())?;
        self.warnings.extend(warnings(&self.known.problem, &candidate, name, &metadata));
        if !candidates.warnings.is_empty() {
            self.skipped_entries.insert(name.clone(), candidates.warnings.clone());
        }
        let (extras, dependents) = (BTreeSet::new(), Vec::new());
        Ok(ResolvedPin { candidate, metadata, extras, dependents, newest: None, newest_candidate: None })
    }

    fn expand(&mut self, name: &PackageName, extra: Option<&ExtraName>) -> Result<(), Error> {
        let problem = &*self.known.problem;
        let Some(pin) = self.pins.get(name) else { return Ok(()) };
        let metadata = pin.metadata.clone();
        let requirements = match extra {
            None => edges::base(problem, &metadata),
            Some(extra) => {
                if !provides(problem, &metadata, extra) {
                    let version = &pin.candidate.version;
                    self.warnings.insert(format!("{name} {version} has no extra `{extra}`: it adds nothing"));
                }
                edges::of_extra(problem, &metadata, extra)
            }
        };
        for requirement in requirements {
            self.ask(requirement, Dependent::Package(name.clone()))?;
        }
        Ok(())
    }

    fn finish(mut self) -> Resolution {
        self.pins.values_mut().for_each(ResolvedPin::sort_askers);
        Resolution {
            pins: self.pins,
            warnings: self.warnings.into_iter().collect(),
            skipped_entries: self.skipped_entries,
        }
    }
}

/// An extra counts as provided where a requirement speaks of it too: old metadata declares none.
fn provides(problem: &Problem, metadata: &Metadata, extra: &ExtraName) -> bool {
    metadata.extras.contains(extra) || !edges::of_extra(problem, metadata, extra).is_empty()
}

fn warnings(
    problem: &Problem,
    candidate: &Candidate,
    name: &PackageName,
    metadata: &Metadata,
) -> Vec<String> {
    let version = &candidate.version;
    let mut warnings: Vec<String> =
        metadata.warnings.iter().map(|warning| format!("{name} {version}: {warning}")).collect();
    match candidate.tier {
        Tier::Stable => {}
        Tier::Prerelease => {
            warnings.push(format!("{name} {version} is a pre-release: no stable release fits"))
        }
        Tier::Yanked => {
            let reason = candidate.file().yanked.as_deref().filter(|reason| !reason.trim().is_empty());
            let reason = reason.map_or_else(String::new, |reason| format!(": {}", reason.trim()));
            warnings.push(format!("{name} {version} was yanked from the index{reason}"));
        }
    }
    let python = problem.target.python();
    let wanted = candidate.file().requires_python.as_ref().or(metadata.requires_python.as_ref());
    if let Some(wanted) = wanted.filter(|wanted| !wanted.upper_bounds_contain(python)) {
        warnings
            .push(format!("{name} {version} says that it needs Python {wanted}; the target has {python}"));
    }
    warnings
}
