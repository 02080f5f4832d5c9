//! pinfast locks, checks and installs the dependencies of Python applications.
//!
//! # The map
//!
//! Layers of crates in `crates/`, and the shell in `src/`. A crate uses only crates that stand above it in
//! this list. The compiler enforces that, since each `Cargo.toml` names the crates that its crate may use.
//!
//! **Core**: data in, data out. Clippy forbids it files, sockets, clocks, environment variables and the terminal.
//! - [`error`], [`event`], [`text`]: errors with exit codes, events as values, lists as people read them
//! - [`packaging`]: the PyPA specifications as types: names, versions, markers, tags, metadata
//! - [`inputs`]: requirements files and `pyproject.toml` -> requirements with `file:line`
//! - [`solve`]: inputs + target + an index -> a resolution, or a proof that there is none
//! - [`lock`]: the lock as data: readers, writers, freshness, merge, diff
//! - [`repair`]: a failure -> its conflict, and changes that were tried and resolve it
//! - [`explain`]: a proof -> the one conflict that matters, in plain words, with fixes
//!
//! **Edges**: each one handles one part of the outside world.
//! - [`process`]: child processes with limits of time and output; signals
//! - [`files`]: the user's files, replaced atomically
//! - [`cache`]: records of earlier runs, each verified by its checksum
//! - [`git`]: committed files, and whether git ignores the environment folder
//! - [`settings`]: `pinfast.toml`, pip's configuration, the process environment; the choice of indexes
//! - [`python`]: finds an interpreter and asks it for its version, platform and paths
//! - [`index`]: indexes over the network and on disk: listings, metadata, files
//! - [`install`]: a lock and its files -> an environment that is exactly the lock; and its verification
//! - [`deploy`]: a commit and its lock -> a live release, or no change
//! - [`build`]: an sdist -> its metadata or a wheel, by its build backend in isolation
//!
//! **Operations** and **shell**:
//! - [`ops`]: one function for each command: a request goes in, an outcome comes out; no terminal
//! - [`cli`]: arguments, output, exit codes: one file for each command; `ui.rs` alone prints

pub mod cli;

pub use pinfast_base::{error, event, text};
pub use {
    pinfast_build as build, pinfast_cache as cache, pinfast_deploy as deploy, pinfast_explain as explain,
    pinfast_files as files, pinfast_git as git, pinfast_index as index, pinfast_inputs as inputs,
    pinfast_install as install, pinfast_lock as lock, pinfast_ops as ops, pinfast_packaging as packaging,
    pinfast_process as process, pinfast_python as python, pinfast_repair as repair,
    pinfast_settings as settings, pinfast_solve as solve,
};
