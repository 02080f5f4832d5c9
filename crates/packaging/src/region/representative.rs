//! A region -> the target that represents it in a solve: marker values of one of its points, wheel tags of all its usual
//! environments.

use rustc_hash::FxHashMap;

use super::dimension::{self, IMPLEMENTATION, MACHINE, OTHER, SYSTEM};
use super::{Point, Region, Space, python};
use crate::interpreter::{CPythonBuild, Implementation, InterpreterFacts, Threading, supported_tags};
use crate::marker::MarkerVariable;
use crate::{MarkerValues, Platform, SupportedTags, Tag, Target};

/// The environments whose wheels count for a region.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum WheelScope {
    /// Its usual environments: CPython (PyPy in a region without CPython) on Linux with glibc or musl, macOS or Windows, on the
    /// usual machines. All environments, in a region without a usual one.
    Region,
    /// The usual environments of the whole space.
    Space,
}

/// The tags computed so far, by minor versions, platforms and implementation. A universal lock needs few and often.
#[derive(Clone, Debug, Default)]
pub(super) struct TagsCache(FxHashMap<(Vec<u64>, Vec<Platform>, UsualImplementation), SupportedTags>);

/// An implementation for which wheels are made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum UsualImplementation {
    CPython,
    PyPy,
}

/// The usual machines of each usual system, the most usual first.
const USUAL: [(&str, &[&str]); 3] = [
    ("linux", &["x86_64", "aarch64"]),
    ("darwin", &["arm64", "x86_64"]),
    ("win32", &["AMD64", "ARM64", "x86"]),
];

impl Space {
    /// The point that represents `region`: its newest Python and its most usual values.
    #[must_use]
    pub fn point(&self, region: &Region) -> Point {
        let mut values = [OTHER; dimension::DIMENSIONS];
        for (dimension, value) in values.iter_mut().enumerate() {
            let mut own = region.values[dimension].iter();
            *value = own.clone().find(|value| *value != OTHER).or_else(|| own.next()).unwrap_or(OTHER);
        }
        let machines = &self.dimensions[MACHINE];
        let usual = self
            .usual_machines(values[SYSTEM])
            .iter()
            .find_map(|name| region.values[MACHINE].iter().find(|machine| machines.name(*machine) == *name));
        values[MACHINE] = usual.unwrap_or(values[MACHINE]);
        Point { python: region.python.newest(), values }
    }

    /// The target that represents `region`: the marker values of `point`, one of its points, and the tags of the wheels in
    /// `scope`.
    #[must_use]
    pub fn representative(&mut self, region: &Region, point: &Point, scope: WheelScope) -> Target {
        let everywhere = self.tags(&self.whole());
        let tags = match scope {
            WheelScope::Region => self.tags(region),
            WheelScope::Space => everywhere.clone(),
        };
        Target::new(&self.marker_values(point), tags, self.describe(region))
            .expect("the numbers of a release are a version")
            .with_metadata_only_tags(everywhere)
    }

    /// The values of the marker variables at `point`.
    fn marker_values(&self, point: &Point) -> MarkerValues {
        let text = |key: MarkerVariable| {
            let mut dimensions = self.dimensions.iter().zip(point.values);
            let own = dimensions.find(|(dimension, _)| dimension.owns(key));
            own.map_or_else(String::new, |(dimension, value)| dimension.text(value, key).to_owned())
        };
        let full = python::version(point.python).to_string();
        let implementation_version = match text(MarkerVariable::ImplementationVersion) {
            free if free.is_empty() => full.clone(),
            named => named,
        };
        MarkerValues {
            implementation_name: text(MarkerVariable::ImplementationName),
            implementation_version,
            os_name: text(MarkerVariable::OsName),
            platform_machine: text(MarkerVariable::PlatformMachine),
            platform_python_implementation: text(MarkerVariable::PlatformPythonImplementation),
            platform_release: text(MarkerVariable::PlatformRelease),
            platform_system: text(MarkerVariable::PlatformSystem),
            platform_version: text(MarkerVariable::PlatformVersion),
            python_full_version: full,
            python_version: python::value(MarkerVariable::PythonVersion, point.python).to_string(),
            sys_platform: text(MarkerVariable::SysPlatform),
        }
    }

    /// Whether `region` has an environment for which wheels are commonly made.
    #[must_use]
    pub fn is_usual(&self, region: &Region) -> bool {
        let mut implementations = region.values[IMPLEMENTATION].iter();
        let known = |value| ["CPython", "PyPy"].contains(&self.dimensions[IMPLEMENTATION].name(value));
        implementations.any(known) && !self.platforms(region).is_empty()
    }

