//! Clocks that are wrong.

use serde::{Deserialize, Serialize};
use std::{fmt, time::Duration};

/// How a replica's calendar differs from the true one. What it measures timers by is right always:
/// it only has to be monotonic, and is.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Skew {
    /// How many milliseconds it is ahead; behind, if negative.
    pub offset_ms: i64,
    /// How many microseconds it gains in each second since virtual time began; loses, if negative.
    pub drift_ppm: i32,
}

impl Skew {
    /// What the calendar shows, `now` after the true time was `epoch`. Never less than 1970.
    pub(crate) fn wall(self, epoch: Duration, now: Duration) -> Duration {
        if self == Skew::default() {
            return epoch + now;
        }
        let signed = |span: Duration| i128::try_from(span.as_nanos()).expect("below 2^94");
        let drift = signed(now) * i128::from(self.drift_ppm) / 1_000_000;
        let wall = signed(epoch + now) + i128::from(self.offset_ms) * 1_000_000 + drift;
        Duration::from_nanos(u64::try_from(wall.max(0)).unwrap_or(u64::MAX))
    }
}

impl fmt::Display for Skew {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:+}ms {:+}ppm", self.offset_ms, self.drift_ppm)
    }
}

#[cfg(test)]
mod tests;
