//! Builds of source distributions: the metadata of one that declares it nowhere (PEP 517), or a wheel for an
//! installation.
//!
//! In: a source distribution, an interpreter, and an index or a lock for what the build requires. Out:
//! metadata for the solver, or a wheel.
//!
//! # When a build runs
//!
//! An index gives the metadata of a wheel, and of a source distribution that declares its dependencies statically:
//! in `PKG-INFO` (PEP 643) or in the table `[project]` (PEP 621). For any other one it returns `NeedsBuild`.
//! [`BuildingIndex`] wraps the index and builds then, so only candidates that the solver decides on are built.
//! [`build_wheel`] builds for `pinfast install` if no wheel fits and the lock permits it.
//!
//! # One build, step by step
//!
//! 1. `source_tree`: unpack the archive into a temporary folder. `unpack` treats it as hostile.
//! 2. `build_system`: read `[build-system]` of its `pyproject.toml` (PEP 518); without one, setuptools builds it.
//! 3. `environment`: resolve and install the build requirements into a new environment, wheels only.
//! 4. `hooks`: ask the backend for further requirements (`get_requires_for_build_wheel`), and install them too.
//! 5. `hooks`: call `prepare_metadata_for_build_wheel` or `build_wheel`, and check the result.
//!
//! `backend` runs each hook in a process of its own: with an environment of its own, a time limit and, for an
//! installation, without the network.
//!
//! # Why it uses so many crates
//!
//! Step 3 is a whole lock and installation within the one that asked for it: the build requirements become
//! inputs, are solved, explained if they conflict, downloaded and installed.
//!
//! The backend is foreign code. Each run of one is reported as a warning, its metadata is cached, and
//! [`BuildPolicy`] may forbid it.

mod backend;
mod build_system;
mod config;
mod environment;
mod failure;
mod hooks;
mod index;
mod source_tree;
mod text;
mod unpack;
mod wheel;

#[cfg(test)]
mod tests;

pub use config::{BuildConfig, BuildPolicy, DEFAULT_TIMEOUT, TIMEOUT_VARIABLE};
pub use environment::build_inputs;
pub use index::BuildingIndex;
pub use wheel::{WheelBuilder, build_wheel};
