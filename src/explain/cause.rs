//! From the facts of a proof to what there is to tell: who needs what of whom, and where it collides.

use std::sync::Arc;

use crate::repair::{self, Places, Role};

use super::web::{Depth, Edge, Item, State, Web};
use crate::inputs::InputLine;
use crate::solve::{Fact, Known, NoSolution, Package, Reason, base_requirements, requirements_of_extra};
use crate::spec::{Marker, PackageName, Requirement, Source, Specifiers, Version};

/// How often the releases of single packages are gone through before that is given up.
const FUEL: usize = 2_000;

/// How many groups of releases are told apart.
const MOST_GROUPS: usize = 3;

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
    pub(super) line: InputLine,
}

/// What releases of one package need of another: in groups, where they do not all need the same.
pub(super) struct Told {
    pub(super) from: Package,
    pub(super) to: PackageName,
    pub(super) needs: Vec<(Shape, String)>,
}

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

/// The package on which the lines collide.
pub(super) struct Clash {
    pub(super) package: PackageName,
    pub(super) manner: Manner,
    /// Releases that would fit everybody, but may not be taken, ascending.
    pub(super) barred: Vec<(Version, Reason)>,
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
        let known = failure.known.clone();
        let web = Web::new(&failure.proof, &known);
        let on = needed_items(&web);
        let (state, empty) = web.contradiction(&on, Depth::Forward);
        let teller = Teller { needs: needs(&web, &on, &state, &known), known: &known, failure };
        let told = teller.told();
        let package = |node: usize| web.nodes[node].0.name().cloned();
        let clash = match empty.and_then(package) {
            Some(package) => Some(teller.clash(package, Manner::Asked)),
            None => web.contradiction(&on, Depth::Full).1.and_then(package).map(|package| {
                // What collides is not what happens to run out first, but what has its releases told apart.
                let needing = |told: &&Told| told.needs.len() + told_of(&web, &on, &told.from);
                let widest = told.iter().max_by_key(needing).and_then(|told| told.from.name());
                teller.clash(widest.cloned().unwrap_or(package), Manner::Needing)
            }),
        };
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
        let lines =
            self.culprits.iter().filter(move |culprit| culprit.role == role).map(|culprit| &culprit.line);
        lines.filter(move |line| line.requirement.name == *package)
    }

    /// What packages need of `package`.
    pub(super) fn told_of<'c>(&'c self, package: &'c PackageName) -> impl Iterator<Item = &'c Told> {
        self.told.iter().filter(move |told| told.to == *package)
    }
}

/// The lines of the problem, without those that the web does not need: where there was no time to take them
/// out. What URLs and hashes do does not show in the web.
fn culprits(known: &Known, web: &Web, on: &[bool]) -> Vec<Culprit> {
    let problem = &*known.problem;
    let mut culprits = Vec::new();
    for (role, place) in repair::slots(problem) {
        let line = repair::lines_of(problem, role)[place].clone();
        let item = Item::Needs(Package::Line(place), line.requirement.name.clone());
        let needed = web.items.iter().zip(on).any(|(other, on)| *on && *other == item);
        let is_plain = matches!(line.requirement.source, Source::Index(_)) && line.hashes.is_empty();
        if needed || role != Role::Requirement || !is_plain {
            culprits.push(Culprit { role, line });
        }
    }
    culprits.sort_by(|a, b| (&a.line.at, a.role).cmp(&(&b.line.at, b.role)));
    culprits
}

/// A smallest part of the web that still contradicts itself; what the lines say is kept where there is a
/// choice, and that releases cannot be chosen is left out.
fn needed_items(web: &Web) -> Vec<bool> {
    let mut order: Vec<usize> = (0..web.items.len()).collect();
    order.sort_by_key(|&item| match &web.items[item] {
        Item::Needs(Package::Line(_), _) => 0,
        Item::Needs(..) => 1,
        Item::Out(_) => 2,
    });
    let switched = |items: &[usize]| {
        let mut on = vec![false; web.items.len()];
        items.iter().for_each(|&item| on[item] = true);
        on
    };
    let mut fuel = FUEL;
    switched(&repair::minimal(&order, &mut |items| web.contradicts(&switched(items), &mut fuel)))
}

/// How many distributions `package` needs something of.
fn told_of(web: &Web, on: &[bool], package: &Package) -> usize {
    let items = web.items.iter().zip(on).filter(|(_, on)| **on);
    items.filter(|(item, _)| matches!(item, Item::Needs(from, _) if from == package)).count()
}

