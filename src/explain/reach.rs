//! How far down a need reaches: below the user's range, as far as the search for fixes looked.

use super::cause::{Bound, Cause, Told, without_marker};
use super::fixes::Found;
use super::lab::Lab;
use super::span::Shape;
use crate::solve::{Candidate, Package, Trust, base_requirements};
use crate::spec::PackageName;

/// Where a fix goes below the range of a package whose releases all have one need, says from which release
/// on all have it.
pub(super) fn widen(cause: &mut Cause, found: &Found, lab: &Lab) {
    for place in 0..cause.told.len() {
        if let Some(shape) = reached(cause, &cause.told[place], found, lab) {
            cause.told[place].needs[0].0.shape = shape;
        }
    }
}

fn reached(cause: &Cause, told: &Told, found: &Found, lab: &Lab) -> Option<Shape> {
    let ([(span, Bound::Same(text))], Package::Dist(name)) = (told.needs.as_slice(), &told.from) else {
        return None;
    };
    let (low, high) = match &span.shape {
        Shape::AllInRange(_, low, high) => (low, high),
        Shape::One(only) => (only, only),
        _ => return None,
    };
    let candidates = cause.known.known_candidates(name)?;
    let stable: Vec<&Candidate> = candidates.usable.iter().filter(|c| c.version.is_stable()).collect();
    let pins = found.fixes.iter().flat_map(|fix| &fix.pins).filter(|(pinned, _)| pinned == name);
    let (_, fixed) = pins.filter(|(_, version)| version < low).max_by(|a, b| a.1.cmp(&b.1))?;
    let between = stable.iter().filter(|candidate| candidate.version > *fixed && candidate.version < *low);
    let needs = |candidate: &&&Candidate| needs(cause, candidate, &told.to, text, lab);
    let first = stable.iter().find(|candidate| candidate.version > *fixed)?;
    (stable.last()?.version <= *high && between.clone().all(|c| needs(&c)))
        .then(|| Shape::From(first.version.clone()))
}

/// Whether `candidate` needs of `to` what `text` says, or more.
fn needs(cause: &Cause, candidate: &Candidate, to: &PackageName, text: &str, lab: &Lab) -> bool {
    let known = &cause.known;
    if !lab.is_open() {
        return false;
    }
    let Ok(metadata) = known.index.metadata(&candidate.file, Trust::Release) else { return false };
    base_requirements(&known.problem, &metadata).into_iter().filter(|r| r.name == *to).any(|requirement| {
        let bounds = requirement.specifiers().to_string();
        without_marker(requirement) == text || bounds.split(',').any(|bound| format!("{to}{bound}") == *text)
    })
}
