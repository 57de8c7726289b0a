//! How many messages a decision takes.

use super::{
    BadValue, Experiment, Finding, Lab, Moments, Sample, Values,
    voting::{About, Bench, CONSENSUS, REPLICAS, delay, seed_of},
};
use std::time::Duration;

#[cfg(test)]
mod tests;

/// The lab.
pub(super) const LAB: Lab = Lab {
    name: "messages",
    about: "how many messages a decision takes where nothing goes wrong",
    papers: &[
        "Castro, Liskov, \"Practical Byzantine Fault Tolerance\", OSDI 1999, section 4.2: 2n(n-1)",
        "Buchman, Kwon, Milosevic, \"The latest gossip on BFT consensus\", arXiv 1807.04938, 2018, algorithm 1: (n-1)(2n+1)",
        "Nakamoto, \"Bitcoin: A Peer-to-Peer Electronic Cash System\", 2008, section 5: n-1 for a block, relays apart",
    ],
    parameters: &[CONSENSUS, REPLICAS],
    over: "replicas",
    trials: "decisions",
    usual: 20,
    prepare,
};

/// How many decisions one world makes.
const IN_A_WORLD: u64 = 5;

#[derive(Debug)]
struct Messages(Bench);

fn prepare(values: &Values) -> Result<Box<dyn Experiment>, BadValue> {
    Ok(Box::new(Messages(Bench::new(values)?)))
}

impl Experiment for Messages {
    fn jobs(&self, trials: u64) -> u64 {
        trials.div_ceil(IN_A_WORLD)
    }

    fn run(&self, seed: u64, trials: u64, job: u64) -> Sample {
        let decisions = IN_A_WORLD.min(trials - job * IN_A_WORLD);
        let setup = self.0.setup(seed_of(seed, job), delay(seed, job));
        // One decision more, so that all is said about the last of those that count.
        let sight = self.0.watch(setup, decisions + 1);
        let [mut messages, mut upkeep, mut repeated] = [Moments::default(); 3];
        for (about, said) in &sight.said {
            if matches!(about, About::Height(height) if *height > decisions) {
                continue;
            }
            messages.take(said.messages as f64);
            upkeep.take(said.upkeep as f64);
        }
        repeated.take(sight.repeated as f64);
        Sample::from([("messages", messages), ("upkeep", upkeep), ("repeated", repeated)])
    }

    fn findings(&self, samples: &[Sample]) -> Vec<Finding> {
        let n = u64::from(self.0.replicas);
        let of = |name| Moments::of(samples, name);
        let messages = of("messages");
        let spread = Moments::once((messages.count > 0).then(|| messages.deviation()));
        let theory = (self.0.theory.messages)(n) as f64;
        let mut findings = vec![
            Finding::exact(
                "messages",
                "sent for each decision, one for each recipient",
                theory,
                messages,
            ),
            Finding::exact("spread", "standard deviation from decision to decision", 0.0, spread),
            Finding::exact("repeated", "sent again or passed on", 0.0, of("repeated")),
        ];
        if let Some(extra) = self.0.theory.upkeep {
            let genesis = self.0.setup(0, Duration::from_millis(1)).genesis();
            let theory = (extra.messages)(&genesis, n);
            let about = "sent besides, which no decision waits for";
            findings.push(Finding::exact("upkeep", about, theory, of("upkeep")));
        }
        findings
    }
}
