//! The solver against brute force on random small universes.
//!
//! The solver finds a solution exactly when one exists. The solution is consistent and closed, and holds no package that
//! nothing needs. The same holds for the part of a merged lock that its markers select for each target.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::sync::Arc;

use proptest::prelude::*;

use pinfast::event::Unwatched;
use pinfast::inputs::{InputLine, Inputs};
use pinfast::lock::{self, Pin};
use pinfast::packaging::{Location, Requirement, Target, Version};
use pinfast::solve::universe::Universe;
use pinfast::solve::{Policy, Preferences, Problem, SolveError, solve};

const NAMES: [&str; 5] = ["a", "b", "c", "d", "e"];
const VERSIONS: [&str; 5] = ["1", "2b1", "2", "3", "4.dev1"];

/// A release: its requirements, those of its extra `x`, and whether it is yanked or needs a newer Python.
#[derive(Clone, Debug)]
struct ToyRelease {
    requires: Vec<String>,
    of_extra: Vec<String>,
    yanked: bool,
    too_new: bool,
}

/// Package -> version -> release.
type ToyIndex = BTreeMap<&'static str, BTreeMap<&'static str, ToyRelease>>;

fn requirement() -> impl Strategy<Value = String> {
    let bound = prop_oneof![
        3 => Just(String::new()),
        5 => (prop_oneof![Just("=="), Just(">="), Just("<"), Just("!="), Just("<=")], prop::sample::select(&VERSIONS[..]))
            .prop_map(|(operator, version)| format!("{operator}{version}")),
    ];
    (prop::sample::select(&NAMES[..]), prop::bool::weighted(0.25), bound)
        .prop_map(|(name, extra, bound)| format!("{name}{}{bound}", if extra { "[x]" } else { "" }))
}

fn release(yanks: f64) -> impl Strategy<Value = ToyRelease> {
    let requires = prop::collection::vec(requirement(), 0..3);
    let of_extra = prop::collection::vec(requirement(), 0..2);
    (requires, of_extra, prop::bool::weighted(yanks), prop::bool::weighted(0.1))
        .prop_map(|(requires, of_extra, yanked, too_new)| ToyRelease { requires, of_extra, yanked, too_new })
}

fn index(yanks: f64) -> impl Strategy<Value = ToyIndex> {
    let releases = prop::collection::btree_map(prop::sample::select(&VERSIONS[..]), release(yanks), 0..5);
    prop::collection::btree_map(prop::sample::select(&NAMES[..]), releases, 2..6)
}

/// Markers that tell the targets of [`targets`] apart, each in its own way.
const MARKERS: [&str; 6] = [
    "python_version >= '3.12'",
    "python_version < '3.12'",
    "sys_platform == 'win32'",
    "sys_platform != 'win32'",
    "python_version < '3.12' and sys_platform == 'win32'",
    "python_version < '3.12' or platform_machine == 'AMD64'",
];

fn targets() -> Vec<Target> {
    let target =
        |python: &str, platform: &str| Target::declared(&python.parse().unwrap(), &platform.parse().unwrap());
    vec![
        target("3.11", "linux"),
        target("3.12", "linux"),
        target("3.11", "windows"),
        target("3.12", "windows"),
    ]
}

/// A requirement that not every target has.
fn marked_requirement() -> impl Strategy<Value = String> {
    (requirement(), prop::option::of(prop::sample::select(&MARKERS[..]))).prop_map(|(text, marker)| {
        match marker {
            Some(marker) => format!("{text} ; {marker}"),
            None => text,
        }
    })
}

/// An index whose requirements have markers.
fn marked_index() -> impl Strategy<Value = ToyIndex> {
    let requires = || prop::collection::vec(marked_requirement(), 0..3);
    let release = (requires(), prop::bool::weighted(0.2)).prop_map(|(requires, too_new)| ToyRelease {
        requires,
        of_extra: Vec::new(),
        yanked: false,
        too_new,
    });
    let releases = prop::collection::btree_map(prop::sample::select(&VERSIONS[..]), release, 1..5);
    prop::collection::btree_map(prop::sample::select(&NAMES[..]), releases, 2..6)
}

