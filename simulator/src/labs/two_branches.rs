//! `two-branches`: how long a partition of Ethereum's validators must last until both halves finalise, with
//! the help of some who take part in both.
//!
//! As in `ethereum-leak` the specification's integers are measured and derivatives are the theory.

use super::{
    Experiment, Finding, Lab, Moments, Parameter, Range, Sample, Value,
    ethereum::{
        ETHER, Rules, Validator, justifies,
        theory::{Straddling, both_finalise, share_without_absent, stepped_until, whole},
    },
};

/// No half lacks the other's balances for longer.
const PATIENCE: u64 = 10_000;

/// In how many parts a share is measured: exact integers know no fractions.
const PARTS: u64 = 1_000_000;

pub(super) const LAB: Lab = Lab {
    name: "two-branches",
    about: "after how many epochs of a partition into two equal honest halves Ethereum finalises on \
            both sides, if a share of all votes on both",
    papers: &[
        "Pavloff, Amoussou-Guenou, Tucci-Piergiovanni, \"Byzantine Attacks Exploiting Penalties in Ethereum \
         PoS\", DSN 2024, arXiv 2404.16363",
        "Ethereum consensus-specs, Altair and Bellatrix (measured: these integers; penalties in missed epochs \
         only, where the paper has one in every epoch)",
    ],
    parameters: &[Parameter {
        name: "byzantine",
        about: "the share of all stake that takes part in both branches",
        range: Range::Real { from: 0.0, with_from: true, to: 1.0 / 3.0, with_to: false },
        usual: Value::Real(0.1),
    }],
    over: "byzantine",
    trials: "partitions",
    usual: 1,
    prepare: |values| {
        let byzantine = (values.real("byzantine") * PARTS as f64).round() as u64;
        Ok(Box::new(TwoBranches { byzantine }))
    },
};

/// The names of the figures for one way of taking part in both.
struct Way(Straddling, &'static str, &'static str);

const WAYS: [Way; 3] = [
    Way(Straddling::Double, "double_vote", "share"),
    Way(Straddling::Alternating, "alternating", "share_alternating"),
    Way(Straddling::AlwaysCharged, "alternating_paper", "share_alternating_paper"),
];

#[derive(Debug)]
struct TwoBranches {
    /// Of [`PARTS`].
    byzantine: u64,
}

impl TwoBranches {
    fn share(&self) -> f64 {
        self.byzantine as f64 / PARTS as f64
    }

    /// What votes on a branch, and all that counts there: a half that is present, the Byzantine, and a
    /// half that is absent.
    fn weights(&self, [present, byzantine, absent]: &[Validator; 3]) -> (u128, u128) {
        let weigh = |parts: u64, one: &Validator| u128::from(parts) * u128::from(one.effective);
        let honest = PARTS - self.byzantine;
        let active = weigh(honest, present) + weigh(2 * self.byzantine, byzantine);
        (active, active + weigh(honest, absent))
    }

    /// The state of a branch, on which the Byzantine vote in epochs of one parity only if they alternate,
    /// when it is `enough`.
    fn branch(
        &self,
        how: Straddling,
        parity: u64,
        is_enough: impl Fn(&[Validator; 3]) -> bool,
    ) -> u64 {
        let rules = Rules { spares_present: how != Straddling::AlwaysCharged, ..Rules::ETHEREUM };
        let is_heard = |epoch: u64, place| match place {
            0 => true,
            1 => how == Straddling::Double || epoch % 2 == parity,
            _ => false,
        };
        let found = rules.until(PATIENCE, is_heard, is_enough);
        found.expect("nothing is left of the absent in the end")
    }
}

impl Experiment for TwoBranches {
    fn jobs(&self, _trials: u64) -> u64 {
        1
    }

    fn run(&self, _seed: u64, _trials: u64, _job: u64) -> Sample {
        let mut sample = Sample::new();
        for Way(how, epochs, share) in WAYS {
            for parity in [0, 1] {
                let finality = self.branch(how, parity, |all| {
                    let (active, all) = self.weights(all);
                    justifies(active, all)
                });
                // Both have finalised when the slower one has.
                let slower = sample.get(epochs).map_or(0.0, |known: &Moments| known.sum);
                let both = slower.max(finality as f64);
                sample.insert(epochs, Moments::once(Some(both)));
            }
            let last = std::cell::Cell::new(0.0);
            self.branch(how, 0, |all| {
                let (active, _) = self.weights(all);
                let byzantine = u128::from(2 * self.byzantine) * u128::from(all[1].effective);
                last.set(byzantine as f64 / active as f64);
                all[2].ejected
            });
            sample.insert(share, Moments::once(Some(last.get())));
        }
        sample
    }

    fn findings(&self, samples: &[Sample]) -> Vec<Finding> {
        let finding = |name, about, theory, tolerance| Finding {
            name,
            about,
            theory: Some(theory),
            measured: Moments::of(samples, name).mean(),
            tolerance,
        };
        let (byzantine, step) = (self.share(), ETHER as f64 / Rules::ETHEREUM.whole as f64);
        // At the latest when the absent have half of their balance.
        let latest = stepped_until(whole() / 2);
        let at = |how, off| both_finalise(byzantine, how, off).min(latest);
        let needed = 16 * (PARTS + self.byzantine) / (PARTS - self.byzantine);
        let mut findings = vec![
            finding(
                "double_vote",
                "epochs until both sides finalise, if the Byzantine vote on both (slashable)",
                stepped_until(needed),
                1.0,
            ),
            finding(
                "double_vote_continuous",
                "the same with nothing rounded, and no end at half of a balance",
                both_finalise(byzantine, Straddling::Double, (0.0, 0.0)),
                0.0,
            ),
        ];
        for Way(how, name, _) in &WAYS[1..] {
            let about = match how {
                Straddling::AlwaysCharged => {
                    "the same with a penalty in every epoch, as the paper has it"
                }
                _ => {
                    "epochs if they vote here in one epoch and there in the next (nothing is slashable)"
                }
            };
            let theory = at(*how, (0.0, 0.0));
            // Each of two effective balances may be a step off, in whichever direction matters.
            let sides = [(step, -step), (-step, step)].map(|off| (at(*how, off) - theory).abs());
            findings.push(finding(*name, about, theory, sides[0].max(sides[1])));
        }
        for Way(how, _, name) in &WAYS {
            let about = match how {
                Straddling::Double => {
                    "their share of both branches when the absent have left; above 1/3 they can stop both"
                }
                Straddling::Alternating => "the same if they take turns",
                Straddling::AlwaysCharged => "the same with a penalty in every epoch",
            };
            let theory = share_without_absent(byzantine, *how, latest);
            // It grows with what they have left, and no faster.
            let tolerance = if *how == Straddling::Double { 1e-12 } else { theory * 1.5 * step };
            findings.push(finding(*name, about, theory, tolerance));
        }
        findings
    }
}

#[cfg(test)]
mod tests;
