//! The user's inputs -> requirements, constraints, overrides and options, each with its place.
//!
//! Requirements files (pip's "Requirements File Format") and `pyproject.toml` (PyPA "pyproject.toml specification",
//! "Dependency Groups"). Texts and variables come through [`InputFiles`], so nothing here touches the disk or the
//! environment.
//!
//! 1. `walk` opens each file once and follows `-r` and `-c`.
//! 2. A parser (`requirements_file`, `pyproject`) turns one text into `statement`s: requirements, options, references,
//!    warnings and errors, in the order of the file. It opens nothing.
//! 3. `requirement` parses one requirement. If that fails, `unlockable` and `mistakes` find out what was meant, and
//!    `diagnostic` shows all errors at once.
//!
//! [`edit`] goes the other way: it changes one requirement in the text of a file.

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
    /// The extras selected of the `pyproject.toml` files.
    pub extras: Extras,
    /// The dependency groups selected of them.
    pub groups: Vec<ExtraName>,
}

/// Which extras are selected.
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
/// All errors of the inputs, up to ten in one [`ErrorKind::Usage`] error. The
/// first is its message: `FILE:LINE:COLUMN: what is wrong`.
///
/// [`ErrorKind::Usage`]: pinfast_base::error::ErrorKind::Usage
pub fn read(request: &InputRequest, files: &dyn InputFiles) -> Result<Inputs, Error> {
    walk::read(request, files)
}

/// Everything that the inputs state.
#[derive(Clone, Debug, Default)]
pub struct Inputs {
    /// The inputs as named in the request, in order; without the files that they refer to.
    pub names: Vec<Arc<str>>,
    /// The requirements.
    pub requirements: Vec<InputLine>,
    /// The constraints (`-c`): they restrict packages without requiring them.
    pub constraints: Vec<InputLine>,
    /// The overrides (`--override`): each replaces every requirement on its package.
    pub overrides: Vec<InputLine>,
    /// The options inside the files, in order.
    pub options: Vec<FileOption>,
    /// `requires-python` of the `pyproject.toml` files: the versions that all of them allow.
    pub requires_python: Option<SpecifierSet>,
    /// What was ignored or may be a mistake, each a sentence that names the place.
    pub warnings: Vec<String>,
}

/// One requirement of an input.
#[derive(Clone, Debug)]
pub struct InputLine {
    /// The requirement, with variables filled in.
    pub requirement: Requirement,
    /// The requirement as written, on one line, without comment and hashes. Its variables are not filled in and its
    /// credentials are masked, so it holds no secret.
    pub text: Arc<str>,
    /// The place of its first character.
    pub at: Location,
    /// Its `--hash=sha256:…` options: only these files may be locked.
    pub hashes: Vec<Sha256>,
}

/// An option inside a requirements file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileOption {
    /// The option and its value.
    pub kind: FileOptionKind,
    /// The option as written, variables not filled in, credentials masked.
    pub text: Arc<str>,
    /// Where it stands.
    pub at: Location,
}

/// An option of a requirements file and its value, variables filled in, paths as seen from here.
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

/// The texts of the inputs, and the environment variables.
pub trait InputFiles {
    /// The text of `path`; `-` is standard input. A path inside a file was joined to the folder of that file.
    ///
    /// # Errors
    /// Why it cannot be read, as a sentence without a full stop.
    fn read(&self, path: &str) -> Result<String, String>;

    /// The value of an environment variable, for `${NAME}`.
    fn variable(&self, name: &str) -> Option<String>;
}

#[cfg(test)]
mod tests;
