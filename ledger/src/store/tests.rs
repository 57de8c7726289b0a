//! What every store promises, and what only the one in memory does.

use super::*;
use proptest::prelude::*;
use std::collections::BTreeMap;

/// A change to one of a few keys, some of which are prefixes of others.
type Change = (u8, Option<usize>);

pub(super) const KEYS: [&[u8]; 6] = [b"a", b"ab", b"a\0", b"b", b"\xff", b"\xff\xff"];

pub(super) fn changes() -> impl Strategy<Value = Vec<Vec<Change>>> {
    // Lengths around the places where a disk may treat values differently.
    let len = prop_oneof![0..40usize, 6_140..6_150usize, 12_285..12_292usize, Just(40_000)];
    let change = (0..6u8, prop::option::weighted(0.7, len));
    prop::collection::vec(prop::collection::vec(change, 0..6), 0..6)
}

pub(super) fn batch(changes: &[Change], seed: u8) -> Batch {
    let mut batch = Batch::default();
    for (key, len) in changes {
        let key = KEYS[usize::from(*key)].to_vec();
        match len {
            Some(len) => batch.put(key, (0..*len).map(|at| at as u8 ^ seed).collect()),
            None => batch.delete(key),
        }
    }
    batch
}

/// The store agrees with a map, key by key and prefix by prefix.
pub(super) fn agrees(store: &dyn Store, model: &BTreeMap<Vec<u8>, Vec<u8>>) {
    for key in KEYS {
        assert_eq!(store.get(key).unwrap().as_ref(), model.get(key), "{key:?}");
    }
    for prefix in [&b""[..], b"a", b"ab", b"\xff", b"z"] {
        let expected: Vec<_> = model.iter().filter(|(key, _)| key.starts_with(prefix)).collect();
        let found = store.scan(prefix).unwrap();
        assert!(found.iter().map(|(key, value)| (key, value)).eq(expected), "{prefix:?}");
    }
}

pub(super) fn apply(model: &mut BTreeMap<Vec<u8>, Vec<u8>>, batch: &Batch) {
    for (key, value) in batch.changes() {
        match value {
            Some(value) => model.insert(key.clone(), value.clone()),
            None => model.remove(key),
        };
    }
}

proptest! {
    #[test]
    fn memory_is_a_sorted_map_that_a_crash_takes_back_to_the_last_sync(
        before in changes(),
        after in changes(),
    ) {
        let store = MemoryStore::default();
        let mut model = BTreeMap::new();
        for (changes, seed) in before.iter().zip(0..) {
            let batch = batch(changes, seed);
            store.write(&batch).unwrap();
            apply(&mut model, &batch);
            agrees(&store, &model);
        }
        store.sync().unwrap();
        let synced = model.clone();
        for (changes, seed) in after.iter().zip(100..) {
            let batch = batch(changes, seed);
            store.write(&batch).unwrap();
            apply(&mut model, &batch);
            agrees(&store, &model);
        }
        store.crash();
        agrees(&store, &synced);
        store.crash();
        agrees(&store, &synced);
    }
}

#[test]
fn a_batch_says_whether_there_is_anything_to_write() {
    let mut batch = Batch::default();
    assert!(batch.is_empty());
    batch.delete(b"a".to_vec());
    assert!(!batch.is_empty());
    assert_eq!(batch.changes(), [(b"a".to_vec(), None)]);
}

#[test]
fn the_replica_has_its_keys_for_itself() {
    use crate::BlockHash;
    let ledgers = [
        keys::CHAIN.to_vec(),
        keys::STAND.to_vec(),
        keys::block(1, BlockHash::default()),
        keys::height(BlockHash::default()),
        keys::run(1),
        keys::list(1, 255),
        keys::proof(1),
        keys::account(&[0; 32]),
        keys::node([].into_iter()),
    ];
    let mut kinds: Vec<_> = ledgers.iter().map(|key| key[0]).chain([keys::REPLICA]).collect();
    kinds.sort();
    kinds.dedup();
    assert_eq!(kinds.len(), ledgers.len() + 1);
    assert!(keys::block(255, BlockHash::default()) < keys::block(256, BlockHash::default()));
}
