//! Lies told about PBFT. The first replicas lie, because they are primaries first.

use super::*;
use crate::Violation;
use consensus::{catalogue::Module, pbft::Pbft};

fn lying(replicas: u32, count: u32, lie: &str, seed: u64) -> World<Pbft> {
    let mut setup = liars(Pbft::NAME, replicas, 0, lie, seed);
    setup.byzantine = (0..count).map(|id| (ReplicaId(id), lie.to_owned())).collect();
    World::new(setup, |genesis| Module::new(genesis).expect("the settings are good"))
}

/// Forty seconds with as many liars as may be: the honest agree, and get on in the end.
fn survive(lie: &str) -> Vec<World<Pbft>> {
    let runs = [4, 7].into_iter().flat_map(|replicas| (0..4).map(move |seed| (replicas, seed)));
    let run = |(replicas, seed)| {
        let mut world = lying(replicas, bound(replicas), lie, seed);
        live(&mut world, seconds(40));
        let verdict = judge(&world, seconds(20), 3);
        assert!(verdict.holds(), "{lie}, {replicas} replicas, seed {seed}: {verdict}\n{world:?}");
        world
    };
    runs.map(run).collect()
}

/// In how many of some runs of seven, where the second liar comes to begin a view, it was told.
fn told_by_seven(worlds: &[World<Pbft>], beginning: &str) -> usize {
    let of_seven = worlds.iter().filter(|world| world.setup().replicas == 7);
    of_seven.filter(|world| times(world, beginning) > 0).count()
}

fn splits(lie: &str, replicas: u32, seeds: std::ops::Range<u64>) -> usize {
    let splits = |seed: &u64| {
        let mut world = lying(replicas, bound(replicas) + 1, lie, *seed);
        live(&mut world, seconds(20));
        let verdict = checker::judge(&world, Promises::default());
        let split = |each: &Violation| matches!(each, Violation::Disagreement { .. });
        verdict.violations.iter().any(split)
    };
    seeds.filter(splits).count()
}

#[test]
fn every_lie_that_fits_every_protocol_is_survived() {
    for lie in byzantine::list(Pbft::NAME).expect("it is a module") {
        if !lie.knowing {
            survive(lie.name);
        }
    }
}

#[test]
fn double_voters_are_outvoted_and_convicted() {
    for world in survive("double-vote") {
        assert!(times(&world, "says two pre-prepares") > 0);
        let equivocations = world.record().equivocations();
        let liars = &world.setup().byzantine;
        assert!(!equivocations.is_empty());
        assert!(equivocations.iter().all(|each| liars.contains_key(&each.signer)));
    }
}

#[test]
fn one_more_double_voter_than_may_be_splits_everybody() {
    for replicas in [4, 7] {
        let split = splits("double-vote", replicas, 0..5);
        println!("of {replicas}: {split} of 5 seeds split");
        assert!(split > 0);
    }
}

/// Unpartitioned, and whoever is named is convicted by what he signed himself.
#[test]
fn two_of_four_equivocators_split_the_chain_and_both_are_named_with_proof() {
    let mut split = 0;
    for seed in 0..40 {
        let mut world = lying(4, 2, "equivocate", seed);
        live(&mut world, seconds(15));
        let verdict = checker::judge(&world, Promises::default());
        let keys = world.setup().keys(world.genesis());
        for blame in &verdict.blame {
            let named: Vec<_> = blame.guilty.iter().map(|guilt| guilt.replica).collect();
            assert_eq!(named, [ReplicaId(0), ReplicaId(1)], "seed {seed}: {verdict}");
            assert!(blame.guilty.iter().all(|guilt| guilt.evidence.verify(&keys)));
            assert_eq!(blame.unprovable, None);
        }
        split += usize::from(!verdict.blame.is_empty());
    }
    println!("{split} of 40 seeds split");
    assert!(split > 0);
}

#[test]
fn a_batch_that_is_none_costs_its_primary_the_view() {
    for world in survive("invalid-block") {
        assert!(times(&world, "proposes a batch that is none") > 0);
    }
}

#[test]
fn hidden_votes_stop_nobody() {
    for world in survive("withhold") {
        assert!(times(&world, "shows its prepare") + times(&world, "shows its commit") > 3);
    }
}

#[test]
fn who_speaks_of_the_far_future_is_not_followed() {
    for world in survive("far-future") {
        assert!(times(&world, "speaks of view") > 5);
        for id in world.replicas().filter(|id| !world.setup().byzantine.contains_key(id)) {
            assert!(world.height(id) > 10, "{world:?}");
        }
    }
}

#[test]
fn a_slow_primary_slows_everybody_down_for_ever() {
    let honest = {
        let mut world = lying(4, 0, "slow-leader", 0);
        live(&mut world, seconds(40));
        world.height(ReplicaId(3))
    };
    for world in survive("slow-leader") {
        assert!(times(&world, "proposes") > 5);
        let slow = world.height(ReplicaId(6.min(world.setup().replicas - 1)));
        assert!(slow * 3 / 2 < honest, "{slow} heights, {honest} without");
    }
}

#[test]
fn a_new_view_that_forgets_what_was_prepared_does_not_begin() {
    let worlds = survive("forge-empty");
    assert_eq!(told_by_seven(&worlds, "begins view 1"), 4);
    for world in worlds.iter().filter(|world| world.setup().replicas == 7) {
        let dropped = world.record().lines().iter().filter(|line| {
            line.replica == ReplicaId(6)
                && matches!(&line.what, What::Note { label, detail }
                    if label == "dropped" && detail.contains("proposes something else"))
        });
        assert!(dropped.count() > 0, "{world:?}");
    }
}

#[test]
fn what_the_new_primary_forgets_the_others_remember() {
    let worlds = survive("forge-stale");
    assert_eq!(told_by_seven(&worlds, "begins view 1"), 4);
}

#[test]
fn a_forged_certificate_is_not_believed() {
    let worlds = survive("forge-certificate");
    assert_eq!(told_by_seven(&worlds, "forges a certificate"), 4);
}

/// `testnet explore --consensus pbft --seeds 5503` found this: the replica beneath went on to commit what
/// its peers proved, and its protocol's journal did not.
#[test]
fn a_liar_that_takes_no_step_any_more_can_live_again() {
    for seed in 0..4 {
        let mut world = lying(4, 1, "crash", seed);
        world.run_for(seconds(25));
        world.crash(ReplicaId(0));
        world.restart(ReplicaId(0));
        let height = world.height(ReplicaId(1));
        reach(&mut world, &ALL[1..], height + 3, seconds(20));
    }
}
