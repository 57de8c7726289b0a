//! What is still to happen, in the order of time.
//!
//! A simulation with a thousand replicas has a million messages under way, and a heap of a million is
//! slow: each step of each search in it misses the cache. But nothing is ever put in before the time
//! that has come, so what is due later need not be in order yet. It lies in *slices* of time, each in
//! no order, and only when its time comes is a slice sorted (a calendar queue: Brown, "Calendar Queues",
//! CACM 1988). What is due beyond the last slice, mostly timeouts, waits in a heap.

use std::{cmp::Ordering, collections::BinaryHeap, time::Duration};

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
    /// What is due in the present slice, the earliest last.
    now: Vec<Due<T>>,
    /// What was put in since that was sorted, and is due in it, too.
    late: BinaryHeap<Due<T>>,
    /// The number of the present slice, counted from time zero.
    present: u64,
    /// What is due in the slices after the present one: each at its number modulo [`SLICES`].
    slices: Vec<Vec<Due<T>>>,
    /// A bit for each of these that is not empty.
    filled: [u64; SLICES as usize / 64],
    /// What was beyond all slices when it was put in.
    beyond: BinaryHeap<Due<T>>,
    pushed: u64,
}

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
        let due = Due { at, number: self.pushed, what };
        self.pushed += 1;
        let slice = at >> SLICE_BITS;
        if slice <= self.present {
            self.late.push(due);
        } else if slice - self.present < SLICES {
            let place = slice % SLICES;
            self.filled[place as usize / 64] |= 1 << (place % 64);
            self.slices[place as usize].push(due);
        } else {
            self.beyond.push(due);
        }
    }

    /// When the next thing is due.
    pub(crate) fn next_at(&mut self) -> Option<Duration> {
        self.next().map(|due| Duration::from_nanos(due.at))
    }

    /// The next thing, and when it is due, unless that is later than `end`.
    pub(crate) fn pop_by(&mut self, end: Duration) -> Option<(Duration, T)> {
        let at = self.next().map(|due| Duration::from_nanos(due.at)).filter(|at| *at <= end)?;
        let due = match self.is_late_next() {
            true => self.late.pop(),
            false => self.now.pop(),
        };
        due.map(|due| (at, due.what))
    }

    fn next(&mut self) -> Option<&Due<T>> {
        if self.now.is_empty() && self.late.is_empty() {
            self.turn();
        }
        if self.is_late_next() { self.late.peek() } else { self.now.last() }
    }

    /// Whether the next thing is among those that came late.
    fn is_late_next(&self) -> bool {
        match (self.now.last(), self.late.peek()) {
            (Some(now), Some(late)) => late.rank() < now.rank(),
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
        while let Some(due) = self.beyond.peek_mut().filter(|due| due.at >> SLICE_BITS == next) {
            self.now.push(std::collections::binary_heap::PeekMut::pop(due));
        }
        self.now.sort_unstable_by_key(|due| std::cmp::Reverse(due.rank()));
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
