//! What there is to tell -> short, plain sentences. Pure functions of data.

use super::DeadEnd;
use super::cause::{Cause, Clash, Manner, Told};
use super::needs::Shape;
use pinfast_base::text::join_with_and;
use pinfast_packaging::{PackageName, Role};
use pinfast_solve::{ExclusionReason, Package, SearchScope};

/// What is wrong, in one sentence without a full stop.
pub(super) fn headline(cause: &Cause, kind: DeadEnd) -> String {
    let Some(clash) = &cause.clash else { return together(cause) };
    let package = &clash.package;
    if kind == DeadEnd::UnknownPackage {
        return match cause.known.source.search_scope() {
            SearchScope::Indexes => format!("there is no package `{package}` on the index"),
            SearchScope::FindLinks => {
                format!("no `--find-links` place has `{package}`, and no index is asked")
            }
        };
    }
    let obstacle = obstacle(cause, clash);
    match sides(cause, package).as_slice() {
        [side] => format!("{side}, but {obstacle}"),
        [first, second] if clash.barred.is_empty() => format!("{first}, but {second}"),
        [first, second] => format!("{first}, {second}, and {obstacle}"),
        _ if clash.barred.is_empty() => format!("no release of {package} fits all that is asked of it"),
        _ => format!("of what is asked of {package}, {obstacle}"),
    }
}

/// Nothing better can be said.
fn together(cause: &Cause) -> String {
    match cause.names().as_slice() {
        [only] => format!("no release of {only} can be installed"),
        names => format!("no releases of {} go together", join_with_and(names)),
    }
}

/// What each side asks of the package on which they collide.
fn sides(cause: &Cause, package: &PackageName) -> Vec<String> {
    let by_others = cause.told_of(package).map(|told| {
        let by =
            cause.told.iter().find(|other| Some(&other.to) == told.from.name() && other.from != told.from);
        let by = by.filter(|_| !is_yours(cause, &told.from)).map(|by| format!(" (needed by {})", by.from));
        let needed = match told.needs.as_slice() {
            [(_, bound)] => needed(cause, told, bound),
            _ => format!("other releases of {package}"),
        };
        format!("{}{} needs {needed}", told.from, by.unwrap_or_default())
    });
    let by_lines = cause.lines_on(Role::Requirement, package);
    by_others.chain(by_lines.map(|line| format!("{} asks for `{}`", line.at, line.text))).collect()
}

/// Why no release of the package on which they collide fits.
fn obstacle(cause: &Cause, clash: &Clash) -> String {
    let package = &clash.package;
    let that = match (clash.barred.as_slice(), clash.manner) {
        ([], Manner::Asked) => return format!("there is no such release of {package}"),
        ([], Manner::Needing) => {
            return format!(
                "each release of {package} that fits needs something that another line rules out"
            );
        }
        ([(version, _)], _) => format!("{package} {version}"),
        _ => format!("every release of {package} that fits"),
    };
    let mut whys: Vec<String> = clash.barred.iter().map(|(_, reason)| why(cause, reason)).collect();
    whys.dedup();
    let why = match (whys.as_slice(), &clash.barred[0].1) {
        ([why], _) => why,
        _ if !of_one_kind(clash) => "is barred",
        (_, ExclusionReason::RequiresPython(_)) => "needs a newer Python",
        (_, ExclusionReason::TooNew(_) | ExclusionReason::NoUploadTime) => {
            "is newer than --exclude-newer allows"
        }
        (whys, _) => &whys[whys.len() - 1],
    };
    format!("{that} {why}")
}

/// Whether all releases that would fit are barred for the same kind of reason.
pub(super) fn of_one_kind(clash: &Clash) -> bool {
    let mut kinds = clash.barred.iter().map(|(_, reason)| DeadEnd::of_reason(reason));
    kinds.next().is_some_and(|first| kinds.all(|kind| kind == first))
}

/// Why a release is barred: the rest of a sentence that begins with it.
pub(super) fn why(cause: &Cause, reason: &ExclusionReason) -> String {
    match reason {
        ExclusionReason::Constraint(at) => {
            let constraint = cause.culprits.iter().find(|c| c.role == Role::Constraint && c.line.at == *at);
            let text =
                constraint.map_or_else(String::new, |constraint| format!(" `{}`", constraint.line.text));
            format!("is ruled out by the constraint{text} at {at}")
        }
        reason => reason.to_string(),
    }
}

fn is_yours(cause: &Cause, package: &Package) -> bool {
    package.name().is_some_and(|name| cause.lines_on(Role::Requirement, name).next().is_some())
}

/// What is needed, by the words of the override where one stands in for it.
fn needed(cause: &Cause, told: &Told, bound: &str) -> String {
    match cause.lines_on(Role::Override, &told.to).next() {
        Some(line) => format!("{}, which the override at {} sets to `{}`", told.to, line.at, line.text),
        None => bound.to_owned(),
    }
}

/// What `told` says, a sentence for each group of releases.
pub(super) fn needs(cause: &Cause, told: &Told) -> Vec<String> {
    let range = if is_yours(cause, &told.from) { "in your range" } else { "that fit" };
    let groups = told.needs.iter();
    groups
        .map(|(shape, bound)| format!("{} {}", subject(shape, &told.from, range), needed(cause, told, bound)))
        .collect()
}

/// Some releases as the subject of a sentence, with its verb.
fn subject(shape: &Shape, name: &Package, range: &str) -> String {
    match shape {
        Shape::One(version) => format!("{name} {version} needs"),
        Shape::All(count) => format!("each of the {count} releases of {name} needs"),
        Shape::AllInRange(count, low, high) => {
            format!("each of the {count} releases of {name} {range} ({low} to {high}) needs")
        }
        Shape::From(low) => format!("every release of {name} from {low} on needs"),
        Shape::UpTo(high) => format!("every release of {name} up to {high} needs"),
        Shape::Some(count, all, low, high) => {
            format!("{count} of the {all} releases of {name} {range}, from {low} to {high}, need")
        }
    }
}
