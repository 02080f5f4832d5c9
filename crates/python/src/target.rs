//! A probe -> a lock target: marker values (PEP 508) and wheel tags (PEP 425), as PyPA's `packaging.tags` makes
//! them.

use super::probe::{ElfHeader, PlatformFacts, Probe};
use pinfast_base::error::{Error, Result};
use pinfast_packaging::{
    CPythonBuild, Implementation, InterpreterFacts, Platform, Target, Threading, supported_tags,
};

/// `e_machine` of 32-bit x86 and of 32-bit ARM.
const ELF_386: u16 = 3;
const ELF_ARM: u16 = 40;
/// Bits of `e_flags` of an ARM executable: version 5 of the ABI (EABI), and hard floats.
const ELF_ARM_ABI: u32 = 0xff00_0000;
const ELF_ARM_ABI_5: u32 = 0x0500_0000;
const ELF_ARM_HARD_FLOAT: u32 = 0x0000_0400;

/// The 64-bit architectures that have manylinux tags (PEP 600).
const MANYLINUX_ARCHS: [&str; 7] =
    ["x86_64", "aarch64", "ppc64", "ppc64le", "s390x", "loongarch64", "riscv64"];

impl Probe {
    /// The target that this interpreter is. Its label is, for example,
    /// `cpython 3.11.7 manylinux_2_36_x86_64`.
    ///
    /// # Errors
    /// `NoAnswer` for an implementation or a platform whose wheel tags are not known here.
    pub fn target(&self) -> Result<Target> {
        let facts = self.facts().map_err(|why| self.unfit(&why))?;
        let threads = if self.abi.build.gil_disabled { "t" } else { "" };
        let markers = &self.markers;
        let label = format!(
            "{} {}{threads} {}",
            markers.implementation_name, markers.python_full_version, facts.platform
        );
        Target::new(markers, supported_tags(&facts), label).map_err(|why| self.unfit(&why))
    }

    /// The platform that this interpreter runs on.
    ///
    /// # Errors
    /// `NoAnswer` for a platform whose wheel tags are not known here.
    pub fn host_platform(&self) -> Result<Platform> {
        self.platform.platform(&self.markers.platform_machine).map_err(|why| self.unfit(&why))
    }

    fn unfit(&self, why: &str) -> Error {
        Error::no_answer(format!("the interpreter `{}` cannot be used: {why}", self.executable.display()))
            .hint("name another interpreter with `--python PATH`, or give `--python-version X.Y --platform linux`")
    }

    fn facts(&self) -> Result<InterpreterFacts, String> {
        Ok(InterpreterFacts {
            implementation: self.implementation()?,
            python: numbers(&self.markers.python_version)
                .ok_or_else(|| format!("its version is `{}`", self.markers.python_version))?,
            platform: self.platform.platform(&self.markers.platform_machine)?,
        })
    }

    fn implementation(&self) -> Result<Implementation, String> {
        let build = &self.abi.build;
        match self.markers.implementation_name.as_str() {
            "cpython" => Ok(Implementation::CPython {
                threading: if build.gil_disabled { Threading::Free } else { Threading::Gil },
                build: if build.debug { CPythonBuild::Debug } else { CPythonBuild::Release },
            }),
            "pypy" => pypy_abi(self.abi.ext_suffix.as_deref().unwrap_or_default())
                .map(Implementation::PyPy)
                .ok_or_else(|| "its ABI is unknown".to_owned()),
            other => Err(format!("it is `{other}`, and only CPython and PyPy are supported")),
        }
    }
}

/// `.pypy310-pp73-x86_64-linux-gnu.so` -> `pypy310_pp73`
fn pypy_abi(ext_suffix: &str) -> Option<String> {
    let mut parts = ext_suffix.split('.').nth(1)?.split('-');
    let (python, abi) = (parts.next()?, parts.next()?);
    python.starts_with("pypy").then(|| format!("{python}_{abi}"))
}

impl PlatformFacts {
    fn platform(&self, machine: &str) -> Result<Platform, String> {
        if let Some(arch) = self.platform.strip_prefix("linux-") {
            return Ok(self.linux(arch));
        }
        if self.platform.starts_with("macosx-") {
            let version = self.macos.as_deref().and_then(numbers);
            let (major, minor) = version.ok_or("its macOS version is unknown")?;
            return Ok(Platform::macos(major, minor, machine));
        }
        match self.platform.as_str() {
            "win-amd64" => Ok(Platform::windows("amd64")),
            "win-arm64" => Ok(Platform::windows("arm64")),
            "win32" => Ok(Platform::windows("32")),
            other => {
                Err(format!("its platform is `{other}`, and only Linux, macOS and Windows are supported"))
            }
        }
    }

    fn linux(&self, arch: &str) -> Platform {
        // A 32-bit Python on a 64-bit kernel reports the kernel's architecture.
        let arch = match (self.pointer_bits, arch) {
            (32, "x86_64") => "i686",
            (32, "aarch64") => "armv8l",
            (_, arch) => arch,
        };
        let version = |text: &Option<String>| text.as_deref().and_then(numbers);
        match (version(&self.musl), version(&self.glibc)) {
            (Some((major, minor)), _) => Platform::musllinux(major, minor, arch),
            (None, Some((major, minor))) if self.runs_manylinux(arch) => {
                Platform::manylinux(major, minor, arch)
            }
            _ => Platform::linux(arch),
        }
    }

