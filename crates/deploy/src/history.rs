//! The history of releases: the journal, replayed. Every decision (what to recover, where a rollback goes, what
//! to prune) is a pure function of it, of the release that `current` points to, and of the names in `releases/`.

use std::collections::BTreeSet;

use super::id::ReleaseId;
use super::journal_entry::{Direction, JournalEntry, JournalEvent, ReleaseManifest};

/// The releases in the order of the journal, and the order in which they were live.
#[derive(Clone, Debug, Default)]
pub(super) struct History {
    releases: Vec<ReleaseRecord>,
    /// The releases that led to the live one, which is the last. A deploy pushes one; a rollback pops those
    /// after its target.
    rollback_stack: Vec<ReleaseId>,
    /// A switch that is neither recorded as healthy nor undone.
    pending: Option<PendingSwitch>,
}

/// A release as the journal records it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ReleaseRecord {
    /// What it was made from.
    pub(super) manifest: ReleaseManifest,
    /// The time when it was begun, by the clock of that moment.
    pub(super) at: String,
    /// The user who began it.
    pub(super) by: String,
    phase: ReleasePhase,
    /// Whether it was live once and passed its health check.
    was_healthy: bool,
    /// Why it failed.
    pub(super) failure: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum ReleasePhase {
    Building,
    Ready,
    Live,
    Retired,
    Failed,
    Removing,
    Removed,
}

/// The state of a release as people see it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReleaseState {
    /// Its folder is being filled.
    Building,
    /// It passed its smoke tests.
    Ready,
    /// `current` points to it.
    Live,
    /// `current` pointed to it once.
    Retired,
    /// It failed, or it is being removed.
    Failed,
}

#[derive(Clone, Debug)]
struct PendingSwitch {
    release: ReleaseId,
    direction: Direction,
    /// The rollback stack before the switch.
    stack_before: Vec<ReleaseId>,
}

/// What the next run must do because the last one died.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum RecoveryTask {
    /// Remove a release that was not built completely.
    RemovePartialBuild(ReleaseId),
    /// Record that a complete release is not live: the switch to it did not happen, or was undone.
    RecordUnused(ReleaseId),
    /// Continue to remove a release.
    FinishRemoval(ReleaseId),
    /// Record that a release is live although its health is unknown.
    RecordLive(ReleaseId),
}

/// The number of failed releases that pruning keeps, for whoever looks into the failure.
const KEPT_FAILURES: usize = 2;

impl ReleaseState {
    /// Its name in texts and JSON.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Building => "building",
            Self::Ready => "ready",
            Self::Live => "live",
            Self::Retired => "retired",
            Self::Failed => "failed",
        }
    }
}

impl ReleaseRecord {
    #[must_use]
    pub(super) fn id(&self) -> &ReleaseId {
        &self.manifest.release
    }

    /// Whether a rollback may go to it: it was healthy once and is still complete.
    fn is_good(&self) -> bool {
        self.was_healthy && matches!(self.phase, ReleasePhase::Live | ReleasePhase::Retired)
    }

    fn is_gone(&self) -> bool {
        matches!(self.phase, ReleasePhase::Removing | ReleasePhase::Removed)
    }

    /// Its state. `live` is the release that `current` points to: the link, not the journal, decides that.
    #[must_use]
    pub(super) fn state(&self, live: Option<&ReleaseId>) -> ReleaseState {
        match self.phase {
            _ if live == Some(self.id()) => ReleaseState::Live,
            ReleasePhase::Building => ReleaseState::Building,
            ReleasePhase::Ready => ReleaseState::Ready,
            ReleasePhase::Live | ReleasePhase::Retired => ReleaseState::Retired,
            ReleasePhase::Failed | ReleasePhase::Removing | ReleasePhase::Removed => ReleaseState::Failed,
        }
    }
}

