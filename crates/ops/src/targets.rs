//! Which target environments a request means.

use super::request::TargetRequest;
use super::session::Session;
use pinfast_base::error::{Error, Result};
use pinfast_packaging::{Platform, Target, Version};

/// The targets, in the order in which they are named; at least one, each once.
///
/// Flags outdo settings. Each target is one of the Python versions on one of the platforms; what is not
/// named is the interpreter's, and with nothing named the target is the interpreter's environment itself.
///
/// # Errors
/// `NoAnswer` when the interpreter is needed and there is none.
pub fn targets(request: &TargetRequest, session: &Session) -> Result<Vec<Target>> {
    let mut targets = match declared(request, session) {
        Some(targets) => targets,
        None => of_interpreter(request, session)?,
    };
    let mut seen = std::collections::HashSet::new();
    targets.retain(|target| seen.insert(target.label().to_owned()));
    Ok(targets)
}

/// The targets that the request or the settings name so fully that no interpreter is needed.
pub(super) fn declared(request: &TargetRequest, session: &Session) -> Option<Vec<Target>> {
    let settings = &session.settings;
    let by_flags = request.python.is_some() || !request.versions.is_empty() || !request.platforms.is_empty();
    if !by_flags && !settings.targets.is_empty() {
        let targets = settings.targets.iter().map(|target| &target.value);
        return Some(targets.map(|target| Target::declared(&target.python, &target.platform)).collect());
    }
    let (versions, platforms) = (versions(request, session), platforms(request, session));
    let full = request.python.is_none() && !versions.is_empty() && !platforms.is_empty();
    full.then(|| cross(&versions, &platforms))
}

fn of_interpreter(request: &TargetRequest, session: &Session) -> Result<Vec<Target>> {
    let (versions, platforms) = (versions(request, session), platforms(request, session));
    let probe = &session.interpreter(request.python.as_deref())?.probe;
    if request.python.is_some() || (versions.is_empty() && platforms.is_empty()) {
        return Ok(vec![probe.target()?]);
    }
    let own_version = || {
        let version = probe.markers.python_full_version.parse::<Version>();
        version.map_err(|error| Error::no_answer("the interpreter's version cannot be read").because(error))
    };
    let versions = if versions.is_empty() { vec![own_version()?] } else { versions };
    let platforms = if platforms.is_empty() { vec![probe.host_platform()?] } else { platforms };
    Ok(cross(&versions, &platforms))
}

pub(super) fn versions(request: &TargetRequest, session: &Session) -> Vec<Version> {
    let settings = session.settings.python_versions.iter().map(|version| version.value.clone());
    if request.versions.is_empty() { settings.collect() } else { request.versions.clone() }
}

fn platforms(request: &TargetRequest, session: &Session) -> Vec<Platform> {
    let settings = session.settings.platforms.iter().map(|platform| platform.value.clone());
    if request.platforms.is_empty() { settings.collect() } else { request.platforms.clone() }
}

fn cross(versions: &[Version], platforms: &[Platform]) -> Vec<Target> {
    let of_version = |version| platforms.iter().map(move |platform| Target::declared(version, platform));
    versions.iter().flat_map(of_version).collect()
}