    /// Whether the executable's ABI is that of manylinux wheels. On 32 bits, only its ELF header shows that.
    fn runs_manylinux(&self, arch: &str) -> bool {
        match (arch, &self.elf) {
            ("i686", Some(elf)) => elf.is_32_bit_of(ELF_386),
            ("armv7l" | "armv8l", Some(elf)) => {
                elf.is_32_bit_of(ELF_ARM)
                    && elf.flags & ELF_ARM_ABI == ELF_ARM_ABI_5
                    && elf.flags & ELF_ARM_HARD_FLOAT != 0
            }
            _ => MANYLINUX_ARCHS.contains(&arch),
        }
    }
}

impl ElfHeader {
    fn is_32_bit_of(&self, machine: u16) -> bool {
        self.bits == 32 && self.little && self.machine == machine
    }
}

/// The first two numbers of a version; a lone one is followed by 0.
fn numbers(version: &str) -> Option<(u32, u32)> {
    let mut parts = version.split('.').map(|part| {
        let digits = part.bytes().take_while(u8::is_ascii_digit).count();
        part[..digits].parse().ok()
    });
    Some((parts.next()??, parts.next().unwrap_or(Some(0))?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts(platform: &str, pointer_bits: u8, library: &str) -> PlatformFacts {
        let of = |name: &str| library.strip_prefix(name).map(str::to_owned);
        PlatformFacts {
            platform: platform.to_owned(),
            pointer_bits,
            glibc: of("glibc "),
            musl: of("musl "),
            macos: of("macos "),
            elf: None,
        }
    }

    #[test]
    fn a_platform_has_the_tag_of_its_library_and_architecture() {
        for (platform, bits, library, machine, tag) in [
            ("linux-x86_64", 64, "glibc 2.36", "x86_64", "manylinux_2_36_x86_64"),
            ("linux-aarch64", 64, "glibc 2.20-2014.11", "aarch64", "manylinux_2_20_aarch64"),
            ("linux-x86_64", 64, "musl 1.2", "x86_64", "musllinux_1_2_x86_64"),
            ("linux-x86_64", 64, "", "x86_64", "linux_x86_64"),
            ("linux-mips64", 64, "glibc 2.36", "mips64", "linux_mips64"),
            ("linux-x86_64", 32, "glibc 2.36", "x86_64", "linux_i686"),
            ("macosx-11.0-arm64", 64, "macos 14.5", "arm64", "macosx_14_5_arm64"),
            ("macosx-10.9-universal2", 64, "macos 15", "x86_64", "macosx_15_0_x86_64"),
            ("win-amd64", 64, "", "AMD64", "win_amd64"),
            ("win32", 32, "", "AMD64", "win32"),
            ("win-arm64", 64, "", "ARM64", "win_arm64"),
        ] {
            let found = facts(platform, bits, library).platform(machine).unwrap();
            assert_eq!(found.to_string(), tag, "{platform} {bits} {library}");
        }
        assert!(
            facts("freebsd-14-amd64", 64, "").platform("amd64").unwrap_err().contains("freebsd-14-amd64")
        );
    }

    #[test]
    fn a_32_bit_executable_is_manylinux_only_with_the_right_elf_header() {
        let elf = |machine, flags| ElfHeader { bits: 32, little: true, machine, flags, interpreter: None };
        for (platform, elf, tag) in [
            ("linux-x86_64", elf(ELF_386, 0), "manylinux_2_36_i686"),
            ("linux-x86_64", elf(62, 0), "linux_i686"),
            ("linux-armv7l", elf(ELF_ARM, 0x0500_0400), "manylinux_2_36_armv7l"),
            ("linux-armv7l", elf(ELF_ARM, 0x0500_0200), "linux_armv7l"),
            ("linux-aarch64", elf(ELF_ARM, 0x0500_0400), "manylinux_2_36_armv8l"),
            ("linux-aarch64", elf(ELF_ARM, 0x0400_0400), "linux_armv8l"),
        ] {
            let facts = PlatformFacts { elf: Some(elf), ..facts(platform, 32, "glibc 2.36") };
            assert_eq!(facts.platform("x86_64").unwrap().to_string(), tag, "{platform}");
        }
    }

    #[test]
    fn the_abi_of_pypy_is_read_from_its_suffix() {
        assert_eq!(pypy_abi(".pypy310-pp73-x86_64-linux-gnu.so").as_deref(), Some("pypy310_pp73"));
        assert_eq!(pypy_abi(".cpython-310-x86_64-linux-gnu.so"), None);
        assert_eq!(pypy_abi(""), None);
    }

    #[test]
    fn a_version_number_ends_with_its_digits() {
        assert_eq!(numbers("2.36"), Some((2, 36)));
        assert_eq!(numbers("2.20-2014.11"), Some((2, 20)));
        assert_eq!(numbers("15"), Some((15, 0)));
        assert_eq!(numbers("x"), None);
    }
}
