//! `selfish-mining`: what a miner is paid that hides its blocks.
//!
//! The attacker tells the module's lie `selfish` (SM1) before fifty small honest miners. When it
//! answers a block with one of its own of the same height, it depends on whom one hears first: a share
//! gamma of the honest hashing hears the attacker's, and R8 keeps it there. The experiment is a
//! sequence of worlds, each of which ends when all agree and nothing is hidden: what follows then
//! does not depend on what was before, so that sums over worlds are in the same proportion as in one
//! without an end (a regenerative process).

use super::{
    Experiment, Finding, Lab, Moments, Parameter, Range, Sample, Value,
    chance::Chance,
    miners::{Miners, steady},
    slices,
};
use std::{collections::BTreeMap, time::Duration};

pub(super) mod theory;

/// How many honest miners there are, all equal.
const SMALL: usize = 50;

const ATTACKER: usize = SMALL;

/// Blocks found in one job; more where the last world takes longer.
const SLICE: u64 = 5_000;

/// A world does not end before so many blocks are found: a new one takes some time to build.
const WORLD: u64 = 50;

/// A world that has no end by then is left as it is: nearly half of the hashing may stay ahead for a
/// very long time, and every miner remembers it.
const LONGEST: u64 = 10_000;

const INTERVAL: Duration = Duration::from_secs(600);

pub(super) const LAB: Lab = Lab {
    name: "selfish-mining",
    about: "which share of the main chain a miner gets that hides its blocks, with a share alpha of \
            the hashing, if gamma of the others follow it in a race",
    papers: &["Eyal, Sirer, \"Majority Is Not Enough: Bitcoin Mining Is Vulnerable\", FC 2014, \
               equation 8 and algorithm 1"],
    parameters: &[
        Parameter {
            name: "alpha",
            about: "the attacker's share of the hashing",
            range: Range::Real { from: 0.0, with_from: false, to: 0.5, with_to: false },
            usual: Value::Real(0.4),
        },
        Parameter {
            name: "gamma",
            about: "the share of the others that hears the attacker's block first in a race",
            range: Range::Real { from: 0.0, with_from: true, to: 1.0, with_to: true },
            usual: Value::Real(0.5),
        },
    ],
    over: "alpha",
    trials: "finds",
    usual: 100_000,
    prepare: |values| {
        Ok(Box::new(Selfish { alpha: values.real("alpha"), gamma: values.real("gamma") }))
    },
};

#[derive(Debug)]
struct Selfish {
    alpha: f64,
    gamma: f64,
}

/// What came of one world: blocks of its main chain.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
struct World {
    attacker: u64,
    honest: u64,
    /// By how much the attacker was ahead when it was left; zero where it had an end.
    ahead: u64,
}

impl Experiment for Selfish {
    fn jobs(&self, trials: u64) -> u64 {
        slices(trials, SLICE).count() as u64
    }

    fn run(&self, seed: u64, trials: u64, job: u64) -> Sample {
        let mut chance = Chance::of(LAB.name, seed, job);
        let finds = slices(trials, SLICE).nth(job as usize).expect("there are so many jobs");
        let mut sample = BTreeMap::new();
        let mut take = |name, value: u64| {
            sample.entry(name).or_insert(Moments::default()).take(value as f64);
        };
        let mut found = 0;
        while found < finds {
            let (world, length) = self.world(&mut chance);
            found += length;
            take("attacker", world.attacker);
            take("main", world.attacker + world.honest);
            take("ahead", world.ahead);
        }
        sample
    }

    fn findings(&self, samples: &[Sample]) -> Vec<Finding> {
        let theory = theory::revenue(self.alpha, self.gamma);
        let [attacker, main, ahead] =
            ["attacker", "main", "ahead"].map(|name| Moments::of(samples, name));
        let blocks = main.sum.max(1.0);
        // Whoever finds a block never follows another of its height.
        let beyond = theory - theory::revenue(self.alpha, self.share() * FOLLOWERS);
        // What the attacker would still have won on the way back from so far ahead.
        let unseen = self.alpha * ahead.sum / (1.0 - 2.0 * self.alpha);
        let left = (1.0 - theory) * unseen / (unseen + blocks);
        let deviation = theory::deviation(self.alpha, self.gamma) / libm::sqrt(blocks);
        // Where it hardly ever wins, a win or two more make a difference.
        let tolerance = 4.0 * deviation + 4.0 / blocks + beyond.abs() + left;
        vec![
            Finding {
                name: "revenue",
                about: "the attacker's share of the main chain",
                theory: Some(theory),
                measured: (main.sum > 0.0).then(|| attacker.sum / main.sum),
                tolerance,
            },
            Finding {
                name: "threshold",
                about: "from which alpha on that is more than its share of the hashing",
                theory: Some(theory::threshold(self.gamma)),
                measured: None,
                tolerance: 0.0,
            },
        ]
    }
}

/// Of the honest, all but the one that found the block.
const FOLLOWERS: f64 = (SMALL - 1) as f64 / SMALL as f64;

impl Selfish {
    /// The chance with which each of the other miners hears the attacker's block first, so that they
    /// are a share gamma of all the honest, the finder among them.
    fn share(&self) -> f64 {
        (self.gamma / FOLLOWERS).min(1.0)
    }

    /// From the genesis until all agree. And how many blocks were found.
    fn world(&self, chance: &mut Chance) -> (World, u64) {
        let mut miners = Miners::new(steady(INTERVAL), SMALL as u32, &["selfish"], chance);
        let mut found = 0;
        loop {
            miners.now += chance.wait(INTERVAL);
            found += 1;
            match chance.happens(self.alpha) {
                true => attack(&mut miners),
                false => self.find(&mut miners, chance),
            }
            let agreed = || {
                let on = miners.works_on(ATTACKER);
                (0..SMALL).all(|miner| miners.works_on(miner) == on)
            };
            if found >= WORLD && agreed() {
                return (count(&miners, 0), found);
            }
            let [theirs, ours] = [0, ATTACKER].map(|miner| miners.height(miner));
            if found >= LONGEST && ours > theirs + 1 {
                return (count(&miners, ours - theirs), found);
            }
        }
    }

    /// An honest miner finds a block. The attacker hears of it first, and what it has to say to that
    /// reaches some of the others before the block does.
    fn find(&self, miners: &mut Miners, chance: &mut Chance) {
        let finder = chance.below(SMALL);
        for block in miners.find(finder) {
            let answer = miners.hear(ATTACKER, &block);
            for other in 0..SMALL {
                let outrun = !answer.is_empty() && chance.happens(self.share());
                if other != finder && !outrun {
                    miners.hear(other, &block);
                }
                for said in &answer {
                    miners.hear(other, said);
                }
                if other != finder && outrun {
                    miners.hear(other, &block);
                }
            }
        }
    }
}

/// The attacker finds a block, and shows what it pleases.
fn attack(miners: &mut Miners) {
    for said in miners.find(ATTACKER) {
        for other in 0..SMALL {
            miners.hear(other, &said);
        }
    }
}

/// Whose blocks are in the branch that the attacker works on.
fn count(miners: &Miners, ahead: u64) -> World {
    let mut world = World { ahead, ..World::default() };
    for header in miners.chain(ATTACKER) {
        match header.proposer.0 as usize == ATTACKER {
            true => world.attacker += 1,
            false => world.honest += 1,
        }
    }
    world
}

#[cfg(test)]
mod tests;
