//! Twins: two replicas with one key.

use super::*;
use crate::Violation;

fn equivocators(replicas: u32, count: u32, seed: u64) -> World<Tendermint> {
    let mut world = world(liars(Tendermint::NAME, replicas, count, "equivocate", seed));
    live(&mut world, seconds(30));
    world
}

#[test]
fn as_many_twins_as_may_be_split_nobody() {
    for (replicas, seeds) in [(4, 0..6), (7, 0..3)] {
        for seed in seeds {
            let world = equivocators(replicas, bound(replicas), seed);
            let verdict = judge(&world, seconds(10), 3);
            assert!(verdict.holds(), "{replicas} replicas, seed {seed}: {verdict}\n{world:?}");
            let twins = &world.setup().byzantine;
            let equivocations = world.record().equivocations();
            assert!(equivocations.iter().any(|each| each.first.kind == "proposal"), "seed {seed}");
            assert!(equivocations.iter().all(|each| twins.contains_key(&each.signer)));
        }
    }
}

/// Two of four, three of seven: one more than may be, and nobody is partitioned.
#[test]
fn one_pair_of_twins_more_splits_everybody() {
    for replicas in [4, 7] {
        let splits = |seed: &u64| {
            let world = equivocators(replicas, bound(replicas) + 1, *seed);
            let verdict = checker::judge(&world, Promises::default());
            let split = |each: &Violation| matches!(each, Violation::Disagreement { .. });
            verdict.violations.iter().any(split)
        };
        let seeds: Vec<_> = (0..5).filter(splits).collect();
        println!("of {replicas}: seeds {seeds:?} of 0..5 split");
        assert!(!seeds.is_empty());
    }
}
