//! `hash-rate`: how soon the difficulty follows when the hash rate changes all at once.
//!
//! The rule is the module's own, ASERT. For the others no formula is known: their figures are in the
//! tests of `retarget`, beside those that others simulated.

use super::{
    BadValue, Experiment, Finding, Lab, Moments, Parameter, Range, Sample, Value, Values,
    chance::Chance,
    retarget::{
        HASHES,
        chain::{Chain, INTERVAL},
    },
    slices,
};
use consensus::nakamoto::retarget::Rule;
use std::f64::consts::LN_2;

pub(super) mod theory;

/// How near to its new level the difficulty counts as having followed: by a quarter.
const NEAR: f64 = 1.25;

/// The hash rate changes by twice as much at least, or the difficulty's wavering hides it.
const LEAST: f64 = 4.0;

/// Chains in one job.
const SLICE: u64 = 4;

/// No chain takes longer to follow, in blocks.
const PATIENCE: u64 = 1_000_000;

/// What the formula may be off by, because it leaves the wavering out of account.
const RELATIVE: f64 = 0.05;

/// And in blocks or intervals, because a single long interval brings the difficulty further than the
/// formula's small steps.
const STEPS: f64 = 4.0;

/// By how many deviations a single chain is further off than a normal one.
const SKEWED: f64 = 2.5;

pub(super) const LAB: Lab = Lab {
    name: "hash-rate",
    about: "how soon the difficulty is within a quarter of its new level after the hash rate has \
            changed all at once, by asert",
    papers: &[
        "Lundeberg, \"Static difficulty adjustments, with absolutely scheduled exponentially \
               rising targets\", 2020",
    ],
    parameters: &[
        Parameter {
            name: "half-life",
            about: "by how many intervals a chain must be late to become twice as easy",
            range: Range::Whole(36, 576),
            usual: Value::Whole(72),
        },
        Parameter {
            name: "factor",
            about: "by how much the hash rate changes: at most to a quarter, or at least to four \
                    times as much",
            range: Range::Real { from: 0.1, with_from: true, to: 10.0, with_to: true },
            usual: Value::Real(0.1),
        },
    ],
    over: "factor",
    trials: "chains",
    usual: 400,
    prepare,
};

#[derive(Debug)]
struct HashRate {
    half_life: u64,
    factor: f64,
}

fn prepare(values: &Values) -> Result<Box<dyn Experiment>, BadValue> {
    let (half_life, factor) = (values.whole("half-life"), values.real("factor"));
    if factor > 1.0 / LEAST && factor < LEAST {
        return Err(BadValue {
            name: "factor",
            value: factor.to_string(),
            reason: "the difficulty wavers too much to tell when it has followed so little; it is \
                     at most 0.25, or at least 4"
                .to_owned(),
        });
    }
    Ok(Box::new(HashRate { half_life, factor }))
}

impl Experiment for HashRate {
    fn jobs(&self, trials: u64) -> u64 {
        slices(trials, SLICE).count() as u64
    }

    fn run(&self, seed: u64, trials: u64, job: u64) -> Sample {
        let mut chance = Chance::of(LAB.name, seed, job);
        let chains = slices(trials, SLICE).nth(job as usize).expect("there are so many jobs");
        let (mut blocks, mut time) = (Moments::default(), Moments::default());
        for _ in 0..chains {
            let (found, took) = follow(Rule::Asert, self.half_life, self.factor, &mut chance);
            blocks.take(found);
            time.take(took);
        }
        Sample::from([("blocks", blocks), ("time", time)])
    }

    fn findings(&self, samples: &[Sample]) -> Vec<Finding> {
        let (blocks, time) = theory::response(self.half_life as f64, self.factor, NEAR);
        let deviation = theory::deviation(self.half_life as f64, self.factor, NEAR);
        let one = |name, about, theory: f64| {
            let measured = Moments::of(samples, name);
            // What was measured does not say how far a few chains may be off. Late ones are further off
            // than early ones, with a skewness of one or so: Cornish and Fisher put a quantile of four
            // deviations (4² - 1) / 6 of that further out in one chain, and in N of them 1/N of it.
            let chains = measured.count.max(1) as f64;
            let error = deviation * (4.0 / chains.sqrt() + SKEWED / chains);
            let tolerance = RELATIVE * theory + error + STEPS;
            Finding { name, about, theory: Some(theory), measured: measured.mean(), tolerance }
        };
        vec![
            one("blocks", "mean number of blocks until the difficulty has followed", blocks),
            one("time", "mean time until then, in wanted intervals", time),
        ]
    }
}

/// How many blocks and intervals it takes to follow, once the chain has forgotten its beginning.
pub(super) fn follow(rule: Rule, window: u64, factor: f64, chance: &mut Chance) -> (f64, f64) {
    // Neither before nor after does a block take so few hashes that it could not be easier.
    let level = (HASHES as f64 * (1.0 / factor).max(1.0)).round();
    let mut chain = Chain::new(rule, window, level as u64, 1, chance);
    for _ in 0..(3.0 / LN_2 * window as f64) as u64 {
        chain.mine(chance);
    }
    let began = chain.miners.now;
    chain.rate *= factor;
    let near = |difficulty: f64| {
        let distance = difficulty / (level * factor);
        (1.0 / NEAR..=NEAR).contains(&distance)
    };
    let blocks = (1..=PATIENCE).find(|_| near(chain.mine(chance).1)).expect("it follows");
    let time = (chain.miners.now - began).as_secs_f64() / INTERVAL.as_secs_f64();
    (blocks as f64, time)
}

#[cfg(test)]
mod tests;
