//! The universal lock of the example, checked without the solver: the recorded METADATA of its pins, walked in each
//! of many environments.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use pinfast::lock::Lock;
use pinfast::packaging::{MarkerValues, Requirement, SupportedTags, Target, Version};

use super::{lock_for, text};
use pinfast_testkit::server::Server;

#[test]
fn the_universal_lock_of_the_example_is_closed_in_every_environment() {
    let output = lock_for(&Server::of_recorded(), "requirements.in", &["--universal"]);
    assert!(output.status.success(), "{}", text(&output.stderr));
    let lock = Lock::parse(&text(&output.stdout), "requirements.txt").expect("a lock");
    assert!(lock.pins.iter().any(|pin| !pin.marker.is_always()));
    let wanted = std::fs::read_to_string(root().join("examples/marketing-bot/requirements.in"))
        .expect("the example's input");
    let wanted = wanted.lines().map(|line| line.split('#').next().unwrap_or_default().trim());
    let wanted: Vec<Requirement> =
        wanted.filter(|line| !line.is_empty()).map(|line| line.parse().expect("a requirement")).collect();
    let recorded: BTreeMap<_, _> = lock
        .pins
        .iter()
        .map(|pin| {
            let name = (pin.name.to_string(), pin.version.clone());
            let requires = requires(pin.name.as_str(), &pin.version);
            (name, requires)
        })
        .collect();
    for target in environments() {
        let pins = lock.pins.iter().filter(|pin| pin.marker.holds(&target, &[]));
        let mut slice = BTreeMap::new();
        for pin in pins {
            let other = slice.insert(pin.name.to_string(), pin.version.clone());
            assert_eq!(other, None, "two pins of {} in {}", pin.name, target.label());
        }
        let needed = needed(&wanted, &slice, &recorded, &target);
        assert_eq!(needed, slice.keys().cloned().collect(), "{}", target.label());
    }
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The closure of `wanted` in `target`; asserts that each pin satisfies each requirement.
fn needed(
    wanted: &[Requirement],
    slice: &BTreeMap<String, Version>,
    recorded: &BTreeMap<(String, Version), Vec<Requirement>>,
    target: &Target,
) -> BTreeSet<String> {
    let mut queue: Vec<&Requirement> = wanted.iter().filter(|r| r.marker.holds(target, &[])).collect();
    let (mut needed, mut seen) = (BTreeSet::new(), BTreeSet::new());
    while let Some(requirement) = queue.pop() {
        let name = requirement.name.to_string();
        let version = slice.get(&name).unwrap_or_else(|| panic!("{requirement} in {}", target.label()));
        assert!(requirement.specifiers().contains(version), "{requirement}: {version} in {}", target.label());
        let requires = &recorded[&(name.clone(), version.clone())];
        if seen.insert((name.clone(), None)) {
            queue.extend(requires.iter().filter(|r| r.marker.holds(target, &[])));
        }
        for extra in &requirement.extras {
            if seen.insert((name.clone(), Some(extra.clone()))) {
                let on = std::slice::from_ref(extra);
                queue.extend(requires.iter().filter(|r| r.marker.holds(target, on)));
            }
        }
        needed.insert(name);
    }
    needed
}

/// The `Requires-Dist` of a recorded METADATA file of the release.
fn requires(name: &str, version: &Version) -> Vec<Requirement> {
    let folder = root().join("testdata/index/files").join(name);
    let stem = format!("{}-{version}-", name.replace('-', "_"));
    let files = std::fs::read_dir(&folder).unwrap_or_else(|_| panic!("{name} was recorded"));
    let mut names: Vec<_> = files
        .map(|file| file.expect("a file").path())
        .filter(|path| {
            let file = path.file_name().map(|file| file.to_string_lossy().to_lowercase().replace('-', "_"));
            file.is_some_and(|file| file.starts_with(&stem.replace('-', "_")) && file.ends_with(".metadata"))
        })
        .collect();
    names.sort();
    let metadata = names.first().unwrap_or_else(|| panic!("{name} {version} was recorded"));
    let metadata = std::fs::read_to_string(metadata).expect("METADATA is text");
    let headers = metadata.split("\n\n").next().unwrap_or_default();
    let requires = headers.lines().filter_map(|line| line.strip_prefix("Requires-Dist: "));
    requires.map(|line| line.parse().expect("a requirement")).collect()
}

/// Pythons, systems, machines and implementations, all with all.
fn environments() -> Vec<Target> {
    let mut environments = Vec::new();
    for python in ["3.11.0", "3.11.2", "3.11.3", "3.11.9", "3.12.0", "3.13.5", "3.14.0", "3.15.1"] {
        for system in [
            ["linux", "Linux", "posix"],
            ["darwin", "Darwin", "posix"],
            ["win32", "Windows", "nt"],
            ["cygwin", "CYGWIN_NT-10.0-19045", "posix"],
            ["freebsd14", "FreeBSD", "posix"],
        ] {
            for machine in ["x86_64", "aarch64", "arm64", "AMD64", "ppc64le", "riscv64"] {
                for implementation in [["CPython", "cpython"], ["PyPy", "pypy"], ["GraalVM", "graalpy"]] {
                    environments.push(environment(python, system, machine, implementation));
                }
            }
        }
    }
    environments
}

fn environment(
    python: &str,
    [sys_platform, platform_system, os_name]: [&str; 3],
    machine: &str,
    [implementation, implementation_name]: [&str; 2],
) -> Target {
    let values = MarkerValues {
        implementation_name: implementation_name.to_owned(),
        implementation_version: python.to_owned(),
        os_name: os_name.to_owned(),
        platform_machine: machine.to_owned(),
        platform_python_implementation: implementation.to_owned(),
        platform_release: String::new(),
        platform_system: platform_system.to_owned(),
        platform_version: String::new(),
        python_full_version: python.to_owned(),
        python_version: python.rsplit_once('.').map_or(python, |(minor, _)| minor).to_owned(),
        sys_platform: sys_platform.to_owned(),
    };
    let label = format!("{implementation} {python} {sys_platform} {machine}");
    Target::new(&values, SupportedTags::default(), label).expect("a version")
}
