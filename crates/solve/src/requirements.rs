//! From metadata to the requirements that apply: markers evaluated, extras selected, overrides put in place.

use super::candidates::{Candidate, Candidates};
use super::ordinal_set::OrdinalSet;
use super::package::Package;
use super::problem::Problem;
use pinfast_packaging::{ExtraName, Metadata, PackageName, Requirement, RequirementSource};

/// The requirements of a release without extras that apply in the problem's target.
pub fn base_requirements<'a>(problem: &'a Problem, metadata: &'a Metadata) -> Vec<&'a Requirement> {
    applicable(problem, metadata, |requirement| requirement.applies(&problem.target, &[]))
}

/// The requirements that `extra` adds to [`base_requirements`].
pub fn extra_requirements<'a>(
    problem: &'a Problem,
    metadata: &'a Metadata,
    extra: &ExtraName,
) -> Vec<&'a Requirement> {
    applicable(problem, metadata, |requirement| {
        !requirement.marker.is_always()
            && requirement.applies(&problem.target, std::slice::from_ref(extra))
            // What applies without the extra belongs to the distribution.
            && !requirement.applies(&problem.target, &[])
    })
}

fn applicable<'a>(
    problem: &'a Problem,
    metadata: &'a Metadata,
    applies: impl Fn(&Requirement) -> bool,
) -> Vec<&'a Requirement> {
    metadata.requires.iter().filter(|r| applies(r)).flat_map(|r| problem.apply_overrides(r)).collect()
}

/// The packages that a requirement names: the distribution, and each of the extras.
pub(crate) fn required_packages(requirement: &Requirement) -> impl Iterator<Item = Package> + '_ {
    let name = &requirement.name;
    let extras = requirement.extras.iter().map(|extra| Package::Extra(name.clone(), extra.clone()));
    std::iter::once(Package::Dist(name.clone())).chain(extras)
}

/// The ordinals of the candidates that a requirement permits.
pub(crate) fn permitted_ordinals(requirement: &Requirement, candidates: &Candidates) -> OrdinalSet {
    match &requirement.source {
        RequirementSource::Index(specifiers) => candidates.matching(specifiers),
        RequirementSource::Url(url) => candidates.at_url(url),
    }
}

/// Whether `candidate` of `name` requires another version of its own project.
pub(crate) fn contradicts_itself(
    requirement: &Requirement,
    name: &PackageName,
    candidate: &Candidate,
) -> bool {
    requirement.name == *name && !requirement.specifiers().contains(&candidate.version)
}
