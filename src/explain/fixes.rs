//! What would help, each tried: one line relaxed, another option, two lines relaxed.

use std::cmp::Reverse;
use std::sync::Arc;

use jiff::tz::Offset;
use rustc_hash::FxHashSet;

use super::cause::Cause;
use super::core::{self, Role, Slot};
use super::lab::{Lab, Verdict};
use super::respell;
use super::{Alternative, ExplainRequest};
use crate::inputs::InputLine;
use crate::solve::{NoSolution, Problem, Resolution};
use crate::spec::{Location, PackageName, Source, Version};

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
    pub options: Vec<String>,
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
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Edit {
    /// What the line does.
    pub role: Role,
    /// Where it stands.
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
    /// How many changes of one line, or of an option, were tried.
    pub singles: usize,
    /// How many pairs of lines were tried.
    pub pairs: usize,
}

/// Searches for fixes of the conflict of `problem` that `cause` tells of.
pub(super) fn search(problem: &Problem, cause: &Cause, request: &ExplainRequest, lab: &Lab) -> Found {
    let mut search = Search {
        problem,
        cause,
        request,
        lab,
        before: None,
        seen: FxHashSet::default(),
        found: Found::default(),
    };
    search.before = search.pins_before();
    let failures = search.singles(&culprits(problem, cause));
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

/// The places of the cause's lines in the whole problem.
fn culprits(problem: &Problem, cause: &Cause) -> Vec<Slot> {
    let is_one = |&(role, place): &Slot| {
        let at = &core::lines_of(problem, role)[place].at;
        cause.culprits.iter().any(|culprit| culprit.role == role && culprit.line.at == *at)
    };
    core::slots(problem).into_iter().filter(is_one).collect()
}

struct Search<'a> {
    problem: &'a Problem,
    cause: &'a Cause,
    request: &'a ExplainRequest,
    lab: &'a Lab,
    before: Option<Box<Resolution>>,
    seen: FxHashSet<Vec<Edit>>,
    found: Found,
}

/// A line in a looser form: what is tried first, and how to say it if that works.
#[derive(Clone)]
struct Loose {
    slot: Slot,
    how: How,
}

#[derive(Clone, PartialEq, Eq)]
enum How {
    /// Any version, or no URL.
    AnyVersion,
    /// Without this extra.
    WithoutExtra(String),
    /// The line is not there.
    Gone,
}

