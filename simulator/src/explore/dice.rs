//! What a trial's choices are drawn by.

use crate::setup::stream;
use ledger::ReplicaId;
use rand_chacha::{ChaCha8Rng, rand_core::Rng};
use std::{collections::BTreeSet, time::Duration};

/// A stream of chance that follows from a trial's number.
#[derive(Debug)]
pub(super) struct Dice(ChaCha8Rng);

impl Dice {
    pub(super) fn new(number: u64) -> Dice {
        Dice(stream(number, "explore", 0))
    }

    /// A whole number below `bound`, which is not zero.
    pub(super) fn below(&mut self, bound: u64) -> u64 {
        self.0.next_u64() % bound
    }

    /// True in so many of a hundred cases.
    pub(super) fn chance(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }

    /// One of some things, which are not none.
    pub(super) fn pick<'a, T>(&mut self, some: &'a [T]) -> &'a T {
        &some[self.below(some.len() as u64) as usize]
    }

    /// The place of one of these, each as likely as its weight says.
    pub(super) fn weighed(&mut self, weights: &[u64]) -> usize {
        let mut at = self.below(weights.iter().sum());
        for (place, weight) in weights.iter().enumerate() {
            match at.checked_sub(*weight) {
                None => return place,
                Some(rest) => at = rest,
            }
        }
        unreachable!("the weights were added up")
    }

    /// Some of these, each with the same chance.
    pub(super) fn some(
        &mut self,
        of: impl IntoIterator<Item = ReplicaId>,
        percent: u64,
    ) -> BTreeSet<ReplicaId> {
        of.into_iter().filter(|_| self.chance(percent)).collect()
    }

    /// So many of these, or all.
    pub(super) fn sample(&mut self, of: &[ReplicaId], many: usize) -> BTreeSet<ReplicaId> {
        let mut rest = of.to_vec();
        let mut chosen = BTreeSet::new();
        while chosen.len() < many && !rest.is_empty() {
            let at = self.below(rest.len() as u64) as usize;
            chosen.insert(rest.swap_remove(at));
        }
        chosen
    }

    /// A time in milliseconds, its end excluded.
    pub(super) fn milliseconds(&mut self, from: u64, to: u64) -> Duration {
        Duration::from_millis(from + self.below(to - from))
    }
}
