//! What releases of one package need of another, in as few words as say it.

use pinfast_packaging::{Marker, PackageName, Requirement, SpecifierSet, Version};
use pinfast_repair::{Edge, State, Web};
use pinfast_solve::{Package, SolverIndex, base_requirements, extra_requirements};

/// How many groups of releases are told apart.
const MOST_GROUPS: usize = 3;

/// How many comparisons of a release with a need are made in search of the one bound that decides.
const MOST_COMPARED: usize = 1 << 20;

/// Some releases, and what they need.
pub(super) type Said = (Shape, String);

/// Some releases of a package, as they lie among those that come into question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    /// This one.
    One(Version),
    /// All that there are, so many.
    All(usize),
    /// All that come into question, so many, from the first to the last.
    AllInRange(usize, Version, Version),
    /// All from this one to the newest.
    From(Version),
    /// All up to this one.
    UpTo(Version),
    /// So many, of so many that come into question, from the first to the last.
    Some(usize, usize, Version, Version),
}

/// What the releases of one package that come into question need of another.
pub(super) struct Need<'a> {
    pub(super) from: &'a Package,
    pub(super) to: &'a Package,
    pub(super) item: usize,
    /// What each release says, by ordinal.
    pub(super) says: Vec<(usize, Vec<Requirement>)>,
    /// The releases in question.
    range: &'a [bool],
    /// The releases that any of them permits.
    permitted: Vec<bool>,
}

/// What those edges of the web that are `on` say.
pub(super) fn needs<'a>(web: &'a Web, on: &[bool], state: &'a State, known: &SolverIndex) -> Vec<Need<'a>> {
    let need = |edge: &'a Edge| {
        let (releases, permitted) = web.needing(state, edge);
        let (from, to) = (&web.nodes[edge.from].0, &web.nodes[edge.to].0);
        let says = (0..releases.len()).filter(|&n| releases[n]).map(|n| (n, says(known, from, n, to)));
        let says = says.filter(|(_, says)| !says.is_empty()).collect();
        Need { from, to, item: edge.item, says, range: &state.left[edge.from], permitted }
    };
    web.edges.iter().filter(|edge| on[edge.item]).map(need).collect()
}

/// What a line, or a release of a package, requires of another.
fn says(known: &SolverIndex, from: &Package, ordinal: usize, to: &Package) -> Vec<Requirement> {
    let problem = &known.problem;
    let metadata =
        known.loaded_candidates_of(from).and_then(|all| known.loaded_metadata(all.usable.get(ordinal)?));
    let all = match (from, &metadata) {
        (Package::Line(line), _) => problem.apply_overrides(&problem.lines[*line].requirement),
        (Package::Extra(_, extra), Some(Ok(metadata))) => extra_requirements(problem, metadata, extra),
        (_, Some(Ok(metadata))) => base_requirements(problem, metadata),
        _ => Vec::new(),
    };
    all.into_iter().filter(|requirement| Some(&requirement.name) == to.name()).cloned().collect()
}

impl Need<'_> {
    /// One group if all releases need the same, or something is the least that they need; else one for each
    /// row of neighbours that do, if these are few.
    pub(super) fn said(&self, all: &[Self], known: &SolverIndex) -> Vec<Said> {
        let rest = self.left_by_others(all);
        let candidates = known.loaded_candidates_of(self.to);
        let is_quick = self.says.len().saturating_mul(rest.len()) < MOST_COMPARED;
        let against =
            candidates.iter().filter(|_| is_quick).flat_map(|to| rest.iter().map(|&n| &to.usable[n].version));
        let against: Vec<&Version> = against.collect();
        let texts = self.says.iter().map(|(release, says)| (*release, text(says, &against, all)));
        let texts: Vec<(usize, String)> = texts.collect();
        let groups: Vec<_> = texts.chunk_by(|a, b| a.1 == b.1).collect();
        let to = self.to.name().map(PackageName::as_str).unwrap_or_default();
        let in_one = match groups.len() {
            0 | 1 => None,
            2..=MOST_GROUPS => self.weakest(&rest, known),
            _ => self.weakest(&rest, known).or_else(|| Some(format!("{to} in another release each"))),
        };
        match in_one {
            Some(text) => vec![(self.shape(&texts, known), text)],
            None => groups.into_iter().map(|group| (self.shape(group, known), group[0].1.clone())).collect(),
        }
    }

    /// What others leave of the package that is needed, by ordinal.
    fn left_by_others(&self, all: &[Self]) -> Vec<usize> {
        let is_other = |other: &&Self| other.item != self.item && other.to.name() == self.to.name();
        let others: Vec<&Self> = all.iter().filter(is_other).collect();
        (0..self.permitted.len()).filter(|&n| others.iter().all(|other| other.permitted[n])).collect()
    }

    /// The weakest of many bounds, seen from the `rest` that others leave.
    fn weakest(&self, rest: &[usize], known: &SolverIndex) -> Option<String> {
        let candidates = known.loaded_candidates_of(self.to)?;
        let (low, high) = (self.permitted.iter().position(|n| *n)?, self.permitted.iter().rposition(|n| *n)?);
        let bound =
            |sign, place: usize| format!("{}{sign}{}", candidates.name, candidates.usable[place].version);
        match (low > *rest.last()?, high < *rest.first()?) {
            (true, _) => Some(bound(">=", low)),
            (_, true) => Some(bound("<=", high)),
            _ => None,
        }
    }

    /// How these releases lie among those in question.
    fn shape(&self, releases: &[(usize, String)], known: &SolverIndex) -> Shape {
        let range: Vec<usize> = (0..self.range.len()).filter(|&n| self.range[n]).collect();
        let (Some((first, _)), Some((last, _)), Some(all)) =
            (releases.first(), releases.last(), known.loaded_candidates_of(self.from))
        else {
            return Shape::All(0);
        };
        let (low, high) = (all.usable[*first].version.clone(), all.usable[*last].version.clone());
        let place = |release| range.partition_point(|n| *n < release);
        let is_row = place(*last) - place(*first) + 1 == releases.len();
        match releases.len() {
            1 => Shape::One(low),
            count if count == self.range.len() => Shape::All(count),
            count if count == range.len() => Shape::AllInRange(count, low, high),
            _ if is_row && range.last() == Some(last) => Shape::From(low),
            _ if is_row && range.first() == Some(first) => Shape::UpTo(high),
            count => Shape::Some(count, range.len(), low, high),
        }
    }
}

/// What a release says of another package: the one bound that decides `against` those versions, or all of it.
/// Extras that need nothing of what is told are left out.
fn text(says: &[Requirement], against: &[&Version], all: &[Need]) -> String {
    let mut texts: Vec<String> = Vec::new();
    for requirement in says {
        let mut told = Requirement { marker: Marker::default(), ..requirement.clone() };
        told.extras.retain(|extra| {
            let package = Package::Extra(requirement.name.clone(), extra.clone());
            all.iter().any(|need| *need.from == package)
        });
        if let (true, Some(bound)) = (told.extras.is_empty(), decisive(&told, against)) {
            return format!("{}{bound}", told.name);
        }
        texts.push(told.to_string());
    }
    texts.dedup();
    texts.join(" and ")
}

/// The one bound of several that none of `against` fulfils, where there is one.
fn decisive(requirement: &Requirement, against: &[&Version]) -> Option<String> {
    let bounds = requirement.specifiers().to_string();
    let excludes = |bound: &&str| {
        let bound: SpecifierSet = bound.parse().unwrap_or_default();
        !against.is_empty() && !against.iter().any(|version| bound.contains(version))
    };
    bounds.split(',').find(excludes).map(str::to_owned)
}
