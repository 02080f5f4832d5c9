//! Platforms: `--platform` or an interpreter's facts -> wheel platform tags and marker values (PyPA "Platform compatibility
//! tags", section "Platform Tag"; PEP 600 manylinux, PEP 656 musllinux).

use std::fmt;
use std::str::FromStr;

/// A platform for which wheels are made: what `--platform` can name, and what an interpreter runs on.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Platform {
    os: Os,
    /// As wheel tags spell it: `x86_64`, `arm64`, `amd64`.
    arch: String,
}

/// The part of a platform before its architecture.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Os {
    /// Linux with glibc of this version.
    Manylinux(u32, u32),
    /// Linux with musl of this version.
    Musllinux(u32, u32),
    /// Linux with an unknown C library: only wheels built on this machine fit.
    Linux,
    /// macOS of this version.
    Macos(u32, u32),
    /// Windows.
    Windows,
}

/// A text that names no known platform.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlatformError {
    /// The text as given.
    pub text: String,
}

/// The highest release of glibc, musl and macOS that is accepted: it bounds the list of tags.
const MAX_RELEASE: u32 = 99;

const LINUX_ARCHS: [&str; 9] =
    ["x86_64", "aarch64", "i686", "armv7l", "ppc64le", "s390x", "riscv64", "loongarch64", "ppc64"];
const MACOS_ARCHS: [&str; 2] = ["arm64", "x86_64"];

impl Platform {
    /// Linux with glibc `major.minor`; `arch` as `uname -m` prints it (`i686` for a 32-bit Python on a 64-bit kernel).
    #[must_use]
    pub fn manylinux(major: u32, minor: u32, arch: &str) -> Self {
        Self { os: Os::Manylinux(major, minor.min(MAX_RELEASE)), arch: arch.to_owned() }
    }

    /// Linux with musl `major.minor`.
    #[must_use]
    pub fn musllinux(major: u32, minor: u32, arch: &str) -> Self {
        Self { os: Os::Musllinux(major, minor.min(MAX_RELEASE)), arch: arch.to_owned() }
    }

    /// Linux with another or an unknown C library.
    #[must_use]
    pub fn linux(arch: &str) -> Self {
        Self { os: Os::Linux, arch: arch.to_owned() }
    }

    /// macOS `major.minor`; `arch` is `arm64` or `x86_64`.
    #[must_use]
    pub fn macos(major: u32, minor: u32, arch: &str) -> Self {
        Self { os: Os::Macos(major.min(MAX_RELEASE), minor.min(MAX_RELEASE)), arch: arch.to_owned() }
    }

    /// Windows; `arch` is `amd64`, `arm64` or `32`.
    #[must_use]
    pub fn windows(arch: &str) -> Self {
        Self { os: Os::Windows, arch: arch.to_owned() }
    }

    /// The platform tags that it supports, the most specific first, without `any`.
    #[must_use]
    pub fn tags(&self) -> Vec<String> {
        let arch = self.arch.as_str();
        match self.os {
            Os::Manylinux(major, minor) => linux_tags(arch, |arch| manylinux_tags(major, minor, arch)),
            Os::Musllinux(major, minor) => linux_tags(arch, |arch| {
                (0..=minor).rev().map(|minor| format!("musllinux_{major}_{minor}_{arch}")).collect()
            }),
            Os::Linux => linux_tags(arch, |_| Vec::new()),
            Os::Macos(major, minor) => macos_tags(major, minor, arch),
            Os::Windows => vec![self.to_string()],
        }
    }

    /// `os_name`
    pub(super) fn os_name(&self) -> &'static str {
        if self.os == Os::Windows { "nt" } else { "posix" }
    }

    /// `sys_platform`
    pub(super) fn sys_platform(&self) -> &'static str {
        match self.os {
            Os::Manylinux(..) | Os::Musllinux(..) | Os::Linux => "linux",
            Os::Macos(..) => "darwin",
            Os::Windows => "win32",
        }
    }

    /// `platform_system`
    pub(super) fn system(&self) -> &'static str {
        match self.os {
            Os::Manylinux(..) | Os::Musllinux(..) | Os::Linux => "Linux",
            Os::Macos(..) => "Darwin",
            Os::Windows => "Windows",
        }
    }

    /// `platform_machine`
    pub(super) fn machine(&self) -> &str {
        match (self.os, self.arch.as_str()) {
            (Os::Windows, "amd64") => "AMD64",
            (Os::Windows, "arm64") => "ARM64",
            (Os::Windows, "32") => "x86",
            (_, arch) => arch,
        }
    }
}

