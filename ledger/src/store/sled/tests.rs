use super::*;
use crate::{
    Ledger,
    block::MAX_BLOCK_BYTES,
    store::tests::{agrees, apply, batch, changes},
    testing::{World, address},
};
use crypto::codec;
use proptest::prelude::*;
use std::{collections::BTreeMap, fs, sync::Arc};
use tempfile::TempDir;

fn open(directory: &TempDir) -> SledStore {
    reopen(&directory.path().join("state")).expect("a database of our own")
}

/// Opens a database that may have been closed a moment ago.
fn reopen(path: &Path) -> Result<SledStore, SledError> {
    for _ in 0..1_000_000 {
        match SledStore::open(path) {
            Err(SledError::Locked { .. }) => std::thread::yield_now(),
            done => return done,
        }
    }
    SledStore::open(path)
}

/// What a killed process leaves: the files as they are now, without any farewell.
fn killed(directory: &TempDir) -> TempDir {
    let left = TempDir::new().unwrap();
    let (from, to) = (directory.path().join("state"), left.path().join("state"));
    fs::create_dir(&to).unwrap();
    for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
        if entry.file_type().unwrap().is_file() {
            fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
        }
    }
    left
}

/// sled never syncs a blob, so there must be none.
fn assert_no_blobs(directory: &TempDir) {
    let blobs = directory.path().join("state/blobs");
    let found: Vec<_> = fs::read_dir(blobs).into_iter().flatten().collect();
    assert!(found.is_empty(), "{found:?}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn a_database_is_a_sorted_map_also_after_a_kill(batches in changes()) {
        let directory = TempDir::new().unwrap();
        let store = open(&directory);
        let mut model = BTreeMap::new();
        for (changes, seed) in batches.iter().zip(0..) {
            let batch = batch(changes, seed);
            store.write(&batch).unwrap();
            apply(&mut model, &batch);
            agrees(&store, &model);
        }
        store.sync().unwrap();
        let left = killed(&directory);
        agrees(&open(&left), &model);
        drop(store);
        let store = open(&directory);
        agrees(&store, &model);
        // No piece outlives its value.
        let mut batch = Batch::default();
        model.keys().for_each(|key| batch.delete(key.clone()));
        store.write(&batch).unwrap();
        let left = store.tree.iter().keys().map(Result::unwrap).filter(|key| key[0] != COUNT);
        assert_eq!(left.count(), 0);
    }
}

#[test]
fn long_values_are_cut_and_leave_no_blobs() {
    let directory = TempDir::new().unwrap();
    let store = open(&directory);
    let mut model = BTreeMap::new();
    // Blocks as they come, some full, over a hundred heights, the oldest of them dropped again.
    for height in 0..100u64 {
        let len = [200 * 1024, 300, MAX_BLOCK_BYTES, CHUNK, CHUNK + 1][height as usize % 5];
        let key = [b"b", &height.to_be_bytes()[..]].concat();
        let mut batch = Batch::default();
        batch.put(key.clone(), vec![height as u8; len]);
        model.insert(key, vec![height as u8; len]);
        if let Some((first, _)) = (height % 3 == 0).then(|| model.pop_first()).flatten() {
            batch.delete(first);
        }
        store.write(&batch).unwrap();
        store.sync().unwrap();
        assert_no_blobs(&directory);
    }
    let left = killed(&directory);
    let found: BTreeMap<_, _> = open(&left).scan(b"b").unwrap().into_iter().collect();
    assert!(found == model);
    drop(store);
    assert!(open(&directory).scan(b"b").unwrap().into_iter().eq(model));
    assert_no_blobs(&directory);
}

#[test]
fn a_leaf_full_of_the_longest_pieces_is_no_blob() {
    let directory = TempDir::new().unwrap();
    let store = open(&directory);
    // Single entries in both orders, so that leaves fill, split and merge in every way.
    for round in 0..3u64 {
        for number in 0..400u64 {
            let place = if round == 1 { 400 - number } else { number };
            let mut batch = Batch::default();
            let key = [&place.to_be_bytes()[..], &[7; 40]].concat();
            if round == 2 && number % 3 != 0 {
                batch.delete(key)
            } else {
                batch.put(key, vec![round as u8; CHUNK])
            }
            store.write(&batch).unwrap();
        }
        store.sync().unwrap();
        assert_no_blobs(&directory);
    }
    drop(store);
    assert_no_blobs(&directory);
}

#[test]
fn a_missing_piece_is_damage() {
    let directory = TempDir::new().unwrap();
    let store = open(&directory);
    let mut batch = Batch::default();
    batch.put(b"long".to_vec(), vec![1; 3 * CHUNK]);
    store.write(&batch).unwrap();
    store.tree.remove(piece_key(b"long", 1)).unwrap();
    assert!(matches!(store.get(b"long"), Err(StoreError::Damaged { .. })));
    assert!(matches!(store.scan(b""), Err(StoreError::Damaged { .. })));
    store.tree.insert(piece_key(b"long", 1), vec![1; 5]).unwrap();
    assert!(matches!(store.get(b"long"), Err(StoreError::Damaged { .. })));
    store.tree.insert(value_key(b"long"), vec![CUT, 1]).unwrap();
    assert!(matches!(store.get(b"long"), Err(StoreError::Damaged { .. })));
    let hostile = [&[CUT][..], &u64::MAX.to_be_bytes()].concat();
    store.tree.insert(value_key(b"long"), hostile).unwrap();
    assert!(matches!(store.get(b"long"), Err(StoreError::Damaged { .. })));
}

