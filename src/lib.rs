//! pinfast locks, checks and installs the dependencies of Python applications.
//!
//! # The map
//!
//! Two layers and a shell. A crate uses only crates that stand above it in this list, and `tests/layers.rs` asserts it.
//!
//! **Core**: data in, data out. No file, socket, clock, environment variable or terminal.
//! - [`error`], [`event`]: what went wrong, and what happens, as values
//! - [`text`]: lists and lines as people read them
//! - [`packaging`]: the PyPA specifications as plain types
//! - [`inputs`]: requirement files and `pyproject.toml` -> requirements with `file:line`
//! - [`solve`]: inputs + target + an index -> a resolution or a proof that there is none
//! - [`lock`]: the lock as data; readers, writers, freshness, merge, diff
//! - [`repair`]: which lines and facts a failure needs, and changes to them that were tried and do resolve
//! - [`explain`]: a proof -> the one conflict that matters, in plain words, and fixes that were tried
//!
//! **Edges**: each talks to one part of the world.
//! - [`process`]: child processes with limits of time and output; signals
//! - [`files`]: the user's own files: read, and replaced as a whole or not at all
//! - [`cache`]: what was fetched before: checked before it is believed
//! - [`git`]: whether the environment folder is out of git, and what is committed
//! - [`settings`]: `pinfast.toml`, pip's configuration, the environment; which index is meant
//! - [`python`]: finds an interpreter and asks what it is
//! - [`index`]: indexes over the network and on disk: listings, metadata, files
//! - [`install`]: a lock and a source of files -> an environment that is exactly the lock; and its verification
//! - [`deploy`]: a commit and its lock -> a release that is live, or nothing changed
//! - [`build`]: an sdist that says its metadata nowhere -> its build backend, run in isolation -> the metadata
//!
//! **Shell**: what people and scripts meet.
//! - [`ops`]: one operation a command: requests in, outcomes out; no arguments, no terminal
//! - [`cli`]: arguments, output, exit codes: one file a command; `ui.rs` alone prints

pub mod cli;

pub use pinfast_base::{error, event, text};
pub use {
    pinfast_build as build, pinfast_cache as cache, pinfast_deploy as deploy, pinfast_explain as explain,
    pinfast_files as files, pinfast_git as git, pinfast_index as index, pinfast_inputs as inputs,
    pinfast_install as install, pinfast_lock as lock, pinfast_ops as ops, pinfast_packaging as packaging,
    pinfast_process as process, pinfast_python as python, pinfast_repair as repair,
    pinfast_settings as settings, pinfast_solve as solve,
};
