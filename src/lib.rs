//! pinfast locks, checks and installs the dependencies of Python applications.
//!
//! # The map of the house
//!
//! Two layers and a shell; `use` points downwards only, and `tests/layers.rs` asserts it.
//!
//! **Core**: data in, data out. No file, socket, clock, environment variable or terminal.
//! - [`error`], [`event`]: what went wrong, and what happens, as values
//! - [`spec`]: the PyPA specifications as plain types
//! - [`inputs`]: requirement files and `pyproject.toml` -> requirements with `file:line`
//! - [`solve`]: inputs + target + an index -> a resolution or a proof that there is none
//! - [`lock`]: the lock as data; readers, writers, freshness, merge, diff
//! - [`explain`]: a proof that there is no resolution -> what, where, why, and fixes that were tried
//! - [`lock`]: the lock as data; readers, writers, freshness, diff
//!
//! **Edges**: each talks to one part of the world.
//! - [`files`]: the user's own files: read, and replaced as a whole or not at all
//! - [`git`]: whether the environment folder is out of git
//! - [`settings`]: `pinfast.toml`, pip's configuration, the environment; which index is meant
//! - [`python`]: finds an interpreter and asks what it is
//! - [`cache`]: the store on disk
//! - [`index`]: indexes over the network and on disk: listings, metadata, files
//!
//! **Shell**: what people and scripts meet.
//! - [`ops`]: one operation a command: requests in, outcomes out; no arguments, no terminal
//! - [`cli`]: arguments, output, exit codes: one file a command; `ui.rs` alone prints
//! - [`git`]: whether the environment folder is out of git
//! - [`install`]: lock + a source of files -> an environment that is exactly the lock; verify one

pub mod cli;
pub mod cache;
pub mod error;
pub mod event;
pub mod files;
pub mod explain;
pub mod git;
pub mod index;
pub mod inputs;
pub mod install;
pub mod lock;
pub mod ops;
pub mod python;
pub mod settings;
pub mod solve;
pub mod spec;
