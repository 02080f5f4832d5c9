//! From which release on a package has a lower bound: below the user's range as well, as far as the search for fixes looked.
//!
//! "Every release of google-genai from 1.58.0 on needs google-auth>=2.47.0" helps more than the same of the user's range.

use super::conflict::{Conflict, PackageDependency};
use super::dependencies::ReleaseSubset;
use pinfast_packaging::{PackageName, Requirement, Version};
use pinfast_repair::{FixReport, TrialSolver};
use pinfast_solve::{Candidate, Package, Trust, base_requirements};

/// How many releases below the user's range are read at most. It is a number, not a time, so that the same question gets
/// the same answer on every machine.
const MAX_RELEASES: usize = 32;

/// Where a fix goes below the range of a package whose releases all have one lower bound: says from which release on all
/// have it.
pub(super) fn extend_lower_bounds(conflict: &mut Conflict, fixes: &FixReport, solver: &TrialSolver) {
    for n in 0..conflict.dependencies.len() {
        if let Some(from) = lowest_with_bound(conflict, &conflict.dependencies[n], fixes, solver) {
            conflict.dependencies[n].groups[0].releases = ReleaseSubset::From(from);
        }
    }
}

fn lowest_with_bound(
    conflict: &Conflict,
    dependency: &PackageDependency,
    fixes: &FixReport,
    solver: &TrialSolver,
) -> Option<Version> {
    let ([group], Package::Dist(name)) = (dependency.groups.as_slice(), &dependency.from) else {
        return None;
    };
    let (low, high) = match &group.releases {
        ReleaseSubset::AllInRange(_, low, high) => (low, high),
        ReleaseSubset::One(only) => (only, only),
        _ => return None,
    };
    let bound = group.requirement.parse::<Requirement>().ok()?.specifiers().lower_bound()?.clone();
    let candidates = conflict.index.loaded_candidates(name)?;
    let stable: Vec<&Candidate> = candidates.usable.iter().filter(|c| c.version.is_stable()).collect();
    let pins = fixes.fixes.iter().flat_map(|fix| &fix.pins).filter(|(pinned, _)| pinned == name);
    let fixed = pins.map(|(_, version)| version).filter(|version| *version < low).max()?;
    let below = stable.iter().rev().filter(|c| c.version > *fixed && c.version < *low).take(MAX_RELEASES);
    let first = below.take_while(|c| has_bound(conflict, c, &dependency.to, &bound, solver)).last()?;
    (stable.last()?.version <= *high).then(|| first.version.clone())
}

/// Whether `candidate` needs `to` in `bound` or something higher.
fn has_bound(
    conflict: &Conflict,
    candidate: &Candidate,
    to: &PackageName,
    bound: &Version,
    solver: &TrialSolver,
) -> bool {
    let Ok(metadata) = solver.index.metadata(candidate.file(), Trust::Release) else { return false };
    let requirements = base_requirements(&conflict.index.problem, &metadata);
    let mut bounds = requirements.into_iter().filter(|r| r.name == *to).map(|r| r.specifiers().lower_bound());
    bounds.any(|lower| lower.is_some_and(|lower| lower >= bound))
}
