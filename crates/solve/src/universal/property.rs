//! Universal resolutions against brute force, on random small universes whose markers ask for the Python
//! version, the system, the machine and the implementation.
//!
//! In every environment of a grid that holds each case of each of these markers, the pins whose markers hold are
//! one consistent, closed solution with nothing unneeded; and where it is said that there is none, there is none.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::sync::{Arc, LazyLock};

use proptest::prelude::*;

use super::{UniversalError, UniversalProblem, UniversalResolution, solve_universal};
use crate::universe::Universe;
use crate::{Index, Policy, Preferences};
use pinfast_base::event::Unwatched;
use pinfast_inputs::{InputLine, Inputs};
use pinfast_packaging::{
    Location, Marker, MarkerValues, PackageName, Requirement, SupportedTags, Target, Version,
};

const NAMES: [&str; 4] = ["a", "b", "c", "d"];
const VERSIONS: [&str; 3] = ["1", "2", "3"];

const MARKERS: [&str; 18] = [
    "",
    "python_version < '3.12'",
    "python_version >= '3.13'",
    "python_version == '3.12'",
    "python_version in '3.11, 3.13'",
    "python_full_version <= '3.11.4'",
    "python_version >= '3.8' and python_version < '4'",
    "sys_platform == 'win32'",
    "sys_platform != 'darwin'",
    "os_name == 'nt'",
    "'linux' in sys_platform",
    "platform_system == 'FreeBSD' or platform_machine == 'aarch64'",
    "platform_machine in 'x86_64 AMD64'",
    "platform_python_implementation == 'CPython'",
    "implementation_name == 'pypy' and python_version < '3.13'",
    "sys_platform == 'linux' and os_name == 'nt'",
    "platform_release >= '6'",
    "sys_platform == 'linux' and (platform_machine == 'x86_64' or python_version > '3.12')",
];

const REQUIRES_PYTHON: [&str; 4] = ["", ">=3.12", ">=3.11.4", ">=3.13,<3.14"];

