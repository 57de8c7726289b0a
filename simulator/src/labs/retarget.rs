//! `retarget`: how evenly blocks come, and how much the difficulty wavers, while the hash rate stays.
//!
//! One miner is enough: it finds blocks after exponential times, dates them truly, and has the
//! module tell it how hard the next one is. The module's own rule is ASERT; Bitcoin's and LWMA it can
//! follow in worlds like this one only.

use super::{
    BadValue, Experiment, Finding, Lab, Moments, Parameter, Range, Sample, Value, Values,
    chance::Chance, slices,
};
use chain::{Chain, INTERVAL};
use consensus::nakamoto::retarget::Rule;
use std::f64::consts::LN_2;

pub(super) mod chain;
pub(super) mod theory;

/// How many hashes a block takes at least when the difficulty is where it belongs: there must be room
/// below, and every nonce is searched for.
pub(super) const HASHES: u64 = 16;

/// Chains in one job.
const SLICE: u64 = 4;

/// The least number of blocks that are looked at of a chain.
const LEAST: u64 = 200;

/// What the formulas may be off by: they hold for long windows.
const RELATIVE: f64 = 0.05;

pub(super) const LAB: Lab = Lab {
    name: "retarget",
    about: "how evenly blocks come under a rule of retargeting, and how much the difficulty wavers",
    papers: &[
        "Bitcoin Core, pow.cpp (bitcoin)",
        "Lundeberg, \"Static difficulty adjustments, with absolutely scheduled exponentially rising \
         targets\", 2020 (asert)",
        "zawy12, \"LWMA difficulty algorithm\", 2017 (lwma)",
    ],
    parameters: &[
        Parameter {
            name: "rule",
            about: "how the difficulty follows the blocks before",
            range: Range::Word(&["asert", "bitcoin", "lwma"]),
            usual: Value::Word("asert"),
        },
        Parameter {
            name: "window",
            about: "how long a rule looks back, in blocks: the window of bitcoin and lwma, the \
                    half-life of asert",
            range: Range::Whole(20, 2016),
            usual: Value::Whole(72),
        },
    ],
    over: "window",
    trials: "chains",
    usual: 400,
    prepare,
};

#[derive(Debug)]
struct Retarget {
    rule: Rule,
    window: u64,
}

fn prepare(values: &Values) -> Result<Box<dyn Experiment>, BadValue> {
    let window = values.whole("window");
    let rule = match values.word("rule") {
        "bitcoin" => Rule::Bitcoin { window },
        "lwma" => Rule::Lwma { window },
        _ => Rule::Asert,
    };
    Ok(Box::new(Retarget { rule, window }))
}

impl Experiment for Retarget {
    fn jobs(&self, trials: u64) -> u64 {
        slices(trials, SLICE).count() as u64
    }

    fn run(&self, seed: u64, trials: u64, job: u64) -> Sample {
        let mut chance = Chance::of(LAB.name, seed, job);
        let chains = slices(trials, SLICE).nth(job as usize).expect("there are so many jobs");
        let mut sample = Sample::new();
        for _ in 0..chains {
            self.chain(&mut chance, &mut sample);
        }
        sample
    }

    fn findings(&self, samples: &[Sample]) -> Vec<Finding> {
        let [interval, spread] = ["interval", "spread"].map(|name| Moments::of(samples, name));
        let window = self.window as f64;
        let wavers = theory::spread(self.rule, window);
        // Difficulties of one memory are hardly independent of each other.
        let blocks = spread.count.max(1) as f64;
        let independent = blocks / self.memory();
        let error = libm::sqrt(1.0 / blocks + wavers * wavers / independent);
        let mean = theory::interval(self.rule, window);
        vec![
            Finding {
                name: "spread",
                about: "standard deviation of the logarithm of the difficulty",
                theory: Some(wavers),
                measured: (spread.count > 1).then(|| spread.deviation()),
                tolerance: wavers * (RELATIVE + 4.0 / libm::sqrt(2.0 * independent)),
            },
            Finding {
                name: "interval",
                about: "mean time between two blocks, in wanted ones",
                theory: mean,
                measured: interval.mean(),
                tolerance: mean.map_or(0.0, |mean| 4.0 * error * mean),
            },
        ]
    }
}

impl Retarget {
    /// How many blocks it takes until a rule has forgotten what was before, but for a part of e.
    fn memory(&self) -> f64 {
        let window = self.window as f64;
        match self.rule {
            Rule::Asert => window / LN_2,
            Rule::Bitcoin { .. } | Rule::Lwma { .. } => window,
        }
    }

    /// How many blocks pass until a chain has forgotten its beginning, and how many are looked at
    /// then: whole windows.
    fn lengths(&self) -> (u64, u64) {
        match self.rule {
            // What a window was decides over the next one, and over no other.
            Rule::Bitcoin { window } => (window, window * LEAST.div_ceil(window).max(2)),
            _ => ((3.0 * self.memory()) as u64, (self.memory() as u64).max(LEAST)),
        }
    }

    /// A chain whose difficulty begins where it belongs.
    fn chain(&self, chance: &mut Chance, sample: &mut Sample) {
        let mut chain = Chain::new(self.rule, self.window, HASHES, 1, chance);
        let (before, blocks) = self.lengths();
        for _ in 0..before {
            chain.mine(chance);
        }
        let [mut interval, mut spread] =
            ["interval", "spread"].map(|name| sample.remove(name).unwrap_or_default());
        for _ in 0..blocks {
            let (took, difficulty) = chain.mine(chance);
            interval.take(took.as_secs_f64() / INTERVAL.as_secs_f64());
            spread.take(libm::log(difficulty / HASHES as f64));
        }
        sample.extend([("interval", interval), ("spread", spread)]);
    }
}

#[cfg(test)]
mod tests;
