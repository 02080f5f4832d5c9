//! pubgrub's view of a problem: sets of ordinals, and the order in which packages are decided.

mod choice;
mod needs;

use std::cell::RefCell;
use std::cmp::Reverse;
use std::fmt;
use std::sync::Arc;

use pubgrub::{Dependencies, DependencyProvider, PackageResolutionStatistics, VersionSet as _};

use super::candidates::Reason;
use super::known::Known;
use super::package::Package;
use super::search::{Found, Search};
use super::set::{Ordinal, OrdinalSet};
use crate::error::Error;
use crate::event::{Event, Watcher};
use crate::spec::{DistFile, PackageName};

/// The provider of one run of pubgrub.
pub(super) struct Provider<'a> {
    known: &'a Known,
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
    pub(super) fn new(known: &'a Known, search: &'a mut Search, watcher: &'a dyn Watcher) -> Self {
        Self { known, search: RefCell::new(search), watcher, asked: RefCell::default() }
    }

    /// The files whose metadata this run has used.
    pub(super) fn into_asked(self) -> Vec<Arc<DistFile>> {
        self.asked.into_inner()
    }

    /// Says of a long search what it is deciding between.
    fn tell(&self, package: &Package, ordinal: Ordinal, rival: &PackageName, tries: usize) {
        if tries < LONG || !tries.is_multiple_of(SAID_EVERY) {
            return;
        }
        let told = |name: &PackageName, ordinal: Option<Ordinal>| {
            let version = ordinal.zip(self.seen(name)).map(|(n, all)| format!(" {}", all.get(n).version));
            format!("{name}{}", version.unwrap_or_default())
        };
        let Some(name) = package.name() else { return };
        let of_rival = self.search.borrow().decided(rival);
        let (tried, against) = (told(name, Some(ordinal)), told(rival, of_rival));
        self.watcher.on(Event::Deciding { tried, against, tries });
    }
}

/// From how many tries that were at odds with another choice on a search is long, and how often it then says
/// what it is deciding between: a number, not a time, so that the same question is told in the same words.
const LONG: usize = 40;
const SAID_EVERY: usize = 20;

impl DependencyProvider for Provider<'_> {
    type P = Package;
    type V = Ordinal;
    type VS = OrdinalSet;
    type Priority = Priority;
    type M = Reason;
    type Err = Stop;

    fn prioritize(&self, package: &Package, range: &OrdinalSet, _: &PackageResolutionStatistics) -> Priority {
        let mut search = self.search.borrow_mut();
        let Some(name) = package.name() else { return (Class::Given, Reverse(search.met(package))) };
        let place = Reverse(search.met(package));
        if let Package::Dist(_) = package {
            search.leave(name, range);
        }
        if let Some(trouble) = search.trouble(name) {
            return (Class::Troubled(trouble), place);
        }
        let class = match search.views.of(name) {
            Some(seen) if seen.leaves_no_choice(range) => Class::Forced,
            _ if search.is_late(name) => Class::Late,
            _ => Class::Ordinary,
        };
        (class, place)
    }

    fn choose_version(&self, package: &Package, range: &OrdinalSet) -> Result<Option<Ordinal>, Stop> {
        let Some(name) = package.name() else { return Ok(Some(0)) };
        let candidates = self.view(name, None)?;
        if candidates.only_first().is_some() && !range.contains(&0) {
            self.contest(name)?;
            self.search.borrow_mut().undecide(name);
            return Ok(candidates.beyond(range));
        }
        let decided = self.search.borrow().decided(name).filter(|decided| range.contains(decided));
        let best = self.best(&candidates, range);
        let choice = match package {
            Package::Extra(..) if decided.is_some() => decided,
            _ => best.and_then(|best| self.next(&candidates, range, best)),
        };
        if let Some(ordinal) = choice.filter(|_| matches!(package, Package::Dist(_)) || choice != decided) {
            let tries = match package {
                Package::Extra(..) => self.search.borrow_mut().attempt(name, ordinal),
                _ => self.search.borrow_mut().decide(name, ordinal),
            };
            // Where it is known from an earlier run, what comes after it was asked for then.
            let is_new = self.search.borrow().found(package, ordinal).is_none();
            if best == choice && is_new {
                self.expect_more(&candidates, range, ordinal, tries);
            }
        }
        let search = self.search.borrow();
        self.watcher.on(Event::Solving { met: search.packages_met(), decided: search.packages_decided() });
        Ok(choice)
    }

    fn get_dependencies(
        &self,
        package: &Package,
        ordinal: &Ordinal,
    ) -> Result<Dependencies<Package, OrdinalSet, Reason>, Stop> {
        let dependencies = match self.found(package, *ordinal)? {
            Found::Barred(reason) => return Ok(Dependencies::Unavailable(reason)),
            Found::Needs(dependencies) => dependencies,
        };
        let rival = self.search.borrow_mut().weigh(package, &dependencies);
        if let Some((rival, tries)) = rival {
            self.tell(package, *ordinal, &rival, tries);
        }
        Ok(Dependencies::Available(dependencies.iter().cloned().collect()))
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
