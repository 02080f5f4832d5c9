//! What bars a text from being installed from, each with its place and what to do.

use pinfast_base::error::Error;
use pinfast_packaging::Location;

use super::scan::Spot;

/// How many problems one error shows.
const SHOWN: usize = 8;
/// How many problems of one text are kept.
const KEPT: usize = 100;
/// Characters of a line that a problem keeps to show: a hostile line has millions.
const LONGEST_SHOWN: usize = 400;

/// One thing that bars a text from being installed from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LockProblem {
    /// What is wrong: a sentence without a full stop.
    pub message: String,
    /// What to do: a sentence without a full stop.
    pub hint: &'static str,
    at: Location,
    /// How many characters it is about, all on one line; at least 1.
    len: u32,
    /// The line that they stand on, the first characters of it.
    line: String,
}

impl LockProblem {
    /// Where it stands.
    #[must_use]
    pub fn at(&self) -> &Location {
        &self.at
    }

    /// `FILE:LINE:COLUMN: MESSAGE`.
    fn headline(&self) -> String {
        let at = self.at();
        format!("{at}:{}: {}", at.column, self.message)
    }

    /// The source line with its caret below; nothing where it is too long to show.
    fn picture(&self) -> Vec<String> {
        let number = self.at().line.to_string();
        let before = self.at().column.saturating_sub(1) as usize;
        let line = self.line.trim_end();
        if line.chars().count() <= before {
            return Vec::new();
        }
        let shown: String = line.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
        let room = line.chars().count() - before;
        let carets = "^".repeat((self.len as usize).min(room));
        vec![
            format!("{number} | {shown}"),
            format!("{:width$} | {:before$}{carets}", "", "", width = number.len()),
        ]
    }
}

/// The problems of one text, the first so many of them.
#[derive(Debug, Default)]
pub(crate) struct LockProblems(Vec<LockProblem>);

impl LockProblems {
    pub(crate) fn push(&mut self, spot: Spot<'_>, message: impl Into<String>, hint: &'static str) {
        if self.0.len() < KEPT {
            let Spot { at, len, line } = spot;
            let line = line.chars().take(LONGEST_SHOWN).collect();
            self.0.push(LockProblem { message: message.into(), hint, at, len, line });
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    pub(crate) fn append(&mut self, others: Self) {
        self.0.extend(others.0);
        self.0.truncate(KEPT);
    }

    /// In the order of their places.
    pub(crate) fn sorted(mut self) -> Vec<LockProblem> {
        self.0.sort_by(|a, b| a.at().cmp(b.at()));
        self.0
    }
}

/// The error that tells of `problems`; `None` where there are none.
pub(crate) fn error(problems: &[LockProblem]) -> Option<Error> {
    let first = problems.first()?;
    let mut error = Error::usage(first.headline());
    for (i, problem) in problems.iter().take(SHOWN).enumerate() {
        if i > 0 {
            error = error.detail(problem.headline());
        }
        error.details.extend(problem.picture());
        if !error.hints.iter().any(|hint| hint == problem.hint) {
            error = error.hint(problem.hint);
        }
    }
    match problems.len().saturating_sub(SHOWN) {
        0 => Some(error),
        more => Some(error.detail(format!("and {more} more"))),
    }
}
