//! The core of a conflict -> fixes: one line relaxed, another option, or two lines relaxed; each was solved.
//!
//! Relaxing a line means that it loses its bounds, an extra or, for a constraint or override, its place. A set of lines that
//! must be relaxed is a minimal correction set (MCS): first those of size one are tried, and those of size two only when no
//! line alone helps. Where the relaxed problem has a solution, [`rewrite`](super::rewrite) writes bounds that admit it, and
//! the problem with these is solved again before it counts as a fix.

use std::sync::Arc;

use jiff::civil::Date;
use jiff::tz::Offset;
use serde::Serialize;

use super::options::{self, Alternative, OptionValue};
use super::rewrite;
use super::trial_solver::TrialSolver;
use super::unsat_core::{self, LineId, LineSet};
use pinfast_inputs::InputLine;
use pinfast_packaging::{
    Location, PackageName, Requirement, RequirementError, RequirementSource, Role, Version,
};
use pinfast_solve::{Candidate, ExclusionReason, NoSolution, Problem, Resolution, SolverIndex};

/// How many fixes are reported.
const MAX_FIXES: usize = 5;

/// How many pairs of lines are tried.
const MAX_PAIRS: usize = 200;

/// A change after which there is a solution: the changed problem was solved.
#[derive(Clone, Debug)]
pub struct Fix {
    /// The lines to change; empty where options alone are the fix.
    pub edits: Vec<Edit>,
    /// The options to give, each with its value.
    pub options: Vec<OptionValue>,
    /// What the packages of the conflict and of the edited lines are then pinned to.
    pub pins: Vec<(PackageName, Version)>,
    /// How many other pins change, compared with the old lock, or with a solution of the lines outside of the core.
    pub moved: usize,
    /// The pins whose release is more than two years older than the newest of its package, with its year.
    pub old: Vec<(PackageName, Version, i16)>,
    /// How many releases newer than their pins those packages have, added up.
    behind: usize,
}

/// A change of one line of the inputs.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
pub struct Edit {
    /// What the line does; not in JSON.
    #[serde(skip)]
    pub role: Role,
    /// The place of the line.
    #[serde(flatten)]
    pub at: Location,
    /// The requirement there now.
    pub old: Arc<str>,
    /// The requirement to write instead; `None` removes the line.
    pub new: Option<String>,
}

/// The fixes of a conflict, and how much was tried.
#[derive(Clone, Debug, Default)]
pub struct FixReport {
    /// The best first, five at most.
    pub fixes: Vec<Fix>,
    /// How many relaxations of one line were tried.
    pub singles: usize,
    /// How many other options were tried.
    pub options: usize,
    /// How many pairs of lines were tried.
    pub pairs: usize,
}

/// What else may be changed, and which other problems a fix must solve.
#[derive(Clone, Copy)]
pub struct FixContext<'a> {
    /// The same inputs for other targets: each is a possible fix.
    pub alternatives: &'a [Alternative],
    /// The same inputs for the other targets of the same lock: a fix must solve these, too.
    pub others: &'a [Arc<Problem>],
}

/// Fixes for the conflict of the lines `core` about the packages `names`; `index` holds the whole problem.
#[must_use]
pub fn find_fixes(
    index: &SolverIndex,
    core: &LineSet,
    names: Vec<PackageName>,
    context: FixContext<'_>,
    solver: &TrialSolver,
) -> FixReport {
    let problem = &*index.problem;
    let core = unsat_core::lines_in(problem, core);
    let others: Vec<LineId> =
        unsat_core::all_lines(problem).into_iter().filter(|line| !core.contains(line)).collect();
    let baseline = solver.solve(unsat_core::restricted(problem, &others)).ok();
    let report = FixReport::default();
    let mut search = FixSearch { index, names, context, solver, baseline, tried: Vec::new(), report };
    let failures = search.relax_one_line(&core);
    let one_line_helps = !search.report.fixes.is_empty();
    search.try_alternatives();
    if !one_line_helps {
        search.relax_two_lines(failures);
    }
    let mut report = search.report;
    report.fixes.sort_by_cached_key(Fix::rank);
    report.fixes.truncate(MAX_FIXES);
    report
}

struct FixSearch<'a> {
    index: &'a SolverIndex,
    /// The packages of the conflict.
    names: Vec<PackageName>,
    context: FixContext<'a>,
    solver: &'a TrialSolver,
    /// The solution of the lines outside of the core.
    baseline: Option<Box<Resolution>>,
    tried: Vec<Vec<Edit>>,
    report: FixReport,
}

/// A line in a weaker form, which is tried before the user's spelling is.
#[derive(Clone)]
struct Relaxation {
    line: LineId,
    edit: Edit,
    bounds: Bounds,
}

/// What a relaxation did to the bounds of its line.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Bounds {
    /// It dropped them: the fix needs new ones.
    Dropped,
    /// It left them alone.
    Kept,
}

