//! How long things take, counted by anybody who does them and read by whoever asks.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

#[cfg(test)]
mod tests;

/// Where the buckets end, each with its own upper bound in it; what takes longer is in one more.
/// From what a hash costs to what a partition lasts, three to a power of ten.
pub(crate) const BOUNDS: [Duration; 21] = [
    Duration::from_micros(10),
    Duration::from_micros(20),
    Duration::from_micros(50),
    Duration::from_micros(100),
    Duration::from_micros(200),
    Duration::from_micros(500),
    Duration::from_millis(1),
    Duration::from_millis(2),
    Duration::from_millis(5),
    Duration::from_millis(10),
    Duration::from_millis(20),
    Duration::from_millis(50),
    Duration::from_millis(100),
    Duration::from_millis(200),
    Duration::from_millis(500),
    Duration::from_secs(1),
    Duration::from_secs(2),
    Duration::from_secs(5),
    Duration::from_secs(10),
    Duration::from_secs(20),
    Duration::from_secs(60),
];

/// All buckets, with that for what takes longer than the last bound.
const BUCKETS: usize = BOUNDS.len() + 1;

/// A live histogram. To observe is three additions that nobody has to wait for.
#[derive(Debug, Default)]
pub(crate) struct Histogram {
    counts: [AtomicU64; BUCKETS],
    nanoseconds: AtomicU64,
    longest: AtomicU64,
}

impl Histogram {
    /// Takes in how long something took.
    pub(crate) fn observe(&self, took: Duration) {
        let bucket = BOUNDS.partition_point(|bound| *bound < took);
        // 584 years fit.
        let nanoseconds = u64::try_from(took.as_nanos()).unwrap_or(u64::MAX);
        // They publish no other memory, so relaxed ordering is enough.
        self.counts[bucket].fetch_add(1, Ordering::Relaxed);
        self.nanoseconds.fetch_add(nanoseconds, Ordering::Relaxed);
        self.longest.fetch_max(nanoseconds, Ordering::Relaxed);
    }

    /// What was observed so far. Read one by one, so it is not a cut in time.
    pub(crate) fn read(&self) -> Durations {
        let of = |figure: &AtomicU64| figure.load(Ordering::Relaxed);
        Durations {
            counts: self.counts.each_ref().map(of),
            sum: Duration::from_nanos(of(&self.nanoseconds)),
            longest: Duration::from_nanos(of(&self.longest)),
        }
    }
}

/// How long something took each time, so far.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Durations {
    counts: [u64; BUCKETS],
    /// All times together.
    pub sum: Duration,
    /// The longest of them.
    pub longest: Duration,
}

impl Default for Durations {
    fn default() -> Durations {
        Durations { counts: [0; BUCKETS], sum: Duration::ZERO, longest: Duration::ZERO }
    }
}

impl Durations {
    /// How many times it was.
    pub fn count(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// How long it took on average; nothing if it never happened.
    pub fn mean(&self) -> Option<Duration> {
        let nanoseconds = self.sum.as_nanos().checked_div(u128::from(self.count()))?;
        Some(Duration::from_nanos(u64::try_from(nanoseconds).unwrap_or(u64::MAX)))
    }

    /// How many took as long as each bound says and longer than the one before, in seconds. The last
    /// bound is infinite.
    pub(crate) fn buckets(&self) -> [(f64, u64); BUCKETS] {
        std::array::from_fn(|at| {
            let bound = BOUNDS.get(at).map_or(f64::INFINITY, Duration::as_secs_f64);
            (bound, self.counts[at])
        })
    }
}
