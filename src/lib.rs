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
//! - [`lock`]: the lock as data; readers, writers, freshness, diff
//!
//! **Edges**: each talks to one part of the world.
//! - [`settings`]: `pinfast.toml`, pip's configuration, the environment; which index is meant
//! - [`python`]: finds an interpreter and asks what it is
//! - [`git`]: whether the environment folder is out of git
//! - [`install`]: lock + a source of files -> an environment that is exactly the lock; verify one

pub mod error;
pub mod event;
pub mod git;
pub mod inputs;
pub mod install;
pub mod lock;
pub mod python;
pub mod settings;
pub mod solve;
pub mod spec;
