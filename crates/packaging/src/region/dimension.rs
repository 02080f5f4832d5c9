//! The dimensions of the space besides the PythonRelease version, and the values on them.

use super::{bit, bits_below};
use crate::Version;
use crate::marker::{Key, Relation, Test};

/// How many dimensions there are.
pub(super) const DIMENSIONS: usize = 6;
/// Which dimension is which.
pub(super) const SYSTEM: usize = 0;
pub(super) const MACHINE: usize = 1;
pub(super) const IMPLEMENTATION: usize = 2;

/// The value that stands for any that was not named.
pub(super) const OTHER: usize = 0;
/// An dimension has no more values; what hostile metadata names beyond is part of "any other".
pub(super) const MAX_VALUES: usize = 128;

/// One dimension.
#[derive(Clone, Debug)]
pub(super) struct Dimension {
    keys: &'static [Key],
    pub(super) values: Vec<Value>,
    /// The tests met, on an dimension whose values nothing tells apart but the tests themselves.
    pub(super) tests: Vec<Test>,
}

/// One value of an dimension.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Value {
    /// What each of the dimension's markers says, in the order of its keys.
    texts: Vec<String>,
    /// Which of its markers tells it from all others, by its place among the keys.
    distinguishing_key: Option<usize>,
}

const SYSTEM_KEYS: &[Key] = &[Key::SysPlatform, Key::PlatformSystem, Key::OsName];
const IMPLEMENTATION_KEYS: &[Key] = &[Key::PlatformPythonImplementation, Key::ImplementationName];

/// `sys_platform`, `platform_system`, `os_name`, and which of them is the one to be told by.
const SYSTEMS: [(&str, &str, &str, usize); 4] = [
    ("other", "Other", "posix", usize::MAX),
    ("linux", "Linux", "posix", 0),
    ("darwin", "Darwin", "posix", 0),
    ("win32", "Windows", "nt", 0),
];

/// Those that are there only where a marker names them.
const FURTHER_SYSTEMS: [(&str, &str, &str, usize); 11] = [
    ("cygwin", "CYGWIN_NT-10.0", "posix", 0),
    ("android", "Android", "posix", 0),
    ("ios", "iOS", "posix", 0),
    ("emscripten", "Emscripten", "posix", 0),
    ("wasi", "WASI", "posix", 0),
    ("aix", "AIX", "posix", 0),
    ("freebsd14", "FreeBSD", "posix", 1),
    ("openbsd7", "OpenBSD", "posix", 1),
    ("netbsd10", "NetBSD", "posix", 1),
    ("sunos5", "SunOS", "posix", 1),
    ("java", "Java", "java", 1),
];

/// `platform_python_implementation`, `implementation_name`.
const IMPLEMENTATIONS: [(&str, &str, usize); 3] =
    [("Other", "other", usize::MAX), ("CPython", "cpython", 0), ("PyPy", "pypy", 0)];

const FURTHER_IMPLEMENTATIONS: [(&str, &str, usize); 3] =
    [("GraalVM", "graalpy", 0), ("Jython", "jython", 0), ("IronPython", "ironpython", 0)];

const MACHINES: [&str; 7] = ["other", "x86_64", "aarch64", "arm64", "AMD64", "ARM64", "x86"];

/// What no environment says: Pythons before 3.3 told the kernel's version in `sys_platform`, and the name
/// of an implementation is in lower case (PEP 421).
fn is_impossible(key: Key, word: &str) -> bool {
    match key {
        Key::SysPlatform => ["linux2", "linux3"].contains(&word),
        Key::ImplementationName => word.contains(|c: char| c.is_ascii_uppercase()),
        _ => false,
    }
}

/// All dimensions, with what is known before any marker is met.
pub(super) fn all() -> [Dimension; DIMENSIONS] {
    let dimension = |keys, values| Dimension { keys, values, tests: Vec::new() };
    let free = |keys| dimension(keys, vec![Value { texts: vec![String::new()], distinguishing_key: None }]);
    [
        dimension(SYSTEM_KEYS, SYSTEMS.iter().map(system).collect()),
        dimension(&[Key::PlatformMachine], MACHINES.iter().enumerate().map(machine).collect()),
        dimension(IMPLEMENTATION_KEYS, IMPLEMENTATIONS.iter().map(implementation).collect()),
        free(&[Key::ImplementationVersion]),
        free(&[Key::PlatformRelease]),
        free(&[Key::PlatformVersion]),
    ]
}

fn system((sys, system, os, distinguishing_key): &(&str, &str, &str, usize)) -> Value {
    Value::new(&[sys, system, os], *distinguishing_key)
}

fn machine((place, name): (usize, &&str)) -> Value {
    Value::new(&[name], if place == OTHER { usize::MAX } else { 0 })
}

fn implementation((platform, name, distinguishing_key): &(&str, &str, usize)) -> Value {
    Value::new(&[platform, name], *distinguishing_key)
}

impl Value {
    fn new(texts: &[&str], distinguishing_key: usize) -> Self {
        let distinguishing_key = (distinguishing_key < texts.len()).then_some(distinguishing_key);
        Self { texts: texts.iter().map(|text| (*text).to_owned()).collect(), distinguishing_key }
    }
}

