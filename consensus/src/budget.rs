//! A budget that fills with time: how much of something a peer may have of us.
//!
//! Integers and the caller's clock only, so that it is the same in every world. What is spent may be
//! more than there is: the debt has to be paid off before anything else is allowed, so one answer may be
//! as long as it has to be.

use std::time::Duration;

const MICRO: i128 = 1_000_000;

/// A budget of one peer.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Budget {
    /// What is added in a second.
    rate: u32,
    /// The most that it holds.
    most: u32,
    /// In millionths; below zero it is a debt.
    left: i128,
    /// Up to when it was filled, in microseconds.
    filled: u128,
}

impl Budget {
    /// A budget that holds `most` at most, which it does now, and gets `rate` in a second.
    pub const fn full(rate: u32, most: u32) -> Budget {
        Budget { rate, most, left: most as i128 * MICRO, filled: 0 }
    }

    /// Whether anything may be spent.
    pub fn is_open(&mut self, now: Duration) -> bool {
        self.fill(now);
        self.left > 0
    }

    /// Whether it holds all that it can.
    pub fn is_full(&mut self, now: Duration) -> bool {
        self.fill(now);
        self.left >= i128::from(self.most) * MICRO
    }

    /// Spends, more than there is if need be.
    pub fn spend(&mut self, now: Duration, amount: u64) {
        self.fill(now);
        self.left -= i128::from(amount) * MICRO;
    }

    /// Spends, and goes no deeper into debt than it could ever hold: so whoever spends without asking first
    /// may do so again after twice the time that it takes to fill.
    pub fn spend_bounded(&mut self, now: Duration, amount: u64) {
        self.spend(now, amount);
        self.left = self.left.max(-i128::from(self.most) * MICRO);
    }

    /// Spends if anything may be spent; whether it did.
    pub fn try_spend(&mut self, now: Duration, amount: u64) -> bool {
        let is_open = self.is_open(now);
        if is_open {
            self.spend(now, amount);
        }
        is_open
    }

    fn fill(&mut self, now: Duration) {
        let now = now.as_micros();
        let passed = now.saturating_sub(self.filled);
        self.filled = self.filled.max(now);
        // A Duration's microseconds and a `u32` are far from what an `i128` holds.
        let filled = self.left + passed as i128 * i128::from(self.rate);
        self.left = filled.min(i128::from(self.most) * MICRO);
    }
}

#[cfg(test)]
mod tests;
