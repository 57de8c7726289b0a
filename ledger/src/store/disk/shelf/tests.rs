use super::*;
use crate::{
    block::MAX_BLOCK_BYTES,
    store::{
        Batch,
        disk::{
            SIZES,
            engine::tests::power::{File as Sectors, random},
        },
        tests::{KEYS, apply, batch, changes},
    },
};
use proptest::prelude::*;
use std::{
    collections::BTreeMap,
    fs,
    path::PathBuf,
    sync::{Arc, MutexGuard},
};
use tempfile::TempDir;

type Model = BTreeMap<Vec<u8>, Vec<u8>>;

const SMALL: Sizes = Sizes { step: 1 << 10, ..SIZES };

impl Shelf {
    /// How many entries there are, pieces included.
    pub(in crate::store::disk) fn entries(&self) -> usize {
        self.tree.iter().keys().map(Result::unwrap).filter(|key| key[0] != MARK).count()
    }
}

fn reopen(path: &Path, sizes: &Sizes) -> Result<(Shelf, Option<u64>), DiskError> {
    for _ in 0..1_000_000 {
        match Shelf::open(path, sizes, |db| Ok(Box::new(File::open(db)?))) {
            Err(DiskError::Locked { .. }) => std::thread::yield_now(),
            done => return done,
        }
    }
    panic!("sled does not let go");
}

fn open(directory: &TempDir) -> Shelf {
    reopen(directory.path(), &SMALL).expect("a database of our own").0
}

fn table(batch: &Batch) -> Memtable {
    let mut table = Memtable::default();
    table.write(batch);
    table
}

fn content(shelf: &Shelf) -> Model {
    shelf.scan(b"", |_| false).unwrap().into_iter().collect()
}

/// sled never syncs a blob, so there must be none.
fn assert_no_blobs(directory: &TempDir) {
    let blobs = fs::read_dir(directory.path().join("blobs"));
    let found: Vec<_> = blobs.into_iter().flatten().collect();
    assert!(found.is_empty(), "{found:?}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    #[test]
    fn a_shelf_is_a_sorted_map_also_reopened(batches in changes()) {
        let directory = TempDir::new().unwrap();
        let mut shelf = open(&directory);
        let mut model = Model::new();
        for (changes, number) in batches.iter().zip(1..) {
            let batch = batch(changes, number as u8);
            shelf.apply(&table(&batch), number).unwrap();
            apply(&mut model, &batch);
            for key in KEYS {
                assert_eq!(shelf.get(key).unwrap().as_ref(), model.get(key));
            }
            assert!(content(&shelf) == model);
        }
        drop(shelf);
        let (reopened, complete) = reopen(directory.path(), &SMALL).unwrap();
        assert_eq!(complete, (!batches.is_empty()).then_some(batches.len() as u64));
        assert!(content(&reopened) == model);
        shelf = reopened;
        // No piece outlives its value.
        let mut batch = Batch::default();
        model.keys().for_each(|key| batch.delete(key.clone()));
        shelf.apply(&table(&batch), 100).unwrap();
        assert_eq!(shelf.entries(), 0);
    }
}

#[test]
fn long_values_are_cut_and_leave_no_blobs() {
    let directory = TempDir::new().unwrap();
    let shelf = open(&directory);
    let mut model = Model::new();
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
        shelf.apply(&table(&batch), height).unwrap();
        assert_no_blobs(&directory);
    }
    assert!(content(&shelf) == model);
    drop(shelf);
    assert!(content(&open(&directory)) == model);
    assert_no_blobs(&directory);
}

#[test]
fn a_leaf_full_of_the_longest_pieces_is_no_blob() {
    let directory = TempDir::new().unwrap();
    let shelf = open(&directory);
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
            shelf.apply(&table(&batch), 1 + number).unwrap();
        }
        assert_no_blobs(&directory);
    }
    drop(shelf);
    assert_no_blobs(&directory);
}

#[test]
fn a_missing_piece_is_damage() {
    let directory = TempDir::new().unwrap();
    let shelf = open(&directory);
    let mut batch = Batch::default();
    batch.put(b"long".to_vec(), vec![1; 3 * CHUNK]);
    shelf.apply(&table(&batch), 1).unwrap();
    let damaged = || {
        assert!(matches!(shelf.get(b"long"), Err(StoreError::Damaged { .. })));
        assert!(matches!(shelf.scan(b"", |_| false), Err(StoreError::Damaged { .. })));
        // What is not asked for is not read.
        assert_eq!(shelf.scan(b"", |key| key == b"long"), Ok(Vec::new()));
    };
    shelf.tree.remove(piece_key(b"long", 1)).unwrap();
    damaged();
    shelf.tree.insert(piece_key(b"long", 1), vec![1; 5]).unwrap();
    damaged();
    shelf.tree.insert(value_key(b"long"), vec![CUT, 1]).unwrap();
    damaged();
    let hostile = [&[CUT][..], &u64::MAX.to_be_bytes()].concat();
    shelf.tree.insert(value_key(b"long"), hostile).unwrap();
    damaged();
}

