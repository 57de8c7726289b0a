//! The two clocks a replica is told.

use crate::conditions::Skew;
use replica::Moment;
use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

#[cfg(test)]
mod tests;

/// Counts this life's time, and reads the wall's.
#[derive(Debug)]
pub(super) struct Clock {
    start: Instant,
    calendar: Calendar,
}

impl Clock {
    /// This life begins now.
    pub(super) fn start(calendar: Calendar) -> Clock {
        Clock { start: Instant::now(), calendar }
    }

    /// Since this life began; monotonic.
    pub(super) fn now(&self) -> Duration {
        self.start.elapsed()
    }

    /// By both clocks. A wall clock before 1970 counts as 1970: the ledger wants times that rise,
    /// and the protocol takes the parent's where ours is behind.
    pub(super) fn moment(&self) -> Moment {
        let wall = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Moment { now: self.now(), wall: self.calendar.show(wall) }
    }
}

/// How the wall clock is wrong, which can be told while the node runs.
#[derive(Clone, Debug)]
pub(super) struct Calendar(Arc<Mutex<Told>>);

#[derive(Clone, Copy, Debug)]
struct Told {
    skew: Skew,
    at: Instant,
}

impl Default for Calendar {
    /// One that is right.
    fn default() -> Calendar {
        Calendar(Arc::new(Mutex::new(Told { skew: Skew::default(), at: Instant::now() })))
    }
}

impl Calendar {
    /// It is wrong like this from now on.
    pub(super) fn tell(&self, skew: Skew) {
        *self.lock() = Told { skew, at: Instant::now() };
    }

    fn show(&self, wall: Duration) -> Duration {
        let Told { skew, at } = *self.lock();
        skew.show(wall, at.elapsed())
    }

    fn lock(&self) -> MutexGuard<'_, Told> {
        // It is changed by one assignment, so a poisoned one is still whole.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
