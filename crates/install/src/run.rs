//! Installs: everything is found out, fetched and checked first; then the environment changes.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use rayon::prelude::*;
use rustc_hash::FxHashSet;

use super::archive::Limits;
use super::compile::{Compile, compile};
use super::conflict::{self, Ground, owned_by};
use super::covers::covers;
use super::environment::Environment;
use super::installed::{self, Installed, Site};
use super::journal::{self, Journal};
use super::layout::{Extras, Layout, NoLayout, Requested, layout};
use super::obtain::{Means, obtain};
use super::place::{fill, place};
use super::plan::{self, Change, Plan, Prune, Why};
use super::remove::{self, Removal};
use super::source::Files;
use super::store::{CachedWheel, Health, Store};
use super::strays;
use super::take::LinkMode;
use super::venv::{self, BasePython, State};
use super::verify;
use pinfast_base::error::{Error, Result};
use pinfast_base::event::{Event, Watcher};
use pinfast_lock::{Lock, Pin, Via};
use pinfast_packaging::{PackageName, Version};

/// What is to be installed where, and how.
#[derive(Debug)]
pub struct Request<'a> {
    /// What is to be there.
    pub lock: &'a Lock,
    /// Where.
    pub place: Place,
    /// The cache.
    pub store: &'a Store,
    /// What may go.
    pub prune: Prune,
    /// How closely what is there is looked at.
    pub effort: Effort,
    /// How files come out of the cache.
    pub link: LinkMode,
    /// Whether sources are compiled.
    pub compile: Compile,
    /// Whether anything is changed.
    pub run: Run,
    /// How much an archive may hold.
    pub limits: Limits,
}

/// Where an installation goes.
#[derive(Clone, Debug)]
pub enum Place {
    /// Into an environment that is there.
    Existing(Environment),
    /// Into one that is created first, unless another run does so meanwhile.
    New {
        /// Its folder, absolute.
        folder: PathBuf,
        /// What it is made from.
        base: BasePython,
    },
}

/// How closely what is installed already is looked at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Effort {
    /// Names, versions, and from which archive they came.
    #[default]
    Look,
    /// Every file's hash as well: what was altered is installed anew.
    Hash,
}

/// Whether anything is changed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Run {
    /// It is done.
    #[default]
    Real,
    /// It is only said what would be done; the environment and its folder stay untouched.
    Dry,
}

/// What an installation did, or would do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// The environment.
    pub environment: PathBuf,
    /// What changed, sorted by name.
    pub changes: Vec<Done>,
    /// How many distributions were right as they were.
    pub kept: usize,
    /// What the lock does not name and stayed all the same, each `NAME VERSION`.
    pub spared: Vec<String>,
    /// How many files were fetched.
    pub fetched: u64,
}

/// One change.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Done {
    /// The package.
    pub name: PackageName,
    /// The version that went; several where a package was there twice.
    pub old: Vec<Version>,
    /// The version that came.
    pub new: Option<Version>,
    /// Why it was not right as it was; `None` for what only went.
    pub why: Option<Why>,
}

/// Makes the environment exactly the lock.
///
/// Until every file that is needed lies checked in the cache, nothing in the environment changes. From
/// then on, a run that is killed leaves a note, by which the next one finishes the work.
///
/// # Errors
/// `Usage` for a lock that cannot be installed from, `No` for one that does not fit the environment,
/// `Refused` for a file that is not what it should be, `NoAnswer` when the world does not let it.
pub fn install(request: &Request<'_>, files: &dyn Files, watcher: &dyn Watcher) -> Result<Outcome> {
    let fetched = AtomicU64::new(0);
    let (environment, job) = Job::new(request, files, watcher, &fetched)?;
    match &request.place {
        Place::New { folder, base } if venv::state(folder)? != State::Ready => {
            job.create(&environment, folder, base)
        }
        _ => job.update(&environment.resolved()?, Vec::new()),
    }
}

/// A file that an installation puts into an environment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Content {
    /// Its path from the site folder that its package is in, or, outside of it, from the environment.
    pub path: PathBuf,
    /// Its size in bytes.
    pub size: u64,
}

