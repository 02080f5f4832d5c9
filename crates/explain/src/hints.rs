//! A conflict -> the notes below it: which releases are excluded, a hint for its kind, and which markers hold.

use std::collections::BTreeSet;

use super::ConflictKind;
use super::conflict::{Clash, Conflict, Culprit};
use super::sentences::{is_one_kind, reason};
use pinfast_base::suggest::closest;
use pinfast_base::text::{first_few, join_with_and};
use pinfast_packaging::{PackageName, Requirement, Role, TagSet, Version};
use pinfast_solve::{ExclusionReason, ProjectLookup, SearchScope, SolverIndex};

/// At most this many tags or places are listed.
const MAX_LISTED: usize = 6;

/// Sentences to show below the lines at fault; `whole` is the index of the whole problem, not only of its core.
pub(super) fn notes(conflict: &Conflict, kind: ConflictKind, whole: &SolverIndex) -> Vec<String> {
    let Some(clash) = &conflict.clash else {
        return vec!["Every combination of their releases was tried.".to_owned()];
    };
    let mut notes = excluded_releases(conflict, clash);
    notes.extend(hint(conflict, clash, kind, whole));
    notes.extend(markers_that_hold(conflict));
    notes
}

/// Which releases fit but are excluded; nothing where the headline names the only one.
fn excluded_releases(conflict: &Conflict, clash: &Clash) -> Vec<String> {
    let releases = |run: &[(Version, ExclusionReason)]| match run {
        [(first, _), _, .., (last, _)] => {
            format!("{} {first} to {last} ({} releases)", clash.package, run.len())
        }
        few => format!("{} {}", clash.package, join_with_and(few.iter().map(|(version, _)| version))),
    };
    match clash.excluded.as_slice() {
        [] | [_] => Vec::new(),
        all if is_one_kind(clash) => vec![format!("The releases that fit are {}.", releases(all))],
        all => {
            let runs = all.chunk_by(|a, b| a.1 == b.1).rev().take(2);
            runs.map(|run| format!("{} {}.", releases(run), reason(conflict, &run[0].1))).collect()
        }
    }
}

/// What `pick` finds in the reasons for the exclusions, ascending by version.
fn pick_reasons<'c, T>(
    clash: &'c Clash,
    pick: fn(&'c ExclusionReason) -> Option<T>,
) -> impl DoubleEndedIterator<Item = T> + 'c
where
    T: 'c,
{
    clash.excluded.iter().filter_map(move |(_, reason)| pick(reason))
}

/// What to do about a conflict of this kind.
fn hint(conflict: &Conflict, clash: &Clash, kind: ConflictKind, whole: &SolverIndex) -> Option<String> {
    let package = &clash.package;
    let newest = clash.excluded.last().map(|(version, _)| version);
    match kind {
        ConflictKind::UnknownPackage => Some(unknown_package(package, whole)),
        ConflictKind::NoRelease => nearest_releases(conflict, package),
        ConflictKind::OnlyPrereleases => Some("`--prerelease if-necessary` allows it.".to_owned()),
        ConflictKind::OnlyYanked => {
            Some(format!("To take it all the same, pin it: `{package}=={}`.", newest?))
        }
        ConflictKind::RequiresPython => needed_python(conflict, clash),
        ConflictKind::NoWheel => wheel_tags(clash, conflict.index.problem.target.label()),
        ConflictKind::OnlySdists => {
            Some("Without `--only-binary`, pinfast builds it from source.".to_owned())
        }
        ConflictKind::OnlyWheels => Some("Without `--no-binary`, pinfast takes its wheel.".to_owned()),
        ConflictKind::TooNew => first_upload(clash),
        ConflictKind::NoAllowedHash => {
            Some("The `--hash` options of its line match none of its files.".to_owned())
        }
        ConflictKind::BrokenMetadata
            if clash
                .excluded
                .iter()
                .any(|(_, reason)| matches!(reason, ExclusionReason::BuildForbidden(_))) =>
        {
            Some("Without `--no-build`, pinfast builds it to learn what it needs.".to_owned())
        }
        ConflictKind::BrokenMetadata => Some(format!("Only the authors of {package} can fix that.")),
        ConflictKind::Urls => Some(format!("A package has one source: name one URL for {package}, or none.")),
        ConflictKind::Lines => Some(format!("These lines are yours: make them agree on {package}.")),
        ConflictKind::Constraint | ConflictKind::Override | ConflictKind::Conflict => None,
    }
}

