//! Whether a lock was made for environments of this class.

use pinfast_base::error::{Error, Result};
use pinfast_lock::Lock;
use pinfast_packaging::Target;

/// What markers can distinguish: implementation, minor version, operating system, machine.
#[derive(Debug, PartialEq, Eq)]
struct TargetClass<'a> {
    implementation: &'a str,
    python: (&'a str, &'a str),
    system: OperatingSystem,
    machine: &'a str,
}

#[derive(Debug, PartialEq, Eq)]
enum OperatingSystem {
    Linux,
    MacOs,
    Windows,
    Other,
}

/// Refuses a lock without a target of the class of `target`: its markers may exclude packages that are needed
/// here. Whether each pin has a wheel that fits shows later.
///
/// # Errors
/// `No` when no target of the lock is of this class.
pub fn check_compatible(lock: &Lock, target: &Target) -> Result<()> {
    let Some(header) = &lock.header else { return Ok(()) };
    // A universal lock is for every environment.
    let universal = header.options.iter().any(|(name, _)| name.trim_start_matches('-') == "universal");
    let Some(here) = class(target.label()) else { return Ok(()) };
    // A label that cannot be read, from a later pinfast say, does not exclude this environment.
    let same = |label: &String| class(label).is_none_or(|class| class == here);
    if universal || header.targets.is_empty() || header.targets.iter().any(same) {
        return Ok(());
    }
    Err(Error::no(format!("the lock is not for {}", target.label()))
        .detail(format!("it is for {}", header.targets.join(", ")))
        .hint("lock for this environment as well: give its `--python-version` and `--platform` to `pinfast lock`"))
}

/// Reads a label such as `cpython 3.11.0 manylinux_2_28_x86_64`; `None` for one of another form.
fn class(label: &str) -> Option<TargetClass<'_>> {
    let mut words = label.split(' ');
    let (implementation, version, platform) = (words.next()?, words.next()?, words.next()?);
    let mut parts = version.split('.');
    let python = (parts.next()?, parts.next()?);
    let (family, rest) = platform.split_once('_')?;
    let system = match family {
        "linux" => OperatingSystem::Linux,
        "macosx" => OperatingSystem::MacOs,
        "win" => OperatingSystem::Windows,
        family if family.starts_with("manylinux") || family.starts_with("musllinux") => {
            OperatingSystem::Linux
        }
        _ => OperatingSystem::Other,
    };
    // Cuts the version of glibc or macOS: each pin's tags are compared with that later.
    let machine = rest.trim_start_matches(|c: char| c.is_ascii_digit() || c == '_');
    words.next().is_none().then_some(TargetClass { implementation, python, system, machine })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_that_markers_cannot_distinguish_are_of_one_class() {
        let here = "cpython 3.11.7 manylinux_2_36_x86_64";
        for (label, same) in [
            ("cpython 3.11.0 manylinux_2_28_x86_64", true),
            ("cpython 3.11.0 musllinux_1_2_x86_64", true),
            ("cpython 3.11.9 manylinux2014_x86_64", true),
            ("cpython 3.11.9 linux_x86_64", true),
            ("cpython 3.12.0 manylinux_2_28_x86_64", false),
            ("cpython 3.11.0 manylinux_2_28_aarch64", false),
            ("cpython 3.11.0 macosx_14_0_x86_64", false),
            ("pypy 3.11.0 manylinux_2_28_x86_64", false),
            ("cpython 3.11.0 win_amd64", false),
        ] {
            assert_eq!(class(label).unwrap() == class(here).unwrap(), same, "{label}");
        }
        for other in ["universal", "cpython 3 linux_x86_64", "cpython 3.11 any", ""] {
            assert_eq!(class(other), None, "{other}");
        }
    }
}