/// What an environment made from the lock holds, at the cost of fetching what the cache lacks; where the
/// request would have it is not touched.
///
/// # Errors
/// As for [`install`].
pub fn contents(request: &Request<'_>, files: &dyn Files, watcher: &dyn Watcher) -> Result<Vec<Content>> {
    let fetched = AtomicU64::new(0);
    let (environment, job) = Job::new(request, files, watcher, &fetched)?;
    let environment = environment.resolved()?;
    let plan = plan::plan(&job.pins, Vec::new(), request.prune, &BTreeMap::new())?;
    let layouts = job.lay_out(&plan.install, &environment)?;
    Ok(layouts.iter().flat_map(|layout| layout.contents(&environment.root)).collect())
}

/// An installation under way.
struct Job<'a> {
    request: &'a Request<'a>,
    pins: Vec<&'a Pin>,
    means: Means<'a>,
}

/// What there is to do, and the wheels for it.
struct Work<'a> {
    plan: Plan<'a>,
    removals: Vec<Removal>,
    /// Files of what goes that something that stays owns as well, with the same content.
    spare: FxHashSet<PathBuf>,
    layouts: Vec<Layout>,
}

impl<'a> Job<'a> {
    /// The environment that the request means, and the work on it; `fetched` counts what is fetched.
    fn new(
        request: &'a Request<'a>,
        files: &'a dyn Files,
        watcher: &'a dyn Watcher,
        fetched: &'a AtomicU64,
    ) -> Result<(Environment, Self)> {
        let environment = match &request.place {
            Place::Existing(environment) => environment.clone(),
            Place::New { folder, base } => venv::planned(folder, base),
        };
        environment.check_ours()?;
        covers(request.lock, &environment.target)?;
        let pins = plan::applicable(request.lock, &environment.target)?;
        // The target outlives the work as part of the request's own place.
        let target = match &request.place {
            Place::Existing(environment) => &environment.target,
            Place::New { base, .. } => &base.target,
        };
        let means = Means {
            lock: request.lock,
            target,
            store: request.store,
            files,
            limits: &request.limits,
            watcher,
            fetched,
        };
        Ok((environment, Self { request, pins, means }))
    }

    /// Makes sure that everything can be had, and fits together, before a new environment is begun.
    fn create(&self, environment: &Environment, folder: &Path, base: &BasePython) -> Result<Outcome> {
        let planned = environment.resolved()?;
        let plan = plan::plan(&self.pins, Vec::new(), self.request.prune, &BTreeMap::new())?;
        let mut layouts = self.lay_out(&plan.install, &planned)?;
        conflict::settle(&mut layouts, self.means.watcher)?;
        if self.request.run == Run::Dry {
            return Ok(self.outcome(&planned, &plan));
        }
        if venv::state(folder)? == State::Other {
            // Says so before anything is written.
            venv::create(folder, base)?;
        }
        let held = journal::hold(environment, self.means.watcher)?;
        venv::create(folder, base)?;
        drop(held);
        self.update(&environment.resolved()?, layouts)
    }

    /// Brings an environment that is there up to the lock; `prepared` is what was laid out before it was
    /// created.
    fn update(&self, environment: &Environment, prepared: Vec<Layout>) -> Result<Outcome> {
        let held = match self.request.run {
            Run::Real => journal::hold(environment, self.means.watcher),
            Run::Dry => Ok(journal::share(environment)),
        };
        // Where nothing can be written, there may be nothing to write.
        let (_held, barred) = match held {
            Ok(held) => (held, None),
            Err(error) => (journal::share(environment), Some(error)),
        };
        let mut journal = Journal::read(environment)?;
        let mut site = installed::scan(environment)?;
        for distribution in &mut site.distributions {
            distribution.origin = journal.origin(distribution);
        }
        let mut work = self.work(&site, environment, prepared)?;
        if self.request.run == Run::Real && (!work.plan.is_empty() || journal.is_unfinished()) {
            if let Some(error) = barred {
                return Err(error);
            }
            self.apply(&mut work, &mut journal, environment)?;
        }
        self.warn_of_strays(&site, &work, &journal, environment);
        Ok(self.outcome(environment, &work.plan))
    }

