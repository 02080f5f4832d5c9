//! What the journal says, folded into the releases, and every decision that follows from it: pure
//! functions of the journal, of what `current` points to, and of what stands in `releases/`.

use std::collections::BTreeSet;

use super::id::ReleaseId;
use super::record::{Begin, Entry, Way, What};

/// The releases in the order of the journal, and which of them were live, in which order.
#[derive(Clone, Debug, Default)]
pub(super) struct History {
    releases: Vec<Release>,
    /// The releases that led to the one that is live: a deploy adds one at the end, a rollback takes those
    /// away that it goes back over.
    line: Vec<ReleaseId>,
    /// A switch whose end is not known.
    pending: Option<Pending>,
}

/// A release as the journal knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Release {
    /// How it was begun.
    pub(super) begin: Begin,
    /// When it was begun, by the clock of then.
    pub(super) at: String,
    /// Who began it.
    pub(super) by: String,
    phase: Phase,
    /// Whether it was live once with its health good.
    passed: bool,
    /// Why it failed.
    pub(super) why: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Building,
    Ready,
    Live,
    Retired,
    Failed,
    Removing,
    Removed,
}

/// What a person is told of a release.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Its folder is being filled.
    Building,
    /// It passed its smoke tests.
    Ready,
    /// `current` points to it.
    Live,
    /// `current` pointed to it once.
    Retired,
    /// It did not pass.
    Failed,
}

#[derive(Clone, Debug)]
struct Pending {
    release: ReleaseId,
    way: Way,
    /// The line before the switch.
    before: Vec<ReleaseId>,
}

/// What a run that died left behind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum LeftOver {
    /// Half a release.
    Half(ReleaseId),
    /// A whole one that was not switched to, or not for good.
    Unused(ReleaseId),
    /// One that was being removed.
    Removing(ReleaseId),
    /// One that is live without having shown its health; its switch may not stand in the journal.
    Unproven(ReleaseId),
}

/// How many releases that did not pass are kept.
const KEPT_FAILED: usize = 2;

impl State {
    /// Its name in texts and documents.
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

impl Release {
    /// Its name.
    #[must_use]
    pub(super) fn id(&self) -> &ReleaseId {
        &self.begin.release
    }

    /// Whether it was live once, its health was good, and it still is whole.
    fn is_good(&self) -> bool {
        self.passed && matches!(self.phase, Phase::Live | Phase::Retired)
    }

    fn is_gone(&self) -> bool {
        matches!(self.phase, Phase::Removing | Phase::Removed)
    }

    /// Its state, where `live` is what `current` points to: that alone tells what is live.
    #[must_use]
    pub(super) fn state(&self, live: Option<&ReleaseId>) -> State {
        match self.phase {
            _ if live == Some(self.id()) => State::Live,
            Phase::Building => State::Building,
            Phase::Ready => State::Ready,
            Phase::Live | Phase::Retired => State::Retired,
            Phase::Failed | Phase::Removing | Phase::Removed => State::Failed,
        }
    }
}

impl History {
    /// Folds the journal.
    pub(super) fn of<'a>(entries: impl IntoIterator<Item = &'a Entry>) -> Self {
        let mut history = Self::default();
        entries.into_iter().for_each(|entry| history.take(entry));
        history
    }

    /// Takes one more line in.
    pub(super) fn take(&mut self, entry: &Entry) {
        match &entry.what {
            What::Begin(begin) => self.releases.push(Release {
                begin: begin.clone(),
                at: entry.at.clone(),
                by: entry.by.clone(),
                phase: Phase::Building,
                passed: false,
                why: None,
            }),
            What::Step { .. } => {}
            What::Ready { release } => self.set(release, Phase::Ready),
            What::Switch { release, way } => {
                let before = self.line.clone();
                self.pending = Some(Pending { release: release.clone(), way: *way, before });
            }
            What::Live { release } => self.enter(release),
            What::Passed { release } => {
                self.pending = None;
                if let Some(release) = self.find_mut(release) {
                    release.passed = true;
                }
            }
            What::Back { release } => self.leave(release),
            What::Failed { release, why } => {
                if self.is_pending(release) {
                    self.leave(release);
                }
                self.set(release, Phase::Failed);
                if let Some(release) = self.find_mut(release) {
                    release.why = Some(why.clone());
                }
            }
            What::Remove { release } => self.set(release, Phase::Removing),
            What::Removed { release } => self.set(release, Phase::Removed),
        }
    }

    /// As if this release had been built and gone live, with its health good.
    pub(super) fn imagine(&mut self, begin: Begin) {
        let release = begin.release.clone();
        let way = Way::Forth;
        let events = [
            What::Begin(begin),
            What::Switch { release: release.clone(), way },
            What::Live { release: release.clone() },
            What::Passed { release },
        ];
        let entry = |what| Entry { at: String::new(), by: String::new(), what };
        events.map(entry).iter().for_each(|entry| self.take(entry));
    }

