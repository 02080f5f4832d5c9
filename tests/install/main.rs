//! Installation from outside: real interpreters, generated wheels.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod abuse;
mod choice;
mod commands;
mod crash;
mod good;
mod hostile;
mod kit;
mod pip;
mod program;
mod sdist;