    fn usual_machines(&self, system: usize) -> &'static [&'static str] {
        let name = self.dimensions[SYSTEM].name(system);
        USUAL.iter().find(|(usual, _)| *usual == name).map_or(&[], |(_, machines)| machines)
    }

    fn tags(&mut self, region: &Region) -> SupportedTags {
        let mut minors = region.python.minors();
        if minors.is_empty() {
            minors = vec![python::NEWEST_MINOR];
        }
        let mut platforms = self.platforms(region);
        if platforms.is_empty() {
            platforms = self.platforms(&self.whole());
        }
        let interpreter = self.interpreter(region);
        let key = (minors, platforms, interpreter);
        if let Some(tags) = self.tags_cache.0.get(&key) {
            return tags.clone();
        }
        let tags = joint_tags(&key.0, &key.1, interpreter);
        self.tags_cache.0.insert(key, tags.clone());
        tags
    }

    fn interpreter(&self, region: &Region) -> UsualImplementation {
        let names: Vec<_> = region.values[IMPLEMENTATION]
            .iter()
            .map(|value| self.dimensions[IMPLEMENTATION].name(value))
            .collect();
        if names.contains(&"PyPy") && !names.contains(&"CPython") {
            UsualImplementation::PyPy
        } else {
            UsualImplementation::CPython
        }
    }

    /// The usual platforms of a region.
    fn platforms(&self, region: &Region) -> Vec<Platform> {
        let machines: Vec<_> =
            region.values[MACHINE].iter().map(|value| self.dimensions[MACHINE].name(value)).collect();
        let mut platforms = Vec::new();
        for system in region.values[SYSTEM].iter() {
            for machine in self.usual_machines(system).iter().filter(|name| machines.contains(name)) {
                platforms.extend(platforms_of(self.dimensions[SYSTEM].name(system), machine));
            }
        }
        platforms
    }
}

fn platforms_of(system: &str, machine: &str) -> Vec<Platform> {
    match system {
        "linux" => vec![Platform::manylinux(2, 40, machine), Platform::musllinux(1, 2, machine)],
        "darwin" => vec![Platform::macos(26, 0, machine)],
        _ if machine == "x86" => vec![Platform::windows("32")],
        _ => vec![Platform::windows(&machine.to_ascii_lowercase())],
    }
}

/// The tags that one of the interpreters supports on one of the platforms. The newest interpreter supports all that older ones
/// do, except for their own ABIs.
fn joint_tags(minors: &[u64], platforms: &[Platform], interpreter: UsualImplementation) -> SupportedTags {
    let mut tags: Vec<Tag> = Vec::new();
    for platform in platforms {
        let of_newest = minors.first().map(|minor| supported_tags(&facts(*minor, platform, interpreter)));
        tags.extend(of_newest.iter().flat_map(|tags| tags.iter().cloned()));
        let names = platform.tags();
        for minor in minors.iter().skip(1) {
            let (python, abi) = own_tags(*minor, interpreter);
            for abi in [&*abi, "none"] {
                tags.extend(names.iter().map(|name| Tag::new(&python, abi, name)));
            }
            tags.push(Tag::new(&python, "none", "any"));
        }
    }
    SupportedTags::new(tags)
}

fn facts(minor: u64, platform: &Platform, interpreter: UsualImplementation) -> InterpreterFacts {
    let implementation = match interpreter {
        UsualImplementation::CPython => {
            Implementation::CPython { threading: Threading::Gil, build: CPythonBuild::Release }
        }
        UsualImplementation::PyPy => Implementation::PyPy(own_tags(minor, interpreter).1),
    };
    let minor = u32::try_from(minor).unwrap_or(u32::MAX);
    InterpreterFacts { implementation, python: (3, minor), platform: platform.clone() }
}

/// The Python tag and the version-specific ABI tag of an interpreter.
fn own_tags(minor: u64, interpreter: UsualImplementation) -> (String, String) {
    match interpreter {
        UsualImplementation::CPython => {
            let abi_flag = if minor < 8 { "m" } else { "" };
            (format!("cp3{minor}"), format!("cp3{minor}{abi_flag}"))
        }
        UsualImplementation::PyPy => (format!("pp3{minor}"), format!("pypy3{minor}_pp73")),
    }
}
