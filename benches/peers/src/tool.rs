//! The programs that are measured, told the same in the words of each.

use std::ffi::OsString;
use std::path::PathBuf;

use crate::process::CommandLine;
use crate::sets::{Files, Set};

pub(crate) const INPUT: &str = "requirements.in";
pub(crate) const LOCK: &str = "requirements.txt";
pub(crate) const CACHE: &str = "cache";

/// The second Python of several targets.
const OTHER_PYTHON: &str = "3.12";

/// A program.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Tool {
    Pinfast,
    Uv,
}

/// What a lock holds for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scope {
    /// One Python on Linux.
    One,
    /// Two Pythons on three platforms.
    Six,
    /// All that `--universal` covers.
    Universal,
}

/// Where the programs are and what they ask.
pub(crate) struct Tools {
    pub(crate) pinfast: PathBuf,
    pub(crate) uv: PathBuf,
    /// An interpreter, which uv wants even if it is told the target.
    pub(crate) python: PathBuf,
    pub(crate) index: String,
}

impl Tool {
    pub(crate) const ALL: [Self; 2] = [Self::Pinfast, Self::Uv];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Pinfast => "pinfast",
            Self::Uv => "uv",
        }
    }
}

impl Tools {
    /// The command that locks [`INPUT`] to [`LOCK`] in the current folder.
    pub(crate) fn lock(&self, tool: Tool, set: &Set, scope: Scope) -> CommandLine {
        let mut words: Vec<&str> = match tool {
            Tool::Pinfast => vec!["lock", INPUT, "-o", LOCK, "--quiet"],
            Tool::Uv => {
                vec!["pip", "compile", INPUT, "-o", LOCK, "--quiet", "--generate-hashes", "--no-config"]
            }
        };
        words.extend(["--cache-dir", CACHE, "--index-url", &self.index, "--python-version", &set.python]);
        match (tool, scope) {
            (Tool::Pinfast, Scope::One) => words.extend(["--platform", "linux"]),
            (Tool::Pinfast, Scope::Six) => {
                words.extend(["--python-version", OTHER_PYTHON]);
                words.extend(["linux", "macos", "windows"].into_iter().flat_map(|name| ["--platform", name]));
            }
            (Tool::Uv, Scope::One | Scope::Six) => {
                words.extend(["--python-platform", "x86_64-manylinux_2_28"])
            }
            (_, Scope::Universal) => words.push("--universal"),
        }
        if set.files == Files::Wheels {
            words.extend(["--only-binary", ":all:"]);
        }
        let mut arguments: Vec<OsString> = words.into_iter().map(OsString::from).collect();
        if tool == Tool::Uv {
            arguments.extend(["--no-python-downloads".into(), "--python".into(), self.python.clone().into()]);
        }
        CommandLine { program: self.program(tool).into(), arguments }
    }

    /// The command that checks whether [`LOCK`] is fresh.
    pub(crate) fn check(&self) -> CommandLine {
        let arguments = ["check", INPUT, "-o", LOCK, "--quiet"].map(OsString::from).to_vec();
        CommandLine { program: self.pinfast.clone().into(), arguments }
    }

    fn program(&self, tool: Tool) -> PathBuf {
        match tool {
            Tool::Pinfast => self.pinfast.clone(),
            Tool::Uv => self.uv.clone(),
        }
    }
}
