//! Deployment: a commit and its lock become a release that is live, or nothing changes.
//!
//! In: the `[deploy]` settings ([`DeployConfig`]), a git work tree, and whoever makes environments
//! ([`Environments`]). Out: a folder in `releases/`, and the link `current` that points to it.
//!
//! # The life of a release
//!
//! 1. `preflight` checks the source, the lock, the disk, `shared/` and the smoke tests' modules. It creates
//!    nothing at the root and reports all problems at once.
//! 2. [`deploy()`] takes the `lock_file`, opens the `journal`, and recovers from a run that died.
//! 3. It builds the release at its final place: tracked files, links to `shared/`, environment, verification.
//! 4. The smoke tests run in the release.
//! 5. `activate` replaces `current` by one rename, restarts the service, and waits for its `health` check.
//!    If the release is not healthy, it switches back and restarts again.
//! 6. Old releases are pruned.
//!
//! [`rollback()`] verifies and tests a release that was live before, then continues at step 5.
//!
//! # The journal
//!
//! A write-ahead log (`.pinfast/journal`): each line is synced before its action starts. `history` replays it,
//! and each decision is a pure function of that history and of the release that `current` points to.
//!
//! | event | written | new phase | if the run dies before the next line |
//! |---|---|---|---|
//! | `begin` | before the folder is created | building | the next run removes the folder: `failed`, `removed` |
//! | `step` | before each step, for people | | as for the event before it |
//! | `ready` | after the smoke tests | ready | the next run records `failed` and keeps the folder |
//! | `switch` | before `current` is replaced | | `current` decides: as for `ready`, or as for `live` |
//! | `live` | after `current` is replaced | live | it stays live, but no rollback goes to it |
//! | `passed` | after the health check | live, healthy | nothing to do |
//! | `back` | after `current` points back | retired | nothing to do (a deploy then writes `failed`) |
//! | `failed` | when a release is given up | failed | nothing to do |
//! | `remove` | before its folder is removed | removing | the next run removes the rest |
//! | `removed` | after that | removed | nothing to do |
//!
//! A rollback writes `switch`, `live` and `passed` only; if it dies before the rename, the next run records
//! `back`. A release becomes retired when another one becomes live.

mod activate;
mod command;
mod config;
mod deploy;
mod disk;
mod health;
mod history;
mod id;
mod journal;
mod journal_entry;
mod list;
mod lock_file;
mod modules;
mod plan;
mod preflight;
mod remove;
mod rollback;
mod root;
mod run;
mod shared;
mod source;
mod space;

pub use config::{DeployConfig, Environments, SourceView};
pub use deploy::{DeployOptions, LiveRelease, deploy, plan_deploy};
pub use history::ReleaseState;
pub use id::{ReleaseId, short_hash};
pub use list::{ReleaseSummary, releases};
pub use lock_file::WhenLocked;
pub use plan::DeployStep;
pub use preflight::MissingShared;
pub use rollback::{rollback, rollback_target};
pub use root::DeployRoot;
