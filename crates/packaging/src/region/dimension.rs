//! The dimensions of the space besides the Python version, and their values.

use super::{bit, bits_below};
use crate::Version;
use crate::marker::{Comparison, MarkerVariable, TextRelation};

/// How many dimensions there are.
pub(super) const DIMENSIONS: usize = 6;
/// The dimensions by number.
pub(super) const SYSTEM: usize = 0;
pub(super) const MACHINE: usize = 1;
pub(super) const IMPLEMENTATION: usize = 2;

/// The value for any that no marker has named.
pub(super) const OTHER: usize = 0;
/// The most values of a dimension, as a set is one `u128`. Further values, of hostile metadata, count as "any other".
pub(super) const MAX_VALUES: usize = 128;

/// One dimension: marker variables that vary together, and their values.
#[derive(Clone, Debug)]
pub(super) struct Dimension {
    keys: &'static [MarkerVariable],
    pub(super) values: Vec<DimensionValue>,
    /// The comparisons added so far, for a free dimension: only they distinguish its values.
    pub(super) tests: Vec<Comparison>,
}

/// One value of a dimension.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct DimensionValue {
    /// The values of the dimension's variables, in their order.
    texts: Vec<String>,
    /// The number of the variable that distinguishes it from all other values; `None` for "any other".
    distinguishing_key: Option<usize>,
}

const SYSTEM_KEYS: &[MarkerVariable] =
    &[MarkerVariable::SysPlatform, MarkerVariable::PlatformSystem, MarkerVariable::OsName];
const IMPLEMENTATION_KEYS: &[MarkerVariable] =
    &[MarkerVariable::PlatformPythonImplementation, MarkerVariable::ImplementationName];

/// `sys_platform`, `platform_system`, `os_name`, and the number of the one that distinguishes the value.
const SYSTEMS: [(&str, &str, &str, usize); 4] = [
    ("other", "Other", "posix", usize::MAX),
    ("linux", "Linux", "posix", 0),
    ("darwin", "Darwin", "posix", 0),
    ("win32", "Windows", "nt", 0),
];

/// Systems that are values only if a marker names them.
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

/// `platform_python_implementation`, `implementation_name`, and the number of the one that distinguishes the value.
const IMPLEMENTATIONS: [(&str, &str, usize); 3] =
    [("Other", "other", usize::MAX), ("CPython", "cpython", 0), ("PyPy", "pypy", 0)];

const FURTHER_IMPLEMENTATIONS: [(&str, &str, usize); 3] =
    [("GraalVM", "graalpy", 0), ("Jython", "jython", 0), ("IronPython", "ironpython", 0)];

const MACHINES: [&str; 7] = ["other", "x86_64", "aarch64", "arm64", "AMD64", "ARM64", "x86"];

/// Whether no environment has this value. Only Pythons before 3.3 had the kernel's version in `sys_platform`, and
/// implementation names are lower case (PEP 421).
fn is_impossible(key: MarkerVariable, word: &str) -> bool {
    match key {
        MarkerVariable::SysPlatform => ["linux2", "linux3"].contains(&word),
        MarkerVariable::ImplementationName => word.contains(|c: char| c.is_ascii_uppercase()),
        _ => false,
    }
}

/// All dimensions with their initial values.
pub(super) fn all() -> [Dimension; DIMENSIONS] {
    let dimension = |keys, values| Dimension { keys, values, tests: Vec::new() };
    let free =
        |keys| dimension(keys, vec![DimensionValue { texts: vec![String::new()], distinguishing_key: None }]);
    [
        dimension(SYSTEM_KEYS, SYSTEMS.iter().map(system).collect()),
        dimension(&[MarkerVariable::PlatformMachine], MACHINES.iter().enumerate().map(machine).collect()),
        dimension(IMPLEMENTATION_KEYS, IMPLEMENTATIONS.iter().map(implementation).collect()),
        free(&[MarkerVariable::ImplementationVersion]),
        free(&[MarkerVariable::PlatformRelease]),
        free(&[MarkerVariable::PlatformVersion]),
    ]
}

fn system((sys, system, os, distinguishing_key): &(&str, &str, &str, usize)) -> DimensionValue {
    DimensionValue::new(&[sys, system, os], *distinguishing_key)
}

fn machine((place, name): (usize, &&str)) -> DimensionValue {
    DimensionValue::new(&[name], if place == OTHER { usize::MAX } else { 0 })
}

fn implementation((platform, name, distinguishing_key): &(&str, &str, usize)) -> DimensionValue {
    DimensionValue::new(&[platform, name], *distinguishing_key)
}

impl DimensionValue {
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

