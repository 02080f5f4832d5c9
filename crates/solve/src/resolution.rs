//! A solution as people use it: pins with their dependents, the newest releases, and warnings.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::candidates::{Candidate, Coverage, ExclusionReason, Tier};
use super::problem::Problem;
use super::requirements;
use super::search::Decisions;
use super::solver_index::SolverIndex;
use pinfast_base::error::Error;
use pinfast_packaging::{DistFile, ExtraName, Metadata, PackageName, Requirement, Version};

/// A consistent set of pins that holds all their dependencies and nothing else.
#[derive(Clone, Debug, Default)]
pub struct Resolution {
    /// One pin a package, by name.
    pub pins: BTreeMap<PackageName, ResolvedPin>,
    /// What a person should know of it, each a sentence, sorted.
    pub warnings: Vec<String>,
    /// For each pinned package, the entries of its page that were skipped as unusable, each a sentence.
    pub skipped_entries: BTreeMap<PackageName, Vec<String>>,
}

/// One package of a resolution.
#[derive(Clone, Debug)]
pub struct ResolvedPin {
    /// The chosen candidate.
    pub candidate: Candidate,
    /// Its metadata.
    pub metadata: Arc<Metadata>,
    /// The extras that some dependent requires.
    pub extras: BTreeSet<ExtraName>,
    /// What depends on it, each with its requirement after overrides; sorted.
    pub dependents: Vec<(Dependent, Requirement)>,
    /// For a package that a line names: the newest release that fits the target and policy, constraints apart, if the
    /// chosen one is older.
    pub newest: Option<Version>,
    /// The candidate of that release, unless a constraint excludes it.
    pub newest_candidate: Option<Candidate>,
}

/// What depends on a package.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Dependent {
    /// A line of the inputs, by its index in the problem.
    Line(usize),
    /// Another pin.
    Package(PackageName),
}

impl ResolvedPin {
    /// Sorts the dependents; several requirements of one dependent by their text.
    pub(super) fn sort_dependents(&mut self) {
        let text = |requirement: &Requirement| requirement.to_string();
        self.dependents.sort_by(|a, b| a.0.cmp(&b.0).then_with(|| text(&a.1).cmp(&text(&b.1))));
    }

    /// Whether some dependent pins it exactly.
    fn is_pinned(&self) -> bool {
        self.dependents.iter().any(|(_, requirement)| requirement.specifiers().pinned().is_some())
    }
}

impl Resolution {
    /// The pins that the lines lead to. The newest releases are added by [`Resolution::add_newest`].
    ///
    /// # Errors
    /// When the index does not answer.
    pub(super) fn new(index: &SolverIndex, decisions: &Decisions) -> Result<Self, Error> {
        let mut builder = ResolutionBuilder {
            index,
            decisions,
            pins: BTreeMap::new(),
            warnings: BTreeSet::new(),
            skipped_entries: BTreeMap::new(),
            queue: Vec::new(),
        };
        let problem = &*index.problem;
        for (place, line) in problem.lines.iter().enumerate() {
            for requirement in problem.apply_overrides(&line.requirement) {
                builder.require(requirement, Dependent::Line(place))?;
            }
        }
        // In any order: pins are kept by name, and `finish` sorts the dependents.
        while let Some((name, extra)) = builder.queue.pop() {
            builder.expand(&name, extra.as_ref())?;
        }
        Ok(builder.finish())
    }

    /// The packages of which only a pinned release was evaluated, but no dependent pins them any more.
    pub(super) fn unpinned(&self, decisions: &Decisions) -> impl Iterator<Item = &PackageName> {
        let covers_pin = |name: &PackageName| {
            decisions.get(name).is_some_and(|(candidates, _)| candidates.coverage == Coverage::Pinned)
        };
        let unpinned = self.pins.iter().filter(move |(name, pin)| covers_pin(name) && !pin.is_pinned());
        unpinned.map(|(name, _)| name)
    }

    /// Adds to each pin that a line names the newest release that fits the target and policy.
    ///
    /// # Errors
    /// When the index does not answer.
    pub(super) fn add_newest(&mut self, index: &SolverIndex, decisions: &Decisions) -> Result<(), Error> {
        for (name, pin) in &mut self.pins {
            // Dependents are sorted, and lines come first.
            let is_direct = matches!(pin.dependents.first(), Some((Dependent::Line(_), _)));
            let is_newest =
                decisions.get(name).is_some_and(|(candidates, _)| index.is_newest_release(candidates));
            if is_direct && !is_newest {
                let newest =
                    index.newest_release(name)?.filter(|(newest, _)| *newest > pin.candidate.version);
                if let Some((newest, candidate)) = newest {
                    (pin.newest, pin.newest_candidate) = (Some(newest), candidate);
                }
            }
        }
        Ok(())
    }

