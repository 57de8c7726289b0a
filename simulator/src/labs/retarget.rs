//! `retarget`: how evenly blocks come, and how much the difficulty wavers while the hash rate stays.
//! Or, where the hash rate changes all at once, how long it takes until the difficulty has followed.
//!
//! One miner is enough: it finds blocks after exponential times, dates them truly, and has the
//! module tell it how hard the next one is. The module's own rule is ASERT; Bitcoin's and LWMA it can
//! follow in worlds like this one only.

use super::{
    BadValue, Experiment, Finding, Lab, Moments, Parameter, Range, Sample, Value, Values,
    chance::Chance,
    miners::{EPOCH, Miners, steady},
    slices,
};
use crate::mining::hashes;
use consensus::{
    nakamoto::{Config, Nakamoto, retarget::Rule},
    work::Target,
};
use std::{f64::consts::LN_2, time::Duration};

pub(super) mod theory;

/// The wanted mean time between two blocks.
const INTERVAL: Duration = Duration::from_secs(600);

/// How many hashes a block takes at least when the difficulty is where it belongs: there must be room
/// below, and every nonce is searched for.
const HASHES: f64 = 16.0;

/// Chains in one job.
const SLICE: u64 = 4;

/// How far from the new level the difficulty counts as having followed: by a quarter.
const NEAR: f64 = 1.25;

/// The least number of blocks that are looked at of a chain.
const LEAST: u64 = 200;

/// No chain takes longer to follow a hash rate, in blocks.
const PATIENCE: u64 = 1_000_000;

/// What the formulas may be off by: they hold for long windows.
const RELATIVE: f64 = 0.05;

pub(super) const LAB: Lab = Lab {
    name: "retarget",
    about: "how evenly blocks come under a rule of retargeting, and how much the difficulty wavers; \
            or, with another hash rate, how soon it follows",
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
        Parameter {
            name: "hashrate-factor",
            about: "by how much the hash rate changes all at once; with 1 it stays, and what is \
                    measured is how evenly blocks come",
            range: Range::Real { from: 0.05, with_from: true, to: 20.0, with_to: true },
            usual: Value::Real(1.0),
        },
    ],
    over: "window",
    trials: "chains",
    usual: 400,
    prepare,
};

/// What is measured.
#[derive(Debug)]
struct Retarget {
    rule: Rule,
    window: u64,
    /// Of the hash rate; none where it stays.
    factor: Option<f64>,
}

