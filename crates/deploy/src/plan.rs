//! What the steps of a deploy say of themselves, for the run that takes them and for one that only tells.

use super::config::Config;
use super::id::{ReleaseId, short};
use super::preflight::Ready;
use pinfast_settings::HealthCheck;

/// A step that would be taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stage {
    /// Its name: one word.
    pub name: &'static str,
    /// With what.
    pub what: String,
}

pub(super) fn export(ready: &Ready) -> String {
    let files =
        ready.source.files.iter().filter(|file| file.kind != pinfast_git::CommittedKind::Folder).count();
    let s = if files == 1 { "" } else { "s" };
    format!("{files} file{s} of {}", short(&ready.source.commit))
}

pub(super) fn share(config: &Config) -> String {
    let paths: Vec<_> = config.settings.shared.iter().map(|shared| shared.path.as_str()).collect();
    paths.join(", ")
}

pub(super) fn install(config: &Config) -> String {
    format!("{} from {}", config.settings.venv, config.settings.lock)
}

pub(super) fn verify(config: &Config) -> String {
    format!("{} against {}", config.settings.venv, config.settings.lock)
}

/// All steps to a release that is not begun yet; `surplus` goes in the end.
pub(super) fn stages(config: &Config, ready: &Ready, surplus: &[ReleaseId]) -> Vec<Stage> {
    let settings = &config.settings;
    let mut stages = Vec::new();
    let mut push = |name, what: String| stages.push(Stage { name, what });
    push("export", format!("{} to releases/TIME-{}", export(ready), short(&ready.source.commit)));
    if !settings.shared.is_empty() {
        push("share", share(config));
    }
    push("install", install(config));
    push("verify", verify(config));
    settings.smoke.iter().for_each(|smoke| push("smoke", smoke.to_string()));
    push("switch", format!("current -> releases/TIME-{}", short(&ready.source.commit)));
    settings.restart.iter().for_each(|restart| push("restart", restart.command.clone()));
    settings.health.iter().for_each(|health| {
        push(
            "health",
            match health {
                HealthCheck::Url { url, .. } => url.to_string(),
                HealthCheck::Command(timed) => timed.command.clone(),
            },
        );
    });
    surplus.iter().for_each(|id| push("prune", format!("releases/{id}")));
    stages
}