/// An edge that matters, with what each release says.
struct Need<'a> {
    from: &'a Package,
    to: &'a Package,
    item: usize,
    /// The releases in question, and those of them that have the need, by ordinal.
    range: &'a [bool],
    releases: Vec<bool>,
    /// The releases that any of them permits.
    permitted: Vec<bool>,
    says: Vec<(usize, Vec<Requirement>)>,
}

fn needs<'a>(web: &'a Web, on: &[bool], state: &'a State, known: &Known) -> Vec<Need<'a>> {
    let need = |edge: &'a Edge| {
        let (releases, permitted) = web.needing(state, edge);
        let (from, to) = (&web.nodes[edge.from].0, &web.nodes[edge.to].0);
        let says = (0..releases.len()).filter(|&n| releases[n]).map(|n| {
            let mut says = said(known, from, n).unwrap_or_default();
            says.retain(|requirement| Some(&requirement.name) == to.name());
            (n, says)
        });
        let says = says.filter(|(_, says)| !says.is_empty()).collect();
        Need { from, to, item: edge.item, range: &state.left[edge.from], releases, permitted, says }
    };
    web.edges.iter().filter(|edge| on[edge.item]).map(need).collect()
}

/// What a line, or a release of a package, requires.
fn said(known: &Known, from: &Package, ordinal: usize) -> Option<Vec<Requirement>> {
    let problem = &known.problem;
    if let Package::Line(line) = from {
        return Some(
            problem.effective(&problem.lines.get(*line)?.requirement).into_iter().cloned().collect(),
        );
    }
    let candidates = known.known_candidates(from.name()?)?;
    let metadata = known.known_metadata(candidates.usable.get(ordinal)?)?.ok()?;
    let requirements = match from {
        Package::Extra(_, extra) => requirements_of_extra(problem, &metadata, extra),
        _ => base_requirements(problem, &metadata),
    };
    Some(requirements.into_iter().cloned().collect())
}

struct Teller<'a> {
    needs: Vec<Need<'a>>,
    known: &'a Known,
    failure: &'a NoSolution,
}

