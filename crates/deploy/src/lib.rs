//! The room of deployment: a commit and its lock -> a release that is live, or nothing changed.
//!
//! - [`deploy`], [`rollback`]: build and test a release, or take an old one, and switch to it
//! - [`planned`], [`releases`]: what would be done, and what is there; nothing is changed
//!
//! How the parts hang together. The journal (`record`, `journal`) is the one truth about releases and their
//! order, `current` (`root`) about what is live; `history` folds the one, and every decision is a function
//! of it. A `run` holds the lock (`held`), notes each step before it takes it, and begins by putting right
//! what a run that died left. `preflight` looks at everything (`source`, `shared`, `space`, `modules`)
//! before anything is created; `release` builds, `activate` switches, restarts, asks for the `health` and
//! goes back if it is not good; `remove` removes. Commands run in `process`.

mod activate;
mod config;
mod health;
mod held;
mod history;
mod id;
mod journal;
mod list;
mod modules;
mod plan;
mod preflight;
mod process;
mod record;
mod release;
mod remove;
mod rollback;
mod root;
mod run;
mod shared;
mod source;
mod space;

pub use config::{Config, Environments, View};
pub use held::Patience;
pub use history::State;
pub use id::{ReleaseId, short};
pub use list::{Listed, releases};
pub use plan::Stage;
pub use preflight::Lacking;
pub use release::{Activated, Options, deploy, planned};
pub use rollback::{destination, rollback};
pub use root::Root;
