//! How far down a need reaches: below the user's range, as far as the search for fixes looked.

use super::cause::{Cause, Told};
use super::needs::Shape;
use pinfast_packaging::{PackageName, Requirement, Version};
use pinfast_repair::Found;
use pinfast_repair::Lab;
use pinfast_solve::{Candidate, Package, Trust, base_requirements};

/// How many releases below the user's range are looked at, at most: a number, not a time, so that the same
/// question is told in the same words.
const MOST: usize = 32;

/// Where a fix goes below the range of a package whose releases all have one lower bound, says from which
/// release on all have it.
pub(super) fn widen(cause: &mut Cause, found: &Found, lab: &Lab) {
    for place in 0..cause.told.len() {
        if let Some(from) = reached(cause, &cause.told[place], found, lab) {
            cause.told[place].needs[0].0 = Shape::From(from);
        }
    }
}

fn reached(cause: &Cause, told: &Told, found: &Found, lab: &Lab) -> Option<Version> {
    let ([(shape, text)], Package::Dist(name)) = (told.needs.as_slice(), &told.from) else { return None };
    let (low, high) = match shape {
        Shape::AllInRange(_, low, high) => (low, high),
        Shape::One(only) => (only, only),
        _ => return None,
    };
    let bound = text.parse::<Requirement>().ok()?.specifiers().lower_bound()?.clone();
    let candidates = cause.known.loaded_candidates(name)?;
    let stable: Vec<&Candidate> = candidates.usable.iter().filter(|c| c.version.is_stable()).collect();
    let pins = found.fixes.iter().flat_map(|fix| &fix.pins).filter(|(pinned, _)| pinned == name);
    let fixed = pins.map(|(_, version)| version).filter(|version| *version < low).max()?;
    let below = stable.iter().rev().filter(|c| c.version > *fixed && c.version < *low).take(MOST);
    let first = below.take_while(|c| needs(cause, c, &told.to, &bound, lab)).last()?;
    (stable.last()?.version <= *high).then(|| first.version.clone())
}

/// Whether `candidate` needs at least `bound` of `to`.
fn needs(cause: &Cause, candidate: &Candidate, to: &PackageName, bound: &Version, lab: &Lab) -> bool {
    let Ok(metadata) = lab.index.metadata(candidate.file(), Trust::Release) else { return false };
    let requirements = base_requirements(&cause.known.problem, &metadata);
    let mut bounds = requirements.into_iter().filter(|r| r.name == *to).map(|r| r.specifiers().lower_bound());
    bounds.any(|lower| lower.is_some_and(|lower| lower >= bound))
}
