//! Looks for a schedule that makes honest replicas break a promise.
//!
//! A *trial* is a scenario made up from its number alone, so that whoever knows the number has the trial.
//! Four strategies take turns ([`trial`]): one of them finds what another would take years for.
//!
//! - *rounds* goes by the protocol's own rounds: in each it withholds some messages from some
//!   replicas, and makes a liar say something to some of them (`rounds.rs`).
//! - *twins* counts through the splits of the replicas, round by round, while a liar is two (Bano et al.,
//!   "Twins: BFT Systems Made Robust", OPODIS 2021; `twins.rs`).
//! - *priorities* makes some replicas much slower than others, and changes its mind a few times
//!   (Burckhardt, Kothari, Musuvathi, Nagarakatte, "A Randomized Scheduler with Probabilistic Guarantees
//!   of Finding Bugs", ASPLOS 2010; `walks.rs`).
//! - *walk* lets faults come and go by the clock, and liars tell any lie there is (`walks.rs`).
//!
//! [`attempt`] carries a trial out. Whatever a mutant does, a schedule only counts as found if the sound
//! module survives it.

mod attempt;
mod dice;
mod rounds;
mod shrink;
#[cfg(test)]
mod tests;
mod twins;
mod walks;

pub use attempt::{Finding, attempt, attempt_strictly};
pub use shrink::{IsBroken, shrink};

use crate::{
    Adversary, Scenario, Setup, Topology, Variant,
    latency::Latency,
    network::Conditions,
    scenario::{Agreement, Expect},
    schedule::Schedule,
};
use consensus::{
    byzantine::{mutants::Breaks, script::Stage},
    catalogue::{Module, Visitor, dispatch},
};
use dice::Dice;
use std::{collections::BTreeMap, time::Duration};

/// Until when the adversary has its way in a trial.
const CALM: Duration = Duration::from_secs(4);

/// How long everybody has to get on then, in virtual time.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// What a chain sets where a mutant is one of a leak (all those whose name begins with K): a floor that bears
/// one of four, and weights that fade from the first round that is not decided.
const LEAK: [(&str, u64); 6] = [
    ("ledger.leak", 2),
    ("ledger.leak_quotient", 16),
    ("ledger.leak_tolerates_permille", 250),
    ("ledger.leak_grace_rounds", 1),
    ("tendermint.leak_epoch_ms", 900),
    ("tendermint.leak_growth_ms", 10),
];

/// So many trials, and each strategy had its turn: rounds all but three times.
const ROUND: u64 = 20;

/// One schedule to try.
#[derive(Clone, PartialEq, Debug)]
pub struct Trial {
    /// What it follows from.
    pub number: u64,
    /// How it was made up.
    pub strategy: &'static str,
    /// What is tried: one variant, one seed.
    pub scenario: Scenario,
}

/// What there is to begin with where nobody has an idea: four replicas of a variant on a fast network,
/// with short timeouts.
pub fn general(variant: &Variant) -> Scenario {
    let stage = stage(variant);
    let milli = Duration::from_millis;
    let of_leak = variant.mutant.is_some_and(|about| about.id.starts_with('K'));
    let leak = if of_leak { &LEAK[..] } else { &[] };
    let settings = stage.settings.iter().chain(leak);
    let settings = settings.map(|(key, value)| ((*key).to_owned(), *value));
    let by_depth = stage.parts.is_empty();
    Scenario {
        name: format!("{variant}, explored"),
        consensus: vec![variant.to_string()],
        seeds: 0..1,
        until: CALM + PATIENCE,
        replicas: 4,
        candidates: 0,
        stakes: Vec::new(),
        block_time: if by_depth { milli(1_000) } else { milli(10) },
        settings: settings.collect(),
        topology: Default::default(),
        network: Conditions {
            latency: Latency::from(milli(1)..milli(10)),
            ..Conditions::default()
        },
        clocks: BTreeMap::new(),
        disks: BTreeMap::new(),
        hash_rates: BTreeMap::new(),
        transfers_per_second: if by_depth { 1.0 } else { 0.0 },
        byzantine: BTreeMap::new(),
        faces: None,
        catch_up: (!by_depth).then_some(CALM),
        adversary: Default::default(),
        chaos: None,
        steps: Schedule::default(),
        expect: expected(variant),
        expect_of: BTreeMap::new(),
    }
}

/// What comes of a variant where a violation was found.
pub fn expected(variant: &Variant) -> Expect {
    let agreement = match variant.mutant {
        Some(about) if about.breaks == Breaks::Agreement => Agreement::Broken,
        _ => Agreement::Always,
    };
    Expect { agreement, ..Expect::default() }
}

/// The fewest replicas with which anything can be explored.
pub const LEAST: u32 = 4;

/// The most: beyond that a schedule says too much to be read.
pub const MOST: u32 = 32;

/// The trial with this number: number zero is `base` as it is. The others keep its replicas and stakes, and
/// make up anew who lies, what an adversary chooses, and what goes wrong by the clock; where blocks take
/// work the network and the rules of the chain, too.
///
/// # Panics
/// If `base` names no variant there is, or has not from [`LEAST`] to [`MOST`] replicas.
pub fn trial(base: &Scenario, number: u64) -> Trial {
    let variant: Variant = base.consensus[0].parse().unwrap_or_else(|error| panic!("{error}"));
    let mut scenario = base.clone();
    scenario.seeds = number..number + 1;
    scenario.consensus.truncate(1);
    if number == 0 {
        scenario.seeds = base.seeds.start..base.seeds.start + 1;
        return Trial { number, strategy: "as it is", scenario };
    }
    let mut dice = Dice::new(number);
    let parts = stage(&variant).parts;
    let is_general = *base == general(&variant);
    // What the base chose goes: choices are made anew, and have to have a say.
    scenario.adversary = Adversary::default();
    if !parts.is_empty() {
        let calm = *scenario.catch_up.get_or_insert(CALM);
        scenario.until = scenario.until.max(calm + PATIENCE);
        scenario.topology = Topology::Mesh;
    }
    let strategy = match number % ROUND {
        _ if parts.is_empty() => "walk",
        1 => "twins",
        2 => "priorities",
        3 => "walk",
        _ => "rounds",
    };
    match strategy {
        "rounds" => rounds::vary(&mut scenario, parts, is_general, &mut dice),
        "twins" => twins::vary(&mut scenario, parts, number / ROUND, &mut dice),
        "priorities" => walks::priorities(&mut scenario, &variant, &mut dice),
        _ => walks::walk(&mut scenario, &variant, &mut dice),
    }
    Trial { number, strategy, scenario }
}

/// What can be done on a variant's stage.
pub(crate) fn stage(variant: &Variant) -> Stage {
    struct Ask;

    impl Visitor for Ask {
        type Output = Stage;

        fn visit<P: Module>(self) -> Stage {
            P::stage()
        }
    }

    dispatch(variant.module, Ask).expect("the catalogue names it")
}

/// How many of so many replicas may be Byzantine.
fn faulty(replicas: u32) -> u32 {
    replicas.saturating_sub(1) / 3
}

/// The world of a trial.
fn setup(scenario: &Scenario, variant: Variant) -> Setup {
    scenario.setup(&variant.to_string(), scenario.seeds.start, crate::Tracing::Off)
}
