//! What is still to happen, in the order of time.

use std::{cmp::Ordering, collections::BinaryHeap, time::Duration};

/// Things that are due at a virtual time. Of two that are due together, the one that was put in
/// first comes out first: no order is ever left to chance.
#[derive(Debug)]
pub(crate) struct Queue<T> {
    heap: BinaryHeap<Due<T>>,
    pushed: u64,
}

#[derive(Debug)]
struct Due<T> {
    at: Duration,
    number: u64,
    what: T,
}

impl<T> Queue<T> {
    pub(crate) fn new() -> Queue<T> {
        Queue { heap: BinaryHeap::new(), pushed: 0 }
    }

    pub(crate) fn push(&mut self, at: Duration, what: T) {
        self.heap.push(Due { at, number: self.pushed, what });
        self.pushed += 1;
    }

    /// When the next thing is due.
    pub(crate) fn next_at(&self) -> Option<Duration> {
        self.heap.peek().map(|due| due.at)
    }

    /// The next thing, and when it is due, unless that is later than `end`.
    pub(crate) fn pop_by(&mut self, end: Duration) -> Option<(Duration, T)> {
        self.heap.peek().filter(|due| due.at <= end)?;
        self.heap.pop().map(|due| (due.at, due.what))
    }
}

impl<T> Due<T> {
    fn rank(&self) -> (Duration, u64) {
        (self.at, self.number)
    }
}

/// Reversed, because the standard heap gives the greatest first and we want the earliest.
impl<T> Ord for Due<T> {
    fn cmp(&self, other: &Self) -> Ordering {
        other.rank().cmp(&self.rank())
    }
}

impl<T> PartialOrd for Due<T> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<T> PartialEq for Due<T> {
    fn eq(&self, other: &Self) -> bool {
        self.rank() == other.rank()
    }
}

impl<T> Eq for Due<T> {}

#[cfg(test)]
mod tests;
