//! What becomes of a message: decided by what was told, and by chance that belongs to its link.

use crate::conditions::{Conditions, Link, MILLION};
use rand_chacha::{
    ChaCha8Rng,
    rand_core::{Rng, SeedableRng},
};
use std::{collections::BTreeMap, time::Duration};

#[cfg(test)]
mod tests;

/// How many words of 32 bits one message uses up, whatever becomes of it: so one condition more
/// changes the fate of what it concerns and of nothing else. Four numbers, and two for each hold.
const WORDS: u128 = 2 * (4 + 2 * crate::conditions::MAX_HOLDS as u128);

/// How long each copy of a message is under way: nothing if it is lost, two if it is doubled.
pub(super) type Copies = [Option<Duration>; 2];

/// Decides the fate of each message.
#[derive(Debug)]
pub(super) struct Fates {
    conditions: Conditions,
    /// Our own seat, the end of every link.
    me: u32,
    /// The chance of each link that was used. There are no more than seats and guests' places.
    chances: BTreeMap<u32, Chance>,
}

/// A link's stream of chance, and how many messages have used it.
#[derive(Debug)]
struct Chance {
    stream: ChaCha8Rng,
    messages: u64,
}

impl Fates {
    /// For the node with this seat.
    pub(super) fn new(me: u32, conditions: Conditions) -> Fates {
        Fates { conditions, me, chances: BTreeMap::new() }
    }

    /// Other conditions from now on. Only another seed begins chance anew.
    pub(super) fn tell(&mut self, conditions: Conditions) {
        if conditions.seed != self.conditions.seed {
            self.chances.clear();
        }
        self.conditions = conditions;
    }

    /// What becomes of the next message from `from`, so long after the conditions were told.
    pub(super) fn next(&mut self, from: u32, told: Duration) -> Copies {
        let (seed, me) = (self.conditions.seed, self.me);
        let chance = self.chances.entry(from).or_insert_with(|| Chance::new(seed, from, me));
        let number = chance.messages;
        chance.messages += 1;
        let link = self.conditions.link(from);
        if *link == Link::default() {
            return [Some(Duration::ZERO), None];
        }
        chance.stream.set_word_pos(u128::from(number) * WORDS);
        roll(link, told, || chance.stream.next_u64())
    }
}

impl Chance {
    fn new(seed: u64, from: u32, to: u32) -> Chance {
        let mut key = [0; 32];
        key[..8].copy_from_slice(&seed.to_le_bytes());
        key[8..12].copy_from_slice(&from.to_le_bytes());
        key[12..16].copy_from_slice(&to.to_le_bytes());
        Chance { stream: ChaCha8Rng::from_seed(key), messages: 0 }
    }
}

fn roll(link: &Link, told: Duration, mut chance: impl FnMut() -> u64) -> Copies {
    let [lost, doubled, first, second] = std::array::from_fn(|_| chance());
    if happens(lost, link.lost_ppm) {
        return [None; 2];
    }
    let mut held = Duration::ZERO;
    for hold in &link.held {
        let (is_held, by) = (happens(chance(), hold.share_ppm), hold.by.draw(chance()));
        let left = hold.for_ms.map(|all| Duration::from_millis(all).saturating_sub(told));
        if is_held {
            held += by.min(left.unwrap_or(by));
        }
    }
    let is_doubled = happens(doubled, link.doubled_ppm);
    let after = |chance| held + link.delay.draw(chance);
    [Some(after(first)), is_doubled.then(|| after(second))]
}

/// Whether something happens that happens to so many in a million. The bias is below one in 2^44.
fn happens(chance: u64, share: u32) -> bool {
    (u128::from(chance) * u128::from(MILLION)) >> 64 < u128::from(share)
}
