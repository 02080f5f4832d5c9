//! `pinfast check`: is the lock fresh, complete and untampered, and the environment folder out of git?
//!
//! From the files alone: no network, no interpreter.

use std::path::PathBuf;

use super::fingerprint;
use super::lock_inputs::with_settings;
use super::policy;
use super::request::{PolicyRequest, TargetRequest};
use super::scope::{self, LockScope};
use super::session::Session;
use pinfast_base::error::{Error, Result};
use pinfast_files::{self as files, DiskInputs};
use pinfast_git::{self as git, EnvironmentFinding};
use pinfast_inputs::{self as inputs, Extras, InputRequest};
use pinfast_lock::{Header, LockFreshness, ParsedLock, StaleReason, freshness};
use pinfast_packaging::ExtraName;

/// What to check.
#[derive(Clone, Debug)]
pub struct CheckRequest {
    /// The inputs; what is not named is what the lock was made from.
    pub inputs: InputRequest,
    /// The lock.
    pub lock: PathBuf,
    /// The target environments, where they are named.
    pub targets: TargetRequest,
    /// What may be chosen, as far as it is named.
    pub policy: PolicyRequest,
}

/// What came of it.
#[derive(Debug)]
pub struct CheckReport {
    /// The lock that was read.
    pub lock: ParsedLock,
    /// Why it is stale; none if it is fresh.
    pub reasons: Vec<StaleReason>,
    /// What is wrong with the environment folder.
    pub findings: Vec<EnvironmentFinding>,
}

impl CheckReport {
    /// Whether all is well.
    #[must_use]
    pub fn is_good(&self) -> bool {
        self.reasons.is_empty() && self.findings.is_empty()
    }
}

/// Checks what `request` names.
///
/// # Errors
/// `No` when there is no lock; `Usage` when an input or the lock cannot be read.
pub fn check(request: &CheckRequest, session: &Session) -> Result<CheckReport> {
    let folder = session.env.current_dir();
    let name = request.lock.to_string_lossy();
    let text = files::read_optional(&folder.join(&request.lock))?
        .ok_or_else(|| Error::no(format!("there is no lock {name}")).hint("make one: `pinfast lock`"))?;
    let lock = ParsedLock::read(&text, &name)?;
    let reasons = reasons(&request.inputs, &request.targets, &request.policy, &lock, session)?;
    Ok(CheckReport { lock, reasons, findings: git::check_environment_folders(folder)? })
}

/// Why `lock` is not what its inputs ask; none if it is fresh.
pub(super) fn reasons(
    inputs: &InputRequest,
    targets: &TargetRequest,
    policy: &PolicyRequest,
    lock: &ParsedLock,
    session: &Session,
) -> Result<Vec<StaleReason>> {
    let wanted = with_settings(&from_header(inputs, lock.lock.header.as_ref(), session)?, session)?;
    let inputs = inputs::read(&wanted, &DiskInputs::new(session.env.current_dir()))?;
    let settled = policy::settled(policy, session)?;
    let declared = scope::known(targets, &inputs, session);
    let targets = declared.as_ref().and_then(LockScope::targets);
    let mut current = fingerprint::current(&wanted, &inputs, &settled, targets, session);
    current.options.extend(declared.iter().flat_map(LockScope::options));
    if let (None, Some(header)) = (targets, &lock.lock.header) {
        current.environments = scope::environments(header);
    }
    match freshness(&current, lock) {
        LockFreshness::Fresh => Ok(Vec::new()),
        LockFreshness::Stale(reasons) => Ok(reasons),
    }
}

/// The request, where it names nothing filled in from what the lock was made from.
pub(super) fn from_header(
    request: &InputRequest,
    header: Option<&Header>,
    session: &Session,
) -> Result<InputRequest> {
    let mut wanted = request.clone();
    let Some(header) = header else { return Ok(wanted) };
    let of_option = |name: &'static str| {
        header.options.iter().filter(move |(option, _)| option == name).map(|(_, value)| value.clone())
    };
    if wanted.inputs.is_empty() {
        let binds_only =
            |lines: &[String]| !lines.is_empty() && lines.iter().all(|line| line.starts_with("-c "));
        let named = header.inputs.iter().filter(|input| !binds_only(&input.lines));
        wanted.inputs = named.map(|input| input.file.clone()).filter(|file| file != "-").collect();
    }
    let settings = &session.settings;
    if wanted.constraints.is_empty() && settings.constraints.is_empty() {
        wanted.constraints = of_option("constraint").collect();
    }
    if wanted.overrides.is_empty() && settings.overrides.is_empty() {
        wanted.overrides = of_option("override").collect();
    }
    let names = |option| -> Result<Vec<ExtraName>> {
        let name =
            |text: String| ExtraName::new(&text).map_err(|error| Error::no(format!("in the lock, {error}")));
        of_option(option).map(name).collect()
    };
    if wanted.extras == Extras::default() && settings.extras.is_empty() && settings.all_extras.is_none() {
        let all = of_option("all-extras").next().is_some();
        wanted.extras = if all { Extras::All } else { Extras::Named(names("extra")?) };
    }
    if wanted.groups.is_empty() && settings.groups.is_empty() {
        wanted.groups = names("group")?;
    }
    Ok(wanted)
}
