//! `double-spend`: how often a payment that is so many blocks deep is undone.
//!
//! The attacker is a miner that hears nobody and shows nothing until its branch is as long as the
//! merchant's, and the merchant has what it waits for. From then on it shows all it has. Whether the
//! payment is undone is the merchant's node's decision: R8 keeps the branch it saw first until the
//! other is *longer*, which is why a real node measures what we call strict, and not what the papers
//! calculate, which count a tie.
//!
//! (The module's lie `double-spend` attacks a living chain again and again, with a patience of its
//! own. Here each race begins afresh, and the attacker is an honest miner that the lab cuts off.)

use super::{
    Experiment, Finding, Lab, Moments, Parameter, Range, Sample, Value,
    chance::Chance,
    miners::{Miners, steady},
    slices,
};
use std::time::Duration;

pub(super) mod theory;

/// A race is lost where the chance to win it is below this.
const HOPELESS: f64 = 1e-6;

/// By how many blocks an attacker may be behind, however strong it is: near one half it would take
/// ages until it either wins or has no hope.
const PATIENCE: u64 = 64;

/// Races in one job.
const SLICE: u64 = 500;

const MERCHANT: usize = 0;
const ATTACKER: usize = 1;

pub(super) const LAB: Lab = Lab {
    name: "double-spend",
    about: "how often a payment that is z blocks deep is undone by a share q of the hashing",
    papers: &[
        "Nakamoto, \"Bitcoin: A Peer-to-Peer Electronic Cash System\", 2008, section 11",
        "Rosenfeld, \"Analysis of Hashrate-Based Double Spending\", 2014",
        "Grunspan, Pérez-Marco, \"Double Spend Races\", 2017",
    ],
    parameters: &[
        Parameter {
            name: "q",
            about: "the attacker's share of the hashing",
            range: Range::Real { from: 0.0, with_from: false, to: 0.5, with_to: false },
            usual: Value::Real(0.1),
        },
        Parameter {
            name: "z",
            about: "how many blocks the merchant waits for",
            range: Range::Whole(0, 100),
            usual: Value::Whole(2),
        },
    ],
    over: "z",
    trials: "races",
    // So many tell the formula from the paper's estimate at the usual values.
    usual: 100_000,
    prepare: |values| Ok(Box::new(DoubleSpend { q: values.real("q"), z: values.whole("z") })),
};

#[derive(Debug)]
struct DoubleSpend {
    q: f64,
    z: u64,
}

/// How far a race went.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Race {
    /// Once the merchant had its blocks the attacker had as many.
    level: bool,
    /// The merchant's node went over to the attacker's branch.
    undone: bool,
}

impl Experiment for DoubleSpend {
    fn jobs(&self, trials: u64) -> u64 {
        slices(trials, SLICE).count() as u64
    }

    fn run(&self, seed: u64, trials: u64, job: u64) -> Sample {
        let mut chance = Chance::of(LAB.name, seed, job);
        let (mut exact, mut strict) = (Moments::default(), Moments::default());
        let races = slices(trials, SLICE).nth(job as usize).expect("there are so many jobs");
        for _ in 0..races {
            let race = self.race(&mut chance);
            exact.take(f64::from(race.level));
            strict.take(f64::from(race.undone));
        }
        Sample::from([("exact", exact), ("strict", strict)])
    }

    fn findings(&self, samples: &[Sample]) -> Vec<Finding> {
        let [exact, strict] = ["exact", "strict"].map(|name| Moments::of(samples, name));
        vec![
            self.share(
                "strict",
                "share of races after which the merchant's node has undone the payment",
                theory::strict(self.q, self.z),
                strict,
            ),
            self.share(
                "exact",
                "share of races in which the attacker draws level at least",
                theory::exact(self.q, self.z),
                exact,
            ),
            Finding {
                name: "nakamoto",
                about: "the paper's estimate of the same, by Poisson's distribution",
                theory: Some(theory::nakamoto(self.q, self.z)),
                measured: None,
                tolerance: 0.0,
            },
        ]
    }
}

impl DoubleSpend {
    /// The attacker gives up once it is so many blocks behind.
    fn patience(&self) -> u64 {
        let odds = libm::log(self.q) - libm::log1p(-self.q);
        (libm::log(HOPELESS) / odds).ceil().min(PATIENCE as f64) as u64
    }

    /// Two miners who agree on the genesis and on nothing else.
    fn race(&self, chance: &mut Chance) -> Race {
        let mut miners = Miners::new(steady(Duration::from_secs(600)), 2, &[], chance);
        let (mut hidden, mut level) = (Vec::new(), false);
        loop {
            let [theirs, ours] = [MERCHANT, ATTACKER].map(|miner| miners.tip(miner).height);
            if theirs >= self.z && ours >= theirs {
                level = true;
                for said in hidden.drain(..) {
                    miners.hear(MERCHANT, &said);
                }
            }
            let tip = miners.tip(MERCHANT);
            let undone = tip.miner.is_some_and(|miner| miner.0 as usize == ATTACKER);
            if undone || theirs >= ours + self.patience() {
                return Race { level, undone };
            }
            miners.now += chance.wait(Duration::from_secs(600));
            match chance.happens(self.q) {
                true => hidden.extend(miners.find(ATTACKER)),
                false => drop(miners.find(MERCHANT)),
            }
        }
    }

    /// Within four standard deviations, two races more or less where there are hardly any, and what
    /// may be lost by giving up: whoever is not counted would have come back with at most this chance.
    fn share(
        &self,
        name: &'static str,
        about: &'static str,
        theory: f64,
        measured: Moments,
    ) -> Finding {
        let back = libm::pow(self.q / (1.0 - self.q), self.patience() as f64);
        let lost = (1.0 - theory).max(0.0) * back / (1.0 - back);
        let mut finding = Finding::share(name, about, theory, measured);
        finding.tolerance += 2.0 / measured.count.max(1) as f64 + lost;
        finding
    }
}

#[cfg(test)]
mod tests;
