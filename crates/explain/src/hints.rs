//! What one should know besides, and the hint that goes with each kind of dead end.

use std::collections::BTreeSet;

use super::DeadEnd;
use super::cause::{Cause, Clash, Culprit};
use super::sentences::{of_one_kind, why};
use pinfast_base::suggest::closest;
use pinfast_base::text::{first_few, join_with_and};
use pinfast_packaging::{PackageName, Requirement, Role, TagSet, Version};
use pinfast_solve::{ExclusionReason, ProjectLookup, SearchScope, SolverIndex};

/// How many things of one kind stand in a row.
const MOST: usize = 6;

/// Sentences to stand below the lines at fault; `met` is what the whole problem made known.
pub(super) fn notes(cause: &Cause, kind: DeadEnd, met: &SolverIndex) -> Vec<String> {
    let Some(clash) = &cause.clash else {
        return vec!["Every combination of their releases was looked at.".to_owned()];
    };
    let mut notes = barred(cause, clash);
    notes.extend(hint(cause, clash, kind, met));
    notes.extend(markers(cause));
    notes
}

/// Which releases would fit but may not be taken; nothing where the headline said it.
fn barred(cause: &Cause, clash: &Clash) -> Vec<String> {
    let releases = |run: &[(Version, ExclusionReason)]| match run {
        [(first, _), _, .., (last, _)] => {
            format!("{} {first} to {last} ({} releases)", clash.package, run.len())
        }
        few => format!("{} {}", clash.package, join_with_and(few.iter().map(|(version, _)| version))),
    };
    match clash.barred.as_slice() {
        [] | [_] => Vec::new(),
        all if of_one_kind(clash) => vec![format!("That is {}.", releases(all))],
        all => {
            let runs = all.chunk_by(|a, b| a.1 == b.1).rev().take(2);
            runs.map(|run| format!("{} {}.", releases(run), why(cause, &run[0].1))).collect()
        }
    }
}

/// What `pick` finds in the reasons why releases may not be taken, ascending by version.
fn picked<'c, T>(
    clash: &'c Clash,
    pick: fn(&'c ExclusionReason) -> Option<T>,
) -> impl DoubleEndedIterator<Item = T> + 'c
where
    T: 'c,
{
    clash.barred.iter().filter_map(move |(_, reason)| pick(reason))
}

fn hint(cause: &Cause, clash: &Clash, kind: DeadEnd, met: &SolverIndex) -> Option<String> {
    let package = &clash.package;
    let newest = clash.barred.last().map(|(version, _)| version);
    match kind {
        DeadEnd::UnknownPackage => Some(misspelt(package, met)),
        DeadEnd::NoRelease => nearest(cause, package),
        DeadEnd::OnlyPrereleases => Some("`--prerelease if-necessary` would let it in.".to_owned()),
        DeadEnd::OnlyYanked => {
            Some(format!("It would be taken where a line pins it: `{package}=={}`.", newest?))
        }
        DeadEnd::RequiresPython => python(cause, clash),
        DeadEnd::NoWheel => tags(clash, cause.known.problem.target.label()),
        DeadEnd::OnlySdists => Some("Without `--only-binary` it would be built from its source.".to_owned()),
        DeadEnd::OnlyWheels => Some("Without `--no-binary` its wheel would be taken.".to_owned()),
        DeadEnd::TooNew => too_new(clash),
        DeadEnd::NoAllowedHash => {
            Some("The `--hash` options of its line are those of other files.".to_owned())
        }
        DeadEnd::BrokenMetadata
            if clash
                .barred
                .iter()
                .any(|(_, reason)| matches!(reason, ExclusionReason::BuildForbidden(_))) =>
        {
            Some("Without `--no-build` it would be built, to learn what it needs.".to_owned())
        }
        DeadEnd::BrokenMetadata => Some(format!("Only the authors of {package} can mend that.")),
        DeadEnd::Urls => Some(format!("A package has one source: name one URL for {package}, or none.")),
        DeadEnd::Lines => Some(format!("Each of these lines is yours: let them agree on {package}.")),
        DeadEnd::Constraint | DeadEnd::Override | DeadEnd::Conflict => None,
    }
}

