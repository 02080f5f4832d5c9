//! A lock file of either form -> the lock, with what else the text says: whether it was edited, its options, its
//! problems.

use std::sync::Arc;

use super::problem::{self, LockFileProblem};
use super::{FORMAT, Integrity, Lock, LockOption, integrity, is_pylock, pylock, requirements_txt};
use pinfast_base::error::{Error, Result};

/// The largest text that is read, in bytes.
const MAX_SIZE: usize = 64 << 20;

/// What was read from a text.
#[derive(Clone, Debug)]
pub struct ParsedLock {
    /// The lock, without the lines that are no pins.
    pub lock: Lock,
    /// Whether the text is as pinfast wrote it.
    pub integrity: Integrity,
    /// The options inside the text, such as `--index-url`, in order.
    pub options: Vec<LockOption>,
    /// What keeps the text from being installed from, in order.
    pub problems: Vec<LockFileProblem>,
    /// The file's name as given.
    pub file: Arc<str>,
}

impl Lock {
    /// Reads whatever pins `text` holds: for preferences, `why`, `tree` and `diff`.
    ///
    /// # Errors
    /// When `text` is too large.
    pub fn parse(text: &str, file: &str) -> Result<Self> {
        Ok(ParsedLock::read(text, file)?.lock)
    }

    /// Reads a `text` to install from: every line an exact pin with a SHA-256, every package once in each environment.
    ///
    /// # Errors
    /// Of kind `Usage`, with file, line, column, caret and what to do.
    pub fn parse_strict(text: &str, file: &str) -> Result<Self> {
        ParsedLock::read(text, file)?.strict()
    }
}

impl ParsedLock {
    /// Reads `text`, which was in `file`: a `pylock.toml` by its name, else a requirements file.
    ///
    /// # Errors
    /// When `text` is too large, or is a `pylock.toml` that cannot be read at all.
    pub fn read(text: &str, file: &str) -> Result<Self> {
        if text.len() > MAX_SIZE {
            return Err(Error::usage(format!("{file} is larger than {} MB: no lock file", MAX_SIZE >> 20)));
        }
        let file: Arc<str> = file.into();
        if is_pylock(&file) {
            let read = pylock::read(text, &file)?;
            let problems = read.problems.sorted();
            return Ok(Self {
                lock: read.lock,
                integrity: read.integrity,
                options: Vec::new(),
                problems,
                file,
            });
        }
        let read = requirements_txt::read(text, &file);
        let problems = read.problems.sorted();
        Ok(Self { lock: read.lock, integrity: integrity(text), options: read.options, problems, file })
    }

    /// The lock, if it can be installed from.
    ///
    /// # Errors
    /// Of kind `Usage`: every problem.
    pub fn strict(self) -> Result<Lock> {
        if let Integrity::NewerFormat(format) = self.integrity {
            return Err(Error::usage(format!(
                "{} has the lock format {format}, but this pinfast knows {FORMAT} at most",
                self.file
            ))
            .hint("take the pinfast that wrote it, or a newer one"));
        }
        problem::into_error(&self.problems).map_or(Ok(self.lock), Err)
    }
}
