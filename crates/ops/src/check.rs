//! `pinfast check`: whether the lock is fresh and intact, and the environment folder is out of git.
//!
//! It reads files only: no network, no interpreter.

use std::path::PathBuf;

use super::fingerprint::fingerprint;
use super::lock_settings::{LockArguments, LockSettings, PolicyRequest, TargetRequest, WritingRequest};
use super::scope::{LockScope, usual_environments};
use super::session::Session;
use pinfast_base::error::{Error, Result};
use pinfast_files::{self as files, DiskInputs};
use pinfast_git::{self as git, EnvironmentFinding};
use pinfast_inputs::InputRequest;
use pinfast_lock::{LockFreshness, ParsedLock, StaleReason, freshness};

/// What to check.
#[derive(Clone, Debug)]
pub struct CheckRequest {
    /// The inputs; by default those that the lock was made from.
    pub inputs: InputRequest,
    /// The lock.
    pub lock: PathBuf,
    /// The target environments; by default those of the lock.
    pub targets: TargetRequest,
    /// The policy; what is not set is not compared.
    pub policy: PolicyRequest,
}

/// The outcome of a check.
#[derive(Debug)]
pub struct CheckReport {
    /// The lock.
    pub lock: ParsedLock,
    /// Why it is stale; empty if it is fresh.
    pub reasons: Vec<StaleReason>,
    /// Environment folders that git tracks or does not ignore.
    pub findings: Vec<EnvironmentFinding>,
}

impl CheckReport {
    /// Whether nothing is wrong.
    #[must_use]
    pub fn is_good(&self) -> bool {
        self.reasons.is_empty() && self.findings.is_empty()
    }
}

/// Checks the lock and the environment folder.
///
/// # Errors
/// `No` if there is no lock; `Usage` if an input or the lock cannot be read.
pub fn check(request: &CheckRequest, session: &Session) -> Result<CheckReport> {
    let folder = session.env.current_dir();
    let name = request.lock.to_string_lossy();
    let text = files::read_optional(&folder.join(&request.lock))?
        .ok_or_else(|| Error::no(format!("there is no lock {name}")).hint("make one: `pinfast lock`"))?;
    let lock = ParsedLock::read(&text, &name)?;
    let reasons = stale_reasons(&request.inputs, &request.targets, &request.policy, &lock, session)?;
    Ok(CheckReport { lock, reasons, findings: git::check_environment_folders(folder)? })
}

/// Why `lock` is stale; empty if it is fresh. Inputs that nothing names are those of the lock's header.
pub(super) fn stale_reasons(
    inputs: &InputRequest,
    targets: &TargetRequest,
    policy: &PolicyRequest,
    lock: &ParsedLock,
    session: &Session,
) -> Result<Vec<StaleReason>> {
    let header = lock.lock.header.as_ref();
    let writing = WritingRequest::default();
    let arguments = LockArguments { inputs, targets, policy, writing: &writing };
    let texts = DiskInputs::new(session.env.current_dir());
    let (settings, inputs) = LockSettings::read(&arguments, header, &texts, session)?;
    let scope = LockScope::without_interpreter(&settings.targets, &inputs);
    let mut fingerprint = fingerprint(&settings, &inputs, scope.as_ref(), session);
    if let (None, Some(header)) = (scope.as_ref().and_then(LockScope::targets), header) {
        fingerprint.environments = usual_environments(header);
    }
    match freshness(&fingerprint, lock) {
        LockFreshness::Fresh => Ok(Vec::new()),
        LockFreshness::Stale(reasons) => Ok(reasons),
    }
}
