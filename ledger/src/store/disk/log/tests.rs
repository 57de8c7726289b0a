use super::{super::record::encode_batch, *};
use crate::store::Batch;
use proptest::prelude::*;
use std::sync::{Arc, Mutex, PoisonError};

const CAPACITY: u64 = 8 << 10;

/// A file in memory that forgets nothing.
#[derive(Clone, Debug, Default)]
struct Memory(Arc<Mutex<Vec<u8>>>);

impl Memory {
    fn bytes(&self) -> std::sync::MutexGuard<'_, Vec<u8>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Medium for Memory {
    fn read(&self) -> io::Result<Vec<u8>> {
        Ok(self.bytes().clone())
    }

    fn write_at(&self, at: u64, bytes: &[u8]) -> io::Result<()> {
        let (at, mut file) = (at as usize, self.bytes());
        let len = file.len().max(at + bytes.len());
        file.resize(len, 0);
        file[at..at + bytes.len()].copy_from_slice(bytes);
        Ok(())
    }

    fn sync_data(&self) -> io::Result<()> {
        Ok(())
    }
}

/// Two files, and a log on them.
#[derive(Clone, Debug, Default)]
struct Files([Memory; 2]);

impl Files {
    fn media(&self) -> Media {
        self.0.clone().map(|file| Box::new(file) as Box<dyn Medium>)
    }

    fn create() -> Files {
        let files = Files::default();
        Log::create(&files.media(), CAPACITY).unwrap();
        files
    }

    fn open(&self, complete: u64) -> Result<(Log, Replay), Fault> {
        Log::open(self.media(), complete)
    }

    /// What is wrong with it.
    fn damage(&self, complete: u64) -> String {
        match self.open(complete) {
            Err(Fault::Damaged(reason)) => reason,
            other => panic!("{other:?}"),
        }
    }

    /// Apart from the other one.
    fn copy(&self) -> Files {
        Files(self.0.each_ref().map(|file| Memory(Arc::new(Mutex::new(file.bytes().clone())))))
    }
}

fn record(segment: u64, first: u64, len: usize) -> Record {
    let mut batch = Batch::default();
    batch.put(first.to_be_bytes().to_vec(), vec![first as u8; len]);
    Record { segment, first, count: 1, body: encode_batch(&batch) }
}

/// The numbers of the batches that would be replayed.
fn numbers(replay: &Replay) -> Vec<u64> {
    let records = replay.older.iter().chain(&replay.younger);
    records.flat_map(|record| record.first..record.next()).collect()
}

/// What fills three sectors to the last byte.
const LEN: usize = 1_473;

/// Batches 1 to 3 in segment 1, 4 to 6 in 2, 7 to 9 in 3. Each takes three sectors.
fn nine() -> Files {
    let files = Files::create();
    let (mut log, _) = files.open(0).unwrap();
    for first in 1..=9 {
        log.append(&record(1 + (first - 1) / 3, first, LEN)).unwrap();
    }
    log.note(10).unwrap();
    files
}

#[test]
fn a_new_log_is_empty_until_something_is_written() {
    let files = Files::default();
    assert!(Log::is_fresh(&files.media()).unwrap());
    let files = Files::create();
    assert!(Log::is_fresh(&files.media()).unwrap());
    let (mut log, replay) = files.open(0).unwrap();
    assert_eq!((log.segment(), log.end(), replay.next), (1, SECTOR as u64, 1));
    assert!(numbers(&replay).is_empty());
    log.append(&record(1, 1, 10)).unwrap();
    assert!(!Log::is_fresh(&files.media()).unwrap());
    assert!(!Log::is_fresh(&nine().media()).unwrap());
}

#[test]
fn a_log_replays_what_sled_lacks() {
    let files = nine();
    let (log, replay) = files.open(3).unwrap();
    assert_eq!(numbers(&replay), [4, 5, 6, 7, 8, 9]);
    assert_eq!((log.segment(), replay.next), (3, 10));
    let replay = files.open(6).unwrap().1;
    assert_eq!(numbers(&replay), [7, 8, 9]);
    assert_eq!(replay.older, []);
    // sled took over the last segment, too, and nothing came after it.
    assert_eq!(numbers(&files.open(9).unwrap().1), [7, 8, 9]);
}

#[test]
fn a_log_and_a_sled_that_do_not_meet_are_damage() {
    assert_eq!(nine().damage(2), "neither sled nor the log has the batches 3 to 3");
    assert_eq!(nine().damage(10), "batch 10 was durable, the log ends with 9");
}

#[test]
fn what_lies_before_a_readable_record_must_be_readable() {
    // The second of three records, in the last segment and in the one before it.
    let (begin, end) = (SECTOR * 4, SECTOR * 7);
    for (file, reason) in [
        (1, "the log lost batch 8 and has batch 9 behind it"),
        (0, "the log lost batch 5 and has batch 6 behind it"),
    ] {
        let whole = nine();
        for at in (begin..end).step_by(100) {
            let files = whole.copy();
            files.0[file].bytes()[at] ^= 0xff;
            assert_eq!(files.damage(3), reason);
        }
    }
}

