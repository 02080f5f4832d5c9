//! What one should know besides, and the hint that goes with each kind of dead end.

use super::DeadEnd;
use super::cause::{Bar, Cause, Clash};
use super::core::Role;
use super::sentences::{list, why};
use crate::inputs::nearest::meant;
use crate::solve::Reason;
use crate::spec::{PackageName, TagSet, Version};

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

/// The releases that would fit but may not be taken, by why; nothing where the headline said it.
fn barred(cause: &Cause, clash: &Clash) -> Vec<String> {
    let mut groups: Vec<(String, Vec<&Version>)> = Vec::new();
    for (version, bar) in clash.barred.iter().rev() {
        let why = why(cause, bar);
        match groups.iter_mut().find(|(known, _)| *known == why) {
            Some((_, versions)) => versions.insert(0, version),
            None => groups.push((why, vec![version])),
        }
    }
    match groups.as_slice() {
        [] => Vec::new(),
        [(_, versions)] if versions.len() == 1 => Vec::new(),
        [(_, versions)] => vec![format!("That is {} {}.", clash.package, releases(versions))],
        groups => {
            let told = groups.iter().take(2);
            told.map(|(why, versions)| format!("{} {} {why}.", clash.package, releases(versions))).collect()
        }
    }
}

fn releases(versions: &[&Version]) -> String {
    match versions {
        [first, _, .., last] => format!("{first} to {last} ({} releases)", versions.len()),
        few => list(few),
    }
}

fn hint(cause: &Cause, clash: &Clash, kind: DeadEnd, names: &[PackageName]) -> Option<String> {
    let package = &clash.package;
    let (newest, bar) = clash.barred.last().map_or((None, None), |(version, bar)| (Some(version), Some(bar)));
    match kind {
        DeadEnd::UnknownPackage => Some(misspelt(cause, package, names)),
        DeadEnd::NoRelease => nearest(cause, clash),
        DeadEnd::OnlyPrereleases => Some("`--prerelease if-necessary` would let them in.".to_owned()),
        DeadEnd::OnlyYanked => {
            Some(format!("A yanked release is taken only where a line pins it: `{package}=={}`.", newest?))
        }
        DeadEnd::RequiresPython => python(cause, clash),
        DeadEnd::NoWheel => tags(clash, cause.known.problem.target.label()),
        DeadEnd::OnlySdists => {
            Some(format!("Without `--only-binary {package}` it would be built from its source."))
        }
        DeadEnd::OnlyWheels => Some(format!("Without `--no-binary {package}` its wheel would be taken.")),
        DeadEnd::TooNew => Some(too_new(clash)),
        DeadEnd::NoAllowedHash => {
            Some("The `--hash` options of its line are those of other files.".to_owned())
        }
        DeadEnd::BrokenMetadata => match bar {
            Some(Bar::Useless(_)) => Some(format!("Only the authors of {package} can mend that.")),
            _ => None,
        },
        DeadEnd::Urls => Some(format!("A package has one source: name one URL for {package}, or none.")),
        DeadEnd::Lines => Some(format!("Each of these lines is yours: let them agree on {package}.")),
        DeadEnd::Constraint | DeadEnd::Override | DeadEnd::Conflict => None,
    }
}

fn misspelt(cause: &Cause, package: &PackageName, names: &[PackageName]) -> String {
    let problem = &cause.known.problem;
    let lines = problem.lines.iter().map(|line| line.requirement.name.as_str());
    let others = names.iter().map(PackageName::as_str).chain(lines).filter(|name| *name != package.as_str());
    match meant(package.as_str(), others) {
        Some(name) => format!("Did you mean `{name}`?"),
        None => "Is the name right? Another index can be named by `--extra-index-url`.".to_owned(),
    }
}

/// The releases next to the range.
fn nearest(cause: &Cause, clash: &Clash) -> Option<String> {
    let package = &clash.package;
    let candidates = cause.known.known_candidates(package)?;
    let mut versions: Vec<&Version> = candidates.usable.iter().map(|candidate| &candidate.version).collect();
    if versions.iter().any(|version| version.is_stable()) {
        versions.retain(|version| version.is_stable());
    }
    let bound = clash.asked.first().and_then(|asked| asked.lower_bound());
    let split = bound.map_or(0, |bound| versions.partition_point(|version| *version < bound));
    let (below, above) = versions.split_at(split);
    match (below.last(), above.first()) {
        (Some(below), Some(above)) => {
            Some(format!("The nearest releases of {package} are {below} and {above}."))
        }
        (Some(newest), None) => {
            Some(format!("The newest release of {package} that can be taken here is {newest}."))
        }
        (None, Some(oldest)) => {
            Some(format!("The oldest release of {package} that can be taken here is {oldest}."))
        }
        (None, None) if candidates.barred.is_empty() => Some(format!("{package} has no release at all.")),
        (None, None) => {
            Some(format!("None of the {} releases of {package} can be taken here.", candidates.barred.len()))
        }
    }
}

/// Which Python would do.
fn python(cause: &Cause, clash: &Clash) -> Option<String> {
    let wanted = clash.barred.iter().filter_map(|(_, bar)| match bar {
        Bar::Policy(Reason::RequiresPython(specifiers)) => specifiers.lower_bound(),
        _ => None,
    });
    let here = cause.known.problem.target.python();
    Some(format!("This is for Python {here}; Python {} would do.", wanted.min()?))
}

/// For what there are wheels.
fn tags(clash: &Clash, label: &str) -> Option<String> {
    let sets = clash.barred.iter().rev().find_map(|(_, bar)| match bar {
        Bar::Policy(Reason::NoMatchingWheel(sets)) => Some(sets),
        _ => None,
    })?;
    let pythons = some(sets.iter().flat_map(TagSet::pythons));
    let platforms = some(sets.iter().flat_map(TagSet::platforms));
    Some(format!("The target is {label}; there are wheels for {pythons} on {platforms}."))
}

/// The first few of them, each once, in order.
fn some<'a>(all: impl Iterator<Item = &'a str>) -> String {
    let mut all: Vec<&str> = all.collect();
    all.sort_unstable();
    all.dedup();
    let more = all.len().saturating_sub(MOST);
    all.truncate(MOST);
    if more == 0 { list(&all) } else { format!("{} and {more} more", all.join(", ")) }
}

/// Which date would do.
fn too_new(clash: &Clash) -> String {
    let uploaded = clash.barred.iter().filter_map(|(_, bar)| match bar {
        Bar::Policy(Reason::TooNew(at)) => Some(*at),
        _ => None,
    });
    match uploaded.min() {
        Some(first) => format!("`--exclude-newer {}` would do.", first.strftime("%Y-%m-%d")),
        None => "The index does not tell when its files were uploaded.".to_owned(),
    }
}

/// The markers that make lines count here.
fn markers(cause: &Cause) -> Vec<String> {
    let marked = cause
        .culprits
        .iter()
        .filter(|culprit| culprit.role != Role::Override && !culprit.line.requirement.marker.is_always());
    let places: Vec<String> = marked.map(|culprit| culprit.line.at.to_string()).take(MOST).collect();
    let label = cause.known.problem.target.label();
    match places.as_slice() {
        [] => Vec::new(),
        [one] => vec![format!("The marker of {one} holds for {label}.")],
        many => vec![format!("The markers of {} hold for {label}.", list(many))],
    }
}
