//! Rumours among many, as the topology [`Topology::Random`] spreads them in a world.

use super::{Crowd, IN_A_JOB, chain, shown};
use crate::{
    delay::{Delay, Dice},
    labs::{Experiment, Finding, Moments, Sample, voting::seed_of},
    places::Place,
    queue::Queue,
    setup::stream,
    topology::{Overlay, Topology},
};
use ledger::ReplicaId;
use rand_chacha::{ChaCha8Rng, rand_core::Rng};
use std::time::Duration;

/// Infect and die.
#[derive(Debug)]
pub(super) struct InfectAndDie(pub(super) Crowd);

impl Experiment for InfectAndDie {
    fn jobs(&self, trials: u64) -> u64 {
        trials.div_ceil(IN_A_JOB)
    }

    fn run(&self, seed: u64, trials: u64, job: u64) -> Sample {
        let rumours = IN_A_JOB.min(trials - job * IN_A_JOB);
        let (mut missed, mut all) = (Moments::default(), Moments::default());
        let mut spread = Spread::new(self.0, seed_of(seed, job));
        for _ in 0..rumours {
            let known = spread.rumour();
            let left = self.0.nodes - known;
            missed.take(f64::from(left) / f64::from(self.0.nodes));
            all.take(if left == 0 { 1.0 } else { 0.0 });
        }
        Sample::from([("missed", missed), ("all", all)])
    }

    fn findings(&self, samples: &[Sample]) -> Vec<Finding> {
        let Crowd { nodes, fanout, success } = self.0;
        let n = f64::from(nodes);
        let told = f64::from(fanout) * success;
        let end = chain::infect_and_die(self.0);
        let missed = end.moments(|known| (n - known as f64) / n);
        let of = |name| Moments::of(samples, name);
        vec![
            Finding::mean("missed", "share of the nodes that never hear it", missed, of("missed")),
            Finding::share(
                "all",
                "chance that everybody hears it",
                end.of(nodes as usize),
                of("all"),
            ),
            shown(
                "missed_of_many",
                "m = e^(-ka(1-m)), of a crowd without end",
                chain::mean_field(told),
            ),
            shown(
                "all_of_many",
                "e^(-e^(-c)) with c = ka - ln n, of a great crowd",
                (-(n.ln() - told).exp()).exp(),
            ),
        ]
    }
}

/// A crowd without a world around it: the overlay that worlds have, and a queue.
struct Spread {
    crowd: Crowd,
    overlay: Overlay,
    chance: ChaCha8Rng,
    /// Who hears it from whom; empty between two rumours.
    queue: Queue<(ReplicaId, ReplicaId)>,
    now: Duration,
}

impl Spread {
    fn new(crowd: Crowd, seed: u64) -> Spread {
        let topology = Topology::Random { fanout: crowd.fanout };
        let overlay = Overlay::new(topology, seed, crowd.nodes, crowd.nodes as usize);
        let overlay = overlay.expect("it is no mesh");
        let chance = stream(seed, "labs/gossip", 0);
        Spread { crowd, overlay, chance, queue: Queue::new(), now: Duration::ZERO }
    }

    /// Spreads one rumour from the first node; how many know it in the end.
    fn rumour(&mut self) -> u32 {
        let delay = Delay::Uniform(Duration::from_millis(20)..Duration::from_millis(80));
        let origin = ReplicaId(0);
        let number = self.overlay.begin(Place(0));
        let mut known = 1;
        let mut tells = Some((origin, None));
        loop {
            if let Some((teller, told_by)) = tells.take() {
                for other in self.overlay.next(teller, told_by, origin) {
                    let dice = Dice::roll(&mut self.chance);
                    // 53 bits: a share of one.
                    let arrives = (self.chance.next_u64() >> 11) as f64 / (1_u64 << 53) as f64;
                    if arrives < self.crowd.success {
                        self.queue.push(self.now + delay.draw(dice), (teller, other));
                    }
                }
            }
            let Some((at, (from, to))) = self.queue.pop_by(Duration::MAX) else { return known };
            self.now = at;
            if self.overlay.is_news(Place(to.0 as usize), number) {
                known += 1;
                tells = Some((to, Some(from)));
            }
        }
    }
}