impl Search<'_> {
    /// What the lines that are not at fault would give.
    fn pins_before(&self) -> Option<Box<Resolution>> {
        let guilty = culprits(self.problem, self.cause);
        let rest: Vec<Slot> =
            core::slots(self.problem).into_iter().filter(|slot| !guilty.contains(slot)).collect();
        match self.lab.solve(core::only(self.problem, &rest)) {
            Verdict::Solved(resolution) => Some(resolution),
            Verdict::Failed(_) | Verdict::Unknown => None,
        }
    }

    /// Tries each line by itself; returns those that do not suffice, with what then still fails.
    fn singles(&mut self, slots: &[Slot]) -> Vec<(Loose, Box<NoSolution>)> {
        let mut failures = Vec::new();
        let all: Vec<Loose> = slots.iter().flat_map(|slot| self.looser(*slot)).collect();
        for loose in all {
            self.found.singles += 1;
            if let Some(failure) = self.attempt(std::slice::from_ref(&loose)) {
                failures.push((loose, failure));
            }
        }
        failures
    }

    fn looser(&self, slot: Slot) -> Vec<Loose> {
        let line = self.line(slot);
        let mut ways = Vec::new();
        if !line.requirement.specifiers().is_empty() || matches!(line.requirement.source, Source::Url(_)) {
            ways.push(How::AnyVersion);
        }
        ways.extend(line.requirement.extras.iter().map(|extra| How::WithoutExtra(extra.as_str().to_owned())));
        if slot.0 != Role::Requirement {
            ways.push(How::Gone);
        }
        ways.into_iter().map(|how| Loose { slot, how }).collect()
    }

    fn line(&self, (role, place): Slot) -> &InputLine {
        &core::lines_of(self.problem, role)[place]
    }

    /// Loosens these lines; where that gives a solution, says it in the user's spelling and proves it.
    fn attempt(&mut self, loose: &[Loose]) -> Option<Box<NoSolution>> {
        let edits: Vec<Edit> = loose.iter().filter_map(|loose| self.loosest(loose)).collect();
        if edits.len() < loose.len() {
            return None;
        }
        match self.lab.solve(edited(self.problem, &edits)?) {
            Verdict::Solved(resolution) => {
                let edits = loose.iter().zip(edits).map(|(loose, edit)| self.told(loose, edit, &resolution));
                if let Some(edits) = edits.collect::<Option<Vec<_>>>() {
                    self.prove(edits);
                }
                None
            }
            Verdict::Failed(failure) => Some(failure),
            Verdict::Unknown => None,
        }
    }

    fn loosest(&self, loose: &Loose) -> Option<Edit> {
        let line = self.line(loose.slot);
        let new = match &loose.how {
            How::AnyVersion => Some(respell::without_bounds(&line.text)),
            How::WithoutExtra(extra) => Some(respell::without_extra(&line.text, extra)?),
            How::Gone => None,
        };
        Some(Edit { role: loose.slot.0, at: line.at.clone(), old: line.text.clone(), new })
    }

    /// The edit as the user would write it, seen what the loosest form leads to.
    fn told(&self, loose: &Loose, loosest: Edit, resolution: &Resolution) -> Option<Edit> {
        let requirement = &self.line(loose.slot).requirement;
        if loose.how != How::AnyVersion || matches!(requirement.source, Source::Url(_)) {
            return Some(loosest);
        }
        let version = &resolution.pins.get(&requirement.name)?.candidate.version;
        let next = self.next_release(&requirement.name, version);
        let new = respell::letting_in(&loosest.old, version, next.as_ref())?;
        Some(Edit { new: Some(new), ..loosest })
    }

    fn next_release(&self, name: &PackageName, version: &Version) -> Option<Version> {
        let candidates = self.cause.known.known_candidates(name)?;
        let newer =
            candidates.usable.iter().find(|next| next.version > *version && next.version.is_stable())?;
        Some(newer.version.clone())
    }

    /// Adds the fix if the edited problem, as the user would have it, has a solution for every target.
    fn prove(&mut self, edits: Vec<Edit>) {
        if edits.iter().any(|edit| edit.new.as_deref() == Some(&*edit.old))
            || !self.seen.insert(edits.clone())
        {
            return;
        }
        let Some(resolution) = self.solved(self.problem, &edits) else { return };
        if self.request.others.iter().all(|other| self.solved(other, &edits).is_some()) {
            let fix = self.fix(edits, Vec::new(), &resolution);
            self.found.fixes.push(fix);
        }
    }

    fn solved(&self, problem: &Problem, edits: &[Edit]) -> Option<Box<Resolution>> {
        match self.lab.solve(edited(problem, edits)?) {
            Verdict::Solved(resolution) => Some(resolution),
            Verdict::Failed(_) | Verdict::Unknown => None,
        }
    }

    /// Tries other options; of several values of one, the first that helps is enough.
    fn alternatives(&mut self) {
        let mut helped: Vec<&str> = Vec::new();
        for Alternative { option, problem } in &self.request.alternatives {
            let name = option.split(' ').next().unwrap_or_default();
            if helped.contains(&name) {
                continue;
            }
            self.found.singles += 1;
            if let Some(resolution) = self.solved(problem, &[]) {
                helped.push(name);
                let fix = self.fix(Vec::new(), vec![option.clone()], &resolution);
                self.found.fixes.push(fix);
            }
        }
    }

    /// Where one line is not enough, looks at what then still fails, and loosens a line of that as well.
    fn pairs(&mut self, failures: Vec<(Loose, Box<NoSolution>)>) {
        for (first, failure) in failures {
            let failure = core::shrink(failure, self.lab);
            let cause = Cause::of(&failure);
            let seconds = culprits(self.problem, &cause).into_iter().filter(|slot| *slot != first.slot);
            for second in seconds.flat_map(|slot| self.looser(slot)).collect::<Vec<_>>() {
                if self.found.pairs >= MOST_PAIRS || !self.lab.is_open() {
                    return;
                }
                self.found.pairs += 1;
                let mut pair = [first.clone(), second];
                pair.sort_by(|a, b| self.line(a.slot).at.cmp(&self.line(b.slot).at));
                self.attempt(&pair);
            }
        }
    }

    fn fix(&self, edits: Vec<Edit>, options: Vec<String>, resolution: &Resolution) -> Fix {
        let names = self.cause.names();
        let pins: Vec<(PackageName, Version)> = names
            .iter()
            .filter_map(|name| Some((name.clone(), resolution.pins.get(name)?.candidate.version.clone())))
            .collect();
        let others = resolution.pins.iter().filter(|(name, _)| !names.contains(name));
        let moved = others.filter(|(name, pin)| self.moves(name, &pin.candidate.version)).count();
        let behind = pins.iter().map(|(name, version)| self.behind(name, version)).sum();
        let old = pins.iter().filter_map(|(name, version)| self.years_old(name, version)).collect();
        Fix { edits, options, pins, moved, old, behind }
    }

    /// Whether a pin is not what it was, or would be without the conflict.
    fn moves(&self, name: &PackageName, version: &Version) -> bool {
        let preferred = self.problem.preferences.of(name);
        if !preferred.is_empty() {
            return !preferred.contains(version);
        }
        let before = self.before.as_ref().and_then(|before| before.pins.get(name));
        before.is_some_and(|pin| pin.candidate.version != *version)
    }

    fn behind(&self, name: &PackageName, version: &Version) -> usize {
        let candidates = self.cause.known.known_candidates(name);
        let newer = |version: &Version, newer: &Version| newer > version && newer.is_stable();
        candidates.map_or(0, |all| all.usable.iter().filter(|other| newer(version, &other.version)).count())
    }

    /// Where `version` was uploaded more than two years before the newest release: the year of that.
    fn years_old(&self, name: &PackageName, version: &Version) -> Option<(PackageName, Version, i16)> {
        let candidates = self.cause.known.known_candidates(name)?;
        let uploaded = |version: &Version| {
            let candidate = candidates.usable.iter().find(|candidate| candidate.version == *version)?;
            candidate.file.uploaded
        };
        let (then, newest) = (uploaded(version)?, uploaded(&candidates.usable.last()?.version)?);
        let is_old = newest.duration_since(then).as_hours() > 2 * 365 * 24;
        is_old.then(|| (name.clone(), version.clone(), Offset::UTC.to_datetime(then).year()))
    }
}

