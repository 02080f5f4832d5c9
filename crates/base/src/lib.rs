//! What every other crate of pinfast speaks in: errors with their exit codes, events, and text helpers.

pub mod error;
pub mod event;
pub mod suggest;
pub mod text;
