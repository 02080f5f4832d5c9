//! What has to change so that an environment is exactly the lock: a pure function.

use std::collections::BTreeMap;

use super::environment::is_seed;
use super::installed::{Form, Installed, Origin};
use pinfast_base::error::{Error, Result};
use pinfast_lock::{Lock, Pin};
use pinfast_packaging::{PackageName, Target};

/// What may go.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Prune {
    /// Every distribution that the lock does not name.
    #[default]
    All,
    /// All but pip and setuptools.
    KeepSeed,
    /// None.
    Nothing,
}

/// What has to change.
#[derive(Clone, Debug, Default)]
pub(super) struct Plan<'a> {
    /// What is right as it is.
    pub(super) keep: Vec<Installed>,
    /// What has to be installed, sorted by name.
    pub(super) install: Vec<Change<'a>>,
    /// What has to go without anything in its place.
    pub(super) remove: Vec<Installed>,
    /// What the lock does not name and stays all the same.
    pub(super) spared: Vec<Installed>,
}

/// A pin to be installed, with what it replaces.
#[derive(Clone, Debug)]
pub(super) struct Change<'a> {
    /// What is to be there.
    pub(super) pin: &'a Pin,
    /// What has to go first: mostly nothing or one.
    pub(super) replaces: Vec<Installed>,
    /// Why it is not right as it is.
    pub(super) why: Why,
}

/// Why a pin has to be installed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Why {
    /// It is not there.
    Missing,
    /// Another version is there.
    OtherVersion,
    /// This version is there, but not known to come from a file that the lock has the hash of.
    OtherFile,
    /// An earlier run did not finish.
    Unfinished,
    /// It shares a file with a distribution that goes.
    Shared,
    /// Its files are not as they were installed.
    Altered,
}

/// The pins that apply to `target`.
///
/// # Errors
/// When the lock cannot be installed from: a pin without a hash, or two pins of one package that both
/// apply.
pub fn applicable<'a>(lock: &'a Lock, target: &Target) -> Result<Vec<&'a Pin>> {
    check_hashes(lock)?;
    let mut pins: BTreeMap<&PackageName, &Pin> = BTreeMap::new();
    for pin in lock.pins.iter().filter(|pin| pin.marker.holds(target, &[])) {
        if let Some(other) = pins.insert(&pin.name, pin) {
            let places = format!("{}{}", super::source::at(other), super::source::at(pin));
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
        Some(pin) => {
            Err(Error::usage(format!("{} has no hash in the lock{}", pin.name, super::source::at(pin)))
                .hint("`pinfast lock` writes the hashes of every file"))
        }
    }
}

/// Compares the pins that apply with what is installed; those of `afresh` are installed anew even if
/// they look right.
///
/// # Errors
/// When something would have to go that does not say which files it has.
pub(super) fn plan<'a>(
    pins: &[&'a Pin],
    installed: Vec<Installed>,
    prune: Prune,
    afresh: &BTreeMap<PackageName, Why>,
) -> Result<Plan<'a>> {
    let mut by_name: BTreeMap<PackageName, Vec<Installed>> = BTreeMap::new();
    for distribution in installed {
        by_name.entry(distribution.name.clone()).or_default().push(distribution);
    }
    let mut plan = Plan::default();
    for pin in pins {
        let mut found = by_name.remove(&pin.name).unwrap_or_default();
        match why(pin, &found, afresh) {
            Some(why) => plan.install.push(Change { pin, replaces: found, why }),
            None => plan.keep.append(&mut found),
        }
    }
    for (name, found) in by_name {
        let spare = match prune {
            Prune::All => false,
            Prune::KeepSeed => is_seed(&name),
            Prune::Nothing => true,
        };
        // What was left half done cannot stay as it is.
        let (unfinished, whole): (Vec<_>, Vec<_>) =
            found.into_iter().partition(|distribution| distribution.origin == Origin::Unfinished);
        plan.remove.extend(unfinished);
        if spare { plan.spared.extend(whole) } else { plan.remove.extend(whole) }
    }
    check_removable(&plan)?;
    Ok(plan)
}

fn why(pin: &Pin, found: &[Installed], afresh: &BTreeMap<PackageName, Why>) -> Option<Why> {
    let [only] = found else {
        return Some(if found.is_empty() { Why::Missing } else { Why::OtherVersion });
    };
    match only.origin {
        _ if only.version.as_ref() != Some(&pin.version) => Some(Why::OtherVersion),
        Origin::Unfinished => Some(Why::Unfinished),
        Origin::Foreign => Some(Why::OtherFile),
        Origin::Archive(archive) if !pin.hashes.contains(&archive) => Some(Why::OtherFile),
        Origin::Archive(_) => afresh.get(&pin.name).copied(),
    }
}

fn check_removable(plan: &Plan<'_>) -> Result<()> {
    let goes = plan.install.iter().flat_map(|change| &change.replaces).chain(&plan.remove);
    match goes.into_iter().find(|distribution| distribution.form == Form::Egg) {
        None => Ok(()),
        Some(egg) => Err(Error::no(format!(
            "{} cannot be taken away: {} does not say which files it has",
            egg.label(),
            egg.info.display()
        ))
        .hint("make the environment afresh: remove its folder and run the command again")),
    }
}

impl Plan<'_> {
    /// Whether nothing has to change.
    #[must_use]
    pub(super) fn is_empty(&self) -> bool {
        self.install.is_empty() && self.remove.is_empty()
    }

    /// Everything that goes.
    pub(super) fn goes(&self) -> impl Iterator<Item = &Installed> {
        self.install.iter().flat_map(|change| &change.replaces).chain(&self.remove)
    }
}