/// The index for `target`: without markers, and without what they exclude there.
fn seen_by(index: &ToyIndex, target: &Target) -> ToyIndex {
    let mut index = index.clone();
    for release in index.values_mut().flat_map(|releases| releases.values_mut()) {
        release.requires = holding(&release.requires, target);
        release.too_new &= *target.python() < "3.12".parse::<Version>().unwrap();
    }
    index
}

/// The requirements that hold on `target`, without their markers.
fn holding(lines: &[String], target: &Target) -> Vec<String> {
    let parsed = lines.iter().map(|line| line.parse::<Requirement>().unwrap());
    let holding = parsed.filter(|requirement| requirement.applies(target, &[]));
    holding.map(|requirement| Requirement { marker: Default::default(), ..requirement }.to_string()).collect()
}

fn lines() -> impl Strategy<Value = Vec<String>> {
    prop::collection::vec(requirement(), 1..4)
}

fn universe(index: &ToyIndex) -> Universe {
    let mut text = String::new();
    for (name, releases) in index {
        for (version, release) in releases {
            writeln!(text, "{name} {version}\n    extra: x").unwrap();
            for requirement in &release.requires {
                writeln!(text, "    {requirement}").unwrap();
            }
            for requirement in &release.of_extra {
                writeln!(text, "    {requirement} ; extra == 'x'").unwrap();
            }
            if release.yanked {
                writeln!(text, "    yanked: broken").unwrap();
            }
            if release.too_new {
                writeln!(text, "    requires-python: >=3.12").unwrap();
            }
        }
    }
    Universe::parse(&text).unwrap()
}

/// The packages that an assignment needs, or `None` where it breaks a rule.
fn needed<'w>(
    index: &'w ToyIndex,
    lines: &[String],
    chosen: &BTreeMap<&str, &'w str>,
) -> Option<BTreeSet<String>> {
    let mut queue: Vec<Requirement> = lines.iter().map(|line| line.parse().unwrap()).collect();
    let (mut seen, mut pinned, mut needed) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
    while let Some(requirement) = queue.pop() {
        let name = requirement.name.as_str();
        let (name, version) = chosen.get_key_value(name)?;
        let release = &index[name][version];
        let parsed: Version = version.parse().unwrap();
        if release.too_new || !requirement.specifiers().contains(&parsed) {
            return None;
        }
        needed.insert((*name).to_owned());
        if requirement.specifiers().pinned().is_some() {
            pinned.insert(*name);
        }
        if seen.insert((*name, false)) {
            queue.extend(release.requires.iter().map(|text| text.parse::<Requirement>().unwrap()));
        }
        if !requirement.extras.is_empty() && seen.insert((*name, true)) {
            queue.extend(release.of_extra.iter().map(|text| text.parse::<Requirement>().unwrap()));
        }
    }
    let yanked_unpinned =
        |name: &String| index[name.as_str()][chosen[name.as_str()]].yanked && !pinned.contains(name.as_str());
    if needed.iter().any(yanked_unpinned) { None } else { Some(needed) }
}

fn solvable(index: &ToyIndex, lines: &[String]) -> bool {
    let names: Vec<_> = index.keys().copied().collect();
    assignments(index, &names).iter().any(|chosen| needed(index, lines, chosen).is_some())
}

fn assignments<'w>(index: &'w ToyIndex, names: &[&'w str]) -> Vec<BTreeMap<&'w str, &'w str>> {
    let Some((first, rest)) = names.split_first() else { return vec![BTreeMap::new()] };
    let rest = assignments(index, rest);
    let versions = index[first].keys().map(|version| Some(*version)).chain([None]);
    versions
        .flat_map(|version| {
            rest.iter().map(move |assignment| {
                let mut assignment = assignment.clone();
                assignment.extend(version.map(|version| (*first, version)));
                assignment
            })
        })
        .collect()
}

fn solved(index: &ToyIndex, lines: &[String]) -> Option<BTreeMap<String, String>> {
    solved_for(&targets()[0], &Arc::new(universe(index)), lines, &Preferences::default())
}

