//! The two clocks a replica is told.

use replica::Moment;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// Counts this life's time, and reads the wall's.
#[derive(Clone, Copy, Debug)]
pub(super) struct Clock {
    start: Instant,
}

impl Clock {
    /// This life begins now.
    pub(super) fn start() -> Clock {
        Clock { start: Instant::now() }
    }

    /// Since this life began; monotonic.
    pub(super) fn now(&self) -> Duration {
        self.start.elapsed()
    }

    /// By both clocks. A wall clock before 1970 counts as 1970: the ledger wants times that rise,
    /// and the protocol takes the parent's where ours is behind.
    pub(super) fn moment(&self) -> Moment {
        let wall = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Moment { now: self.now(), wall }
    }
}
