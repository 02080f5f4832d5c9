//! One answer a question, however many ask: the first who asks works, the others wait.

use std::hash::Hash;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::task::{Poll, Waker};

use rustc_hash::FxHashMap;

use super::failure::{Failure, Outcome};

/// Questions and their answers, each worked out once.
pub(super) struct OnceMap<K, V> {
    slots: Mutex<FxHashMap<K, Arc<Slot<V>>>>,
}

/// An answer that is there or will be.
pub(super) struct Slot<V> {
    value: OnceLock<Outcome<V>>,
    /// The tasks that wait; threads wait at `ready`.
    tasks: Mutex<Vec<Waker>>,
    ready: Condvar,
}

/// The duty to answer. Dropped unanswered (a panic), it answers with an error, so that nobody waits forever.
pub(super) struct Promise<V: Clone> {
    slot: Arc<Slot<V>>,
}

impl<K: Eq + Hash, V: Clone> OnceMap<K, V> {
    pub(super) fn new() -> Self {
        Self { slots: Mutex::default() }
    }

    /// The slot of `key`, and for the first who asks the duty to fill it.
    pub(super) fn claim(&self, key: K) -> (Arc<Slot<V>>, Option<Promise<V>>) {
        let mut slots = unpoisoned(self.slots.lock());
        if let Some(slot) = slots.get(&key) {
            return (slot.clone(), None);
        }
        let slot = Arc::new(Slot { value: OnceLock::new(), tasks: Mutex::default(), ready: Condvar::new() });
        slots.insert(key, slot.clone());
        (slot.clone(), Some(Promise { slot }))
    }

    /// Whether somebody asked before.
    pub(super) fn was_asked(&self, key: &K) -> bool {
        unpoisoned(self.slots.lock()).contains_key(key)
    }

    /// The answers that are there already, in no order.
    pub(super) fn answers(&self) -> Vec<V> {
        let slots = unpoisoned(self.slots.lock());
        slots.values().filter_map(|slot| slot.value.get()?.clone().ok()).collect()
    }

    /// The answer to `key`, if it is there already.
    pub(super) fn peek(&self, key: &K) -> Option<Outcome<V>> {
        unpoisoned(self.slots.lock()).get(key).and_then(|slot| slot.value.get().cloned())
    }
}

impl<V: Clone> Slot<V> {
    /// The answer; the thread sleeps until it is there.
    pub(super) fn wait(&self) -> Outcome<V> {
        let mut tasks = unpoisoned(self.tasks.lock());
        loop {
            if let Some(value) = self.value.get() {
                return value.clone();
            }
            tasks = self.ready.wait(tasks).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// The answer; the task sleeps until it is there.
    pub(super) async fn answer(&self) -> Outcome<V> {
        std::future::poll_fn(|context| {
            let mut tasks = unpoisoned(self.tasks.lock());
            match self.value.get() {
                Some(value) => Poll::Ready(value.clone()),
                None => {
                    tasks.push(context.waker().clone());
                    Poll::Pending
                }
            }
        })
        .await
    }

    fn fill(&self, value: Outcome<V>) {
        let mut tasks = unpoisoned(self.tasks.lock());
        // A second answer cannot come: a promise is kept once.
        let _ = self.value.set(value);
        self.ready.notify_all();
        tasks.drain(..).for_each(Waker::wake);
    }
}

impl<V: Clone> Promise<V> {
    /// Answers.
    pub(super) fn keep(self, value: Outcome<V>) {
        self.slot.fill(value);
    }
}

impl<V: Clone> Drop for Promise<V> {
    fn drop(&mut self) {
        if self.slot.value.get().is_none() {
            self.slot.fill(Err(Arc::new(Failure::abandoned())));
        }
    }
}

/// A lock whose holder panicked still holds whole data here: every change is a single step.
pub(super) fn unpoisoned<'a, T>(
    lock: Result<MutexGuard<'a, T>, PoisonError<MutexGuard<'a, T>>>,
) -> MutexGuard<'a, T> {
    lock.unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_first_who_asks_works_and_all_get_the_answer() {
        let map = OnceMap::<&str, u32>::new();
        let (slot, promise) = map.claim("a");
        assert!(map.claim("a").1.is_none());
        assert!(map.peek(&"a").is_none());
        let waiting = std::thread::spawn(move || slot.wait());
        promise.unwrap().keep(Ok(7));
        assert_eq!(waiting.join().unwrap().unwrap(), 7);
        assert_eq!(map.claim("a").0.wait().unwrap(), 7);
        assert_eq!(map.peek(&"a").unwrap().unwrap(), 7);
    }

    #[test]
    fn a_broken_promise_is_an_error_and_no_endless_wait() {
        let map = OnceMap::<&str, u32>::new();
        let (slot, promise) = map.claim("a");
        drop(promise);
        assert!(slot.wait().is_err());
    }
}