/// The tags of one C library and then the plain `linux` tag, for each architecture that `arch` runs.
fn linux_tags(arch: &str, library: impl Fn(&str) -> Vec<String>) -> Vec<String> {
    let archs = if arch == "armv8l" { vec![arch, "armv7l"] } else { vec![arch] };
    let mut tags: Vec<String> = archs.iter().flat_map(|arch| library(arch)).collect();
    tags.extend(archs.iter().map(|arch| format!("linux_{arch}")));
    tags
}

fn manylinux_tags(major: u32, minor: u32, arch: &str) -> Vec<String> {
    let oldest = if matches!(arch, "x86_64" | "i686") { 5 } else { 17 };
    let mut tags = Vec::new();
    for minor in (oldest..=minor).rev() {
        tags.push(format!("manylinux_{major}_{minor}_{arch}"));
        let legacy = LEGACY_MANYLINUX.iter().find(|(_, glibc)| *glibc == (major, minor));
        tags.extend(legacy.map(|(name, _)| format!("{name}_{arch}")));
    }
    tags
}

/// The names that PEP 513, 571 and 599 gave to what PEP 600 calls `manylinux_X_Y`.
const LEGACY_MANYLINUX: [(&str, (u32, u32)); 3] =
    [("manylinux2014", (2, 17)), ("manylinux2010", (2, 12)), ("manylinux1", (2, 5))];

fn macos_tags(major: u32, minor: u32, arch: &str) -> Vec<String> {
    // Since macOS 11 each release is a new major number, and its tags have minor 0.
    let yearly = (11..=major).rev().map(|major| (major, 0));
    let last_ten = if major >= 11 { 16 } else { minor };
    let first_ten = if major >= 11 { 4 } else { 0 };
    let ten = (first_ten..=last_ten).rev().map(|minor| (10, minor));
    let mut tags = Vec::new();
    for (major, minor) in yearly.chain(ten) {
        for format in macos_formats(major, minor, arch) {
            tags.push(format!("macosx_{major}_{minor}_{format}"));
        }
    }
    tags
}

/// The binary formats that `arch` runs on macOS `major.minor`. No arm64 binary is older than macOS 11, but the x86_64 half of
/// a universal2 one may be. The tag is `fat3` in packaging 26; the copy in pip 23 has `fat32`.
fn macos_formats(major: u32, minor: u32, arch: &str) -> Vec<&str> {
    match (arch, major, minor) {
        ("x86_64", 10, ..4) => vec![],
        ("x86_64", ..) => vec!["x86_64", "intel", "fat64", "fat3", "universal2", "universal"],
        ("arm64", 10, _) => vec!["universal2"],
        ("arm64", ..) => vec!["arm64", "universal2"],
        (other, ..) => vec![other],
    }
}

impl FromStr for Platform {
    type Err = PlatformError;

    fn from_str(text: &str) -> Result<Self, PlatformError> {
        known(text).ok_or_else(|| PlatformError { text: text.to_owned() })
    }
}

fn known(text: &str) -> Option<Platform> {
    match text {
        "linux" => return Some(Platform::manylinux(2, 28, "x86_64")),
        "macos" => return Some(Platform::macos(13, 0, "arm64")),
        "windows" | "win_amd64" => return Some(Platform::windows("amd64")),
        "win_arm64" => return Some(Platform::windows("arm64")),
        "win32" => return Some(Platform::windows("32")),
        _ => {}
    }
    let (family, rest) = text.split_once('_')?;
    let legacy = LEGACY_MANYLINUX.iter().find(|(name, _)| *name == family);
    if let Some((_, (major, minor))) = legacy {
        return linux_arch(rest).map(|arch| Platform::manylinux(*major, *minor, arch));
    }
    if family == "linux" {
        return linux_arch(rest).map(Platform::linux);
    }
    let (major, rest) = rest.split_once('_')?;
    let (minor, arch) = rest.split_once('_')?;
    let (major, minor) = (number(major)?, number(minor)?);
    match (family, major) {
        ("manylinux", 2) => linux_arch(arch).map(|arch| Platform::manylinux(major, minor, arch)),
        ("musllinux", 1) => linux_arch(arch).map(|arch| Platform::musllinux(major, minor, arch)),
        ("macosx", 10..) => MACOS_ARCHS.contains(&arch).then(|| Platform::macos(major, minor, arch)),
        _ => None,
    }
}

