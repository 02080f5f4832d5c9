//! A failed problem -> the same inputs under other options: another Python or platform, or a policy that excludes less.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use jiff::civil::Date;
use jiff::tz::Offset;
use jiff::{Timestamp, ToSpan as _};
use serde::{Deserialize, Serialize};

use pinfast_packaging::{NEWEST_MINOR, Platform, Target, Version};
use pinfast_solve::{ExclusionReason, PackageSet, Policy, PrereleaseMode, Problem, SolverIndex};

/// An option with all its values, such as `--platform linux --platform macos`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OptionValue {
    /// Its name, with the two hyphens.
    pub flag: String,
    /// Its values, at least one; the option is repeated for each.
    pub values: Vec<String>,
}

/// The same inputs under another option.
#[derive(Clone)]
pub struct Alternative {
    /// The option.
    pub option: OptionValue,
    /// The inputs under that option, a problem for each target: all must have a solution, and the first one's is shown.
    pub problems: Vec<Arc<Problem>>,
}

/// The oldest minor version of Python 3 that a project may move to.
const OLDEST_MINOR: u64 = 9;

/// Other targets than `targets`, where `failing` has no solution. Of several Pythons or platforms, those without its own; of
/// a single one, its neighbours, the most natural first. `pose` makes the problem of the inputs for a target.
pub fn target_alternatives(
    targets: &[Target],
    failing: &Target,
    pose: impl Fn(&Target) -> Arc<Problem>,
) -> Vec<Alternative> {
    let grid: Option<Vec<_>> = targets.iter().map(version_and_platform).collect();
    let (Some(grid), Some(own)) = (grid, version_and_platform(failing)) else { return Vec::new() };
    let (mut versions, mut platforms) = (Vec::new(), Vec::new());
    for (version, platform) in &grid {
        if !versions.contains(version) {
            versions.push(version.clone());
        }
        if !platforms.contains(platform) {
            platforms.push(platform.clone());
        }
    }
    if versions.len() * platforms.len() != grid.len() {
        // `--python-version` and `--platform` always give a full grid: none of their values means just these targets.
        return Vec::new();
    }
    let alternative = |flag: &str, values: Vec<String>, targets: Vec<Target>| Alternative {
        option: OptionValue { flag: flag.to_owned(), values },
        problems: targets.iter().map(&pose).collect(),
    };
    let pythons = without_own(&versions, &own.0, other_pythons(&own.0)).into_iter().map(|versions| {
        let values = versions.iter().map(short).collect();
        alternative("--python-version", values, cross(&versions, &platforms))
    });
    let named = |platform: &Platform| (platform.to_string(), platform.clone());
    let given: Vec<_> = platforms.iter().map(named).collect();
    let platforms = without_own(&given, &named(&own.1), other_platforms(&own)).into_iter().map(|platforms| {
        let (names, platforms): (Vec<_>, Vec<_>) = platforms.into_iter().unzip();
        alternative("--platform", names, cross(&versions, &platforms))
    });
    pythons.chain(platforms).collect()
}

/// The version and platform of a declared target of CPython; `None` for any other.
fn version_and_platform(target: &Target) -> Option<(Version, Platform)> {
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

/// `given` without `own`, where there are others; else each of `instead` alone.
fn without_own<T: Clone + PartialEq>(given: &[T], own: &T, instead: Vec<T>) -> Vec<Vec<T>> {
    match given.len() {
        1 => instead.into_iter().map(|other| vec![other]).collect(),
        _ => vec![given.iter().filter(|other| *other != own).cloned().collect()],
    }
}

/// A version of Python as people write it: `3.12` for 3.12.0.
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

/// Policies that exclude less, for the problem of `index` and the `others`. [`cutoff_alternative`] is the one for
/// `--exclude-newer`.
pub(super) fn policy_alternatives(index: &SolverIndex, others: &[Arc<Problem>]) -> Vec<Alternative> {
    let policy = &index.problem.policy;
    let mut all = Vec::new();
    let mut add = |flag: &str, value: &str, change: fn(&mut Policy)| {
        all.push(policy_alternative(index, others, flag, value, &change));
    };
    if matches!(policy.prerelease, PrereleaseMode::Disallow | PrereleaseMode::Explicit) {
        let allowing = PrereleaseMode::IfNecessary.to_string();
        add("--prerelease", &allowing, |policy| policy.prerelease = PrereleaseMode::IfNecessary);
    }
    if policy.only_binary != PackageSet::None {
        add("--only-binary", ":none:", |policy| policy.only_binary = PackageSet::None);
    }
    if policy.no_binary != PackageSet::None {
        add("--no-binary", ":none:", |policy| policy.no_binary = PackageSet::None);
    }
    all
}

/// `--exclude-newer` with this day, which includes the day itself.
pub(super) fn cutoff_alternative(day: Date, index: &SolverIndex, others: &[Arc<Problem>]) -> Alternative {
    let end = day.checked_add(1.day()).and_then(|next| Offset::UTC.to_timestamp(next.into()));
    policy_alternative(index, others, "--exclude-newer", &day.to_string(), &|policy| {
        policy.exclude_newer = end.clone().ok().or(policy.exclude_newer);
    })
}

/// The upload days of the releases that `--exclude-newer` excludes, of all loaded packages, ascending.
pub(super) fn excluded_upload_days(index: &SolverIndex) -> Vec<Date> {
    let day = |at: Timestamp| Offset::UTC.to_datetime(at).date();
    let mut days = BTreeSet::new();
    for candidates in index.all_loaded_candidates() {
        days.extend(candidates.excluded.iter().filter_map(|(_, reason)| match reason {
            ExclusionReason::TooNew(at) => Some(day(*at)),
            _ => None,
        }));
    }
    days.into_iter().collect()
}

fn policy_alternative(
    index: &SolverIndex,
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
        problems: std::iter::once(&index.problem).chain(others).map(changed).collect(),
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

    fn alternatives(targets: &[Target]) -> Vec<String> {
        let pose = |target: &Target| {
            let (policy, preferences) = (Policy::default(), Preferences::default());
            Arc::new(Problem::new(&Inputs::default(), target.clone(), policy, preferences))
        };
        let alternatives = target_alternatives(targets, &targets[0], pose);
        alternatives.iter().map(|other| format!("{} ({})", other.option, other.problems.len())).collect()
    }

    #[test]
    fn a_single_target_is_replaced_by_its_neighbours() {
        let options = alternatives(&[target("3.12", "linux")]);
        assert_eq!(options[0], "--python-version 3.13 (1)");
        assert!(options.contains(&"--python-version 3.9 (1)".to_owned()), "{options:?}");
        assert!(options.ends_with(&["--platform macos (1)".to_owned(), "--platform windows (1)".to_owned()]));
    }

    #[test]
    fn the_failing_one_of_several_targets_is_left_out() {
        let one = [target("3.11", "linux"), target("3.12", "linux"), target("3.13", "linux")];
        assert_eq!(alternatives(&one)[0], "--python-version 3.12 --python-version 3.13 (2)");
        assert_eq!(alternatives(&one)[1], "--platform macos (3)");
        let grid = ["3.11", "3.12"].map(|python| ["linux", "windows"].map(|os| target(python, os))).concat();
        assert_eq!(alternatives(&grid), ["--python-version 3.12 (2)", "--platform win_amd64 (2)"]);
        assert_eq!(alternatives(&grid[..3]), Vec::<String>::new());
    }
}
