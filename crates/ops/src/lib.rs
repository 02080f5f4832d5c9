//! Operations: what the commands do, without arguments to parse and without a terminal.
//!
//! Each takes one request and gives one outcome; what happens meanwhile goes to a watcher.

mod build_requirements;
pub mod check;
pub mod deploy;
pub mod deploy_init;
pub mod downgrades;
mod environment;
mod fingerprint;
pub mod held_back;
mod index_files;
mod index_locations;
pub mod install;
pub mod lock;
mod lock_inputs;
mod metadata_builds;
pub mod outdated;
mod pins;
mod policy;
pub mod read_lock;
mod render;
mod request;
pub mod saved_fixes;
mod scope;
mod session;
mod skipped_entries;
mod targets;
mod unchanged;
mod universal;

pub use environment::EnvironmentRequest;
pub use pins::Hashes;
pub use request::{CacheUse, IndexRequest, LockPlace, PolicyRequest, TargetRequest};
pub use scope::{LockScope, scope};
pub use session::Session;
pub use targets::targets;
