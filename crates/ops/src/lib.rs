//! Operations: what the commands do, without arguments to parse and without a terminal.
//!
//! Each takes one request and gives one outcome; what happens meanwhile goes to a watcher.

mod asked;
mod assemble;
mod build_requirements;
mod builds;
pub mod changes;
pub mod check;
mod current;
pub mod deploy;
mod environments;
mod everywhere;
pub mod fixes;
pub mod held_back;
mod indexes;
pub mod init;
pub mod install;
mod kept;
pub mod lock;
pub mod locks;
pub mod outdated;
mod pages;
mod policy;
mod request;
mod scope;
mod session;
mod source;
mod targets;
mod written;

pub use assemble::Hashes;
pub use environments::EnvironmentRequest;
pub use request::{CacheUse, IndexRequest, LockPlace, PolicyRequest, TargetRequest};
pub use scope::{Scope, scope};
pub use session::Session;
pub use targets::targets;
