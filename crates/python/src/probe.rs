//! What an interpreter says of itself.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use pinfast_packaging::MarkerValues;

/// The program that an interpreter runs to answer; see its own comments.
pub(super) const SCRIPT: &str = include_str!("probe.py");

/// The line of its output behind which the answer stands.
const FENCE: &str = "--pinfast--";

/// An interpreter's answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Probe {
    /// The values of the environment markers.
    #[serde(with = "MarkersOnDisk")]
    pub markers: MarkerValues,
    /// What decides the platform tags.
    pub platform: PlatformFacts,
    /// What decides the ABI tags.
    pub abi: Abi,
    /// `sys.executable`: the interpreter itself, behind shims.
    pub executable: PathBuf,
    /// `sys.prefix`
    pub prefix: PathBuf,
    /// `sys.base_prefix`: another folder than `prefix` in a virtual environment.
    pub base_prefix: PathBuf,
    /// The interpreter that a virtual environment was made from, from 3.7 on.
    pub base_executable: Option<PathBuf>,
    /// Where an installation goes.
    pub paths: Paths,
    /// The index that this interpreter's pip, or else its bundled ensurepip, uses by default.
    pub default_index: Option<String>,
}

/// Facts about the platform.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlatformFacts {
    /// `sysconfig.get_platform()`, such as `linux-x86_64`.
    pub platform: String,
    /// The size of the interpreter's pointers: 32 or 64.
    pub pointer_bits: u8,
    /// The version of glibc, on a Linux that has it.
    pub glibc: Option<String>,
    /// The version of musl, on a Linux that has it.
    pub musl: Option<String>,
    /// The version of macOS.
    pub macos: Option<String>,
    /// The header of the executable, on Linux.
    pub elf: Option<Elf>,
}

/// What the ELF header of an executable says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Elf {
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

/// Facts about the binary interface.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Abi {
    /// How the global lock and the debug build are set.
    #[serde(flatten)]
    pub build: AbiBuild,
    /// `SOABI`
    pub soabi: Option<String>,
    /// `EXT_SUFFIX`
    pub ext_suffix: Option<String>,
}

/// How an interpreter was built, as far as extensions feel it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AbiBuild {
    /// `Py_GIL_DISABLED`
    pub gil_disabled: bool,
    /// `Py_DEBUG`
    pub debug: bool,
}

/// The folders of the installation scheme (`sysconfig.get_paths()`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "each field is the path of its name")]
pub struct Paths {
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

/// The whole answer of the program.
#[derive(Deserialize)]
#[serde(untagged)]
enum Answer {
    TooOld { too_old: String },
    Probe(Box<Probe>),
}

impl Probe {
    /// Reads what the program printed: an answer behind a fence, whatever `site` hooks printed before.
    ///
    /// # Errors
    /// Why it is no answer, as a clause that goes on after the interpreter's name.
    pub(super) fn read(output: &str) -> Result<Self, String> {
        let mut lines = output.lines();
        if !lines.any(|line| line == FENCE) {
            return Err(format!("gave no answer but printed {}", excerpt(output)));
        }
        // A hook at exit may print after the answer.
        let line = lines.next().unwrap_or_default();
        match serde_json::from_str(line) {
            Ok(Answer::Probe(probe)) => Ok(*probe),
            Ok(Answer::TooOld { too_old }) => {
                Err(format!("is Python {}; 3.6 is the oldest that works", excerpt(&too_old)))
            }
            Err(_) => Err(format!("gave an answer that makes no sense: {}", excerpt(line))),
        }
    }

    /// Whether the interpreter belongs to a virtual environment.
    #[must_use]
    pub fn is_virtual(&self) -> bool {
        self.prefix != self.base_prefix
    }
}

/// The beginning of a text that came from outside, safe to show.
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
    fn what_is_no_answer_says_so() {
        for (output, said) in [
            ("", "gave no answer but printed nothing"),
            ("hello\u{1b}[2J", "gave no answer but printed `hello\\u{1b}[2J`"),
            ("\n--pinfast--\n{\"a\": 1}\n", "gave an answer that makes no sense: `{\\\"a\\\": 1}`"),
            ("\n--pinfast--\n", "gave an answer that makes no sense: nothing"),
            (
                "noise\n--pinfast--\n{\"too_old\": \"3.5.10\"}\nbye",
                "is Python `3.5.10`; 3.6 is the oldest that works",
            ),
        ] {
            assert_eq!(Probe::read(output).unwrap_err(), said);
        }
    }

    #[test]
    fn a_long_text_is_cut() {
        assert_eq!(excerpt(&"x".repeat(500)).chars().count(), 123);
    }
}
