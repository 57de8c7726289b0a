//! Keeps a thread to its share of a core.

use super::board::Board;
use std::{
    cell::Cell,
    time::{Duration, Instant},
};

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
    /// Of a core.
    share: f64,
    /// Seconds of rest that are due; below zero if there was too much.
    owed: f64,
}

impl Pace {
    /// For a share of one core, from 0, which is none, to 1.
    pub(super) fn new(share: f64) -> Pace {
        assert!((0.0..=1.0).contains(&share), "settings and conditions were checked");
        Pace { share, owed: 0.0 }
    }

    /// Begins anew if the clock tells of another share.
    pub(super) fn follow(&mut self, clock: &impl Clock) {
        let share = clock.share(self.share);
        if share != self.share {
            *self = Pace::new(share);
        }
    }

    /// Whether there is to be no work at all.
    pub(super) fn is_stopped(&self) -> bool {
        self.share == 0.0
    }

    /// Notes work done.
    pub(super) fn worked(&mut self, used: Duration) {
        // Seconds of rest for each second of work.
        let rest = 1.0 / self.share - 1.0;
        self.owed = (self.owed + used.as_secs_f64() * rest).min(LONGEST.as_secs_f64());
    }

    /// Sleeps as long as is owed, and for a long time where there is to be no work.
    pub(super) fn rest(&mut self, clock: &impl Clock) {
        if self.is_stopped() {
            clock.sleep(LONGEST);
            return;
        }
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

    /// The share to keep from now on, which was this so far.
    fn share(&self, so_far: f64) -> f64 {
        so_far
    }
}

/// The real clock. Its sleep ends early when the board is closed, or has another share than it told last.
#[derive(Debug)]
pub(super) struct Wall<'a> {
    start: Instant,
    board: &'a Board,
    share: Cell<f64>,
}

impl<'a> Wall<'a> {
    /// Counts from now.
    pub(super) fn new(board: &'a Board) -> Wall<'a> {
        Wall { start: Instant::now(), board, share: Cell::new(board.share()) }
    }
}

impl Clock for Wall<'_> {
    fn now(&self) -> Duration {
        self.start.elapsed()
    }

    fn sleep(&self, time: Duration) {
        self.board.sleep(time, self.share.get());
    }

    fn share(&self, _: f64) -> f64 {
        self.share.set(self.board.share());
        self.share.get()
    }
}