#[test]
fn an_entry_that_is_missing_added_or_changed_is_damage() {
    let changes: [fn(&sled::Tree); 5] = [
        |tree| drop(tree.remove(value_key(b"one")).unwrap()),
        |tree| drop(tree.insert(value_key(b"three"), &[WHOLE, 3]).unwrap()),
        |tree| drop(tree.insert(value_key(b"one"), &[WHOLE, 2]).unwrap()),
        |tree| drop(tree.insert([MARK], &[1, 2, 3]).unwrap()),
        |tree| drop(tree.remove([MARK]).unwrap()),
    ];
    for change in changes {
        let directory = TempDir::new().unwrap();
        let shelf = open(&directory);
        let mut batch = Batch::default();
        batch.put(b"one".to_vec(), vec![1]);
        batch.put(b"two".to_vec(), vec![2]);
        shelf.apply(&table(&batch), 1).unwrap();
        change(&shelf.tree);
        drop(shelf);
        let refused = reopen(directory.path(), &SMALL);
        assert!(matches!(refused, Err(DiskError::Damaged { .. })), "{:?}", refused.err());
    }
}

#[test]
fn what_is_there_already_and_what_never_was_costs_nothing() {
    let directory = TempDir::new().unwrap();
    let shelf = open(&directory);
    let mut batch = Batch::default();
    batch.put(b"one".to_vec(), vec![1]);
    batch.put(b"long".to_vec(), vec![1; 3 * CHUNK]);
    shelf.apply(&table(&batch), 1).unwrap();
    let mark = *shelf.mark.lock().unwrap();
    batch.delete(b"never".to_vec());
    let mut step = Step::new(mark);
    for (key, value) in table(&batch).changes() {
        for (key, value) in filed(key, value, shelf.pieces_of(key).unwrap()) {
            step.set(&shelf.tree, key, value).unwrap();
        }
    }
    assert_eq!((step.bytes, step.mark), (0, mark));
}

/// A way to sync `db` that takes its picture each time.
#[derive(Clone, Debug)]
struct Pictures(Arc<Mutex<Vec<Vec<u8>>>>, PathBuf);

impl Pictures {
    fn taken(&self) -> MutexGuard<'_, Vec<Vec<u8>>> {
        self.0.lock().unwrap()
    }
}

impl Medium for Pictures {
    fn read(&self) -> io::Result<Vec<u8>> {
        unreachable!("sled reads its file itself")
    }

    fn write_at(&self, _: u64, _: &[u8]) -> io::Result<()> {
        unreachable!("sled writes its file itself")
    }

    fn sync_data(&self) -> io::Result<()> {
        self.taken().push(fs::read(&self.1)?);
        Ok(())
    }
}

/// So much that sled uses parts of its file again. Whatever is left of `db` when the power fails
/// in a step of a checkpoint, the same checkpoint once more makes it whole.
#[test]
fn a_power_cut_in_any_step_of_a_checkpoint_does_no_harm() {
    let sizes = Sizes { step: 32 << 10, sled_segment: 512 << 10, ..SIZES };
    let directory = TempDir::new().unwrap();
    let pictures = Pictures(Arc::default(), directory.path().join("db"));
    let opened = Shelf::open(directory.path(), &sizes, |_| Ok(Box::new(pictures.clone())));
    let (shelf, _) = opened.unwrap();
    shelf.apply(&Memtable::default(), 0).unwrap();
    let (mut model, mut numbers, mut tried) = (Model::new(), random(7), 0);
    for round in 1..=40u64 {
        let mut batch = Batch::default();
        for _ in 0..300 {
            let account = sha256(&(numbers() % 1_000).to_be_bytes());
            let value = vec![round as u8; 60 + (numbers() % 100) as usize];
            batch.put([&b"a"[..], account.as_bytes()].concat(), value);
        }
        batch.put(format!("block {round}").into_bytes(), vec![round as u8; 50_000]);
        batch.delete(format!("block {}", round.saturating_sub(5)).into_bytes());
        let before = model.clone();
        apply(&mut model, &batch);
        let last = pictures.taken().split_off(0).pop();
        pictures.taken().extend(last);
        shelf.apply(&table(&batch), round).unwrap();
        let taken = pictures.taken().clone();
        for pair in taken.windows(2) {
            if !numbers().is_multiple_of(8) {
                continue;
            }
            let mut file = Sectors::between(&pair[0], &pair[1]);
            file.lose_power(&mut numbers);
            let left = TempDir::new().unwrap();
            fs::copy(directory.path().join("conf"), left.path().join("conf")).unwrap();
            fs::write(left.path().join("db"), file.left()).unwrap();
            let (shelf, complete) = reopen(left.path(), &sizes).expect("a crash is no damage");
            assert!(complete == Some(round - 1) || complete == Some(round));
            let changed = table(&batch);
            let same = |key: &[u8]| changed.get(key).is_none();
            for (key, value) in before.iter().filter(|(key, _)| same(key)) {
                assert_eq!(shelf.get(key).unwrap().as_ref(), Some(value));
            }
            shelf.apply(&changed, round).unwrap();
            assert!(content(&shelf) == model);
            tried += 1;
        }
    }
    assert!(tried > 10, "{tried}");
}
