//! `pinfast releases`: the releases at a root. Changes nothing and waits for no lock.

use super::disk::lexists;
use super::history::{ReleaseRecord, ReleaseState};
use super::id::ReleaseId;
use super::journal::read_history;
use super::root::DeployRoot;
use pinfast_base::error::Result;

/// A release in the list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReleaseSummary {
    /// Its name.
    pub id: ReleaseId,
    /// Its state; `Live` is the release that `current` points to.
    pub state: ReleaseState,
    /// The full hash of its commit.
    pub commit: String,
    /// The SHA-256 of its lock, in hexadecimal.
    pub lock: String,
    /// The time when it was begun, by the clock of that moment.
    pub at: String,
    /// The user who began it.
    pub by: String,
    /// Why it failed.
    pub failure: Option<String>,
    /// Whether `pinfast rollback` would go to it.
    pub is_rollback_target: bool,
}

/// The releases with a folder, and the live one; the newest first, in the journal's order.
///
/// # Errors
/// No answer: the journal cannot be read.
pub fn releases(root: &DeployRoot) -> Result<Vec<ReleaseSummary>> {
    let history = read_history(root)?;
    let live = root.live_release()?;
    let target = history.rollback_target(live.as_ref()).map(ReleaseRecord::id);
    let exists = |release: &&ReleaseRecord| {
        live.as_ref() == Some(release.id()) || lexists(&root.release(release.id()))
    };
    let summary = |release: &ReleaseRecord| ReleaseSummary {
        id: release.id().clone(),
        state: release.state(live.as_ref()),
        commit: release.manifest.commit.clone(),
        lock: release.manifest.lock.clone(),
        at: release.at.clone(),
        by: release.by.clone(),
        failure: release.failure.clone(),
        is_rollback_target: target == Some(release.id()),
    };
    Ok(history.newest_first().filter(exists).map(summary).collect())
}
