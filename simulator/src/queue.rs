//! What is still to happen, in the order of time.
//!
//! A simulation with a thousand replicas has a million messages under way, and a heap of a million is
//! slow: each step of each search in it misses the cache. But nothing is ever put in before the time
//! that has come, so what is due later need not be in order yet. It lies in *slices* of time, each in
//! no order, and only when its time comes is a slice sorted (a calendar queue: Brown, "Calendar Queues",
//! CACM 1988). What is due beyond the last slice, mostly timeouts, waits in a heap.

use std::{
    cmp::{Ordering, Reverse},
    collections::{BinaryHeap, binary_heap::PeekMut},
    time::Duration,
};

/// How long a slice is: two to the power of so many nanoseconds, 66 microseconds. With a million
/// messages in 60 milliseconds a slice holds a thousand of them.
const SLICE_BITS: u32 = 16;

/// How many slices there are: a power of two. Together they are 134 milliseconds, more than most
/// messages take.
const SLICES: u64 = 2_048;

/// Things that are due at a virtual time. Of two that are due together, the one that was put in
/// first comes out first: no order is ever left to chance.
#[derive(Debug)]
pub(crate) struct Queue<T> {
    /// What is due in the present slice, the earliest last, with its time in nanoseconds.
    now: Vec<(u64, T)>,
    /// What was put in since that was sorted, and is due in it, too.
    late: BinaryHeap<Due<T>>,
    /// The number of the present slice, counted from time zero.
    present: u64,
    /// What is due in the slices after the present one, each in the order in which it was put in, at its
    /// number modulo [`SLICES`].
    slices: Vec<Vec<(u64, T)>>,
    /// A bit for each of these that is not empty.
    filled: [u64; SLICES as usize / 64],
    /// What was beyond all slices when it was put in.
    beyond: BinaryHeap<Due<T>>,
    pushed: u64,
}

/// What no order of a list tells when it was put in.
#[derive(Debug)]
struct Due<T> {
    /// In nanoseconds.
    at: u64,
    number: u64,
    what: T,
}

impl<T> Queue<T> {
    pub(crate) fn new() -> Queue<T> {
        Queue {
            now: Vec::new(),
            late: BinaryHeap::new(),
            present: 0,
            slices: (0..SLICES).map(|_| Vec::new()).collect(),
            filled: [0; SLICES as usize / 64],
            beyond: BinaryHeap::new(),
            pushed: 0,
        }
    }

    /// Times past the year 2554 all count as that.
    pub(crate) fn push(&mut self, at: Duration, what: T) {
        let at = u64::try_from(at.as_nanos()).unwrap_or(u64::MAX);
        let slice = at >> SLICE_BITS;
        if slice > self.present && slice - self.present < SLICES {
            let place = slice % SLICES;
            self.filled[place as usize / 64] |= 1 << (place % 64);
            return self.slices[place as usize].push((at, what));
        }
        let heap = if slice <= self.present { &mut self.late } else { &mut self.beyond };
        heap.push(Due { at, number: self.pushed, what });
        self.pushed += 1;
    }

    /// When the next thing is due.
    pub(crate) fn next_at(&mut self) -> Option<Duration> {
        self.next().map(Duration::from_nanos)
    }

    /// The next thing, and when it is due, unless that is later than `end`.
    pub(crate) fn pop_by(&mut self, end: Duration) -> Option<(Duration, T)> {
        let at = self.next().map(Duration::from_nanos).filter(|at| *at <= end)?;
        let what = match self.is_late_next() {
            true => self.late.pop().map(|due| due.what),
            false => self.now.pop().map(|(_, what)| what),
        };
        what.map(|what| (at, what))
    }

    fn next(&mut self) -> Option<u64> {
        if self.now.is_empty() && self.late.is_empty() {
            self.turn();
        }
        if self.is_late_next() {
            self.late.peek().map(|due| due.at)
        } else {
            self.now.last().map(|(at, _)| *at)
        }
    }

    /// Whether the next thing is among those that came late: of equals they are the later ones.
    fn is_late_next(&self) -> bool {
        match (self.now.last(), self.late.peek()) {
            (Some((now, _)), Some(late)) => late.at < *now,
            (now, _) => now.is_none(),
        }
    }

    /// Goes on to the next slice that holds anything, and puts it in order.
    fn turn(&mut self) {
        let beyond = self.beyond.peek().map(|due| due.at >> SLICE_BITS);
        let Some(next) = self.next_filled().into_iter().chain(beyond).min() else { return };
        self.present = next;
        let place = (next % SLICES) as usize;
        self.filled[place / 64] &= !(1 << (place % 64));
        std::mem::swap(&mut self.now, &mut self.slices[place]);
        // Reversed, since the earliest is to be last; of equals, what lay beyond came first of all.
        self.now.reverse();
        let after = self.now.len();
        while let Some(due) = self.beyond.peek_mut().filter(|due| due.at >> SLICE_BITS == next) {
            let Due { at, what, .. } = PeekMut::pop(due);
            self.now.push((at, what));
        }
        self.now[after..].reverse();
        self.now.sort_by_key(|(at, _)| Reverse(*at));
    }

    /// The number of the first slice after the present one that holds anything.
    fn next_filled(&self) -> Option<u64> {
        let words = self.filled.len();
        let first = ((self.present + 1) % SLICES) as usize;
        // The first word comes twice: its upper bits at once, its lower ones after all others.
        let found = (0..=words).find_map(|step| {
            let word = (first / 64 + step) % words;
            let mask = match step {
                0 => u64::MAX << (first % 64),
                step if step == words => !(u64::MAX << (first % 64)),
                _ => u64::MAX,
            };
            let bits = self.filled[word] & mask;
            (bits != 0).then(|| word as u64 * 64 + u64::from(bits.trailing_zeros()))
        })?;
        let ahead = (found + SLICES - first as u64) % SLICES;
        Some(self.present + 1 + ahead)
    }
}

impl<T> Due<T> {
    fn rank(&self) -> (u64, u64) {
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
