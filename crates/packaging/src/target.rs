//! A target environment as data: marker values, Python version, supported wheel tags.

use super::interpreter::{CPythonBuild, Implementation, InterpreterFacts, Threading, supported_tags};
use super::marker::MarkerVariable;
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

/// The marker values that compare as versions; `None` where the value is no version.
#[derive(Clone, Debug)]
struct MarkerVersions {
    implementation: Option<Version>,
    platform_release: Option<Version>,
    python_full: Option<Version>,
    python: Option<Version>,
}

/// The values of the marker variables (PyPA "Dependency specifiers", section "Environment Markers").
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
    /// The environment with these marker values and supported tags, as an interpreter gives them.
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

    /// CPython `python` (`X.Y` is X.Y.0) on `platform`, without an interpreter.
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

    /// The same environment; an sdist of it may take its metadata from wheels with the tags `foreign`.
    #[must_use]
    pub fn with_metadata_only_tags(self, foreign: SupportedTags) -> Self {
        Self { foreign, ..self }
    }

    /// The tags of wheels that are not installed here, but give the metadata of an sdist of the same release. Empty unless the
    /// target represents many environments.
    #[must_use]
    pub fn metadata_only_tags(&self) -> &SupportedTags {
        &self.foreign
    }

    /// Its name for people, such as `cpython 3.11.0 manylinux_2_28_x86_64`; unique among targets.
    #[must_use]
    pub fn label(&self) -> &str {
        &self.label
    }

    /// The full Python version.
    #[must_use]
    pub fn python(&self) -> &Version {
        &self.python
    }

    /// The wheel tags that it supports.
    #[must_use]
    pub fn tags(&self) -> &SupportedTags {
        &self.tags
    }

    /// The values of the marker variables.
    #[must_use]
    pub fn marker_values(&self) -> &MarkerValues {
        &self.values
    }

    /// The value of a marker variable as a version; `None` if it is no version.
    pub(super) fn marker_version(&self, key: MarkerVariable) -> Option<&Version> {
        match key {
            MarkerVariable::ImplementationVersion => self.versions.implementation.as_ref(),
            MarkerVariable::PlatformRelease => self.versions.platform_release.as_ref(),
            MarkerVariable::PythonFullVersion => self.versions.python_full.as_ref(),
            MarkerVariable::PythonVersion => self.versions.python.as_ref(),
            _ => None,
        }
    }

    /// The value of a marker variable.
    pub(super) fn marker_text(&self, key: MarkerVariable) -> &str {
        match key {
            MarkerVariable::ImplementationName => &self.values.implementation_name,
            MarkerVariable::ImplementationVersion => &self.values.implementation_version,
            MarkerVariable::OsName => &self.values.os_name,
            MarkerVariable::PlatformMachine => &self.values.platform_machine,
            MarkerVariable::PlatformPythonImplementation => &self.values.platform_python_implementation,
            MarkerVariable::PlatformRelease => &self.values.platform_release,
            MarkerVariable::PlatformSystem => &self.values.platform_system,
            MarkerVariable::PlatformVersion => &self.values.platform_version,
            MarkerVariable::PythonFullVersion => &self.values.python_full_version,
            MarkerVariable::PythonVersion => &self.values.python_version,
            MarkerVariable::SysPlatform => &self.values.sys_platform,
        }
    }
}

/// The value of a marker variable as a version. A Python built from a changed checkout reports `3.13.0+`, which needs a local
/// part to be one.
fn read_version(text: &str) -> Option<Version> {
    match text.strip_suffix('+') {
        Some(public) => format!("{public}+local").parse().ok(),
        None => text.parse().ok(),
    }
}

/// A number of a Python version, limited so that a hostile one makes no endless list of tags.
fn small(part: u64) -> u32 {
    u32::try_from(part).unwrap_or(u32::MAX).min(99)
}
