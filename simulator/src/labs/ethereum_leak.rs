//! `ethereum-leak`: when Ethereum finalises again after some of its validators went silent at once.
//!
//! No module here is Ethereum's. What is measured is the specification's recurrence in exact integers, epoch
//! by epoch; what people calculate of it, with derivatives, is the theory.

use super::{
    BadValue, Experiment, Finding, Lab, Moments, Parameter, Part, Range, Sample, Value, Values,
    ethereum::{
        ETHER, Rules, Validator, justifies,
        theory::{left_after, missed_until, needed, stepped_after, stepped_until, whole},
    },
};

/// No balance lasts longer.
const PATIENCE: u64 = 20_000;

/// How late a step may be, in epochs: an effective balance follows at the end of one, and its owner pays a little
/// too much until then.
const LATE: f64 = 2.0;

/// How far a balance may be off, in ether, for the same reason.
const ROUNDED: f64 = 0.02;

pub(super) const LAB: Lab = Lab {
    name: "ethereum-leak",
    about: "when Ethereum finalises again after some of its validators went silent, and what they \
            have left by then; exits queue for longer, so nobody leaves",
    papers: &[
        "Ethereum consensus-specs, Altair and Bellatrix, process_inactivity_updates and \
         get_inactivity_penalty_deltas (measured: these integers)",
        "Edgington, \"Upgrading Ethereum\", part 2, \"Inactivity leak\" (the curve)",
        "Buterin, Griffith, \"Casper the Friendly Finality Gadget\", 2017, section 4.2 (the idea)",
    ],
    parameters: &[
        Parameter {
            name: "active",
            about: "how many of the validators are there",
            range: Range::Part(1_000_000),
            usual: Value::Part(Part { some: 3, all: 5 }),
        },
        Parameter {
            name: "epoch",
            about: "after how many epochs of a leak that goes on balances are looked at",
            range: Range::Whole(0, 8_192),
            usual: Value::Whole(4_096),
        },
    ],
    over: "epoch",
    trials: "registries, which are all the same",
    usual: 1,
    prepare,
};

#[derive(Debug)]
struct EthereumLeak {
    active: Part,
    epoch: u64,
}

fn prepare(values: &Values) -> Result<Box<dyn Experiment>, BadValue> {
    Ok(Box::new(EthereumLeak { active: values.part("active"), epoch: values.whole("epoch") }))
}

impl EthereumLeak {
    /// What the active count, and what all do.
    fn weights(&self, [present, absent]: &[Validator; 2]) -> (u128, u128) {
        let Part { some, all } = self.active;
        let active = u128::from(some) * u128::from(present.effective);
        (active, active + u128::from(all - some) * u128::from(absent.effective))
    }

    /// The active share where so many ether of each absent one count.
    fn share(&self, effective: f64) -> f64 {
        let active = self.active.share();
        active / (active + (1.0 - active) * effective / whole() as f64)
    }
}

impl Experiment for EthereumLeak {
    fn jobs(&self, _trials: u64) -> u64 {
        1
    }

    fn run(&self, _seed: u64, _trials: u64, _job: u64) -> Sample {
        let mut sample = Sample::new();
        let mut take = |name, value: f64| sample.entry(name).or_default().take(value);
        let rules = Rules::ETHEREUM;
        let until = |is_enough: &dyn Fn(&[Validator; 2]) -> bool| {
            rules.until(PATIENCE, |_, place| place == 0, is_enough)
        };
        let finality = until(&|pair| {
            let (active, all) = self.weights(pair);
            justifies(active, all)
        });
        take("epochs", finality.expect("nothing is left of the absent in the end") as f64);
        let ejected = until(&|[_, absent]| absent.ejected);
        take("ejected", ejected.expect("everybody falls to half") as f64);
        let mut pair = [rules.validator(); 2];
        for _ in 0..self.epoch {
            let [present, absent] = &mut pair;
            rules.epoch(present, true);
            rules.epoch(absent, false);
        }
        take("balance", pair[1].balance as f64 / ETHER as f64);
        take("balance_effective", pair[1].effective as f64 / ETHER as f64);
        let (active, all) = self.weights(&pair);
        take("active_share", active as f64 / all as f64);
        sample
    }

    fn findings(&self, samples: &[Sample]) -> Vec<Finding> {
        let Part { some, all } = self.active;
        let recovery = stepped_until(needed(some, all));
        let continuous = match recovery > 0.0 {
            true => missed_until(self.active.share() / (2.0 - 2.0 * self.active.share())),
            false => 0.0,
        };
        let at = self.epoch as f64;
        let (balance, effective) = stepped_after(at);
        let later = stepped_after(at + LATE).1;
        let step = (stepped_after(at - LATE).1 - effective).max(effective - later);
        let share = self.share(effective);
        let off = self.share(effective - step) - share;
        let ether = whole() as f64;
        let finding = |name, about, theory, tolerance| Finding {
            name,
            about,
            theory: Some(theory),
            measured: Moments::of(samples, name).mean(),
            tolerance,
        };
        vec![
            finding(
                "epochs",
                "epochs of leak until two thirds of what counts is there; what counts goes by steps",
                recovery,
                if recovery > 0.0 { LATE } else { 0.0 },
            ),
            finding(
                "epochs_continuous",
                "the same without steps: √(2²⁵ ln(2(1-p)/p))",
                continuous,
                0.0,
            ),
            finding(
                "ejected",
                "epoch in which the absent are told to leave: half of their balance is gone",
                stepped_until(whole() / 2) + 1.0,
                LATE,
            ),
            finding("balance", "what the absent own after --epoch, in ether", balance, ROUNDED),
            finding("balance_effective", "what counts of it: whole ether", effective, step),
            finding(
                "balance_continuous",
                "the same without steps: 32 e^(-t²/2²⁵)",
                ether * left_after(at),
                0.0,
            ),
            finding(
                "active_share",
                "share of the active in all that counts after --epoch; from 2/3 on they finalise",
                share,
                off + 1e-12,
            ),
        ]
    }
}

#[cfg(test)]
mod tests;