    /// The value of the variable `key` of this dimension at `value`.
    pub(super) fn text(&self, value: usize, key: MarkerVariable) -> &str {
        self.keys.iter().position(|own| *own == key).map_or("", |place| &self.values[value].texts[place])
    }

    /// The value of its first variable at `value`.
    pub(super) fn name(&self, value: usize) -> &str {
        &self.values[value].texts[0]
    }

    /// The variable that distinguishes `value` from all others, with its value.
    pub(super) fn distinguishing(&self, value: usize) -> Option<(MarkerVariable, &str)> {
        let value = &self.values[value];
        value.distinguishing_key.map(|place| (self.keys[place], value.texts[place].as_str()))
    }

    /// Whether only comparisons distinguish its values: the variable can have any text.
    pub(super) fn is_free(&self) -> bool {
        self.values[OTHER].texts[0].is_empty()
    }

    /// Whether `key` is a variable of this dimension.
    pub(super) fn owns(&self, key: MarkerVariable) -> bool {
        self.keys.contains(&key)
    }

    /// The values for which `test` holds; `None` for a comparison of another dimension.
    pub(super) fn matching(&self, test: &Comparison) -> Option<u128> {
        let (Comparison::Version(key, _) | Comparison::Text { key, .. }) = test else { return None };
        if !self.owns(*key) {
            return None;
        }
        let holds = |value: &usize| holds(test, self.text(*value, *key));
        Some((0..self.values.len()).filter(holds).fold(0, |bits, value| bits | bit(value)))
    }

    /// Adds the values that `test` names.
    pub(super) fn add_values_of(&mut self, test: &Comparison) {
        match test {
            Comparison::Text { key, relation, text, .. } if self.owns(*key) => {
                if self.is_free() {
                    self.add_free_values(test, &free_values(*relation, text));
                } else {
                    words(*relation, text)
                        .into_iter()
                        .for_each(|word| self.name_value(*key, *relation, word));
                }
            }
            Comparison::Version(key, specifiers) if self.owns(*key) => {
                let bounds = specifiers.to_string();
                let versions: Vec<_> = words(TextRelation::In, &bounds)
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

    fn add_free_values(&mut self, test: &Comparison, texts: &[String]) {
        if self.tests.contains(test) {
            return;
        }
        self.tests.push(test.clone());
        for text in texts {
            self.add(DimensionValue { texts: vec![text.clone()], distinguishing_key: None });
        }
        let joined = self.values.iter().map(|value| value.texts[0].as_str()).collect::<Vec<_>>().join(" ");
        self.add(DimensionValue { texts: vec![joined], distinguishing_key: None });
    }

    /// Adds a value whose variable `key` is `word` or, for `Contains`, contains it, unless there is one.
    fn name_value(&mut self, key: MarkerVariable, relation: TextRelation, word: &str) {
        let Some(place) = self.keys.iter().position(|own| *own == key) else { return };
        let fits = |value: &DimensionValue| match relation {
            TextRelation::Contains => value.texts[place].contains(word),
            TextRelation::Equal | TextRelation::In => value.texts[place] == word,
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

    fn add(&mut self, value: DimensionValue) {
        if self.values.len() < MAX_VALUES && !self.values.contains(&value) {
            self.values.push(value);
        }
    }

    fn further(&self) -> Vec<DimensionValue> {
        match self.keys[0] {
            MarkerVariable::SysPlatform => FURTHER_SYSTEMS.iter().map(system).collect(),
            MarkerVariable::PlatformPythonImplementation => {
                FURTHER_IMPLEMENTATIONS.iter().map(implementation).collect()
            }
            _ => Vec::new(),
        }
    }
}

fn holds(test: &Comparison, value: &str) -> bool {
    match test {
        Comparison::Version(_, specifiers) => {
            value.parse::<Version>().is_ok_and(|version| specifiers.contains(&version))
        }
        Comparison::Text { relation, text, wanted, .. } => relation.holds(value, text) == *wanted,
        Comparison::Extra { .. } | Comparison::Never => false,
    }
}

/// The values that a text names.
fn words(relation: TextRelation, text: &str) -> Vec<&str> {
    match relation {
        TextRelation::Equal | TextRelation::Contains => vec![text],
        TextRelation::In => text
            .split(|c: char| !c.is_ascii_alphanumeric() && !matches!(c, '.' | '_' | '-' | '*' | '+'))
            .filter(|word| !word.is_empty())
            .collect(),
    }
}

fn free_values(relation: TextRelation, text: &str) -> Vec<String> {
    words(relation, text).into_iter().chain([text]).map(str::to_owned).collect()
}
