//! Which target environments a lock is for.

use super::{arguments, copy_setting};
use crate::session::Session;
use pinfast_packaging::{Platform, Version};
use pinfast_python::InterpreterRequest;
use pinfast_settings::{DeclaredTarget, Settings, Sourced};

/// The arguments that name target environments.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TargetRequest {
    /// `--python`
    pub python: Option<String>,
    /// `--python-version`, each.
    pub versions: Vec<Version>,
    /// `--platform`, each.
    pub platforms: Vec<Platform>,
    /// `--universal`
    pub universal: Option<()>,
}

/// Which target environments a lock is for, and the interpreter that fills gaps.
pub(crate) struct TargetSettings {
    pub(crate) interpreter: Sourced<InterpreterRequest>,
    pub(crate) set: TargetSet,
}

/// A set of target environments.
pub(crate) enum TargetSet {
    /// The interpreter's own environment.
    Interpreter,
    /// Each version on each platform; the interpreter's own replaces an empty list.
    Matrix { versions: Sourced<Vec<Version>>, platforms: Sourced<Vec<Platform>> },
    /// The pairs that the settings list.
    Pairs(Vec<DeclaredTarget>),
    /// Every environment from the lowest of these versions up.
    Universal { versions: Sourced<Vec<Version>> },
}

impl TargetSettings {
    /// Merges the arguments and the settings file.
    pub(crate) fn merge(request: &TargetRequest, session: &Session) -> Self {
        let settings = &session.settings;
        // `--python` and `--platform` name single environments, so they override `universal = true`.
        let is_universal_by_settings = settings.universal.as_ref().is_some_and(|universal| universal.value)
            && request.python.is_none()
            && request.platforms.is_empty();
        let set = match request.universal.is_some() || is_universal_by_settings {
            true => TargetSet::Universal { versions: versions(request, settings) },
            false => single(request, settings),
        };
        Self { set, interpreter: session.interpreter_request(request.python.as_deref()) }
    }

    /// The same without `universal`: single environments only.
    pub(crate) fn merge_single(request: &TargetRequest, session: &Session) -> Self {
        let set = single(request, &session.settings);
        Self { set, interpreter: session.interpreter_request(request.python.as_deref()) }
    }
}

fn single(request: &TargetRequest, settings: &Settings) -> TargetSet {
    let names_targets =
        request.python.is_some() || !request.versions.is_empty() || !request.platforms.is_empty();
    if !names_targets && !settings.targets.is_empty() {
        return TargetSet::Pairs(settings.targets.iter().map(|target| target.value.clone()).collect());
    }
    let versions = versions(request, settings);
    let platforms = arguments("--platform", &request.platforms)
        .or_else(|| copy_setting(&settings.platforms))
        .unwrap_or_default();
    match request.python.is_some() || (versions.value.is_empty() && platforms.value.is_empty()) {
        true => TargetSet::Interpreter,
        false => TargetSet::Matrix { versions, platforms },
    }
}

fn versions(request: &TargetRequest, settings: &Settings) -> Sourced<Vec<Version>> {
    arguments("--python-version", &request.versions)
        .or_else(|| copy_setting(&settings.python_versions))
        .unwrap_or_default()
}
