//! `leak-partition`: how long two halves may be apart until both decide.

use super::{
    Experiment, Finding, Lab, Moments, Parameter, Range, Sample, Value,
    leak::{GRACE, QUOTIENT, measure::Halt, theory},
};
use ledger::leak::{Leak, Mode, WHOLE};

pub(super) const LAB: Lab = Lab {
    name: "leak-partition",
    about: "after how many rounds of a partition into two equal honest halves both decide, each a block of its \
            own, if the leak has no floor and a share of the stake votes on both sides",
    papers: &[
        "Pavloff, Amoussou-Guenou, Tucci-Piergiovanni, \"Byzantine Attacks Exploiting Penalties in Ethereum \
         PoS\", DSN 2024, arXiv 2404.16363 (the attack)",
        "docs/decisions/0014: k = √(2Q ln(2(1-β)/(1+β))), our own",
    ],
    parameters: &[
        QUOTIENT,
        Parameter {
            name: "byzantine",
            about: "β: the share of the stake that votes on both sides, counted in thousandths",
            range: Range::Real { from: 0.0, with_from: true, to: 1.0 / 3.0, with_to: false },
            usual: Value::Real(0.1),
        },
    ],
    over: "byzantine",
    trials: "worlds",
    usual: 1,
    prepare: |values| {
        let byzantine = (values.real("byzantine") * 1000.0).round() as u64;
        let leak = Leak {
            mode: Mode::Recovery,
            quotient: values.whole("quotient"),
            tolerates_permille: byzantine.min(333),
            bounded: false,
            grace_rounds: GRACE,
        };
        Ok(Box::new(Partition { leak }))
    },
};

#[derive(Debug)]
struct Partition {
    /// The share that it tolerates is the one that lies.
    leak: Leak,
}

impl Partition {
    /// What must be left of the others' half at most, that one half and the Byzantine have more than two
    /// thirds of what counts: (1+β) / 2(1-β).
    fn needed(&self) -> f64 {
        let byzantine = self.leak.tolerates_permille as f64 / 1000.0;
        (1.0 + byzantine) / (2.0 - 2.0 * byzantine)
    }

    /// By the exact recurrence.
    fn rows(&self) -> u64 {
        let beta = self.leak.tolerates_permille;
        let enough = |left: u64| 2 * left * (1000 - beta) < u64::from(WHOLE) * (1000 + beta);
        theory::misses(self.leak.quotient, 0, enough).expect("nothing is left in the end")
    }
}

impl Experiment for Partition {
    fn jobs(&self, trials: u64) -> u64 {
        trials
    }

    fn run(&self, seed: u64, _trials: u64, job: u64) -> Sample {
        let halt = Halt::partition(self.leak, self.leak.tolerates_permille, seed, job);
        let end = halt.run();
        let mut sample = Sample::new();
        let mut take = |name, value: f64| sample.entry(name).or_default().take(value);
        take("slashable", end.slashable as f64);
        let [Some(left), Some(right)] = &end.decisions[..] else {
            take("conflict", 0.0);
            return sample;
        };
        take("conflict", if left.block.hash() == right.block.hash() { 0.0 } else { 1.0 });
        take("rows", left.needed.max(right.needed) as f64);
        take("decided", left.rows.max(right.rows) as f64);
        sample
    }

    fn findings(&self, samples: &[Sample]) -> Vec<Finding> {
        let of = |name| Moments::of(samples, name);
        let closed = theory::closed(self.leak.quotient, self.needed());
        vec![
            Finding::exact(
                "conflict",
                "1 if both sides decide the same height, and not the same block",
                1.0,
                of("conflict"),
            ),
            Finding::exact(
                "slashable",
                "times that somebody signed two values in one slot",
                0.0,
                of("slashable"),
            ),
            Finding::exact(
                "rows",
                "rows of absence after which both sides decide: the exact recurrence",
                self.rows() as f64,
                of("rows"),
            ),
            Finding {
                name: "rows_closed",
                about: "the same by √(2Q ln(2(1-β)/(1+β)))",
                theory: Some(closed),
                measured: of("rows").mean(),
                tolerance: theory::rounding(self.leak.quotient, closed),
            },
            Finding {
                name: "decided",
                about: "rows of the later one's table: votes are for one side in a round, and turns go around",
                theory: None,
                measured: of("decided").mean(),
                tolerance: 0.0,
            },
        ]
    }
}

#[cfg(test)]
mod tests;
