//! File, line and column of a piece of text in the user's files.

use std::fmt;
use std::sync::Arc;

use serde::Serialize;

/// A place in an input file.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct Location {
    /// The file as given on the command line or in `-r`/`-c`; `-` is standard input.
    pub file: Arc<str>,
    /// The line, from 1.
    pub line: u32,
    /// The column in characters, from 1; not in JSON.
    #[serde(skip)]
    pub column: u32,
}

impl Location {
    /// `line` and `column` count from 1.
    #[must_use]
    pub fn new(file: impl Into<Arc<str>>, line: u32, column: u32) -> Self {
        Self { file: file.into(), line, column }
    }
}

/// `FILE:LINE`, which editors can jump to.
impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.file, self.line)
    }
}
