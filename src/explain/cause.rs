//! From the facts of a proof to what there is to tell: who needs what of whom, and where it collides.

use std::sync::Arc;

use rustc_hash::FxHashSet;

use super::core::{self, Role};
use super::minimal::minimal;
use super::span::{Span, span};
use super::web::{Depth, Edge, Item, State, Web};
use crate::inputs::InputLine;
use crate::solve::{
    Candidates, Fact, Known, NoSolution, Ordinal, Package, Project, Reason, base_requirements,
    requirements_of_extra,
};
use crate::spec::{PackageName, Requirement, Source, Specifiers, Version};

/// How often single packages are gone through, release by release, before that is given up.
const FUEL: usize = 2_000;

/// What there is to tell of a failure.
pub(super) struct Cause {
    /// The user's lines that it needs, by file and line.
    pub(super) culprits: Vec<Culprit>,
    /// What packages need of each other.
    pub(super) told: Vec<Told>,
    /// Where it collides.
    pub(super) clash: Option<Clash>,
    pub(super) known: Arc<Known>,
}

/// A line of the user that a conflict needs.
pub(super) struct Culprit {
    pub(super) role: Role,
    /// Its place among the problem's lines of that role.
    pub(super) place: usize,
    pub(super) line: InputLine,
}

/// What releases of one package need of another.
pub(super) struct Told {
    pub(super) from: Package,
    pub(super) to: PackageName,
    /// What they need, by releases; one entry where all need the same.
    pub(super) needs: Vec<(Span, Bound)>,
}

/// What is needed of a package.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Bound {
    /// As the requirement says it, the same in all releases.
    Same(String),
    /// The weakest of many lower bounds.
    AtLeast(Version),
    /// The weakest of many upper bounds.
    AtMost(Version),
    /// Nothing in common: from the lowest to the highest release that any of them permits.
    Various(Option<(Version, Version)>),
}

/// The package on which the lines collide.
pub(super) struct Clash {
    pub(super) package: PackageName,
    /// The lines that bind it, by place.
    pub(super) lines: Vec<usize>,
    /// What others need of it, by place in `told`.
    pub(super) told: Vec<usize>,
    /// Releases that would fit everybody, but may not be taken, ascending.
    pub(super) barred: Vec<(Version, Bar)>,
    pub(super) project: Project,
    pub(super) manner: Manner,
}

/// How a collision comes about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Manner {
    /// What is asked of the package leaves no release.
    Asked,
    /// Each release that is left needs something that cannot be had.
    Needing,
}

/// Why a release may not be taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Bar {
    Policy(Reason),
    /// Yanked, and nobody pins it.
    Yanked,
    /// What its metadata says makes it useless.
    Useless(String),
}

impl Cause {
    /// What there is to tell of `failure`, whose lines should all be needed.
    pub(super) fn of(failure: &NoSolution) -> Self {
        let known = failure.known.clone();
        let web = Web::new(&failure.proof, &known);
        let on = needed_items(&web);
        let teller = Teller { web: &web, on: &on, known: &known, failure };
        let (told, clash) = teller.tell();
        Self { culprits: culprits(&known), told, clash, known }
    }

    /// The packages that it speaks of: first that on which they collide, then the user's.
    pub(super) fn names(&self) -> Vec<PackageName> {
        let clash = self.clash.iter().map(|clash| &clash.package);
        let lines = self.culprits.iter().map(|culprit| &culprit.line.requirement.name);
        let mut names: Vec<PackageName> = Vec::new();
        for name in clash.chain(lines) {
            if !names.contains(name) {
                names.push(name.clone());
            }
        }
        names
    }

    /// The lines that ask for `package` or bind it.
    pub(super) fn culprit(&self, role: Role, place: usize) -> Option<&Culprit> {
        self.culprits.iter().find(|culprit| (culprit.role, culprit.place) == (role, place))
    }
}

fn culprits(known: &Known) -> Vec<Culprit> {
    let problem = &*known.problem;
    let mut culprits: Vec<Culprit> = core::slots(problem)
        .into_iter()
        .map(|(role, place)| Culprit { role, place, line: core::lines_of(problem, role)[place].clone() })
        .collect();
    culprits.sort_by(|a, b| (&a.line.at, a.role).cmp(&(&b.line.at, b.role)));
    culprits
}

