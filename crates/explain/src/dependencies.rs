//! The edges of a conflict graph -> what the releases of one package need of another, in the fewest groups that are true.

use pinfast_packaging::{Marker, PackageName, Requirement, SpecifierSet, Version};
use pinfast_repair::{ConflictEdge, ConflictGraph, Domains};
use pinfast_solve::{Package, SolverIndex, base_requirements, extra_requirements};

/// A dependency is shown in at most this many groups of releases.
const MAX_GROUPS: usize = 3;

/// The search for the one bound that decides compares at most this many pairs of releases.
const MAX_COMPARISONS: usize = 1 << 20;

/// Some releases that need the same, and what they need.
pub(super) struct ReleaseGroup {
    pub(super) releases: ReleaseSubset,
    /// Such as `google-auth>=2.47.0`.
    pub(super) requirement: String,
}

/// Some releases of a package, as a subset of those in the user's range.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum ReleaseSubset {
    /// This one.
    One(Version),
    /// All that exist: how many.
    All(usize),
    /// All in the range: how many, the first and the last.
    AllInRange(usize, Version, Version),
    /// All from this one to the newest.
    From(Version),
    /// All up to this one.
    UpTo(Version),
    /// Some of those in the range: how many, of how many, the first and the last.
    Some(usize, usize, Version, Version),
}

/// What the releases of one package require of another: an edge of the conflict graph with the metadata behind it.
pub(super) struct EdgeRequirements<'a> {
    pub(super) from: &'a Package,
    pub(super) to: &'a Package,
    /// The number of its fact in the graph.
    pub(super) fact: usize,
    /// The requirements of each release that has some, by the release's ordinal.
    pub(super) requirements: Vec<(usize, Vec<Requirement>)>,
    /// Which releases of `from` are in the range, by ordinal.
    range: &'a [bool],
    /// Which releases of `to` any of them permits, by ordinal.
    permitted: Vec<bool>,
}

/// The edges of `graph` that are `on`, with their requirements.
pub(super) fn edge_requirements<'a>(
    graph: &'a ConflictGraph,
    on: &[bool],
    domains: &'a Domains,
    index: &SolverIndex,
) -> Vec<EdgeRequirements<'a>> {
    let read = |edge: &'a ConflictEdge| {
        let (needing, permitted) = graph.needing_and_permitted(domains, edge);
        let (from, to) = (&graph.nodes[edge.from].0, &graph.nodes[edge.to].0);
        let all = (0..needing.len()).filter(|&n| needing[n]).map(|n| (n, requirements(index, from, n, to)));
        let requirements = all.filter(|(_, some)| !some.is_empty()).collect();
        EdgeRequirements {
            from,
            to,
            fact: edge.fact,
            requirements,
            range: &domains.remaining[edge.from],
            permitted,
        }
    };
    graph.edges.iter().filter(|edge| on[edge.fact]).map(read).collect()
}

/// The requirements of a line, or of a release of a package, on another package.
fn requirements(index: &SolverIndex, from: &Package, ordinal: usize, to: &Package) -> Vec<Requirement> {
    let problem = &index.problem;
    let metadata =
        index.loaded_candidates_of(from).and_then(|all| index.loaded_metadata(all.usable.get(ordinal)?));
    let all = match (from, &metadata) {
        (Package::Line(line), _) => problem.apply_overrides(&problem.lines[*line].requirement),
        (Package::Extra(_, extra), Some(Ok(metadata))) => extra_requirements(problem, metadata, extra),
        (_, Some(Ok(metadata))) => base_requirements(problem, metadata),
        _ => Vec::new(),
    };
    all.into_iter().filter(|requirement| Some(&requirement.name) == to.name()).cloned().collect()
}

