//! What would help, each tried: one line relaxed, another option, two lines relaxed.

use std::sync::Arc;

use jiff::civil::Date;
use jiff::tz::Offset;
use serde::Serialize;

use super::core::{self, Places, Slot};
use super::lab::Lab;
use super::options::{self, Alternative, OptionValue};
use super::respell;
use pinfast_inputs::InputLine;
use pinfast_packaging::{
    Location, PackageName, Requirement, RequirementError, RequirementSource, Role, Version,
};
use pinfast_solve::{Candidate, ExclusionReason, NoSolution, Problem, Resolution, SolverIndex};

/// How many fixes are shown.
const MOST: usize = 5;

/// How many pairs are tried.
const MOST_PAIRS: usize = 200;

/// A change after which there is a solution: it was tried.
#[derive(Clone, Debug)]
pub struct Fix {
    /// The lines to change; none where an option does it.
    pub edits: Vec<Edit>,
    /// The options to give, each with its value.
    pub options: Vec<OptionValue>,
    /// What the packages of the conflict are then pinned to.
    pub pins: Vec<(PackageName, Version)>,
    /// How many other pins move: from the old lock, or from what the other lines alone would give.
    pub moved: usize,
    /// The packages of the conflict that fall to a release more than two years older than their newest,
    /// with the year of that release.
    pub old: Vec<(PackageName, Version, i16)>,
    /// How many newer releases the packages of the conflict have, all together.
    behind: usize,
}

/// A line of the inputs to be changed.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
pub struct Edit {
    /// What the line does; JSON does without.
    #[serde(skip)]
    pub role: Role,
    /// Where it stands.
    #[serde(flatten)]
    pub at: Location,
    /// The requirement as it stands there.
    pub old: Arc<str>,
    /// What it is to be; `None` takes the line out.
    pub new: Option<String>,
}

/// What was found, and how much was tried.
#[derive(Clone, Debug, Default)]
pub struct Found {
    /// The best first, five at most.
    pub fixes: Vec<Fix>,
    /// How many changes of one line were tried.
    pub singles: usize,
    /// How many other options were tried.
    pub options: usize,
    /// How many pairs of lines were tried.
    pub pairs: usize,
}

/// What else is tried, and what a fix must hold for as well.
#[derive(Clone, Copy)]
pub struct Wider<'a> {
    /// Other targets.
    pub alternatives: &'a [Alternative],
    /// The same inputs for the other targets.
    pub others: &'a [Arc<Problem>],
}

/// Searches for fixes of a conflict of the `guilty` lines about the packages `names`; `known` is of the whole
/// problem.
pub fn search(
    known: &SolverIndex,
    guilty: &Places,
    names: Vec<PackageName>,
    wider: Wider<'_>,
    lab: &Lab,
) -> Found {
    let problem = &*known.problem;
    let guilty = core::among(problem, guilty);
    let innocent: Vec<Slot> =
        core::slots(problem).into_iter().filter(|slot| !guilty.contains(slot)).collect();
    let before = lab.solve(core::only(problem, &innocent)).ok();
    let mut search = Search { known, names, wider, lab, before, seen: Vec::new(), found: Found::default() };
    let failures = search.singles(&guilty);
    let by_line = !search.found.fixes.is_empty();
    search.alternatives();
    if !by_line {
        search.pairs(failures);
    }
    let mut found = search.found;
    found.fixes.sort_by_cached_key(Fix::rank);
    found.fixes.truncate(MOST);
    found
}

struct Search<'a> {
    known: &'a SolverIndex,
    /// The packages of the conflict.
    names: Vec<PackageName>,
    wider: Wider<'a>,
    lab: &'a Lab,
    /// What the lines that are not at fault give.
    before: Option<Box<Resolution>>,
    seen: Vec<Vec<Edit>>,
    found: Found,
}

/// A line in a looser form: what is tried first, before it is said in the user's spelling.
#[derive(Clone)]
struct Loose {
    slot: Slot,
    edit: Edit,
    /// Whether it has lost its bounds, and is to have others.
    bounds: Bounds,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Bounds {
    Lost,
    Kept,
}

impl Search<'_> {
    /// Tries each line by itself; returns those that do not suffice, with what then still fails.
    fn singles(&mut self, slots: &[Slot]) -> Vec<(Loose, Box<NoSolution>)> {
        let ways: Vec<Loose> = slots.iter().flat_map(|slot| self.looser(*slot)).collect();
        let ways = ways.into_iter().take_while(|_| self.lab.budget.is_open()).collect::<Vec<_>>();
        self.found.singles = ways.len();
        ways.into_iter().filter_map(|loose| Some((loose.clone(), self.attempt(&[loose])?))).collect()
    }

