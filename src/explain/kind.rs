//! The kinds of dead ends.

use super::cause::{Bar, Cause};
use super::core::Role;
use crate::solve::{Project, Reason};
use crate::spec::Source;

/// What kind of dead end it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
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
        let by_url = |place: &usize| {
            let culprit = cause.culprit(Role::Requirement, *place);
            culprit.is_some_and(|culprit| matches!(culprit.line.requirement.source, Source::Url(_)))
        };
        let has = |role| cause.culprits.iter().any(|culprit| culprit.role == role);
        if clash.project == Project::Unknown {
            return Self::UnknownPackage;
        }
        match (clash.lines.as_slice(), clash.told.as_slice(), clash.barred.last()) {
            (lines, _, _) if lines.iter().any(by_url) => Self::Urls,
            _ if has(Role::Override) => Self::Override,
            (_, _, Some((_, bar))) => Self::of_bar(bar),
            _ if has(Role::Constraint) => Self::Constraint,
            ([_], [], None) | ([], [_], None) => Self::NoRelease,
            ([_, _, ..], [], None) => Self::Lines,
            _ => Self::Conflict,
        }
    }

    pub(super) fn of_bar(bar: &Bar) -> Self {
        match bar {
            Bar::Yanked => Self::OnlyYanked,
            Bar::Useless(_) => Self::BrokenMetadata,
            Bar::Policy(reason) => match reason {
                Reason::TooNew(_) | Reason::NoUploadTime => Self::TooNew,
                Reason::Prerelease => Self::OnlyPrereleases,
                Reason::RequiresPython(_) => Self::RequiresPython,
                Reason::NoMatchingWheel(_) => Self::NoWheel,
                Reason::OnlySdists => Self::OnlySdists,
                Reason::OnlyWheels => Self::OnlyWheels,
                Reason::NoAllowedHash => Self::NoAllowedHash,
                Reason::Constraint(_) => Self::Constraint,
            },
        }
    }

    /// How JSON calls it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Conflict => "conflict",
            Self::UnknownPackage => "unknown-package",
            Self::NoRelease => "no-release",
            Self::OnlyPrereleases => "only-prereleases",
            Self::OnlyYanked => "only-yanked",
            Self::RequiresPython => "requires-python",
            Self::NoWheel => "no-wheel",
            Self::OnlySdists => "only-sdists",
            Self::OnlyWheels => "only-wheels",
            Self::TooNew => "too-new",
            Self::NoAllowedHash => "no-allowed-hash",
            Self::BrokenMetadata => "broken-metadata",
            Self::Urls => "urls",
            Self::Lines => "lines",
            Self::Constraint => "constraint",
            Self::Override => "override",
        }
    }
}
