//! Scouts: threads that run ahead of the solver through the packages it will most likely meet.
//!
//! The solver asks for one thing at a time, and each answer takes a round trip. A scout follows the
//! requirements of the likeliest candidate of each package, so that all packages of one level of the
//! graph are under way at once, as is from the beginning all that an older lock pins. What scouts find out goes
//! into [`Known`]; it never changes an answer, only when it is there.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use rustc_hash::FxHashSet;

use super::candidates::{Candidate, Candidates};
use super::edges;
use super::index::{Trust, Want};
use super::known::Known;
use crate::error::Error;
use crate::spec::{DistName, ExtraName, PackageName, Requirement, Specifiers};

/// The work of the scouts, shared by them.
#[derive(Default)]
pub(super) struct Scouts {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    queue: VecDeque<Errand>,
    seen: FxHashSet<(PackageName, Option<ExtraName>)>,
    /// How many scouts were sent.
    sent: usize,
    over: bool,
}

/// One package to look at: as a requirement names it, with one extra or without.
#[derive(Clone)]
struct Errand {
    name: PackageName,
    extra: Option<ExtraName>,
    specifiers: Specifiers,
    stage: Stage,
}

/// What is asked for next. Between listing and metadata an errand goes to the end of the queue, so that no scout waits
/// for the metadata of one package while the listings of others are there.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// What the newest release needs is asked for, where an older pin goes before it: people are told what holds it back.
    Newest,
    /// The listing is asked for.
    Listing,
    /// The metadata is.
    Metadata,
}

impl Errand {
    /// To any release of `name`, without extras.
    fn to(name: PackageName) -> Self {
        Self { name, extra: None, specifiers: Specifiers::default(), stage: Stage::Listing }
    }
}

impl Scouts {
    /// Sends scouts after the lines of the problem. They are not waited
    /// for: one that hangs on a slow answer when the solve is over ends by itself.
    pub(super) fn send(known: &Arc<Known>) -> Arc<Self> {
        let scouts = Arc::new(Self::default());
        scouts.recruit(known);
        if known.index.scouts() > 0 {
            let problem = &*known.problem;
            // What the lines name is asked for its newest release too, in the end.
            let named = problem.lines.iter().map(|line| Want::Listing(line.requirement.name.clone()));
            known.index.prefetch(&named.collect::<Vec<_>>());
            let requirements = problem.lines.iter().flat_map(|line| problem.effective(&line.requirement));
            scouts.follow(known, &requirements.collect::<Vec<_>>());
            scouts.set_out(known, problem.preferences.names().map(|name| Errand::to(name.clone())));
            let kept = problem.lines.iter().map(|line| &line.requirement.name);
            let kept = kept.filter(|name| !problem.preferences.of(name).is_empty());
            let newest = kept.map(|name| Errand { stage: Stage::Newest, ..Errand::to(name.clone()) });
            scouts.lock().queue.extend(newest);
            scouts.changed.notify_all();
        }
        scouts
    }

    /// Sends more scouts where the index has use for more by now.
    fn recruit(self: &Arc<Self>, known: &Arc<Known>) {
        let mut state = self.lock();
        while state.sent < known.index.scouts() {
            let (scouts, known) = (Arc::clone(self), Arc::clone(known));
            std::thread::spawn(move || scouts.run(&known));
            state.sent += 1;
        }
    }

    /// Calls the scouts back.
    pub(super) fn call_back(&self) {
        self.lock().over = true;
        self.changed.notify_all();
    }

