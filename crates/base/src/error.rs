//! Errors as values, and the one table of exit codes.

use std::error::Error as StdError;
use std::fmt;

/// What kind of end a run came to; each kind is one exit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorKind {
    /// The answer is no: no solution, a stale lock, an environment that differs.
    No,
    /// The question is wrong: usage, an input that cannot be read or parsed, a senseless setting.
    Usage,
    /// There is no answer: network, index, disk, permission, interpreter, a lock held by another run.
    NoAnswer,
    /// Refused: bytes that do not match their hash, an archive that is broken, lies, or breaks out.
    Refused,
    /// The new state is live, but something after the switch failed.
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

/// An error that a person reads: what happened, its details, its causes and what to do about it.
#[derive(Debug)]
pub struct Error {
    /// The kind, hence the exit code.
    pub kind: ErrorKind,
    /// What happened, where, and why: one sentence without a full stop; no credentials.
    pub message: String,
    /// Lines shown as they are below the message: a source line with its caret, an explanation.
    pub details: Vec<String>,
    /// What to do, each a sentence without a full stop.
    pub hints: Vec<String>,
    /// The cause, whose message follows as "caused by".
    pub source: Option<Box<dyn StdError + Send + Sync>>,
}

/// A result with a person's error.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// An error of `kind` with this message.
    #[must_use]
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), details: Vec::new(), hints: Vec::new(), source: None }
    }

    /// The answer is no.
    #[must_use]
    pub fn no(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::No, message)
    }

    /// The question is wrong.
    #[must_use]
    pub fn usage(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Usage, message)
    }

    /// There is no answer.
    #[must_use]
    pub fn no_answer(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::NoAnswer, message)
    }

    /// Refused.
    #[must_use]
    pub fn refused(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Refused, message)
    }

    /// With a line shown as it is below the message.
    #[must_use]
    pub fn detail(mut self, line: impl Into<String>) -> Self {
        self.details.push(line.into());
        self
    }

    /// With a hint.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }

    /// With its cause.
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
