//! What a parser found in one file, as data; the walk decides what becomes of it.

use std::collections::BTreeSet;
use std::ops::Range;

use super::diagnostic::FileDiagnostic;
use super::{FileOption, InputLine};
use pinfast_packaging::{ExtraName, Role, SpecifierSet};

/// One thing that a file states. A parser returns them in the order of the file.
#[derive(Debug)]
pub(super) enum Statement {
    /// A requirement, in the role of its file.
    Requirement(InputLine),
    /// An option; a path in it is still relative to the file.
    Option(FileOption),
    /// A reference to another file (`-r`, `-c`).
    Include(Include),
    /// A sentence that names its place.
    Warning(String),
    /// What is wrong.
    Error(FileDiagnostic),
}

/// A reference to another file.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Include {
    /// [`Role::Requirement`] for `-r`, [`Role::Constraint`] for `-c`.
    pub(super) role: Role,
    /// The path or URL as written, variables filled in.
    pub(super) target: String,
    /// The bytes of the file that hold it.
    pub(super) span: Range<usize>,
}

/// What a `pyproject.toml` states.
#[derive(Debug, Default)]
pub(super) struct ParsedProject {
    pub(super) statements: Vec<Statement>,
    /// `requires-python`.
    pub(super) requires_python: Option<SpecifierSet>,
    /// The extras and groups that it declares; `None` where the file is no TOML.
    pub(super) declared: Option<Declared>,
}

/// The extras and the dependency groups that a project declares.
#[derive(Debug, Default)]
pub(super) struct Declared {
    pub(super) extras: BTreeSet<ExtraName>,
    pub(super) groups: BTreeSet<ExtraName>,
}
