//! Options given otherwise than they were: another Python or platform, or a policy that bars less.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use jiff::civil::Date;
use jiff::tz::Offset;
use jiff::{Timestamp, ToSpan as _};
use serde::{Deserialize, Serialize};

use pinfast_packaging::{NEWEST_MINOR, Platform, Target, Version};
use pinfast_solve::{ExclusionReason, PackageSet, Policy, PrereleaseMode, Problem, SolverIndex};

/// An option with its values, each of which is given: `--platform linux --platform macos`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OptionValue {
    /// Its name, with the two hyphens.
    pub flag: String,
    /// What it is given, at least one.
    pub values: Vec<String>,
}

/// The same inputs under another option.
#[derive(Clone)]
pub struct Alternative {
    /// The option.
    pub option: OptionValue,
    /// What the inputs then pose, a problem a target: each must have a solution, the first is told.
    pub problems: Vec<Arc<Problem>>,
}

/// The oldest minor version of Python 3 that a project may move to.
const OLDEST_MINOR: u64 = 9;

/// Other target environments than `targets`, of which there is no solution for `failing`: of several Pythons
/// or platforms those that are left without its own; of a single one the next ones, the most natural first.
/// `pose` makes the problem that the inputs pose for a target.
pub fn of_targets(
    targets: &[Target],
    failing: &Target,
    pose: impl Fn(&Target) -> Arc<Problem>,
) -> Vec<Alternative> {
    let cells: Option<Vec<_>> = targets.iter().map(cell).collect();
    let (Some(cells), Some(own)) = (cells, cell(failing)) else { return Vec::new() };
    let (mut versions, mut platforms) = (Vec::new(), Vec::new());
    for (version, platform) in &cells {
        if !versions.contains(version) {
            versions.push(version.clone());
        }
        if !platforms.contains(platform) {
            platforms.push(platform.clone());
        }
    }
    if versions.len() * platforms.len() != cells.len() {
        // No pair of options means just these targets.
        return Vec::new();
    }
    let alternative = |flag: &str, values: Vec<String>, targets: Vec<Target>| Alternative {
        option: OptionValue { flag: flag.to_owned(), values },
        problems: targets.iter().map(&pose).collect(),
    };
    let pythons = otherwise(&versions, &own.0, other_pythons(&own.0)).into_iter().map(|versions| {
        let values = versions.iter().map(short).collect();
        alternative("--python-version", values, cross(&versions, &platforms))
    });
    let named = |platform: &Platform| (platform.to_string(), platform.clone());
    let given: Vec<_> = platforms.iter().map(named).collect();
    let platforms = otherwise(&given, &named(&own.1), other_platforms(&own)).into_iter().map(|platforms| {
        let (names, platforms): (Vec<_>, Vec<_>) = platforms.into_iter().unzip();
        alternative("--platform", names, cross(&versions, &platforms))
    });
    pythons.chain(platforms).collect()
}

/// The version and platform of a target of CPython.
fn cell(target: &Target) -> Option<(Version, Platform)> {
    let mut words = target.label().split(' ');
    let (Some("cpython"), Some(_), Some(platform)) = (words.next(), words.next(), words.next()) else {
        return None;
    };
    Some((target.python().clone(), platform.parse().ok()?))
}

fn cross(versions: &[Version], platforms: &[Platform]) -> Vec<Target> {
    let of_version = |version| platforms.iter().map(move |platform| Target::declared(version, platform));
    versions.iter().flat_map(of_version).collect()
}

/// Without `own`, where there are others; else each of `instead` alone.
fn otherwise<T: Clone + PartialEq>(given: &[T], own: &T, instead: Vec<T>) -> Vec<Vec<T>> {
    match given.len() {
        1 => instead.into_iter().map(|other| vec![other]).collect(),
        _ => vec![given.iter().filter(|other| *other != own).cloned().collect()],
    }
}

/// A version of Python as people give it: 3.12 is 3.12.0.
fn short(python: &Version) -> String {
    let text = python.to_string();
    let minor = text.strip_suffix(".0").filter(|minor| minor.contains('.'));
    minor.map(str::to_owned).unwrap_or(text)
}

/// Other versions of Python 3: those above, nearest first, then those below.
fn other_pythons(own: &Version) -> Vec<Version> {
    let Some(&own) = own.release().get(1) else { return Vec::new() };
    let above = (own + 1).max(OLDEST_MINOR)..=NEWEST_MINOR;
    let below = OLDEST_MINOR..own.min(NEWEST_MINOR + 1);
    above.chain(below.rev()).map(|minor| Version::new([3, minor])).collect()
}

