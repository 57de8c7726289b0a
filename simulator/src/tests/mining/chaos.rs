//! Chaos from a seed, as `testnet soak --consensus pow` runs it on many.

use super::*;
use crate::{
    Topology,
    soak::{Options, Outcome, run_seed},
};

fn run(seed: u64, options: &Options) -> Outcome {
    let outcome = run_seed::<Nakamoto>(seed, options, |genesis| {
        Module::new(genesis).expect("the settings are good")
    });
    println!("{outcome}");
    outcome
}

fn all_hold(options: &Options, seeds: std::ops::Range<u64>) -> Vec<Outcome> {
    let outcomes: Vec<_> = seeds.map(|seed| run(seed, options)).collect();
    let failed: Vec<_> = outcomes.iter().filter(|one| !one.holds()).collect();
    assert!(failed.is_empty(), "{} seeds fail: {}", failed.len(), failed[0]);
    outcomes
}

/// A debug build runs fewer seeds.
const SCALE: u64 = if cfg!(debug_assertions) { 1 } else { 5 };

#[test]
fn four_miners_come_through_chaos() {
    let outcomes = all_hold(&Options::new(Nakamoto::NAME, 4), 0..4 * SCALE);
    let sum = |figure: fn(&crate::mining::Summary) -> u64| -> u64 {
        outcomes.iter().filter_map(|one| one.mining.as_ref()).map(figure).sum()
    };
    // Otherwise there was no chaos, or nothing was at stake.
    assert!(sum(|mining| mining.reverted) > 0);
    assert!(sum(|mining| mining.found - mining.main) > 20);
    assert!(outcomes.iter().all(|one| one.heights.iter().all(|height| *height > 20)));
}

#[test]
fn seven_miners_come_through_chaos() {
    all_hold(&Options::new(Nakamoto::NAME, 7), 0..2 * SCALE);
}

#[test]
fn miners_in_a_gossip_mesh_come_through_chaos() {
    let mut options = Options::new(Nakamoto::NAME, 7);
    options.setup.topology = Topology::Gossip { degree: 4 };
    all_hold(&options, 0..SCALE);
}

#[test]
fn chaos_among_miners_is_repeatable() {
    let options = Options::new(Nakamoto::NAME, 4);
    assert_eq!(run(100, &options), run(100, &options));
    assert_ne!(run(100, &options).trace_hash, run(101, &options).trace_hash);
}

/// Who does not get on is told of by the height of its head, since little is final so soon.
#[test]
fn progress_is_that_of_the_adopted_head() {
    let mut world = miners(pow(4, 1));
    world.run_for(seconds(40));
    assert!(ALL.iter().all(|id| world.height(*id) == 0), "nothing is a hundred blocks deep");
    let promise = |heights| {
        let progress =
            Progress { since: seconds(10), within: seconds(30), goal: Goal::Gain(heights) };
        checker::judge(&world, Promises { progress: vec![progress], ..Promises::default() })
    };
    assert!(promise(10).holds(), "{}", promise(10));
    assert!(!promise(100).holds());
}