    /// Finds out what is to be done, gets the wheels, and looks whether it can be done.
    fn work(&self, site: &Site, environment: &Environment, prepared: Vec<Layout>) -> Result<Work<'a>> {
        let mut afresh = match self.request.effort {
            Effort::Look => BTreeMap::new(),
            Effort::Hash => verify::altered(&site.distributions, environment),
        };
        let prune = self.request.prune;
        let (plan, removals, spare) = loop {
            let plan = plan::plan(&self.pins, site.distributions.clone(), prune, &afresh)?;
            let removals =
                plan.goes().map(|it| remove::prepare(it, environment)).collect::<Result<Vec<_>>>()?;
            let (spare, torn) = shared(&plan, &removals, environment);
            if torn.is_empty() {
                break (plan, removals, spare);
            }
            // Each turn adds a name, so this ends.
            afresh.extend(torn.into_iter().map(|name| (name, Why::Shared)));
        };
        let names = plan.install.iter().map(|change| change.pin.name.as_str());
        let mut layouts = prepared;
        if layouts.is_empty() || !layouts.iter().map(|layout| layout.name.as_str()).eq(names) {
            layouts = self.lay_out(&plan.install, environment)?;
            conflict::settle(&mut layouts, self.means.watcher)?;
        }
        let goes = removals.iter().flat_map(|removal| {
            let info = &removal.distribution.info;
            removal.files.iter().map(|owned| owned.path.clone()).chain([info.join("RECORD")])
        });
        let goes: FxHashSet<PathBuf> = goes.filter(|path| !spare.contains(path)).collect();
        let stays: Vec<&Installed> = plan.keep.iter().chain(&plan.spared).collect();
        Ground { environment, goes: &goes, stays: &stays }.check(&mut layouts, self.means.watcher)?;
        Ok(Work { plan, removals, spare, layouts })
    }

    /// Gets the wheels of these changes and says where their files go.
    fn lay_out(&self, changes: &[Change<'a>], environment: &Environment) -> Result<Vec<Layout>> {
        let pins: Vec<&Pin> = changes.iter().map(|change| change.pin).collect();
        let wheels = obtain(&pins, self.means)?;
        let some_via = self.pins.iter().any(|pin| !pin.via.is_empty());
        let pairs = pins.par_iter().zip(wheels);
        let layouts: Vec<_> =
            pairs.map(|(pin, wheel)| self.lay_out_one(pin, wheel, some_via, environment)).collect();
        layouts.into_iter().collect()
    }

    fn lay_out_one(
        &self,
        pin: &Pin,
        mut wheel: CachedWheel,
        some_via: bool,
        environment: &Environment,
    ) -> Result<Layout> {
        // A lock without annotations names what was asked for.
        let by_user = !some_via || pin.via.iter().any(|via| matches!(via, Via::Input(_)));
        let requested = if by_user { Requested::ByUser } else { Requested::ByPackage };
        for _ in 0..ATTEMPTS {
            match layout(wheel, environment, Extras { requested, pin }) {
                Ok(layout) => return Ok(layout),
                Err(NoLayout::Refused(error)) => return Err(error),
                Err(NoLayout::Damaged) => wheel = self.mend(pin)?,
            }
        }
        Err(keeps_breaking(pin))
    }

    /// Gets a wheel again whose files in the cache look changed.
    fn mend(&self, pin: &Pin) -> Result<CachedWheel> {
        let [wheel] = <[_; 1]>::try_from(obtain(&[pin], self.means)?).map_err(|_| keeps_breaking(pin))?;
        match self.request.store.heal(&wheel)? {
            Health::Sound => {}
            Health::Evicted => {
                let said = format!(
                    "the cache's copy of {} {} was damaged and is fetched again",
                    pin.name, pin.version
                );
                self.means.watcher.on(Event::Warning(said));
            }
        }
        let [wheel] = <[_; 1]>::try_from(obtain(&[pin], self.means)?).map_err(|_| keeps_breaking(pin))?;
        Ok(wheel)
    }

    /// Changes the environment, between two notes.
    fn apply(&self, work: &mut Work<'a>, journal: &mut Journal, environment: &Environment) -> Result<()> {
        let gone: Vec<PathBuf> = work.plan.goes().map(|it| it.info.clone()).collect();
        let coming = work.layouts.iter().map(|layout| layout.info.clone());
        journal.begin(gone.iter().cloned().chain(coming))?;
        let (come, go) = (work.layouts.len(), work.plan.remove.len());
        self.means.watcher.on(Event::Step(format!("installing {come}, removing {go}")));
        for removal in &work.removals {
            for path in &removal.foreign {
                let label = removal.distribution.label();
                let said =
                    format!("{label} claims `{}`, which is none of its own; it stays", path.escape_debug());
                self.means.watcher.on(Event::Warning(said));
            }
        }
        remove::remove(&work.removals, &work.spare, environment)?;
        let mut damaged = place(&work.layouts, environment, self.request.link)?;
        for _ in 0..ATTEMPTS {
            if damaged.is_empty() {
                break;
            }
            for at in &damaged {
                let pin = work.plan.install[*at].pin;
                work.layouts[*at].wheel = self.mend(pin)?;
            }
            damaged = fill(&damaged, &work.layouts, self.request.link)?;
        }
        if let Some(at) = damaged.first() {
            return Err(keeps_breaking(work.plan.install[*at].pin));
        }
        if self.request.compile == Compile::Yes {
            compile(&mut work.layouts, environment, self.means.watcher)?;
        }
        journal.finish(&gone, &work.layouts)
    }

    /// Warns of what stands at the top of the site folders and belongs to nobody. What is deeper is
    /// looked for by a strict verification only.
    fn warn_of_strays(&self, site: &Site, work: &Work<'_>, journal: &Journal, environment: &Environment) {
        let mut tops: FxHashSet<PathBuf> = FxHashSet::default();
        for it in work.plan.keep.iter().chain(&work.plan.spared) {
            match journal.tops(it) {
                Some(names) => tops.extend(names.iter().map(|name| it.base().join(name))),
                None => {
                    tops.extend(owned_by(&[it], environment).filter_map(|(_, own)| top(&own.path, it.base())))
                }
            }
        }
        for layout in &work.layouts {
            tops.extend(layout.tops().iter().map(|name| layout.site.join(name)));
        }
        let is_stray = |path: &&PathBuf| {
            !tops.contains(*path)
                && !strays::is_expected(path, environment)
                && path.symlink_metadata().is_ok()
        };
        for path in site.others.iter().filter(is_stray) {
            self.means.watcher.on(Event::Warning(format!("{} belongs to no distribution", path.display())));
        }
    }

    fn outcome(&self, environment: &Environment, plan: &Plan<'_>) -> Outcome {
        let versions = |found: &[Installed]| found.iter().filter_map(|it| it.version.clone()).collect();
        let came = plan.install.iter().map(|change| Done {
            name: change.pin.name.clone(),
            old: versions(&change.replaces),
            new: Some(change.pin.version.clone()),
            why: Some(change.why),
        });
        let went = plan.remove.iter().map(|it| Done {
            name: it.name.clone(),
            old: versions(std::slice::from_ref(it)),
            new: None,
            why: None,
        });
        let mut changes: Vec<Done> = came.chain(went).collect();
        changes.sort();
        Outcome {
            environment: environment.root.clone(),
            changes,
            kept: plan.keep.len(),
            spared: plan.spared.iter().map(Installed::label).collect(),
            fetched: self.means.fetched.load(Ordering::Relaxed),
        }
    }
}

