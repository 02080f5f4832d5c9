//! From the facts of a proof to what there is to tell: who needs what of whom, and where it collides.

use std::sync::Arc;

use pinfast_repair::{self as repair, Depth, Item, Places, Web};

use super::needs::{Need, Said, needs};
use pinfast_inputs::InputLine;
use pinfast_packaging::{PackageName, Requirement, RequirementSource, Role, Version};
use pinfast_solve::{ExclusionReason, Fact, NoSolution, Package, SolverIndex};

/// What there is to tell of a failure.
pub(super) struct Cause {
    /// The user's lines that it needs, by file and line.
    pub(super) culprits: Vec<Culprit>,
    /// What packages need of each other.
    pub(super) told: Vec<Told>,
    /// Where it collides.
    pub(super) clash: Option<Clash>,
    pub(super) known: Arc<SolverIndex>,
}

/// A line of the user that a conflict needs.
pub(super) struct Culprit {
    pub(super) role: Role,
    pub(super) line: InputLine,
}

/// What releases of one package need of another: in groups, where they do not all need the same.
pub(super) struct Told {
    pub(super) from: Package,
    pub(super) to: PackageName,
    pub(super) needs: Vec<Said>,
}

/// The package on which the lines collide.
pub(super) struct Clash {
    pub(super) package: PackageName,
    pub(super) manner: Manner,
    /// Releases that would fit everybody, but may not be taken, ascending.
    pub(super) barred: Vec<(Version, ExclusionReason)>,
}

/// How a collision comes about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Manner {
    /// What is asked of the package leaves no release.
    Asked,
    /// Each release that is left needs something that cannot be had.
    Needing,
}

impl Cause {
    /// What there is to tell of `failure`, whose lines should all be needed.
    pub(super) fn of(failure: &NoSolution) -> Self {
        let known = failure.index.clone();
        let web = Web::new(&failure.proof, &known);
        let on = web.needed();
        let (state, empty) = web.contradiction(&on, Depth::Forward);
        let needs = needs(&web, &on, &state, &known);
        let told = told(&needs, &known);
        let package = |node: usize| web.nodes[node].0.name().cloned();
        let asked = empty.and_then(package).map(|package| (package, Manner::Asked));
        let clash = asked.or_else(|| {
            let package = web.contradiction(&on, Depth::Full).1.and_then(package)?;
            // What collides is not what happens to run out first, but what has its releases told apart.
            let needing = |told: &&Told| told.needs.len() + told_of(&web, &on, &told.from);
            let widest = told.iter().max_by_key(needing).and_then(|told| told.from.name());
            Some((widest.cloned().unwrap_or(package), Manner::Needing))
        });
        let clash = clash.map(|(package, manner)| {
            let barred = barred(&package, failure, &needs);
            Clash { package, manner, barred }
        });
        Self { culprits: culprits(&known, &web, &on), told, clash, known }
    }

    /// The packages that it speaks of: first that on which the lines collide, then the user's.
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

    /// Where the user's lines stand.
    pub(super) fn places(&self) -> Places {
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
    pub(super) fn told_of<'c>(&'c self, package: &'c PackageName) -> impl Iterator<Item = &'c Told> {
        self.told.iter().filter(move |told| told.to == *package)
    }
}

/// The lines of the problem, without those that the web does not need: where there was no time to take them
/// out. What URLs and hashes do does not show in the web.
fn culprits(known: &SolverIndex, web: &Web, on: &[bool]) -> Vec<Culprit> {
    let culprit = |(role, place): (Role, usize)| {
        let line = repair::lines_of(&known.problem, role)[place].clone();
        let item = Item::Needs(Package::Line(place), line.requirement.name.clone());
        let shows = matches!(line.requirement.source, RequirementSource::Index(_)) && line.hashes.is_empty();
        let is_needed = role != Role::Requirement || !shows || web.on(on).any(|other| *other == item);
        is_needed.then_some(Culprit { role, line })
    };
    let mut culprits: Vec<Culprit> = repair::slots(&known.problem).into_iter().filter_map(culprit).collect();
    culprits.sort_by(|a, b| (&a.line.at, a.role).cmp(&(&b.line.at, b.role)));
    culprits
}

/// How many distributions `package` needs something of.
fn told_of(web: &Web, on: &[bool], package: &Package) -> usize {
    web.on(on).filter(|item| matches!(item, Item::Needs(from, _) if from == package)).count()
}

/// What each package needs of another, once for a distribution and its extras.
fn told(needs: &[Need], known: &SolverIndex) -> Vec<Told> {
    let mut seen: Vec<usize> = Vec::new();
    let mut told = Vec::new();
    for need in needs.iter().filter(|need| need.from.name().is_some()) {
        if let (false, Some(to)) = (seen.contains(&need.item), need.to.name()) {
            seen.push(need.item);
            told.push(Told { from: need.from.clone(), to: to.clone(), needs: need.said(needs, known) });
        }
    }
    told
}

/// The releases of `package` that would fit everybody, but may not be taken.
fn barred(package: &PackageName, failure: &NoSolution, needs: &[Need]) -> Vec<(Version, ExclusionReason)> {
    let Some(candidates) = failure.index.loaded_candidates(package) else { return Vec::new() };
    let mut barred = candidates.excluded.clone();
    for fact in failure.proof.facts() {
        let (of, set, reason) = match fact {
            Fact::NoVersions(of, set) => (of, set, &ExclusionReason::Yanked),
            Fact::Excluded(of, set, reason) => (of, set, reason),
            Fact::Root | Fact::Dependency(..) => continue,
        };
        let releases = set.ordinals(candidates.count()).filter(|_| of.name() == Some(package));
        barred.extend(releases.map(|n| (candidates.get(n).version.clone(), reason.clone())));
    }
    barred.retain(|(version, _)| fits_all(package, version, needs));
    barred.sort_by(|a, b| a.0.cmp(&b.0));
    barred.dedup_by(|a, b| a.0 == b.0);
    barred
}

/// Whether everybody who needs `package` would be content with `version`.
fn fits_all(package: &PackageName, version: &Version, needs: &[Need]) -> bool {
    let content =
        |r: &Requirement| matches!(r.source, RequirementSource::Index(_)) && r.specifiers().contains(version);
    let mut needs = needs.iter().filter(|need| need.to.name() == Some(package));
    needs.all(|need| need.says.iter().any(|(_, says)| says.iter().all(content)))
}
