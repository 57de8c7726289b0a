//! Where the threads find the newest header.

use super::search::Job;
use std::{
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

#[cfg(test)]
mod tests;

/// Holds the newest job until a newer one replaces it. Unlike a slot, whose value one thread takes,
/// it shows the job to every thread.
#[derive(Debug)]
pub(super) struct Board {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug)]
struct State {
    newest: Option<Arc<Job>>,
    /// How many jobs there have been.
    number: u64,
    closed: bool,
    /// Of a core, for each thread.
    share: f64,
}

impl Board {
    /// An empty board, for threads with this share of a core.
    pub(super) fn new(share: f64) -> Board {
        let state = State { newest: None, number: 0, closed: false, share };
        Board { state: Mutex::new(state), changed: Condvar::new() }
    }

    /// How much of a core each thread uses.
    pub(super) fn share(&self) -> f64 {
        self.lock().share
    }

    /// Changes that, and wakes whoever sleeps for the old one's sake.
    pub(super) fn set_share(&self, share: f64) {
        self.lock().share = share;
        self.changed.notify_all();
    }

    /// Puts a job up, and ends the one before.
    pub(super) fn put(&self, job: Job) {
        let mut state = self.lock();
        if let Some(old) = state.newest.replace(Arc::new(job)) {
            old.end();
        }
        state.number += 1;
        self.changed.notify_all();
    }

    /// Ends the last job, and then the threads.
    pub(super) fn close(&self) {
        let mut state = self.lock();
        if let Some(last) = state.newest.take() {
            last.end();
        }
        state.closed = true;
        self.changed.notify_all();
    }

    /// Waits for a job newer than the one numbered `seen`; none once the board is closed.
    pub(super) fn next(&self, seen: u64) -> Option<(u64, Arc<Job>)> {
        let waiting = |state: &mut State| state.number <= seen && !state.closed;
        let state = self.changed.wait_while(self.lock(), waiting);
        let state = state.unwrap_or_else(PoisonError::into_inner);
        state.newest.as_ref().map(|job| (state.number, Arc::clone(job)))
    }

    /// Sleeps for this long, or until the board is closed or the share is another than `share`. A newer
    /// job wakes nobody: a pause that is owed for the last job is owed all the same.
    pub(super) fn sleep(&self, time: Duration, share: f64) {
        let asleep = |state: &mut State| !state.closed && state.share == share;
        // The outcome is told by the clock.
        let _ = self.changed.wait_timeout_while(self.lock(), time, asleep);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Whatever panicked ends the node; until then each field is whole.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
