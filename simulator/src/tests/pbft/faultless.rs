//! Nothing goes wrong.

use super::*;
use ledger::query::TransactionStatus;
use replica::{Answer, Query};

#[test]
fn four_replicas_execute_the_same_twenty_blocks_and_prove_them() {
    let mut world = ordering(pbft(4, 1));
    reach(&mut world, &ALL, 20, seconds(60));
    world.run_for(seconds(2));
    assert_safe(&world);
    assert_promises(&world, Duration::ZERO, 20);
    for id in ALL {
        let heights: Vec<u64> = world.decided(id).keys().copied().collect();
        assert!(heights.iter().copied().eq(1..=world.height(id)), "replica {id}: {heights:?}");
        let ledger = world.ledger(id).expect("it is up");
        assert!(ledger.proven_height() + 1 >= ledger.height(), "with K = 1 all is soon proven");
    }
}

/// No timer rings, nobody is replaced, and transfers handed to any replica become final everywhere.
#[test]
fn transfers_handed_to_anybody_become_final_in_view_0() {
    let mut world = ordering(Setup { tracing: crate::Tracing::Kept, ..pbft(4, 2) });
    let mut names = Vec::new();
    for number in 0..40 {
        let (_, name) = world.submit(ALL[number as usize % 4], transfer(number));
        names.push(name);
        world.run_for(Duration::from_millis(150));
    }
    world.run_for(seconds(3));
    for (id, name) in names.iter().enumerate().map(|(at, name)| (ALL[at / 4 % 4], name)) {
        let question = world.ask(id, Query::Transaction(*name));
        world.run_for(Duration::from_millis(1));
        let Some(Answer::Transaction(answer)) = world.answer(question) else { panic!("no answer") };
        assert_eq!(answer.status, TransactionStatus::Final, "at replica {id}");
        assert!(answer.finality.is_some_and(|finality| finality.linked()), "at replica {id}");
    }
    assert_safe(&world);
    assert_promises(&world, Duration::ZERO, 20);
    let unwanted = ["view-change", "new-view", "fetch", "batch"];
    let said: Vec<_> = world.record().sends().keys().map(|(_, kind)| *kind).collect();
    assert!(said.contains(&"commit") && !said.iter().any(|kind| unwanted.contains(kind)));
}

/// An idle chain pauses for the block time, and then a batch takes three hops, each after a sync.
#[test]
fn an_idle_number_takes_the_block_time_and_three_hops() {
    let mut setup = pbft(4, 3);
    setup.network.latency = DELTA.into();
    let mut world = ordering(setup);
    for number in 1..=5 {
        reach(&mut world, &ALL, number, seconds(2));
        let pause = seconds(1) + 3 * DELTA;
        let syncs = world.now() - pause * u32::try_from(number).unwrap();
        assert!(syncs <= Duration::from_millis(5 * number), "number {number}: {:?}", world.now());
    }
}

/// Between two checkpoints blocks are final without a proof of their own; the next one proves them.
#[test]
fn checkpoints_need_not_come_with_every_number() {
    for interval in [1, 2, 5, 16] {
        let mut world = ordering(with(ideal(4, 4), "pbft.checkpoint", interval));
        reach(&mut world, &ALL, 60, seconds(60));
        assert_safe(&world);
        assert_promises(&world, Duration::ZERO, 50);
        let ledger = world.ledger(ALL[0]).expect("it is up");
        for height in 1..ledger.proven_height() {
            assert_eq!(ledger.proof(height).is_some(), height % interval == 0, "height {height}");
            assert!(ledger.finality(height).is_some_and(|finality| finality.linked()));
        }
    }
}

/// Real keys and the full codec path.
#[test]
fn it_runs_as_bytes_under_real_signatures() {
    let mut setup = pbft(4, 5);
    setup.wire = true;
    let mut world = ordering(setup);
    for number in 0..10 {
        world.submit(ALL[number as usize % 4], transfer(number));
        world.run_for(Duration::from_millis(400));
    }
    world.run_for(seconds(2));
    assert_safe(&world);
    assert_promises(&world, Duration::ZERO, 10);
}