#[test]
fn a_database_in_use_is_refused_with_a_hint() {
    let directory = TempDir::new().unwrap();
    let store = open(&directory);
    let path = directory.path().join("state");
    let refused = SledStore::open(&path).unwrap_err();
    assert_eq!(refused, SledError::Locked { path: path.clone() });
    assert!(refused.to_string().contains("is another node running"));
    drop(store);
    assert!(reopen(&path).is_ok());
}

/// sled by itself opens most of these, with some or all entries missing.
#[test]
fn a_database_that_lost_what_was_synced_is_refused() {
    let damages: [fn(&mut Vec<u8>); 4] = [
        |file| file.clear(),
        |file| file[..64].fill(0x55),
        |file| file.truncate(file.len() / 2),
        |file| {
            let at = file.len() / 4;
            file[at..at + 5_000].fill(0x55);
        },
    ];
    for damage in damages {
        let directory = TempDir::new().unwrap();
        let store = open(&directory);
        for number in 0..200u64 {
            let mut batch = Batch::default();
            batch.put(number.to_be_bytes().to_vec(), vec![7; 3_000]);
            store.write(&batch).unwrap();
        }
        store.sync().unwrap();
        drop(store);
        let path = directory.path().join("state");
        let mut file = fs::read(path.join("db")).unwrap();
        damage(&mut file);
        fs::write(path.join("db"), file).unwrap();
        match reopen(&path) {
            Err(SledError::Damaged { .. }) => {}
            // The damage hit what sled had abandoned: then nothing may be missing.
            Ok(store) => assert_eq!(store.scan(b"").unwrap().len(), 200),
            Err(other) => panic!("{other}"),
        }
    }
}

#[test]
fn what_was_written_and_not_synced_may_be_lost_without_damage() {
    let directory = TempDir::new().unwrap();
    let store = open(&directory);
    let mut batch = Batch::default();
    batch.put(b"one".to_vec(), vec![1]);
    store.write(&batch).unwrap();
    store.sync().unwrap();
    batch.put(b"two".to_vec(), vec![2]);
    store.write(&batch).unwrap();
    let left = killed(&directory);
    let kept = open(&left);
    assert_eq!(kept.get(b"one"), Ok(Some(vec![1])));
    // It goes on from there.
    kept.write(&batch).unwrap();
    kept.sync().unwrap();
    drop(kept);
    assert_eq!(open(&left).get(b"two"), Ok(Some(vec![2])));
}

#[test]
fn a_directory_that_cannot_be_one_is_refused() {
    let directory = TempDir::new().unwrap();
    fs::write(directory.path().join("file"), b"").unwrap();
    let refused = SledStore::open(directory.path().join("file/deeper")).unwrap_err();
    assert!(matches!(refused, SledError::Failed { .. }), "{refused}");
}

#[test]
fn a_ledger_survives_a_kill_and_a_reopening() {
    let directory = TempDir::new().unwrap();
    let store = Arc::new(open(&directory));
    let mut world = World::new(&[(10, 1_000_000)]);
    world.ledger = Ledger::open(store.clone(), &world.genesis).unwrap();
    let transfers = (0..1_200).map(|nonce| world.pay(10, nonce, 11, 1, 0)).collect();
    let large = world.grow(world.ledger.root(), 0, transfers);
    let above = world.grow(large, 1, vec![]);
    world.commit_with(large, b"proof");
    store.write(&std::mem::take(&mut world.batch)).unwrap();
    store.sync().unwrap();
    assert_no_blobs(&directory);
    let block = world.ledger.block(large).unwrap();
    assert!(codec::encoded_len(&*block) > 200 * 1024);

    let left = killed(&directory);
    let genesis = world.genesis.clone();
    drop((world, store));
    for directory in [left, directory] {
        let ledger = Ledger::open(Arc::new(open(&directory)), &genesis).unwrap();
        assert_eq!((ledger.root(), ledger.height(), ledger.proven_height()), (large, 1, 1));
        assert_eq!(ledger.block(large), Some(block.clone()));
        assert_eq!(ledger.account(above, address(11)).unwrap().balance.0, 1_200);
        let (account, proof) = ledger.account_with_proof(address(11)).unwrap();
        assert_eq!(proof.verify(ledger.root_header().state, address(11), &account), Ok(()));
    }
}

#[test]
fn its_debug_form_does_not_print_its_content() {
    let directory = TempDir::new().unwrap();
    let store = open(&directory);
    let mut batch = Batch::default();
    batch.put(b"key".to_vec(), vec![77; 1_000]);
    store.write(&batch).unwrap();
    assert!(!format!("{store:?}").contains("77, 77"));
}
