//! The solver against brute force on random small universes.
//!
//! It finds a solution exactly when one exists, and what it finds is consistent, closed, and has nothing
//! unneeded in it; with several targets, so is what the merged lock's markers leave of it for each.

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
struct Rel {
    requires: Vec<String>,
    of_extra: Vec<String>,
    yanked: bool,
    too_new: bool,
}

/// Package -> version -> release.
type World = BTreeMap<&'static str, BTreeMap<&'static str, Rel>>;

fn requirement() -> impl Strategy<Value = String> {
    let bound = prop_oneof![
        3 => Just(String::new()),
        5 => (prop_oneof![Just("=="), Just(">="), Just("<"), Just("!="), Just("<=")], prop::sample::select(&VERSIONS[..]))
            .prop_map(|(operator, version)| format!("{operator}{version}")),
    ];
    (prop::sample::select(&NAMES[..]), prop::bool::weighted(0.25), bound)
        .prop_map(|(name, extra, bound)| format!("{name}{}{bound}", if extra { "[x]" } else { "" }))
}

fn release(yanks: f64) -> impl Strategy<Value = Rel> {
    let requires = prop::collection::vec(requirement(), 0..3);
    let of_extra = prop::collection::vec(requirement(), 0..2);
    (requires, of_extra, prop::bool::weighted(yanks), prop::bool::weighted(0.1))
        .prop_map(|(requires, of_extra, yanked, too_new)| Rel { requires, of_extra, yanked, too_new })
}

fn world(yanks: f64) -> impl Strategy<Value = World> {
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

/// A world whose requirements have markers.
fn marked_world() -> impl Strategy<Value = World> {
    let requires = || prop::collection::vec(marked_requirement(), 0..3);
    let release = (requires(), prop::bool::weighted(0.2)).prop_map(|(requires, too_new)| Rel {
        requires,
        of_extra: Vec::new(),
        yanked: false,
        too_new,
    });
    let releases = prop::collection::btree_map(prop::sample::select(&VERSIONS[..]), release, 1..5);
    prop::collection::btree_map(prop::sample::select(&NAMES[..]), releases, 2..6)
}

/// The world as `target` sees it: no markers, and nothing that does not count there.
fn seen_by(world: &World, target: &Target) -> World {
    let mut world = world.clone();
    for release in world.values_mut().flat_map(|releases| releases.values_mut()) {
        release.requires = holding(&release.requires, target);
        release.too_new &= *target.python() < "3.12".parse::<Version>().unwrap();
    }
    world
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

fn universe(world: &World) -> Universe {
    let mut text = String::new();
    for (name, releases) in world {
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
    world: &'w World,
    lines: &[String],
    chosen: &BTreeMap<&str, &'w str>,
) -> Option<BTreeSet<String>> {
    let mut queue: Vec<Requirement> = lines.iter().map(|line| line.parse().unwrap()).collect();
    let (mut seen, mut pinned, mut needed) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
    while let Some(requirement) = queue.pop() {
        let name = requirement.name.as_str();
        let (name, version) = chosen.get_key_value(name)?;
        let release = &world[name][version];
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
        |name: &String| world[name.as_str()][chosen[name.as_str()]].yanked && !pinned.contains(name.as_str());
    if needed.iter().any(yanked_unpinned) { None } else { Some(needed) }
}

fn solvable(world: &World, lines: &[String]) -> bool {
    let names: Vec<_> = world.keys().copied().collect();
    assignments(world, &names).iter().any(|chosen| needed(world, lines, chosen).is_some())
}

fn assignments<'w>(world: &'w World, names: &[&'w str]) -> Vec<BTreeMap<&'w str, &'w str>> {
    let Some((first, rest)) = names.split_first() else { return vec![BTreeMap::new()] };
    let rest = assignments(world, rest);
    let versions = world[first].keys().map(|version| Some(*version)).chain([None]);
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

fn solved(world: &World, lines: &[String]) -> Option<BTreeMap<String, String>> {
    solved_for(&targets()[0], &Arc::new(universe(world)), lines, &Preferences::default())
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
fn locked(world: &World, lines: &[String]) -> Result<Vec<Pin>, usize> {
    let universe = Arc::new(universe(world));
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

fn is_right(world: &World, lines: &[String], pins: &BTreeMap<String, String>) -> bool {
    let chosen = pins.iter().map(|(name, version)| (name.as_str(), version.as_str())).collect();
    needed(world, lines, &chosen) == Some(pins.keys().cloned().collect())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_solution_is_found_exactly_when_one_exists(world in world(0.0), lines in lines()) {
        match solved(&world, &lines) {
            Some(pins) => prop_assert!(is_right(&world, &lines, &pins), "{pins:?}"),
            None => prop_assert!(!solvable(&world, &lines)),
        }
    }

    #[test]
    fn a_solution_with_yanked_releases_pins_each_of_them(world in world(0.3), lines in lines()) {
        if let Some(pins) = solved(&world, &lines) {
            prop_assert!(is_right(&world, &lines, &pins), "{pins:?}");
        }
    }

    #[test]
    fn the_order_of_the_lines_changes_nothing(world in world(0.1), lines in lines()) {
        let backwards: Vec<_> = lines.iter().rev().cloned().collect();
        prop_assert_eq!(solved(&world, &lines), solved(&world, &backwards));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_a_lock_holds_for_a_target_is_a_solution_for_it(
        world in marked_world(),
        lines in prop::collection::vec(marked_requirement(), 1..4),
    ) {
        let targets = targets();
        let seen = |place: usize| (seen_by(&world, &targets[place]), holding(&lines, &targets[place]));
        match locked(&world, &lines) {
            Err(place) => {
                let (world, lines) = seen(place);
                prop_assert!(!solvable(&world, &lines), "{}", targets[place].label());
            }
            Ok(pins) => for (place, target) in targets.iter().enumerate() {
                let (world, lines) = seen(place);
                let slice: Vec<_> = pins.iter().filter(|pin| pin.marker.holds(target, &[])).collect();
                let chosen: BTreeMap<_, _> =
                    slice.iter().map(|pin| (pin.name.to_string(), pin.version.to_string())).collect();
                prop_assert_eq!(chosen.len(), slice.len(), "a package has two pins on {}", target.label());
                prop_assert!(is_right(&world, &lines, &chosen), "{}: {:?}", target.label(), chosen);
            },
        }
    }
}