/// The replay.
impl History {
    /// Applies all entries of a journal.
    pub(super) fn replay<'a>(entries: impl IntoIterator<Item = &'a JournalEntry>) -> Self {
        let mut history = Self::default();
        entries.into_iter().for_each(|entry| history.apply(entry));
        history
    }

    /// Applies one more entry.
    pub(super) fn apply(&mut self, entry: &JournalEntry) {
        match &entry.event {
            JournalEvent::Begin(manifest) => self.releases.push(ReleaseRecord {
                manifest: manifest.clone(),
                at: entry.at.clone(),
                by: entry.by.clone(),
                phase: ReleasePhase::Building,
                was_healthy: false,
                failure: None,
            }),
            JournalEvent::Step { .. } => {}
            JournalEvent::Ready { release } => self.set_phase(release, ReleasePhase::Ready),
            JournalEvent::Switch { release, direction } => {
                let stack_before = self.rollback_stack.clone();
                self.pending =
                    Some(PendingSwitch { release: release.clone(), direction: *direction, stack_before });
            }
            JournalEvent::Live { release } => self.switch_to(release),
            JournalEvent::Healthy { release } => {
                self.pending = None;
                if let Some(release) = self.find_mut(release) {
                    release.was_healthy = true;
                }
            }
            JournalEvent::SwitchedBack { release } => self.switch_back(release),
            JournalEvent::Failed { release, reason } => {
                if self.is_pending(release) {
                    self.switch_back(release);
                }
                self.set_phase(release, ReleasePhase::Failed);
                if let Some(release) = self.find_mut(release) {
                    release.failure = Some(reason.clone());
                }
            }
            JournalEvent::Remove { release } => self.set_phase(release, ReleasePhase::Removing),
            JournalEvent::Removed { release } => self.set_phase(release, ReleasePhase::Removed),
        }
    }

    /// Applies the events of a deploy that goes well.
    pub(super) fn simulate_deploy(&mut self, manifest: ReleaseManifest) {
        let release = manifest.release.clone();
        let direction = Direction::Forward;
        let events = [
            JournalEvent::Begin(manifest),
            JournalEvent::Switch { release: release.clone(), direction },
            JournalEvent::Live { release: release.clone() },
            JournalEvent::Healthy { release },
        ];
        let entry = |event| JournalEntry { at: String::new(), by: String::new(), event };
        events.map(entry).iter().for_each(|entry| self.apply(entry));
    }

    fn switch_to(&mut self, release: &ReleaseId) {
        let back = self.pending.as_ref().is_some_and(|pending| pending.direction == Direction::Back);
        match self.rollback_stack.iter().rposition(|other| other == release) {
            Some(at) if back => self.rollback_stack.truncate(at + 1),
            // A rollback to a named release that an earlier rollback popped.
            _ => self.rollback_stack.push(release.clone()),
        }
        // Retirement has no event of its own: it follows from the next `live`.
        for other in &mut self.releases {
            if other.phase == ReleasePhase::Live {
                other.phase = ReleasePhase::Retired;
            }
        }
        self.set_phase(release, ReleasePhase::Live);
    }

    fn switch_back(&mut self, release: &ReleaseId) {
        if let Some(pending) = self.pending.take() {
            self.rollback_stack = pending.stack_before;
        }
        self.set_phase(release, ReleasePhase::Retired);
        if let Some(live_again) = self.rollback_stack.last().cloned() {
            self.set_phase(&live_again, ReleasePhase::Live);
        }
    }

    fn set_phase(&mut self, id: &ReleaseId, phase: ReleasePhase) {
        if let Some(release) = self.find_mut(id) {
            release.phase = phase;
        }
    }

    fn find_mut(&mut self, id: &ReleaseId) -> Option<&mut ReleaseRecord> {
        self.releases.iter_mut().rev().find(|release| release.id() == id)
    }
}

/// The decisions.
impl History {
    #[must_use]
    pub(super) fn find(&self, id: &ReleaseId) -> Option<&ReleaseRecord> {
        self.releases.iter().rev().find(|release| release.id() == id)
    }

