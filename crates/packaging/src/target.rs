//! A target environment as data: marker values, Python version, wheel tags.

use super::interpreter::{CPythonBuild, Implementation, InterpreterFacts, Threading, supported_tags};
use super::marker::Key;
use super::{Platform, SupportedTags, Version, excerpt};

/// An environment that a lock is made for.
#[derive(Clone, Debug)]
pub struct Target {
    label: String,
    python: Version,
    values: MarkerValues,
    versions: MarkerVersions,
    tags: SupportedTags,
    foreign: SupportedTags,
}

/// The marker values that are compared as versions, where they are versions.
#[derive(Clone, Debug)]
struct MarkerVersions {
    implementation: Option<Version>,
    platform_release: Option<Version>,
    python_full: Option<Version>,
    python: Option<Version>,
}

/// The values of the environment markers (PyPA "Dependency specifiers", "Environment markers").
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "each field is the marker of its name")]
pub struct MarkerValues {
    pub implementation_name: String,
    pub implementation_version: String,
    pub os_name: String,
    pub platform_machine: String,
    pub platform_python_implementation: String,
    pub platform_release: String,
    pub platform_system: String,
    pub platform_version: String,
    pub python_full_version: String,
    pub python_version: String,
    pub sys_platform: String,
}

impl Target {
    /// The environment of an interpreter that told its marker values and tags.
    ///
    /// # Errors
    /// When `python_full_version` is no version.
    pub fn new(values: &MarkerValues, tags: SupportedTags, label: String) -> Result<Self, String> {
        let python = read_version(&values.python_full_version).ok_or_else(|| {
            format!("python_full_version `{}` is not a version", excerpt(&values.python_full_version, 80))
        })?;
        let versions = MarkerVersions {
            implementation: read_version(&values.implementation_version),
            platform_release: read_version(&values.platform_release),
            python_full: Some(python.clone()),
            python: read_version(&values.python_version),
        };
        Ok(Self { label, python, values: values.clone(), versions, tags, foreign: SupportedTags::default() })
    }

    /// CPython `python` (`X.Y` is X.Y.0) on `platform`, with no interpreter asked.
    #[must_use]
    pub fn declared(python: &Version, platform: &Platform) -> Self {
        let release = |part: usize| python.release().get(part).copied().unwrap_or(0);
        let (major, minor) = (release(0), release(1));
        let full = python.clone().without_local().with_release([major, minor, release(2)]);
        let values = MarkerValues {
            implementation_name: "cpython".to_owned(),
            implementation_version: full.to_string(),
            os_name: platform.os_name().to_owned(),
            platform_machine: platform.machine().to_owned(),
            platform_python_implementation: "CPython".to_owned(),
            platform_release: String::new(),
            platform_system: platform.system().to_owned(),
            platform_version: String::new(),
            python_full_version: full.to_string(),
            python_version: format!("{major}.{minor}"),
            sys_platform: platform.sys_platform().to_owned(),
        };
        let tags = supported_tags(&InterpreterFacts {
            implementation: Implementation::CPython {
                threading: Threading::Gil,
                build: CPythonBuild::Release,
            },
            python: (small(major), small(minor)),
            platform: platform.clone(),
        });
        Self::new(&values, tags, format!("cpython {full} {platform}")).expect("these values are versions")
    }

    /// The same environment, where wheels with these tags tell of releases that would be built here.
    #[must_use]
    pub fn with_metadata_only_tags(self, foreign: SupportedTags) -> Self {
        Self { foreign, ..self }
    }

    /// The tags of wheels that do not fit, but whose metadata is believed of an sdist of the same release:
    /// none, unless the target stands for many environments.
    #[must_use]
    pub fn metadata_only_tags(&self) -> &SupportedTags {
        &self.foreign
    }

    /// How people call it, such as `cpython 3.11.0 manylinux_2_28_x86_64`; unique among targets.
    #[must_use]
    pub fn label(&self) -> &str {
        &self.label
    }

    /// The full Python version.
    #[must_use]
    pub fn python(&self) -> &Version {
        &self.python
    }

    /// The wheel tags that it accepts.
    #[must_use]
    pub fn tags(&self) -> &SupportedTags {
        &self.tags
    }

    /// The values of the environment markers.
    #[must_use]
    pub fn marker_values(&self) -> &MarkerValues {
        &self.values
    }

    /// The value of a marker as a version, where it is one.
    pub(super) fn marker_version(&self, key: Key) -> Option<&Version> {
        match key {
            Key::ImplementationVersion => self.versions.implementation.as_ref(),
            Key::PlatformRelease => self.versions.platform_release.as_ref(),
            Key::PythonFullVersion => self.versions.python_full.as_ref(),
            Key::PythonVersion => self.versions.python.as_ref(),
            _ => None,
        }
    }

    /// The value of a marker.
    pub(super) fn marker_text(&self, key: Key) -> &str {
        match key {
            Key::ImplementationName => &self.values.implementation_name,
            Key::ImplementationVersion => &self.values.implementation_version,
            Key::OsName => &self.values.os_name,
            Key::PlatformMachine => &self.values.platform_machine,
            Key::PlatformPythonImplementation => &self.values.platform_python_implementation,
            Key::PlatformRelease => &self.values.platform_release,
            Key::PlatformSystem => &self.values.platform_system,
            Key::PlatformVersion => &self.values.platform_version,
            Key::PythonFullVersion => &self.values.python_full_version,
            Key::PythonVersion => &self.values.python_version,
            Key::SysPlatform => &self.values.sys_platform,
        }
    }
}

/// A marker's value as a version. A Python built from a changed checkout says `3.13.0+`, which is none
/// until something follows the `+`.
fn read_version(text: &str) -> Option<Version> {
    match text.strip_suffix('+') {
        Some(public) => format!("{public}+local").parse().ok(),
        None => text.parse().ok(),
    }
}

/// A part of a Python version; no Python goes past the limit.
fn small(part: u64) -> u32 {
    u32::try_from(part).unwrap_or(u32::MAX).min(99)
}
