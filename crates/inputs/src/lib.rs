//! The user's inputs: requirement files, constraints and `pyproject.toml`, each requirement with its
//! place. Texts come through [`InputFiles`], so nothing here touches the disk or the environment.

mod diagnostic;
pub mod edit;
mod logical_lines;
mod mistakes;
mod normalized;
mod options;
mod paths;
mod pyproject;
mod requirement;
mod requirements_file;
mod selection;
mod source;
mod statement;
mod toml_text;
mod unlockable;
mod variables;
mod walk;

use std::sync::Arc;

use pinfast_base::error::Error;
use pinfast_packaging::{ExtraName, Location, PackageName, Requirement, Sha256, SpecifierSet};

/// What to read.
#[derive(Clone, Debug, Default)]
pub struct InputRequest {
    /// The inputs, in order: requirements files, files named `pyproject.toml`, `-` for standard input.
    pub inputs: Vec<String>,
    /// The constraint files (`-c`).
    pub constraints: Vec<String>,
    /// The override files (`--override`).
    pub overrides: Vec<String>,
    /// The extras wanted of the `pyproject.toml` files.
    pub extras: Extras,
    /// The dependency groups wanted of them.
    pub groups: Vec<ExtraName>,
}

/// Which extras are wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Extras {
    /// These (`--extra`).
    Named(Vec<ExtraName>),
    /// All of them (`--all-extras`).
    All,
}

impl Default for Extras {
    fn default() -> Self {
        Self::Named(Vec::new())
    }
}

/// Reads everything that `request` names, and what that refers to.
///
/// Each file is read once. Paths inside a file are relative to it.
///
/// # Errors
/// Everything that is wrong with the inputs, up to ten problems in one [`ErrorKind::Usage`] error: the first
/// is its message, `FILE:LINE:COLUMN: what is wrong`.
///
/// [`ErrorKind::Usage`]: pinfast_base::error::ErrorKind::Usage
pub fn read(request: &InputRequest, files: &dyn InputFiles) -> Result<Inputs, Error> {
    walk::read(request, files)
}

/// Everything that the inputs say.
#[derive(Clone, Debug, Default)]
pub struct Inputs {
    /// The inputs named, as given, in order (not those reached by `-r` and `-c`).
    pub names: Vec<Arc<str>>,
    /// What is wanted.
    pub requirements: Vec<InputLine>,
    /// What binds without being wanted (`-c`).
    pub constraints: Vec<InputLine>,
    /// What replaces every requirement on its package (`--override`).
    pub overrides: Vec<InputLine>,
    /// The options inside the files, in order.
    pub options: Vec<FileOption>,
    /// `requires-python` of a `pyproject.toml`.
    pub requires_python: Option<SpecifierSet>,
    /// What was repaired or ignored, each a sentence that names the place.
    pub warnings: Vec<String>,
}

/// One requirement of an input.
#[derive(Clone, Debug)]
pub struct InputLine {
    /// What it says.
    pub requirement: Requirement,
    /// The requirement as it stands in the file: spacing, case and marker; without comment, hashes
    /// and continuation. Variables are not expanded in it, so it holds no secret.
    pub text: Arc<str>,
    /// Where its first character stands.
    pub at: Location,
    /// Its `--hash=sha256:…` options: only these files may be taken.
    pub hashes: Vec<Sha256>,
}

/// An option inside a requirements file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileOption {
    /// What it says.
    pub kind: FileOptionKind,
    /// The line as written, variables not expanded, URL credentials taken out.
    pub text: Arc<str>,
    /// Where it stands.
    pub at: Location,
}

/// What an option inside a requirements file says, variables expanded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FileOptionKind {
    /// `-i`, `--index-url`
    IndexUrl(String),
    /// `--extra-index-url`
    ExtraIndexUrl(String),
    /// `-f`, `--find-links`
    FindLinks(String),
    /// `--no-index`
    NoIndex,
    /// `--no-binary NAMES`
    NoBinary(FormatControl),
    /// `--only-binary NAMES`
    OnlyBinary(FormatControl),
    /// `--pre`
    Pre,
    /// `--require-hashes`
    RequireHashes,
}

/// The value of `--no-binary` and `--only-binary`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FormatControl {
    /// `:all:`
    All,
    /// `:none:`
    None,
    /// These packages.
    Packages(Vec<PackageName>),
}

/// Where the texts of inputs come from.
pub trait InputFiles {
    /// The text of `path`, which is as the user named it or joined to the folder of the file that
    /// refers to it; `-` is standard input.
    ///
    /// # Errors
    /// Why it cannot be read, as a sentence without a full stop.
    fn read(&self, path: &str) -> Result<String, String>;

    /// The value of an environment variable, for `${NAME}`.
    fn variable(&self, name: &str) -> Option<String>;
}

#[cfg(test)]
mod tests;
