//! What there is to tell -> short, plain sentences. Pure functions of data.

use super::DeadEnd;
use super::cause::{Bar, Bound, Cause, Clash, Told};
use super::core::Role;
use super::span::{Shape, Span};
use crate::solve::{Package, Project, Reason};
use crate::spec::{PackageName, Source, Version};

/// The kind of dead end.
pub(super) fn kind(cause: &Cause) -> DeadEnd {
    let Some(clash) = &cause.clash else { return DeadEnd::Conflict };
    let by_url = |place: &usize| {
        cause
            .culprit(Role::Requirement, *place)
            .is_some_and(|culprit| matches!(culprit.line.requirement.source, Source::Url(_)))
    };
    if clash.project == Project::Unknown {
        return DeadEnd::UnknownPackage;
    }
    if clash.lines.iter().any(by_url) {
        return DeadEnd::Urls;
    }
    if let Some((_, bar)) = clash.barred.last() {
        return of_bar(bar);
    }
    match (clash.lines.as_slice(), clash.told.as_slice()) {
        _ if cause.culprits.iter().any(|culprit| culprit.role == Role::Override) => DeadEnd::Override,
        _ if cause.culprits.iter().any(|culprit| culprit.role == Role::Constraint) => DeadEnd::Constraint,
        ([_], []) | ([], [_]) => DeadEnd::NoRelease,
        ([_, _, ..], []) => DeadEnd::Lines,
        _ => DeadEnd::Conflict,
    }
}

fn of_bar(bar: &Bar) -> DeadEnd {
    match bar {
        Bar::Yanked => DeadEnd::OnlyYanked,
        Bar::Useless(_) => DeadEnd::BrokenMetadata,
        Bar::Policy(reason) => match reason {
            Reason::TooNew(_) | Reason::NoUploadTime => DeadEnd::TooNew,
            Reason::Prerelease => DeadEnd::OnlyPrereleases,
            Reason::RequiresPython(_) => DeadEnd::RequiresPython,
            Reason::NoMatchingWheel(_) => DeadEnd::NoWheel,
            Reason::OnlySdists => DeadEnd::OnlySdists,
            Reason::OnlyWheels => DeadEnd::OnlyWheels,
            Reason::NoAllowedHash => DeadEnd::NoAllowedHash,
            Reason::Constraint(_) => DeadEnd::Constraint,
        },
    }
}

/// What is wrong, in one sentence without a full stop.
pub(super) fn headline(cause: &Cause, kind: DeadEnd) -> String {
    let Some(clash) = &cause.clash else { return together(cause) };
    let package = &clash.package;
    if kind == DeadEnd::UnknownPackage {
        return format!("there is no package `{package}` on the index");
    }
    let sides: Vec<String> = asks(cause, clash);
    match sides.as_slice() {
        [] => together(cause),
        [side] => format!("{side}, but {}", obstacle(clash, kind)),
        [first, second] if clash.barred.is_empty() => format!("{first}, but {second}"),
        [first, second] => format!("{first}, {second}, and {}", obstacle(clash, kind)),
        _ => format!("no release of {package} fits everything that is asked of it"),
    }
}

/// Nothing better can be said.
fn together(cause: &Cause) -> String {
    let mut names: Vec<&PackageName> = cause.culprits.iter().map(|c| &c.line.requirement.name).collect();
    names.sort();
    names.dedup();
    match names.as_slice() {
        [only] => format!("no release of {only} can be installed"),
        names => format!("no releases of {} go together", list(names)),
    }
}

/// What each side asks of the package on which they collide.
fn asks(cause: &Cause, clash: &Clash) -> Vec<String> {
    let by_others = clash.told.iter().map(|&place| {
        let told = &cause.told[place];
        let bound = told.needs.first().map_or_else(|| clash.package.to_string(), |(_, b)| bound(b, &told.to));
        format!("{} needs {bound}", named(&told.from))
    });
    let by_lines = clash.lines.iter().filter_map(|&place| cause.culprit(Role::Requirement, place));
    by_others
        .chain(by_lines.map(|culprit| format!("{} asks for `{}`", culprit.line.at, culprit.line.text)))
        .collect()
}

/// Why no release fits.
fn obstacle(clash: &Clash, kind: DeadEnd) -> String {
    let package = &clash.package;
    match clash.barred.last() {
        None if kind == DeadEnd::NoRelease => format!("there is no such release of {package}"),
        None => format!("no release of {package} fits"),
        Some((version, bar)) if clash.barred.len() == 1 => format!("{package} {version} {}", why(bar)),
        Some(_) => format!("the {} releases of {package} that fit may not be taken", clash.barred.len()),
    }
}

