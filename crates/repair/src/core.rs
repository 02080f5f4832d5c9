//! Which of the user's lines a conflict needs: those without which there would be a solution.

use rustc_hash::FxHashSet;

use super::lab::Lab;
use super::minimal::minimal;
use pinfast_inputs::InputLine;
use pinfast_packaging::{Location, PackageName, Role};
use pinfast_solve::{Fact, NoSolution, Package, Problem};

/// A line of the inputs by its place in a problem.
pub(crate) type Slot = (Role, usize);

/// The lines of one role.
pub fn lines_of(problem: &Problem, role: Role) -> &[InputLine] {
    match role {
        Role::Requirement => &problem.lines,
        Role::Constraint => &problem.constraints,
        Role::Override => &problem.overrides,
    }
}

/// Every line of a problem: what asks first, what binds last.
pub fn slots(problem: &Problem) -> Vec<Slot> {
    let roles = [Role::Requirement, Role::Constraint, Role::Override];
    roles.into_iter().flat_map(|role| (0..lines_of(problem, role).len()).map(move |at| (role, at))).collect()
}

/// `problem` with the lines of `kept` only.
pub(crate) fn only(problem: &Problem, kept: &[Slot]) -> Problem {
    let of = |role| {
        let places: FxHashSet<usize> = kept.iter().filter(|slot| slot.0 == role).map(|slot| slot.1).collect();
        let lines = lines_of(problem, role).iter().enumerate();
        lines.filter(|(at, _)| places.contains(at)).map(|(_, line)| line.clone()).collect()
    };
    problem.with_lines(of(Role::Requirement), of(Role::Constraint), of(Role::Override))
}

/// The failure of the smallest part of `failure`'s problem that still fails, as far as the lab finds one.
pub fn shrink(failure: Box<NoSolution>, lab: &Lab) -> Box<NoSolution> {
    let problem = failure.index.problem.clone();
    let suspects = suspects(&failure, &problem);
    let mut smallest = (slots(&problem).len(), failure);
    let mut fails = |kept: &[Slot]| match lab.solve(only(&problem, kept)) {
        Err(Some(failure)) => {
            if kept.len() < smallest.0 {
                smallest = (kept.len(), failure);
            }
            true
        }
        _ => false,
    };
    let kept = minimal(&suspects, &mut fails);
    fails(&kept);
    smallest.1
}

/// How many further conflicts `problem` has that share no line with each other or with those told, as far as
/// the lab finds them.
pub fn further(problem: &Problem, mut told: Places, lab: &Lab) -> usize {
    for count in 0.. {
        let told_already = among(problem, &told);
        let rest: Vec<Slot> =
            slots(problem).into_iter().filter(|slot| !told_already.contains(slot)).collect();
        let Err(Some(failure)) = lab.solve(only(problem, &rest)) else { return count };
        told.extend(places(&shrink(failure, lab).index.problem));
    }
    0
}

/// Lines by what they are and where they stand: the same in all variants of a problem.
pub type Places = FxHashSet<(Role, Location)>;

/// The places of all lines of `problem`.
pub(crate) fn places(problem: &Problem) -> Places {
    slots(problem).into_iter().map(|(role, at)| (role, lines_of(problem, role)[at].at.clone())).collect()
}

/// The lines of `problem` that stand at these places.
pub(crate) fn among(problem: &Problem, places: &Places) -> Vec<Slot> {
    let is_one = |&(role, at): &Slot| places.contains(&(role, lines_of(problem, role)[at].at.clone()));
    slots(problem).into_iter().filter(is_one).collect()
}

/// The lines that the proof speaks of, and the constraints and overrides on its packages.
fn suspects(failure: &NoSolution, problem: &Problem) -> Vec<Slot> {
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
    slots(problem)
        .into_iter()
        .filter(|&(role, at)| match role {
            Role::Requirement => lines.contains(&at),
            Role::Constraint => names.contains(&problem.constraints[at].requirement.name),
            // An override may have taken the requirement away that would have told of its package.
            Role::Override => true,
        })
        .collect()
}
