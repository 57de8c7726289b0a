//! The replica's timers.

use replica::Alarm;
use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

#[cfg(test)]
mod tests;

/// Alarms that have been set and have not rung.
///
/// Bounded by the number of names: an alarm set again under one name replaces itself. Two indexes
/// rather than a heap, so that what is replaced is gone and does not pile up until its time comes.
#[derive(Debug, Default)]
pub(super) struct Alarms {
    at: BTreeMap<Alarm, Duration>,
    order: BTreeSet<(Duration, Alarm)>,
}

impl Alarms {
    /// Sets an alarm for the time `at`, in this life's time.
    pub(super) fn set(&mut self, alarm: Alarm, at: Duration) {
        if let Some(earlier) = self.at.insert(alarm, at) {
            self.order.remove(&(earlier, alarm));
        }
        self.order.insert((at, alarm));
    }

    /// When the next one rings.
    pub(super) fn next(&self) -> Option<Duration> {
        self.order.first().map(|(at, _)| *at)
    }

    /// Takes the earliest alarm whose time has come.
    pub(super) fn due(&mut self, now: Duration) -> Option<Alarm> {
        let (at, alarm) = *self.order.first()?;
        if at > now {
            return None;
        }
        self.order.pop_first();
        self.at.remove(&alarm);
        Some(alarm)
    }
}
