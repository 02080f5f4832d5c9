//! The facts of a proof -> the conflict that they show: which lines, which dependencies, and the package on which they clash.

use std::sync::Arc;

use pinfast_repair::{self as repair, ConflictGraph, GraphFact, LineSet, Propagation};

use super::dependencies::{EdgeRequirements, ReleaseGroup, edge_requirements};
use pinfast_inputs::InputLine;
use pinfast_packaging::{PackageName, Requirement, RequirementSource, Role, Version};
use pinfast_solve::{ExclusionReason, Fact, NoSolution, Package, SolverIndex};

/// Why there is no solution, as data.
pub(super) struct Conflict {
    /// The user's lines that it needs, by file and line.
    pub(super) culprits: Vec<Culprit>,
    /// What packages need of each other.
    pub(super) dependencies: Vec<PackageDependency>,
    /// `None` where no single package is at the centre of it.
    pub(super) clash: Option<Clash>,
    pub(super) index: Arc<SolverIndex>,
}

/// A line of the user that the conflict needs.
pub(super) struct Culprit {
    pub(super) role: Role,
    pub(super) line: InputLine,
}

/// What the releases of one package need of another: in groups, where they do not all need the same.
pub(super) struct PackageDependency {
    pub(super) from: Package,
    pub(super) to: PackageName,
    pub(super) groups: Vec<ReleaseGroup>,
}

/// The package that has no release which satisfies everybody.
pub(super) struct Clash {
    pub(super) package: PackageName,
    pub(super) kind: ClashKind,
    /// Releases that would satisfy everybody but are excluded, ascending.
    pub(super) excluded: Vec<(Version, ExclusionReason)>,
}

/// Why no release of the package remains.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ClashKind {
    /// The requirements on it leave none.
    Requirements,
    /// Each one that they leave has a dependency that cannot be met.
    Dependencies,
}

impl Conflict {
    /// The conflict of `failure`, whose lines should be a minimal core.
    pub(super) fn of(failure: &NoSolution) -> Self {
        let index = failure.index.clone();
        let graph = ConflictGraph::new(&failure.proof, &index);
        let on = graph.minimal_core();
        let (domains, wiped_out) = graph.propagate(&on, Propagation::Forward);
        let edges = edge_requirements(&graph, &on, &domains, &index);
        let dependencies = dependencies(&edges, &index);
        let package = |node: usize| graph.nodes[node].0.name().cloned();
        let by_requirements = wiped_out.and_then(package).map(|package| (package, ClashKind::Requirements));
        let clash = by_requirements.or_else(|| {
            let package = graph.propagate(&on, Propagation::Full).1.and_then(package)?;
            // Which domain is wiped out first depends on the order of the facts. Readers look for the package whose
            // releases need different things.
            let spread = |dependency: &&PackageDependency| {
                dependency.groups.len() + dependency_count(&graph, &on, &dependency.from)
            };
            let widest = dependencies.iter().max_by_key(spread).and_then(|it| it.from.name());
            Some((widest.cloned().unwrap_or(package), ClashKind::Dependencies))
        });
        let clash = clash.map(|(package, kind)| {
            let excluded = excluded(&package, failure, &edges);
            Clash { package, kind, excluded }
        });
        Self { culprits: culprits(&index, &graph, &on), dependencies, clash, index }
    }

    /// The packages of the conflict: first that of the clash, then those of the user's lines.
    pub(super) fn names(&self) -> Vec<PackageName> {
        let clash = self.clash.iter().map(|clash| &clash.package);
        let mut names: Vec<PackageName> = Vec::new();
        for name in clash.chain(self.culprits.iter().map(|culprit| &culprit.line.requirement.name)) {
            if !names.contains(name) {
                names.push(name.clone());
            }
        }
        names
    }

    /// The user's lines as a set.
    pub(super) fn line_set(&self) -> LineSet {
        self.culprits.iter().map(|culprit| (culprit.role, culprit.line.at.clone())).collect()
    }