/// A smallest part of the web that still contradicts itself, near the lines where there is a choice.
fn needed_items(web: &Web) -> Vec<bool> {
    let mut order: Vec<usize> = (0..web.items.len()).collect();
    let depths = web.depths();
    order.sort_by_key(|&item| depths[item]);
    let switched = |items: &[usize]| {
        let mut on = vec![false; web.items.len()];
        items.iter().for_each(|&item| on[item] = true);
        on
    };
    let mut fuel = FUEL;
    let kept = minimal(&order, &mut |items| web.contradicts(&switched(items), &mut fuel));
    switched(&kept)
}

struct Teller<'a> {
    web: &'a Web,
    on: &'a [bool],
    known: &'a Known,
    failure: &'a NoSolution,
}

impl Teller<'_> {
    fn tell(&self) -> (Vec<Told>, Option<Clash>) {
        let (state, empty) = self.web.contradiction(self.on, Depth::Forward);
        let manner = if empty.is_some() { Manner::Asked } else { Manner::Needing };
        let empty = empty.or_else(|| self.web.contradiction(self.on, Depth::Full).1);
        let mut told = Vec::new();
        for (place, item) in self.web.items.iter().enumerate().filter(|(place, _)| self.on[*place]) {
            if let Item::Needs(from @ (Package::Dist(_) | Package::Extra(..)), to) = item {
                let needs = self.needs(&state, place, from, to);
                told.push(Told { from: from.clone(), to: to.clone(), needs });
            }
        }
        let name = empty.and_then(|node| self.web.nodes[node].package.name().cloned());
        let clash = name.map(|name| self.clash(&name, &told, manner));
        (told, clash)
    }

    fn edges(&self) -> impl Iterator<Item = &Edge> {
        self.web.edges.iter().filter(|edge| self.on[edge.item()])
    }

    /// What the releases of `from` that are left need of `to`.
    fn needs(&self, state: &State, item: usize, from: &Package, to: &PackageName) -> Vec<(Span, Bound)> {
        let Some(edge) = self.edges().find(|edge| edge.item() == item) else { return Vec::new() };
        let (needing, permitted) = self.web.needing(state, edge);
        let against = self.against(state, edge, needing.iter().filter(|needs| **needs).count());
        let texts: Vec<(Ordinal, String)> = (0u32..)
            .zip(&needing)
            .filter(|(_, needs)| **needs)
            .filter_map(|(ordinal, _)| Some((ordinal, self.requirement(from, ordinal, to, &against)?)))
            .collect();
        let (Some(candidates), Some((_, first))) =
            (from.name().and_then(|n| self.known.known_candidates(n)), texts.first())
        else {
            return Vec::new();
        };
        let range = &state.left[edge.from];
        if texts.iter().all(|(_, text)| text == first) {
            return vec![(span(&candidates, &needing, range), Bound::Same(first.clone()))];
        }
        let bound = self.weakest(state, edge, &permitted);
        if bound.is_none()
            && let Some(groups) = in_groups(&candidates, &texts, range)
        {
            return groups;
        }
        let bound = bound.unwrap_or_else(|| self.various(to, &permitted));
        vec![(span(&candidates, &needing, range), bound)]
    }

    /// The weakest bound of `edge`, seen from what others leave of its package.
    fn weakest(&self, state: &State, edge: &Edge, permitted: &[bool]) -> Option<Bound> {
        let candidates = self.known.known_candidates(self.web.nodes[edge.to].package.name()?)?;
        let rest = self.left_by_others(state, edge);
        let places = |set: &[bool]| (0..set.len()).filter(|&n| set[n]).collect::<Vec<_>>();
        let (permitted, rest) = (places(permitted), places(&rest));
        let version = |place: usize| candidates.usable[place].version.clone();
        let (low, high) = (*permitted.first()?, *permitted.last()?);
        if low > *rest.last()? {
            Some(Bound::AtLeast(version(low)))
        } else if high < *rest.first()? {
            Some(Bound::AtMost(version(high)))
        } else {
            None
        }
    }

    /// What the others that bind the package of `edge` leave of it.
    fn left_by_others(&self, state: &State, edge: &Edge) -> Vec<bool> {
        let mut rest = vec![true; self.web.nodes[edge.to].count as usize];
        let name = self.web.nodes[edge.to].package.name();
        let others = self
            .edges()
            .filter(|other| other.item() != edge.item() && self.web.nodes[other.to].package.name() == name);
        for other in others {
            let (_, permitted) = self.web.needing(state, other);
            rest.iter_mut().zip(permitted).for_each(|(rest, permitted)| *rest &= permitted);
        }
        rest
    }

    fn various(&self, to: &PackageName, permitted: &[bool]) -> Bound {
        let candidates = self.known.known_candidates(to);
        let version = |place: usize| Some(candidates.as_ref()?.usable.get(place)?.version.clone());
        let low = permitted.iter().position(|p| *p).and_then(version);
        let high = permitted.iter().rposition(|p| *p).and_then(version);
        Bound::Various(low.zip(high))
    }

    /// The releases that others leave of the package of `edge`: what it is needed to be against. None, where
    /// it would take too long to look at them for each of `count` releases.
    fn against(&self, state: &State, edge: &Edge, count: usize) -> Vec<Version> {
        let rest = self.left_by_others(state, edge);
        let candidates =
            self.web.nodes[edge.to].package.name().and_then(|name| self.known.known_candidates(name));
        let Some(candidates) = candidates.filter(|all| count.saturating_mul(all.usable.len()) < 1 << 20)
        else {
            return Vec::new();
        };
        candidates.usable.iter().zip(rest).filter(|(_, left)| *left).map(|(c, _)| c.version.clone()).collect()
    }

    /// What the release `ordinal` of `from` says of `to`, as far as it matters `against` those releases.
    fn requirement(
        &self,
        from: &Package,
        ordinal: Ordinal,
        to: &PackageName,
        against: &[Version],
    ) -> Option<String> {
        let mut requirements = self.requirements(from, ordinal)?;
        requirements.retain(|requirement| requirement.name == *to);
        for requirement in &mut requirements {
            requirement.extras.retain(|extra| self.matters(&Package::Extra(to.clone(), extra.clone())));
        }
        if let Some(bound) = decisive(&requirements, against) {
            return Some(format!("{to}{bound}"));
        }
        let mut texts: Vec<String> = requirements.iter().map(without_marker).collect();
        texts.dedup();
        (!texts.is_empty()).then(|| texts.join(" and "))
    }

    /// Whether what `package` needs is told.
    fn matters(&self, package: &Package) -> bool {
        let told = self.web.items.iter().zip(self.on).filter(|(_, on)| **on);
        told.into_iter().any(|(item, _)| matches!(item, Item::Needs(from, _) if from == package))
    }

    fn requirements(&self, from: &Package, ordinal: Ordinal) -> Option<Vec<Requirement>> {
        let candidates = self.known.known_candidates(from.name()?)?;
        let metadata = self.known.known_metadata(candidates.usable.get(ordinal as usize)?)?.ok()?;
        let problem = &self.known.problem;
        let requirements = match from {
            Package::Extra(_, extra) => requirements_of_extra(problem, &metadata, extra),
            _ => base_requirements(problem, &metadata),
        };
        Some(requirements.into_iter().cloned().collect())
    }

    fn clash(&self, package: &PackageName, told: &[Told], manner: Manner) -> Clash {
        let mut lines: Vec<usize> = self
            .web
            .items
            .iter()
            .enumerate()
            .filter_map(|(place, item)| match item {
                Item::Needs(Package::Line(line), to) if self.on[place] && to == package => Some(*line),
                _ => None,
            })
            .collect();
        lines.sort_unstable();
        let told = (0..told.len()).filter(|&n| told[n].to == *package).collect();
        let candidates = self.known.known_candidates(package);
        let project = candidates.as_ref().map_or(Project::Known, |candidates| candidates.project);
        let barred = candidates.map_or_else(Vec::new, |candidates| self.barred(package, &candidates));
        Clash { package: package.clone(), lines, told, barred, project, manner }
    }

    /// The releases of `package` that would fit everybody, but may not be taken.
    fn barred(&self, package: &PackageName, candidates: &Candidates) -> Vec<(Version, Bar)> {
        let asked = self.asked_of(package);
        let fits = |version: &Version| {
            asked.iter().all(|by_one| {
                by_one
                    .iter()
                    .any(|r| matches!(r.source, Source::Index(_)) && r.specifiers().contains(version))
            })
        };
        let mut barred: Vec<(Version, Bar)> = candidates
            .barred
            .iter()
            .filter(|(version, _)| fits(version))
            .map(|(version, reason)| (version.clone(), Bar::Policy(reason.clone())))
            .collect();
        for fact in self.failure.proof.facts() {
            let (of, set, bar) = match fact {
                Fact::None(of, set) => (of, set, Bar::Yanked),
                Fact::Barred(of, set, reason) => (of, set, Bar::Useless(reason.clone())),
                Fact::Asked | Fact::Needs(..) => continue,
            };
            if of.name() == Some(package) {
                let releases = set.ordinals(candidates.count()).map(|n| candidates.get(n).version.clone());
                barred.extend(releases.filter(&fits).map(|version| (version, bar.clone())));
            }
        }
        barred.sort_by(|a, b| a.0.cmp(&b.0));
        barred.dedup_by(|a, b| a.0 == b.0);
        barred
    }

    /// What each one that binds `package` asks of it: one requirement, or one of several.
    fn asked_of(&self, package: &PackageName) -> Vec<Vec<Requirement>> {
        let mut asked = Vec::new();
        let mut seen: FxHashSet<usize> = FxHashSet::default();
        for edge in self.edges().filter(|edge| self.web.nodes[edge.to].package.name() == Some(package)) {
            if !seen.insert(edge.item()) {
                continue;
            }
            let problem = &self.known.problem;
            asked.push(match &self.web.nodes[edge.from].package {
                Package::Line(line) => {
                    problem.effective(&problem.lines[*line].requirement).into_iter().cloned().collect()
                }
                from => {
                    let releases = edge.needs.iter().flat_map(|(releases, _)| {
                        releases.ordinals(self.web.nodes[edge.from].count).collect::<Vec<_>>()
                    });
                    let all = releases.filter_map(|ordinal| self.requirements(from, ordinal)).flatten();
                    all.filter(|requirement| requirement.name == *package).collect()
                }
            });
        }
        asked
    }
}

