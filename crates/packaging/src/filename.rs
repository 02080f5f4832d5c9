//! File names of distributions -> name, version, build tag and tags (PyPA "Binary distribution format", section "File name
//! convention"; "Source distribution format", section "Source distribution file name").

use std::fmt;
use std::sync::Arc;

use super::{PackageName, TagSet, Version};

/// A longer file name is an error; the longest real ones have some 200 bytes.
const MAX_BYTES: usize = 1024;

/// The file name of a distribution, parsed.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum DistFilename {
    /// `NAME-VERSION(-BUILD)-PYTHON-ABI-PLATFORM.whl`
    Wheel(WheelFilename),
    /// `NAME-VERSION.tar.gz` or `.zip`
    Sdist {
        /// The project.
        name: PackageName,
        /// The release.
        version: Version,
        /// The archive format.
        format: SdistFormat,
    },
}

/// The archive format of a source distribution.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SdistFormat {
    /// `.tar.gz`
    TarGz,
    /// `.zip`
    Zip,
}

/// The file name of a wheel, parsed.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct WheelFilename {
    /// The project.
    pub name: PackageName,
    /// The release.
    pub version: Version,
    /// The build tag: its number, then the rest of it; an absent one sorts first.
    pub build: Option<(u64, Arc<str>)>,
    /// The compressed tag set.
    pub tags: TagSet,
}

/// A file name that is not a distribution's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DistFilenameError {
    /// The kind of fault.
    pub kind: DistFilenameErrorKind,
    /// What is wrong, as a sentence without a full stop.
    pub message: String,
}

/// Why a file name is not that of a distribution.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DistFilenameErrorKind {
    /// A format that is never used (`.egg`, `.exe`, `.rpm`, `.tar.bz2`, …): ignored without a warning.
    UnsupportedFormat,
    /// A wheel or an sdist by its suffix, but the rest does not parse.
    Malformed,
    /// A distribution of another project than the page that lists it.
    OtherProject,
}

impl DistFilename {
    /// Parses a file name. Where an sdist's name could be split in several places (`a-b-1.0.tar.gz`), `project`, whose page
    /// lists it, decides.
    ///
    /// # Errors
    /// When it is not the name of a wheel or an sdist of `project`.
    pub fn parse(filename: &str, project: &PackageName) -> Result<Self, DistFilenameError> {
        if let Some(stem) = filename.strip_suffix(".tar.gz") {
            Self::sdist(filename, stem, project, SdistFormat::TarGz)
        } else if let Some(stem) = filename.strip_suffix(".zip") {
            Self::sdist(filename, stem, project, SdistFormat::Zip)
        } else if filename.ends_with(".whl") {
            let wheel = WheelFilename::parse(filename)?;
            if wheel.name == *project {
                Ok(Self::Wheel(wheel))
            } else {
                Err(other_project(filename, project))
            }
        } else {
            Err(DistFilenameError {
                kind: DistFilenameErrorKind::UnsupportedFormat,
                message: format!("`{}` is neither a wheel nor a `.tar.gz` or `.zip` sdist", shown(filename)),
            })
        }
    }

    fn sdist(
        filename: &str,
        stem: &str,
        project: &PackageName,
        format: SdistFormat,
    ) -> Result<Self, DistFilenameError> {
        check_length(filename)?;
        let version = after_project(stem, project).ok_or_else(|| other_project(filename, project))?;
        let version = read_version(version).ok_or_else(|| {
            malformed(format!("`{}`: `{}` is not a version", shown(filename), shown(version)))
        })?;
        Ok(Self::Sdist { name: project.clone(), version, format })
    }

    /// The project.
    #[must_use]
    pub fn name(&self) -> &PackageName {
        match self {
            Self::Wheel(wheel) => &wheel.name,
            Self::Sdist { name, .. } => name,
        }
    }

    /// The release.
    #[must_use]
    pub fn version(&self) -> &Version {
        match self {
            Self::Wheel(wheel) => &wheel.version,
            Self::Sdist { version, .. } => version,
        }
    }
}

impl WheelFilename {
    /// Parses a wheel's file name.
    ///
    /// # Errors
    /// When it is no valid name of a wheel.
    pub fn parse(filename: &str) -> Result<Self, DistFilenameError> {
        check_length(filename)?;
        let bad = |what: String| malformed(format!("`{}` is not a wheel's name: {what}", shown(filename)));
        let stem =
            filename.strip_suffix(".whl").ok_or_else(|| bad("it does not end in `.whl`".to_owned()))?;
        let mut parts = [""; 6];
        let mut count = 0;
        for part in stem.split('-') {
            *parts.get_mut(count).ok_or_else(|| bad(wrong_count()))? = part;
            count += 1;
        }
        let (build, tags) = match count {
            5 => (None, &parts[2..5]),
            6 => (Some(parts[2]), &parts[3..6]),
            _ => return Err(bad(wrong_count())),
        };
        let name = PackageName::new(parts[0]).map_err(|error| bad(error.to_string()))?;
        let version =
            read_version(parts[1]).ok_or_else(|| bad(format!("`{}` is not a version", parts[1])))?;
        let build = build
            .map(|text| read_build(text).ok_or_else(|| bad(format!("build tag `{text}` has no number"))))
            .transpose()?;
        let tags = TagSet::new(tags[0], tags[1], tags[2]).map_err(|error| bad(error.to_string()))?;
        Ok(Self { name, version, build, tags })
    }
}

