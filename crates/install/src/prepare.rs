//! The first phase of an installation: plan, fetch, lay out, and check that all of it can be done.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicU64;

use rayon::prelude::*;
use rustc_hash::{FxHashMap, FxHashSet};

use super::compatibility::check_compatible;
use super::conflict::{self, OnDisk, owned_by};
use super::environment::Environment;
use super::fetch::{FetchContext, fetch_wheels};
use super::installed::{InstalledDistribution, SitePackages};
use super::job::{Destination, Inspection, InstallJob};
use super::layout::{InstallerMetadata, LayoutError, Requested, WheelLayout, layout};
use super::plan::{self, InstallPlan, InstallReason, PlannedInstall};
use super::remove::{self, Removal};
use super::source::FileSource;
use super::venv;
use super::verify;
use super::wheel_cache::{CachedWheel, Revalidation};
use pinfast_base::error::{Error, Result};
use pinfast_base::event::{Event, Watcher};
use pinfast_lock::{Pin, Via};
use pinfast_packaging::PackageName;

/// How often a damaged wheel of the cache is fetched again in one run.
pub(super) const ATTEMPTS: usize = 3;

/// All that the second phase will do.
pub(super) struct InstallTransaction<'a> {
    pub(super) plan: InstallPlan<'a>,
    pub(super) removals: Vec<Removal>,
    /// Files of removed distributions that another one, which stays, owns with the same content: they stay.
    pub(super) shared: FxHashSet<PathBuf>,
    pub(super) layouts: Vec<WheelLayout>,
}

/// An installation under way.
pub(super) struct Installer<'a> {
    pub(super) job: &'a InstallJob<'a>,
    pub(super) pins: Vec<&'a Pin>,
    pub(super) context: FetchContext<'a>,
}

impl<'a> Installer<'a> {
    /// The environment of the job, and what changes it; `fetched` counts downloads.
    pub(super) fn new(
        job: &'a InstallJob<'a>,
        files: &'a dyn FileSource,
        watcher: &'a dyn Watcher,
        fetched: &'a AtomicU64,
    ) -> Result<(Environment, Self)> {
        let environment = match &job.destination {
            Destination::Existing(environment) => environment.clone(),
            Destination::New { folder, base } => venv::planned(folder, base),
        };
        environment.check_not_externally_managed()?;
        check_compatible(job.lock, &environment.target)?;
        let pins = plan::applicable(job.lock, &environment.target)?;
        // Borrowed from the job, not from the environment above, which is only lent to the caller.
        let target = match &job.destination {
            Destination::Existing(environment) => &environment.target,
            Destination::New { base, .. } => &base.target,
        };
        let context = FetchContext {
            lock: job.lock,
            target,
            wheels: job.wheels,
            files,
            limits: &job.limits,
            watcher,
            fetched,
        };
        Ok((environment, Self { job, pins, context }))
    }