impl Dimension {
    /// The set of all its values.
    pub(super) fn all_bits(&self) -> u128 {
        bits_below(self.values.len())
    }

    /// What the marker `key`, one of its own, says at `value`.
    pub(super) fn text(&self, value: usize, key: Key) -> &str {
        self.keys.iter().position(|own| *own == key).map_or("", |place| &self.values[value].texts[place])
    }

    /// What it says of a value in the first of its markers.
    pub(super) fn name(&self, value: usize) -> &str {
        &self.values[value].texts[0]
    }

    /// The marker that tells a value from all others, and what it says.
    pub(super) fn distinguishing(&self, value: usize) -> Option<(Key, &str)> {
        let value = &self.values[value];
        value.distinguishing_key.map(|place| (self.keys[place], value.texts[place].as_str()))
    }

    /// Whether its values are told apart by the tests met alone.
    pub(super) fn is_free(&self) -> bool {
        self.values[OTHER].texts[0].is_empty()
    }

    /// Whether `key` is one of its own.
    pub(super) fn owns(&self, key: Key) -> bool {
        self.keys.contains(&key)
    }

    /// The values for which `test` holds; `None` for a test of another dimension.
    pub(super) fn matching(&self, test: &Test) -> Option<u128> {
        let (Test::Version(key, _) | Test::Text { key, .. }) = test else { return None };
        if !self.owns(*key) {
            return None;
        }
        let holds = |value: &usize| holds(test, self.text(*value, *key));
        Some((0..self.values.len()).filter(holds).fold(0, |bits, value| bits | bit(value)))
    }

    /// Takes in the values that `test` names.
    pub(super) fn add_values_of(&mut self, test: &Test) {
        match test {
            Test::Text { key, relation, text, .. } if self.owns(*key) => {
                if self.is_free() {
                    self.add_free_values(test, &free_values(*relation, text));
                } else {
                    words(*relation, text)
                        .into_iter()
                        .for_each(|word| self.name_value(*key, *relation, word));
                }
            }
            Test::Version(key, specifiers) if self.owns(*key) => {
                let bounds = specifiers.to_string();
                let versions: Vec<_> = words(Relation::In, &bounds)
                    .into_iter()
                    .map(|word| word.trim_end_matches(".*"))
                    .filter(|word| word.parse::<Version>().is_ok())
                    .flat_map(|version| ["0".to_owned(), version.to_owned(), format!("{version}.1")])
                    .collect();
                self.add_free_values(test, &versions);
            }
            _ => {}
        }
    }

    fn add_free_values(&mut self, test: &Test, texts: &[String]) {
        if self.tests.contains(test) {
            return;
        }
        self.tests.push(test.clone());
        for text in texts {
            self.add(Value { texts: vec![text.clone()], distinguishing_key: None });
        }
        let joined = self.values.iter().map(|value| value.texts[0].as_str()).collect::<Vec<_>>().join(" ");
        self.add(Value { texts: vec![joined], distinguishing_key: None });
    }

    /// Sees to it that a value of which `key` says `word` (or, for `Contains`, something with it) is there.
    fn name_value(&mut self, key: Key, relation: Relation, word: &str) {
        let Some(place) = self.keys.iter().position(|own| *own == key) else { return };
        let fits = |value: &Value| match relation {
            Relation::Contains => value.texts[place].contains(word),
            Relation::Equal | Relation::In => value.texts[place] == word,
        };
        if word.is_empty() || is_impossible(key, word) || self.values.iter().any(&fits) {
            return;
        }
        let further: Vec<_> = self.further().into_iter().filter(|value| fits(value)).collect();
        if further.is_empty() {
            let mut value = self.values[OTHER].clone();
            word.clone_into(&mut value.texts[place]);
            value.distinguishing_key = Some(place);
            self.add(value);
        }
        further.into_iter().for_each(|value| self.add(value));
    }

    fn add(&mut self, value: Value) {
        if self.values.len() < MAX_VALUES && !self.values.contains(&value) {
            self.values.push(value);
        }
    }

    fn further(&self) -> Vec<Value> {
        match self.keys[0] {
            Key::SysPlatform => FURTHER_SYSTEMS.iter().map(system).collect(),
            Key::PlatformPythonImplementation => FURTHER_IMPLEMENTATIONS.iter().map(implementation).collect(),
            _ => Vec::new(),
        }
    }
}

fn holds(test: &Test, value: &str) -> bool {
    match test {
        Test::Version(_, specifiers) => {
            value.parse::<Version>().is_ok_and(|version| specifiers.contains(&version))
        }
        Test::Text { relation, text, wanted, .. } => relation.holds(value, text) == *wanted,
        Test::Extra { .. } | Test::Never => false,
    }
}

/// The values that a text speaks of.
fn words(relation: Relation, text: &str) -> Vec<&str> {
    match relation {
        Relation::Equal | Relation::Contains => vec![text],
        Relation::In => text
            .split(|c: char| !c.is_ascii_alphanumeric() && !matches!(c, '.' | '_' | '-' | '*' | '+'))
            .filter(|word| !word.is_empty())
            .collect(),
    }
}

fn free_values(relation: Relation, text: &str) -> Vec<String> {
    words(relation, text).into_iter().chain([text]).map(str::to_owned).collect()
}
