//! Chaos from a seed, as `testnet soak --consensus pbft` runs it on many.

use super::*;
use crate::soak::{Options, Outcome, run_seed};

fn run(seed: u64, options: &Options) -> Outcome {
    let outcome = run_seed::<Pbft>(seed, options, |genesis| {
        Module::new(genesis).expect("the settings are good")
    });
    println!("{outcome}");
    outcome
}

fn all_hold(options: &Options, seeds: std::ops::Range<u64>) {
    let failed: Vec<_> = seeds.map(|seed| run(seed, options)).filter(|one| !one.holds()).collect();
    assert!(failed.is_empty(), "{} seeds fail: {}", failed.len(), failed[0]);
}

#[test]
fn four_come_through_chaos() {
    all_hold(&Options::new(Pbft::NAME, 4), 0..20);
}

/// Where n is not 3f+1 a quorum is more than 2f+1.
#[test]
fn six_come_through_chaos() {
    all_hold(&Options::new(Pbft::NAME, 6), 0..6);
}

#[test]
fn seven_come_through_chaos() {
    all_hold(&Options::new(Pbft::NAME, 7), 0..6);
}

/// With rare checkpoints much more outlives each crash and each view.
#[test]
fn four_with_rare_checkpoints_come_through_chaos() {
    let mut options = Options::new(Pbft::NAME, 4);
    options.setup.settings.insert("pbft.checkpoint".into(), 8);
    all_hold(&options, 0..10);
}

#[test]
fn chaos_is_repeatable() {
    let options = Options::new(Pbft::NAME, 4);
    for seed in 100..102 {
        assert_eq!(run(seed, &options), run(seed, &options));
    }
    assert_ne!(run(100, &options).trace_hash, run(101, &options).trace_hash);
}
