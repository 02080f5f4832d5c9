//! What is to be solved, as plain data.

use rustc_hash::FxHashMap;

use super::candidates::Demands;
use super::policy::{Policy, Preferences, PrereleaseMode, ResolutionMode};
use pinfast_inputs::{InputLine, Inputs};
use pinfast_packaging::{DirectUrl, PackageName, Requirement, RequirementSource, Target};

/// One solve: what is wanted, for which target, under which policy.
#[derive(Clone, Debug)]
pub struct Problem {
    /// The target environment.
    pub target: Target,
    /// What is wanted: the lines of the inputs that hold in the target, ordered by what they say.
    pub lines: Vec<InputLine>,
    /// What binds without being wanted, as far as it holds in the target.
    pub constraints: Vec<InputLine>,
    /// What replaces every requirement on its package.
    pub overrides: Vec<InputLine>,
    /// What may be chosen, and what first.
    pub policy: Policy,
    /// What is taken first wherever it fits.
    pub preferences: Preferences,
}

impl Problem {
    /// The problem that `inputs` pose for `target`. The order of the inputs' lines does not matter.
    #[must_use]
    pub fn new(inputs: &Inputs, target: Target, policy: Policy, preferences: Preferences) -> Self {
        let holding = |lines: &[InputLine]| {
            let kept: Vec<InputLine> =
                lines.iter().filter(|line| line.requirement.applies(&target, &[])).cloned().collect();
            in_order(kept)
        };
        let (lines, constraints) = (holding(&inputs.requirements), holding(&inputs.constraints));
        let preferences = preferences.for_target(&target);
        // An override whose marker does not hold still replaces: it takes the requirement away.
        Self { lines, constraints, overrides: inputs.overrides.clone(), policy, preferences, target }
    }

    /// The same problem with other lines, constraints and overrides; as [`Problem::new`] orders them.
    #[must_use]
    pub fn with_lines(
        &self,
        lines: Vec<InputLine>,
        constraints: Vec<InputLine>,
        overrides: Vec<InputLine>,
    ) -> Self {
        let (lines, constraints) = (in_order(lines), in_order(constraints));
        Self { lines, constraints, overrides, ..self.clone() }
    }

    /// The packages that the inputs themselves name; one may come several times.
    pub(super) fn direct(&self) -> impl Iterator<Item = &PackageName> {
        self.lines.iter().map(|line| &line.requirement.name)
    }

    /// Whether the inputs themselves name `name`.
    pub(super) fn is_direct(&self, name: &PackageName) -> bool {
        self.direct().any(|direct| direct == name)
    }

    /// Whether the oldest of `name` that fits is to be taken.
    pub fn prefers_lowest(&self, name: &PackageName) -> bool {
        match self.policy.resolution {
            ResolutionMode::Highest => false,
            ResolutionMode::Lowest => true,
            ResolutionMode::LowestDirect => self.is_direct(name),
        }
    }

    /// What stands in for a requirement on a package: itself, or the overrides on its name.
    pub fn apply_overrides<'a>(&'a self, requirement: &'a Requirement) -> Vec<&'a Requirement> {
        let mut replacements = self
            .overrides
            .iter()
            .map(|line| &line.requirement)
            .filter(|r| r.name == requirement.name)
            .peekable();
        if replacements.peek().is_none() {
            return vec![requirement];
        }
        replacements.filter(|r| r.applies(&self.target, &[])).collect()
    }

    /// The lines that are alone in naming their packages, by package.
    pub(super) fn lone_lines(&self) -> FxHashMap<PackageName, usize> {
        let mut naming: FxHashMap<&PackageName, Vec<usize>> = FxHashMap::default();
        for (place, line) in self.lines.iter().enumerate() {
            naming.entry(&line.requirement.name).or_default().push(place);
        }
        let lone = naming.into_iter().filter(|(_, places)| places.len() == 1);
        lone.map(|(name, places)| (name.clone(), places[0])).collect()
    }

    /// Whether a constraint pins `name` exactly.
    pub(super) fn constraints_pin(&self, name: &PackageName) -> bool {
        let mut of_name = self.constraints.iter().filter(|line| line.requirement.name == *name);
        of_name.any(|line| line.requirement.specifiers().pinned().is_some())
    }

    /// The packages that the inputs name by URL; one may come several times.
    pub(super) fn by_url(&self) -> impl Iterator<Item = &PackageName> {
        let requirements = self.user_lines().map(|line| &line.requirement);
        requirements.filter(|r| matches!(r.source, RequirementSource::Url(_))).map(|r| &r.name)
    }

    /// The URLs that the inputs name for `name`.
    pub(super) fn urls(&self, name: &PackageName) -> Vec<&DirectUrl> {
        let mut urls: Vec<&DirectUrl> = Vec::new();
        for line in self.user_lines().filter(|line| line.requirement.name == *name) {
            if let RequirementSource::Url(url) = &line.requirement.source
                && !urls.contains(&url)
            {
                urls.push(url);
            }
        }
        urls
    }

    /// What the inputs demand of each package besides versions.
    pub(super) fn demands(&self) -> FxHashMap<PackageName, Demands> {
        let mut demands: FxHashMap<PackageName, Demands> = FxHashMap::default();
        for line in &self.constraints {
            let of_name = demands.entry(line.requirement.name.clone()).or_default();
            of_name.constraints.push((line.requirement.specifiers().clone(), line.at.clone()));
        }
        for line in self.user_lines() {
            demands
                .entry(line.requirement.name.clone())
                .or_default()
                .hashes
                .extend(line.hashes.iter().copied());
        }
        for (name, of_name) in &mut demands {
            of_name.prerelease = self.prerelease_mode(name);
        }
        demands
    }

    /// The pre-release mode for `name`, with `Explicit` settled by what the inputs say of it.
    pub(super) fn prerelease_mode(&self, name: &PackageName) -> PrereleaseMode {
        let policy = &self.policy;
        match policy.prerelease_packages.get(name).copied().unwrap_or(policy.prerelease) {
            PrereleaseMode::Explicit if self.names_prerelease_of(name) => PrereleaseMode::IfNecessary,
            PrereleaseMode::Explicit => PrereleaseMode::Disallow,
            mode => mode,
        }
    }

    fn names_prerelease_of(&self, name: &PackageName) -> bool {
        self.user_lines()
            .any(|line| line.requirement.name == *name && line.requirement.specifiers().names_prerelease())
    }

    fn user_lines(&self) -> impl Iterator<Item = &InputLine> {
        self.lines.iter().chain(&self.constraints).chain(&self.overrides)
    }
}

/// The lines ordered by what they say, not by where they stand.
fn in_order(mut lines: Vec<InputLine>) -> Vec<InputLine> {
    lines.sort_by_cached_key(|line| (line.requirement.to_string(), line.at.clone()));
    lines
}
