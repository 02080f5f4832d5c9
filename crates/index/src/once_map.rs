//! A map that computes each value once, however many callers ask.
//!
//! The first caller of a key gets a [`Completer`] and does the work; all others wait. A value stays for the run, so
//! that a run never sees two answers to one question.

use std::hash::Hash;
use std::sync::{Arc, Condvar, Mutex, OnceLock};
use std::task::{Poll, Waker};

use rustc_hash::FxHashMap;

use crate::failure::{FetchFailure, FetchResult};
use pinfast_base::sync::unpoisoned;

/// Keys and their values.
pub(crate) struct OnceMap<K, V> {
    slots: Mutex<FxHashMap<K, Arc<OnceSlot<V>>>>,
}

/// A value that is there or will be.
pub(crate) struct OnceSlot<V> {
    value: OnceLock<FetchResult<V>>,
    /// The tasks that wait; threads wait at `ready`.
    tasks: Mutex<Vec<Waker>>,
    ready: Condvar,
}

/// The duty to provide a value. Dropped without one (after a panic), it fails the slot, so that nobody waits
/// forever.
pub(crate) struct Completer<V: Clone> {
    slot: Arc<OnceSlot<V>>,
}

impl<K, V> Default for OnceMap<K, V> {
    fn default() -> Self {
        Self { slots: Mutex::default() }
    }
}

impl<K: Eq + Hash, V: Clone> OnceMap<K, V> {
    /// The slot of `key`, and for the first caller the duty to fill it.
    pub(crate) fn register(&self, key: K) -> (Arc<OnceSlot<V>>, Option<Completer<V>>) {
        let mut slots = unpoisoned(self.slots.lock());
        if let Some(slot) = slots.get(&key) {
            return (slot.clone(), None);
        }
        let slot =
            Arc::new(OnceSlot { value: OnceLock::new(), tasks: Mutex::default(), ready: Condvar::new() });
        slots.insert(key, slot.clone());
        (slot.clone(), Some(Completer { slot }))
    }

    /// Sets a value that is known without work, unless somebody registered `key` before.
    pub(crate) fn set(&self, key: K, value: V) {
        if let (_, Some(completer)) = self.register(key) {
            completer.done(Ok(value));
        }
    }

    pub(crate) fn is_registered(&self, key: &K) -> bool {
        unpoisoned(self.slots.lock()).contains_key(key)
    }

    /// The result for `key`, where the work is done.
    pub(crate) fn get(&self, key: &K) -> Option<FetchResult<V>> {
        unpoisoned(self.slots.lock()).get(key).and_then(|slot| slot.value.get().cloned())
    }

    /// All values so far, in no order.
    pub(crate) fn values(&self) -> Vec<V> {
        let slots = unpoisoned(self.slots.lock());
        slots.values().filter_map(|slot| slot.value.get()?.clone().ok()).collect()
    }
}

impl<V: Clone> OnceSlot<V> {
    /// The result; blocks the thread until it is there.
    pub(crate) fn wait_blocking(&self) -> FetchResult<V> {
        // The value is checked under this lock, which `fill` takes too: so no wake-up is lost.
        let mut tasks = unpoisoned(self.tasks.lock());
        loop {
            if let Some(value) = self.value.get() {
                return value.clone();
            }
            tasks = unpoisoned(self.ready.wait(tasks));
        }
    }

    /// The result; suspends the task until it is there.
    pub(crate) async fn wait(&self) -> FetchResult<V> {
        std::future::poll_fn(|context| {
            // Checked under the lock, as above.
            let mut tasks = unpoisoned(self.tasks.lock());
            match self.value.get() {
                Some(value) => Poll::Ready(value.clone()),
                None => {
                    // A task that is polled twice is woken twice, which does no harm.
                    tasks.push(context.waker().clone());
                    Poll::Pending
                }
            }
        })
        .await
    }

    fn fill(&self, value: FetchResult<V>) {
        let mut tasks = unpoisoned(self.tasks.lock());
        // Only the one completer fills a slot, so it is empty.
        let _ = self.value.set(value);
        self.ready.notify_all();
        tasks.drain(..).for_each(Waker::wake);
    }
}

impl<V: Clone> Completer<V> {
    pub(crate) fn done(self, value: FetchResult<V>) {
        self.slot.fill(value);
    }
}

impl<V: Clone> Drop for Completer<V> {
    fn drop(&mut self) {
        // After `done`, the value is there.
        if self.slot.value.get().is_none() {
            self.slot.fill(Err(Arc::new(FetchFailure::internal())));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_caller_works_and_all_callers_get_the_value() {
        let map = OnceMap::<&str, u32>::default();
        let (slot, completer) = map.register("a");
        assert!(map.register("a").1.is_none());
        assert!(map.get(&"a").is_none());
        let waiting = std::thread::spawn(move || slot.wait_blocking());
        completer.unwrap().done(Ok(7));
        assert_eq!(waiting.join().unwrap().unwrap(), 7);
        assert_eq!(map.register("a").0.wait_blocking().unwrap(), 7);
        assert_eq!(map.get(&"a").unwrap().unwrap(), 7);
    }

    #[test]
    fn a_dropped_completer_is_a_failure_and_no_endless_wait() {
        let map = OnceMap::<&str, u32>::default();
        let (slot, completer) = map.register("a");
        drop(completer);
        assert!(slot.wait_blocking().is_err());
    }
}
