//! Keeps a thread to its share of a core.

use super::board::Board;
use std::time::{Duration, Instant};

#[cfg(test)]
mod tests;

/// How long a thread works at a stretch before it looks whether a pause is due.
pub(super) const SLICE: Duration = Duration::from_millis(1);

/// How much sleep is remembered that was longer than asked for. Some 50 µs are usual, and a busy
/// machine may wake us much later; without a bound, one that was suspended for the night would make
/// up for all of it.
const CREDIT: Duration = Duration::from_millis(20);

/// The longest pause: a share below a millionth is not told from a millionth.
const LONGEST: Duration = Duration::from_secs(1_000);

/// What a thread has worked and not yet rested.
///
/// Both are measured, not assumed: a slice that took longer costs a longer pause, and a sleep that
/// took longer shortens the next. The time is the wall's, so a thread that is kept from its core by
/// others uses less than its share, never more.
#[derive(Debug)]
pub(super) struct Pace {
    /// Seconds of rest for each second of work.
    rest: f64,
    /// Seconds of rest that are due; below zero if there was too much.
    owed: f64,
}

impl Pace {
    /// For a share of one core, above 0 and at most 1.
    pub(super) fn new(share: f64) -> Pace {
        assert!(share > 0.0 && share <= 1.0, "the settings were checked");
        Pace { rest: 1.0 / share - 1.0, owed: 0.0 }
    }

    /// Notes work done.
    pub(super) fn worked(&mut self, used: Duration) {
        self.owed = (self.owed + used.as_secs_f64() * self.rest).min(LONGEST.as_secs_f64());
    }

    /// Sleeps as long as is owed.
    pub(super) fn rest(&mut self, clock: &impl Clock) {
        if self.owed <= 0.0 {
            return;
        }
        let begun = clock.now();
        clock.sleep(Duration::from_secs_f64(self.owed));
        let slept = clock.now().saturating_sub(begun);
        self.owed = (self.owed - slept.as_secs_f64()).max(-CREDIT.as_secs_f64());
    }
}

/// Tells and passes the time; tests pretend to.
pub(super) trait Clock {
    /// Since some moment in the past; monotonic.
    fn now(&self) -> Duration;

    /// Sleeps, about so long.
    fn sleep(&self, time: Duration);
}

/// The real clock. Its sleep ends early when the board is closed.
#[derive(Debug)]
pub(super) struct Wall<'a> {
    start: Instant,
    board: &'a Board,
}

impl<'a> Wall<'a> {
    /// Counts from now.
    pub(super) fn new(board: &'a Board) -> Wall<'a> {
        Wall { start: Instant::now(), board }
    }
}

impl Clock for Wall<'_> {
    fn now(&self) -> Duration {
        self.start.elapsed()
    }

    fn sleep(&self, time: Duration) {
        self.board.sleep(time);
    }
}
