//! What every other crate of pinfast shares: errors with their exit codes, events, and helpers for text and locks.

pub mod credentials;
pub mod error;
pub mod event;
pub mod excerpt;
pub mod suggest;
pub mod sync;
pub mod text;