#[test]
fn the_last_record_before_a_crash_may_be_torn_and_gives_way() {
    let files = Files::create();
    let (mut log, _) = files.open(0).unwrap();
    log.append(&record(1, 1, LEN)).unwrap();
    log.append(&record(1, 2, LEN)).unwrap();
    // The middle one of its three sectors is missing.
    let middle = SECTOR * 5..SECTOR * 6;
    files.0[1].bytes()[middle.clone()].fill(0);
    let (_, replay) = files.open(0).unwrap();
    assert_eq!((numbers(&replay), replay.next), (vec![1], 2));
    // Should another record bring just this sector back, the torn one stays away.
    let whole = record(1, 2, LEN).encode();
    files.0[1].bytes()[middle].copy_from_slice(&whole[SECTOR..SECTOR * 2]);
    let (mut log, replay) = files.open(0).unwrap();
    assert_eq!((numbers(&replay), replay.next), (vec![1], 2));
    log.append(&record(1, 2, 10)).unwrap();
    assert_eq!(numbers(&files.open(0).unwrap().1), [1, 2]);
}

#[test]
fn an_opened_or_closed_log_misses_its_last_records() {
    let files = nine();
    files.0[1].bytes()[SECTOR * 8] ^= 1;
    assert_eq!(files.damage(6), "batch 9 was durable, the log ends with 8");
    files.0[1].bytes()[SECTOR..].fill(0);
    assert_eq!(files.damage(6), "batch 9 was durable, the log ends with 6");
}

#[test]
fn nothing_is_written_by_opening_a_log_that_was_closed() {
    let files = nine();
    let before = files.copy();
    files.open(6).unwrap();
    for (file, before) in files.0.iter().zip(&before.0) {
        assert!(*file.bytes() == *before.bytes());
    }
}

#[test]
fn a_segment_that_lacks_its_end_is_missed() {
    let files = nine();
    // The records 5 and 6 of the older segment, as if they had never been written.
    files.0[0].bytes()[SECTOR * 4..].fill(0);
    assert_eq!(files.damage(3), "the log lacks the batches 5 to 6");
    assert!(files.open(6).is_ok(), "sled has them");
}

#[test]
fn a_file_that_is_not_what_it_was_is_missed() {
    for file in [0, 1] {
        let files = nine();
        files.0[file].bytes().truncate(5_000);
        let reason = format!("log.{file} is cut short: 5000 of {CAPACITY} bytes");
        assert_eq!(files.damage(6), reason);
        files.0[file].bytes().clear();
        assert_eq!(files.damage(6), format!("the head of log.{file} is unreadable"));
    }
    // Each where the other one was.
    let Files([even, odd]) = nine();
    assert_eq!(Files([odd, even]).damage(6), "the head of log.0 is unreadable");
    // One as it was long before.
    let files = Files([Files::create().0[0].clone(), nine().0[1].clone()]);
    assert_eq!(files.damage(6), "its log has the segments (0, 3)");
}

#[test]
fn a_long_record_lengthens_the_file_before_the_head_says_so() {
    let files = Files::create();
    let (mut log, _) = files.open(0).unwrap();
    log.append(&record(1, 1, 10)).unwrap();
    log.append(&record(2, 2, 20_000)).unwrap();
    let len = files.0[0].bytes().len();
    assert!(len > 20_000);
    assert_eq!(Head::decode(&files.0[0].bytes()).unwrap().len, len as u64);
    assert_eq!(numbers(&files.open(0).unwrap().1), [1, 2]);
    files.0[0].bytes().truncate(len - 1);
    assert!(files.damage(0).contains("cut short"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    /// Damage anywhere in the one file or the other is found, or it hit what nobody needs.
    #[test]
    fn whatever_happens_to_a_closed_log_nothing_is_lost_in_silence(
        complete in 3..=9u64,
        file in 0..2usize,
        at in 0..CAPACITY as usize,
        len in prop_oneof![Just(1usize), 1..600usize, Just(CAPACITY as usize)],
        with in prop::option::of(any::<u8>()),
    ) {
        let files = nine();
        {
            let mut bytes = files.0[file].bytes();
            let end = (at + len).min(bytes.len());
            for byte in &mut bytes[at..end] {
                *byte = with.unwrap_or(!*byte);
            }
        }
        match files.open(complete) {
            Ok((_, replay)) => {
                assert_eq!(replay.next, 10);
                let found = numbers(&replay);
                assert!((complete + 1..10).all(|number| found.contains(&number)), "{found:?}");
                let records = replay.older.iter().chain(&replay.younger);
                for record in records {
                    assert_eq!(record, &self::record(record.segment, record.first, LEN));
                }
            }
            Err(Fault::Damaged(_)) => {}
            Err(Fault::Failed(error)) => panic!("{error}"),
        }
    }
}
