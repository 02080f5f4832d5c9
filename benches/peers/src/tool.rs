//! The measured programs, and the same task as a command line of each.

use std::ffi::OsString;
use std::path::PathBuf;

use crate::process::MeasuredCommand;
use crate::sets::{AllowedFiles, RequirementSet};

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

/// The targets of a lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TargetScope {
    /// One Python on Linux.
    One,
    /// Two Pythons on three platforms.
    Six,
    /// `--universal`.
    Universal,
}

/// Where the programs are, and the URL of the index.
pub(crate) struct ToolPaths {
    pub(crate) pinfast: PathBuf,
    pub(crate) uv: PathBuf,
    /// uv needs an interpreter even when the target is given.
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

impl ToolPaths {
    /// The command that locks [`INPUT`] to [`LOCK`] in the current folder.
    pub(crate) fn lock(&self, tool: Tool, set: &RequirementSet, scope: TargetScope) -> MeasuredCommand {
        let mut words: Vec<&str> = match tool {
            Tool::Pinfast => vec!["lock", INPUT, "-o", LOCK, "--quiet"],
            Tool::Uv => {
                vec!["pip", "compile", INPUT, "-o", LOCK, "--quiet", "--generate-hashes", "--no-config"]
            }
        };
        words.extend(["--cache-dir", CACHE, "--index-url", &self.index, "--python-version", &set.python]);
        match (tool, scope) {
            (Tool::Pinfast, TargetScope::One) => words.extend(["--platform", "linux"]),
            (Tool::Pinfast, TargetScope::Six) => {
                words.extend(["--python-version", OTHER_PYTHON]);
                words.extend(["linux", "macos", "windows"].into_iter().flat_map(|name| ["--platform", name]));
            }
            (Tool::Uv, TargetScope::One | TargetScope::Six) => {
                words.extend(["--python-platform", "x86_64-manylinux_2_28"])
            }
            (_, TargetScope::Universal) => words.push("--universal"),
        }
        if set.files == AllowedFiles::Wheels {
            words.extend(["--only-binary", ":all:"]);
        }
        let mut arguments: Vec<OsString> = words.into_iter().map(OsString::from).collect();
        if tool == Tool::Uv {
            arguments.extend(["--no-python-downloads".into(), "--python".into(), self.python.clone().into()]);
        }
        MeasuredCommand { program: self.program(tool).into(), arguments }
    }

    /// The command that checks whether [`LOCK`] is fresh.
    pub(crate) fn check(&self) -> MeasuredCommand {
        let arguments = ["check", INPUT, "-o", LOCK, "--quiet"].map(OsString::from).to_vec();
        MeasuredCommand { program: self.pinfast.clone().into(), arguments }
    }

    fn program(&self, tool: Tool) -> PathBuf {
        match tool {
            Tool::Pinfast => self.pinfast.clone(),
            Tool::Uv => self.uv.clone(),
        }
    }
}