    /// A yanked pin that neither a dependent nor a constraint pins exactly.
    pub(super) fn unpinned_yanked(&self, problem: &Problem) -> Option<(&PackageName, &Version)> {
        let yanked = self.pins.iter().filter(|(_, pin)| pin.candidate.tier == Tier::Yanked);
        let is_pinned =
            |name: &PackageName, pin: &ResolvedPin| pin.is_pinned() || problem.constraints_pin(name);
        yanked
            .filter(|(name, pin)| !is_pinned(name, pin))
            .map(|(name, pin)| (name, &pin.candidate.version))
            .next()
    }

    /// Warns of the releases of pinned packages that were passed over because their metadata cannot be used.
    pub(super) fn warn_of_unusable(&mut self, index: &SolverIndex, used_files: &[Arc<DistFile>]) {
        let mut unusable: BTreeMap<&PackageName, BTreeMap<&Version, Arc<str>>> = BTreeMap::new();
        for file in used_files.iter().filter(|file| self.pins.contains_key(file.dist.name())) {
            if let Some(Err(ExclusionReason::InvalidMetadata(why) | ExclusionReason::BuildForbidden(why))) =
                index.loaded_file_metadata(file)
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

struct ResolutionBuilder<'a> {
    index: &'a SolverIndex,
    decisions: &'a Decisions,
    pins: BTreeMap<PackageName, ResolvedPin>,
    warnings: BTreeSet<String>,
    skipped_entries: BTreeMap<PackageName, Vec<String>>,
    /// Distributions and extras whose requirements are still to be followed.
    queue: Vec<(PackageName, Option<ExtraName>)>,
}

impl ResolutionBuilder<'_> {
    fn require(&mut self, requirement: &Requirement, dependent: Dependent) -> Result<(), Error> {
        let name = &requirement.name;
        if !self.pins.contains_key(name) {
            let pin = self.pin(name)?;
            self.pins.insert(name.clone(), pin);
            self.queue.push((name.clone(), None));
        }
        let Some(pin) = self.pins.get_mut(name) else { return Ok(()) };
        let dependent = (dependent, requirement.clone());
        // Two extras of one dependent may share a requirement.
        if !pin.dependents.contains(&dependent) {
            pin.dependents.push(dependent);
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
        let (candidates, ordinal) = self.decisions.get(name).ok_or_else(missing)?;
        let candidate = candidates.get(*ordinal).clone();
        let metadata = self.index.metadata(&candidate)?.map_err(|_| missing())?;
        self.warnings.extend(warnings(&self.index.problem, &candidate, name, &metadata));
        if !candidates.warnings.is_empty() {
            self.skipped_entries.insert(name.clone(), candidates.warnings.clone());
        }
        let (extras, dependents) = (BTreeSet::new(), Vec::new());
        Ok(ResolvedPin { candidate, metadata, extras, dependents, newest: None, newest_candidate: None })
    }

    fn expand(&mut self, name: &PackageName, extra: Option<&ExtraName>) -> Result<(), Error> {
        let problem = &*self.index.problem;
        let Some(pin) = self.pins.get(name) else { return Ok(()) };
        let metadata = pin.metadata.clone();
        let required = match extra {
            None => requirements::base_requirements(problem, &metadata),
            Some(extra) => {
                if !provides(problem, &metadata, extra) {
                    let version = &pin.candidate.version;
                    self.warnings.insert(format!("{name} {version} has no extra `{extra}`: it adds nothing"));
                }
                requirements::extra_requirements(problem, &metadata, extra)
            }
        };
        for requirement in required {
            self.require(requirement, Dependent::Package(name.clone()))?;
        }
        Ok(())
    }

    fn finish(mut self) -> Resolution {
        self.pins.values_mut().for_each(ResolvedPin::sort_dependents);
        Resolution {
            pins: self.pins,
            warnings: self.warnings.into_iter().collect(),
            skipped_entries: self.skipped_entries,
        }
    }
}

/// Whether a release provides an extra. Old metadata declares none, so a requirement that mentions it counts too.
fn provides(problem: &Problem, metadata: &Metadata, extra: &ExtraName) -> bool {
    metadata.extras.contains(extra) || !requirements::extra_requirements(problem, metadata, extra).is_empty()
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