fn prepare(values: &Values) -> Result<Box<dyn Experiment>, BadValue> {
    let window = values.whole("window");
    let rule = match values.word("rule") {
        "bitcoin" => Rule::Bitcoin { window },
        "lwma" => Rule::Lwma { window },
        _ => Rule::Asert,
    };
    let factor = values.real("hashrate-factor");
    if factor != 1.0 && (1.0 / NEAR..=NEAR).contains(&factor) {
        return Err(BadValue {
            name: "hashrate-factor",
            value: factor.to_string(),
            reason: "so little is followed at once; give 1, or less than 0.8, or more than 1.25"
                .to_owned(),
        });
    }
    Ok(Box::new(Retarget { rule, window, factor: (factor != 1.0).then_some(factor) }))
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
            match self.factor {
                None => self.waver(&mut chance, &mut sample),
                Some(factor) => self.follow(factor, &mut chance, &mut sample),
            }
        }
        sample
    }

    fn findings(&self, samples: &[Sample]) -> Vec<Finding> {
        match self.factor {
            None => self.evenness(samples),
            Some(factor) => self.response(factor, samples),
        }
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

    /// How many hashes a block takes in the beginning.
    fn level(&self) -> f64 {
        HASHES * self.factor.map_or(1.0, |factor| (1.0 / factor).max(1.0))
    }

    /// A chain whose difficulty begins where it belongs.
    fn chain(&self, chance: &mut Chance) -> Chain {
        self.chain_of(1, chance)
    }

    fn chain_of(&self, miners: u32, chance: &mut Chance) -> Chain {
        let anchor = Target::for_hashes(self.level() as u64);
        let half_life = INTERVAL * self.window as u32;
        let config = Config { anchor, half_life, began: EPOCH, ..steady(INTERVAL) };
        let make = || Nakamoto::with(config).retargeting(self.rule);
        let rate = hashes(anchor) / INTERVAL.as_secs_f64();
        Chain { miners: Miners::of(make, miners, &[], chance), rate }
    }

    /// The hash rate stays.
    fn waver(&self, chance: &mut Chance, sample: &mut Sample) {
        let mut chain = self.chain(chance);
        let (before, blocks) = self.lengths();
        for _ in 0..before {
            chain.mine(chance);
        }
        let [mut interval, mut spread] =
            ["interval", "spread"].map(|name| sample.remove(name).unwrap_or_default());
        let level = hashes(Target::for_hashes(self.level() as u64));
        for _ in 0..blocks {
            let (took, difficulty) = chain.mine(chance);
            interval.take(took.as_secs_f64() / INTERVAL.as_secs_f64());
            spread.take(libm::log(difficulty / level));
        }
        sample.extend([("interval", interval), ("spread", spread)]);
    }

    /// It changes, once the chain has forgotten its beginning.
    fn follow(&self, factor: f64, chance: &mut Chance, sample: &mut Sample) {
        let mut chain = self.chain(chance);
        for _ in 0..self.lengths().0 {
            chain.mine(chance);
        }
        let began = chain.miners.now;
        chain.rate *= factor;
        let level = hashes(Target::for_hashes(self.level() as u64)) * factor;
        let near = |difficulty: f64| (1.0 / NEAR..=NEAR).contains(&(difficulty / level));
        let blocks = (1..=PATIENCE).find(|_| near(chain.mine(chance).1)).expect("it follows");
        let time = (chain.miners.now - began).as_secs_f64() / INTERVAL.as_secs_f64();
        for (name, value) in [("blocks", blocks as f64), ("time", time)] {
            sample.entry(name).or_insert(Moments::default()).take(value);
        }
    }

    fn evenness(&self, samples: &[Sample]) -> Vec<Finding> {
        let [interval, spread] = ["interval", "spread"].map(|name| Moments::of(samples, name));
        let expected = theory::evenness(self.rule, self.window as f64);
        // Difficulties of one memory are hardly independent of each other.
        let blocks = spread.count.max(1) as f64;
        let independent = blocks / self.memory();
        let wavers = expected.map_or(spread.deviation(), |(_, spread)| spread);
        let interval_error = libm::sqrt(1.0 / blocks + wavers * wavers / independent);
        let measured = (spread.count > 1).then(|| spread.deviation());
        let mut findings = vec![
            Finding {
                name: "interval",
                about: "mean time between two blocks, in wanted ones",
                theory: expected.map(|(interval, _)| interval),
                measured: interval.mean(),
                tolerance: 4.0 * interval_error * expected.map_or(1.0, |(interval, _)| interval),
            },
            Finding {
                name: "spread",
                about: "standard deviation of the logarithm of the difficulty",
                theory: expected.map(|(_, spread)| spread),
                measured,
                tolerance: wavers * (RELATIVE + 4.0 / libm::sqrt(2.0 * independent)),
            },
        ];
        if expected.is_none() {
            findings.iter_mut().for_each(|finding| finding.tolerance = 0.0);
        }
        findings
    }

    fn response(&self, factor: f64, samples: &[Sample]) -> Vec<Finding> {
        let expected = theory::response(self.rule, self.window as f64, factor, NEAR);
        let one = |name, about, theory: Option<f64>| {
            let measured = Moments::of(samples, name);
            let tolerance =
                theory.map_or(0.0, |theory| RELATIVE * theory + 4.0 * measured.error() + 1.0);
            Finding { name, about, theory, measured: measured.mean(), tolerance }
        };
        vec![
            one(
                "blocks",
                "mean number of blocks until the difficulty is within a quarter of its new level",
                expected.map(|(blocks, _)| blocks),
            ),
            one(
                "time",
                "mean time until then, in wanted intervals",
                expected.map(|(_, time)| time),
            ),
        ]
    }
}

/// One miner's chain.
#[derive(Debug)]
struct Chain {
    miners: Miners,
    /// Hashes in a second.
    rate: f64,
}

impl Chain {
    /// The next block: how long it took, and how many hashes on average.
    fn mine(&mut self, chance: &mut Chance) -> (Duration, f64) {
        let difficulty = hashes(self.miners.target(0));
        let took = chance.wait(Duration::from_secs_f64(difficulty / self.rate));
        self.miners.now += took;
        // Its header tells the time at which it was found.
        self.miners.refresh(0);
        self.miners.find(0);
        (took, difficulty)
    }
}

#[cfg(test)]
mod tests;