fn solved_for(
    target: &Target,
    universe: &Arc<Universe>,
    lines: &[String],
    preferences: &Preferences,
) -> Option<BTreeMap<String, String>> {
    let requirements = (1..).zip(lines).map(|(number, text)| InputLine {
        requirement: text.parse().unwrap(),
        text: text.as_str().into(),
        at: Location::new("requirements.in", number, 1),
        hashes: Vec::new(),
    });
    let inputs = Inputs { requirements: requirements.collect(), ..Inputs::default() };
    let problem = Problem::new(&inputs, target.clone(), Policy::default(), preferences.clone());
    match solve(Arc::new(problem), universe.clone(), &Unwatched) {
        Ok(resolution) => Some(
            resolution
                .pins
                .iter()
                .map(|(name, pin)| (name.to_string(), pin.candidate.version.to_string()))
                .collect(),
        ),
        Err(SolveError::NoSolution(_)) => None,
        Err(SolveError::Fatal(error)) => panic!("{error}"),
    }
}

/// The pins of the merged lock of all targets, or the first target that has no solution.
fn locked(index: &ToyIndex, lines: &[String]) -> Result<Vec<Pin>, usize> {
    let universe = Arc::new(universe(index));
    let (mut preferences, mut pins) = (Preferences::default(), Vec::new());
    for (place, target) in targets().iter().enumerate() {
        let solved = solved_for(target, &universe, lines, &preferences).ok_or(place)?;
        let of_target = solved
            .iter()
            .map(|(name, version)| Pin::new(name.parse().unwrap(), version.parse().unwrap()))
            .collect::<Vec<_>>();
        of_target.iter().for_each(|pin| preferences.add(pin.name.clone(), pin.version.clone()));
        pins.push(of_target);
    }
    Ok(lock::merge(&targets(), pins))
}

fn is_right(index: &ToyIndex, lines: &[String], pins: &BTreeMap<String, String>) -> bool {
    let chosen = pins.iter().map(|(name, version)| (name.as_str(), version.as_str())).collect();
    needed(index, lines, &chosen) == Some(pins.keys().cloned().collect())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_solution_is_found_exactly_when_one_exists(index in index(0.0), lines in lines()) {
        match solved(&index, &lines) {
            Some(pins) => prop_assert!(is_right(&index, &lines, &pins), "{pins:?}"),
            None => prop_assert!(!solvable(&index, &lines)),
        }
    }

    #[test]
    fn a_solution_with_yanked_releases_pins_each_of_them(index in index(0.3), lines in lines()) {
        if let Some(pins) = solved(&index, &lines) {
            prop_assert!(is_right(&index, &lines, &pins), "{pins:?}");
        }
    }

    #[test]
    fn the_order_of_the_lines_changes_nothing(index in index(0.1), lines in lines()) {
        let backwards: Vec<_> = lines.iter().rev().cloned().collect();
        prop_assert_eq!(solved(&index, &lines), solved(&index, &backwards));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_pins_of_a_lock_for_a_target_are_a_solution(
        index in marked_index(),
        lines in prop::collection::vec(marked_requirement(), 1..4),
    ) {
        let targets = targets();
        let seen = |place: usize| (seen_by(&index, &targets[place]), holding(&lines, &targets[place]));
        match locked(&index, &lines) {
            Err(place) => {
                let (index, lines) = seen(place);
                prop_assert!(!solvable(&index, &lines), "{}", targets[place].label());
            }
            Ok(pins) => for (place, target) in targets.iter().enumerate() {
                let (index, lines) = seen(place);
                let slice: Vec<_> = pins.iter().filter(|pin| pin.marker.holds(target, &[])).collect();
                let chosen: BTreeMap<_, _> =
                    slice.iter().map(|pin| (pin.name.to_string(), pin.version.to_string())).collect();
                prop_assert_eq!(chosen.len(), slice.len(), "a package has two pins on {}", target.label());
                prop_assert!(is_right(&index, &lines, &chosen), "{}: {:?}", target.label(), chosen);
            },
        }
    }
}
