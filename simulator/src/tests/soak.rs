//! Chaos from a seed, as `testnet soak` runs it on many.

use super::*;
use crate::soak::{Options, Outcome, run_seed};

fn run(seed: u64, options: &Options) -> Outcome {
    let outcome = run_seed::<Tendermint>(seed, options, |genesis| {
        Module::new(genesis).expect("the settings are good")
    });
    println!("{outcome}");
    outcome
}

fn all_hold(replicas: u32, seeds: std::ops::Range<u64>) {
    let options = Options::new(Tendermint::NAME, replicas);
    let failed: Vec<_> = seeds.map(|seed| run(seed, &options)).filter(|one| !one.holds()).collect();
    assert!(failed.is_empty(), "{} seeds fail: {}", failed.len(), failed[0]);
}

#[test]
fn four_come_through_chaos() {
    all_hold(4, 0..20);
}

#[test]
fn seven_come_through_chaos() {
    all_hold(7, 0..6);
}

#[test]
fn chaos_is_repeatable() {
    let options = Options::new(Tendermint::NAME, 4);
    for seed in 100..102 {
        assert_eq!(run(seed, &options), run(seed, &options));
    }
    assert_ne!(run(100, &options).trace_hash, run(101, &options).trace_hash);
}

/// Whoever has many seeds may run them on many threads.
#[test]
fn seeds_may_be_run_on_many_threads() {
    fn shared<T: Sync>(_: &T) {}
    fn handed_over<T: Send>(_: &T) {}
    let options = Options { chaos: seconds(5), calm: seconds(5), ..Options::new("tendermint", 4) };
    shared(&options);
    handed_over(&run(1, &options));
}

/// In a gossip mesh too.
#[test]
fn a_gossip_mesh_comes_through_chaos() {
    let mut options = Options::new(Tendermint::NAME, 7);
    options.setup.topology = crate::Topology::Gossip { degree: 4 };
    for seed in 0..4 {
        let outcome = run(seed, &options);
        assert!(outcome.holds(), "{outcome}");
        assert!(outcome.counts.relays > 0, "{}", outcome.counts);
    }
}

/// A failing seed tells what was expected, how far everybody came, and all that went wrong.
#[test]
fn a_failing_seed_tells_its_story() {
    let options = Options {
        gain: 1_000_000,
        chaos: seconds(10),
        calm: seconds(5),
        ..Options::new(Tendermint::NAME, 4)
    };
    let outcome = run(7, &options);
    assert!(!outcome.holds());
    let story = outcome.to_string();
    assert!(story.starts_with("seed 7: heights ["), "{story}");
    assert!(story.contains("1000000"), "{story}");
    for step in outcome.schedule.steps() {
        assert!(story.contains(&step.to_string()), "{step} is missing in {story}");
    }
}

fn churns(replicas: u32, seeds: std::ops::Range<u64>) {
    let options = Options::churning(Tendermint::NAME, replicas);
    let (mut failed, mut changes) = (Vec::new(), 0);
    for seed in seeds {
        let outcome = run(seed, &options);
        changes += outcome.schedule.steps().iter().filter(|step| step.fault.moves_stake()).count();
        failed.extend((!outcome.holds()).then_some(outcome));
    }
    println!("{changes} wishes to come or to go");
    assert!(changes > 0);
    assert!(failed.is_empty(), "{} seeds fail: {}", failed.len(), failed[0]);
}

/// Members come and go in chaos, one of all lies, with every lie there is.
#[test]
fn liars_and_others_come_and_go() {
    churns(5, 0..10);
    churns(7, 0..20);
}

/// Seed 802: replica 5 lost its seat while it was down, and the chain never paused. Nobody whose dice pick members
/// only would ever have told it.
#[test]
fn whoever_lost_its_seat_while_it_was_down_is_told() {
    churns(7, 802..803);
}

/// Weights fade, partitions last as long as they like, and some never come back.
#[test]
fn a_chain_whose_absent_fade_comes_through_outages() {
    let (mut recovered, mut left_behind) = (0, 0);
    // Seed 24 of five: those who are left are in three rounds.
    for (replicas, seeds) in [(5, 20..26), (8, 0..4)] {
        let options = Options::leaking(Tendermint::NAME, replicas);
        for seed in seeds {
            let outcome = run(seed, &options);
            assert!(outcome.holds(), "{outcome}");
            recovered += usize::from(outcome.recovered > 0);
            let slowest = outcome.heights.iter().copied().min();
            assert!(outcome.lowest >= Some(options.gain), "{outcome}");
            left_behind += usize::from(slowest < outcome.lowest);
        }
    }
    assert!(recovered > 2, "only in {recovered} worlds a leak ended a halt");
    assert!(left_behind > 2, "whoever stays away does not count as the slowest: {left_behind}");
}
