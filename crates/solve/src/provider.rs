//! pubgrub's view of a problem: sets of ordinals, and the order in which packages are decided.

mod choice;
mod needs;

use std::cell::RefCell;
use std::cmp::Reverse;
use std::fmt;
use std::sync::Arc;

use pubgrub::{Dependencies, DependencyProvider, PackageResolutionStatistics, VersionSet as _};

use super::candidates::ExclusionReason;
use super::known::SolverIndex;
use super::nodes::{Dist, Node, Part};
use super::package::Package;
use super::search::{Found, Search};
use super::set::{Ordinal, OrdinalSet};
use super::trail::Progress;
use pinfast_base::error::Error;
use pinfast_base::event::{Event, Watcher};
use pinfast_packaging::DistFile;

/// The provider of one run of pubgrub.
pub(super) struct Provider<'a> {
    known: &'a SolverIndex,
    search: RefCell<&'a mut Search>,
    watcher: &'a dyn Watcher,
    asked: RefCell<Vec<Arc<DistFile>>>,
}

/// Why a run of pubgrub ended without an answer.
#[derive(Debug)]
pub(super) enum Stop {
    /// Another order of decisions promises more.
    Restart,
    /// The world is at fault.
    Trouble(Error),
}

/// The order in which packages are decided, the greatest first.
pub(super) type Priority = (Class, Reverse<usize>);

/// How urgently a package is to be decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Class {
    /// Its choice stood in the way of others in earlier runs.
    Late,
    /// Nothing speaks for haste: in the order in which the packages were met.
    Ordinary,
    /// At most one candidate is left: it costs no choice.
    Forced,
    /// Earlier runs kept rejecting its candidates: the more lately, the earlier now.
    Troubled(u32),
    /// The question itself.
    Given,
}

impl<'a> Provider<'a> {
    pub(super) fn new(known: &'a SolverIndex, search: &'a mut Search, watcher: &'a dyn Watcher) -> Self {
        Self { known, search: RefCell::new(search), watcher, asked: RefCell::default() }
    }

    /// The files whose metadata this run has used.
    pub(super) fn into_asked(self) -> Vec<Arc<DistFile>> {
        self.asked.into_inner()
    }

    /// Says of a long search what it is deciding between.
    fn tell(&self, node: Node, ordinal: Ordinal, rival: Dist, tries: usize) {
        if tries < LONG || !tries.is_multiple_of(SAID_EVERY) {
            return;
        }
        let search = self.search.borrow();
        let told = |dist: Dist, ordinal: Option<Ordinal>| {
            let seen = ordinal.zip(search.views.of(dist));
            let version = seen.map(|(ordinal, all)| format!(" {}", all.get(ordinal).version));
            format!("{}{}", search.nodes.name(dist), version.unwrap_or_default())
        };
        let Some(dist) = search.nodes.part(node).dist() else { return };
        let (tried, against) = (told(dist, Some(ordinal)), told(rival, search.trail.decided(rival)));
        self.watcher.on(Event::Deciding { tried, against, tries });
    }
}

/// From how many tries that were at odds with another choice on a search is long, and how often it then says
/// what it is deciding between: a number, not a time, so that the same question is told in the same words.
const LONG: usize = 40;
const SAID_EVERY: usize = 20;

impl DependencyProvider for Provider<'_> {
    type P = Node;
    type V = Ordinal;
    type VS = OrdinalSet;
    type Priority = Priority;
    type M = ExclusionReason;
    type Err = Stop;

    fn prioritize(&self, node: &Node, range: &OrdinalSet, _: &PackageResolutionStatistics) -> Priority {
        let mut search = self.search.borrow_mut();
        let place = Reverse(search.trail.met(*node));
        let part = search.nodes.part(*node);
        let Some(dist) = part.dist() else { return (Class::Given, place) };
        if let Part::Whole(_) = part {
            search.trail.leave(dist, range);
        }
        if let Some(trouble) = search.trouble(dist) {
            return (Class::Troubled(trouble), place);
        }
        let class = match search.views.of(dist) {
            Some(seen) if seen.leaves_no_choice(range) => Class::Forced,
            _ if search.is_late(dist) => Class::Late,
            _ => Class::Ordinary,
        };
        (class, place)
    }

    fn choose_version(&self, node: &Node, range: &OrdinalSet) -> Result<Option<Ordinal>, Stop> {
        let part = self.search.borrow().nodes.part(*node);
        let Some(dist) = part.dist() else { return Ok(Some(0)) };
        let candidates = self.view(dist, None)?;
        if candidates.only_first().is_some() && !range.contains(&0) {
            self.contest(dist)?;
            self.search.borrow_mut().trail.undecide(dist);
            return Ok(candidates.beyond(range));
        }
        let decided = self.search.borrow().trail.decided(dist).filter(|decided| range.contains(decided));
        let best = self.best(&candidates, range);
        let is_extra = part == Part::Extra(dist);
        let choice = match decided {
            Some(_) if is_extra => decided,
            _ => best.and_then(|best| self.next(dist, &candidates, range, best)),
        };
        if let Some(ordinal) = choice.filter(|_| !is_extra || choice != decided) {
            let mut search = self.search.borrow_mut();
            let tries = if is_extra { search.attempt(dist, ordinal) } else { search.decide(dist, ordinal) };
            // Where it is known from an earlier run, what comes after it was asked for then.
            let is_new = search.found(*node, ordinal).is_none();
            drop(search);
            if best == choice && is_new {
                self.expect_more(&candidates, range, ordinal, tries);
            }
        }
        let Progress { met, decided } = self.search.borrow().trail.progress();
        self.watcher.on(Event::Solving { met, decided });
        Ok(choice)
    }

    fn get_dependencies(
        &self,
        node: &Node,
        ordinal: &Ordinal,
    ) -> Result<Dependencies<Node, OrdinalSet, ExclusionReason>, Stop> {
        let needs = match self.found(*node, *ordinal)? {
            Found::Barred(reason) => return Ok(Dependencies::Unavailable(reason)),
            Found::Needs(needs) => needs,
        };
        let mut search = self.search.borrow_mut();
        let open = match search.nodes.package(*node) {
            Package::Root => search.ask(&needs),
            _ => search.open(&needs),
        };
        let rival = search.weigh(*node, &needs);
        drop(search);
        if let Some((rival, tries)) = rival {
            self.tell(*node, *ordinal, rival, tries);
        }
        Ok(Dependencies::Available(open))
    }

    fn should_cancel(&self) -> Result<(), Stop> {
        if self.watcher.cancelled() {
            return Err(Stop::Trouble(Error::no_answer("the solve was called off")));
        }
        if self.search.borrow_mut().wants_restart() { Err(Stop::Restart) } else { Ok(()) }
    }
}

impl From<Error> for Stop {
    fn from(error: Error) -> Self {
        Self::Trouble(error)
    }
}

impl fmt::Display for Stop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Restart => f.write_str("restart"),
            Self::Trouble(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for Stop {}
