//! Operations: what the commands do, without arguments to parse and without a terminal.
//!
//! Each takes one request and gives one outcome; what happens meanwhile goes to a watcher.

mod assemble;
pub mod check;
mod current;
mod everywhere;
mod indexes;
pub mod lock;
mod policy;
mod request;
mod scope;
mod session;
mod targets;

pub use assemble::Hashes;
pub use request::{CacheUse, IndexRequest, LockPlace, PolicyRequest, TargetRequest};
pub use session::Session;