impl EdgeRequirements<'_> {
    /// One group, if all releases need the same or one bound is the weakest of all; else one for each run of releases that
    /// need the same, if the runs are few.
    pub(super) fn groups(&self, edges: &[Self], index: &SolverIndex) -> Vec<ReleaseGroup> {
        let rest = self.permitted_by_others(edges);
        let candidates = index.loaded_candidates_of(self.to);
        let is_cheap = self.requirements.len().saturating_mul(rest.len()) < MAX_COMPARISONS;
        let against =
            candidates.iter().filter(|_| is_cheap).flat_map(|to| rest.iter().map(|&n| &to.usable[n].version));
        let against: Vec<&Version> = against.collect();
        let texts = self.requirements.iter().map(|(release, all)| (*release, text(all, &against, edges)));
        let texts: Vec<(usize, String)> = texts.collect();
        let runs: Vec<_> = texts.chunk_by(|a, b| a.1 == b.1).collect();
        let to = self.to.name().map(PackageName::as_str).unwrap_or_default();
        let joint = match runs.len() {
            0 | 1 => None,
            2..=MAX_GROUPS => self.weakest_bound(&rest, index),
            _ => self.weakest_bound(&rest, index).or_else(|| Some(format!("{to} in another release each"))),
        };
        let group = |releases: &[(usize, String)], requirement| ReleaseGroup {
            releases: self.subset(releases, index),
            requirement,
        };
        match joint {
            Some(requirement) => vec![group(&texts, requirement)],
            None => runs.into_iter().map(|run| group(run, run[0].1.clone())).collect(),
        }
    }

    /// The releases of the needed package that all other edges permit, by ordinal.
    fn permitted_by_others(&self, edges: &[Self]) -> Vec<usize> {
        let is_other = |other: &&Self| other.fact != self.fact && other.to.name() == self.to.name();
        let others: Vec<&Self> = edges.iter().filter(is_other).collect();
        (0..self.permitted.len()).filter(|&n| others.iter().all(|other| other.permitted[n])).collect()
    }

    /// The weakest bound of all releases, where it lies wholly above or below the `rest` that others permit.
    fn weakest_bound(&self, rest: &[usize], index: &SolverIndex) -> Option<String> {
        let candidates = index.loaded_candidates_of(self.to)?;
        let (low, high) = (self.permitted.iter().position(|n| *n)?, self.permitted.iter().rposition(|n| *n)?);
        let bound = |sign, n: usize| format!("{}{sign}{}", candidates.name, candidates.usable[n].version);
        match (low > *rest.last()?, high < *rest.first()?) {
            (true, _) => Some(bound(">=", low)),
            (_, true) => Some(bound("<=", high)),
            _ => None,
        }
    }

    /// These releases as a subset of those in the range.
    fn subset(&self, releases: &[(usize, String)], index: &SolverIndex) -> ReleaseSubset {
        let range: Vec<usize> = (0..self.range.len()).filter(|&n| self.range[n]).collect();
        let (Some((first, _)), Some((last, _)), Some(all)) =
            (releases.first(), releases.last(), index.loaded_candidates_of(self.from))
        else {
            return ReleaseSubset::All(0);
        };
        let (low, high) = (all.usable[*first].version.clone(), all.usable[*last].version.clone());
        let position = |release| range.partition_point(|n| *n < release);
        let is_run = position(*last) - position(*first) + 1 == releases.len();
        match releases.len() {
            1 => ReleaseSubset::One(low),
            count if count == self.range.len() => ReleaseSubset::All(count),
            count if count == range.len() => ReleaseSubset::AllInRange(count, low, high),
            _ if is_run && range.last() == Some(last) => ReleaseSubset::From(low),
            _ if is_run && range.first() == Some(first) => ReleaseSubset::UpTo(high),
            count => ReleaseSubset::Some(count, range.len(), low, high),
        }
    }
}

/// The requirements of one release as text: the one bound that excludes all of `against`, or all of them. An extra stays
/// only where it is a part of the conflict.
fn text(requirements: &[Requirement], against: &[&Version], edges: &[EdgeRequirements]) -> String {
    let mut texts: Vec<String> = Vec::new();
    for requirement in requirements {
        let mut shown = Requirement { marker: Marker::default(), ..requirement.clone() };
        shown.extras.retain(|extra| {
            let package = Package::Extra(requirement.name.clone(), extra.clone());
            edges.iter().any(|edge| *edge.from == package)
        });
        if let (true, Some(bound)) = (shown.extras.is_empty(), decisive_bound(&shown, against)) {
            return format!("{}{bound}", shown.name);
        }
        texts.push(shown.to_string());
    }
    texts.dedup();
    texts.join(" and ")
}

/// The first bound that excludes all of `against`, if one does.
fn decisive_bound(requirement: &Requirement, against: &[&Version]) -> Option<String> {
    let bounds = requirement.specifiers().to_string();
    let excludes = |bound: &&str| {
        let bound: SpecifierSet = bound.parse().unwrap_or_default();
        !against.is_empty() && !against.iter().any(|version| bound.contains(version))
    };
    bounds.split(',').find(excludes).map(str::to_owned)
}
