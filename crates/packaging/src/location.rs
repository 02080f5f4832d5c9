//! Where a piece of text stands in the user's files.

use std::fmt;
use std::sync::Arc;

use serde::Serialize;

/// A place in an input: the file as the user named it, and a line and column in it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct Location {
    /// The file as given on the command line or in `-r`/`-c`; `-` is standard input.
    pub file: Arc<str>,
    /// The line, from 1.
    pub line: u32,
    /// The column in characters, from 1; JSON does without.
    #[serde(skip)]
    pub column: u32,
}

impl Location {
    /// The place `line`:`column` (both from 1) of `file`.
    #[must_use]
    pub fn new(file: impl Into<Arc<str>>, line: u32, column: u32) -> Self {
        Self { file: file.into(), line, column }
    }
}

/// `FILE:LINE`, the form in which a person or an editor looks a line up.
impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.file, self.line)
    }
}
