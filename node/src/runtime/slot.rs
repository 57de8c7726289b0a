//! A queue of one, in which the newest replaces what nobody has taken yet.

use std::{
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

#[cfg(test)]
mod tests;

/// A new, empty slot.
pub(super) fn slot<T>() -> (Giver<T>, Taker<T>) {
    let state = Mutex::new(State { value: None, closed: false });
    let shared = Arc::new(Shared { state, changed: Condvar::new() });
    (Giver(Arc::clone(&shared)), Taker(shared))
}

/// The end that puts in. It never waits. When it is dropped, the slot is closed.
#[derive(Debug)]
pub(super) struct Giver<T>(Arc<Shared<T>>);

/// The end that takes out.
#[derive(Debug)]
pub(super) struct Taker<T>(Arc<Shared<T>>);

#[derive(Debug)]
struct Shared<T> {
    state: Mutex<State<T>>,
    changed: Condvar,
}

#[derive(Debug)]
struct State<T> {
    value: Option<T>,
    closed: bool,
}

impl<T> Giver<T> {
    /// Puts `value` in, instead of what is there.
    pub(super) fn put(&self, value: T) {
        self.0.lock().value = Some(value);
        self.0.changed.notify_one();
    }
}

impl<T> Drop for Giver<T> {
    fn drop(&mut self) {
        self.0.lock().closed = true;
        self.0.changed.notify_one();
    }
}

impl<T> Taker<T> {
    /// Waits for a value; none once the slot is closed and its last value has been taken.
    pub(super) fn take(&self) -> Option<T> {
        let mut state = self.0.lock();
        loop {
            match state.value.take() {
                None if !state.closed => {
                    state = self.0.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
                }
                value => return value,
            }
        }
    }
}

impl<T> Taker<T> {
    /// Sleeps for this long, or until the slot is closed.
    pub(super) fn sleep(&self, time: Duration) {
        let open = |state: &mut State<T>| !state.closed;
        // Whether it slept enough makes no difference.
        let _ = self.0.changed.wait_timeout_while(self.0.lock(), time, open);
    }
}

impl<T> Shared<T> {
    fn lock(&self) -> MutexGuard<'_, State<T>> {
        // Each change is one assignment, so a poisoned slot is still a slot.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
