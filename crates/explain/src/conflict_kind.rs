//! A conflict -> its kind, which decides the hint and is `kind` in JSON.

use serde::Serialize;

use super::conflict::{ClashKind, Conflict};
use pinfast_packaging::{PackageName, RequirementSource, Role};
use pinfast_solve::{ExclusionReason, ProjectLookup};

/// The kind of a conflict; in JSON its name in lower case with hyphens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ConflictKind {
    /// Packages need each other in releases that exclude each other.
    Conflict,
    /// No index has the package.
    UnknownPackage,
    /// No release lies in the range.
    NoRelease,
    /// Only pre-releases lie in the range.
    OnlyPrereleases,
    /// Only yanked releases lie in the range.
    OnlyYanked,
    /// The releases in the range need another Python.
    RequiresPython,
    /// They have no wheel for the target, and no sdist.
    NoWheel,
    /// They have only sdists, which `--only-binary` excludes.
    OnlySdists,
    /// They have only wheels, which `--no-binary` excludes.
    OnlyWheels,
    /// They were uploaded after `--exclude-newer`, or at an unknown time.
    TooNew,
    /// They have no file with a hash that the inputs name.
    NoAllowedHash,
    /// Their metadata is invalid, or only a forbidden build could produce it.
    BrokenMetadata,
    /// A package is required from two URLs, or from a URL and in another version.
    Urls,
    /// Two lines of the inputs ask for different releases of a package.
    Lines,
    /// A constraint rules out the releases that fit.
    Constraint,
    /// An override takes part in the conflict.
    Override,
}

impl ConflictKind {
    /// The kind of `conflict`.
    pub(super) fn of(conflict: &Conflict) -> Self {
        let Some(clash) = &conflict.clash else { return Self::Conflict };
        let package: &PackageName = &clash.package;
        let has = |role| conflict.culprits.iter().any(|culprit| culprit.role == role);
        let mut lines = conflict.lines_on(Role::Requirement, package);
        let candidates = conflict.index.loaded_candidates(package);
        if candidates.is_some_and(|candidates| candidates.project == ProjectLookup::NotFound) {
            return Self::UnknownPackage;
        }
        if lines.any(|line| matches!(line.requirement.source, RequirementSource::Url(_))) {
            return Self::Urls;
        }
        let lines = conflict.lines_on(Role::Requirement, package).count();
        let dependencies = conflict.dependencies_on(package).count();
        match (clash.excluded.last(), lines, dependencies) {
            _ if has(Role::Override) => Self::Override,
            (Some((_, reason)), ..) => Self::of_reason(reason),
            _ if has(Role::Constraint) => Self::Constraint,
            _ if clash.kind == ClashKind::Dependencies => Self::Conflict,
            (None, 1, 0) | (None, 0, 1) => Self::NoRelease,
            (None, 2.., 0) => Self::Lines,
            _ => Self::Conflict,
        }
    }

    /// The kind of a conflict whose fitting releases are excluded for `reason`.
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
