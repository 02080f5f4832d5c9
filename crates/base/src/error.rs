//! Errors as values, and the one table of exit codes:
//!
//! | code | [`ErrorKind`] | meaning | returned by |
//! |---|---|---|---|
//! | 0 | none | done, or the answer is yes | all commands |
//! | 1 | `No` | the answer is no: no solution, a stale lock, an environment that differs, a failed check | `lock`, `check`, `install`, `verify`, `deploy` |
//! | 2 | `Usage` | usage error: arguments, an input that cannot be parsed, a setting that makes no sense | all commands |
//! | 3 | `NoAnswer` | no answer: network, index, disk, permission, interpreter, a lock that another run holds | all commands |
//! | 4 | `Refused` | refused: a file that does not match its hash, a broken archive, a path out of its folder | commands that fetch files |
//! | 5 | `LiveButUnclean` | live, but a step after the switch failed | `deploy`, `rollback` |
//! | 130 | `Interrupted` | SIGINT | all commands |
//! | 143 | `Terminated` | SIGTERM | all commands |
//!
//! Scripts rely on these codes: never change one; README.md and `pinfast --help` show the same table.

use std::error::Error as StdError;
use std::fmt;

/// Why a run failed; each kind is one exit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorKind {
    /// The answer is no: no solution, a stale lock, an environment that differs.
    No,
    /// Usage error: arguments, an input that cannot be read or parsed, a setting that makes no sense.
    Usage,
    /// There is no answer: network, index, disk, permission, interpreter, a lock held by another run.
    NoAnswer,
    /// Refused: bytes that do not match their hash; an archive that is broken, contradicts itself or leaves its folder.
    Refused,
    /// A release is live, but a step after the switch failed.
    LiveButUnclean,
    /// SIGINT.
    Interrupted,
    /// SIGTERM.
    Terminated,
}

impl ErrorKind {
    /// The exit code.
    #[must_use]
    pub fn exit_code(self) -> u8 {
        match self {
            Self::No => 1,
            Self::Usage => 2,
            Self::NoAnswer => 3,
            Self::Refused => 4,
            Self::LiveButUnclean => 5,
            Self::Interrupted => 130,
            Self::Terminated => 143,
        }
    }
}

/// An error for a person: what happened, details, the cause, and what to do.
#[derive(Debug)]
pub struct Error {
    /// The kind, which decides the exit code.
    pub kind: ErrorKind,
    /// What happened, where, and why: one sentence without a full stop; no credentials.
    pub message: String,
    /// Lines to show verbatim below the message, such as a source line with its caret.
    pub details: Vec<String>,
    /// What to do, each a sentence without a full stop.
    pub hints: Vec<String>,
    /// The cause; its message follows as "caused by".
    pub source: Option<Box<dyn StdError + Send + Sync>>,
}

/// A result with such an error.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// An error of `kind` with this message.
    #[must_use]
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), details: Vec::new(), hints: Vec::new(), source: None }
    }

    /// An error of the kind [`ErrorKind::No`], exit code 1.
    #[must_use]
    pub fn no(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::No, message)
    }

    /// An error of the kind [`ErrorKind::Usage`], exit code 2.
    #[must_use]
    pub fn usage(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Usage, message)
    }

    /// An error of the kind [`ErrorKind::NoAnswer`], exit code 3.
    #[must_use]
    pub fn no_answer(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::NoAnswer, message)
    }

    /// An error of the kind [`ErrorKind::Refused`], exit code 4.
    #[must_use]
    pub fn refused(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Refused, message)
    }

    /// Adds a line to show verbatim below the message.
    #[must_use]
    pub fn detail(mut self, line: impl Into<String>) -> Self {
        self.details.push(line.into());
        self
    }

    /// Adds a hint.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }

    /// Sets the cause.
    #[must_use]
    pub fn because(mut self, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.source.as_deref().map(|source| source as _)
    }
}
