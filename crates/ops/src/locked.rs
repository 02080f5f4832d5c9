//! The outcome of `lock`.

use std::path::Path;

use super::downgrades::Downgrade;
use super::held_back::HeldBack;
use super::session::Session;
use pinfast_base::error::Result;
use pinfast_files as files;
use pinfast_lock::Lock;
use pinfast_lock::diff::Diff;

/// A lock, and how it differs from the one before.
#[derive(Debug)]
pub struct Locked {
    /// The lock.
    pub lock: Lock,
    /// The lock as text.
    pub text: String,
    /// The changes from the lock before; `None` without one.
    pub changes: Option<Diff>,
    /// The packages that went down far.
    pub downgrades: Vec<Downgrade>,
    /// Whether the file has this text already.
    pub state: LockFileState,
    /// The direct dependencies that are not at their newest release, sorted.
    pub held_back: Vec<HeldBack>,
    /// Warnings of the resolution, each a sentence, sorted.
    pub warnings: Vec<String>,
}

/// Whether the lock's file has the text of the lock already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LockFileState {
    /// It has: the resolution gave the same lock again.
    Unchanged,
    /// It has: the lock is fresh, so nothing was resolved (see [`super::unchanged`]).
    Fresh,
    /// It has another text, or does not exist.
    New,
}

impl Locked {
    /// Writes the lock to `path`, unless the file has this text already.
    ///
    /// # Errors
    /// `NoAnswer` if the file cannot be written; then the old one is untouched.
    pub fn write(&self, path: &Path, session: &Session) -> Result<()> {
        match self.state {
            LockFileState::Unchanged | LockFileState::Fresh => Ok(()),
            LockFileState::New => files::replace(&session.env.current_dir().join(path), &self.text),
        }
    }
}
