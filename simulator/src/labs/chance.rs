//! The chance of one job.

use crate::{
    delay::{Delay, Dice, below},
    setup,
};
use rand_chacha::{
    ChaCha8Rng,
    rand_core::{Rng, SeedableRng},
};
use std::time::Duration;

/// Where everything that one job leaves to chance is drawn from.
#[derive(Debug)]
pub(super) struct Chance(ChaCha8Rng);

impl Chance {
    /// That of a job of a lab: no two share any.
    pub(super) fn of(lab: &str, seed: u64, job: u64) -> Chance {
        Chance(setup::stream(seed, lab, job))
    }

    /// Whether something happens that happens in so large a share of all cases.
    pub(super) fn happens(&mut self, share: f64) -> bool {
        self.even() < share
    }

    /// Evenly from the multiples of 2^-53 in 0 <= x < 1.
    pub(super) fn even(&mut self) -> f64 {
        (self.0.next_u64() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// One of `0..bound`.
    pub(super) fn below(&mut self, bound: usize) -> usize {
        below(self.0.next_u64(), bound as u64) as usize
    }

    /// How long it takes until the next of what happens once in `mean`, whenever the last was. At
    /// least a nanosecond, so that time goes on.
    pub(super) fn wait(&mut self, mean: Duration) -> Duration {
        let waits = Delay::Exponential { floor: Duration::ZERO, mean };
        waits.draw(Dice::roll(&mut self.0)).max(Duration::from_nanos(1))
    }

    /// Another stream, for whoever draws from one of its own.
    pub(super) fn stream(&mut self) -> ChaCha8Rng {
        let mut seed = [0; 32];
        self.0.fill_bytes(&mut seed);
        ChaCha8Rng::from_seed(seed)
    }
}