    fn run(self: &Arc<Self>, known: &Arc<Known>) {
        while let Some(errand) = self.next() {
            self.recruit(known);
            // A scout that fails says nothing: the solver meets the same trouble if it matters.
            let _ = self.errand(known, &errand);
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn next(&self) -> Option<Errand> {
        let mut state = self.lock();
        loop {
            if state.over {
                return None;
            }
            if let Some(errand) = state.queue.pop_front() {
                return Some(errand);
            }
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn errand(&self, known: &Known, errand: &Errand) -> Result<(), Error> {
        if errand.stage == Stage::Newest {
            return ask_for_newest(known, &errand.name);
        }
        let fits =
            |first: &Arc<Candidates>| first.usable.iter().any(|it| errand.specifiers.contains(&it.version));
        let first = known.first(&errand.name)?.filter(fits);
        let candidates = first.map_or_else(|| known.candidates(&errand.name), Ok)?;
        let Some(best) = likeliest(known, &candidates, &errand.specifiers) else { return Ok(()) };
        if matches!(best.file().dist, DistName::Sdist { .. }) {
            // It may need a build, and that is for the solver to decide on.
            return Ok(());
        }
        if errand.stage == Stage::Listing {
            known.index.prefetch(&[Want::Metadata(best.file().clone(), Trust::Release)]);
            self.lock().queue.push_back(Errand { stage: Stage::Metadata, ..errand.clone() });
            self.changed.notify_one();
            return Ok(());
        }
        let Ok(metadata) = known.metadata(best)? else { return Ok(()) };
        let requirements = match &errand.extra {
            None => edges::base(&known.problem, &metadata),
            Some(extra) => edges::of_extra(&known.problem, &metadata, extra),
        };
        self.follow(known, &requirements);
        Ok(())
    }

    fn follow(&self, known: &Known, requirements: &[&Requirement]) {
        let errands = requirements.iter().flat_map(|requirement| {
            let extras = requirement.extras.iter().cloned().map(Some);
            let specifiers = requirement.specifiers();
            let errand = |extra| Errand {
                extra,
                specifiers: specifiers.clone(),
                ..Errand::to(requirement.name.clone())
            };
            std::iter::once(None).chain(extras).map(errand)
        });
        self.set_out(known, errands);
    }

    /// Sends scouts on those errands that none was sent on before.
    fn set_out(&self, known: &Known, errands: impl Iterator<Item = Errand>) {
        let errands: Vec<_> = {
            let mut state = self.lock();
            errands.filter(|errand| state.seen.insert((errand.name.clone(), errand.extra.clone()))).collect()
        };
        let wants: Vec<_> = errands.iter().map(|errand| known.want(&errand.name)).collect();
        known.index.prefetch(&wants);
        self.lock().queue.extend(errands);
        self.changed.notify_all();
    }
}

/// Asks for the newest release of `name` where another goes before it, and for the projects whose pins would be in
/// its way.
fn ask_for_newest(known: &Known, name: &PackageName) -> Result<(), Error> {
    let preferences = &known.problem.preferences;
    let Some((newest, Some(candidate))) = known.newest(name)? else { return Ok(()) };
    if preferences.of(name).contains(&newest) {
        return Ok(());
    }
    let Ok(metadata) = known.index.metadata(candidate.file(), Trust::Release) else { return Ok(()) };
    let is_misfit = |requirement: &&Requirement| {
        preferences.of(&requirement.name).first().is_some_and(|pin| !requirement.specifiers().contains(pin))
    };
    let misfits = edges::base(&known.problem, &metadata).into_iter().filter(is_misfit);
    let wants: Vec<_> = misfits.map(|misfit| Want::Listing(misfit.name.clone())).collect();
    known.index.prefetch(&wants);
    Ok(())
}

/// The candidate that the solver will most likely take, as far as one requirement tells.
fn likeliest<'c>(
    known: &Known,
    candidates: &'c Candidates,
    specifiers: &Specifiers,
) -> Option<&'c Candidate> {
    let preferences = known.problem.preferences.of(&candidates.name);
    let fits = || candidates.usable.iter().rev().filter(|candidate| specifiers.contains(&candidate.version));
    let preferred =
        preferences.iter().find_map(|version| fits().find(|candidate| candidate.version == *version));
    preferred.or_else(|| fits().min_by_key(|candidate| candidate.standing))
}
