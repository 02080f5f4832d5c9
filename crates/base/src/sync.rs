//! Locks between threads.

use std::sync::{LockResult, PoisonError};

/// The guard of a lock, even after a thread panicked while it held it (poisoning).
///
/// Use it where every change under the lock is a single step, so that a panic leaves no half-made change behind.
pub fn unpoisoned<G>(lock: LockResult<G>) -> G {
    lock.unwrap_or_else(PoisonError::into_inner)
}
