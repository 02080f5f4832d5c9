//! Scouts: threads that run ahead of the solver through the packages it will most likely meet.
//!
//! The solver asks for one thing at a time, and each answer takes a round trip. A scout follows the
//! requirements of the likeliest candidate of each package, so that all packages of one level of the
//! graph are under way at once, as is from the beginning all that an older lock pins. Where a requirement comes to light
//! that this candidate does not fit, the next likeliest is followed as well. What scouts find out goes
//! into [`SolverIndex`]; it never changes an answer, only when it is there.

use std::collections::{BTreeSet, VecDeque};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};

use rustc_hash::FxHashMap;

use super::candidates::{Candidate, Candidates};
use super::edges;
use super::index::{IndexQuery, Trust};
use super::known::SolverIndex;
use pinfast_base::error::Error;
use pinfast_base::sync::unpoisoned;
use pinfast_packaging::{DistFilename, ExtraName, Metadata, PackageName, Requirement, SpecifierSet, Version};

/// Of how many packages the newest release is looked at because that of another asks for it: see [`Stage::Newest`].
const MOST_BEYOND: usize = 8;

/// How many packages scouts are sent after at once.
const AT_ONCE: usize = 64;

/// How many different specifiers on one package scouts heed: hostile metadata may have any number.
const MOST_SPECIFIERS: usize = 64;

/// The work of the scouts, shared by them.
#[derive(Default)]
pub(super) struct Scouts {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    queue: VecDeque<Errand>,
    asked: FxHashMap<PackageName, Asked>,
    /// Of how many packages the newest release was looked at because that of another asks for it.
    newest_beyond: usize,
    /// How many scouts were sent.
    sent: usize,
    over: bool,
}

/// What was asked of a package so far.
#[derive(Default)]
struct Asked {
    /// Each once, and which packages ask for it.
    bounds: Vec<(SpecifierSet, BTreeSet<PackageName>)>,
    /// Without extras, and with each of these.
    extras: BTreeSet<Option<ExtraName>>,
    /// The releases that were followed; the last is the likeliest.
    followed: Vec<(Option<ExtraName>, Version)>,
}

/// One package to look at: with one extra or without.
struct Errand {
    name: PackageName,
    extra: Option<ExtraName>,
    stage: Stage,
}

/// What is asked for next. Between listing and metadata an errand goes to the end of the queue, so that no scout waits
/// for the metadata of one package while the listings of others are there.
enum Stage {
    /// What the newest release needs is asked for, where an older pin goes before it: people are told what holds it back.
    Newest,
    /// What the index says of the newest release before it tells the files is followed.
    Foretold,
    /// The listing is asked for.
    Listing,
    /// The metadata of this candidate is.
    Metadata(Box<Candidate>),
}

impl Asked {
    /// Adds what is asked; tells for which extras the package is to be looked at: for new ones, or for all again where
    /// what was likeliest does not fit any more.
    fn add(
        &mut self,
        by: Option<&PackageName>,
        specifiers: &SpecifierSet,
        extras: impl Iterator<Item = Option<ExtraName>>,
    ) -> News {
        let new: Vec<_> = extras.filter(|extra| self.extras.insert(extra.clone())).collect();
        if let Some((_, dependents)) = self.bounds.iter_mut().find(|(bound, _)| bound == specifiers) {
            dependents.extend(by.cloned());
            return News::Extras(new);
        }
        if self.bounds.len() == MOST_SPECIFIERS {
            return News::Extras(new);
        }
        self.bounds.push((specifiers.clone(), by.cloned().into_iter().collect()));
        match self.followed.last() {
            Some((_, likeliest)) if !specifiers.contains(likeliest) => News::Misfit,
            _ => News::Extras(new),
        }
    }

    fn permits(&self, version: &Version) -> bool {
        self.bounds.iter().all(|(specifiers, _)| specifiers.contains(version))
    }

    fn specifiers(&self) -> Vec<SpecifierSet> {
        self.bounds.iter().map(|(specifiers, _)| specifiers.clone()).collect()
    }

    /// The packages that ask for something else than `version`.
    fn opposed(&self, version: &Version) -> impl Iterator<Item = &PackageName> {
        self.bounds.iter().filter(|(specifiers, _)| !specifiers.contains(version)).flat_map(|(_, by)| by)
    }
}

/// What is new of a package.
enum News {
    /// It is to be looked at with these.
    Extras(Vec<Option<ExtraName>>),
    /// What was likeliest does not fit any more.
    Misfit,
}