    /// The line without bounds or URL; without an extra; not there at all, if it asks for nothing.
    fn looser(&self, slot: Slot) -> Vec<Loose> {
        let InputLine { requirement, text, at, .. } = self.line(slot);
        let loose = |new: Option<String>, bounds| Loose {
            slot,
            edit: Edit { role: slot.0, at: at.clone(), old: text.clone(), new },
            bounds,
        };
        let mut ways = Vec::new();
        match &requirement.source {
            RequirementSource::Url(_) => ways.push(loose(Some(respell::without_bounds(text)), Bounds::Kept)),
            RequirementSource::Index(specifiers) if specifiers.is_empty() => {}
            RequirementSource::Index(_) => {
                ways.push(loose(Some(respell::without_bounds(text)), Bounds::Lost))
            }
        }
        let extras = requirement.extras.iter().filter_map(|extra| respell::without_extra(text, extra));
        ways.extend(extras.map(|new| loose(Some(new), Bounds::Kept)));
        ways.extend((slot.0 != Role::Requirement).then(|| loose(None, Bounds::Kept)));
        ways
    }

    fn line(&self, (role, place): Slot) -> &InputLine {
        &core::lines_of(&self.known.problem, role)[place]
    }

    /// Loosens these lines; where that gives a solution, says it in the user's spelling and proves it. The
    /// failure, where it does not.
    fn attempt(&mut self, loose: &[Loose]) -> Option<Box<NoSolution>> {
        let edits: Vec<Edit> = loose.iter().map(|loose| loose.edit.clone()).collect();
        match self.lab.solve(edited(&self.known.problem, &edits)?) {
            Ok(resolution) => {
                let edits: Option<Vec<Edit>> =
                    loose.iter().map(|loose| self.respelt(loose, &resolution)).collect();
                self.prove(edits?);
                None
            }
            Err(failure) => failure,
        }
    }

    /// The edit as the user would write it, seen what the loosest form leads to.
    fn respelt(&self, loose: &Loose, resolution: &Resolution) -> Option<Edit> {
        if loose.bounds == Bounds::Kept {
            return Some(loose.edit.clone());
        }
        let name = &self.line(loose.slot).requirement.name;
        let version = &resolution.pins.get(name)?.candidate.version;
        let next = self.releases(name).find(|next| next.version > *version).map(|next| next.version.clone());
        let new = respell::letting_in(&loose.edit.old, version, next.as_ref())?;
        Some(Edit { new: Some(new), ..loose.edit.clone() })
    }

    /// The stable releases of a package that can be taken, ascending.
    fn releases(&self, name: &PackageName) -> impl Iterator<Item = Candidate> + use<> {
        let candidates = self.known.candidates(name).map_or_else(|_| Vec::new(), |all| all.usable.clone());
        candidates.into_iter().filter(|candidate| candidate.version.is_stable())
    }

    /// How many newer stable releases there are, those among them that a constraint bars: a fix may let them in.
    fn newer(&self, name: &PackageName, version: &Version) -> usize {
        let Some(candidates) = self.known.loaded_candidates(name) else { return 0 };
        let constrained =
            candidates.excluded.iter().filter(|(_, reason)| matches!(reason, ExclusionReason::Constraint(_)));
        let all =
            candidates.usable.iter().map(|it| &it.version).chain(constrained.map(|(version, _)| version));
        all.filter(|other| other.is_stable() && *other > version).count()
    }

    /// Adds the fix if the edited problem, as the user would have it, has a solution for every target.
    fn prove(&mut self, edits: Vec<Edit>) {
        if edits.iter().any(|edit| edit.new.as_deref() == Some(&*edit.old)) || self.seen.contains(&edits) {
            return;
        }
        let solved = |problem: &Problem| self.lab.solve(edited(problem, &edits)?).ok();
        let Some(resolution) = solved(&self.known.problem) else { return };
        if self.wider.others.iter().all(|other| solved(other).is_some()) {
            let fix = self.fix(edits.clone(), Vec::new(), &resolution);
            self.found.fixes.push(fix);
        }
        self.seen.push(edits);
    }

    /// Tries other options; of several values of one, the first that helps is enough.
    fn alternatives(&mut self) {
        let targets = self.wider.alternatives.iter().cloned();
        let all: Vec<Alternative> =
            targets.chain(options::of_policy(self.known, self.wider.others)).collect();
        for of_one_option in all.chunk_by(|a, b| a.option.flag == b.option.flag) {
            let helps = of_one_option.iter().find_map(|other| self.under(other));
            self.found.fixes.extend(helps);
        }
        let helps = self.a_later_day();
        self.found.fixes.extend(helps);
    }

    /// The fix that another option is, if there is a solution for every target.
    fn under(&mut self, Alternative { option, problems }: &Alternative) -> Option<Fix> {
        self.found.options += 1;
        let mut solved = problems.iter().map(|problem| self.lab.solve(Problem::clone(problem)).ok());
        let told = solved.next()??;
        solved.all(|other| other.is_some()).then(|| self.fix(Vec::new(), vec![option.clone()], &told))
    }

    /// The earliest day that helps, of those on which a release met was uploaded: a later one bars no more than an
    /// earlier one, so the days are halved.
    fn a_later_day(&mut self) -> Option<Fix> {
        let days = self.days_up_to_one_that_helps()?;
        let (mut helps, mut low, mut high) = (None, 0, days.len());
        while low < high {
            let middle = low.midpoint(high);
            let other = options::to_the_end_of(days[middle], self.known, self.wider.others);
            match self.under(&other) {
                Some(fix) => (helps, high) = (Some(fix), middle),
                None => low = middle + 1,
            }
        }
        helps
    }