/// A release: what it requires, what its extra `x` adds, and its Requires-Python.
#[derive(Clone, Debug)]
struct GeneratedRelease {
    requires: Vec<(String, &'static str)>,
    of_extra: Vec<(String, &'static str)>,
    python: &'static str,
}

/// Package -> version -> release.
type GeneratedUniverse = BTreeMap<&'static str, BTreeMap<&'static str, GeneratedRelease>>;

fn requirement() -> impl Strategy<Value = (String, &'static str)> {
    let bound = prop_oneof![
        3 => Just(String::new()),
        4 => (prop_oneof![Just("=="), Just(">="), Just("<"), Just("!=")], prop::sample::select(&VERSIONS[..]))
            .prop_map(|(operator, version)| format!("{operator}{version}")),
    ];
    let marker = prop_oneof![1 => Just(""), 2 => prop::sample::select(&MARKERS[..])];
    (prop::sample::select(&NAMES[..]), prop::bool::weighted(0.2), bound, marker).prop_map(
        |(name, extra, bound, marker)| (format!("{name}{}{bound}", if extra { "[x]" } else { "" }), marker),
    )
}

fn release() -> impl Strategy<Value = GeneratedRelease> {
    let requires = prop::collection::vec(requirement(), 0..3);
    let of_extra = prop::collection::vec(requirement(), 0..2);
    let python = prop_oneof![3 => Just(""), 1 => prop::sample::select(&REQUIRES_PYTHON[..])];
    (requires, of_extra, python).prop_map(|(requires, of_extra, python)| GeneratedRelease {
        requires,
        of_extra,
        python,
    })
}

fn world() -> impl Strategy<Value = GeneratedUniverse> {
    let releases = prop::collection::btree_map(prop::sample::select(&VERSIONS[..]), release(), 1..4);
    prop::collection::btree_map(prop::sample::select(&NAMES[..]), releases, 3..5)
}

fn lines() -> impl Strategy<Value = Vec<(String, &'static str)>> {
    prop::collection::vec(requirement(), 1..4)
}

fn with_marker((text, marker): &(String, &'static str), and: &str) -> String {
    match (*marker, and) {
        ("", "") => text.clone(),
        ("", one) | (one, "") => format!("{text} ; {one}"),
        (marker, and) => format!("{text} ; ({marker}) and {and}"),
    }
}

fn universe(world: &GeneratedUniverse) -> Universe {
    let mut text = String::new();
    for (name, releases) in world {
        for (version, release) in releases {
            writeln!(text, "{name} {version}\n    extra: x").unwrap();
            for requirement in &release.requires {
                writeln!(text, "    {}", with_marker(requirement, "")).unwrap();
            }
            for requirement in &release.of_extra {
                writeln!(text, "    {}", with_marker(requirement, "extra == 'x'")).unwrap();
            }
            if !release.python.is_empty() {
                writeln!(text, "    requires-python: {}", release.python).unwrap();
            }
        }
    }
    Universe::parse(&text).unwrap()
}

/// Every environment in which the markers above can come to something else. A `platform_release` that is no
/// version is not among them: no marker says "neither below 6 nor above".
static GRID: LazyLock<Vec<Target>> = LazyLock::new(|| {
    let mut grid = Vec::new();
    for python in ["3.11.0", "3.11.4", "3.11.5", "3.12.7", "3.13.0", "3.14.2"] {
        for (sys_platform, platform_system, os_name, release) in [
            ("linux", "Linux", "posix", "6.1"),
            ("linux", "Linux", "posix", "5.10"),
            ("darwin", "Darwin", "posix", "24"),
            ("win32", "Windows", "nt", "11"),
            ("freebsd14", "FreeBSD", "posix", "14"),
            ("haiku1", "Haiku", "posix", "1"),
        ] {
            for machine in ["x86_64", "aarch64", "AMD64", "riscv64"] {
                for (implementation, name) in
                    [("CPython", "cpython"), ("PyPy", "pypy"), ("GraalVM", "graalpy")]
                {
                    let values = MarkerValues {
                        implementation_name: name.to_owned(),
                        implementation_version: python.to_owned(),
                        os_name: os_name.to_owned(),
                        platform_machine: machine.to_owned(),
                        platform_python_implementation: implementation.to_owned(),
                        platform_release: release.to_owned(),
                        platform_system: platform_system.to_owned(),
                        platform_version: String::new(),
                        python_full_version: python.to_owned(),
                        python_version: python.rsplit_once('.').unwrap().0.to_owned(),
                        sys_platform: sys_platform.to_owned(),
                    };
                    let label = format!("{values:?}");
                    grid.push(Target::new(&values, SupportedTags::default(), label).unwrap());
                }
            }
        }
    }
    grid
});

/// A world, read once.
struct ParsedUniverse {
    releases: BTreeMap<String, BTreeMap<Version, ParsedRelease>>,
    lines: Vec<Requirement>,
}

struct ParsedRelease {
    requires: Vec<Requirement>,
    of_extra: Vec<Requirement>,
    python: pinfast_packaging::SpecifierSet,
}

impl ParsedUniverse {
    fn new(world: &GeneratedUniverse, lines: &[(String, &'static str)]) -> Self {
        let read = |requirements: &[(String, &'static str)]| {
            requirements.iter().map(|r| with_marker(r, "").parse().unwrap()).collect::<Vec<Requirement>>()
        };
        let of = |release: &GeneratedRelease| ParsedRelease {
            requires: read(&release.requires),
            of_extra: read(&release.of_extra),
            python: release.python.parse().unwrap_or_default(),
        };
        let releases = world.iter().map(|(name, releases)| {
            let releases = releases.iter().map(|(version, rel)| (version.parse().unwrap(), of(rel)));
            ((*name).to_owned(), releases.collect())
        });
        Self { releases: releases.collect(), lines: read(lines) }
    }

    /// The packages that `chosen` needs in `target`, or why it is no solution there.
    fn needed(
        &self,
        target: &Target,
        chosen: &BTreeMap<String, Version>,
    ) -> Result<BTreeSet<String>, String> {
        let holds = |r: &&Requirement| r.marker.holds(target, &[]);
        let mut queue: Vec<&Requirement> = self.lines.iter().filter(holds).collect();
        let (mut seen, mut needed) = (BTreeSet::new(), BTreeSet::new());
        while let Some(requirement) = queue.pop() {
            let name = requirement.name.as_str();
            let version = chosen.get(name).ok_or_else(|| format!("{requirement} is not there"))?;
            let release = &self.releases[name][version];
            if !requirement.specifiers().contains(version) {
                return Err(format!("{requirement} is not kept by {version}"));
            }
            if !release.python.lower_bounds_contain(target.python()) {
                return Err(format!("{name} {version} needs Python {}", release.python));
            }
            needed.insert(name.to_owned());
            if seen.insert((name, false)) {
                queue.extend(release.requires.iter().filter(holds));
            }
            if !requirement.extras.is_empty() && seen.insert((name, true)) {
                queue.extend(release.of_extra.iter().filter(holds));
            }
        }
        Ok(needed)
    }

    fn is_solvable(&self, target: &Target) -> bool {
        let mut assignments = vec![BTreeMap::new()];
        for (name, releases) in &self.releases {
            let with = |assignment: &BTreeMap<String, Version>, version: &Version| {
                let mut assignment = assignment.clone();
                assignment.insert(name.clone(), version.clone());
                assignment
            };
            let more = assignments.iter().flat_map(|a| releases.keys().map(|version| with(a, version)));
            assignments = more.collect();
        }
        assignments.iter().any(|chosen| self.needed(target, chosen).is_ok())
    }
}

fn solved(
    world: &GeneratedUniverse,
    lines: &[(String, &'static str)],
) -> Result<UniversalResolution, Marker> {
    let requirements = (1..).zip(lines).map(|(number, line)| {
        let text = with_marker(line, "");
        InputLine {
            requirement: text.parse().unwrap(),
            text: text.into(),
            at: Location::new("requirements.in", number, 1),
            hashes: Vec::new(),
        }
    });
    let inputs = Inputs { requirements: requirements.collect(), ..Inputs::default() };
    let problem = UniversalProblem {
        inputs: &inputs,
        policy: &Policy::default(),
        preferences: &Preferences::default(),
        python: &"3.11".parse().unwrap(),
    };
    let index: Arc<dyn Index> = Arc::new(universe(world));
    match solve_universal(&problem, &index, &Unwatched) {
        Ok(universal) => Ok(universal),
        Err(UniversalError::NoSolution { regions, .. }) => Err(regions),
        Err(UniversalError::Fatal(error)) => panic!("{error}"),
    }
}

/// Each pin with its marker.
fn merged(universal: &UniversalResolution) -> Vec<(PackageName, Version, Marker)> {
    let mut places: BTreeMap<(PackageName, Version), Vec<usize>> = BTreeMap::new();
    for (place, (_, resolution)) in universal.answers.iter().enumerate() {
        for (name, pin) in &resolution.pins {
            places.entry((name.clone(), pin.candidate.version.clone())).or_default().push(place);
        }
    }
    let marked = |((name, version), places): ((PackageName, Version), Vec<usize>)| {
        // As it will be read back.
        let marker = universal.marker(&places).to_string();
        (name, version, if marker.is_empty() { Marker::default() } else { marker.parse().unwrap() })
    };
    places.into_iter().map(marked).collect()
}

fn check_slice(
    read: &ParsedUniverse,
    pins: &[(PackageName, Version, Marker)],
    target: &Target,
) -> Result<(), TestCaseError> {
    let mut slice = BTreeMap::new();
    for (name, version, _) in pins.iter().filter(|(_, _, marker)| marker.holds(target, &[])) {
        let other = slice.insert(name.to_string(), version.clone());
        prop_assert_eq!(other, None, "two pins of {} in {}: {:?}", name, target.label(), pins);
    }
    let needed = read.needed(target, &slice);
    let own = slice.keys().cloned().collect();
    prop_assert_eq!(needed, Ok(own), "in {}: {:?}", target.label(), pins);
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: ProptestConfig::default().cases / 4, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_pins_of_each_environment_are_a_solution_for_it(world in world(), lines in lines()) {
        let read = ParsedUniverse::new(&world, &lines);
        match solved(&world, &lines) {
            Ok(universal) => {
                let pins = merged(&universal);
                for target in GRID.iter() {
                    if universal.left_out.holds(target, &[]) {
                        prop_assert!(!read.is_solvable(target), "left out: {}", target.label());
                    } else {
                        check_slice(&read, &pins, target)?;
                    }
                }
            }
            Err(regions) => {
                let mut failing = GRID.iter().filter(|target| regions.holds(target, &[])).peekable();
                prop_assert!(failing.peek().is_some(), "nowhere: {}", regions);
                for target in failing.step_by(7) {
                    prop_assert!(!read.is_solvable(target), "{regions} in {}", target.label());
                }
            }
        }
    }
}