impl Scouts {
    /// Sends scouts after the lines of the problem. They are not waited
    /// for: one that hangs on a slow answer when the solve is over ends by itself.
    pub(super) fn send(known: &Arc<SolverIndex>) -> Arc<Self> {
        let scouts = Arc::new(Self::default());
        scouts.recruit(known);
        if known.source.prefetch_concurrency() > 0 {
            let problem = &*known.problem;
            // What the lines name is asked for its newest release too, in the end.
            let named = problem.lines.iter().map(|line| known.want_newest(&line.requirement.name));
            known.source.prefetch(&named.collect::<Vec<_>>());
            let requirements =
                problem.lines.iter().flat_map(|line| problem.apply_overrides(&line.requirement));
            scouts.follow(known, None, &requirements.collect::<Vec<_>>());
            let any = SpecifierSet::default();
            scouts.set_out(
                known,
                None,
                problem.preferences.names().map(|name| (name, &any, &[] as &[ExtraName])),
            );
            let kept = problem.lines.iter().map(|line| line.requirement.name.clone());
            let kept = kept.filter(|name| !problem.preferences.versions(name).is_empty());
            let newest = kept.map(|name| Errand { name, extra: None, stage: Stage::Newest });
            scouts.lock().queue.extend(newest);
            scouts.changed.notify_all();
        }
        scouts
    }

