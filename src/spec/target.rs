//! A target environment as data: marker values, Python version, wheel tags.

use pep508_rs::{MarkerEnvironment, MarkerEnvironmentBuilder};

use super::interpreter::{Build, Implementation, InterpreterFacts, Threading, tags_for};
use super::{Platform, Tags, Version};

/// An environment that a lock is made for.
#[derive(Clone, Debug)]
pub struct Target {
    label: String,
    python: Version,
    environment: MarkerEnvironment,
    tags: Tags,
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
    pub fn probed(values: &MarkerValues, tags: Tags, label: String) -> Result<Self, String> {
        let environment = MarkerEnvironment::try_from(MarkerEnvironmentBuilder {
            implementation_name: &values.implementation_name,
            implementation_version: &values.implementation_version,
            os_name: &values.os_name,
            platform_machine: &values.platform_machine,
            platform_python_implementation: &values.platform_python_implementation,
            platform_release: &values.platform_release,
            platform_system: &values.platform_system,
            platform_version: &values.platform_version,
            python_full_version: &values.python_full_version,
            python_version: &values.python_version,
            sys_platform: &values.sys_platform,
        })
        .map_err(|error| error.to_string())?;
        let python =
            values.python_full_version.parse().map_err(|e: pep440_rs::VersionParseError| e.to_string())?;
        Ok(Self { label, python, environment, tags })
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
        let tags = tags_for(&InterpreterFacts {
            implementation: Implementation::CPython { threading: Threading::Gil, build: Build::Release },
            python: (small(major), small(minor)),
            platform: platform.clone(),
        });
        Self::probed(&values, tags, format!("cpython {full} {platform}")).expect("these values are versions")
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
    pub fn tags(&self) -> &Tags {
        &self.tags
    }

    pub(super) fn environment(&self) -> &MarkerEnvironment {
        &self.environment
    }
}

/// A part of a Python version; no Python goes past the limit.
fn small(part: u64) -> u32 {
    u32::try_from(part).unwrap_or(u32::MAX).min(99)
}