/// Up to three groups of neighbouring releases that say the same.
fn in_groups(
    candidates: &Candidates,
    texts: &[(Ordinal, String)],
    range: &[bool],
) -> Option<Vec<(Span, Bound)>> {
    let mut groups: Vec<(Vec<bool>, &str)> = Vec::new();
    for (ordinal, text) in texts {
        if groups.last().is_none_or(|(_, last)| last != text) {
            if groups.len() == 3 {
                return None;
            }
            groups.push((vec![false; range.len()], text));
        }
        if let Some((releases, _)) = groups.last_mut() {
            releases[*ordinal as usize] = true;
        }
    }
    Some(
        groups
            .into_iter()
            .map(|(releases, text)| (span(candidates, &releases, range), Bound::Same(text.to_owned())))
            .collect(),
    )
}

/// The one bound of many that none of `against` fulfils, where there is one.
fn decisive(requirements: &[Requirement], against: &[Version]) -> Option<String> {
    if against.is_empty() || requirements.iter().any(|requirement| !requirement.extras.is_empty()) {
        return None;
    }
    let bounds =
        requirements.iter().map(|requirement| requirement.specifiers().to_string()).collect::<Vec<_>>();
    let single = bounds.iter().flat_map(|bounds| bounds.split(',')).filter(|bound| !bound.is_empty());
    let excludes = |bound: &&str| {
        bound.parse::<Specifiers>().is_ok_and(|bound| !against.iter().any(|version| bound.contains(version)))
    };
    single.into_iter().find(excludes).map(str::to_owned)
}

/// `name[extras]specifiers`
pub(super) fn without_marker(requirement: &Requirement) -> String {
    Requirement { marker: crate::spec::Marker::default(), ..requirement.clone() }.to_string()
}
