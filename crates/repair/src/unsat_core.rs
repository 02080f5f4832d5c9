//! A failed solve -> the user's lines that the conflict needs: a minimal unsatisfiable subset (MUS) of the input lines.
//!
//! [`quickxplain`](super::quickxplain) finds it; the test whether a set of lines fails is a solve.

use rustc_hash::FxHashSet;

use super::quickxplain::quickxplain;
use super::trial_solver::TrialSolver;
use pinfast_inputs::InputLine;
use pinfast_packaging::{Location, PackageName, Role};
use pinfast_solve::{Fact, NoSolution, Package, Problem};

/// A line of a problem: its role, and its position among the lines of that role.
pub(crate) type LineId = (Role, usize);

/// Lines by role and location. Unlike a [`LineId`], that is the same in all variants of a problem.
pub type LineSet = FxHashSet<(Role, Location)>;

/// The lines of one role.
#[must_use]
pub fn lines_of(problem: &Problem, role: Role) -> &[InputLine] {
    match role {
        Role::Requirement => &problem.lines,
        Role::Constraint => &problem.constraints,
        Role::Override => &problem.overrides,
    }
}

/// Every line of a problem: requirements, constraints, overrides.
///
/// The order matters: where there is a choice, [`minimal_unsat_core`] keeps early lines.
#[must_use]
pub fn all_lines(problem: &Problem) -> Vec<(Role, usize)> {
    let roles = [Role::Requirement, Role::Constraint, Role::Override];
    roles.into_iter().flat_map(|role| (0..lines_of(problem, role).len()).map(move |n| (role, n))).collect()
}

/// `problem` with only these lines.
pub(crate) fn restricted(problem: &Problem, lines: &[LineId]) -> Problem {
    let of = |role| {
        let numbers: FxHashSet<usize> =
            lines.iter().filter(|line| line.0 == role).map(|line| line.1).collect();
        let all = lines_of(problem, role).iter().enumerate();
        all.filter(|(n, _)| numbers.contains(n)).map(|(_, line)| line.clone()).collect()
    };
    problem.with_lines(of(Role::Requirement), of(Role::Constraint), of(Role::Override))
}

/// The failure of a minimal unsatisfiable subset of the lines of `failure`'s problem.
///
/// When the budget of `solver` ends first, it is the failure of the smallest subset known to fail by then.
#[must_use]
pub fn minimal_unsat_core(failure: Box<NoSolution>, solver: &TrialSolver) -> Box<NoSolution> {
    let problem = failure.index.problem.clone();
    let suspects = suspects(&failure, &problem);
    let mut smallest = (all_lines(&problem).len(), failure);
    let mut fails = |lines: &[LineId]| match solver.solve(restricted(&problem, lines)) {
        Err(Some(failure)) => {
            if lines.len() < smallest.0 {
                smallest = (lines.len(), failure);
            }
            true
        }
        _ => false,
    };
    let core = quickxplain(&suspects, &mut fails);
    // The core may have been found by exclusion, without a solve of just these lines: that gives its proof.
    fails(&core);
    smallest.1
}

/// How many further conflicts `problem` has whose cores share no line with each other or with `known`, as far as the
/// budget of `solver` lasts.
#[must_use]
pub fn count_further_conflicts(problem: &Problem, mut known: LineSet, solver: &TrialSolver) -> usize {
    for count in 0.. {
        let in_a_core = lines_in(problem, &known);
        let rest: Vec<LineId> =
            all_lines(problem).into_iter().filter(|line| !in_a_core.contains(line)).collect();
        let Err(Some(failure)) = solver.solve(restricted(problem, &rest)) else { return count };
        known.extend(line_set(&minimal_unsat_core(failure, solver).index.problem));
    }
    0
}

/// All lines of `problem` as a set.
pub(crate) fn line_set(problem: &Problem) -> LineSet {
    all_lines(problem).into_iter().map(|(role, n)| (role, lines_of(problem, role)[n].at.clone())).collect()
}

/// The lines of `problem` that are in `set`.
pub(crate) fn lines_in(problem: &Problem, set: &LineSet) -> Vec<LineId> {
    let is_in = |&(role, n): &LineId| set.contains(&(role, lines_of(problem, role)[n].at.clone()));
    all_lines(problem).into_iter().filter(is_in).collect()
}

/// The lines that the proof names, and the constraints and overrides on its packages: the core is among them.
fn suspects(failure: &NoSolution, problem: &Problem) -> Vec<LineId> {
    let mut lines: FxHashSet<usize> = FxHashSet::default();
    let mut names: FxHashSet<PackageName> = FxHashSet::default();
    for fact in failure.proof.facts() {
        let packages: [Option<&Package>; 2] = match fact {
            Fact::Root => [None, None],
            Fact::NoVersions(package, _) | Fact::Excluded(package, ..) => [Some(package), None],
            Fact::Dependency(package, _, needed, _) => [Some(package), Some(needed)],
        };
        for package in packages.into_iter().flatten() {
            match package {
                Package::Line(line) => drop(lines.insert(*line)),
                _ => names.extend(package.name().cloned()),
            }
        }
    }
    all_lines(problem)
        .into_iter()
        .filter(|&(role, n)| match role {
            Role::Requirement => lines.contains(&n),
            Role::Constraint => names.contains(&problem.constraints[n].requirement.name),
            // An override may have replaced the one requirement that would put its package into the proof.
            Role::Override => true,
        })
        .collect()
}