    /// Sends more scouts where the index has use for more by now.
    fn recruit(self: &Arc<Self>, known: &Arc<SolverIndex>) {
        let mut state = self.lock();
        while state.sent < known.source.prefetch_concurrency() {
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

    fn run(self: &Arc<Self>, known: &Arc<SolverIndex>) {
        while let Some(errand) = self.next() {
            self.recruit(known);
            // A scout that fails says nothing: the solver meets the same trouble if it matters.
            let _ = self.errand(known, errand);
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        unpoisoned(self.state.lock())
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
            state = unpoisoned(self.changed.wait(state));
        }
    }

    fn errand(&self, known: &SolverIndex, errand: Errand) -> Result<(), Error> {
        let Errand { name, extra, stage } = errand;
        match stage {
            Stage::Newest => self.ask_for_newest(known, &name),
            Stage::Foretold => {
                let Some(metadata) = known.source.newest_metadata(&name) else {
                    return self.choose(known, name, extra);
                };
                if !runs(known, &metadata) {
                    known.source.prefetch(&[IndexQuery::Listing(name.clone())]);
                } else if self.permits(known, &name, &metadata.version) {
                    self.follow(known, Some(&name), &needs(known, &metadata, extra.as_ref()));
                }
                self.lock().queue.push_back(Errand { name, extra, stage: Stage::Listing });
                self.changed.notify_one();
                Ok(())
            }
            Stage::Listing => self.choose(known, name, extra),
            Stage::Metadata(candidate) => {
                let Ok(metadata) = known.metadata(&candidate)? else { return Ok(()) };
                self.follow(known, Some(&name), &needs(known, &metadata, extra.as_ref()));
                Ok(())
            }
        }
    }

    /// Asks for the metadata of the likeliest candidate of `name`, as far as is known what is asked of it.
    fn choose(&self, known: &SolverIndex, name: PackageName, extra: Option<ExtraName>) -> Result<(), Error> {
        let heard = self.lock().asked.get(&name).map(Asked::specifiers).unwrap_or_default();
        let fits = |version: &Version| heard.iter().all(|specifiers| specifiers.contains(version));
        let first = known
            .first(&name, heard.iter().find_map(SpecifierSet::pinned))?
            .filter(|first| first.only_first().is_some_and(|it| self.permits(known, &name, &it.version)));
        let candidates = first.map_or_else(|| known.candidates(&name), Ok)?;
        let Some(likeliest) = likeliest(known, &candidates, fits) else { return Ok(()) };
        if matches!(likeliest.file().dist, DistFilename::Sdist { .. }) {
            // It may need a build, and that is for the solver to decide on.
            return Ok(());
        }
        let mut state = self.lock();
        let asked = state.asked.entry(name.clone()).or_default();
        let follows = (extra.clone(), likeliest.version.clone());
        if asked.followed.contains(&follows) {
            return Ok(());
        }
        let stage = if asked.permits(&likeliest.version) {
            asked.followed.push(follows);
            Stage::Metadata(Box::new(likeliest.clone()))
        } else {
            // More was asked meanwhile.
            Stage::Listing
        };
        drop(state);
        if let Stage::Metadata(likeliest) = &stage {
            known.source.prefetch(&[IndexQuery::Metadata(likeliest.file().clone(), Trust::Release)]);
        }
        let mut state = self.lock();
        state.queue.push_back(Errand { name, extra, stage });
        self.changed.notify_one();
        Ok(())
    }

    /// Asks for the newest release of `name` where another goes before it, for the projects whose pins would be in
    /// its way, and for their newest releases.
    fn ask_for_newest(&self, known: &SolverIndex, name: &PackageName) -> Result<(), Error> {
        let preferences = &known.problem.preferences;
        let Some(metadata) = newest_word(known, name)? else { return Ok(()) };
        if preferences.versions(name).contains(&metadata.version) {
            return Ok(());
        }
        let is_misfit = |requirement: &&Requirement| {
            let pin = preferences.versions(&requirement.name).first();
            pin.is_some_and(|pin| !requirement.specifiers().contains(pin))
        };
        let misfits = edges::base(&known.problem, &metadata).into_iter().filter(is_misfit);
        let misfits: Vec<_> = misfits.map(|misfit| misfit.name.clone()).collect();
        known.source.prefetch(&misfits.iter().cloned().map(IndexQuery::Listing).collect::<Vec<_>>());
        let mut state = self.lock();
        let beyond = misfits.into_iter().take(MOST_BEYOND - state.newest_beyond);
        let beyond: Vec<_> = beyond.map(|name| Errand { name, extra: None, stage: Stage::Newest }).collect();
        state.newest_beyond += beyond.len();
        state.queue.extend(beyond);
        drop(state);
        self.changed.notify_all();
        Ok(())
    }

    /// Whether all that is asked of `name` so far permits `version`, the release that is looked at first; where it does
    /// not, all releases are asked for: of `name` and of those that ask for less, since one of them has to give way.
    fn permits(&self, known: &SolverIndex, name: &PackageName, version: &Version) -> bool {
        let state = self.lock();
        let Some(asked) = state.asked.get(name).filter(|asked| !asked.permits(version)) else { return true };
        let concerned = asked.opposed(version).chain([name]).cloned();
        let wants: Vec<_> = concerned.map(IndexQuery::Listing).collect();
        drop(state);
        known.source.prefetch(&wants);
        false
    }

    fn follow(&self, known: &SolverIndex, by: Option<&PackageName>, requirements: &[&Requirement]) {
        let asked = requirements.iter().map(|it| (&it.name, it.specifiers(), it.extras.as_slice()));
        self.set_out(known, by, asked);
    }

    /// Sends scouts on what is new in these: packages, each with specifiers and extras. Of many, the first are under way
    /// while the others are looked at.
    fn set_out<'r>(
        &self,
        known: &SolverIndex,
        by: Option<&PackageName>,
        asked: impl Iterator<Item = (&'r PackageName, &'r SpecifierSet, &'r [ExtraName])>,
    ) {
        let mut asked = asked.peekable();
        while asked.peek().is_some() {
            self.set_out_some(known, by, asked.by_ref().take(AT_ONCE));
        }
    }

    fn set_out_some<'r>(
        &self,
        known: &SolverIndex,
        by: Option<&PackageName>,
        asked: impl Iterator<Item = (&'r PackageName, &'r SpecifierSet, &'r [ExtraName])>,
    ) {
        let (mut errands, mut wants) = (Vec::new(), Vec::new());
        let mut state = self.lock();
        for (name, specifiers, extras) in asked {
            let package = state.asked.entry(name.clone()).or_default();
            let extras = std::iter::once(None).chain(extras.iter().cloned().map(Some));
            let (extras, want) = match package.add(by, specifiers, extras) {
                News::Extras(new) if new.is_empty() => continue,
                News::Extras(new) => (new, known.want(name, specifiers)),
                News::Misfit => {
                    wants.extend(by.cloned().map(IndexQuery::Listing));
                    (package.extras.iter().cloned().collect(), IndexQuery::Listing(name.clone()))
                }
            };
            let stage =
                || if matches!(want, IndexQuery::Newest(_)) { Stage::Foretold } else { Stage::Listing };
            let errand = |extra| Errand { name: name.clone(), extra, stage: stage() };
            errands.extend(extras.into_iter().map(errand));
            wants.push(want);
        }
        drop(state);
        if errands.is_empty() {
            return;
        }
        known.source.prefetch(&wants);
        self.lock().queue.extend(errands);
        self.changed.notify_all();
    }
}

/// What is said of the newest release of `name`.
fn newest_word(known: &SolverIndex, name: &PackageName) -> Result<Option<Arc<Metadata>>, Error> {
    if let Some(word) = known.source.newest_metadata(name) {
        return Ok(Some(word));
    }
    let Some((_, Some(candidate))) = known.newest(name)? else { return Ok(None) };
    Ok(known.source.metadata(candidate.file(), Trust::Release).ok())
}

/// What a release with this metadata needs, or what one of its extras adds.
fn needs<'m>(
    known: &'m SolverIndex,
    metadata: &'m Metadata,
    extra: Option<&ExtraName>,
) -> Vec<&'m Requirement> {
    match extra {
        None => edges::base(&known.problem, metadata),
        Some(extra) => edges::of_extra(&known.problem, metadata, extra),
    }
}

/// Whether a release of which nothing but this is known runs in the target, as far as that tells.
fn runs(known: &SolverIndex, metadata: &Metadata) -> bool {
    let python = metadata.requires_python.as_ref();
    python.is_none_or(|python| python.lower_bounds_contain(known.problem.target.python()))
}

/// The candidate that the solver will most likely take, of those that fit.
fn likeliest<'c>(
    known: &SolverIndex,
    candidates: &'c Candidates,
    fits: impl Fn(&Version) -> bool,
) -> Option<&'c Candidate> {
    let preferences = known.problem.preferences.versions(&candidates.name);
    let fitting = || candidates.usable.iter().rev().filter(|candidate| fits(&candidate.version));
    let preferred =
        preferences.iter().find_map(|version| fitting().find(|candidate| candidate.version == *version));
    preferred.or_else(|| fitting().min_by_key(|candidate| candidate.tier))
}
