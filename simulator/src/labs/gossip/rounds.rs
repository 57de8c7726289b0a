//! Rumours by rounds, until all know: a loop of its own, for nothing in the simulator goes by rounds.

use super::{Crowd, IN_A_JOB, chain, shown};
use crate::{
    delay::below,
    labs::{Experiment, Finding, Moments, Sample, voting::seed_of},
    setup::stream,
};
use rand_chacha::{ChaCha8Rng, rand_core::Rng};

/// Push, or push and pull.
#[derive(Debug)]
pub(super) struct Rounds {
    pub(super) crowd: Crowd,
    pub(super) pulls: bool,
}

impl Experiment for Rounds {
    fn jobs(&self, trials: u64) -> u64 {
        trials.div_ceil(IN_A_JOB)
    }

    fn run(&self, seed: u64, trials: u64, job: u64) -> Sample {
        let rumours = IN_A_JOB.min(trials - job * IN_A_JOB);
        let mut chance = stream(seed_of(seed, job), "labs/gossip", 1);
        let mut rounds = Moments::default();
        (0..rumours).for_each(|_| rounds.take(self.rumour(&mut chance) as f64));
        Sample::from([("rounds", rounds)])
    }

    fn findings(&self, samples: &[Sample]) -> Vec<Finding> {
        let Crowd { nodes, fanout, success } = self.crowd;
        let told = f64::from(fanout) * success;
        let n = f64::from(nodes);
        let theory = chain::rounds(self.crowd, self.pulls);
        let about = "rounds until everybody knows";
        let mut findings =
            vec![Finding::mean("rounds", about, theory, Moments::of(samples, "rounds"))];
        if !self.pulls {
            let about = "ln n / ln(1+ka) + ln n / ka, but for a constant";
            findings.push(shown("rounds_of_many", about, n.ln() / told.ln_1p() + n.ln() / told));
        }
        findings
    }
}

impl Rounds {
    /// How many rounds one rumour takes.
    fn rumour(&self, chance: &mut ChaCha8Rng) -> u64 {
        let Crowd { nodes, fanout, success } = self.crowd;
        let mut knows = vec![false; nodes as usize];
        knows[0] = true;
        let mut left = nodes - 1;
        let mut rounds = 0;
        while left > 0 {
            rounds += 1;
            // What is heard in a round is passed on in the next.
            let before = knows.clone();
            for (caller, caller_knows) in before.iter().enumerate() {
                if !caller_knows && !self.pulls {
                    continue;
                }
                for _ in 0..fanout {
                    let other = other_than(caller, nodes, chance);
                    // 53 bits: a share of one.
                    let arrives = (chance.next_u64() >> 11) as f64 / (1_u64 << 53) as f64;
                    if arrives >= success {
                        continue;
                    }
                    let hears = if *caller_knows { other } else { caller };
                    if (*caller_knows || before[other]) && !knows[hears] {
                        knows[hears] = true;
                        left -= 1;
                    }
                }
            }
        }
        rounds
    }
}

/// Somebody else, each as likely as any other.
fn other_than(caller: usize, nodes: u32, chance: &mut ChaCha8Rng) -> usize {
    let other = below(chance.next_u64(), u64::from(nodes - 1)) as usize;
    if other < caller { other } else { other + 1 }
}
