//! What has to change so that an environment is exactly the lock.
//!
//! In: the pins that apply, and what is installed. Out: what to keep, install and remove. A pure function.

use std::collections::BTreeMap;

use super::environment::is_seed;
use super::installed::{DistributionFormat, InstalledDistribution, Provenance};
use pinfast_base::error::{Error, Result};
use pinfast_lock::{Lock, Pin};
use pinfast_packaging::{PackageName, Target};

/// Which distributions are uninstalled that the lock does not name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Prune {
    /// All.
    #[default]
    All,
    /// All but pip and setuptools.
    KeepSeed,
    /// None.
    Nothing,
}

/// What has to change.
#[derive(Clone, Debug, Default)]
pub(super) struct InstallPlan<'a> {
    /// What is right already.
    pub(super) keep: Vec<InstalledDistribution>,
    /// What has to be installed, sorted by name.
    pub(super) install: Vec<PlannedInstall<'a>>,
    /// What has to be removed without a replacement.
    pub(super) remove: Vec<InstalledDistribution>,
    /// What the lock does not name and [`Prune`] spares.
    pub(super) spared: Vec<InstalledDistribution>,
}

/// A pin to be installed, with what it replaces.
#[derive(Clone, Debug)]
pub(super) struct PlannedInstall<'a> {
    pub(super) pin: &'a Pin,
    /// What is removed first: usually one distribution or none.
    pub(super) replaces: Vec<InstalledDistribution>,
    /// Why it has to be installed.
    pub(super) reason: InstallReason,
}

/// Why a pin has to be installed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum InstallReason {
    /// It is not installed.
    Missing,
    /// Another version is installed.
    OtherVersion,
    /// This version is installed, but no journal shows that it came from a file with a hash of the lock.
    OtherFile,
    /// An earlier run was killed while it changed it.
    Unfinished,
    /// It shares a file with a removed distribution, which had other content in it.
    SharedFile,
    /// A file of it is missing or altered.
    Altered,
}

/// The pins that apply to `target`.
///
/// # Errors
/// `Usage` for a pin without a hash, and for two pins of one package that both apply.
pub fn applicable<'a>(lock: &'a Lock, target: &Target) -> Result<Vec<&'a Pin>> {
    check_hashes(lock)?;
    let mut pins: BTreeMap<&PackageName, &Pin> = BTreeMap::new();
    for pin in lock.pins.iter().filter(|pin| pin.marker.holds(target, &[])) {
        if let Some(other) = pins.insert(&pin.name, pin) {
            let places =
                format!("{}{}", super::source::lock_location(other), super::source::lock_location(pin));
            return Err(Error::usage(format!(
                "the lock names {} twice for {}{places}",
                pin.name,
                target.label()
            ))
            .detail(format!("{}=={}", other.name, other.version))
            .detail(format!("{}=={}", pin.name, pin.version)));
        }
    }
    Ok(pins.into_values().collect())
}

/// Refuses a lock with a pin that has no hash.
pub(super) fn check_hashes(lock: &Lock) -> Result<()> {
    match lock.pins.iter().find(|pin| pin.hashes.is_empty()) {
        None => Ok(()),
        Some(pin) => Err(Error::usage(format!(
            "{} has no hash in the lock{}",
            pin.name,
            super::source::lock_location(pin)
        ))
        .hint("`pinfast lock` writes the hashes of every file")),
    }
}

/// Compares the pins that apply with what is installed. Those in `reinstall` are installed even if they look
/// right.
///
/// # Errors
/// `No` when a distribution has to be removed that has no list of its files.
pub(super) fn plan<'a>(
    pins: &[&'a Pin],
    installed: Vec<InstalledDistribution>,
    prune: Prune,
    reinstall: &BTreeMap<PackageName, InstallReason>,
) -> Result<InstallPlan<'a>> {
    let mut by_name: BTreeMap<PackageName, Vec<InstalledDistribution>> = BTreeMap::new();
    for distribution in installed {
        by_name.entry(distribution.name.clone()).or_default().push(distribution);
    }
    let mut plan = InstallPlan::default();
    for pin in pins {
        let mut found = by_name.remove(&pin.name).unwrap_or_default();
        match reason_to_install(pin, &found, reinstall) {
            Some(reason) => plan.install.push(PlannedInstall { pin, replaces: found, reason }),
            None => plan.keep.append(&mut found),
        }
    }
    for (name, found) in by_name {
        let spares = match prune {
            Prune::All => false,
            Prune::KeepSeed => is_seed(&name),
            Prune::Nothing => true,
        };
        // A half-installed distribution is removed whatever `prune` spares.
        let (unfinished, whole): (Vec<_>, Vec<_>) =
            found.into_iter().partition(|distribution| distribution.provenance == Provenance::Unfinished);
        plan.remove.extend(unfinished);
        if spares { plan.spared.extend(whole) } else { plan.remove.extend(whole) }
    }
    check_removable(&plan)?;
    Ok(plan)
}

fn reason_to_install(
    pin: &Pin,
    found: &[InstalledDistribution],
    reinstall: &BTreeMap<PackageName, InstallReason>,
) -> Option<InstallReason> {
    let [only] = found else {
        return Some(if found.is_empty() { InstallReason::Missing } else { InstallReason::OtherVersion });
    };
    match only.provenance {
        // First: users understand another version best, however it came there.
        _ if only.version.as_ref() != Some(&pin.version) => Some(InstallReason::OtherVersion),
        Provenance::Unfinished => Some(InstallReason::Unfinished),
        Provenance::Foreign => Some(InstallReason::OtherFile),
        Provenance::Archive(archive) if !pin.hashes.contains(&archive) => Some(InstallReason::OtherFile),
        Provenance::Archive(_) => reinstall.get(&pin.name).copied(),
    }
}

fn check_removable(plan: &InstallPlan<'_>) -> Result<()> {
    let removed = plan.install.iter().flat_map(|change| &change.replaces).chain(&plan.remove);
    match removed.into_iter().find(|distribution| distribution.format == DistributionFormat::Egg) {
        None => Ok(()),
        Some(egg) => Err(Error::no(format!(
            "{} cannot be uninstalled: {} has no list of its files",
            egg.label(),
            egg.info.display()
        ))
        .hint("make a new environment: remove its folder and run the command again")),
    }
}

impl InstallPlan<'_> {
    /// Whether nothing has to change.
    #[must_use]
    pub(super) fn is_empty(&self) -> bool {
        self.install.is_empty() && self.remove.is_empty()
    }

    /// Everything that is removed, replaced or not.
    pub(super) fn removed(&self) -> impl Iterator<Item = &InstalledDistribution> {
        self.install.iter().flat_map(|change| &change.replaces).chain(&self.remove)
    }
}
