//! File names of distributions (PyPA "Binary distribution format", "Source distribution format").

use std::fmt;
use std::sync::Arc;

use super::{PackageName, TagSet, Version};

/// A name longer than this is none: the longest real ones have some 200 bytes.
const LONGEST: usize = 1024;

/// What the name of a distribution's file says.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum DistName {
    /// `NAME-VERSION(-BUILD)-PYTHON-ABI-PLATFORM.whl`
    Wheel(WheelName),
    /// `NAME-VERSION.tar.gz` or `.zip`
    Sdist {
        /// The project.
        name: PackageName,
        /// The release.
        version: Version,
        /// How it is packed.
        format: SdistFormat,
    },
}

/// How a source distribution is packed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SdistFormat {
    /// `.tar.gz`
    TarGz,
    /// `.zip`
    Zip,
}

/// What the file name of a wheel says.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct WheelName {
    /// The project.
    pub name: PackageName,
    /// The release.
    pub version: Version,
    /// The build tag: its number, then the rest of it; an absent one sorts first.
    pub build: Option<(u64, Arc<str>)>,
    /// The tags.
    pub tags: TagSet,
}

/// A file name that is not a distribution's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DistNameError {
    /// In which way it is not.
    pub kind: DistNameErrorKind,
    /// What is wrong, as a sentence without a full stop.
    pub message: String,
}

/// In which way a file name is not a distribution's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DistNameErrorKind {
    /// A file of a kind that is never taken (`.egg`, `.exe`, `.rpm`, `.tar.bz2`, …): not worth a word.
    NotTaken,
    /// A wheel or an sdist by its suffix, but its name cannot be read.
    Malformed,
    /// A distribution of another project than the one on whose page it stands.
    OtherProject,
}

impl DistName {
    /// Reads a file name. For an sdist whose name could be split in several places (`a-b-1.0.tar.gz`),
    /// `project` (the page on which it stands) decides; a name that is not the project's is an error.
    ///
    /// # Errors
    /// When it is not the name of a wheel or an sdist of `project`.
    pub fn parse(filename: &str, project: &PackageName) -> Result<Self, DistNameError> {
        if let Some(stem) = filename.strip_suffix(".tar.gz") {
            Self::sdist(filename, stem, project, SdistFormat::TarGz)
        } else if let Some(stem) = filename.strip_suffix(".zip") {
            Self::sdist(filename, stem, project, SdistFormat::Zip)
        } else if filename.ends_with(".whl") {
            let wheel = WheelName::parse(filename)?;
            if wheel.name == *project {
                Ok(Self::Wheel(wheel))
            } else {
                Err(other_project(filename, project))
            }
        } else {
            Err(DistNameError {
                kind: DistNameErrorKind::NotTaken,
                message: format!("`{}` is neither a wheel nor a `.tar.gz` or `.zip` sdist", shown(filename)),
            })
        }
    }

    fn sdist(
        filename: &str,
        stem: &str,
        project: &PackageName,
        format: SdistFormat,
    ) -> Result<Self, DistNameError> {
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

impl WheelName {
    /// Reads a wheel's file name.
    ///
    /// # Errors
    /// When it is not one.
    pub fn parse(filename: &str) -> Result<Self, DistNameError> {
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

/// A version as it stands in a file name: old tools wrote `_` where the version has a `-`.
fn read_version(text: &str) -> Option<Version> {
    text.parse().ok().or_else(|| text.contains('_').then(|| text.replace('_', "-").parse().ok())?)
}

/// The number and the rest of a build tag; it must begin with a digit.
fn read_build(text: &str) -> Option<(u64, Arc<str>)> {
    let rest = text.trim_start_matches(|c: char| c.is_ascii_digit());
    let number = text[..text.len() - rest.len()].parse().ok()?;
    Some((number, rest.into()))
}

/// What follows `project` and a `-` in `stem`, however `project` is spelled there.
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

fn check_length(filename: &str) -> Result<(), DistNameError> {
    if filename.len() <= LONGEST {
        return Ok(());
    }
    Err(malformed(format!("`{}` is longer than {LONGEST} bytes", shown(filename))))
}

fn malformed(message: String) -> DistNameError {
    DistNameError { kind: DistNameErrorKind::Malformed, message }
}

fn other_project(filename: &str, project: &PackageName) -> DistNameError {
    DistNameError {
        kind: DistNameErrorKind::OtherProject,
        message: format!("`{}` is not a file of {project}", shown(filename)),
    }
}

/// The beginning of a text that may be of any length and kind, fit for a message.
fn shown(text: &str) -> String {
    super::excerpt(text, 120)
}

impl fmt::Display for DistNameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for DistNameError {}