fn linux_arch(text: &str) -> Option<&str> {
    LINUX_ARCHS.contains(&text).then_some(text)
}

fn number(text: &str) -> Option<u32> {
    text.parse().ok().filter(|number| *number <= MAX_RELEASE)
}

/// The wheel platform tag.
impl fmt::Display for Platform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let arch = &self.arch;
        match self.os {
            Os::Manylinux(major, minor) => write!(f, "manylinux_{major}_{minor}_{arch}"),
            Os::Musllinux(major, minor) => write!(f, "musllinux_{major}_{minor}_{arch}"),
            Os::Linux => write!(f, "linux_{arch}"),
            Os::Macos(major, minor) => write!(f, "macosx_{major}_{minor}_{arch}"),
            Os::Windows if arch == "32" => f.write_str("win32"),
            Os::Windows => write!(f, "win_{arch}"),
        }
    }
}

impl fmt::Display for PlatformError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "`{}` is not a known platform: `linux`, `macos`, `windows`, or a wheel platform tag such as \
             `manylinux_2_17_aarch64`, `musllinux_1_2_x86_64`, `macosx_11_0_arm64`, `win_arm64` (Linux: {}; \
             macOS: {}; Windows: `win_amd64`, `win_arm64`, `win32`)",
            super::excerpt(&self.text, 80),
            LINUX_ARCHS.join(", "),
            MACOS_ARCHS.join(", "),
        )
    }
}

impl std::error::Error for PlatformError {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Target;

    #[test]
    fn a_declared_target_has_the_marker_values_of_its_platform() {
        for (platform, label, values) in [
            ("linux", "manylinux_2_28_x86_64", ["posix", "linux", "Linux", "x86_64"]),
            ("macos", "macosx_13_0_arm64", ["posix", "darwin", "Darwin", "arm64"]),
            ("windows", "win_amd64", ["nt", "win32", "Windows", "AMD64"]),
            ("win32", "win32", ["nt", "win32", "Windows", "x86"]),
            ("win_arm64", "win_arm64", ["nt", "win32", "Windows", "ARM64"]),
            ("manylinux2014_x86_64", "manylinux_2_17_x86_64", ["posix", "linux", "Linux", "x86_64"]),
            ("manylinux_2_17_aarch64", "manylinux_2_17_aarch64", ["posix", "linux", "Linux", "aarch64"]),
            ("musllinux_1_2_x86_64", "musllinux_1_2_x86_64", ["posix", "linux", "Linux", "x86_64"]),
            ("macosx_11_0_arm64", "macosx_11_0_arm64", ["posix", "darwin", "Darwin", "arm64"]),
            ("macosx_10_15_x86_64", "macosx_10_15_x86_64", ["posix", "darwin", "Darwin", "x86_64"]),
            ("linux_x86_64", "linux_x86_64", ["posix", "linux", "Linux", "x86_64"]),
        ] {
            let target = Target::declared(&"3.11".parse().unwrap(), &platform.parse::<Platform>().unwrap());
            assert_eq!(target.label(), format!("cpython 3.11.0 {label}"));
            let actual = target.marker_values();
            let [os, sys, system, machine] = values;
            assert_eq!((actual.os_name.as_str(), actual.sys_platform.as_str()), (os, sys), "{platform}");
            assert_eq!(
                (actual.platform_system.as_str(), actual.platform_machine.as_str()),
                (system, machine)
            );
            assert_eq!(actual.platform_python_implementation, "CPython");
            assert_eq!(actual.implementation_name, "cpython");
            assert_eq!(actual.python_full_version, "3.11.0");
            assert_eq!(actual.implementation_version, "3.11.0");
            assert_eq!(actual.python_version, "3.11");
            assert!(actual.platform_release.is_empty() && actual.platform_version.is_empty());
        }
    }

    #[test]
    fn an_unknown_platform_is_an_error_that_lists_the_known() {
        for text in [
            "",
            "solaris",
            "manylinux_2_17",
            "manylinux_3_1_x86_64",
            "manylinux_2_4000000000_x86_64",
            "manylinux_2_17_z80",
            "macosx_11_0_universal2",
            "macosx_9_0_x86_64",
            "win_z80",
            "linux_",
            "musllinux_2_0_x86_64",
            "linux_x86_64 ",
        ] {
            let error = text.parse::<Platform>().unwrap_err().to_string();
            assert!(error.contains("manylinux_2_17_aarch64") && error.contains("win_arm64"), "{error}");
        }
    }
}
