//! How many message delays a decision takes.

use super::{
    BadValue, Experiment, Finding, Lab, Moments, Sample, Values,
    voting::{About, Bench, CONSENSUS, REPLICAS, delay, seed_of},
};

#[cfg(test)]
mod tests;

/// The lab.
pub(super) const LAB: Lab = Lab {
    name: "hops",
    about: "how many message delays lie between a leader's proposal and the first decision",
    papers: &[
        "Castro, Liskov, \"Practical Byzantine Fault Tolerance\", OSDI 1999, section 4.2: 3",
        "Buchman, Kwon, Milosevic, \"The latest gossip on BFT consensus\", arXiv 1807.04938, 2018, algorithm 1: 3",
    ],
    parameters: &[CONSENSUS, REPLICAS],
    over: "replicas",
    trials: "decisions",
    usual: 20,
    prepare,
};

/// How many decisions one world makes, all with the same delay.
const IN_A_WORLD: u64 = 5;

#[derive(Debug)]
struct Hops {
    bench: Bench,
    hops: u64,
}

fn prepare(values: &Values) -> Result<Box<dyn Experiment>, BadValue> {
    let bench = Bench::new(values)?;
    let Some(hops) = bench.theory.hops else {
        let reason = "its blocks are final by depth, so no number of hops decides; choose a module that votes";
        return Err(BadValue {
            name: "consensus",
            value: bench.module.into(),
            reason: reason.into(),
        });
    };
    Ok(Box::new(Hops { bench, hops }))
}

impl Experiment for Hops {
    fn jobs(&self, trials: u64) -> u64 {
        trials.div_ceil(IN_A_WORLD)
    }

    fn run(&self, seed: u64, trials: u64, job: u64) -> Sample {
        let decisions = IN_A_WORLD.min(trials - job * IN_A_WORLD);
        let delay = delay(seed, job);
        let sight = self.bench.watch(self.bench.setup(seed_of(seed, job), delay), decisions);
        let mut hops = Moments::default();
        for (height, at) in &sight.decided {
            let said = sight.said.get(&About::Height(*height));
            let (proposed, _) =
                said.and_then(|said| said.proposed).expect("what is decided was proposed");
            // In whole microseconds, so that nothing is rounded away.
            hops.take((*at - proposed).as_micros() as f64 / delay.as_micros() as f64);
        }
        Sample::from([("hops", hops)])
    }

    fn findings(&self, samples: &[Sample]) -> Vec<Finding> {
        let hops = Moments::of(samples, "hops");
        let spread = Moments::once((hops.count > 0).then(|| hops.deviation()));
        vec![
            Finding::exact(
                "hops",
                "from a proposal to the first decision, in message delays",
                self.hops as f64,
                hops,
            ),
            Finding::exact("spread", "standard deviation from decision to decision", 0.0, spread),
        ]
    }
}