fn misspelt(package: &PackageName, met: &SolverIndex) -> String {
    let known = met
        .all_loaded_candidates()
        .into_iter()
        .filter(|candidates| candidates.project == ProjectLookup::Found);
    let mut names: Vec<PackageName> = known.map(|candidates| candidates.name.clone()).collect();
    names.extend(met.source.project_names());
    names.sort();
    let others = names.iter().filter(|name| *name != package).map(PackageName::as_str);
    match (closest(package.as_str(), others), met.source.search_scope()) {
        (Some(name), _) => format!("Did you mean `{name}`?"),
        (None, SearchScope::FindLinks) => {
            "Without `--no-index` the index would be asked; or put its files where `--find-links` looks."
                .to_owned()
        }
        (None, SearchScope::Indexes) => {
            "Is the name right? Another index can be named by `--extra-index-url`.".to_owned()
        }
    }
}

/// The releases next to the range.
fn nearest(cause: &Cause, package: &PackageName) -> Option<String> {
    let candidates = cause.known.loaded_candidates(package)?;
    let (stable, others): (Vec<&Version>, Vec<&Version>) =
        candidates.usable.iter().map(|it| &it.version).partition(|version| version.is_stable());
    let versions = if stable.is_empty() { others } else { stable };
    let line = cause.lines_on(Role::Requirement, package).next().map(|line| line.requirement.clone());
    let told = || cause.told_of(package).next()?.needs.first()?.1.parse::<Requirement>().ok();
    let asked = line.or_else(told)?;
    let bound = asked.specifiers().lower_bound();
    let split = bound.map_or(0, |bound| versions.partition_point(|version| *version < bound));
    let only =
        |which, version| format!("The {which} release of {package} that can be taken here is {version}.");
    Some(match (versions[..split].last(), versions[split..].first()) {
        (Some(below), Some(above)) => format!("The nearest releases of {package} are {below} and {above}."),
        (Some(newest), None) => only("newest", newest),
        (None, Some(oldest)) => only("oldest", oldest),
        (None, None) => {
            format!("None of the {} releases of {package} can be taken here.", candidates.excluded.len())
        }
    })
}

/// Which Python would do.
fn python(cause: &Cause, clash: &Clash) -> Option<String> {
    let wanted = picked(clash, |reason| match reason {
        ExclusionReason::RequiresPython(specifiers) => specifiers.lower_bound(),
        _ => None,
    });
    let here = cause.known.problem.target.python();
    Some(format!("This is for Python {here}; Python {} would do.", wanted.min()?))
}

/// For what there are wheels.
fn tags(clash: &Clash, label: &str) -> Option<String> {
    let mut all = picked(clash, |reason| match reason {
        ExclusionReason::NoMatchingWheel(sets) => Some(sets),
        _ => None,
    });
    let sets = all.next_back()?;
    let pythons = some(sets.iter().flat_map(TagSet::pythons));
    let platforms = some(sets.iter().flat_map(TagSet::platforms));
    Some(format!("The target is {label}; there are wheels for {pythons} on {platforms}."))
}

/// The first few of them, each once, in order.
fn some<'a>(all: impl Iterator<Item = &'a str>) -> String {
    let all: BTreeSet<&str> = all.collect();
    join_with_and(first_few(all.into_iter().map(str::to_owned).collect(), MOST))
}

/// When the first of them came; nothing where the headline tells the one day.
fn too_new(clash: &Clash) -> Option<String> {
    let uploaded = || {
        picked(clash, |reason| match reason {
            ExclusionReason::TooNew(at) => Some(*at),
            _ => None,
        })
    };
    match uploaded().min() {
        None => Some("The index does not tell when its files were uploaded.".to_owned()),
        first if first == uploaded().max() => None,
        Some(first) => Some(format!("The first was uploaded on {}.", first.strftime("%Y-%m-%d"))),
    }
}

/// The markers that make lines count here.
fn markers(cause: &Cause) -> Option<String> {
    let marked =
        |culprit: &&Culprit| culprit.role != Role::Override && !culprit.line.requirement.marker.is_always();
    let marked = cause.culprits.iter().filter(marked).map(|culprit| culprit.line.at.to_string());
    let places: Vec<String> = marked.take(MOST).collect();
    let (by, count) = match places.len() {
        0 => return None,
        1 => ("its marker", "counts"),
        _ => ("their markers", "count"),
    };
    let label = cause.known.problem.target.label();
    Some(format!("By {by}, {} {count} for {label}.", join_with_and(places)))
}
