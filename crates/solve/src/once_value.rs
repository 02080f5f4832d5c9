//! A value computed once, however many threads ask for it at the same time.

use std::sync::{Mutex, OnceLock};

use pinfast_base::error::Error;
use pinfast_base::sync::unpoisoned;

/// A value that the first thread to ask computes while the others wait. After an error, the next one tries again.
pub(super) struct OnceValue<T> {
    value: OnceLock<T>,
    /// Held by the thread that computes.
    computing: Mutex<()>,
}

impl<T> Default for OnceValue<T> {
    fn default() -> Self {
        Self { value: OnceLock::new(), computing: Mutex::default() }
    }
}

impl<T: Clone> OnceValue<T> {
    /// The value, if it was computed.
    pub(super) fn get(&self) -> Option<T> {
        self.value.get().cloned()
    }

    /// The value; computes it first, if no thread has.
    ///
    /// # Errors
    /// That of `compute`.
    pub(super) fn get_or_try_init(&self, compute: impl FnOnce() -> Result<T, Error>) -> Result<T, Error> {
        if let Some(value) = self.value.get() {
            return Ok(value.clone());
        }
        let _computing = unpoisoned(self.computing.lock());
        // Another thread may have finished while this one waited for the lock.
        if let Some(value) = self.value.get() {
            return Ok(value.clone());
        }
        let value = compute()?;
        // The lock is held, so nothing else can have been stored.
        Ok(self.value.get_or_init(|| value).clone())
    }
}
