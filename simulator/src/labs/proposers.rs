//! Whose turn it is to propose, where stakes decide it.

use super::{
    BadValue, Experiment, Finding, Lab, Moments, Numbers, Parameter, Range, Sample, Value, Values,
    voting::{CONSENSUS, delay, seed_of},
};
use crate::{record::Tracing, setup::Setup, world::World};
use consensus::{
    catalogue::{self, Module, Visitor},
    theory::Turns,
};
use ledger::ReplicaId;
use std::time::Duration;

#[cfg(test)]
mod tests;

/// The lab.
pub(super) const LAB: Lab = Lab {
    name: "proposers",
    about: "whose turn it is to propose, and how far that is from each one's share of the stake",
    papers: &[
        "CometBFT specification, \"Proposer selection procedure\": weighted round-robin (its \"P/VP(v) times\" has the fraction upside down)",
        "Tijdeman, \"The chairman assignment problem\", Discrete Mathematics 32, 1980: turns that are never more than one off exist; this rule's mostly are such",
    ],
    parameters: &[
        CONSENSUS,
        Parameter {
            name: "stakes",
            about: "what each replica weighs: a has the first of them, b the second",
            range: Range::List(1, 1_000),
            usual: Value::List(Numbers::of(&[1, 2, 3]).expect("not too many")),
        },
        Parameter {
            name: "steps",
            about: "how many turns are looked at",
            range: Range::Whole(5, 240),
            usual: Value::Whole(12),
        },
    ],
    over: "steps",
    trials: "worlds, each with delays of its own",
    usual: 4,
    prepare,
};

/// How long an idle chain pauses.
const PAUSE: Duration = Duration::from_millis(100);

/// How long a world may take for each decision.
const PATIENCE: Duration = Duration::from_secs(60);

/// The turn of height 1, counted from one: the genesis has the first, and nobody proposes it.
const FIRST: usize = 2;

/// How many turns of the sequence are told.
const TOLD: usize = 60;

/// How many turns each has had.
const TURNS: [&str; Numbers::MOST] = [
    "turns_a", "turns_b", "turns_c", "turns_d", "turns_e", "turns_f", "turns_g", "turns_h",
    "turns_i", "turns_j", "turns_k", "turns_l",
];

#[derive(Debug)]
struct Proposers {
    module: &'static str,
    stakes: Vec<u64>,
    steps: usize,
    turns: Turns,
}

fn prepare(values: &Values) -> Result<Box<dyn Experiment>, BadValue> {
    let module = values.word("consensus");
    let theory = catalogue::theory(module).expect("the range names modules");
    let Some(turns) = theory.and_then(|theory| theory.turns) else {
        let reason = "nobody's turn there comes by stake; choose a module that rotates".to_owned();
        return Err(BadValue { name: "consensus", value: module.to_owned(), reason });
    };
    let steps = values.whole("steps") as usize;
    Ok(Box::new(Proposers { module, stakes: values.list("stakes").to_vec(), steps, turns }))
}

impl Proposers {
    /// Whose turns they are, by seat.
    fn by_theory(&self) -> Vec<usize> {
        (self.turns)(&self.stakes, self.steps)
    }

    fn total(&self) -> u64 {
        self.stakes.iter().sum()
    }

    /// After how many turns each has had exactly its share for the first time: the least in which
    /// each share is a whole number of turns.
    fn period(&self) -> u64 {
        self.total() / self.stakes.iter().copied().fold(0, gcd)
    }

    /// How far each is from its share after `turns`: by how many turns the one that is off the most.
    fn off(&self, turns: &[usize]) -> f64 {
        let total = i128::from(self.total());
        let off = self.stakes.iter().enumerate().map(|(seat, stake)| {
            let had = turns.iter().filter(|turn| **turn == seat).count() as i128;
            (had * total - turns.len() as i128 * i128::from(*stake)).abs()
        });
        // One division, so that what is equal stays equal.
        off.max().unwrap_or(0) as f64 / total as f64
    }

    /// The greatest [`Proposers::off`] so far.
    fn most_off(&self, turns: &[usize]) -> f64 {
        (1..=turns.len()).map(|count| self.off(&turns[..count])).fold(0.0, f64::max)
    }

