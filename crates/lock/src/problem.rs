//! What keeps a text from being installed from, each with its place and what to do.

use pinfast_base::error::Error;
use pinfast_base::excerpt::excerpt;
use pinfast_packaging::{Location, SourceSpan};

/// How many problems one error shows.
const MAX_SHOWN: usize = 8;
/// How many problems of one text are kept.
const MAX_KEPT: usize = 100;

/// One thing that keeps a text from being installed from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LockFileProblem {
    /// What is wrong: a sentence without a full stop.
    pub message: String,
    /// What to do: a sentence without a full stop.
    pub hint: &'static str,
    at: Location,
    /// The source line and its carets.
    excerpt: [String; 2],
}

impl LockFileProblem {
    /// Where it stands.
    #[must_use]
    pub fn at(&self) -> &Location {
        &self.at
    }

    /// `FILE:LINE:COLUMN: MESSAGE`.
    fn headline(&self) -> String {
        format!("{}:{}: {}", self.at, self.at.column, self.message)
    }
}

/// The problems of one text, the first [`MAX_KEPT`] of them.
#[derive(Debug, Default)]
pub(crate) struct LockFileProblems(Vec<LockFileProblem>);

impl LockFileProblems {
    pub(crate) fn push(&mut self, span: &SourceSpan<'_>, message: impl Into<String>, hint: &'static str) {
        if self.0.len() < MAX_KEPT {
            let excerpt = excerpt(span.at.line as usize, span.line, span.bytes.clone());
            self.0.push(LockFileProblem { message: message.into(), hint, at: span.at.clone(), excerpt });
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    pub(crate) fn append(&mut self, others: Self) {
        self.0.extend(others.0);
        self.0.truncate(MAX_KEPT);
    }

    /// In the order of their places.
    pub(crate) fn sorted(mut self) -> Vec<LockFileProblem> {
        self.0.sort_by(|a, b| a.at.cmp(&b.at));
        self.0
    }
}

/// One usage error with all of `problems`: the first is its message, and each hint stands once. `None` where there
/// are none.
pub(crate) fn into_error(problems: &[LockFileProblem]) -> Option<Error> {
    let first = problems.first()?;
    let mut error = Error::usage(first.headline());
    for (i, problem) in problems.iter().take(MAX_SHOWN).enumerate() {
        if i > 0 {
            error = error.detail(problem.headline());
        }
        error.details.extend(problem.excerpt.clone());
        if !error.hints.iter().any(|hint| hint == problem.hint) {
            error = error.hint(problem.hint);
        }
    }
    match problems.len().saturating_sub(MAX_SHOWN) {
        0 => Some(error),
        more => Some(error.detail(format!("and {more} more"))),
    }
}
