use super::*;
use crate::{
    Ledger,
    block::MAX_BLOCK_BYTES,
    store::tests::{agrees, apply, batch, changes},
    testing::{World, address},
};
use crypto::codec;
use proptest::prelude::*;
use std::collections::BTreeMap;
use tempfile::TempDir;

mod damage;
mod killed;
mod tripped;

/// So small that most of what is written reaches sled.
const SMALL: Sizes = Sizes { segment: 32 << 10, ..SIZES };

fn open(directory: &TempDir) -> DiskStore {
    reopen(&directory.path().join("state"), &SMALL).expect("a database of our own")
}

/// Opens a database that may have been closed a moment ago.
fn reopen(path: &Path, sizes: &Sizes) -> Result<DiskStore, DiskError> {
    once_let_go(|| DiskStore::open_sized(path, sizes, Tripwire::NONE))
}

fn once_let_go(open: impl Fn() -> Result<DiskStore, DiskError>) -> Result<DiskStore, DiskError> {
    for _ in 0..1_000_000 {
        match open() {
            Err(DiskError::Locked { .. }) => thread::yield_now(),
            done => return done,
        }
    }
    panic!("sled does not let go");
}

/// What a killed process leaves: the files as they are now, without any farewell. No checkpoint may
/// be running, for files are copied one after the other.
fn killed(directory: &TempDir, store: &DiskStore) -> TempDir {
    store.engine.await_rest();
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

fn put(key: &[u8], value: &[u8]) -> Batch {
    let mut batch = Batch::default();
    batch.put(key.to_vec(), value.to_vec());
    batch
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
        let left = killed(&directory, &store);
        agrees(&open(&left), &model);
        drop(store);
        agrees(&open(&directory), &model);
    }
}

#[test]
fn a_database_of_the_usual_size_opens_and_reopens() {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("deep/down");
    let store = DiskStore::open(&path).unwrap();
    store.write(&put(b"one", &[1; 100_000])).unwrap();
    drop(store);
    let store = reopen(&path, &SIZES).unwrap();
    assert_eq!(store.get(b"one"), Ok(Some(vec![1; 100_000])));
    for number in [0, 1] {
        let file = fs::metadata(path.join(format!("log.{number}"))).unwrap();
        assert_eq!(file.len(), SIZES.segment);
    }
}

#[test]
fn a_database_in_use_is_refused_with_a_hint() {
    let directory = TempDir::new().unwrap();
    let store = open(&directory);
    let path = directory.path().join("state");
    let refused = DiskStore::open(&path).unwrap_err();
    assert_eq!(refused, DiskError::Locked { path: path.clone() });
    assert!(refused.to_string().contains("is another node running"));
    drop(store);
    assert!(reopen(&path, &SMALL).is_ok());
}

#[test]
fn a_directory_that_cannot_be_one_is_refused() {
    let directory = TempDir::new().unwrap();
    fs::write(directory.path().join("file"), b"").unwrap();
    let refused = DiskStore::open(directory.path().join("file/deeper")).unwrap_err();
    assert!(matches!(refused, DiskError::Failed { .. }), "{refused}");
}

/// As the program wrote it before there was a log: sled's own sizes, and a count of the batches.
#[test]
fn a_database_of_the_layout_without_a_log_is_refused_with_a_remedy() {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("state");
    let tree = sled::Config::new().path(&path).flush_every_ms(None).open().unwrap();
    tree.insert([2], &1u64.to_be_bytes()).unwrap();
    tree.insert([0, b'c'], &[0, 1, 2, 3]).unwrap();
    tree.flush().unwrap();
    drop(tree);
    let refused = reopen(&path, &SIZES).unwrap_err();
    assert!(matches!(refused, DiskError::Layout { .. }), "{refused}");
    assert!(refused.to_string().contains("remove the directory and sync again"));
    assert!(!path.join("log.0").exists());
}

#[test]
fn sled_alone_cannot_be_opened_by_a_program_without_a_log() {
    let directory = TempDir::new().unwrap();
    drop(open(&directory));
    let path = directory.path().join("state");
    let opened = || sled::Config::new().path(&path).flush_every_ms(None).open();
    let refused = std::iter::repeat_with(opened).find(|opened| {
        !opened.as_ref().is_err_and(|error| error.to_string().contains("could not acquire lock"))
    });
    assert!(matches!(refused, Some(Err(sled::Error::Unsupported(_)))));
}

/// Keys of two kinds: `a` are in every batch, `b` only now and then, so that they are read from the
/// frozen table and from sled as well. Some values are long enough to be cut, and differently so.
#[test]
fn reads_see_whole_batches_while_checkpoints_run() {
    let directory = TempDir::new().unwrap();
    let store = open(&directory);
    let value = |number: u64| {
        let len = 100 + 6_500 * (number % 4) as usize;
        [&number.to_be_bytes()[..], &vec![number as u8; len]].concat()
    };
    let seldom = |number: u64| [&b"b"[..], &(number % 60).to_be_bytes()].concat();
    let number = |value: &[u8]| u64::from_be_bytes(*value.first_chunk().unwrap());
    let last = 600u64;
    thread::scope(|scope| {
        let reader = scope.spawn(|| {
            let mut newest = 0;
            while newest < last {
                let found = store.scan(b"").unwrap();
                assert!(found.iter().all(|(_, found)| *found == value(number(found))));
                let numbers: Vec<_> = found.iter().map(|(_, value)| number(value)).collect();
                let Some(first) = numbers.first() else { continue };
                let shown: BTreeMap<_, _> = found.iter().cloned().collect();
                let expected = (1..=*first).rev().take(60).map(|number| (seldom(number), number));
                let expected = expected.chain([b"a1", b"a2"].map(|key| (key.to_vec(), *first)));
                let expected: BTreeMap<_, _> = expected.map(|(k, n)| (k, value(n))).collect();
                assert!(shown == expected, "{numbers:?}");
                newest = store.get(b"a2").unwrap().map_or(0, |value| number(&value));
                assert!(*first <= newest);
            }
        });
        scope.spawn(|| {
            for _ in 0..100 {
                store.sync().unwrap();
            }
        });
        for number in 1..=last {
            let mut batch = put(b"a1", &value(number));
            batch.put(b"a2".to_vec(), value(number));
            batch.put(seldom(number), value(number));
            store.write(&batch).unwrap();
        }
        reader.join().unwrap();
    });
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
    let block = world.ledger.block(large).unwrap();
    let len = codec::encoded_len(&*block);
    assert!(len > 200 * 1024 && len < MAX_BLOCK_BYTES);

    let left = killed(&directory, &store);
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
    store.write(&put(b"key", &[77; 1_000])).unwrap();
    assert!(!format!("{store:?}").contains("77, 77"));
}
