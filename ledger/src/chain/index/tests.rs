use super::*;
use crate::{
    store::{MemoryStore, Store},
    testing::World,
};
use std::sync::Arc;

type Places = Vec<(TransactionId, (u64, u32))>;

/// Blocks with this many transfers each, committed one by one.
fn chain(sizes: &[usize]) -> (World, Places) {
    let mut world = World::new(&[(10, 1_000_000)]);
    let (mut nonce, mut places) = (0, Vec::new());
    for (size, height) in sizes.iter().zip(1..) {
        let transfers = (0..*size).map(|_| {
            nonce += 1;
            world.pay(10, nonce - 1, 11, 1, 1)
        });
        let transfers: Vec<_> = transfers.collect();
        places.extend(transfers.iter().zip(0..).map(|(each, index)| (each.id(), (height, index))));
        let tip = world.grow(world.ledger.root(), 0, transfers);
        world.commit(tip).expect("it stands on the root");
    }
    (world, places)
}

fn runs(world: &World) -> Vec<u64> {
    let found = world.store.scan(keys::RUNS).expect("memory does not fail");
    let height = |key: &[u8]| u64::from_be_bytes(key[1..].try_into().expect("a height"));
    found.iter().map(|(key, _)| height(key)).collect()
}

fn finds_all(world: &World, places: &[(TransactionId, (u64, u32))]) {
    for (id, place) in places {
        assert_eq!(world.ledger.locate(*id), Some(*place));
    }
    assert_eq!(world.ledger.locate(TransactionId::default()), None);
}

#[test]
fn every_transaction_is_found_before_and_after_its_run_is_sealed_and_after_a_crash() {
    let (mut world, places) = chain(&[2, 2, 1, 3, 0, 5, 4, 1]);
    finds_all(&world, &places);
    world.sync();
    finds_all(&world, &places);
    world.crash();
    finds_all(&world, &places);
    assert_eq!(runs(&world), [4, 7], "8 in four blocks, 9 in three, and one more");
}

#[test]
fn a_run_of_few_transactions_ends_after_some_blocks() {
    let (mut world, places) = chain(&[1, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0]);
    world.sync();
    assert_eq!(runs(&world), [SPAN]);
    world.crash();
    finds_all(&world, &places);
}

/// A list knows the first half of a name.
#[test]
fn a_name_that_begins_like_anothers_is_not_found() {
    let (world, places) = chain(&[7, 1]);
    for (id, _) in places {
        let mut other = id.0.to_bytes();
        other[31] ^= 1;
        assert_eq!(world.ledger.locate(TransactionId(crypto::Hash::from_bytes(other))), None);
    }
}

#[test]
fn a_run_above_the_newest_block_is_damage() {
    let (mut world, _) = chain(&[1]);
    world.batch.put(keys::run(2), codec::encode(&6_u64));
    world.sync();
    let disk = Ahead::new(world.store.clone());
    let error = Index::load(&disk, 1).expect_err("there is no block 2");
    assert!(error.to_string().contains("above the newest committed block"), "{error}");
}

/// Miners commit several blocks at once, at other times than their peers.
#[test]
fn runs_end_where_they_would_if_each_block_were_committed_by_itself() {
    let sizes = [3, 3, 3, 3, 3, 3];
    let (mut one_by_one, _) = chain(&sizes);
    let mut at_once = World::new(&[(10, 1_000_000)]);
    let mut tip = at_once.ledger.root();
    for height in 1..=sizes.len() as u64 {
        let block = one_by_one.ledger.committed(height).expect("it was committed");
        tip = at_once.accept(&block).expect("the same chain");
    }
    at_once.commit(tip).expect("it is known");
    let filed = |world: &mut World| {
        world.sync();
        let lists = |run: &u64| world.store.scan(&keys::lists(*run)).expect("memory");
        runs(world).iter().map(lists).collect::<Vec<_>>()
    };
    let (one, other) = (filed(&mut one_by_one), filed(&mut at_once));
    assert_eq!(one, other);
    assert_eq!(one.len(), 3);
}

#[test]
fn the_store_gets_few_entries_for_many_transactions() {
    let store = Arc::new(MemoryStore::default());
    let mut index = Index { runs: Vec::new(), young: BTreeMap::new() };
    let (world, _) = chain(&[RUN - 1, 1]);
    let mut batch = Batch::default();
    index.add(&world.ledger.committed(1).expect("committed"), &mut batch);
    assert!(batch.is_empty(), "nothing before the run is full");
    index.add(&world.ledger.committed(2).expect("committed"), &mut batch);
    assert!((2..=RUN + 1).contains(&batch.changes().len()));
    store.write(&batch).expect("memory does not fail");
    assert!(index.young.is_empty());
}