/// The closest known name, or where else the package may be.
fn unknown_package(package: &PackageName, whole: &SolverIndex) -> String {
    let known = whole
        .all_loaded_candidates()
        .into_iter()
        .filter(|candidates| candidates.project == ProjectLookup::Found);
    let mut names: Vec<PackageName> = known.map(|candidates| candidates.name.clone()).collect();
    names.extend(whole.source.project_names());
    names.sort();
    let others = names.iter().filter(|name| *name != package).map(PackageName::as_str);
    match (closest(package.as_str(), others), whole.source.search_scope()) {
        (Some(name), _) => format!("Did you mean `{name}`?"),
        (None, SearchScope::FindLinks) => {
            "Without `--no-index`, pinfast asks the index; or put its files where `--find-links` looks."
                .to_owned()
        }
        (None, SearchScope::Indexes) => {
            "Check the name, or add an index with `--extra-index-url`.".to_owned()
        }
    }
}

/// The releases next to the range.
fn nearest_releases(conflict: &Conflict, package: &PackageName) -> Option<String> {
    let candidates = conflict.index.loaded_candidates(package)?;
    let (stable, others): (Vec<&Version>, Vec<&Version>) =
        candidates.usable.iter().map(|it| &it.version).partition(|version| version.is_stable());
    let versions = if stable.is_empty() { others } else { stable };
    let line = conflict.lines_on(Role::Requirement, package).next().map(|line| line.requirement.clone());
    let of_package =
        || conflict.dependencies_on(package).next()?.groups.first()?.requirement.parse::<Requirement>().ok();
    let requirement = line.or_else(of_package)?;
    let bound = requirement.specifiers().lower_bound();
    let split = bound.map_or(0, |bound| versions.partition_point(|version| *version < bound));
    let only =
        |which, version| format!("The {which} release of {package} that can be used here is {version}.");
    Some(match (versions[..split].last(), versions[split..].first()) {
        (Some(below), Some(above)) => format!("The nearest releases of {package} are {below} and {above}."),
        (Some(newest), None) => only("newest", newest),
        (None, Some(oldest)) => only("oldest", oldest),
        (None, None) => {
            format!("None of the {} releases of {package} can be used here.", candidates.excluded.len())
        }
    })
}

/// The lowest Python that a fitting release supports.
fn needed_python(conflict: &Conflict, clash: &Clash) -> Option<String> {
    let wanted = pick_reasons(clash, |reason| match reason {
        ExclusionReason::RequiresPython(specifiers) => specifiers.lower_bound(),
        _ => None,
    });
    let here = conflict.index.problem.target.python();
    Some(format!("The target is Python {here}; Python {} would work.", wanted.min()?))
}

/// The Pythons and platforms of the newest release's wheels.
fn wheel_tags(clash: &Clash, label: &str) -> Option<String> {
    let mut all = pick_reasons(clash, |reason| match reason {
        ExclusionReason::NoMatchingWheel(sets) => Some(sets),
        _ => None,
    });
    let sets = all.next_back()?;
    let pythons = sorted_few(sets.iter().flat_map(TagSet::pythons));
    let platforms = sorted_few(sets.iter().flat_map(TagSet::platforms));
    Some(format!("The target is {label}; there are wheels for {pythons} on {platforms}."))
}

/// The first few of `all`, each once, sorted.
fn sorted_few<'a>(all: impl Iterator<Item = &'a str>) -> String {
    let all: BTreeSet<&str> = all.collect();
    join_with_and(first_few(all.into_iter().map(str::to_owned).collect(), MAX_LISTED))
}

/// When the first of them was uploaded; nothing where the headline says it.
fn first_upload(clash: &Clash) -> Option<String> {
    let uploaded = || {
        pick_reasons(clash, |reason| match reason {
            ExclusionReason::TooNew(at) => Some(*at),
            _ => None,
        })
    };
    match uploaded().min() {
        None => Some("The index has no upload times for its files.".to_owned()),
        first if first == uploaded().max() => None,
        Some(first) => Some(format!("The first was uploaded on {}.", first.strftime("%Y-%m-%d"))),
    }
}

/// The lines that apply only because their marker holds for the target.
fn markers_that_hold(conflict: &Conflict) -> Option<String> {
    let marked =
        |culprit: &&Culprit| culprit.role != Role::Override && !culprit.line.requirement.marker.is_always();
    let marked = conflict.culprits.iter().filter(marked).map(|culprit| culprit.line.at.to_string());
    let places: Vec<String> = marked.take(MAX_LISTED).collect();
    let (markers, hold) = match places.len() {
        0 => return None,
        1 => ("marker", "holds"),
        _ => ("markers", "hold"),
    };
    let label = conflict.index.problem.target.label();
    Some(format!("The {markers} of {} {hold} for {label}.", join_with_and(places)))
}