    fn setup(&self, seed: u64, job: u64) -> Setup {
        let replicas = u32::try_from(self.stakes.len()).expect("a list is short");
        let mut setup = Setup::new(self.module, replicas, seed_of(seed, job));
        setup.stakes = self.stakes.clone();
        setup.network.latency = delay(seed, job).into();
        setup.sync_delay = Duration::ZERO.into();
        // A replica alone would decide for ever in no time.
        setup.block_time = PAUSE;
        setup.tracing = Tracing::Off;
        setup
    }
}

/// Runs a world until so many heights are decided; who proposed them.
struct Watch(Setup, usize);

impl Visitor for Watch {
    type Output = Vec<usize>;

    fn visit<P: Module>(self) -> Vec<usize> {
        let Watch(setup, heights) = self;
        let make = |genesis: &_| P::new(genesis).expect("a new chain's settings are good");
        let mut world = World::<P>::new(setup, make);
        let watched = ReplicaId(0);
        let enough = |world: &World<P>| world.height(watched) >= heights as u64;
        let limit = PATIENCE * u32::try_from(heights + 1).expect("they are few");
        assert!(world.run_until(enough, limit), "nothing is decided: {world:?}");
        let decided = world.decided(watched).values().take(heights);
        let block = |name: &_| world.record().block(*name).expect("it was published");
        decided.map(|name| block(name).header.proposer.0 as usize).collect()
    }
}

impl Experiment for Proposers {
    fn jobs(&self, trials: u64) -> u64 {
        trials
    }

    fn run(&self, seed: u64, _trials: u64, job: u64) -> Sample {
        let expected = self.by_theory();
        let heights = self.steps + 1 - FIRST;
        let watch = Watch(self.setup(seed, job), heights);
        let found = catalogue::dispatch(self.module, watch).expect("it is a module");
        let differ = found.iter().zip(&expected[FIRST - 1..]).filter(|(one, other)| one != other);
        let mut sample = Sample::new();
        let mut take = |name, value| sample.entry(name).or_default().take(value);
        take("differ", differ.count() as f64);
        // The genesis' turn is everybody's to calculate, and nobody's to see.
        let mut turns = expected[..FIRST - 1].to_vec();
        turns.extend(found);
        for (seat, name) in TURNS.iter().enumerate().take(self.stakes.len()) {
            take(name, turns.iter().filter(|turn| **turn == seat).count() as f64);
        }
        take("off", self.off(&turns));
        take("most_off", self.most_off(&turns));
        let exact = (1..=turns.len()).find(|count| self.off(&turns[..*count]) == 0.0);
        if let Some(exact) = exact {
            take("period", exact as f64);
        }
        sample
    }

    fn findings(&self, samples: &[Sample]) -> Vec<Finding> {
        let of = |name| Moments::of(samples, name);
        let expected = self.by_theory();
        let mut findings = vec![
            Finding::exact("differ", "turns that somebody else took", 0.0, of("differ")),
            Finding::exact(
                "period",
                "turns after which each has had exactly its share: all stake, by what all stakes have in common",
                self.period() as f64,
                of("period"),
            ),
            Finding::exact(
                "off",
                "how many turns the one that is off the most is off, at the end",
                self.off(&expected),
                of("off"),
            ),
            Finding::exact(
                "off_most",
                "and at any step until then",
                self.most_off(&expected),
                of("most_off"),
            ),
            Finding::exact(
                "bound",
                "1 if nobody is ever more than one turn off; no theorem: 5,5,5,5,16,3,36,36,2,39",
                within_one(self.most_off(&expected)),
                Moments::once(of("most_off").mean().map(within_one)),
            ),
        ];
        for (seat, name) in TURNS.into_iter().enumerate().take(self.stakes.len()) {
            let turns = expected.iter().filter(|turn| **turn == seat).count();
            let about = "turns that it had: the blocks that it proposed, and the genesis' turn";
            findings.push(Finding::exact(name, about, turns as f64, of(name)));
        }
        findings
    }

    fn words(&self) -> Vec<(&'static str, String)> {
        let turns = self.by_theory();
        let letters = turns.iter().take(TOLD).map(|seat| char::from(b'a' + *seat as u8));
        let told: Vec<_> = letters.map(String::from).collect();
        let more = if turns.len() > TOLD { " ..." } else { "" };
        vec![("turns", told.join(" ") + more)]
    }
}

fn within_one(most_off: f64) -> f64 {
    if most_off <= 1.0 { 1.0 } else { 0.0 }
}

fn gcd(a: u64, b: u64) -> u64 {
    if b == 0 { a } else { gcd(b, a % b) }
}
