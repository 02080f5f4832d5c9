//! The kinds of dead ends.

use serde::Serialize;

use super::cause::{Cause, Manner};
use pinfast_packaging::{PackageName, RequirementSource, Role};
use pinfast_solve::{ExclusionReason, ProjectLookup};

/// What kind of dead end it is; JSON calls it by its name in lower case with hyphens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum DeadEnd {
    /// Packages need each other in releases that do not go together.
    Conflict,
    /// No index knows the package.
    UnknownPackage,
    /// No release lies in the range.
    NoRelease,
    /// Only pre-releases do.
    OnlyPrereleases,
    /// Only yanked releases do.
    OnlyYanked,
    /// Those that do need another Python.
    RequiresPython,
    /// Those that do have no wheel for the target, and no sdist.
    NoWheel,
    /// Those that do have only sdists, which are barred.
    OnlySdists,
    /// Those that do have only wheels, which are barred.
    OnlyWheels,
    /// Those that do were uploaded too late, or nobody knows when.
    TooNew,
    /// Those that do have no file with a hash that the inputs name.
    NoAllowedHash,
    /// Those that do have metadata that is of no use.
    BrokenMetadata,
    /// One package is wanted from different URLs, or from a URL and in another version.
    Urls,
    /// Two lines of the inputs ask for different releases of one package.
    Lines,
    /// A constraint is at fault.
    Constraint,
    /// An override is at fault.
    Override,
}

impl DeadEnd {
    /// The kind of what `cause` tells.
    pub(super) fn of(cause: &Cause) -> Self {
        let Some(clash) = &cause.clash else { return Self::Conflict };
        let package: &PackageName = &clash.package;
        let has = |role| cause.culprits.iter().any(|culprit| culprit.role == role);
        let mut lines = cause.lines_on(Role::Requirement, package);
        let known = cause.known.loaded_candidates(package);
        if known.is_some_and(|candidates| candidates.project == ProjectLookup::NotFound) {
            return Self::UnknownPackage;
        }
        if lines.any(|line| matches!(line.requirement.source, RequirementSource::Url(_))) {
            return Self::Urls;
        }
        let (lines, told) =
            (cause.lines_on(Role::Requirement, package).count(), cause.told_of(package).count());
        match (clash.barred.last(), lines, told) {
            _ if has(Role::Override) => Self::Override,
            (Some((_, reason)), ..) => Self::of_reason(reason),
            _ if has(Role::Constraint) => Self::Constraint,
            _ if clash.manner == Manner::Needing => Self::Conflict,
            (None, 1, 0) | (None, 0, 1) => Self::NoRelease,
            (None, 2.., 0) => Self::Lines,
            _ => Self::Conflict,
        }
    }

    pub(super) fn of_reason(reason: &ExclusionReason) -> Self {
        match reason {
            ExclusionReason::TooNew(_) | ExclusionReason::NoUploadTime => Self::TooNew,
            ExclusionReason::Prerelease => Self::OnlyPrereleases,
            ExclusionReason::RequiresPython(_) => Self::RequiresPython,
            ExclusionReason::NoMatchingWheel(_) => Self::NoWheel,
            ExclusionReason::OnlySdists => Self::OnlySdists,
            ExclusionReason::OnlyWheels => Self::OnlyWheels,
            ExclusionReason::NoAllowedHash => Self::NoAllowedHash,
            ExclusionReason::Constraint(_) => Self::Constraint,
            ExclusionReason::Yanked => Self::OnlyYanked,
            ExclusionReason::BuildForbidden(_) | ExclusionReason::InvalidMetadata(_) => Self::BrokenMetadata,
        }
    }
}