impl Teller<'_> {
    /// What each package needs of another, once for a distribution and its extras.
    fn told(&self) -> Vec<Told> {
        let mut seen: Vec<usize> = Vec::new();
        let mut told = Vec::new();
        for need in self.needs.iter().filter(|need| need.from.name().is_some()) {
            if let (false, Some(to)) = (seen.contains(&need.item), need.to.name()) {
                seen.push(need.item);
                told.push(Told { from: need.from.clone(), to: to.clone(), needs: self.groups(need) });
            }
        }
        told
    }

    /// One group if all releases need the same, or something is the least that they need; else one for each
    /// row of neighbours that do, if these are few.
    fn groups(&self, need: &Need) -> Vec<(Shape, String)> {
        let rest = self.left_by_others(need);
        let against = self.versions(need.to, &rest, need.says.len());
        let mut groups: Vec<(Vec<bool>, String)> = Vec::new();
        for (release, says) in &need.says {
            let text = self.text(says, &against);
            if groups.last().is_none_or(|(_, last)| *last != text) {
                groups.push((vec![false; need.range.len()], text));
            }
            groups.iter_mut().last().into_iter().for_each(|(releases, _)| releases[*release] = true);
        }
        if groups.len() > 1 {
            let to = need.to.name().map(PackageName::as_str).unwrap_or_default();
            let weakest = self.weakest(need, &rest);
            if weakest.is_some() || groups.len() > MOST_GROUPS {
                let text = weakest.unwrap_or_else(|| format!("{to} in another release each"));
                groups = vec![(need.releases.clone(), text)];
            }
        }
        groups.into_iter().map(|(releases, text)| (self.shape(need, &releases), text)).collect()
    }

    /// What others leave of the package that is needed.
    fn left_by_others(&self, need: &Need) -> Vec<bool> {
        let mut rest = vec![true; need.permitted.len()];
        for other in
            self.needs.iter().filter(|other| other.item != need.item && other.to.name() == need.to.name())
        {
            rest.iter_mut().zip(&other.permitted).for_each(|(rest, permitted)| *rest &= permitted);
        }
        rest
    }

    /// The versions of these releases; none, where it would take too long to compare each with `count` others.
    fn versions(&self, package: &Package, releases: &[bool], count: usize) -> Vec<Version> {
        let candidates = package.name().and_then(|name| self.known.known_candidates(name));
        let candidates = candidates.filter(|_| count.saturating_mul(releases.len()) < 1 << 20);
        let chosen = |(candidate, chosen): (&crate::solve::Candidate, &bool)| {
            chosen.then(|| candidate.version.clone())
        };
        candidates.map_or_else(Vec::new, |all| all.usable.iter().zip(releases).filter_map(chosen).collect())
    }

    /// The weakest of many bounds, seen from what others leave.
    fn weakest(&self, need: &Need, rest: &[bool]) -> Option<String> {
        let to = need.to.name()?;
        let candidates = self.known.known_candidates(to)?;
        let ends = |set: &[bool]| Some((set.iter().position(|n| *n)?, set.iter().rposition(|n| *n)?));
        let ((low, high), (lowest, highest)) = (ends(&need.permitted)?, ends(rest)?);
        let version = |place: usize| &candidates.usable[place].version;
        match (low > highest, high < lowest) {
            (true, _) => Some(format!("{to}>={}", version(low))),
            (_, true) => Some(format!("{to}<={}", version(high))),
            _ => None,
        }
    }

    /// What a release says of another package: the one bound that decides `against` those versions, or all.
    fn text(&self, says: &[Requirement], against: &[Version]) -> String {
        let mut texts: Vec<String> = Vec::new();
        for requirement in says {
            let matters = |name: &PackageName, extra| {
                let package = Package::Extra(name.clone(), extra);
                self.needs.iter().any(|need| *need.from == package)
            };
            let mut told = Requirement { marker: Marker::default(), ..requirement.clone() };
            told.extras.retain(|extra| matters(&requirement.name, extra.clone()));
            if let (true, Some(bound)) = (told.extras.is_empty(), decisive(&told, against)) {
                return format!("{}{bound}", told.name);
            }
            texts.push(told.to_string());
        }
        texts.dedup();
        texts.join(" and ")
    }

    fn shape(&self, need: &Need, releases: &[bool]) -> Shape {
        let candidates = need.from.name().and_then(|name| self.known.known_candidates(name));
        let places: Vec<usize> = (0..releases.len()).filter(|&n| releases[n]).collect();
        let (Some(candidates), Some(&first), Some(&last)) = (candidates, places.first(), places.last())
        else {
            return Shape::All(0);
        };
        let version = |place: usize| candidates.usable[place].version.clone();
        let (low, high, count) = (version(first), version(last), places.len());
        let in_range = need.range.iter().filter(|r| **r).count();
        let unbroken = (first..=last).all(|n| releases[n] || !need.range[n]);
        if count == 1 {
            Shape::One(low)
        } else if count == releases.len() {
            Shape::All(count)
        } else if count == in_range {
            Shape::AllInRange(count, low, high)
        } else if unbroken && !need.range[last + 1..].contains(&true) {
            Shape::From(low)
        } else if unbroken && !need.range[..first].contains(&true) {
            Shape::UpTo(high)
        } else {
            Shape::Some(count, in_range, low, high)
        }
    }

    fn clash(&self, package: PackageName, manner: Manner) -> Clash {
        let barred = self.barred(&package);
        Clash { package, manner, barred }
    }

    /// The releases of `package` that would fit everybody, but may not be taken.
    fn barred(&self, package: &PackageName) -> Vec<(Version, Reason)> {
        let Some(candidates) = self.known.known_candidates(package) else { return Vec::new() };
        let mut barred = candidates.barred.clone();
        for fact in self.failure.proof.facts() {
            let (of, set, reason) = match fact {
                Fact::None(of, set) => (of, set, &Reason::Yanked),
                Fact::Barred(of, set, reason) => (of, set, reason),
                Fact::Asked | Fact::Needs(..) => continue,
            };
            let releases = set.ordinals(candidates.count()).filter(|_| of.name() == Some(package));
            barred.extend(releases.map(|n| (candidates.get(n).version.clone(), reason.clone())));
        }
        barred.retain(|(version, _)| self.fits_all(package, version));
        barred.sort_by(|a, b| a.0.cmp(&b.0));
        barred.dedup_by(|a, b| a.0 == b.0);
        barred
    }

    /// Whether everybody who needs `package` would be content with `version`.
    fn fits_all(&self, package: &PackageName, version: &Version) -> bool {
        let content =
            |r: &Requirement| matches!(r.source, Source::Index(_)) && r.specifiers().contains(version);
        let mut needs = self.needs.iter().filter(|need| need.to.name() == Some(package));
        needs.all(|need| need.says.iter().any(|(_, says)| says.iter().all(content)))
    }
}

/// The one bound of several that none of `against` fulfils, where there is one.
fn decisive(requirement: &Requirement, against: &[Version]) -> Option<String> {
    let bounds = requirement.specifiers().to_string();
    let excludes = |bound: &&str| {
        let bound: Specifiers = bound.parse().unwrap_or_default();
        !against.is_empty() && !against.iter().any(|version| bound.contains(version))
    };
    bounds.split(',').find(excludes).map(str::to_owned)
}
