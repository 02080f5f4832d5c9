//! The steps of a deploy as text, for the run that takes them and for `--dry-run`.

use super::config::DeployConfig;
use super::id::{ReleaseId, short_hash};
use super::preflight::CheckedSource;
use pinfast_git::TreeEntryKind;
use pinfast_settings::HealthCheck;

/// A step that a deploy would take.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeployStep {
    /// Its name, such as `export`.
    pub name: &'static str,
    /// Its object, such as `7 files of 3f2a1bc9d8`.
    pub what: String,
}

pub(super) fn export(checked: &CheckedSource) -> String {
    let files = checked.source.files.iter().filter(|file| file.kind != TreeEntryKind::Folder).count();
    let s = if files == 1 { "" } else { "s" };
    format!("{files} file{s} of {}", short_hash(&checked.source.commit))
}

pub(super) fn share(config: &DeployConfig) -> String {
    let paths: Vec<_> = config.settings.shared.iter().map(|shared| shared.path.as_str()).collect();
    paths.join(", ")
}

pub(super) fn install(config: &DeployConfig) -> String {
    format!("{} from {}", config.settings.venv, config.settings.lock)
}

pub(super) fn verify(config: &DeployConfig) -> String {
    format!("{} against {}", config.settings.venv, config.settings.lock)
}

pub(super) fn health(health: &HealthCheck) -> String {
    match health {
        HealthCheck::Url { url, .. } => url.to_string(),
        HealthCheck::Command(timed) => timed.command.clone(),
    }
}

/// All steps of a deploy that would prune the releases `prunable`.
pub(super) fn steps(
    config: &DeployConfig,
    checked: &CheckedSource,
    prunable: &[ReleaseId],
) -> Vec<DeployStep> {
    let settings = &config.settings;
    let mut steps = Vec::new();
    let mut push = |name, what: String| steps.push(DeployStep { name, what });
    push("export", format!("{} to releases/TIME-{}", export(checked), short_hash(&checked.source.commit)));
    if !settings.shared.is_empty() {
        push("share", share(config));
    }
    push("install", install(config));
    push("verify", verify(config));
    settings.smoke.iter().for_each(|smoke| push("smoke", smoke.to_string()));
    push("switch", format!("current -> releases/TIME-{}", short_hash(&checked.source.commit)));
    settings.restart.iter().for_each(|restart| push("restart", restart.command.clone()));
    settings.health.iter().for_each(|check| push("health", health(check)));
    prunable.iter().for_each(|id| push("prune", format!("releases/{id}")));
    steps
}
