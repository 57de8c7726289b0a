//! What stands still may not go wrong, and goes on by itself once it can.

use ledger::ReplicaId;
use simulator::{Fault, Goal, Progress, Promises, Setup, World, checker};
use std::time::Duration;
use tests::tendermint;

const SEEDS: std::ops::Range<u64> = 0..5;

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn ids(ids: &[u32]) -> Vec<ReplicaId> {
    ids.iter().copied().map(ReplicaId).collect()
}

/// Four replicas that have been at work for a while.
fn four(seed: u64) -> World<consensus::tendermint::Tendermint> {
    println!("seed {seed}");
    let mut world = World::new(Setup::new("tendermint", 4, seed), tendermint);
    world.run_for(seconds(10));
    world
}

fn heights(world: &World<consensus::tendermint::Tendermint>) -> Vec<u64> {
    world.replicas().map(|id| world.height(id)).collect()
}

/// From now on everybody gets on, and no promise was ever broken.
fn assert_recovers(mut world: World<consensus::tendermint::Tendermint>) {
    let mut promises = Promises::default();
    let (since, within) = (world.now(), seconds(20));
    promises.progress.push(Progress { since, within, goal: Goal::Gain(5) });
    world.run_for(within);
    let verdict = checker::judge(&world, promises);
    assert!(verdict.holds(), "{verdict}\n{world:?}");
}

#[test]
fn two_against_two_decide_nothing_and_go_on_when_the_partition_heals() {
    for seed in SEEDS {
        let mut world = four(seed);
        world.apply(&Fault::Partition(vec![ids(&[0, 1]), ids(&[2, 3])]));
        world.run_for(seconds(2));
        let before = heights(&world);
        world.run_for(seconds(60));
        assert_eq!(heights(&world), before, "seed {seed}: half of the votes decided something");
        world.apply(&Fault::Heal);
        assert_recovers(world);
    }
}

#[test]
fn three_against_one_go_on_and_the_one_catches_up() {
    for seed in SEEDS {
        let mut world = four(seed);
        world.apply(&Fault::Partition(vec![ids(&[0, 1, 2]), ids(&[3])]));
        world.run_for(seconds(30));
        assert!(world.height(ReplicaId(0)) > world.height(ReplicaId(3)) + 10, "seed {seed}");
        world.apply(&Fault::Heal);
        world.run_for(seconds(5));
        let heights = heights(&world);
        assert!(heights[3] + 1 >= heights[0], "seed {seed}: {heights:?}");
        assert_recovers(world);
    }
}

#[test]
fn all_four_lose_power_at_once_and_nothing_final_is_lost() {
    for seed in SEEDS {
        let mut world = four(seed);
        let before = heights(&world);
        world.replicas().for_each(|id| world.crash(id));
        world.run_for(seconds(5));
        world.replicas().for_each(|id| world.restart(id));
        for (id, before) in world.replicas().zip(before) {
            let height = world.ledger(id).expect("it is up").height();
            assert!(height >= before, "seed {seed}: replica {id} was at {before}, is at {height}");
        }
        assert_recovers(world);
    }
}

#[test]
fn one_silent_and_one_parcel_in_twenty_lost_is_no_obstacle() {
    for seed in SEEDS {
        let mut world = four(seed);
        world.apply(&Fault::Silence(ReplicaId(3)));
        world.apply(&Fault::Loss(simulator::network::MILLION / 20));
        let before = world.height(ReplicaId(0));
        world.run_for(seconds(60));
        assert!(world.height(ReplicaId(0)) >= before + 15, "seed {seed}: {world:?}");
        world.apply(&Fault::Speak(ReplicaId(3)));
        assert_recovers(world);
    }
}
