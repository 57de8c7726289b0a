//! How many make a quorum: looked for in every split of the honest, with liars who show both parts
//! what they want to see.
//!
//! Each liar is Twins: two honest machines with one key, one for each part of the others. No lie
//! about values can do more: what a part of the honest hears from a twin is all that it could need to
//! decide. Between the parts everything is late.

use super::{
    BadValue, Experiment, Finding, Lab, Moments, Parameter, Range, Sample, Value, Values,
    placements::{drawn, way, ways},
    voting::{ids, seed_of},
};
use crate::{
    network::{Exception, MILLION},
    setup::Setup,
    world::{Transfer, World},
};
use consensus::{
    Flaw,
    catalogue::{self, Module, NAMES, Visitor},
};
use ledger::{BlockHash, ReplicaId};
use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

#[cfg(test)]
mod tests;

/// The lab.
pub(super) const LAB: Lab = Lab {
    name: "quorums",
    about: "how many liars it takes to split those who decide by a quorum of q among n",
    papers: &[
        "Malkhi, Reiter, \"Byzantine quorum systems\", Distributed Computing 11, 1998: two quorums share more than f, and one is left when f are silent",
        "Lamport, Shostak, Pease, \"The Byzantine generals problem\", TOPLAS 4(3), 1982: n > 3f",
        "Bano and others, \"Twins: BFT systems made robust\", OPODIS 2021: liars as two machines with one key",
    ],
    parameters: &[
        Parameter {
            name: "replicas",
            about: "how many there are, each the same: n",
            range: Range::Whole(2, 16),
            usual: Value::Whole(7),
        },
        Parameter {
            name: "quorum",
            about: "how many of them decide: q, at most n",
            range: Range::Whole(1, 16),
            usual: Value::Whole(5),
        },
    ],
    over: "quorum",
    trials: "placements for each number of liars and size of the parts (all there are, if no more)",
    usual: 20,
    prepare,
};

/// How long a message takes within a part.
const DELAY: Duration = Duration::from_millis(10);

/// How long an idle chain pauses: so that a part which decides does not decide all day.
const PAUSE: Duration = Duration::from_secs(5);

/// How long the parts are apart. Rounds are short here, so each part whose proposers are on the other
/// side has come to one of its own long before.
const APART: Duration = Duration::from_secs(30);

/// How long those who are left have to decide where some are silent.
const PATIENCE: Duration = Duration::from_secs(60);

#[derive(Debug)]
struct Quorums {
    module: &'static str,
    replicas: u32,
    quorum: u32,
}

/// So many liars, and so many honest in the smaller part.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Split {
    liars: u32,
    right: u32,
}

fn prepare(values: &Values) -> Result<Box<dyn Experiment>, BadValue> {
    let (replicas, quorum) = (values.whole("replicas"), values.whole("quorum"));
    if quorum > replicas {
        let reason = format!("of {replicas} replicas at most {replicas} can agree");
        return Err(BadValue { name: "quorum", value: quorum.to_string(), reason });
    }
    let heeds = NAMES.iter().copied().find(|name| heeds_quorum(name));
    let module = heeds.expect("there is a module that counts so");
    Ok(Box::new(Quorums { module, replicas: replicas as u32, quorum: quorum as u32 }))
}

fn heeds_quorum(module: &str) -> bool {
    struct Ask;

    impl Visitor for Ask {
        type Output = bool;

        fn visit<P: Module>(self) -> bool {
            P::heeds_quorum()
        }
    }

    catalogue::dispatch(module, Ask).expect("it is a module")
}

impl Quorums {
    /// Every number of liars that leaves somebody honest on both sides, and every size of the parts.
    fn splits(&self) -> Vec<Split> {
        let most = self.replicas - 2;
        let of = |liars| (1..=(self.replicas - liars) / 2).map(move |right| Split { liars, right });
        (0..=most).flat_map(of).collect()
    }

    /// f: how many may lie, or be silent.
    fn bearable(&self) -> u32 {
        (self.replicas - 1) / 3
    }

    /// Who lies and who is in the smaller part, in one placement of a split.
    fn place(
        &self,
        split: Split,
        seed: u64,
        trials: u64,
        number: u64,
    ) -> (BTreeSet<ReplicaId>, BTreeSet<ReplicaId>) {
        let Split { liars, right } = split;
        let honest = self.replicas - liars;
        if self.placements(split) > trials {
            let chosen = drawn(self.replicas, liars + right, seed, number);
            let (liars, right) = chosen.split_at(liars as usize);
            return (liars.iter().copied().collect(), right.iter().copied().collect());
        }
        let all: Vec<_> = ids(self.replicas).collect();
        let liars = way(&all, liars, number / ways(honest, right));
        let honest_ids: Vec<_> = all.into_iter().filter(|id| !liars.contains(id)).collect();
        let right = way(&honest_ids, right, number % ways(honest, right));
        (liars, right)
    }

    fn placements(&self, split: Split) -> u64 {
        let honest = self.replicas - split.liars;
        ways(self.replicas, split.liars).saturating_mul(ways(honest, split.right))
    }

    fn setup(&self, seed: u64) -> Setup {
        let mut setup = Setup::new(self.module, self.replicas, seed);
        setup.network.latency = DELAY.into();
        setup.sync_delay = Duration::ZERO.into();
        setup.block_time = PAUSE;
        setup.tracing = crate::Tracing::Off;
        setup
    }

