//! A problem: inputs, target, policy and preferences as plain data, with the questions that the solver asks of them.

use rustc_hash::FxHashMap;

use super::candidates::PackageConstraints;
use super::policy::{Policy, Preferences, PrereleaseMode, ResolutionMode};
use pinfast_inputs::{InputLine, Inputs};
use pinfast_packaging::{DirectUrl, PackageName, Requirement, RequirementSource, Target};

/// One problem: requirements to satisfy in one target under one policy.
#[derive(Clone, Debug)]
pub struct Problem {
    /// The target environment.
    pub target: Target,
    /// The requirements of the inputs whose markers hold in the target, sorted by text.
    pub lines: Vec<InputLine>,
    /// The constraints whose markers hold in the target (pip's `-c`): they restrict packages without requiring them.
    pub constraints: Vec<InputLine>,
    /// The overrides: each replaces every requirement on its package.
    pub overrides: Vec<InputLine>,
    /// Which candidates may be chosen, and which are tried first.
    pub policy: Policy,
    /// The versions to try before all others.
    pub preferences: Preferences,
}

impl Problem {
    /// The problem of `inputs` in `target`. The order of the inputs' lines does not matter.
    #[must_use]
    pub fn new(inputs: &Inputs, target: Target, policy: Policy, preferences: Preferences) -> Self {
        let applicable = |lines: &[InputLine]| {
            sorted(lines.iter().filter(|line| line.requirement.applies(&target, &[])).cloned().collect())
        };
        let (lines, constraints) = (applicable(&inputs.requirements), applicable(&inputs.constraints));
        let preferences = preferences.for_target(&target);
        // All overrides stay: one whose marker does not hold still removes the requirements on its package.
        Self { lines, constraints, overrides: inputs.overrides.clone(), policy, preferences, target }
    }

    /// The same problem with other lines, constraints and overrides; sorted as by [`Problem::new`].
    #[must_use]
    pub fn with_lines(
        &self,
        lines: Vec<InputLine>,
        constraints: Vec<InputLine>,
        overrides: Vec<InputLine>,
    ) -> Self {
        let (lines, constraints) = (sorted(lines), sorted(constraints));
        Self { lines, constraints, overrides, ..self.clone() }
    }

    /// The packages that the lines name; one may come several times.
    pub(super) fn direct(&self) -> impl Iterator<Item = &PackageName> {
        self.lines.iter().map(|line| &line.requirement.name)
    }

    /// Whether a line names `name`.
    pub(super) fn is_direct(&self, name: &PackageName) -> bool {
        self.direct().any(|direct| direct == name)
    }

    /// Whether the oldest candidates of `name` are tried first.
    pub fn prefers_lowest(&self, name: &PackageName) -> bool {
        match self.policy.resolution {
            ResolutionMode::Highest => false,
            ResolutionMode::Lowest => true,
            ResolutionMode::LowestDirect => self.is_direct(name),
        }
    }

    /// The requirements that apply instead of this one: the overrides on its package, if there are any; else itself.
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

    /// For each package that exactly one line names, the index of that line.
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

    /// The packages that lines, constraints or overrides name by URL; one may come several times.
    pub(super) fn by_url(&self) -> impl Iterator<Item = &PackageName> {
        let requirements = self.user_lines().map(|line| &line.requirement);
        requirements.filter(|r| matches!(r.source, RequirementSource::Url(_))).map(|r| &r.name)
    }

    /// The distinct URLs that lines, constraints and overrides name for `name`.
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

    /// The constraints, hashes and pre-release modes of the packages that the inputs mention.
    pub(super) fn package_constraints(&self) -> FxHashMap<PackageName, PackageConstraints> {
        let mut packages: FxHashMap<PackageName, PackageConstraints> = FxHashMap::default();
        for line in &self.constraints {
            let of_name = packages.entry(line.requirement.name.clone()).or_default();
            of_name.constraints.push((line.requirement.specifiers().clone(), line.at.clone()));
        }
        for line in self.user_lines() {
            packages
                .entry(line.requirement.name.clone())
                .or_default()
                .hashes
                .extend(line.hashes.iter().copied());
        }
        for (name, of_name) in &mut packages {
            of_name.prerelease = self.prerelease_mode(name);
        }
        packages
    }

    /// The pre-release mode for `name`. `Explicit` becomes another mode, by whether the inputs name a pre-release of it.
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

/// The lines sorted by text, then by place: so their order in the files has no influence.
fn sorted(mut lines: Vec<InputLine>) -> Vec<InputLine> {
    lines.sort_by_cached_key(|line| (line.requirement.to_string(), line.at.clone()));
    lines
}
