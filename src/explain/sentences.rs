//! What there is to tell -> short, plain sentences. Pure functions of data.

use super::DeadEnd;
use super::cause::{Bar, Bound, Cause, Clash, Manner, Told};
use super::core::Role;
use super::span::{Shape, Span};
use crate::solve::{Package, Reason};
use crate::spec::PackageName;

/// What is wrong, in one sentence without a full stop.
pub(super) fn headline(cause: &Cause, kind: DeadEnd) -> String {
    let Some(clash) = &cause.clash else { return together(cause) };
    let package = &clash.package;
    if kind == DeadEnd::UnknownPackage {
        return format!("there is no package `{package}` on the index");
    }
    if clash.manner == Manner::Needing && clash.barred.is_empty() {
        return format!("every release of {package} that fits needs something that another line rules out");
    }
    let sides = sides(cause, clash);
    match sides.as_slice() {
        [] => together(cause),
        [side] => format!("{side}, but {}", obstacle(cause, clash)),
        [first, second] if clash.barred.is_empty() => format!("{first}, but {second}"),
        [first, second] => format!("{first}, {second}, and {}", obstacle(cause, clash)),
        _ if clash.barred.is_empty() => format!("no release of {package} fits all that is asked of it"),
        _ => format!("of the releases of {package}, {}", obstacle(cause, clash)),
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
fn sides(cause: &Cause, clash: &Clash) -> Vec<String> {
    let by_others = clash.told.iter().map(|&place| {
        let told = &cause.told[place];
        let by =
            cause.told.iter().find(|other| Some(&other.to) == told.from.name() && other.from != told.from);
        let yours = is_yours(cause, &told.from);
        let by = by.filter(|_| !yours).map_or_else(String::new, |by| format!(" (needed by {})", by.from));
        format!("{}{by} needs {}", told.from, needed(cause, told, told.needs.first().map(|(_, bound)| bound)))
    });
    let by_lines = clash.lines.iter().filter_map(|&place| cause.culprit(Role::Requirement, place));
    let by_lines = by_lines.map(|culprit| format!("{} asks for `{}`", culprit.line.at, culprit.line.text));
    by_others.chain(by_lines).collect()
}

/// Why no release of the package on which they collide fits.
fn obstacle(cause: &Cause, clash: &Clash) -> String {
    let package = &clash.package;
    let Some((version, bar)) = clash.barred.last() else {
        return match clash.manner {
            Manner::Asked => format!("there is no such release of {package}"),
            Manner::Needing => {
                format!("every such release of {package} needs something that another line rules out")
            }
        };
    };
    let whys: Vec<String> = clash.barred.iter().map(|(_, bar)| why(cause, bar)).collect();
    let same = whys.iter().all(|other| *other == whys[0]);
    let that = match clash.barred.len() {
        1 => format!("{package} {version}"),
        _ => format!("every release of {package} that fits"),
    };
    match bar {
        _ if same => format!("{that} {}", whys[0]),
        Bar::Policy(Reason::RequiresPython(_)) if of_one_kind(clash) => {
            format!("{that} needs a newer Python")
        }
        Bar::Policy(Reason::TooNew(_)) if of_one_kind(clash) => {
            format!("{that} is newer than --exclude-newer allows")
        }
        Bar::Policy(Reason::NoMatchingWheel(_)) if of_one_kind(clash) => {
            format!("{that} has no wheel for this target and no sdist")
        }
        _ => format!("{that} may not be taken"),
    }
}

fn of_one_kind(clash: &Clash) -> bool {
    let mut kinds = clash.barred.iter().map(|(_, bar)| DeadEnd::of_bar(bar));
    kinds.next().is_some_and(|first| kinds.all(|kind| kind == first))
}

/// Why a release is barred: the rest of a sentence that begins with it.
pub(super) fn why(cause: &Cause, bar: &Bar) -> String {
    match bar {
        Bar::Policy(Reason::Constraint(at)) => {
            let constraint = cause.culprits.iter().find(|c| c.role == Role::Constraint && c.line.at == *at);
            let text =
                constraint.map_or_else(String::new, |constraint| format!(" `{}`", constraint.line.text));
            format!("is ruled out by the constraint{text} at {at}")
        }
        Bar::Policy(reason) => reason.to_string(),
        Bar::Yanked => "was yanked from the index".to_owned(),
        Bar::Useless(reason) => format!("is of no use: it {reason}"),
    }
}

fn is_yours(cause: &Cause, package: &Package) -> bool {
    let mut lines = cause.culprits.iter().filter(|culprit| culprit.role == Role::Requirement);
    lines.any(|culprit| Some(&culprit.line.requirement.name) == package.name())
}

/// What is needed, by the name of the override where one stands in for it.
fn needed(cause: &Cause, told: &Told, bound: Option<&Bound>) -> String {
    let mut overrides = cause.culprits.iter().filter(|culprit| culprit.role == Role::Override);
    match (overrides.find(|culprit| culprit.line.requirement.name == told.to), bound) {
        (Some(by), _) => {
            format!("{}, which the override at {} sets to `{}`", told.to, by.line.at, by.line.text)
        }
        (None, Some(bound)) => self::bound(bound, &told.to),
        (None, None) => told.to.to_string(),
    }
}

/// That there is more to mend.
pub(super) fn more(count: usize) -> String {
    match count {
        1 => "1 more conflict remains.".to_owned(),
        count => format!("{count} more conflicts remain."),
    }
}

/// What `told` says, a sentence for each group of releases.
pub(super) fn needs(cause: &Cause, told: &Told) -> Vec<String> {
    let range = if is_yours(cause, &told.from) { "in your range" } else { "that fit" };
    told.needs
        .iter()
        .map(|(span, bound)| {
            format!("{} {}", subject(span, &told.from, range), needed(cause, told, Some(bound)))
        })
        .collect()
}

/// Some releases as the subject of a sentence, with its verb.
fn subject(span: &Span, package: &Package, range: &str) -> String {
    let name = package;
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
