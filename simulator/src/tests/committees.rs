//! What replicas tell of changes of the committee is enough for whoever holds the genesis only.

use super::*;
use consensus::{Trusted, catalogue};
use ledger::{Amount, Committee, Keys, query::ChangeAnswer};
use replica::{Answer, Query};

/// How often each of the four takes something out. Each time another two heights go by.
const ROUNDS: usize = 4;

/// All changes that a replica tells, page by page.
pub(super) fn told(world: &mut World<Tendermint>, id: ReplicaId) -> Vec<ChangeAnswer> {
    let mut changes: Vec<ChangeAnswer> = Vec::new();
    loop {
        let from = changes.last().map_or(1, |last| last.height + 1);
        let question = world.ask(id, Query::Committees(from));
        world.run_for(Duration::from_millis(10));
        let Some(Answer::Committees(page)) = world.answer(question) else {
            panic!("replica {id} says nothing of its committees: {world:?}");
        };
        let goes_on = page.more;
        assert!(!(goes_on && page.changes.is_empty()), "nobody could go on");
        changes.extend(page.changes);
        if !goes_on {
            return changes;
        }
    }
}

/// Walks from the founders to the last committee, as a wallet does.
pub(super) fn walk(world: &World<Tendermint>, changes: &[ChangeAnswer]) -> Committee {
    let genesis = world.genesis();
    let mut committee = genesis.committee().expect("a world began with it");
    for ChangeAnswer { height, members, finality } in changes {
        assert_eq!(finality.headers.len(), 1, "a descendant is the new committee's word: {height}");
        let keys = Keys::of(genesis.chain_id(), &committee);
        let trusted = Trusted { genesis, parent: None, committee: &committee, keys: &keys };
        let verified = catalogue::verify(&finality.headers, &finality.proof, trusted);
        verified.unwrap_or_else(|reason| panic!("the change at {height}: {reason}"));
        let next = Committee::new(members.clone()).expect("a committee");
        assert_eq!(
            (finality.headers[0].height, finality.headers[0].committee),
            (*height, next.root())
        );
        assert_ne!(next, committee, "a change changes something");
        committee = next;
    }
    committee
}

/// Of one who was there, and of one who slept through all of it and came to know it from its peers.
#[test]
fn changes_can_be_walked_from_the_genesis_also_at_one_that_caught_up() {
    for seed in 0..5 {
        let mut setup = four(seed);
        setup.stakes = vec![100; 4];
        setup.wire = true;
        let mut world = world(setup);
        reach(&mut world, &ALL, 2, seconds(30));
        world.crash(ALL[3]);
        for turn in 0..ROUNDS {
            for id in [ALL[0], ALL[1], ALL[2]] {
                world.unbond(id, Amount(1 + turn as u64));
                let height = world.height(ALL[0]);
                reach(&mut world, &[ALL[0], ALL[1], ALL[2]], height + 2, seconds(60));
            }
        }
        world.restart(ALL[3]);
        let height = world.height(ALL[0]) + 3;
        reach(&mut world, &ALL, height, seconds(60));
        let committees = ALL.map(|id| {
            let changes = told(&mut world, id);
            assert!(changes.len() >= 2 * ROUNDS, "seed {seed}, {id}: only {}", changes.len());
            walk(&world, &changes)
        });
        for (id, committee) in ALL.iter().zip(&committees) {
            assert_eq!(committee, &committees[0], "seed {seed}, replica {id}");
        }
        assert_safe(&world);
    }
}

#[test]
fn where_founders_decide_for_good_there_is_nothing_to_tell() {
    let mut world = world(Setup { settings: Default::default(), ..four(1) });
    reach(&mut world, &ALL, 3, seconds(30));
    assert_eq!(told(&mut world, ALL[1]), []);
}
