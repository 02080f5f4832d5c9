//! Operations: one function for each command, without argument parsing and without a terminal.
//!
//! A request goes in, an outcome comes out; a watcher gets the events in between.

mod build_requirements;
pub mod check;
pub mod deploy;
pub mod deploy_init;
pub mod downgrades;
mod edited_inputs;
mod environment;
mod fingerprint;
pub mod held_back;
mod index_files;
pub mod install;
pub mod lock;
mod lock_inputs;
mod lock_settings;
mod locked;
mod metadata_builds;
pub mod outdated;
mod paths;
mod pins;
pub mod read_lock;
mod render;
mod request;
mod resolution_problem;
mod resolve;
pub mod saved_fixes;
mod scope;
mod session;
mod skipped_entries;
mod unchanged;
mod universal;
mod unsolved;

pub use environment::EnvironmentRequest;
pub use lock_settings::{CacheUse, IndexRequest, PolicyRequest, TargetRequest, WritingRequest};
pub use pins::Hashes;
pub use request::LockPlace;
pub use session::Session;
