//! A conflict -> short, plain sentences. Pure functions of data.

use super::ConflictKind;
use super::conflict::{Clash, ClashKind, Conflict, PackageDependency};
use super::dependencies::{ReleaseGroup, ReleaseSubset};
use pinfast_base::text::join_with_and;
use pinfast_packaging::{PackageName, Role};
use pinfast_solve::{ExclusionReason, Package, SearchScope};

/// The conflict in one sentence without a full stop.
pub(super) fn headline(conflict: &Conflict, kind: ConflictKind) -> String {
    let Some(clash) = &conflict.clash else { return without_clash(conflict) };
    let package = &clash.package;
    if kind == ConflictKind::UnknownPackage {
        return match conflict.index.source.search_scope() {
            SearchScope::Indexes => format!("there is no package `{package}` on the index"),
            SearchScope::FindLinks => {
                format!("no `--find-links` place has `{package}`, and no index is asked")
            }
        };
    }
    let obstacle = obstacle(conflict, clash);
    match demands(conflict, package).as_slice() {
        [demand] => format!("{demand}, but {obstacle}"),
        [first, second] if clash.excluded.is_empty() => format!("{first}, but {second}"),
        [first, second] => format!("{first}, {second}, and {obstacle}"),
        _ if clash.excluded.is_empty() => {
            format!("no release of {package} satisfies every requirement on it")
        }
        _ => obstacle,
    }
}

/// For a conflict that no single package explains.
fn without_clash(conflict: &Conflict) -> String {
    match conflict.names().as_slice() {
        [only] => format!("no release of {only} can be installed"),
        names => format!("no releases of {} go together", join_with_and(names)),
    }
}

/// What packages and lines demand of the package of the clash, a clause each.
fn demands(conflict: &Conflict, package: &PackageName) -> Vec<String> {
    let by_packages = conflict.dependencies_on(package).map(|dependency| {
        let from = &dependency.from;
        let by =
            conflict.dependencies.iter().find(|other| Some(&other.to) == from.name() && other.from != *from);
        let by = by.filter(|_| !is_yours(conflict, from)).map(|by| format!(" (needed by {})", by.from));
        let needed = match dependency.groups.as_slice() {
            [group] => needed(conflict, dependency, &group.requirement),
            _ => format!("other releases of {package}"),
        };
        format!("{from}{} needs {needed}", by.unwrap_or_default())
    });
    let by_lines = conflict.lines_on(Role::Requirement, package);
    by_packages.chain(by_lines.map(|line| format!("{} asks for `{}`", line.at, line.text))).collect()
}

/// Why no release of the package of the clash will do.
fn obstacle(conflict: &Conflict, clash: &Clash) -> String {
    let package = &clash.package;
    let subject = match (clash.excluded.as_slice(), clash.kind) {
        ([], ClashKind::Requirements) => return format!("there is no such release of {package}"),
        ([], ClashKind::Dependencies) => {
            return format!(
                "each release of {package} that fits needs something that another line rules out"
            );
        }
        ([(version, _)], _) => format!("{package} {version}"),
        _ => format!("every release of {package} that fits"),
    };
    let mut reasons: Vec<String> = clash.excluded.iter().map(|(_, why)| reason(conflict, why)).collect();
    reasons.dedup();
    let reason = match (reasons.as_slice(), &clash.excluded[0].1) {
        ([reason], _) => reason,
        _ if !is_one_kind(clash) => "is excluded",
        (_, ExclusionReason::RequiresPython(_)) => "needs a newer Python",
        (_, ExclusionReason::TooNew(_) | ExclusionReason::NoUploadTime) => {
            "is newer than --exclude-newer allows"
        }
        (reasons, _) => &reasons[reasons.len() - 1],
    };
    format!("{subject} {reason}")
}

/// Whether all excluded releases are excluded for the same kind of reason.
pub(super) fn is_one_kind(clash: &Clash) -> bool {
    let mut kinds = clash.excluded.iter().map(|(_, reason)| ConflictKind::of_reason(reason));
    kinds.next().is_some_and(|first| kinds.all(|kind| kind == first))
}

/// Why a release is excluded: the rest of a sentence that begins with the release.
pub(super) fn reason(conflict: &Conflict, reason: &ExclusionReason) -> String {
    match reason {
        ExclusionReason::Constraint(at) => {
            let constraint =
                conflict.culprits.iter().find(|c| c.role == Role::Constraint && c.line.at == *at);
            let text =
                constraint.map_or_else(String::new, |constraint| format!(" `{}`", constraint.line.text));
            format!("is ruled out by the constraint{text} at {at}")
        }
        reason => reason.to_string(),
    }
}

fn is_yours(conflict: &Conflict, package: &Package) -> bool {
    package.name().is_some_and(|name| conflict.lines_on(Role::Requirement, name).next().is_some())
}

/// What is needed; the text of the override where one replaces the requirement.
fn needed(conflict: &Conflict, dependency: &PackageDependency, requirement: &str) -> String {
    match conflict.lines_on(Role::Override, &dependency.to).next() {
        Some(line) => {
            format!("{}, which the override at {} sets to `{}`", dependency.to, line.at, line.text)
        }
        None => requirement.to_owned(),
    }
}

/// A dependency as sentences, one for each group of releases.
pub(super) fn dependency_sentences(conflict: &Conflict, dependency: &PackageDependency) -> Vec<String> {
    let range = if is_yours(conflict, &dependency.from) { "in your range" } else { "that fit" };
    let sentence = |group: &ReleaseGroup| {
        let needed = needed(conflict, dependency, &group.requirement);
        format!("{} {needed}", subject_and_verb(&group.releases, &dependency.from, range))
    };
    dependency.groups.iter().map(sentence).collect()
}

/// Some releases as the subject of a sentence, with its verb.
fn subject_and_verb(releases: &ReleaseSubset, name: &Package, range: &str) -> String {
    match releases {
        ReleaseSubset::One(version) => format!("{name} {version} needs"),
        ReleaseSubset::All(count) => format!("each of the {count} releases of {name} needs"),
        ReleaseSubset::AllInRange(count, low, high) => {
            format!("each of the {count} releases of {name} {range} ({low} to {high}) needs")
        }
        ReleaseSubset::From(low) => format!("every release of {name} from {low} on needs"),
        ReleaseSubset::UpTo(high) => format!("every release of {name} up to {high} needs"),
        ReleaseSubset::Some(count, all, low, high) => {
            format!("{count} of the {all} releases of {name} {range}, from {low} to {high}, need")
        }
    }
}
