//! Deploys of real releases: the whole program, git, real interpreters, and made-up packages on a local server.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]
#![expect(clippy::disallowed_methods, reason = "tests with random moments print how many runs they met")]

#[path = "../support/universe.rs"]
mod universe;

mod bot;
mod fault;
mod host;
mod mounted;
mod preflight;
mod rollback;
mod together;