    /// `release` is live now.
    fn enter(&mut self, release: &ReleaseId) {
        let back = self.pending.as_ref().is_some_and(|pending| pending.way == Way::Back);
        match self.line.iter().rposition(|other| other == release) {
            Some(at) if back => self.line.truncate(at + 1),
            _ => self.line.push(release.clone()),
        }
        for other in &mut self.releases {
            if other.phase == Phase::Live {
                other.phase = Phase::Retired;
            }
        }
        self.set(release, Phase::Live);
    }

    /// The switch to `release` was undone.
    fn leave(&mut self, release: &ReleaseId) {
        if let Some(pending) = self.pending.take() {
            self.line = pending.before;
        }
        self.set(release, Phase::Retired);
        if let Some(again) = self.line.last().cloned() {
            self.set(&again, Phase::Live);
        }
    }

    fn is_pending(&self, id: &ReleaseId) -> bool {
        self.pending.as_ref().is_some_and(|pending| pending.release == *id)
    }

    fn set(&mut self, id: &ReleaseId, phase: Phase) {
        if let Some(release) = self.find_mut(id) {
            release.phase = phase;
        }
    }

    fn find_mut(&mut self, id: &ReleaseId) -> Option<&mut Release> {
        self.releases.iter_mut().rev().find(|release| release.id() == id)
    }

    /// The release of this name.
    #[must_use]
    pub(super) fn find(&self, id: &ReleaseId) -> Option<&Release> {
        self.releases.iter().rev().find(|release| release.id() == id)
    }

    /// The releases that are there, the newest first by the journal.
    pub(super) fn newest_first(&self) -> impl Iterator<Item = &Release> {
        self.releases.iter().rev().filter(|release| !release.is_gone())
    }

    /// Whether the journal knows a release of this name, even one that is gone.
    pub(super) fn knows(&self, name: &str) -> bool {
        self.releases.iter().any(|release| release.id().as_str() == name)
    }

    /// The names in `releases/` that the journal does not know.
    pub(super) fn strangers<'a>(&self, listing: &'a [String]) -> Vec<&'a str> {
        listing.iter().map(String::as_str).filter(|name| !self.knows(name)).collect()
    }

    /// What the run that wrote the last lines left behind, if it died.
    pub(super) fn left_over(&self, live: Option<&ReleaseId>) -> Vec<LeftOver> {
        let one = |release: &Release| {
            let id = release.id().clone();
            let pending = self.is_pending(&id);
            match release.phase {
                _ if live == Some(&id) => pending.then_some(LeftOver::Unproven(id)),
                Phase::Building => Some(LeftOver::Half(id)),
                Phase::Ready => Some(LeftOver::Unused(id)),
                // The link was put back, or never moved, and the run died before it could say so.
                Phase::Live | Phase::Retired if pending => Some(LeftOver::Unused(id)),
                Phase::Removing => Some(LeftOver::Removing(id)),
                _ => None,
            }
        };
        self.releases.iter().filter_map(one).collect()
    }

    /// Whether the journal says already that `release` is the live one.
    pub(super) fn has_entered(&self, release: &ReleaseId) -> bool {
        self.find(release).is_some_and(|release| release.phase == Phase::Live)
    }

    /// Whether `release` was live before the switch that is pending.
    pub(super) fn was_good(&self, release: &ReleaseId) -> bool {
        self.find(release).is_some_and(|release| release.passed)
    }

    /// The good release that was live before the one that is live now.
    #[must_use]
    pub(super) fn before(&self, live: Option<&ReleaseId>) -> Option<&Release> {
        let at = live.and_then(|live| self.line.iter().rposition(|id| id == live)).unwrap_or(self.line.len());
        let earlier = self.line[..at].iter().rev().filter(|id| Some(*id) != live);
        earlier.filter_map(|id| self.find(id)).find(|release| release.is_good())
    }

    /// What is to go when `keep` good releases stay: never the live one, nor the one before it; of those that
    /// did not pass, the last two stay. What was not removed to its end comes first.
    pub(super) fn surplus(&self, live: Option<&ReleaseId>, keep: usize) -> Vec<ReleaseId> {
        let before = self.before(live).map(Release::id);
        let kept: BTreeSet<&ReleaseId> = live.into_iter().chain(before).collect();
        let settled =
            |release: &&Release| matches!(release.phase, Phase::Live | Phase::Retired | Phase::Failed);
        let (good, other): (Vec<&Release>, Vec<_>) =
            self.newest_first().filter(settled).partition(|release| release.is_good());
        let removing = self.releases.iter().filter(|release| release.phase == Phase::Removing);
        let surplus = removing.chain(good.into_iter().skip(keep)).chain(other.into_iter().skip(KEPT_FAILED));
        surplus.map(Release::id).filter(|id| !kept.contains(id)).cloned().collect()
    }
}

#[cfg(test)]
mod tests;
