//! A target environment as data: marker values, Python version, wheel tags.

use std::fmt;
use std::str::FromStr;

use pep508_rs::{MarkerEnvironment, MarkerEnvironmentBuilder};

use super::{Tags, Version};

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

/// A platform that `--platform` can name.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Platform {
    /// The wheel platform tag, such as `manylinux_2_28_x86_64`.
    tag: String,
}

/// A platform that is not known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlatformError {
    /// The text as given.
    pub text: String,
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
        let _ = (python, platform);
        todo!("H1")
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

impl FromStr for Platform {
    type Err = PlatformError;

    fn from_str(text: &str) -> Result<Self, PlatformError> {
        let tag = match text {
            "linux" => "manylinux_2_28_x86_64",
            "macos" => "macosx_14_0_arm64",
            "windows" => "win_amd64",
            tag => tag,
        };
        Ok(Self { tag: tag.to_owned() })
    }
}

impl fmt::Display for Platform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.tag)
    }
}

impl fmt::Display for PlatformError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` is not a platform", self.text)
    }
}

impl std::error::Error for PlatformError {}