    /// Whether two of the honest decide differently.
    fn splits_them(
        &self,
        liars: &BTreeSet<ReplicaId>,
        right: &BTreeSet<ReplicaId>,
        seed: u64,
    ) -> bool {
        let mut setup = self.setup(seed);
        setup.byzantine = liars.iter().map(|id| (*id, "equivocate".to_owned())).collect();
        setup.faces = Some(right.clone());
        let left: Vec<_> =
            ids(self.replicas).filter(|id| !liars.contains(id) && !right.contains(id)).collect();
        for (one, other) in left.iter().flat_map(|one| right.iter().map(|other| (*one, *other))) {
            let cut = |from, to| Exception { from, to, latency: None, loss: Some(MILLION) };
            setup.network.links.extend([cut(one, other), cut(other, one)]);
        }
        let honest: Vec<_> = left.iter().chain(right).copied().collect();
        // Each part has something of its own to decide on.
        let asked = [left[0], *right.first().expect("somebody honest is there")];
        let job = Job { lab: self, setup, honest, asked: asked.into(), until: Until::Split };
        catalogue::dispatch(self.module, job).expect("it is a module")
    }

    /// Whether everybody else decides when so many are silent.
    fn goes_on(&self, silent: BTreeSet<ReplicaId>, seed: u64) -> bool {
        let mut setup = self.setup(seed);
        let honest: Vec<_> = ids(self.replicas).filter(|id| !silent.contains(id)).collect();
        setup.network.silent = silent;
        let asked = vec![honest[0]];
        let job = Job { lab: self, setup, honest, asked, until: Until::Decision };
        catalogue::dispatch(self.module, job).expect("it is a module")
    }
}

/// One run.
struct Job<'a> {
    lab: &'a Quorums,
    setup: Setup,
    honest: Vec<ReplicaId>,
    asked: Vec<ReplicaId>,
    until: Until,
}

/// What is waited for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Until {
    /// Two honest replicas decide differently.
    Split,
    /// All honest replicas decide.
    Decision,
}

impl Visitor for Job<'_> {
    type Output = bool;

    fn visit<P: Module>(self) -> bool {
        let Job { lab, mut setup, honest, asked, until } = self;
        // The short rounds in which the module is explored.
        for (key, value) in P::stage().settings {
            setup.settings.insert((*key).to_owned(), *value);
        }
        let flaw = Flaw::with_quorum(lab.quorum);
        let make = move |genesis: &_| P::new(genesis).expect("the settings are good").weaken(flaw);
        let mut world = World::<P>::new(setup, make);
        for (account, id) in (0..).zip(asked) {
            world.submit(id, Transfer { from: account, to: 2, amount: 1, fee: 1 });
        }
        match until {
            Until::Split => world.run_until(|world| disagree(world, &honest), APART),
            Until::Decision => {
                let decided = |world: &World<P>| honest.iter().all(|id| world.height(*id) > 0);
                world.run_until(decided, PATIENCE)
            }
        }
    }
}

fn disagree<P: Module>(world: &World<P>, honest: &[ReplicaId]) -> bool {
    let mut chain: BTreeMap<u64, BlockHash> = BTreeMap::new();
    let decided = honest.iter().flat_map(|id| world.decided(*id));
    decided.into_iter().any(|(height, block)| *chain.entry(*height).or_insert(*block) != *block)
}

impl Experiment for Quorums {
    fn jobs(&self, _trials: u64) -> u64 {
        // One more: with some who are silent.
        self.splits().len() as u64 + 1
    }

    fn run(&self, seed: u64, trials: u64, job: u64) -> Sample {
        let seed = seed_of(seed, job);
        let mut found = Moments::default();
        let splits = self.splits();
        let Some(split) = usize::try_from(job).ok().and_then(|job| splits.get(job)) else {
            let silent = self.bearable();
            for number in 0..ways(self.replicas, silent).min(trials) {
                let silent = drawn(self.replicas, silent, seed, number).into_iter().collect();
                found.take(if self.goes_on(silent, seed) { 1.0 } else { 0.0 });
            }
            return Sample::from([("live", found)]);
        };
        for number in 0..self.placements(*split).min(trials) {
            let (liars, right) = self.place(*split, seed, trials, number);
            found.take(if self.splits_them(&liars, &right, seed) { 1.0 } else { 0.0 });
        }
        Sample::from([("split", found)])
    }

    fn findings(&self, samples: &[Sample]) -> Vec<Finding> {
        let [n, q, f] = [self.replicas, self.quorum, self.bearable()];
        let yes = |it: bool| if it { 1.0 } else { 0.0 };
        // Two quorums share 2q-n; that many liars can be in both. With q = n nobody honest is outside
        // of any.
        let overlap = (2 * q).saturating_sub(n);
        let splits = self.splits();
        let was_run = samples.len() > splits.len();
        let split = |sample: &Sample| sample.get("split").is_some_and(|found| found.sum > 0.0);
        let broken = splits.iter().zip(samples).filter(|(_, sample)| split(sample));
        let fewest = broken.map(|(split, _)| split.liars).min().unwrap_or(n);
        let live = Moments::of(samples, "live").mean().map(|share| yes(share == 1.0));
        let measured = |value: f64| Moments::once(was_run.then_some(value));
        let runs = Moments::of(samples, "split").count;
        vec![
            Finding::exact(
                "liars",
                "the fewest liars that split the honest; n if no number does",
                f64::from(overlap),
                measured(f64::from(fewest)),
            ),
            Finding::exact(
                "safe",
                "1 if f = (n-1)/3 liars, rounded down, split nobody",
                yes(overlap > f),
                measured(yes(fewest > f)),
            ),
            Finding::exact(
                "live",
                "1 if the others decide with f silent",
                yes(q <= n - f),
                Moments::once(live),
            ),
            Finding {
                name: "runs",
                about: "splits that were tried",
                theory: None,
                measured: was_run.then_some(runs as f64),
                tolerance: 0.0,
            },
        ]
    }
}
