//! Installs in two phases: first everything is planned, fetched and checked; only then the environment
//! changes.
//!
//! The change itself is a small transaction with a write-ahead journal: the journal names what is about to
//! change, the change happens, the journal forgets it. A run that is killed in between leaves the journal, and
//! the next run reinstalls what it names.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use rustc_hash::FxHashSet;

use super::compile::{Compile, compile};
use super::conflict::{self, owned_by};
use super::environment::Environment;
use super::installed::{self, InstalledDistribution, SitePackages};
use super::job::{Destination, DistributionChange, DryRun, InstallJob, InstallReport};
use super::journal::{self, InstallJournal};
use super::layout::{PlacedFile, WheelLayout};
use super::place::{fill, place};
use super::plan::{self, InstallPlan};
use super::prepare::{ATTEMPTS, InstallTransaction, Installer, keeps_changing};
use super::remove;
use super::source::FileSource;
use super::unowned;
use super::venv::{self, BasePython, VenvState};
use pinfast_base::error::Result;
use pinfast_base::event::{Event, Watcher};

/// Makes the environment exactly the lock.
///
/// Nothing in the environment changes until every needed file is checked and in the cache. After that, a
/// killed run leaves a journal, with which the next run finishes the work.
///
/// # Errors
/// `Usage` for a lock that cannot be installed from, `No` for one that does not fit the environment,
/// `Refused` for a file that is not what it should be, `NoAnswer` for trouble with network or disk.
pub fn install(job: &InstallJob<'_>, files: &dyn FileSource, watcher: &dyn Watcher) -> Result<InstallReport> {
    let fetched = AtomicU64::new(0);
    let (environment, installer) = Installer::new(job, files, watcher, &fetched)?;
    match &job.destination {
        Destination::New { folder, base } if venv::state(folder)? != VenvState::Ready => {
            installer.create(&environment, folder, base)
        }
        _ => installer.update(&environment.resolved()?, Vec::new()),
    }
}

/// The files of an environment made from the lock. Fetches what the cache lacks; the destination of the job
/// is not touched.
///
/// # Errors
/// As for [`install`].
pub fn contents(
    job: &InstallJob<'_>,
    files: &dyn FileSource,
    watcher: &dyn Watcher,
) -> Result<Vec<PlacedFile>> {
    let fetched = AtomicU64::new(0);
    let (environment, installer) = Installer::new(job, files, watcher, &fetched)?;
    let environment = environment.resolved()?;
    let plan = plan::plan(&installer.pins, Vec::new(), job.prune, &BTreeMap::new())?;
    let layouts = installer.lay_out(&plan.install, &environment)?;
    Ok(layouts.iter().flat_map(|layout| layout.placed_files(&environment.root)).collect())
}

impl<'a> Installer<'a> {
    /// Makes a new environment. Everything is fetched and laid out before its folder is begun.
    fn create(&self, environment: &Environment, folder: &Path, base: &BasePython) -> Result<InstallReport> {
        let planned = environment.resolved()?;
        let plan = plan::plan(&self.pins, Vec::new(), self.job.prune, &BTreeMap::new())?;
        let mut layouts = self.lay_out(&plan.install, &planned)?;
        conflict::resolve_duplicates(&mut layouts, self.context.watcher)?;
        if self.job.dry_run == DryRun::Yes {
            return Ok(self.report(&planned, &plan));
        }
        if venv::state(folder)? == VenvState::Other {
            // Fails, and does so before the lock below writes into a folder that is not ours.
            venv::create(folder, base)?;
        }
        let lock = journal::lock_exclusive(environment, self.context.watcher)?;
        venv::create(folder, base)?;
        // `update` takes the lock itself; a second lock in one process would wait for the first.
        drop(lock);
        // Another run may have filled the environment meanwhile, so `update` looks again.
        self.update(&environment.resolved()?, layouts)
    }

    /// Brings an existing environment up to the lock. `prepared` are the layouts made before it was created.
    fn update(&self, environment: &Environment, prepared: Vec<WheelLayout>) -> Result<InstallReport> {
        let lock = match self.job.dry_run {
            DryRun::No => journal::lock_exclusive(environment, self.context.watcher),
            DryRun::Yes => Ok(journal::lock_shared(environment)),
        };
        // A read-only environment is an error only if something has to change.
        let (_lock, unwritable) = match lock {
            Ok(lock) => (lock, None),
            Err(error) => (journal::lock_shared(environment), Some(error)),
        };
        let mut journal = InstallJournal::read(environment)?;
        let mut site = installed::scan(environment)?;
        for distribution in &mut site.distributions {
            distribution.provenance = journal.provenance(distribution);
        }
        let mut transaction = self.prepare(&site, environment, prepared)?;
        if self.job.dry_run == DryRun::No && (!transaction.plan.is_empty() || journal.is_unfinished()) {
            if let Some(error) = unwritable {
                return Err(error);
            }
            self.apply(&mut transaction, &mut journal, environment)?;
        }
        self.warn_of_unowned(&site, &transaction, &journal, environment);
        Ok(self.report(environment, &transaction.plan))
    }

