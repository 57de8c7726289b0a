//! `forks`: how often blocks meet rivals when they take time to spread.
//!
//! Many equal miners, each of which hears of a block of the others a constant time after it was
//! found. Whether a block extends the main chain or is a rival is the modules' doing: each works on
//! the branch that it adopted.

use super::{
    Experiment, Finding, Lab, Moments, Parameter, Range, Sample, Value,
    chance::Chance,
    miners::{Miners, Said, steady},
    slices,
};
use crate::queue::Queue;
use std::{collections::BTreeMap, time::Duration};

pub(super) mod theory;

/// How many miners there are at least, all equal. Each of them finds one block at most of a height,
/// so the more rivals there are, the more miners it takes that theory may call them many.
const MINERS: usize = 100;

/// How many miners there are at least for each rival that is expected of a block.
const PER_RIVAL: f64 = 60.0;

/// The mean time between two finds.
const INTERVAL: Duration = Duration::from_secs(600);

/// Blocks found in one job, on average.
const SLICE: u64 = 300;

/// Heights past the last that is counted, so that nobody finds a rival of that any more.
const MARGIN: u64 = 12;

/// What theory leaves out of account: those who found a block of a height no longer search for one.
const RELATIVE: f64 = 0.03;

pub(super) const LAB: Lab = Lab {
    name: "forks",
    about: "how often blocks meet rivals if it takes a share x of the mean time between finds to \
            hear of one",
    papers: &[
        "Decker, Wattenhofer, \"Information Propagation in the Bitcoin Network\", P2P 2013, \
         section IV",
        "Sompolinsky, Zohar, \"Secure High-Rate Transaction Processing in Bitcoin\", FC 2015, \
         section 4",
    ],
    parameters: &[Parameter {
        name: "ratio",
        about: "x, the delay to everybody else over the mean time between all finds",
        range: Range::Real { from: 0.0, with_from: true, to: 5.0, with_to: true },
        usual: Value::Real(0.5),
    }],
    over: "ratio",
    trials: "finds",
    usual: 20_000,
    prepare: |values| Ok(Box::new(Forks { ratio: values.real("ratio") })),
};

#[derive(Debug)]
struct Forks {
    ratio: f64,
}

/// A world and what was found in it.
struct World {
    miners: Miners,
    /// What is on its way, and who found it.
    blocks: Queue<(usize, Said)>,
    /// How many blocks were found at each height; of zero there is one.
    found: Vec<u64>,
    /// When the blocks were found, by name.
    times: BTreeMap<ledger::BlockHash, Duration>,
}

impl Experiment for Forks {
    fn jobs(&self, trials: u64) -> u64 {
        slices(trials, SLICE).count() as u64
    }

    fn run(&self, seed: u64, trials: u64, job: u64) -> Sample {
        let mut chance = Chance::of(LAB.name, seed, job);
        let finds = slices(trials, SLICE).nth(job as usize).expect("there are so many jobs");
        // How many heights that is about. A number that is known beforehand prefers none of them.
        let heights = (finds as f64 / (1.0 + self.ratio)).ceil() as u64;
        let world = self.world(heights, &mut chance);
        let mut sample = Sample::new();
        let mut take = |name, value| sample.entry(name).or_insert(Moments::default()).take(value);
        for found in &world.found[1..=heights as usize] {
            take("found", *found as f64);
            take("rivals", f64::from(*found > 1));
        }
        for interval in world.intervals(heights) {
            take("interval", interval.as_secs_f64() / INTERVAL.as_secs_f64());
        }
        sample
    }

    fn findings(&self, samples: &[Sample]) -> Vec<Finding> {
        let [found, rivals, interval] =
            ["found", "rivals", "interval"].map(|name| Moments::of(samples, name));
        // Only the others can find a rival.
        let miners = self.miners() as f64;
        let x = self.ratio * (miners - 1.0) / miners;
        let mut forks = Finding::share(
            "fork",
            "share of heights at which more than one block is found",
            theory::fork(x),
            rivals,
        );
        let blocks =
            Moments { count: found.sum as u64, sum: found.sum - found.count as f64, squares: 0.0 };
        let mut stale = Finding::share(
            "stale",
            "share of blocks that are not in the main chain",
            theory::stale(x),
            blocks,
        );
        for finding in [&mut forks, &mut stale] {
            let theory = finding.theory.unwrap_or_default();
            finding.tolerance += RELATIVE * theory + 2.0 / found.sum.max(1.0);
        }
        let expected = theory::interval(x);
        // An interval is a delay and an exponential time with a standard deviation of one.
        let error = interval.error().max(1.0 / libm::sqrt(interval.count.max(1) as f64));
        let interval = Finding {
            name: "interval",
            about: "mean time between two blocks of the main chain, in mean times between finds",
            theory: Some(expected),
            measured: interval.mean(),
            tolerance: RELATIVE * expected + 4.0 * error,
        };
        vec![forks, stale, interval]
    }
}

impl Forks {
    fn miners(&self) -> usize {
        MINERS.max((self.ratio * PER_RIVAL) as usize)
    }

    /// Runs until the branch of some miner is that long, and a margin.
    fn world(&self, heights: u64, chance: &mut Chance) -> World {
        let mut world = World {
            miners: Miners::new(steady(INTERVAL), self.miners() as u32, &[], chance),
            blocks: Queue::new(),
            found: vec![1],
            times: BTreeMap::new(),
        };
        let delay = INTERVAL.mul_f64(self.ratio);
        while (world.found.len() as u64) <= heights + MARGIN {
            let now = world.miners.now + chance.wait(INTERVAL);
            world.hear_until(now);
            world.miners.now = now;
            let finder = chance.below(self.miners());
            for said in world.miners.find(finder) {
                let tip = world.miners.tip(finder);
                world.times.insert(tip.block, now);
                match world.found.get_mut(tip.height as usize) {
                    Some(found) => *found += 1,
                    None => world.found.push(1),
                }
                world.blocks.push(now + delay, (finder, said));
            }
        }
        world
    }
}

impl World {
    /// Everybody else hears of what has been long enough on its way.
    fn hear_until(&mut self, end: Duration) {
        while let Some((at, (finder, said))) = self.blocks.pop_by(end) {
            self.miners.now = at;
            for other in (0..self.miners.len()).filter(|other| *other != finder) {
                self.miners.hear(other, &said);
            }
        }
    }

    /// The time between blocks of the main chain up to a height.
    fn intervals(&self, heights: u64) -> Vec<Duration> {
        let all = 0..self.miners.len();
        let longest = all.max_by_key(|miner| self.miners.height(*miner)).expect("there are many");
        let chain = self.miners.chain(longest).filter(|header| header.height <= heights);
        let times: Vec<_> = chain.map(|header| self.times[&header.hash()]).collect();
        times.windows(2).map(|pair| pair[0] - pair[1]).collect()
    }
}

#[cfg(test)]
mod tests;