/// How often a damaged cache is mended in one run.
const ATTEMPTS: usize = 3;

fn keeps_breaking(pin: &Pin) -> Error {
    Error::no_answer(format!("the cache's copy of {} {} keeps changing", pin.name, pin.version))
        .hint("something writes into the cache: give another with `--cache-dir`, and run the command again")
}

/// Files that both something that goes and something that stays own: those that may stay as they are,
/// and who has to be installed anew because its files would go or were never there.
fn shared(
    plan: &Plan<'_>,
    removals: &[Removal],
    environment: &Environment,
) -> (FxHashSet<PathBuf>, Vec<PackageName>) {
    let (mut spare, mut torn) = (FxHashSet::default(), Vec::new());
    if removals.is_empty() || (plan.keep.is_empty() && plan.spared.is_empty()) {
        return (spare, torn);
    }
    let goes: rustc_hash::FxHashMap<&Path, &str> = removals
        .iter()
        .flat_map(|removal| &removal.files)
        .map(|owned| (owned.path.as_path(), owned.row.digest.as_str()))
        .collect();
    let kept: Vec<&Installed> = plan.keep.iter().collect();
    for (name, owned) in owned_by(&kept, environment) {
        match goes.get(owned.path.as_path()) {
            Some(digest) if *digest == owned.row.digest => {
                spare.insert(owned.path);
            }
            Some(_) => torn.extend(PackageName::new(&name)),
            None => {}
        }
    }
    // What the lock does not name cannot be installed anew; its files stay.
    let spared: Vec<&Installed> = plan.spared.iter().collect();
    spare.extend(
        owned_by(&spared, environment)
            .map(|(_, owned)| owned.path)
            .filter(|path| goes.contains_key(path.as_path())),
    );
    (spare, torn)
}

/// The entry of the site folder that `path` is or is in.
fn top(path: &Path, site: &Path) -> Option<PathBuf> {
    let first = path.strip_prefix(site).ok()?.components().next()?;
    Some(site.join(first))
}
