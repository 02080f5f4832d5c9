//! An interpreter's facts -> the wheel tags that it supports, in order (PyPA "Platform compatibility tags"; the order is that
//! of `packaging.tags`).

use std::sync::Arc;

use super::{Platform, SupportedTags, Tag};

/// The facts of an interpreter that decide which wheels it supports.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct InterpreterFacts {
    /// The implementation.
    pub implementation: Implementation,
    /// The major and minor version of the language.
    pub python: (u32, u32),
    /// What it runs on.
    pub platform: Platform,
}

/// A Python implementation.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Implementation {
    /// The reference implementation.
    CPython {
        /// With or without the global interpreter lock.
        threading: Threading,
        /// Release or debug build.
        build: CPythonBuild,
    },
    /// PyPy; its ABI as its wheels spell it, such as `pypy310_pp73`.
    PyPy(String),
}

/// Whether a CPython has its global interpreter lock (PEP 703).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Threading {
    /// The usual build.
    #[default]
    Gil,
    /// `Py_GIL_DISABLED`, since 3.13; its ABI ends in `t`.
    Free,
}

/// The build configuration of a CPython.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum CPythonBuild {
    /// The usual build.
    #[default]
    Release,
    /// `Py_DEBUG`; its ABI ends in `d`, and since 3.8 it supports release wheels as well.
    Debug,
}

/// The wheel tags that an interpreter supports, the most specific first.
#[must_use]
pub fn supported_tags(facts: &InterpreterFacts) -> SupportedTags {
    let platforms: Vec<Arc<str>> = facts.platform.tags().into_iter().map(Arc::from).collect();
    let mut list = TagList { platforms, tags: Vec::new() };
    let (major, minor) = facts.python;
    let only_any = match &facts.implementation {
        Implementation::CPython { threading, build } => {
            list.cpython(facts.python, *threading, *build);
            format!("cp{major}{minor}")
        }
        Implementation::PyPy(abi) => {
            let python = format!("pp{major}{minor}");
            list.on_platforms(&python, abi);
            list.on_platforms(&python, "none");
            format!("pp{major}")
        }
    };
    let generic = generic_pythons(major, minor);
    for python in &generic {
        list.on_platforms(python, "none");
    }
    list.tags.push(Tag::new(&only_any, "none", "any"));
    list.tags.extend(generic.iter().map(|python| Tag::new(python, "none", "any")));
    SupportedTags::new(list.tags)
}

/// Collects tags in order.
struct TagList {
    platforms: Vec<Arc<str>>,
    tags: Vec<Tag>,
}

impl TagList {
    /// Adds `python`-`abi` on every platform.
    fn on_platforms(&mut self, python: &str, abi: &str) {
        let (python, abi): (Arc<str>, Arc<str>) = (python.into(), abi.into());
        self.tags.extend(self.platforms.iter().map(|platform| Tag {
            python: python.clone(),
            abi: abi.clone(),
            platform: platform.clone(),
        }));
    }

    /// Adds the tags of CPython alone: its own ABIs, then the stable ABI (PEP 384) of this and each earlier minor version
    /// from 3.2 on.
    fn cpython(&mut self, (major, minor): (u32, u32), threading: Threading, build: CPythonBuild) {
        let python = format!("cp{major}{minor}");
        for abi in cpython_abis((major, minor), threading, build) {
            self.on_platforms(&python, &abi);
        }
        let stable = match threading {
            Threading::Gil => "abi3",
            Threading::Free => "abi3t",
        };
        let has_stable = (major, minor) >= (3, 2);
        if has_stable {
            self.on_platforms(&python, stable);
        }
        self.on_platforms(&python, "none");
        if has_stable {
            for earlier in (2..minor).rev() {
                self.on_platforms(&format!("cp{major}{earlier}"), stable);
            }
        }
    }
}

/// The version-specific ABIs of a CPython, the most specific first.
fn cpython_abis((major, minor): (u32, u32), threading: Threading, build: CPythonBuild) -> Vec<String> {
    let base = format!("cp{major}{minor}{}", if threading == Threading::Free { "t" } else { "" });
    let pymalloc = if (major, minor) < (3, 8) { "m" } else { "" };
    match build {
        CPythonBuild::Release => vec![format!("{base}{pymalloc}")],
        CPythonBuild::Debug if pymalloc.is_empty() => vec![format!("{base}d"), base],
        CPythonBuild::Debug => vec![format!("{base}d{pymalloc}")],
    }
}

/// `py311`, `py3`, `py310`, …, `py30`
fn generic_pythons(major: u32, minor: u32) -> Vec<String> {
    let mut pythons = vec![format!("py{major}{minor}"), format!("py{major}")];
    pythons.extend((0..minor).rev().map(|earlier| format!("py{major}{earlier}")));
    pythons
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The interpreter that a line of the table names, such as `cp313t manylinux_2_17_x86_64`.
    fn facts(line: &str) -> InterpreterFacts {
        let (python, platform) = line.split_once(' ').unwrap();
        let number = |text: &str| -> (u32, u32) {
            let digits: String = text.chars().skip(1).take_while(char::is_ascii_digit).collect();
            (3, digits.parse().unwrap())
        };
        let (implementation, python) = if let Some(version) = python.strip_prefix("pypy") {
            (Implementation::PyPy(python.to_owned()), number(version))
        } else {
            let threading = if python.contains('t') { Threading::Free } else { Threading::Gil };
            let build = if python.ends_with('d') { CPythonBuild::Debug } else { CPythonBuild::Release };
            (Implementation::CPython { threading, build }, number(&python[2..]))
        };
        let platform = match platform {
            "manylinux_2_34_armv8l" => Platform::manylinux(2, 34, "armv8l"),
            known => known.parse().unwrap(),
        };
        InterpreterFacts { implementation, python, platform }
    }

    #[test]
    fn tags_are_in_the_order_of_packaging() {
        let table = include_str!("../../../testdata/spec/tags.txt");
        let mut lines = table.lines().filter(|line| !line.starts_with('#') && !line.is_empty());
        let mut environments = 0;
        while let Some(line) = lines.next() {
            let platforms: Vec<_> = lines.next().unwrap().split(' ').collect();
            let expected: Vec<String> = lines
                .next()
                .unwrap()
                .split(' ')
                .flat_map(|tag| match tag.strip_suffix('*') {
                    Some(start) => platforms.iter().map(|platform| format!("{start}{platform}")).collect(),
                    None => vec![tag.to_owned()],
                })
                .collect();
            let facts = facts(line);
            assert_eq!(facts.platform.tags(), platforms, "{line}");
            let tags: Vec<_> = supported_tags(&facts).iter().map(ToString::to_string).collect();
            assert_eq!(tags, expected, "{line}");
            environments += 1;
        }
        assert_eq!(environments, 14);
    }
}