/// The rest of a sentence that begins with a release.
fn why(bar: &Bar) -> String {
    match bar {
        Bar::Policy(reason) => reason.to_string(),
        Bar::Yanked => "was yanked from the index".to_owned(),
        Bar::Useless(reason) => format!("is of no use: {reason}"),
    }
}

/// More that one should know.
pub(super) fn notes(cause: &Cause, _names: &[PackageName]) -> Vec<String> {
    let Some(clash) = &cause.clash else {
        return vec!["Every combination of their releases was ruled out.".to_owned()];
    };
    let mut notes = barred(clash);
    if clash.barred.is_empty() && clash.lines.len() + clash.told.len() == 1 {
        notes.extend(newest(cause, &clash.package));
    }
    notes
}

fn newest(cause: &Cause, package: &PackageName) -> Option<String> {
    let candidates = cause.known.known_candidates(package)?;
    let newest = candidates.usable.last()?;
    Some(format!("The newest release of {package} that can be taken here is {}.", newest.version))
}

/// That there is more to mend.
pub(super) fn more(count: usize) -> String {
    match count {
        1 => "1 more conflict remains.".to_owned(),
        count => format!("{count} more conflicts remain."),
    }
}

/// The releases that would fit but may not be taken, grouped by why.
fn barred(clash: &Clash) -> Vec<String> {
    let mut groups: Vec<(String, Vec<&Version>)> = Vec::new();
    for (version, bar) in &clash.barred {
        let why = why(bar);
        match groups.iter_mut().find(|(known, _)| *known == why) {
            Some((_, versions)) => versions.push(version),
            None => groups.push((why, vec![version])),
        }
    }
    groups
        .iter()
        .rev()
        .take(3)
        .map(|(why, versions)| format!("{} {}: {why}.", clash.package, releases(versions)))
        .collect()
}

fn releases(versions: &[&Version]) -> String {
    match versions {
        [] => String::new(),
        [one] => one.to_string(),
        [first, .., last] => format!("{first} to {last} ({} releases)", versions.len()),
    }
}

/// What `told` says, a sentence for each group of releases.
pub(super) fn needs(cause: &Cause, told: &Told) -> Vec<String> {
    let yours = cause.culprits.iter().any(|culprit| {
        culprit.role == Role::Requirement && Some(&culprit.line.requirement.name) == told.from.name()
    });
    let range = if yours { "in your range" } else { "that fit" };
    told.needs
        .iter()
        .map(|(span, needed)| format!("{} {}", subject(span, &told.from, range), bound(needed, &told.to)))
        .collect()
}

/// Some releases as the subject of a sentence, with its verb.
fn subject(span: &Span, package: &Package, range: &str) -> String {
    let name = named(package);
    match &span.shape {
        Shape::One(version) => format!("{name} {version} needs"),
        Shape::All(count) => format!("each of the {count} releases of {name} needs"),
        Shape::AllInRange(count, low, high) => {
            format!("each of the {count} releases of {name} {range} ({low} to {high}) needs")
        }
        Shape::From(low) => format!("every release of {name} from {low} on needs"),
        Shape::UpTo(high) => format!("every release of {name} up to {high} needs"),
        Shape::Between(count, low, high) => {
            format!("the {count} releases of {name} from {low} to {high} need")
        }
        Shape::Scattered(count, all, low, high) => {
            format!("{count} of the {all} releases of {name} {range}, between {low} and {high}, need")
        }
    }
}

fn bound(bound: &Bound, package: &PackageName) -> String {
    match bound {
        Bound::Same(text) => text.clone(),
        Bound::AtLeast(version) => format!("at least {package} {version}"),
        Bound::AtMost(version) => format!("at most {package} {version}"),
        Bound::Various(Some((low, high))) => format!("another {package} each, from {low} to {high}"),
        Bound::Various(None) => format!("a release of {package} that is not to be had"),
    }
}

fn named(package: &Package) -> String {
    package.to_string()
}

/// `a`, `a and b`, `a, b and c`
pub(super) fn list<T: ToString>(items: &[T]) -> String {
    match items {
        [] => String::new(),
        [one] => one.to_string(),
        [first @ .., last] => {
            format!(
                "{} and {}",
                first.iter().map(T::to_string).collect::<Vec<_>>().join(", "),
                last.to_string()
            )
        }
    }
}
