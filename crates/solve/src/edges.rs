//! From metadata to the requirements that count: markers, extras and overrides applied.

use super::candidates::{Candidate, Candidates};
use super::package::Package;
use super::problem::Problem;
use super::set::OrdinalSet;
use pinfast_packaging::{ExtraName, Metadata, PackageName, Requirement, RequirementSource};

/// The requirements of a distribution without extras.
pub fn base<'a>(problem: &'a Problem, metadata: &'a Metadata) -> Vec<&'a Requirement> {
    counting(problem, metadata, |requirement| requirement.applies(&problem.target, &[]))
}

/// The requirements that `extra` adds to those without extras.
pub fn of_extra<'a>(problem: &'a Problem, metadata: &'a Metadata, extra: &ExtraName) -> Vec<&'a Requirement> {
    counting(problem, metadata, |requirement| {
        !requirement.marker.is_always()
            && requirement.applies(&problem.target, std::slice::from_ref(extra))
            && !requirement.applies(&problem.target, &[])
    })
}

fn counting<'a>(
    problem: &'a Problem,
    metadata: &'a Metadata,
    counts: impl Fn(&Requirement) -> bool,
) -> Vec<&'a Requirement> {
    metadata.requires.iter().filter(|r| counts(r)).flat_map(|r| problem.apply_overrides(r)).collect()
}

/// The packages that a requirement leads to: the distribution, and each extra of it.
pub(crate) fn packages(requirement: &Requirement) -> impl Iterator<Item = Package> + '_ {
    let name = &requirement.name;
    let extras = requirement.extras.iter().map(|extra| Package::Extra(name.clone(), extra.clone()));
    std::iter::once(Package::Dist(name.clone())).chain(extras)
}

/// The candidates that a requirement permits.
pub(crate) fn permitted(requirement: &Requirement, candidates: &Candidates) -> OrdinalSet {
    match &requirement.source {
        RequirementSource::Index(specifiers) => candidates.matching(specifiers),
        RequirementSource::Url(url) => candidates.at_url(url),
    }
}

/// The requirements of `candidate` on its own project that it does not fulfil itself.
pub(crate) fn contradicts_itself(
    requirement: &Requirement,
    name: &PackageName,
    candidate: &Candidate,
) -> bool {
    requirement.name == *name && !requirement.specifiers().contains(&candidate.version)
}
