//! One liar more than may be: whoever sees two final blocks stops, and says who did it.

use super::*;
use ledger::query::ConflictAnswer;
use replica::{Answer, Query};
use std::collections::BTreeSet;

/// What honest replicas that halted say of it, with the worlds in which they did.
fn conflicts(lie: &str, seeds: std::ops::Range<u64>) -> Vec<(World<Tendermint>, ConflictAnswer)> {
    let mut seen = Vec::new();
    for seed in seeds {
        let mut world = world(liars(Tendermint::NAME, 4, bound(4) + 1, lie, seed));
        live(&mut world, seconds(30));
        let halted: Vec<_> = world.record().halts().map(|(id, ..)| id).collect();
        let honest = halted.into_iter().find(|id| !world.setup().byzantine.contains_key(id));
        let Some(id) = honest else { continue };
        // A life later it still knows, and still answers.
        world.crash(id);
        world.restart(id);
        let question = world.ask(id, Query::Conflict);
        world.run_for(seconds(1));
        match world.answer(question) {
            Some(Answer::Conflict(Some(conflict))) => seen.push((world, *conflict)),
            other => panic!("seed {seed}: replica {id} halted and answers {other:?}"),
        }
    }
    seen
}

/// Evidence that convicts liars only, each once.
fn convicted(world: &World<Tendermint>, conflict: &ConflictAnswer) -> BTreeSet<ReplicaId> {
    let keys = world.setup().keys(world.genesis());
    assert!(conflict.guilty.iter().all(|evidence| evidence.verify(&keys)));
    let guilty: BTreeSet<_> = conflict.guilty.iter().map(|evidence| evidence.offender).collect();
    assert_eq!(guilty.len(), conflict.guilty.len());
    assert!(guilty.iter().all(|id| world.setup().byzantine.contains_key(id)), "{guilty:?}");
    guilty
}

fn proves_both(conflict: &ConflictAnswer) {
    let sides =
        [(conflict.ours, &conflict.our_finality), (conflict.theirs, &conflict.their_finality)];
    for (block, finality) in sides {
        let finality = finality.as_ref().expect("both proofs are kept");
        assert!(finality.linked());
        assert_eq!(finality.headers[0].hash(), block);
    }
    assert_ne!(conflict.ours, conflict.theirs);
}

#[test]
fn who_signed_both_proofs_in_one_round_is_named() {
    let seen = conflicts("double-vote", 0..12);
    let named = seen.iter().filter(|(world, conflict)| {
        proves_both(conflict);
        let guilty = convicted(world, conflict);
        if guilty.is_empty() {
            assert!(conflict.verdict.contains("nobody can be convicted"), "{}", conflict.verdict);
        } else {
            let told = "guilty of it are replica 2 with 1 stake, replica 3 with 1 stake: 2 of 4";
            assert!(conflict.verdict.contains(told), "{}", conflict.verdict);
        }
        !guilty.is_empty()
    });
    let named = named.count();
    println!("{named} of {} conflicts convict the liars", seen.len());
    assert!(named > 3);
}

#[test]
fn amnesia_convicts_nobody_and_the_verdict_says_why() {
    let seen = conflicts("amnesia", 0..12);
    println!("{} conflicts", seen.len());
    assert!(!seen.is_empty());
    for (world, conflict) in &seen {
        proves_both(conflict);
        assert!(convicted(world, conflict).is_empty());
        let why = "whoever forgot a lock is among those who signed both";
        assert!(conflict.verdict.contains(why), "{}", conflict.verdict);
    }
}
