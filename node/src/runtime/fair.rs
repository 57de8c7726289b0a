//! Whose turn it is, where many send and few can be served.
//!
//! Each peer has a line of its own, and of those that wait the one is served next on whom the least time was
//! spent so far (start-time fair queueing: Goyal, Vin, Cheng, SIGCOMM 1996). So a peer that floods us, or
//! sends what is dear to look at, is in nobody's way but its own: whoever says little is served at once. A
//! line is served by one thread at a time and stays in order. Nobody saves up time while nothing waits in
//! its line.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Condvar, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

#[cfg(test)]
mod tests;

/// The lines. Not bounded by themselves: whoever puts something in looks at [`Lines::waiting`], or has a
/// budget of its own.
#[derive(Debug)]
pub(super) struct Lines<T> {
    lines: BTreeMap<u32, Line<T>>,
    /// How much was spent on the one that was served last, when its turn came.
    floor: Duration,
    waiting: usize,
}

#[derive(Debug)]
struct Line<T> {
    waiting: VecDeque<T>,
    spent: Duration,
    served: bool,
}

impl<T> Default for Lines<T> {
    fn default() -> Self {
        Lines { lines: BTreeMap::new(), floor: Duration::ZERO, waiting: 0 }
    }
}

impl<T> Lines<T> {
    /// Puts something at the end of a line.
    pub(super) fn push(&mut self, who: u32, item: T) {
        let floor = self.floor;
        let line = self.line(who);
        if line.waiting.is_empty() && !line.served {
            line.spent = line.spent.max(floor);
        }
        line.waiting.push_back(item);
        self.waiting += 1;
    }

    /// The first of the line whose turn it is. That line is served until [`Lines::served`] says it no longer is.
    pub(super) fn take(&mut self) -> Option<(u32, T)> {
        self.take_of(|_| true)
    }

    /// The same, of those lines only that `fits` names.
    pub(super) fn take_of(&mut self, fits: impl Fn(u32) -> bool) -> Option<(u32, T)> {
        let lines = self.lines.iter_mut();
        let ready =
            lines.filter(|(who, line)| !line.served && !line.waiting.is_empty() && fits(**who));
        let (who, line) = ready.min_by_key(|(who, line)| (line.spent, **who))?;
        let item = line.waiting.pop_front()?;
        line.served = true;
        self.floor = self.floor.max(line.spent);
        self.waiting -= 1;
        Some((*who, item))
    }

    /// A line is not served any more.
    pub(super) fn served(&mut self, who: u32) {
        if let Some(line) = self.lines.get_mut(&who) {
            line.served = false;
        }
        self.forget(who);
    }

    /// So much time was spent on somebody.
    pub(super) fn charge(&mut self, who: u32, time: Duration) {
        let floor = self.floor;
        let line = self.line(who);
        line.spent = line.spent.max(floor).saturating_add(time);
    }

    /// How many wait in a line.
    pub(super) fn waiting(&self, who: u32) -> usize {
        self.lines.get(&who).map_or(0, |line| line.waiting.len())
    }

    /// How many wait in all.
    pub(super) fn len(&self) -> usize {
        self.waiting
    }

    fn line(&mut self, who: u32) -> &mut Line<T> {
        let empty = || Line { waiting: VecDeque::new(), spent: Duration::ZERO, served: false };
        self.lines.entry(who).or_insert_with(empty)
    }

    /// Forgets an empty line that has no advantage of it.
    fn forget(&mut self, who: u32) {
        let floor = self.floor;
        let is_idle = |line: &Line<T>| line.waiting.is_empty() && !line.served;
        if self.lines.get(&who).is_some_and(|line| is_idle(line) && line.spent <= floor) {
            self.lines.remove(&who);
        }
    }
}

/// The same lines between threads.
#[derive(Debug)]
pub(super) struct Fair<T> {
    state: Mutex<State<T>>,
    bell: Condvar,
}

#[derive(Debug)]
struct State<T> {
    lines: Lines<T>,
    closed: bool,
}

impl<T> Default for Fair<T> {
    fn default() -> Self {
        let state = State { lines: Lines::default(), closed: false };
        Fair { state: Mutex::new(state), bell: Condvar::new() }
    }
}

impl<T> Fair<T> {
    /// Puts something at the end of a line.
    pub(super) fn push(&self, who: u32, item: T) {
        self.lock().lines.push(who, item);
        self.bell.notify_one();
    }

    /// The same if fewer than so many wait there already; else gives it back.
    pub(super) fn try_push(&self, who: u32, item: T, most: usize) -> Result<(), T> {
        let mut state = self.lock();
        if state.lines.waiting(who) >= most {
            return Err(item);
        }
        state.lines.push(who, item);
        drop(state);
        self.bell.notify_one();
        Ok(())
    }

    /// Waits for the first of the line whose turn it is; none once it is closed and nothing waits.
    pub(super) fn take(&self) -> Option<(u32, T)> {
        let mut state = self.lock();
        loop {
            if let Some(next) = state.lines.take() {
                return Some(next);
            }
            // What waits in a line that is being served is taken by whoever serves it.
            if state.closed && state.lines.len() == 0 {
                return None;
            }
            state = self.bell.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// The same without waiting, of those lines only that `fits` names.
    pub(super) fn try_take_of(&self, fits: impl Fn(u32) -> bool) -> Option<(u32, T)> {
        self.lock().lines.take_of(fits)
    }

    /// A line is not served any more, which took so long.
    pub(super) fn served(&self, who: u32, time: Duration) {
        let mut state = self.lock();
        state.lines.charge(who, time);
        state.lines.served(who);
        drop(state);
        // Others may wait for this very line, or for the end.
        self.bell.notify_all();
    }

    /// So much time was spent on somebody elsewhere.
    pub(super) fn charge(&self, who: u32, time: Duration) {
        self.lock().lines.charge(who, time);
    }

    /// Nothing more comes.
    pub(super) fn close(&self) {
        self.lock().closed = true;
        self.bell.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, State<T>> {
        // Nothing panics while it holds the lock.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
