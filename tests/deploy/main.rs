//! Deploys of real releases: the whole program, git, real interpreters, made-up packages on a server of this
//! machine.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

#[path = "../support/universe.rs"]
mod universe;

mod bot;
mod fault;
mod host;
mod mounted;
mod preflight;
mod rollback;
mod together;
