//! The environments that a lock is for: some targets, or every environment from a Python version up.

use std::collections::HashSet;

use super::lock_settings::{TargetSet, TargetSettings};
use super::session::Session;
use pinfast_base::error::{Error, Result};
use pinfast_inputs::Inputs;
use pinfast_lock::{CurrentOption, Header};
use pinfast_packaging::{NEWEST_MINOR, Platform, Target, Version};
use pinfast_settings::DeclaredTarget;

/// The environments that a lock is for.
#[derive(Clone, Debug)]
pub(super) enum LockScope {
    /// These targets.
    Targets(Vec<Target>),
    /// Every environment with this version of Python or a later one.
    Universal(Version),
}

impl LockScope {
    /// The environments that `settings` mean; starts the interpreter if it has to fill a gap.
    ///
    /// # Errors
    /// `NoAnswer` if the interpreter is needed and none is found.
    pub(super) fn determine(settings: &TargetSettings, inputs: &Inputs, session: &Session) -> Result<Self> {
        match Self::without_interpreter(settings, inputs) {
            Some(scope) => Ok(scope),
            None => Self::with_interpreter(settings, session),
        }
    }

    /// The same, if no interpreter is needed.
    pub(super) fn without_interpreter(settings: &TargetSettings, inputs: &Inputs) -> Option<Self> {
        match &settings.set {
            TargetSet::Universal { versions } => {
                let required = inputs.requires_python.as_ref().and_then(|python| python.lower_bound());
                versions.value.iter().min().or(required).cloned().map(Self::Universal)
            }
            set => declared_targets(set).map(Self::Targets),
        }
    }

    fn with_interpreter(settings: &TargetSettings, session: &Session) -> Result<Self> {
        let probe = &session.interpreter(&settings.interpreter.value)?.probe;
        let version = |text: &str| {
            text.parse::<Version>()
                .map_err(|error| Error::no_answer("the interpreter's version cannot be read").because(error))
        };
        match &settings.set {
            TargetSet::Universal { .. } => version(&probe.markers.python_version).map(Self::Universal),
            TargetSet::Matrix { versions, platforms } => {
                let (mut versions, mut platforms) = (versions.value.clone(), platforms.value.clone());
                if versions.is_empty() {
                    versions.push(version(&probe.markers.python_full_version)?);
                }
                if platforms.is_empty() {
                    platforms.push(probe.host_platform()?);
                }
                Ok(Self::Targets(matrix(&versions, &platforms)))
            }
            _ => Ok(Self::Targets(vec![probe.target()?])),
        }
    }

    /// The targets; `None` for a universal lock.
    pub(super) fn targets(&self) -> Option<&[Target]> {
        match self {
            Self::Targets(targets) => Some(targets),
            Self::Universal(_) => None,
        }
    }

    /// The options that a lock's header records for a universal lock.
    pub(super) fn header_options(&self) -> Vec<CurrentOption> {
        let Self::Universal(lowest) = self else { return Vec::new() };
        let values = [String::new(), lowest.to_string()];
        let options = UNIVERSAL_OPTIONS.into_iter().zip(values);
        options.map(|(name, value)| CurrentOption { name: name.to_owned(), values: vec![value] }).collect()
    }
}

/// The targets of a `set` without gaps, in the order in which they are named, each once.
fn declared_targets(set: &TargetSet) -> Option<Vec<Target>> {
    match set {
        TargetSet::Pairs(pairs) => {
            let target = |pair: &DeclaredTarget| Target::declared(&pair.python, &pair.platform);
            Some(unique(pairs.iter().map(target)))
        }
        TargetSet::Matrix { versions, platforms } => {
            let is_full = !versions.value.is_empty() && !platforms.value.is_empty();
            is_full.then(|| matrix(&versions.value, &platforms.value))
        }
        TargetSet::Interpreter | TargetSet::Universal { .. } => None,
    }
}

fn matrix(versions: &[Version], platforms: &[Platform]) -> Vec<Target> {
    let of_version = |version| platforms.iter().map(move |platform| Target::declared(version, platform));
    unique(versions.iter().flat_map(of_version))
}

fn unique(targets: impl Iterator<Item = Target>) -> Vec<Target> {
    let mut seen = HashSet::new();
    targets.filter(|target| seen.insert(target.label().to_owned())).collect()
}

/// The options that the header of a universal lock records: the flag, and the lowest Python.
const UNIVERSAL_OPTIONS: [&str; 2] = ["universal", "python-version"];

/// Usual environments of a universal lock with this header; none for another lock.
///
/// Freshness evaluates the markers of requirements in them.
pub(super) fn usual_environments(header: &Header) -> Vec<Target> {
    let value = |option: &str| header.options.iter().find(|(name, _)| name == option).map(|(_, value)| value);
    let [flag, lowest] = UNIVERSAL_OPTIONS.map(value);
    let lowest = flag.and(lowest).and_then(|lowest| lowest.parse::<Version>().ok());
    let Some(lowest) = lowest else { return Vec::new() };
    let later = (0..=NEWEST_MINOR).map(|minor| Version::new([3, minor])).filter(|python| *python > lowest);
    let pythons: Vec<_> = std::iter::once(lowest.clone()).chain(later).collect();
    let platforms =
        ["linux", "macos", "windows"].into_iter().filter_map(|name| name.parse::<Platform>().ok());
    platforms
        .flat_map(|platform| {
            pythons.iter().map(move |python| Target::declared(python, &platform)).collect::<Vec<_>>()
        })
        .collect()
}
