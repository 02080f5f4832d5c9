//! pubgrub's view of a problem: sets of ordinals, and the order in which packages are decided.

use std::cell::RefCell;
use std::cmp::Reverse;
use std::fmt;
use std::sync::Arc;

use pubgrub::{Dependencies, DependencyProvider, PackageResolutionStatistics, VersionSet as _};

use super::candidates::{Candidate, Candidates, Standing};
use super::edges;
use super::index::{Trust, Want};
use super::known::Known;
use super::package::Package;
use super::search::{Found, Search};
use super::set::{Ordinal, OrdinalSet};
use super::stride;
use crate::error::Error;
use crate::event::{Event, Watcher};
use crate::spec::{DistFile, PackageName, Requirement, Source};

/// From how many tries of one package on the metadata of more of its candidates is asked for ahead.
const ASK_AHEAD: usize = 2;

/// How many are asked for ahead at most.
const MOST_AHEAD: usize = 32;

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
    /// All releases of a package have to be looked at where only the first was.
    Contested,
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

    fn requirements_of_root(&self) -> Vec<(Package, OrdinalSet)> {
        let lines = 0..self.known.problem.lines.len();
        lines.map(|line| (Package::Line(line), OrdinalSet::singleton(0))).collect()
    }

    fn of_line(&self, line: usize) -> Result<Vec<(Package, OrdinalSet)>, Stop> {
        let problem = &*self.known.problem;
        let requirements = problem.effective(&problem.lines[line].requirement);
        let dependencies = self.dependencies(&requirements)?;
        for (package, permitted) in &dependencies {
            if let Package::Dist(name) = package {
                let all = self.seen(name).filter(|seen| seen.only_first().is_none());
                if all.is_some_and(|all| permitted.len(all.count()) < 2) {
                    self.search.borrow_mut().fix(name);
                }
            }
        }
        Ok(dependencies)
    }

    /// What a candidate comes to.
    fn of_candidate(&self, package: &Package, name: &PackageName, ordinal: Ordinal) -> Result<Found, Stop> {
        let candidates = self.view(name)?;
        let candidate = candidates.get(ordinal);
        self.asked.borrow_mut().push(candidate.file().clone());
        if let Some(found) = self.search.borrow().found(package, ordinal) {
            return Ok(found);
        }
        let found = self.find_out(package, name, candidate, ordinal)?;
        self.search.borrow_mut().find(package, ordinal, found.clone());
        Ok(found)
    }

    fn find_out(
        &self,
        package: &Package,
        name: &PackageName,
        candidate: &Candidate,
        ordinal: Ordinal,
    ) -> Result<Found, Stop> {
        let metadata = match self.known.metadata(candidate)? {
            Ok(metadata) => metadata,
            Err(reason) => return Ok(Found::Barred(reason.to_string())),
        };
        let problem = &*self.known.problem;
        let python = metadata.requires_python.as_ref();
        if let Some(python) = python.filter(|python| !python.lower_bounds_contain(problem.target.python())) {
            return Ok(Found::Barred(format!("needs Python {python}")));
        }
        let (mut dependencies, requirements) = match package {
            Package::Extra(_, extra) => {
                let itself = (Package::Dist(name.clone()), OrdinalSet::singleton(ordinal));
                (vec![itself], edges::of_extra(problem, &metadata, extra))
            }
            _ => (Vec::new(), edges::base(problem, &metadata)),
        };
        if let Some(reason) = self.impossible(name, candidate, &requirements) {
            return Ok(Found::Barred(reason));
        }
        let others = requirements.into_iter().filter(|r| r.name != *name || !r.extras.is_empty());
        dependencies.extend(self.dependencies(&others.collect::<Vec<_>>())?);
        Ok(Found::Needs(merged(dependencies, package).into()))
    }

    /// Why no choice of other packages can make this candidate's requirements hold.
    fn impossible(
        &self,
        name: &PackageName,
        candidate: &Candidate,
        requirements: &[&Requirement],
    ) -> Option<String> {
        requirements.iter().find_map(|requirement| {
            if edges::contradicts_itself(requirement, name, candidate) {
                return Some(format!("requires `{requirement}`, which it is not itself"));
            }
            let Source::Url(url) = &requirement.source else { return None };
            let named = self.known.problem.urls(&requirement.name).contains(&url);
            (!named).then(|| format!("requires `{requirement}` by URL, which the inputs do not name"))
        })
    }

    /// Each package that `requirements` lead to, with the candidates permitted; waits for the listings.
    fn dependencies(&self, requirements: &[&Requirement]) -> Result<Vec<(Package, OrdinalSet)>, Stop> {
        let wants: Vec<_> = requirements.iter().map(|r| self.known.want(&r.name)).collect();
        self.known.index.prefetch(&wants);
        let mut dependencies = Vec::new();
        for requirement in requirements {
            let permitted = self.permitted(requirement)?;
            dependencies.extend(edges::packages(requirement).map(|package| (package, permitted.clone())));
        }
        Ok(dependencies)
    }

    /// The candidates that a requirement permits. Of a package that only the first one was looked at, that is any.
    fn permitted(&self, requirement: &Requirement) -> Result<OrdinalSet, Stop> {
        let name = &requirement.name;
        let mut view = self.view(name)?;
        if let Some(first) = view.only_first() {
            if requirement.specifiers().contains(&first.version) {
                self.known.index.prefetch(&[metadata_of(&view, 0)]);
                self.search.borrow_mut().views.tell(name);
                return Ok(OrdinalSet::full());
            }
            match self.contest(name)? {
                Some(all) => view = all,
                None => return Ok(OrdinalSet::full()),
            }
        }
        self.permit_yanked(requirement, &view)?;
        let permitted = edges::permitted(requirement, &view);
        self.expect_best(&view, &permitted);
        self.search.borrow_mut().views.tell(name);
        Ok(permitted)
    }

    /// What is seen of `name`; waits for its listing.
    fn view(&self, name: &PackageName) -> Result<Arc<Candidates>, Stop> {
        if let Some(seen) = self.seen(name) {
            return Ok(seen);
        }
        let begins_whole = self.search.borrow().views.begin_whole();
        let first = if begins_whole { None } else { self.known.first(name)? };
        let view = first.map_or_else(|| self.known.candidates(name), Ok)?;
        self.search.borrow_mut().views.see(view.clone());
        Ok(view)
    }

    /// What is seen of `name` so far.
    pub(super) fn seen(&self, name: &PackageName) -> Option<Arc<Candidates>> {
        self.search.borrow().views.of(name).cloned()
    }

    /// Looks at all candidates of a package of which only the first one was looked at: at once where pubgrub was
    /// not told of it yet, else from the next run on.
    fn contest(&self, name: &PackageName) -> Result<Option<Arc<Candidates>>, Stop> {
        self.known.index.prefetch(&[Want::Listing(name.clone())]);
        if self.search.borrow().views.was_told(name) {
            self.search.borrow_mut().views.contest(name);
            return Ok(None);
        }
        let all = self.known.candidates(name)?;
        self.search.borrow_mut().views.see(all.clone());
        Ok(Some(all))
    }

    /// An exact pin permits a yanked release (PEP 592). One that comes to light in mid-search changes what
    /// was decided before, so the search begins again.
    fn permit_yanked(&self, requirement: &Requirement, candidates: &Candidates) -> Result<(), Stop> {
        if requirement.specifiers().pinned().is_none()
            && !self.known.problem.constraints_pin(&requirement.name)
        {
            return Ok(());
        }
        let pinned = |candidate: &&Candidate| requirement.specifiers().contains(&candidate.version);
        let yanked = candidates
            .usable
            .iter()
            .filter(|candidate| candidate.standing == Standing::Yanked)
            .filter(pinned);
        let mut search = self.search.borrow_mut();
        let news = yanked
            .filter(|candidate| search.permit_yanked(&requirement.name, candidate.version.clone()))
            .count();
        if news == 0 { Ok(()) } else { Err(Stop::Restart) }
    }

    /// Asks ahead for the metadata of the candidate that will most likely be chosen.
    fn expect_best(&self, candidates: &Candidates, permitted: &OrdinalSet) {
        if let Some(best) = self.best(candidates, permitted) {
            self.known.index.prefetch(&[metadata_of(candidates, best)]);
        }
    }

    /// When several candidates of a package were tried, asks ahead for the next ones: as many again. They need not
    /// be `left` yet: of projects that are released together each lets in one release of the next at a time. When
    /// the search is in long strides, what lies beyond is passed over.
    fn expect_more(&self, candidates: &Candidates, left: &OrdinalSet, tried: Ordinal, tries: usize) {
        if tries < ASK_AHEAD {
            return;
        }
        let standing = candidates.get(tried).standing;
        let alike = |ordinal: &Ordinal| {
            candidates.get(*ordinal).standing == standing && (tries < stride::FROM || left.contains(ordinal))
        };
        let of = |ordinal: Ordinal| metadata_of(candidates, ordinal);
        let ahead = tries.min(MOST_AHEAD);
        let wants: Vec<_> = if self.known.problem.wants_lowest(&candidates.name) {
            (tried + 1..candidates.count()).filter(alike).take(ahead).map(of).collect()
        } else {
            (0..tried).rev().filter(alike).take(ahead).map(of).collect()
        };
        self.known.index.prefetch(&wants);
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

    /// The candidate to take: a preferred one, else the first in the order of the policy.
    fn best(&self, candidates: &Candidates, permitted: &OrdinalSet) -> Option<Ordinal> {
        let problem = &*self.known.problem;
        let search = self.search.borrow();
        let open = |candidate: &Candidate| match candidate {
            Candidate { standing: Standing::Yanked, version, .. } => {
                search.is_permitted(&candidates.name, version)
            }
            _ => true,
        };
        let is_lowest_first = problem.wants_lowest(&candidates.name);
        let first = |fits: &dyn Fn(&Candidate) -> bool| {
            let mut fitting =
                permitted.ordinals(candidates.count()).filter(|&ordinal| fits(candidates.get(ordinal)));
            if is_lowest_first { fitting.next() } else { fitting.next_back() }
        };
        // A preference decides among equals only: a stable release goes before any pre-release.
        let standings = [Standing::Stable, Standing::Prerelease, Standing::Yanked];
        let of_standing = |standing| first(&|candidate| candidate.standing == standing && open(candidate));
        let (best, standing) =
            standings.into_iter().find_map(|standing| Some((of_standing(standing)?, standing)))?;
        let preferred = problem.preferences.of(&candidates.name).iter().find_map(|version| {
            first(&|candidate| {
                candidate.standing == standing && candidate.version == *version && open(candidate)
            })
        });
        Some(preferred.unwrap_or(best))
    }

    /// The candidate to try next: the best, unless many better ones were tried in vain.
    fn next(&self, candidates: &Candidates, left: &OrdinalSet, best: Ordinal) -> Option<Ordinal> {
        let (known, mut search) = (self.known, self.search.borrow_mut());
        let Candidate { version, standing, .. } = candidates.get(best);
        let is_preferred = known.problem.preferences.of(&candidates.name).contains(version);
        if is_preferred || *standing == Standing::Yanked || !search.strides_through(&candidates.name) {
            return Some(best);
        }
        let rank = |ordinal| known.rank(candidates, ordinal);
        let alike = |ordinal: &Ordinal| candidates.get(*ordinal).standing == *standing;
        let mut ranks: Vec<_> = left.ordinals(candidates.count()).filter(alike).map(rank).collect();
        ranks.sort_unstable();
        let (pick, after) = search.stride(&candidates.name, &ranks, rank)?;
        // A rank's own rank is the ordinal again.
        if rank(pick) != best {
            let wants: Vec<_> = after.into_iter().map(|after| metadata_of(candidates, rank(after))).collect();
            known.index.prefetch(&wants);
        }
        Some(rank(pick))
    }
}

