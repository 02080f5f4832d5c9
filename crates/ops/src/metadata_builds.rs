//! An index that runs build backends to get metadata that only a build can give.

use std::sync::Arc;
use std::time::Duration;

use super::lock_settings::LockSettings;
use super::session::Session;
use pinfast_base::error::{Error, Result};
use pinfast_build::{BuildConfig, BuildPolicy, BuildingIndex, DEFAULT_TIMEOUT, TIMEOUT_VARIABLE};
use pinfast_index::Client;
use pinfast_packaging::Target;
use pinfast_settings::{Origin, Sourced};

/// `client` with builds: their metadata is for `targets`, or for every environment if that is `None`.
///
/// # Errors
/// `Usage` for a time limit that is not valid.
pub(super) fn index(
    client: Arc<Client>,
    settings: &LockSettings,
    targets: Option<&[Target]>,
    session: &Session,
) -> Result<Arc<BuildingIndex>> {
    let config = BuildConfig {
        permission: permission(&settings.policy.no_build),
        interpreter: Box::new(session.finder(&settings.targets.interpreter.value)),
        cache: session.cache.clone(),
        exclude_newer: settings.policy.exclude_newer(),
        timeout: timeout(session)?,
        path: session.env.variable("PATH").unwrap_or_default().to_owned(),
        targets: targets.map(<[_]>::to_vec),
    };
    Ok(Arc::new(BuildingIndex::new(client, config, session.watcher.clone())))
}

fn permission(no_build: &Sourced<bool>) -> BuildPolicy {
    match &no_build.origin {
        _ if !no_build.value => BuildPolicy::Allowed,
        Origin::SettingsFile(at) => BuildPolicy::Forbidden(format!("`no-build` ({at})")),
        _ => BuildPolicy::Forbidden("`--no-build`".to_owned()),
    }
}

/// The time limit of one hook of a build backend.
pub(super) fn timeout(session: &Session) -> Result<Duration> {
    let Some(text) = session.env.text(TIMEOUT_VARIABLE) else { return Ok(DEFAULT_TIMEOUT) };
    match text.trim().parse() {
        Ok(seconds @ 1..=0xffff_ffff) => Ok(Duration::from_secs(seconds)),
        _ => Err(Error::usage(format!("{TIMEOUT_VARIABLE} is `{text}`, not a whole number from 1 up"))),
    }
}