    /// Changes the environment, between two writes of the journal.
    fn apply(
        &self,
        transaction: &mut InstallTransaction<'a>,
        journal: &mut InstallJournal,
        environment: &Environment,
    ) -> Result<()> {
        let removed: Vec<PathBuf> = transaction.plan.removed().map(|it| it.info.clone()).collect();
        let added = transaction.layouts.iter().map(|layout| layout.info.clone());
        // Before the first change: if this run is killed from here on, the next one knows what to reinstall.
        journal.begin(removed.iter().cloned().chain(added))?;
        self.announce(transaction);
        remove::remove(&transaction.removals, &transaction.shared, environment)?;
        let mut damaged = place(&transaction.layouts, environment, self.job.link)?;
        for _ in 0..ATTEMPTS {
            if damaged.is_empty() {
                break;
            }
            for at in &damaged {
                let pin = transaction.plan.install[*at].pin;
                transaction.layouts[*at].wheel = self.refetch(pin)?;
            }
            damaged = fill(&damaged, &transaction.layouts, self.job.link)?;
        }
        if let Some(at) = damaged.first() {
            return Err(keeps_changing(transaction.plan.install[*at].pin));
        }
        if self.job.compile == Compile::Yes {
            compile(&mut transaction.layouts, environment, self.context.watcher)?;
        }
        journal.finish(&removed, &transaction.layouts)
    }

    fn announce(&self, transaction: &InstallTransaction<'_>) {
        let (added, removed) = (transaction.layouts.len(), transaction.plan.remove.len());
        self.context.watcher.on(Event::Step(format!("installing {added}, removing {removed}")));
        for removal in &transaction.removals {
            for path in &removal.foreign {
                let label = removal.distribution.label();
                let warning =
                    format!("{label} claims `{}`, which is none of its own; it stays", path.escape_debug());
                self.context.watcher.on(Event::Warning(warning));
            }
        }
    }

    /// Warns of entries at the top of the site folders that no distribution owns. Only a strict verification
    /// looks deeper: that takes a walk over every file.
    fn warn_of_unowned(
        &self,
        site: &SitePackages,
        transaction: &InstallTransaction<'_>,
        journal: &InstallJournal,
        environment: &Environment,
    ) {
        let mut owned: FxHashSet<PathBuf> = FxHashSet::default();
        for it in transaction.plan.keep.iter().chain(&transaction.plan.spared) {
            match journal.top_level(it) {
                Some(names) => owned.extend(names.iter().map(|name| it.base().join(name))),
                None => owned.extend(
                    owned_by(&[it], environment).filter_map(|(_, own)| top_level(&own.path, it.base())),
                ),
            }
        }
        for layout in &transaction.layouts {
            owned.extend(layout.top_level().iter().map(|name| layout.site.join(name)));
        }
        let is_unowned = |path: &&PathBuf| {
            !owned.contains(*path)
                && !unowned::is_expected(path, environment)
                && path.symlink_metadata().is_ok()
        };
        for path in site.others.iter().filter(is_unowned) {
            let warning = format!("{} belongs to no distribution", path.display());
            self.context.watcher.on(Event::Warning(warning));
        }
    }

    fn report(&self, environment: &Environment, plan: &InstallPlan<'_>) -> InstallReport {
        let versions =
            |found: &[InstalledDistribution]| found.iter().filter_map(|it| it.version.clone()).collect();
        let installed = plan.install.iter().map(|change| DistributionChange {
            name: change.pin.name.clone(),
            old: versions(&change.replaces),
            new: Some(change.pin.version.clone()),
            reason: Some(change.reason),
        });
        let removed = plan.remove.iter().map(|it| DistributionChange {
            name: it.name.clone(),
            old: versions(std::slice::from_ref(it)),
            new: None,
            reason: None,
        });
        let mut changes: Vec<DistributionChange> = installed.chain(removed).collect();
        changes.sort();
        InstallReport {
            environment: environment.root.clone(),
            changes,
            kept: plan.keep.len(),
            spared: plan.spared.iter().map(InstalledDistribution::label).collect(),
            fetched: self.context.fetched.load(Ordering::Relaxed),
        }
    }
}

/// The entry of the site folder that `path` is or is in.
fn top_level(path: &Path, site: &Path) -> Option<PathBuf> {
    let first = path.strip_prefix(site).ok()?.components().next()?;
    Some(site.join(first))
}