    /// The releases that are not removed, the newest first.
    pub(super) fn newest_first(&self) -> impl Iterator<Item = &ReleaseRecord> {
        self.releases.iter().rev().filter(|release| !release.is_gone())
    }

    /// Whether the journal has a release of this name, even a removed one.
    pub(super) fn has_name(&self, name: &str) -> bool {
        self.releases.iter().any(|release| release.id().as_str() == name)
    }

    /// Those of `names` that are no release in the journal.
    pub(super) fn unknown_names<'a>(&self, names: &'a [String]) -> Vec<&'a str> {
        names.iter().map(String::as_str).filter(|name| !self.has_name(name)).collect()
    }

    /// What to recover; nothing if the last run ended properly.
    pub(super) fn recovery_tasks(&self, live: Option<&ReleaseId>) -> Vec<RecoveryTask> {
        let task = |release: &ReleaseRecord| {
            let id = release.id().clone();
            let pending = self.is_pending(&id);
            match release.phase {
                // `current` decides, whatever the phase: it may have been replaced just before the run died.
                _ if live == Some(&id) => pending.then_some(RecoveryTask::RecordLive(id)),
                ReleasePhase::Building => Some(RecoveryTask::RemovePartialBuild(id)),
                ReleasePhase::Ready => Some(RecoveryTask::RecordUnused(id)),
                // `current` points elsewhere: it was never replaced, or it was switched back.
                ReleasePhase::Live | ReleasePhase::Retired if pending => Some(RecoveryTask::RecordUnused(id)),
                ReleasePhase::Removing => Some(RecoveryTask::FinishRemoval(id)),
                _ => None,
            }
        };
        self.releases.iter().filter_map(task).collect()
    }

    fn is_pending(&self, id: &ReleaseId) -> bool {
        self.pending.as_ref().is_some_and(|pending| pending.release == *id)
    }

    /// Whether the journal has the event `live` of the live release.
    pub(super) fn is_recorded_live(&self, release: &ReleaseId) -> bool {
        self.find(release).is_some_and(|release| release.phase == ReleasePhase::Live)
    }

    /// Whether `release` was live once and passed its health check.
    pub(super) fn was_healthy(&self, release: &ReleaseId) -> bool {
        self.find(release).is_some_and(|release| release.was_healthy)
    }

    /// The good release that was live before `live`.
    #[must_use]
    pub(super) fn rollback_target(&self, live: Option<&ReleaseId>) -> Option<&ReleaseRecord> {
        let stack = &self.rollback_stack;
        // If another tool made `current`, every release of the stack is earlier.
        let at = live.and_then(|live| stack.iter().rposition(|id| id == live)).unwrap_or(stack.len());
        let earlier = stack[..at].iter().rev().filter(|id| Some(*id) != live);
        earlier.filter_map(|id| self.find(id)).find(|release| release.is_good())
    }

    /// The releases to remove if the newest `keep` good ones stay. The live one and its rollback target always
    /// stay, and so do the newest failures. A removal that was cut short comes first.
    pub(super) fn prunable(&self, live: Option<&ReleaseId>, keep: usize) -> Vec<ReleaseId> {
        let target = self.rollback_target(live).map(ReleaseRecord::id);
        let protected: BTreeSet<&ReleaseId> = live.into_iter().chain(target).collect();
        let settled = |release: &&ReleaseRecord| {
            matches!(release.phase, ReleasePhase::Live | ReleasePhase::Retired | ReleasePhase::Failed)
        };
        let (good, other): (Vec<&ReleaseRecord>, Vec<_>) =
            self.newest_first().filter(settled).partition(|release| release.is_good());
        let removing = self.releases.iter().filter(|release| release.phase == ReleasePhase::Removing);
        let surplus =
            removing.chain(good.into_iter().skip(keep)).chain(other.into_iter().skip(KEPT_FAILURES));
        surplus.map(ReleaseRecord::id).filter(|id| !protected.contains(id)).cloned().collect()
    }
}

#[cfg(test)]
mod tests;