impl FixSearch<'_> {
    /// Tries each line by itself; returns the relaxations that do not suffice, with the failures that remain.
    fn relax_one_line(&mut self, lines: &[LineId]) -> Vec<(Relaxation, Box<NoSolution>)> {
        let all: Vec<Relaxation> = lines.iter().flat_map(|line| self.relaxations(*line)).collect();
        let all = all.into_iter().take_while(|_| self.solver.budget.is_open()).collect::<Vec<_>>();
        self.report.singles = all.len();
        all.into_iter().filter_map(|one| Some((one.clone(), self.try_relaxed(&[one])?))).collect()
    }

    /// The line without bounds or URL; without one extra; without itself, if it is no requirement.
    fn relaxations(&self, line: LineId) -> Vec<Relaxation> {
        let InputLine { requirement, text, at, .. } = self.input_line(line);
        let relaxed = |new: Option<String>, bounds| Relaxation {
            line,
            edit: Edit { role: line.0, at: at.clone(), old: text.clone(), new },
            bounds,
        };
        let mut all = Vec::new();
        match &requirement.source {
            RequirementSource::Url(_) => all.push(relaxed(Some(rewrite::without_bounds(text)), Bounds::Kept)),
            RequirementSource::Index(specifiers) if specifiers.is_empty() => {}
            RequirementSource::Index(_) => {
                all.push(relaxed(Some(rewrite::without_bounds(text)), Bounds::Dropped))
            }
        }
        let extras = requirement.extras.iter().filter_map(|extra| rewrite::without_extra(text, extra));
        all.extend(extras.map(|new| relaxed(Some(new), Bounds::Kept)));
        all.extend((line.0 != Role::Requirement).then(|| relaxed(None, Bounds::Kept)));
        all
    }

    fn input_line(&self, (role, n): LineId) -> &InputLine {
        &unsat_core::lines_of(&self.index.problem, role)[n]
    }

    /// Solves the problem with these relaxations. A solution becomes a fix in the user's spelling; else returns the failure,
    /// `None` where the solve gave none.
    fn try_relaxed(&mut self, relaxed: &[Relaxation]) -> Option<Box<NoSolution>> {
        let edits: Vec<Edit> = relaxed.iter().map(|one| one.edit.clone()).collect();
        match self.solver.solve(edited(&self.index.problem, &edits)?) {
            Ok(resolution) => {
                let edits: Option<Vec<Edit>> =
                    relaxed.iter().map(|one| self.rewritten(one, &resolution)).collect();
                self.add_if_solved(edits?);
                None
            }
            Err(failure) => failure,
        }
    }

    /// The edit as the user would write it: with bounds that admit what the relaxed line led to.
    fn rewritten(&self, relaxed: &Relaxation, resolution: &Resolution) -> Option<Edit> {
        if relaxed.bounds == Bounds::Kept {
            return Some(relaxed.edit.clone());
        }
        let name = &self.input_line(relaxed.line).requirement.name;
        let version = &resolution.pins.get(name)?.candidate.version;
        let next = self.releases(name).find(|next| next.version > *version).map(|next| next.version.clone());
        let new = rewrite::admitting(&relaxed.edit.old, version, next.as_ref())?;
        Some(Edit { new: Some(new), ..relaxed.edit.clone() })
    }

    /// The stable releases of a package that may be chosen, ascending.
    fn releases(&self, name: &PackageName) -> impl Iterator<Item = Candidate> + use<> {
        let candidates = self.index.candidates(name).map_or_else(|_| Vec::new(), |all| all.usable.clone());
        candidates.into_iter().filter(|candidate| candidate.version.is_stable())
    }

    /// How many newer stable releases there are, counting those that a constraint excludes: a fix may admit them.
    fn newer(&self, name: &PackageName, version: &Version) -> usize {
        let Some(candidates) = self.index.loaded_candidates(name) else { return 0 };
        let constrained =
            candidates.excluded.iter().filter(|(_, reason)| matches!(reason, ExclusionReason::Constraint(_)));
        let all =
            candidates.usable.iter().map(|it| &it.version).chain(constrained.map(|(version, _)| version));
        all.filter(|other| other.is_stable() && *other > version).count()
    }

    /// Adds the fix if the edited problem has a solution for every target.
    fn add_if_solved(&mut self, edits: Vec<Edit>) {
        if edits.iter().any(|edit| edit.new.as_deref() == Some(&*edit.old)) || self.tried.contains(&edits) {
            return;
        }
        let solved = |problem: &Problem| self.solver.solve(edited(problem, &edits)?).ok();
        let Some(resolution) = solved(&self.index.problem) else { return };
        if self.context.others.iter().all(|other| solved(other).is_some()) {
            let fix = self.fix(edits.clone(), Vec::new(), &resolution);
            self.report.fixes.push(fix);
        }
        self.tried.push(edits);
    }

    /// Tries other options; of several values of one option, the first that helps is enough.
    fn try_alternatives(&mut self) {
        let targets = self.context.alternatives.iter().cloned();
        let all: Vec<Alternative> =
            targets.chain(options::policy_alternatives(self.index, self.context.others)).collect();
        for of_one_option in all.chunk_by(|a, b| a.option.flag == b.option.flag) {
            let helps = of_one_option.iter().find_map(|other| self.try_alternative(other));
            self.report.fixes.extend(helps);
        }
        let helps = self.try_later_cutoffs();
        self.report.fixes.extend(helps);
    }

    /// The fix that this option is, if there is a solution for every target.
    fn try_alternative(&mut self, Alternative { option, problems }: &Alternative) -> Option<Fix> {
        self.report.options += 1;
        let mut solved = problems.iter().map(|problem| self.solver.solve(Problem::clone(problem)).ok());
        let first = solved.next()??;
        solved.all(|other| other.is_some()).then(|| self.fix(Vec::new(), vec![option.clone()], &first))
    }

    /// The earliest `--exclude-newer` day that helps. A later day never excludes more than an earlier one, so binary search
    /// finds it among the upload days.
    fn try_later_cutoffs(&mut self) -> Option<Fix> {
        let days = self.upload_days_up_to_a_solution()?;
        let (mut helps, mut low, mut high) = (None, 0, days.len());
        while low < high {
            let middle = low.midpoint(high);
            let other = options::cutoff_alternative(days[middle], self.index, self.context.others);
            match self.try_alternative(&other) {
                Some(fix) => (helps, high) = (Some(fix), middle),
                None => low = middle + 1,
            }
        }
        helps
    }

    /// The upload days of excluded releases, up to one with which there is a solution; `None` where no day helps. What a
    /// later day admits may lead to packages with still later releases, hence the loop.
    fn upload_days_up_to_a_solution(&self) -> Option<Vec<Date>> {
        let mut days = options::excluded_upload_days(self.index);
        loop {
            let last = *days.last()?;
            let other = options::cutoff_alternative(last, self.index, &[]);
            let failure = match self.solver.solve(Problem::clone(other.problems.first()?)) {
                Ok(_) => return Some(days),
                Err(failure) => failure?,
            };
            let later = options::excluded_upload_days(&failure.index).into_iter().filter(|day| *day > last);
            let before = days.len();
            days.extend(later);
            if days.len() == before {
                return None;
            }
        }
    }

    /// Where one relaxation is not enough, relaxes a second line: one of the core that then remains.
    fn relax_two_lines(&mut self, failures: Vec<(Relaxation, Box<NoSolution>)>) {
        for (first, failure) in failures {
            let core = unsat_core::minimal_unsat_core(failure, self.solver);
            let core = unsat_core::line_set(&core.index.problem);
            let all = unsat_core::lines_in(&self.index.problem, &core).into_iter();
            let seconds = all.filter(|line| *line != first.line);
            for second in seconds.flat_map(|line| self.relaxations(line)).collect::<Vec<_>>() {
                if self.report.pairs >= MAX_PAIRS || !self.solver.budget.is_open() {
                    return;
                }
                self.report.pairs += 1;
                let mut pair = [first.clone(), second];
                pair.sort_by(|a, b| a.edit.at.cmp(&b.edit.at));
                self.try_relaxed(&pair);
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

    /// Whether a pin differs from the old lock, or, for a package that is new, from the baseline.
    fn moves(&self, name: &PackageName, version: &Version) -> bool {
        let preferred = self.index.problem.preferences.versions(name);
        let before = self.baseline.as_ref().and_then(|baseline| baseline.pins.get(name));
        match preferred.is_empty() {
            true => before.is_some_and(|pin| pin.candidate.version != *version),
            false => !preferred.contains(version),
        }
    }

    /// `version` with its year, if it was uploaded more than two years before the newest release.
    fn years_old(&self, name: &PackageName, version: &Version) -> Option<(PackageName, Version, i16)> {
        let then = self.releases(name).find(|candidate| candidate.version == *version)?.file().uploaded?;
        let newest = self.releases(name).last()?.file().uploaded?;
        let is_old = newest.duration_since(then).as_hours() > 2 * 365 * 24;
        is_old.then(|| (name.clone(), version.clone(), Offset::UTC.to_datetime(then).year()))
    }
}

/// `problem` with these edits; `None` where an edit is no valid requirement. A problem of another target may lack a line,
/// whose marker does not hold there: its edit is skipped.
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
        let lines = unsat_core::lines_of(problem, role).iter();
        lines.filter_map(|line| changed(role, line).transpose()).collect::<Result<_, _>>().ok()
    };
    Some(problem.with_lines(of(Role::Requirement)?, of(Role::Constraint)?, of(Role::Override)?))
}

impl Fix {
    /// Sorts the best fix first: few lines, lines before options, nothing years old, new versions, few other pins moved.
    fn rank(&self) -> impl Ord + use<> {
        let removed = self.edits.iter().filter(|edit| edit.new.is_none()).count();
        let lines = (self.edits.len().max(1), self.options.len());
        (lines, !self.old.is_empty(), removed, self.behind, self.moved)
    }
}