/// `problem` with these edits; lines that it does not have, since they do not hold for its target, stay
/// away. `None` where an edit is no requirement.
pub(super) fn edited(problem: &Problem, edits: &[Edit]) -> Option<Problem> {
    let of = |role: Role| -> Option<Vec<InputLine>> {
        let mut lines = Vec::new();
        for line in core::lines_of(problem, role) {
            match edits.iter().find(|edit| edit.role == role && edit.at == line.at) {
                None => lines.push(line.clone()),
                Some(Edit { new: None, .. }) => {}
                Some(Edit { new: Some(new), .. }) => {
                    let requirement = new.parse().ok()?;
                    lines.push(InputLine { requirement, text: new.as_str().into(), ..line.clone() });
                }
            }
        }
        Some(lines)
    };
    Some(problem.with(of(Role::Requirement)?, of(Role::Constraint)?, of(Role::Override)?))
}

impl Fix {
    /// The best first: few lines, nothing years old, the newest versions, few other pins moved.
    fn rank(&self) -> impl Ord + use<> {
        let lines = if self.edits.is_empty() { (1, 1) } else { (self.edits.len(), 0) };
        let taken_out = self.edits.iter().filter(|edit| edit.new.is_none()).count();
        (lines, !self.old.is_empty(), taken_out, self.behind, self.moved, Reverse(self.pins.len()))
    }
}
