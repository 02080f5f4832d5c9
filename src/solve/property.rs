//! The solver against brute force on random small universes.
//!
//! It finds a solution exactly when one exists, and what it finds is consistent, closed, and has nothing
//! unneeded in it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::sync::Arc;

use proptest::prelude::*;

use super::universe::Universe;
use super::{Failure, Policy, Preferences, Problem, solve};
use crate::event::Unwatched;
use crate::inputs::{InputLine, Inputs};
use crate::spec::{Location, Requirement, Target, Version};

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
    let requirements = (1..).zip(lines).map(|(number, text)| InputLine {
        requirement: text.parse().unwrap(),
        text: text.as_str().into(),
        at: Location::new("requirements.in", number, 1),
        hashes: Vec::new(),
    });
    let inputs = Inputs { requirements: requirements.collect(), ..Inputs::default() };
    let target = Target::declared(&"3.11".parse().unwrap(), &"linux".parse().unwrap());
    let problem = Problem::new(&inputs, target, Policy::default(), Preferences::default());
    match solve(Arc::new(problem), Arc::new(universe(world)), &Unwatched) {
        Ok(resolution) => Some(
            resolution
                .pins
                .iter()
                .map(|(name, pin)| (name.to_string(), pin.candidate.version.to_string()))
                .collect(),
        ),
        Err(Failure::NoSolution(_)) => None,
        Err(Failure::Trouble(error)) => panic!("{error}"),
    }
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
