//! The releases at a root, as they are listed. Nothing is changed, and no lock is waited for.

use super::history::{Release, State};
use super::id::ReleaseId;
use super::journal;
use super::remove::is_there;
use super::root::Root;
use pinfast_base::error::Result;

/// A release in the list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// Its name.
    pub id: ReleaseId,
    /// Its state; `Live` is what `current` points to.
    pub state: State,
    /// The full name of its commit.
    pub commit: String,
    /// The SHA-256 of its lock, in hexadecimal.
    pub lock: String,
    /// When it was begun, as the clock of then said.
    pub at: String,
    /// Who began it.
    pub by: String,
    /// Why it failed.
    pub why: Option<String>,
    /// Whether a rollback would go to it.
    pub is_next_back: bool,
}

/// The releases that are there, the newest first by the journal.
///
/// # Errors
/// No answer: the journal cannot be read.
pub fn releases(root: &Root) -> Result<Vec<Listed>> {
    let history = journal::read(root)?;
    let live = root.live()?;
    let back = history.before(live.as_ref()).map(Release::id);
    let there =
        |release: &&Release| live.as_ref() == Some(release.id()) || is_there(&root.release(release.id()));
    let listed = |release: &Release| Listed {
        id: release.id().clone(),
        state: release.state(live.as_ref()),
        commit: release.begin.commit.clone(),
        lock: release.begin.lock.clone(),
        at: release.at.clone(),
        by: release.by.clone(),
        why: release.why.clone(),
        is_next_back: back == Some(release.id()),
    };
    Ok(history.newest_first().filter(there).map(listed).collect())
}