    /// The lines of `role` on `package`.
    pub(super) fn lines_on<'c>(
        &'c self,
        role: Role,
        package: &'c PackageName,
    ) -> impl Iterator<Item = &'c InputLine> {
        let lines = self.culprits.iter().filter(move |culprit| culprit.role == role).map(|it| &it.line);
        lines.filter(move |line| line.requirement.name == *package)
    }

    /// What packages need of `package`.
    pub(super) fn dependencies_on<'c>(
        &'c self,
        package: &'c PackageName,
    ) -> impl Iterator<Item = &'c PackageDependency> {
        self.dependencies.iter().filter(move |dependency| dependency.to == *package)
    }
}

/// The lines of the problem that the graph needs. They can be fewer than the core, where there was no time to shrink it.
fn culprits(index: &SolverIndex, graph: &ConflictGraph, on: &[bool]) -> Vec<Culprit> {
    let culprit = |(role, n): (Role, usize)| {
        let line = repair::lines_of(&index.problem, role)[n].clone();
        let fact = GraphFact::Dependency(Package::Line(n), line.requirement.name.clone());
        // The graph does not show what URLs and hashes do, so lines with them stay.
        let is_shown =
            matches!(line.requirement.source, RequirementSource::Index(_)) && line.hashes.is_empty();
        let is_needed =
            role != Role::Requirement || !is_shown || graph.facts_on(on).any(|other| *other == fact);
        is_needed.then_some(Culprit { role, line })
    };
    let mut culprits: Vec<Culprit> =
        repair::all_lines(&index.problem).into_iter().filter_map(culprit).collect();
    culprits.sort_by(|a, b| (&a.line.at, a.role).cmp(&(&b.line.at, b.role)));
    culprits
}

/// How many distributions `package` depends on.
fn dependency_count(graph: &ConflictGraph, on: &[bool], package: &Package) -> usize {
    let is_its_own = |fact: &&GraphFact| matches!(fact, GraphFact::Dependency(from, _) if from == package);
    graph.facts_on(on).filter(is_its_own).count()
}

/// What each package needs of another, once for a distribution and its extras.
fn dependencies(edges: &[EdgeRequirements], index: &SolverIndex) -> Vec<PackageDependency> {
    let mut seen: Vec<usize> = Vec::new();
    let mut dependencies = Vec::new();
    for edge in edges.iter().filter(|edge| edge.from.name().is_some()) {
        if let (false, Some(to)) = (seen.contains(&edge.fact), edge.to.name()) {
            seen.push(edge.fact);
            let groups = edge.groups(edges, index);
            dependencies.push(PackageDependency { from: edge.from.clone(), to: to.clone(), groups });
        }
    }
    dependencies
}

/// The excluded releases of `package` that would satisfy everybody.
fn excluded(
    package: &PackageName,
    failure: &NoSolution,
    edges: &[EdgeRequirements],
) -> Vec<(Version, ExclusionReason)> {
    let Some(candidates) = failure.index.loaded_candidates(package) else { return Vec::new() };
    let mut excluded = candidates.excluded.clone();
    for fact in failure.proof.facts() {
        let (of, set, reason) = match fact {
            Fact::NoVersions(of, set) => (of, set, &ExclusionReason::Yanked),
            Fact::Excluded(of, set, reason) => (of, set, reason),
            Fact::Root | Fact::Dependency(..) => continue,
        };
        let releases = set.ordinals(candidates.count()).filter(|_| of.name() == Some(package));
        excluded.extend(releases.map(|n| (candidates.get(n).version.clone(), reason.clone())));
    }
    excluded.retain(|(version, _)| satisfies_all(package, version, edges));
    excluded.sort_by(|a, b| a.0.cmp(&b.0));
    excluded.dedup_by(|a, b| a.0 == b.0);
    excluded
}

/// Whether `version` satisfies each package that needs `package`.
fn satisfies_all(package: &PackageName, version: &Version, edges: &[EdgeRequirements]) -> bool {
    let satisfies =
        |r: &Requirement| matches!(r.source, RequirementSource::Index(_)) && r.specifiers().contains(version);
    let mut edges = edges.iter().filter(|edge| edge.to.name() == Some(package));
    edges.all(|edge| edge.requirements.iter().any(|(_, all)| all.iter().all(satisfies)))
}