fn wrong_count() -> String {
    "it needs 5 or 6 parts with `-` between them: NAME-VERSION(-BUILD)-PYTHON-ABI-PLATFORM".to_owned()
}

/// The version in a file name. Old tools wrote `_` where the version has a `-`.
fn read_version(text: &str) -> Option<Version> {
    text.parse().ok().or_else(|| text.contains('_').then(|| text.replace('_', "-").parse().ok())?)
}

/// The number and the rest of a build tag, which must begin with a digit.
fn read_build(text: &str) -> Option<(u64, Arc<str>)> {
    let rest = text.trim_start_matches(|c: char| c.is_ascii_digit());
    let number = text[..text.len() - rest.len()].parse().ok()?;
    Some((number, rest.into()))
}

/// The part of `stem` after `project` and a `-`, however `project` is spelled there.
fn after_project<'a>(stem: &'a str, project: &PackageName) -> Option<&'a str> {
    let mut rest = stem;
    for part in project.as_str().split_inclusive('-') {
        let word = part.trim_end_matches('-');
        let head = rest.get(..word.len()).filter(|head| head.eq_ignore_ascii_case(word))?;
        rest = &rest[head.len()..];
        if part.len() > word.len() {
            let next = rest.trim_start_matches(['-', '_', '.']);
            if next.len() == rest.len() {
                return None;
            }
            rest = next;
        }
    }
    rest.strip_prefix('-')
}

fn check_length(filename: &str) -> Result<(), DistFilenameError> {
    if filename.len() <= MAX_BYTES {
        return Ok(());
    }
    Err(malformed(format!("`{}` is longer than {MAX_BYTES} bytes", shown(filename))))
}

fn malformed(message: String) -> DistFilenameError {
    DistFilenameError { kind: DistFilenameErrorKind::Malformed, message }
}

fn other_project(filename: &str, project: &PackageName) -> DistFilenameError {
    DistFilenameError {
        kind: DistFilenameErrorKind::OtherProject,
        message: format!("`{}` is not a file of {project}", shown(filename)),
    }
}

/// A file name from outside, shortened for a message.
fn shown(text: &str) -> String {
    super::excerpt(text, 120)
}