    /// Plans the change, fetches its wheels, and checks that it can be done.
    pub(super) fn prepare(
        &self,
        site: &SitePackages,
        environment: &Environment,
        prepared: Vec<WheelLayout>,
    ) -> Result<InstallTransaction<'a>> {
        let (plan, removals, shared) = self.plan(site, environment)?;
        let names = plan.install.iter().map(|change| change.pin.name.as_str());
        let mut layouts = prepared;
        if layouts.is_empty() || !layouts.iter().map(|layout| layout.name.as_str()).eq(names) {
            layouts = self.lay_out(&plan.install, environment)?;
            conflict::resolve_duplicates(&mut layouts, self.context.watcher)?;
        }
        let removed = removals.iter().flat_map(|removal| {
            let info = &removal.distribution.info;
            removal.files.iter().map(|owned| owned.path.clone()).chain([info.join("RECORD")])
        });
        let removed: FxHashSet<PathBuf> = removed.filter(|path| !shared.contains(path)).collect();
        let remaining: Vec<&InstalledDistribution> = plan.keep.iter().chain(&plan.spared).collect();
        OnDisk { environment, removed: &removed, remaining: &remaining }
            .check(&mut layouts, self.context.watcher)?;
        Ok(InstallTransaction { plan, removals, shared, layouts })
    }

    /// Plans until no removal takes a file from a distribution that was to be kept: such a one is reinstalled.
    fn plan(
        &self,
        site: &SitePackages,
        environment: &Environment,
    ) -> Result<(InstallPlan<'a>, Vec<Removal>, FxHashSet<PathBuf>)> {
        let mut reinstall = match self.job.inspection {
            Inspection::Metadata => BTreeMap::new(),
            Inspection::Hashes => verify::altered(&site.distributions, environment),
        };
        loop {
            let plan = plan::plan(&self.pins, site.distributions.clone(), self.job.prune, &reinstall)?;
            let removals =
                plan.removed().map(|it| remove::plan_removal(it, environment)).collect::<Result<Vec<_>>>()?;
            let (shared, torn) = shared_files(&plan, &removals, environment);
            if torn.is_empty() {
                return Ok((plan, removals, shared));
            }
            // Each turn adds a name, so this ends.
            reinstall.extend(torn.into_iter().map(|name| (name, InstallReason::SharedFile)));
        }
    }

    /// Gets the wheels of these changes, and lays them out.
    pub(super) fn lay_out(
        &self,
        changes: &[PlannedInstall<'a>],
        environment: &Environment,
    ) -> Result<Vec<WheelLayout>> {
        let pins: Vec<&Pin> = changes.iter().map(|change| change.pin).collect();
        let wheels = fetch_wheels(&pins, self.context)?;
        let annotated = self.pins.iter().any(|pin| !pin.via.is_empty());
        let metadata = |pin: &'a Pin| {
            // A lock without `# via` lines does not show who requested what; then, as with pip, the user did.
            let by_user = !annotated || pin.via.iter().any(|via| matches!(via, Via::Input(_)));
            InstallerMetadata {
                requested: if by_user { Requested::ByUser } else { Requested::ByPackage },
                pin,
            }
        };
        let pairs = pins.par_iter().zip(wheels);
        let layouts: Vec<_> = pairs.map(|(pin, wheel)| layout(wheel, environment, metadata(pin))).collect();
        // Damaged wheels are fetched again here, not on a worker of rayon above: a fetch waits for threads that
        // unpack on rayon's workers, and if each worker waited for a fetch, none would be left to unpack.
        let layouts = pins.iter().zip(layouts).map(|(pin, layout)| match layout {
            Ok(layout) => Ok(layout),
            Err(LayoutError::Refused(error)) => Err(error),
            Err(LayoutError::Damaged) => self.lay_out_again(metadata(pin), environment),
        });
        layouts.collect()
    }

    /// Lays a wheel out that is damaged in the cache.
    fn lay_out_again(
        &self,
        metadata: InstallerMetadata<'_>,
        environment: &Environment,
    ) -> Result<WheelLayout> {
        for _ in 0..ATTEMPTS {
            match layout(self.refetch(metadata.pin)?, environment, metadata) {
                Ok(layout) => return Ok(layout),
                Err(LayoutError::Refused(error)) => return Err(error),
                Err(LayoutError::Damaged) => {}
            }
        }
        Err(keeps_changing(metadata.pin))
    }

    /// Gets a wheel again that looks changed in the cache: revalidated if its files are right, else fetched.
    pub(super) fn refetch(&self, pin: &Pin) -> Result<CachedWheel> {
        let [wheel] =
            <[_; 1]>::try_from(fetch_wheels(&[pin], self.context)?).map_err(|_| keeps_changing(pin))?;
        match self.job.wheels.revalidate(&wheel)? {
            Revalidation::Valid => {}
            Revalidation::Evicted => {
                let warning = format!(
                    "the cache's copy of {} {} was damaged and is fetched again",
                    pin.name, pin.version
                );
                self.context.watcher.on(Event::Warning(warning));
            }
        }
        let [wheel] =
            <[_; 1]>::try_from(fetch_wheels(&[pin], self.context)?).map_err(|_| keeps_changing(pin))?;
        Ok(wheel)
    }
}

pub(super) fn keeps_changing(pin: &Pin) -> Error {
    Error::no_answer(format!("the cache's copy of {} {} keeps changing", pin.name, pin.version))
        .hint("something writes into the cache: give another with `--cache-dir`, and run the command again")
}

/// Files that both a removed and a remaining distribution own. Returns those that can stay as they are, and
/// the remaining distributions to reinstall: the removed one wrote other content over their file.
fn shared_files(
    plan: &InstallPlan<'_>,
    removals: &[Removal],
    environment: &Environment,
) -> (FxHashSet<PathBuf>, Vec<PackageName>) {
    let (mut shared, mut torn) = (FxHashSet::default(), Vec::new());
    if removals.is_empty() || (plan.keep.is_empty() && plan.spared.is_empty()) {
        return (shared, torn);
    }
    let removed: FxHashMap<&Path, &str> = removals
        .iter()
        .flat_map(|removal| &removal.files)
        .map(|owned| (owned.path.as_path(), owned.row.digest.as_str()))
        .collect();
    let kept: Vec<&InstalledDistribution> = plan.keep.iter().collect();
    for (name, owned) in owned_by(&kept, environment) {
        match removed.get(owned.path.as_path()) {
            Some(digest) if *digest == owned.row.digest => {
                shared.insert(owned.path);
            }
            Some(_) => torn.extend(PackageName::new(&name)),
            None => {}
        }
    }
    // What the lock does not name cannot be reinstalled, so its files stay whatever their content is.
    let spared: Vec<&InstalledDistribution> = plan.spared.iter().collect();
    shared.extend(
        owned_by(&spared, environment)
            .map(|(_, owned)| owned.path)
            .filter(|path| removed.contains_key(path.as_path())),
    );
    (shared, torn)
}
