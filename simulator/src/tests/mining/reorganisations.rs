//! Partitions, and what is taken back when they heal; crashes, and what survives them.

use super::*;
use crate::Transfer;
use ledger::TransactionId;
use std::collections::BTreeSet;

fn halves() -> Fault {
    Fault::Partition(vec![ALL[..2].to_vec(), ALL[2..].to_vec()])
}

/// Whether a transaction is in a replica's adopted branch or below it.
fn holds(world: &World<Nakamoto>, id: ReplicaId, transaction: TransactionId) -> bool {
    let ledger = world.ledger(id).expect("it is up");
    ledger.locate(transaction).or_else(|| ledger.locate_adopted(transaction)).is_some()
}

/// Each half mines alone for half a minute. Then one half takes its blocks back, and the transfers
/// in them are mined again in the others' chain.
#[test]
fn halves_become_one_chain_and_the_losers_transfers_are_mined_again() {
    let (mut lost, mut reverted) = (0, 0);
    for seed in 0..5 {
        let mut setup = pow(4, seed);
        setup.schedule = Schedule::default().at(seconds(20), halves()).at(seconds(50), Fault::Heal);
        let mut world = miners(setup);
        world.run_for(seconds(21));
        let mut names = Vec::new();
        for round in 0..5 {
            // Nobody's transfers depend on what the other half orders.
            for (at, from) in [(ALL[round % 2], 0), (ALL[2 + round % 2], 1)] {
                names.push(world.submit(at, Transfer { from, to: 2, amount: 7, fee: 1 }).1);
            }
            world.run_for(seconds(5));
        }
        world.run_for(seconds(3));
        let sides = [ALL[0], ALL[2]].map(|id| {
            let held = names.iter().filter(|name| holds(&world, id, **name));
            held.copied().collect::<BTreeSet<_>>()
        });
        assert!(sides[0].is_disjoint(&sides[1]), "nothing crosses a partition");
        let apart = together(&world, 6);
        let [Violation::Apart { adopted, .. }] = &apart.violations[..] else {
            panic!("seed {seed}: the halves are apart: {apart}");
        };
        assert!(adopted[0].1 == adopted[1].1 && adopted[1].1 != adopted[2].1, "{apart}");
        let heads = [ALL[0], ALL[2]].map(|id| world.ledger(id).expect("it is up").head());
        world.run_for(seconds(40));
        assert_together(&world, 6);
        let main: BTreeSet<_> = world.main_chain().iter().map(|find| find.block).collect();
        let [first, second] = heads.map(|head| main.contains(&head));
        assert!(first != second, "seed {seed}: one of the halves wins");
        lost += sides[usize::from(first)].len();
        for id in ALL {
            assert!(names.iter().all(|name| holds(&world, id, *name)), "seed {seed}, replica {id}");
        }
        println!("seed {seed}: {}", world.mining());
        assert!(world.mining().deepest > 0);
        reverted += world.mining().reverted;
        assert!(judge(&world).holds());
    }
    assert!(lost > 5, "transfers were ordered by losers: {lost}");
    // Thirty seconds are fifteen blocks of each half: far more than a merchant waits for.
    assert!(reverted > 0);
}

/// A merchant who counts on six blocks is told so if they are taken back.
#[test]
fn a_confirmed_block_that_is_taken_back_is_a_violation_unless_it_may_be() {
    let mut setup = pow(4, 1);
    setup.schedule = Schedule::default().at(seconds(20), halves()).at(seconds(80), Fault::Heal);
    let mut world = miners(setup);
    world.run_for(seconds(120));
    let verdict = checker::judge(&world, Promises::default());
    println!("{verdict}");
    let reverted = |violation: &Violation| matches!(violation, Violation::Reverted(_));
    assert!(!verdict.holds() && verdict.violations.iter().all(reverted), "{verdict}");
    let losers: BTreeSet<_> = world.record().reversions().iter().map(|each| each.replica).collect();
    assert!(
        losers == ALL[..2].iter().copied().collect()
            || losers == ALL[2..].iter().copied().collect()
    );
    assert!(judge(&world).holds());
}