impl fmt::Display for DistFilenameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for DistFilenameError {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Platform, Target};

    fn dist(filename: &str, project: &str) -> Result<DistFilename, DistFilenameError> {
        DistFilename::parse(filename, &PackageName::new(project).unwrap())
    }

    #[test]
    fn a_valid_wheel_name_is_parsed() {
        for (filename, name, version, build, tags) in [
            ("six-1.16.0-py2.py3-none-any.whl", "six", "1.16.0", None, "py2.py3-none-any"),
            (
                "Zope.Interface-5.0-cp311-cp311-win_amd64.whl",
                "zope-interface",
                "5.0",
                None,
                "cp311-cp311-win_amd64",
            ),
            ("a_b-1.0-1-py3-none-any.whl", "a-b", "1.0", Some((1, "")), "py3-none-any"),
            ("a_b-1.0-12build_3-py3-none-any.whl", "a-b", "1.0", Some((12, "build_3")), "py3-none-any"),
            (
                "torch-2.0.1+cu118-cp311-cp311-linux_x86_64.whl",
                "torch",
                "2.0.1+cu118",
                None,
                "cp311-cp311-linux_x86_64",
            ),
            (
                "torch-2.0.1+cu118_x-cp311-cp311-linux_x86_64.whl",
                "torch",
                "2.0.1+cu118.x",
                None,
                "cp311-cp311-linux_x86_64",
            ),
            ("a-1.0_1-py3-none-any.whl", "a", "1.0.post1", None, "py3-none-any"),
            ("a-1.0.0_rc1-py3-none-any.whl", "a", "1.0.0rc1", None, "py3-none-any"),
            ("a-1-CP311-ABI3-Win32.whl", "a", "1", None, "cp311-abi3-win32"),
        ] {
            let wheel = WheelFilename::parse(filename).unwrap_or_else(|error| panic!("{filename}: {error}"));
            assert_eq!(wheel.name.as_str(), name, "{filename}");
            assert_eq!(wheel.version.to_string(), version, "{filename}");
            assert_eq!(wheel.build, build.map(|(number, rest)| (number, Arc::from(rest))), "{filename}");
            assert_eq!(wheel.tags.to_string(), tags, "{filename}");
        }
        let wheel = WheelFilename::parse("a-1-cp311.cp312-abi3-manylinux1_x86_64.any.whl").unwrap();
        let expanded: Vec<_> = wheel.tags.expanded().map(|tag| tag.to_string()).collect();
        assert_eq!(
            expanded,
            [
                "cp311-abi3-manylinux1_x86_64",
                "cp311-abi3-any",
                "cp312-abi3-manylinux1_x86_64",
                "cp312-abi3-any"
            ]
        );
    }

    #[test]
    fn an_invalid_wheel_name_is_malformed() {
        let long = format!("a-1-py3-none-{}.whl", "x".repeat(2000));
        let many = format!("a-1-{0}-{0}-{0}.whl", ["py3"; 11].join("."));
        for filename in [
            "a-1-py3-none.whl",
            "a-1-1-py3-none-any-x.whl",
            "a-1-x-py3-none-any.whl",
            "a-x-py3-none-any.whl",
            "-1-py3-none-any.whl",
            "a-1-py3--any.whl",
            "a-1-py3.-none-any.whl",
            "a-1-py3-none-any.zip",
            "ä-1-py3-none-any.whl",
            "a-1-99999999999999999999-py3-none-any.whl",
            "a-1-py3-none-a/b.whl",
            ".whl",
            "",
            &long,
            &many,
        ] {
            let error = WheelFilename::parse(filename).unwrap_err();
            assert_eq!(error.kind, DistFilenameErrorKind::Malformed, "{filename}");
        }
    }

    #[test]
    fn the_project_decides_where_an_sdist_is_split() {
        for (filename, project, version) in [
            ("a-b-1.0.tar.gz", "a-b", "1.0"),
            ("a_b-1.0.tar.gz", "a-b", "1.0"),
            ("A..B-1.0.zip", "a-b", "1.0"),
            ("a-1-2.tar.gz", "a", "1.post2"),
            ("a-1-2.tar.gz", "a-1", "2"),
            ("foo-1.0-beta.tar.gz", "foo", "1.0b0"),
        ] {
            assert_eq!(
                dist(filename, project).unwrap().version().to_string(),
                version.to_owned(),
                "{filename}"
            );
        }
        for (filename, project, kind) in [
            ("a-b-1.0.tar.gz", "a", DistFilenameErrorKind::Malformed),
            ("a-1.0.tar.gz", "b", DistFilenameErrorKind::OtherProject),
            ("ab-1.0.tar.gz", "a-b", DistFilenameErrorKind::OtherProject),
            ("a.tar.gz", "a", DistFilenameErrorKind::OtherProject),
            ("é-1.0.tar.gz", "a", DistFilenameErrorKind::OtherProject),
            ("b-1.0-py3-none-any.whl", "a", DistFilenameErrorKind::OtherProject),
            ("a-1.0-linux-x86_64.tar.gz", "a", DistFilenameErrorKind::Malformed),
            ("a-1.0.tar.bz2", "a", DistFilenameErrorKind::UnsupportedFormat),
            ("a-1.0.tgz", "a", DistFilenameErrorKind::UnsupportedFormat),
            ("a-1.0-py2.7.egg", "a", DistFilenameErrorKind::UnsupportedFormat),
            ("a-1.0.win32.exe", "a", DistFilenameErrorKind::UnsupportedFormat),
            ("a-1.0-1.noarch.rpm", "a", DistFilenameErrorKind::UnsupportedFormat),
            ("", "a", DistFilenameErrorKind::UnsupportedFormat),
        ] {
            assert_eq!(dist(filename, project).unwrap_err().kind, kind, "{filename}");
        }
    }

    #[test]
    fn the_best_tag_of_a_wheel_ranks_it() {
        let target = Target::declared(&"3.11".parse().unwrap(), &"linux".parse::<Platform>().unwrap());
        let rank =
            |tags: &str| target.tags().rank(&WheelFilename::parse(&format!("a-1-{tags}.whl")).unwrap().tags);
        let best_first = [
            "cp311-cp311-manylinux_2_28_x86_64",
            "cp310.cp311-cp311-manylinux_2_17_x86_64.manylinux2014_x86_64",
            "cp37-abi3-manylinux1_x86_64",
            "py3-none-manylinux1_x86_64",
            "py2.py3-none-any",
        ];
        let ranks: Vec<_> = best_first.map(|tags| rank(tags).unwrap()).to_vec();
        assert!(ranks.is_sorted(), "{ranks:?}");
        for tags in [
            "cp312-cp312-manylinux_2_28_x86_64",
            "cp311-cp311-manylinux_2_29_x86_64",
            "py2-none-any",
            "cp311-cp311-win32",
        ] {
            assert_eq!(rank(tags), None, "{tags}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_file_name_panics(text in "\\PC{0,60}", tail in "(\\.whl|\\.tar\\.gz|\\.zip)?") {
            let _ = dist(&format!("a-{text}{tail}"), "a");
            let _ = WheelFilename::parse(&format!("{text}{tail}"));
        }
    }
}
