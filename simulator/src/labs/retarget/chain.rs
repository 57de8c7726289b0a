//! A chain that one miner makes, with true times, whose difficulty follows some rule.

use crate::{
    labs::{
        chance::Chance,
        miners::{EPOCH, Miners, steady},
    },
    mining::hashes,
};
use consensus::{
    nakamoto::{Config, Nakamoto, retarget::Rule},
    work::Target,
};
use std::time::Duration;

/// The wanted mean time between two blocks.
pub(in crate::labs) const INTERVAL: Duration = Duration::from_secs(600);

/// One miner's chain, or that of some who tell each other.
#[derive(Debug)]
pub(in crate::labs) struct Chain {
    pub(in crate::labs) miners: Miners,
    /// Hashes in a second.
    pub(in crate::labs) rate: f64,
}

impl Chain {
    /// One whose first block takes so many hashes, as many as are tried in an interval. ASERT's
    /// half-life is a window of intervals.
    pub(in crate::labs) fn new(
        rule: Rule,
        window: u64,
        level: u64,
        miners: u32,
        chance: &mut Chance,
    ) -> Chain {
        let anchor = Target::for_hashes(level);
        let half_life = INTERVAL * window as u32;
        let config = Config { anchor, half_life, began: EPOCH, ..steady(INTERVAL) };
        let make = || Nakamoto::with(config).retargeting(rule);
        let rate = hashes(anchor) / INTERVAL.as_secs_f64();
        Chain { miners: Miners::of(make, miners, &[], chance), rate }
    }

    /// The next block: how long it took, and how many hashes on average.
    pub(in crate::labs) fn mine(&mut self, chance: &mut Chance) -> (Duration, f64) {
        let difficulty = hashes(self.miners.target(0));
        let took = chance.wait(Duration::from_secs_f64(difficulty / self.rate));
        self.miners.now += took;
        // Its header tells the time at which it was found.
        self.miners.refresh(0);
        self.miners.find(0);
        (took, difficulty)
    }
}