/// Two partitions that outlast the irreversible depth have committed what contradicts itself. The
/// half with less work finds out and halts; the others go on.
#[test]
fn a_partition_longer_than_the_irreversible_depth_halts_the_lighter_half() {
    for seed in 0..3 {
        let mut setup = with(pow(4, seed), "pow.irreversible", 8);
        setup.schedule =
            Schedule::default().at(seconds(20), halves()).at(seconds(110), Fault::Heal);
        let mut world = miners(setup);
        world.run_for(seconds(109));
        let roots = [ALL[0], ALL[2]].map(|id| world.ledger(id).expect("it is up").root());
        world.run_for(seconds(40));
        let main: BTreeSet<_> = world.main_chain().iter().map(|find| find.block).collect();
        let [first, second] = roots.map(|root| main.contains(&root));
        assert!(first != second, "seed {seed}: one of the halves has more work");
        let (lighter, heavier) =
            if first { (&ALL[2..], &ALL[..2]) } else { (&ALL[..2], &ALL[2..]) };
        let halted: Vec<_> = world.record().halts().map(|(id, ..)| id).collect();
        assert_eq!(halted, lighter, "seed {seed}: {world:?}");
        for (_, _, why) in world.record().halts() {
            assert!(why.starts_with("two final blocks conflict: "), "{why}");
        }
        let verdict = judge(&world);
        let disagree =
            verdict.violations.iter().any(|one| matches!(one, Violation::Disagreement { .. }));
        assert!(disagree, "{verdict}");
        let height = world.height(heavier[0]);
        let found = world.record().finds().len();
        world.run_for(seconds(60));
        assert!(world.height(heavier[0]) > height + 10, "the heavier half goes on: {world:?}");
        let later = &world.record().finds()[found..];
        assert!(later.iter().all(|find| heavier.contains(&find.miner)), "the halted do not mine");
        println!("seed {seed}: {verdict}");
    }
}

/// A crash loses what the disk had not synced, a millisecond's worth: the tree of undecided blocks
/// and all that was committed are there again.
#[test]
fn a_miner_that_crashed_keeps_its_tree_and_what_it_committed() {
    for seed in 0..5 {
        let mut world = miners(with(pow(4, seed), "pow.irreversible", 10));
        world.run_for(seconds(60));
        let branch = |world: &World<Nakamoto>| {
            let ledger = world.ledger(ALL[1]).expect("it is up");
            let heights = 0..=ledger.head_height();
            let blocks = heights.map(|height| ledger.adopted(height).expect("it is there").hash());
            (ledger.height(), blocks.collect::<Vec<_>>())
        };
        let (committed, before) = branch(&world);
        assert!(committed > 20 && before.len() as u64 >= committed + 10);
        // The disks have had time enough.
        world.crash(ALL[1]);
        world.run_for(Duration::from_millis(1));
        world.restart(ALL[1]);
        let (height, after) = branch(&world);
        assert_eq!((height, &after), (committed, &before), "seed {seed}");
        let found = world.record().finds().len();
        world.run_for(seconds(60));
        let later = &world.record().finds()[found..];
        assert!(later.iter().any(|find| find.miner == ALL[1]), "it mines again");
        assert!(world.height(ALL[1]) > committed + 20, "{world:?}");
        assert_together(&world, 6);
        let verdict = judge(&world);
        assert!(verdict.holds(), "seed {seed}: {verdict}");
    }
}

/// One that was down for long catches up with more blocks than one answer holds.
#[test]
fn one_that_was_down_for_long_catches_up() {
    for seed in 0..3 {
        let mut world = miners(with(pow(4, seed), "pow.irreversible", 20));
        world.run_for(seconds(30));
        world.crash(ALL[2]);
        world.run_for(seconds(300));
        world.restart(ALL[2]);
        world.run_for(seconds(10));
        let heights = head_heights(&world);
        let top = *heights.iter().max().expect("they are up");
        assert!(top > 150 && heights[2] + 3 >= top, "seed {seed}: {heights:?}");
        assert!(judge(&world).holds(), "{}", judge(&world));
    }
}
