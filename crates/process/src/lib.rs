//! Processes: those that pinfast starts, and the signals that end pinfast itself.
//!
//! A child process (an interpreter, a build backend, a smoke test) may hang, flood its output, or leave
//! processes behind. So each caller composes the same parts:
//!
//! 1. [`wait`] polls the child until it exits, its deadline passes, or the caller stops waiting.
//! 2. A thread reads its output: [`Capture`] keeps the beginning and rejects an output that is too long,
//!    [`OutputTail`] keeps the end.
//! 3. [`ProcessGroup`] ends the child with everything it started: SIGTERM, a grace period, SIGKILL.
//!
//! SIGINT and SIGTERM end pinfast within a second. [`uninterrupted`] holds them off while a file is replaced;
//! [`SignalDeferral`] hands them to an operation that must first undo what it did, such as a deploy.

mod child;
mod output;
mod signals;

pub use child::{ProcessGroup, WaitEnd, wait};
pub use output::{Capture, CaptureError, OutputTail};
pub use signals::{Signal, SignalDeferral, exit_on_signal, on_signal, uninterrupted};