fn metadata_of(candidates: &Candidates, ordinal: Ordinal) -> Want {
    Want::Metadata(candidates.get(ordinal).file().clone(), Trust::Release)
}

/// From how many tries that were at odds with another choice on a search is long, and how often it then says
/// what it is deciding between: a number, not a time, so that the same question is told in the same words.
const LONG: usize = 40;
const SAID_EVERY: usize = 20;

/// One entry a package, their sets intersected, ordered by package; none on `own` itself.
fn merged(mut dependencies: Vec<(Package, OrdinalSet)>, own: &Package) -> Vec<(Package, OrdinalSet)> {
    dependencies.retain(|(package, _)| package != own);
    dependencies.sort_by(|a, b| a.0.cmp(&b.0));
    dependencies.dedup_by(|next, kept| {
        let same = next.0 == kept.0;
        if same {
            kept.1 = kept.1.intersection(&next.1);
        }
        same
    });
    dependencies
}

impl DependencyProvider for Provider<'_> {
    type P = Package;
    type V = Ordinal;
    type VS = OrdinalSet;
    type Priority = Priority;
    type M = String;
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
        let all = search.views.of(name).filter(|seen| seen.only_first().is_none());
        let class = match all.map(|all| range.len(all.count())) {
            Some(0 | 1) => Class::Forced,
            _ if search.is_late(name) => Class::Late,
            _ => Class::Ordinary,
        };
        (class, place)
    }

    fn choose_version(&self, package: &Package, range: &OrdinalSet) -> Result<Option<Ordinal>, Stop> {
        let Some(name) = package.name() else { return Ok(Some(0)) };
        let candidates = self.view(name)?;
        if candidates.only_first().is_some() && !range.contains(&0) {
            self.contest(name)?;
            return Err(Stop::Contested);
        }
        let decided = self.search.borrow().decided(name).filter(|decided| range.contains(decided));
        let best = self.best(&candidates, range);
        let choice = match package {
            Package::Extra(..) if decided.is_some() => decided,
            _ => best.and_then(|best| self.next(&candidates, range, best)),
        };
        if let (Package::Dist(_), Some(ordinal)) = (package, choice) {
            let tries = self.search.borrow_mut().decide(name, ordinal);
            if best == choice {
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
    ) -> Result<Dependencies<Package, OrdinalSet, String>, Stop> {
        let dependencies = match package {
            Package::Root => self.requirements_of_root().into(),
            Package::Line(line) => merged(self.of_line(*line)?, package).into(),
            Package::Dist(name) | Package::Extra(name, _) => {
                match self.of_candidate(package, name, *ordinal)? {
                    Found::Barred(reason) => return Ok(Dependencies::Unavailable(reason)),
                    Found::Needs(dependencies) => dependencies,
                }
            }
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
            Self::Contested => f.write_str("contested"),
            Self::Trouble(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for Stop {}
