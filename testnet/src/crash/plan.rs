//! Who is killed when, drawn from a seed before anything starts.
//!
//! Nothing here is random but the seed: the same seed plans the same victims and times, and a longer
//! plan begins with the shorter one.

use rand_chacha::{
    ChaCha8Rng,
    rand_core::{Rng, SeedableRng},
};
use std::time::Duration;

#[cfg(test)]
mod tests;

/// The longest pause before a round's kills, in milliseconds.
pub const LONGEST_PAUSE: u64 = 1_200;

/// The shortest pause of an unhurried round, in milliseconds.
const UNHURRIED: u64 = 300;

/// The longest pause of a hurried round, in milliseconds: its kills often hit those who have just
/// been started again.
const HURRIED: u64 = 150;

/// The longest time somebody lies dead, in milliseconds.
pub const LONGEST_DEATH: u64 = 600;

/// One round: a pause, then kills all at once, then everybody is started again.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Round {
    /// How long after the last restart the kills come.
    pub pause: Duration,
    /// Who dies: at least one, by rising id.
    pub victims: Vec<Victim>,
}

/// Somebody who is killed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Victim {
    /// Which node.
    pub id: u32,
    /// How long it lies dead.
    pub dead: Duration,
}

/// How many of so many nodes with equal stake may fail while the others go on: less than a third.
pub fn tolerated(replicas: u32) -> u32 {
    replicas.saturating_sub(1) / 3
}

/// Draws `rounds` rounds for a net of `replicas` nodes.
///
/// In seven rounds of ten, as many die as can be tolerated at most (one at least); in two, more; in
/// one, everybody. A quarter of the rounds are hurried.
///
/// # Panics
///
/// If there are no replicas.
pub fn plan(seed: u64, replicas: u32, rounds: u32) -> Vec<Round> {
    assert!(replicas > 0, "a net has nodes");
    let mut dice = Dice(ChaCha8Rng::seed_from_u64(seed));
    (0..rounds).map(|_| dice.round(replicas)).collect()
}

struct Dice(ChaCha8Rng);

impl Dice {
    fn round(&mut self, replicas: u32) -> Round {
        let pause = match self.between(0, 3) {
            0 => self.between(0, HURRIED),
            _ => self.between(UNHURRIED, LONGEST_PAUSE),
        };
        let few = tolerated(replicas).max(1);
        let count = match self.between(0, 9) {
            0 => replicas,
            1 | 2 => self.upto(few + 1, replicas - 1),
            _ => self.upto(1, few),
        };
        let victims = self.choose(replicas, count.clamp(1, replicas));
        let pause = Duration::from_millis(pause);
        let die = |id| Victim { id, dead: Duration::from_millis(self.between(0, LONGEST_DEATH)) };
        Round { pause, victims: victims.into_iter().map(die).collect() }
    }

    /// Distinct ones of the ids below `replicas`, rising.
    fn choose(&mut self, replicas: u32, count: u32) -> Vec<u32> {
        let mut ids: Vec<u32> = (0..replicas).collect();
        for at in 0..count {
            let other = self.upto(at, replicas - 1);
            ids.swap(at as usize, other as usize);
        }
        ids.truncate(count as usize);
        ids.sort_unstable();
        ids
    }

    /// Where there is nothing between them, the first.
    fn upto(&mut self, least: u32, most: u32) -> u32 {
        let drawn = self.between(u64::from(least), u64::from(most.max(least)));
        u32::try_from(drawn).expect("it is between two of its kind")
    }

    /// Both ends included.
    fn between(&mut self, least: u64, most: u64) -> u64 {
        // The span is tiny, so what the multiplication leaves uneven is, too.
        least + ((u64::from(self.0.next_u32()) * (most - least + 1)) >> 32)
    }
}