    /// The days on which something was uploaded that is too new. What a later one lets in may lead to packages
    /// with later ones still.
    fn days_up_to_one_that_helps(&self) -> Option<Vec<Date>> {
        let mut days = options::later_days(self.known);
        loop {
            let last = *days.last()?;
            let other = options::to_the_end_of(last, self.known, &[]);
            let failure = match self.lab.solve(Problem::clone(other.problems.first()?)) {
                Ok(_) => return Some(days),
                Err(failure) => failure?,
            };
            let later = options::later_days(&failure.index).into_iter().filter(|day| *day > last);
            let known = days.len();
            days.extend(later);
            if days.len() == known {
                return None;
            }
        }
    }

    /// Where one line is not enough, looks at what then still fails, and loosens a line of that as well.
    fn pairs(&mut self, failures: Vec<(Loose, Box<NoSolution>)>) {
        for (first, failure) in failures {
            let guilty = core::places(&core::shrink(failure, self.lab).index.problem);
            let all = core::among(&self.known.problem, &guilty).into_iter();
            let seconds = all.filter(|slot| *slot != first.slot);
            for second in seconds.flat_map(|slot| self.looser(slot)).collect::<Vec<_>>() {
                if self.found.pairs >= MOST_PAIRS || !self.lab.budget.is_open() {
                    return;
                }
                self.found.pairs += 1;
                let mut pair = [first.clone(), second];
                pair.sort_by(|a, b| a.edit.at.cmp(&b.edit.at));
                self.attempt(&pair);
            }
        }
    }

    fn fix(&self, edits: Vec<Edit>, options: Vec<OptionValue>, resolution: &Resolution) -> Fix {
        let version = |name| resolution.pins.get(name).map(|pin| &pin.candidate.version);
        let mut names = self.names.clone();
        let edited = edits.iter().filter_map(|edit| Some(edit.old.parse::<Requirement>().ok()?.name));
        for name in edited {
            if !names.contains(&name) {
                names.push(name);
            }
        }
        let pins = names.iter().filter_map(|name| Some((name.clone(), version(name)?.clone())));
        let pins: Vec<(PackageName, Version)> = pins.collect();
        let others = resolution.pins.iter().filter(|(name, _)| !names.contains(name));
        let moved = others.filter(|(name, pin)| self.moves(name, &pin.candidate.version)).count();
        let behind = pins.iter().map(|(name, version)| self.newer(name, version)).sum();
        let old = pins.iter().filter_map(|(name, version)| self.years_old(name, version)).collect();
        Fix { edits, options, pins, moved, old, behind }
    }

    /// Whether a pin is not what it was, or would be without the conflict.
    fn moves(&self, name: &PackageName, version: &Version) -> bool {
        let preferred = self.known.problem.preferences.versions(name);
        let before = self.before.as_ref().and_then(|before| before.pins.get(name));
        match preferred.is_empty() {
            true => before.is_some_and(|pin| pin.candidate.version != *version),
            false => !preferred.contains(version),
        }
    }

    /// Where `version` was uploaded more than two years before the newest release: the year of that.
    fn years_old(&self, name: &PackageName, version: &Version) -> Option<(PackageName, Version, i16)> {
        let then = self.releases(name).find(|candidate| candidate.version == *version)?.file().uploaded?;
        let newest = self.releases(name).last()?.file().uploaded?;
        let is_old = newest.duration_since(then).as_hours() > 2 * 365 * 24;
        is_old.then(|| (name.clone(), version.clone(), Offset::UTC.to_datetime(then).year()))
    }
}

/// `problem` with these edits; lines that it does not have, since they do not hold for its target, stay
/// away. `None` where an edit is no requirement.
fn edited(problem: &Problem, edits: &[Edit]) -> Option<Problem> {
    let changed = |role, line: &InputLine| -> Result<Option<InputLine>, RequirementError> {
        match edits.iter().find(|edit| edit.role == role && edit.at == line.at) {
            None => Ok(Some(line.clone())),
            Some(Edit { new: None, .. }) => Ok(None),
            Some(Edit { new: Some(new), .. }) => {
                Ok(Some(InputLine { requirement: new.parse()?, text: new.as_str().into(), ..line.clone() }))
            }
        }
    };
    let of = |role| -> Option<Vec<InputLine>> {
        let lines = core::lines_of(problem, role).iter();
        lines.filter_map(|line| changed(role, line).transpose()).collect::<Result<_, _>>().ok()
    };
    Some(problem.with_lines(of(Role::Requirement)?, of(Role::Constraint)?, of(Role::Override)?))
}

impl Fix {
    /// The best first: few lines, lines before options, nothing years old, the newest versions, few pins moved.
    fn rank(&self) -> impl Ord + use<> {
        let taken_out = self.edits.iter().filter(|edit| edit.new.is_none()).count();
        let lines = (self.edits.len().max(1), self.options.len());
        (lines, !self.old.is_empty(), taken_out, self.behind, self.moved)
    }
}
