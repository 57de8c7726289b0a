//! The arithmetic of a measurement: when what is due, how long it took, how much there could be.

use std::time::Duration;

#[cfg(test)]
mod tests;

/// Values below this many microseconds are counted each by itself.
const EXACT: u64 = 256;

/// Above, each power of two is divided into this many buckets, so that none is wider than 0.8 %
/// of what is in it.
const BUCKETS: u64 = EXACT / 2;

const NANOSECONDS: u128 = 1_000_000_000;

/// When each transaction of an open loop is due. Number `i` is due `i / rate` seconds after the
/// beginning, whatever became of those before it. They are dealt out to the lanes in turn.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Schedule {
    /// Transactions per second, over all lanes; not zero.
    pub rate: u32,
    /// How many submit side by side; not zero.
    pub lanes: u32,
}

impl Schedule {
    /// When the transaction with this number in this lane, from zero, is due: since the beginning.
    pub fn due(&self, lane: u32, number: u64) -> Duration {
        let index = u128::from(number) * u128::from(self.lanes) + u128::from(lane);
        let nanoseconds = index * NANOSECONDS / u128::from(self.rate);
        Duration::from_nanos(u64::try_from(nanoseconds).unwrap_or(u64::MAX))
    }

    /// How many of this lane are due at or before a moment since the beginning.
    pub fn count(&self, lane: u32, elapsed: Duration) -> u64 {
        // Number i is due at or before the moment if i / rate < (elapsed + 1 ns).
        let all = ((elapsed.as_nanos() + 1) * u128::from(self.rate)).div_ceil(NANOSECONDS);
        let lanes = u128::from(self.lanes);
        let of_lane = (all + lanes - 1 - u128::from(lane)) / lanes;
        u64::try_from(of_lane).unwrap_or(u64::MAX)
    }

    /// How many of all lanes are due before a moment since the beginning.
    pub fn before(&self, end: Duration) -> u64 {
        match end.checked_sub(Duration::from_nanos(1)) {
            Some(last) => (0..self.lanes).map(|lane| self.count(lane, last)).sum(),
            None => 0,
        }
    }
}

/// The most that replicas on this machine could carry: each verifies each transaction once, and
/// does nothing else. `None` without cores or replicas, or if verifying takes no time.
pub fn limit_per_s(cores: usize, replicas: u32, verify: Duration) -> Option<f64> {
    let seconds = f64::from(replicas) * verify.as_secs_f64();
    (cores > 0 && seconds > 0.0).then(|| cores as f64 / seconds)
}

/// `amount` for each one of `count`; none if there is nothing to share it among.
pub fn each(amount: f64, count: f64) -> Option<f64> {
    (count > 0.0).then(|| amount / count)
}

/// The middle one; the later of the two if there is no middle. None of nothing.
pub fn median(mut values: Vec<Duration>) -> Option<Duration> {
    values.sort();
    values.get(values.len() / 2).copied()
}

/// How long things took, counted in buckets: of bounded size however many there are.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Latencies {
    counts: Vec<u64>,
    total: u64,
    /// In microseconds.
    greatest: u64,
}

impl Latencies {
    /// Counts one more.
    pub fn record(&mut self, latency: Duration) {
        let microseconds = u64::try_from(latency.as_micros()).unwrap_or(u64::MAX);
        let bucket = bucket(microseconds);
        if bucket >= self.counts.len() {
            self.counts.resize(bucket + 1, 0);
        }
        self.counts[bucket] += 1;
        self.total += 1;
        self.greatest = self.greatest.max(microseconds);
    }

    /// How many there are.
    pub fn len(&self) -> u64 {
        self.total
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.total == 0
    }

    /// The longest.
    pub fn greatest(&self) -> Option<Duration> {
        (!self.is_empty()).then(|| Duration::from_micros(self.greatest))
    }

    /// The nearest-rank percentile: the least value that at least `percent` of all do not exceed.
    /// It is rounded up to the end of its bucket, so that it never flatters. None of nothing.
    ///
    /// # Panics
    ///
    /// If there are more than a hundred percent.
    pub fn percentile(&self, percent: u32) -> Option<Duration> {
        assert!(percent <= 100, "{percent} percent are more than all");
        let rank = (u128::from(self.total) * u128::from(percent)).div_ceil(100).max(1);
        let mut passed = 0;
        let reaches = |(_, count): &(usize, &u64)| {
            passed += u128::from(**count);
            passed >= rank
        };
        let (bucket, _) = self.counts.iter().enumerate().find(reaches)?;
        Some(Duration::from_micros(last_of(bucket).min(self.greatest)))
    }
}

/// The bucket that a number of microseconds falls into.
fn bucket(microseconds: u64) -> usize {
    if microseconds < EXACT {
        return microseconds as usize;
    }
    // What is left of the number when it is shifted until it fits into 128..256.
    let shift = u64::from(microseconds.ilog2() - BUCKETS.ilog2());
    let rest = (microseconds >> shift) - BUCKETS;
    (EXACT + (shift - 1) * BUCKETS + rest) as usize
}

/// The greatest number of microseconds that falls into a bucket.
fn last_of(bucket: usize) -> u64 {
    let bucket = bucket as u64;
    if bucket < EXACT {
        return bucket;
    }
    let shift = (bucket - EXACT) / BUCKETS + 1;
    let rest = (bucket - EXACT) % BUCKETS + BUCKETS;
    let beyond = (u128::from(rest) + 1) << shift;
    u64::try_from(beyond - 1).unwrap_or(u64::MAX)
}