/// The usual platforms of other systems, each by the name that it is given by.
fn other_platforms(own: &(Version, Platform)) -> Vec<(String, Platform)> {
    let system =
        |platform: &Platform| Target::declared(&own.0, platform).marker_values().sys_platform.clone();
    let usual = ["linux", "macos", "windows"].into_iter();
    let usual = usual.filter_map(|name| Some((name.to_owned(), name.parse::<Platform>().ok()?)));
    usual.filter(|(_, other)| system(other) != system(&own.1)).collect()
}

/// Policies that bar less, apart from later days: for the problem of `known` and those of the `others`.
pub(super) fn of_policy(known: &SolverIndex, others: &[Arc<Problem>]) -> Vec<Alternative> {
    let policy = &known.problem.policy;
    let mut all = Vec::new();
    let mut add = |flag: &str, value: &str, change: fn(&mut Policy)| {
        all.push(under(known, others, flag, value, &change));
    };
    if matches!(policy.prerelease, PrereleaseMode::Disallow | PrereleaseMode::Explicit) {
        let freer = PrereleaseMode::IfNecessary.to_string();
        add("--prerelease", &freer, |policy| policy.prerelease = PrereleaseMode::IfNecessary);
    }
    if policy.only_binary != PackageSet::None {
        add("--only-binary", ":none:", |policy| policy.only_binary = PackageSet::None);
    }
    if policy.no_binary != PackageSet::None {
        add("--no-binary", ":none:", |policy| policy.no_binary = PackageSet::None);
    }
    all
}

/// `--exclude-newer` of this day, to its end.
pub(super) fn to_the_end_of(day: Date, known: &SolverIndex, others: &[Arc<Problem>]) -> Alternative {
    let end = day.checked_add(1.day()).and_then(|next| Offset::UTC.to_timestamp(next.into()));
    under(known, others, "--exclude-newer", &day.to_string(), &|policy| {
        policy.exclude_newer = end.clone().ok().or(policy.exclude_newer);
    })
}

/// The days on which releases were uploaded that are too new, of all packages met, ascending.
pub(super) fn later_days(known: &SolverIndex) -> Vec<Date> {
    let day = |at: Timestamp| Offset::UTC.to_datetime(at).date();
    let mut days = BTreeSet::new();
    for candidates in known.all_loaded_candidates() {
        days.extend(candidates.excluded.iter().filter_map(|(_, reason)| match reason {
            ExclusionReason::TooNew(at) => Some(day(*at)),
            _ => None,
        }));
    }
    days.into_iter().collect()
}

fn under(
    known: &SolverIndex,
    others: &[Arc<Problem>],
    flag: &str,
    value: &str,
    change: &dyn Fn(&mut Policy),
) -> Alternative {
    let changed = |problem: &Arc<Problem>| {
        let mut problem = Problem::clone(problem);
        change(&mut problem.policy);
        Arc::new(problem)
    };
    Alternative {
        option: OptionValue { flag: flag.to_owned(), values: vec![value.to_owned()] },
        problems: std::iter::once(&known.problem).chain(others).map(changed).collect(),
    }
}

impl fmt::Display for OptionValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let given: Vec<String> = self.values.iter().map(|value| format!("{} {value}", self.flag)).collect();
        f.write_str(&given.join(" "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use pinfast_inputs::Inputs;
    use pinfast_solve::Preferences;

    fn target(python: &str, platform: &str) -> Target {
        Target::declared(&python.parse().unwrap(), &platform.parse().unwrap())
    }

    fn told(targets: &[Target]) -> Vec<String> {
        let pose = |target: &Target| {
            let (policy, preferences) = (Policy::default(), Preferences::default());
            Arc::new(Problem::new(&Inputs::default(), target.clone(), policy, preferences))
        };
        let alternatives = of_targets(targets, &targets[0], pose);
        alternatives.iter().map(|other| format!("{} ({})", other.option, other.problems.len())).collect()
    }

    #[test]
    fn a_single_target_has_neighbours() {
        let told = told(&[target("3.12", "linux")]);
        assert_eq!(told[0], "--python-version 3.13 (1)");
        assert!(told.contains(&"--python-version 3.9 (1)".to_owned()), "{told:?}");
        assert!(told.ends_with(&["--platform macos (1)".to_owned(), "--platform windows (1)".to_owned()]));
    }

    #[test]
    fn one_of_several_targets_is_left_out() {
        let one = [target("3.11", "linux"), target("3.12", "linux"), target("3.13", "linux")];
        assert_eq!(told(&one)[0], "--python-version 3.12 --python-version 3.13 (2)");
        assert_eq!(told(&one)[1], "--platform macos (3)");
        let grid = ["3.11", "3.12"].map(|python| ["linux", "windows"].map(|os| target(python, os))).concat();
        assert_eq!(told(&grid), ["--python-version 3.12 (2)", "--platform win_amd64 (2)"]);
        assert_eq!(told(&grid[..3]), Vec::<String>::new());
    }
}
