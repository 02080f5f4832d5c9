//! The answer of an interpreter: one JSON document that `probe.py` prints.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use pinfast_packaging::MarkerValues;

/// The program that an interpreter runs. Its digest is the format counter of remembered answers: changing one
/// byte means that every interpreter is asked again.
pub(super) const SCRIPT: &str = include_str!("probe.py");

/// The line that precedes the answer: a `sitecustomize` may print before.
const FENCE: &str = "--pinfast--";

/// Facts of one interpreter.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Probe {
    /// The values of the environment markers (PEP 508).
    #[serde(with = "MarkersOnDisk")]
    pub markers: MarkerValues,
    /// What decides its platform tags.
    pub platform: PlatformFacts,
    /// What decides its ABI tags.
    pub abi: AbiFacts,
    /// `sys.executable`: the interpreter itself, behind shims.
    pub executable: PathBuf,
    /// `sys.prefix`
    pub prefix: PathBuf,
    /// `sys.base_prefix`; differs from `prefix` in a virtual environment (PEP 405).
    pub base_prefix: PathBuf,
    /// `sys._base_executable`: what a virtual environment was made from. From Python 3.7 on.
    pub base_executable: Option<PathBuf>,
    /// The folders of its installation scheme.
    pub paths: SchemePaths,
    /// The URL of the index that its pip uses by default; without pip, that of its bundled ensurepip.
    pub default_index: Option<String>,
}

/// Facts that decide platform tags (PEP 600, PEP 656).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlatformFacts {
    /// `sysconfig.get_platform()`, such as `linux-x86_64`.
    pub platform: String,
    /// The size of its pointers in bits: 32 or 64.
    pub pointer_bits: u8,
    /// The version of glibc, on Linux with glibc.
    pub glibc: Option<String>,
    /// The version of musl, on Linux with musl.
    pub musl: Option<String>,
    /// The version of macOS.
    pub macos: Option<String>,
    /// The header of the executable, on Linux.
    pub elf: Option<ElfHeader>,
}

/// The ELF header of an executable, as far as tags depend on it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ElfHeader {
    /// 32 or 64.
    pub bits: u8,
    /// Whether the least significant byte comes first.
    pub little: bool,
    /// `e_machine`
    pub machine: u16,
    /// `e_flags`
    pub flags: u32,
    /// The program interpreter, such as `/lib/ld-musl-x86_64.so.1`.
    pub interpreter: Option<String>,
}

/// Facts that decide ABI tags (PEP 425).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AbiFacts {
    /// The build options that are part of the ABI.
    #[serde(flatten)]
    pub build: AbiBuild,
    /// `SOABI`
    pub soabi: Option<String>,
    /// `EXT_SUFFIX`
    pub ext_suffix: Option<String>,
}

/// Build options that are part of the ABI.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AbiBuild {
    /// `Py_GIL_DISABLED`
    pub gil_disabled: bool,
    /// `Py_DEBUG`
    pub debug: bool,
}

/// The folders of an installation scheme (`sysconfig.get_paths()`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "each field is the path of its name")]
pub struct SchemePaths {
    pub purelib: PathBuf,
    pub platlib: PathBuf,
    pub scripts: PathBuf,
    pub data: PathBuf,
    pub include: PathBuf,
    pub stdlib: PathBuf,
}

/// [`MarkerValues`], as JSON spells them.
#[derive(Serialize, Deserialize)]
#[serde(remote = "MarkerValues")]
struct MarkersOnDisk {
    implementation_name: String,
    implementation_version: String,
    os_name: String,
    platform_machine: String,
    platform_python_implementation: String,
    platform_release: String,
    platform_system: String,
    platform_version: String,
    python_full_version: String,
    python_version: String,
    sys_platform: String,
}

/// All that the probe may print.
#[derive(Deserialize)]
#[serde(untagged)]
enum ProbeOutput {
    TooOld { too_old: String },
    Probe(Box<Probe>),
}

impl Probe {
    /// Parses the output of the probe: the line after the fence.
    ///
    /// # Errors
    /// Why there is no answer, as a clause that goes on after the interpreter's name.
    pub(super) fn parse(output: &str) -> Result<Self, String> {
        let mut lines = output.lines();
        if !lines.any(|line| line == FENCE) {
            return Err(format!("gave no answer but printed {}", excerpt(output)));
        }
        // A hook at exit may print after the answer.
        let line = lines.next().unwrap_or_default();
        match serde_json::from_str(line) {
            Ok(ProbeOutput::Probe(probe)) => Ok(*probe),
            Ok(ProbeOutput::TooOld { too_old }) => {
                Err(format!("is Python {}; 3.6 is the oldest that works", excerpt(&too_old)))
            }
            Err(_) => Err(format!("gave an answer that makes no sense: {}", excerpt(line))),
        }
    }

    /// Whether the interpreter belongs to a virtual environment (PEP 405).
    #[must_use]
    pub fn is_virtual(&self) -> bool {
        self.prefix != self.base_prefix
    }
}

/// The beginning of a text that a foreign program printed, without control characters.
pub(super) fn excerpt(text: &str) -> String {
    let text = text.trim();
    if text.is_empty() {
        return "nothing".to_owned();
    }
    let shown: String = text.chars().take(120).flat_map(char::escape_debug).collect();
    let more = if text.chars().nth(120).is_some() { "…" } else { "" };
    format!("`{shown}{more}`")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn output_without_an_answer_is_quoted() {
        for (output, why) in [
            ("", "gave no answer but printed nothing"),
            ("hello\u{1b}[2J", "gave no answer but printed `hello\\u{1b}[2J`"),
            ("\n--pinfast--\n{\"a\": 1}\n", "gave an answer that makes no sense: `{\\\"a\\\": 1}`"),
            ("\n--pinfast--\n", "gave an answer that makes no sense: nothing"),
            (
                "noise\n--pinfast--\n{\"too_old\": \"3.5.10\"}\nbye",
                "is Python `3.5.10`; 3.6 is the oldest that works",
            ),
        ] {
            assert_eq!(Probe::parse(output).unwrap_err(), why);
        }
    }

    #[test]
    fn a_long_output_is_cut() {
        assert_eq!(excerpt(&"x".repeat(500)).chars().count(), 123);
    }
}
