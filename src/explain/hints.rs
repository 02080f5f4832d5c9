//! What one should know besides, and the hint that goes with each kind of dead end.

use super::DeadEnd;
use super::cause::{Cause, Clash};
use super::sentences::{list, of_one_kind, why};
use crate::inputs::nearest::meant;
use crate::repair::Role;
use crate::solve::{Reach, Reason};
use crate::spec::{PackageName, Requirement, TagSet, Version};

/// How many things of one kind stand in a row.
const MOST: usize = 6;

/// Sentences to stand below the lines at fault.
pub(super) fn notes(cause: &Cause, kind: DeadEnd, names: &[PackageName]) -> Vec<String> {
    let Some(clash) = &cause.clash else {
        return vec!["Every combination of their releases was looked at.".to_owned()];
    };
    let mut notes = barred(cause, clash);
    notes.extend(hint(cause, clash, kind, names));
    notes.extend(markers(cause));
    notes
}

/// Which releases would fit but may not be taken; nothing where the headline said it.
fn barred(cause: &Cause, clash: &Clash) -> Vec<String> {
    let releases = |bars: &[(Version, Reason)]| match bars {
        [(first, _), _, .., (last, _)] => {
            format!("{} {first} to {last} ({} releases)", clash.package, bars.len())
        }
        few => {
            format!("{} {}", clash.package, list(&few.iter().map(|(version, _)| version).collect::<Vec<_>>()))
        }
    };
    match clash.barred.as_slice() {
        [] | [_] => Vec::new(),
        bars if of_one_kind(clash) => vec![format!("That is {}.", releases(bars))],
        bars => {
            let runs = bars.chunk_by(|a, b| a.1 == b.1).rev().take(2);
            runs.map(|run| format!("{} {}.", releases(run), why(cause, &run[0].1))).collect()
        }
    }
}

fn hint(cause: &Cause, clash: &Clash, kind: DeadEnd, names: &[PackageName]) -> Option<String> {
    let package = &clash.package;
    let newest = clash.barred.last().map(|(version, _)| version);
    match kind {
        DeadEnd::UnknownPackage => Some(misspelt(cause, package, names)),
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
            if clash.barred.iter().any(|(_, reason)| matches!(reason, Reason::Unbuilt(_))) =>
        {
            Some("Without `--no-build` it would be built, to learn what it needs.".to_owned())
        }
        DeadEnd::BrokenMetadata => Some(format!("Only the authors of {package} can mend that.")),
        DeadEnd::Urls => Some(format!("A package has one source: name one URL for {package}, or none.")),
        DeadEnd::Lines => Some(format!("Each of these lines is yours: let them agree on {package}.")),
        DeadEnd::Constraint | DeadEnd::Override | DeadEnd::Conflict => None,
    }
}

fn misspelt(cause: &Cause, package: &PackageName, names: &[PackageName]) -> String {
    let lines = cause.known.problem.lines.iter().map(|line| &line.requirement.name);
    let others = names.iter().chain(lines).filter(|name| *name != package).map(PackageName::as_str);
    match (meant(package.as_str(), others), cause.known.index.reach()) {
        (Some(name), _) => format!("Did you mean `{name}`?"),
        (None, Reach::FindLinks) => {
            "Without `--no-index` the index would be asked; or put its files where `--find-links` looks."
                .to_owned()
        }
        (None, Reach::Indexes) => {
            "Is the name right? Another index can be named by `--extra-index-url`.".to_owned()
        }
    }
}

/// The releases next to the range.
fn nearest(cause: &Cause, package: &PackageName) -> Option<String> {
    let candidates = cause.known.known_candidates(package)?;
    let any_stable = candidates.usable.iter().any(|candidate| candidate.version.is_stable());
    let versions = candidates.usable.iter().map(|candidate| &candidate.version);
    let versions: Vec<&Version> = versions.filter(|version| version.is_stable() || !any_stable).collect();
    let line = cause.lines_on(Role::Requirement, package).next().map(|line| line.requirement.clone());
    let told = || cause.told_of(package).next()?.needs.first()?.1.parse::<Requirement>().ok();
    let asked = line.or_else(told)?;
    let bound = asked.specifiers().lower_bound();
    let split = bound.map_or(0, |bound| versions.partition_point(|version| *version < bound));
    Some(match (versions[..split].last(), versions[split..].first()) {
        (Some(below), Some(above)) => format!("The nearest releases of {package} are {below} and {above}."),
        (Some(newest), None) => {
            format!("The newest release of {package} that can be taken here is {newest}.")
        }
        (None, Some(oldest)) => {
            format!("The oldest release of {package} that can be taken here is {oldest}.")
        }
        (None, None) => {
            format!("None of the {} releases of {package} can be taken here.", candidates.barred.len())
        }
    })
}

/// Which Python would do.
fn python(cause: &Cause, clash: &Clash) -> Option<String> {
    let wanted = clash.barred.iter().filter_map(|(_, reason)| match reason {
        Reason::RequiresPython(specifiers) => specifiers.lower_bound(),
        _ => None,
    });
    let here = cause.known.problem.target.python();
    Some(format!("This is for Python {here}; Python {} would do.", wanted.min()?))
}

/// For what there are wheels.
fn tags(clash: &Clash, label: &str) -> Option<String> {
    let sets = clash.barred.iter().rev().find_map(|(_, reason)| match reason {
        Reason::NoMatchingWheel(sets) => Some(sets),
        _ => None,
    })?;
    let pythons = some(sets.iter().flat_map(TagSet::pythons));
    let platforms = some(sets.iter().flat_map(TagSet::platforms));
    Some(format!("The target is {label}; there are wheels for {pythons} on {platforms}."))
}

/// The first few of them, each once, in order.
fn some<'a>(all: impl Iterator<Item = &'a str>) -> String {
    let mut all: Vec<String> = all.map(str::to_owned).collect();
    all.sort_unstable();
    all.dedup();
    if all.len() > MOST {
        let more = format!("{} more", all.len() - MOST);
        all.truncate(MOST);
        all.push(more);
    }
    list(&all)
}

/// When the first of them came; nothing where the headline tells the one day.
fn too_new(clash: &Clash) -> Option<String> {
    let uploaded = clash.barred.iter().filter_map(|(_, reason)| match reason {
        Reason::TooNew(at) => Some(*at),
        _ => None,
    });
    let (first, last) = (uploaded.clone().min(), uploaded.max());
    match first {
        None => Some("The index does not tell when its files were uploaded.".to_owned()),
        Some(_) if first == last => None,
        Some(first) => Some(format!("The first was uploaded on {}.", first.strftime("%Y-%m-%d"))),
    }
}

/// The markers that make lines count here.
fn markers(cause: &Cause) -> Option<String> {
    let marked = cause
        .culprits
        .iter()
        .filter(|culprit| culprit.role != Role::Override && !culprit.line.requirement.marker.is_always());
    let places: Vec<String> = marked.map(|culprit| culprit.line.at.to_string()).take(MOST).collect();
    let label = cause.known.problem.target.label();
    match places.as_slice() {
        [] => None,
        [one] => Some(format!("By its marker, {one} counts for {label}.")),
        many => Some(format!("By their markers, {} count for {label}.", list(many))),
    }
}
