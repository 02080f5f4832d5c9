//! From a request to an index that builds what tells its metadata nowhere.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use super::policy;
use super::request::PolicyRequest;
use super::session::Session;
use pinfast_base::error::{Error, Result};
use pinfast_build::{BuildConfig, BuildPolicy, BuildingIndex, DEFAULT_TIMEOUT, TIMEOUT_VARIABLE};
use pinfast_index::Client;
use pinfast_packaging::Target;

/// `client`, with builds by the interpreter that `python` (`--python`) or the settings mean; the metadata
/// is for `targets`, or for every environment.
///
/// # Errors
/// `Usage` when an option or variable makes no sense.
pub(super) fn over(
    client: Arc<Client>,
    settled: &PolicyRequest,
    targets: Option<&[Target]>,
    python: Option<&str>,
    session: &Session,
) -> Result<Arc<BuildingIndex>> {
    let exclude_newer = settled.exclude_newer.as_deref();
    let config = BuildConfig {
        permission: permission(settled, session),
        interpreter: Box::new(session.finder(python)),
        cache: session.cache.clone(),
        exclude_newer: exclude_newer.map(|text| policy::instant(text, Timestamp::now())).transpose()?,
        timeout: timeout(session)?,
        path: session.env.variable("PATH").unwrap_or_default().to_owned(),
        targets: targets.map(<[_]>::to_vec),
    };
    Ok(Arc::new(BuildingIndex::new(client, config, session.watcher.clone())))
}

fn permission(settled: &PolicyRequest, session: &Session) -> BuildPolicy {
    match &session.settings.no_build {
        Some(no_build) if no_build.value => {
            BuildPolicy::Forbidden(format!("`no-build` ({})", no_build.place.location()))
        }
        _ if settled.no_build.is_some() => BuildPolicy::Forbidden("`--no-build`".to_owned()),
        _ => BuildPolicy::Allowed,
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
