use super::*;
use proptest::prelude::*;

fn body(len: usize) -> Vec<u8> {
    (0..len).map(|at| (at * 7) as u8 | 1).collect()
}

fn record(len: usize) -> Record {
    Record { segment: 5, first: 900, count: 3, body: body(len) }
}

/// Lengths around the ends of sectors.
fn len() -> impl Strategy<Value = usize> {
    prop_oneof![0..3usize, 468..474usize, 980..984usize, 0..5_000usize]
}

fn batch() -> impl Strategy<Value = Batch> {
    let bytes = || prop::collection::vec(any::<u8>(), 0..20);
    prop::collection::vec((bytes(), prop::option::of(bytes())), 0..5).prop_map(|changes| {
        let mut batch = Batch::default();
        for (key, value) in changes {
            match value {
                Some(value) => batch.put(key, value),
                None => batch.delete(key),
            }
        }
        batch
    })
}

proptest! {
    #[test]
    fn a_record_comes_back_from_whole_sectors(len in len(), behind in 0..2_000usize) {
        let record = record(len);
        let mut sectors = record.encode();
        assert_eq!(sectors.len(), record.len());
        assert!(sectors.len().is_multiple_of(SECTOR));
        sectors.extend(vec![0xaa; behind]);
        assert_eq!(Record::decode(&sectors, 5), Some(record));
        assert_eq!(Record::decode(&sectors, 6), None);
    }

    #[test]
    fn a_record_of_which_any_sector_is_missing_is_none(
        len in len(),
        lost in prop::collection::vec(any::<bool>(), 10),
        before in prop_oneof![Just(0u8), Just(FIRST), Just(NEXT)],
    ) {
        let mut sectors = record(len).encode();
        let whole = sectors.clone();
        for (sector, lost) in sectors.chunks_mut(SECTOR).zip(&lost) {
            if *lost {
                sector.fill(0x5c);
                sector[0] = before;
            }
        }
        assert_eq!(Record::decode(&sectors, 5).is_some(), sectors == whole);
    }

    #[test]
    fn a_record_cut_short_or_changed_anywhere_is_none(len in len(), at in any::<usize>()) {
        let mut sectors = record(len).encode();
        let at = at % sectors.len();
        assert_eq!(Record::decode(&sectors[..at], 5), None);
        sectors[at] ^= 0x10;
        // Behind the body there is nothing to lose.
        let decoded = Record::decode(&sectors, 5);
        assert!(decoded.is_none_or(|decoded| decoded == record(len)));
    }

    #[test]
    fn whatever_lies_on_a_disk_is_read_without_panic(
        bytes in prop::collection::vec(any::<u8>(), 0..3_000),
        count in any::<u32>(),
    ) {
        let mut sectors = bytes.clone();
        sectors.splice(..0, record(0).encode()[..1 + CHECK + 8].to_vec());
        let _ = (Record::decode(&bytes, 5), Record::decode(&sectors, 5), Head::decode(&bytes));
        let _ = Record { segment: 5, first: 1, count, body: bytes }.batches();
    }

    #[test]
    fn batches_come_back_in_order(batches in prop::collection::vec(batch(), 0..5)) {
        let body: Vec<u8> = batches.iter().flat_map(encode_batch).collect();
        assert_eq!(body.len(), batches.iter().map(batch_len).sum::<usize>());
        let count = batches.len() as u32;
        let record = Record { segment: 0, first: 1, count, body };
        let read = record.batches().unwrap();
        assert!(read.iter().map(Vec::as_slice).eq(batches.iter().map(Batch::changes)));
        let more = Record { count: count + 1, ..record.clone() };
        assert_eq!(more.batches(), None);
        if count > 0 {
            let fewer = Record { count: count - 1, ..record };
            assert_eq!(fewer.batches(), None);
        }
    }

    #[test]
    fn a_head_comes_back_unless_anything_is_changed(
        number in 0..=LAST,
        first in 0..=LAST,
        len in any::<u64>(),
        reached in 0..=LAST,
        at in 0..1 + 8 + 32 + CHECK,
    ) {
        let head = Head { number, first, len, reached };
        let mut sector = head.encode();
        assert_eq!(sector.len(), SECTOR);
        assert_eq!(Head::decode(&sector), Some(head));
        assert_eq!(Head::decode(&sector[..at]), None);
        sector[at] ^= 1;
        assert_eq!(Head::decode(&sector), None);
    }
}

#[test]
fn records_become_longer_sector_by_sector() {
    assert_eq!(size(0), SECTOR);
    assert_eq!(size(ROOM - PREFIX), SECTOR);
    assert_eq!(size(ROOM - PREFIX + 1), 2 * SECTOR);
    // What several batches take together is never more than what each of them takes alone.
    for (one, other) in [(0, 0), (ROOM - PREFIX, ROOM), (471, 471), (5_000, 1)] {
        assert!(size(one + other) <= size(one) + size(other));
    }
}

#[test]
fn nothing_that_is_put_into_a_record_can_pose_as_one() {
    let inner = record(3).encode();
    for shift in 0..2 * SECTOR {
        let body = [vec![9; shift], inner.repeat(6)].concat();
        let sectors = Record { segment: 5, first: 1, count: 1, body }.encode();
        let begins = (SECTOR..sectors.len()).step_by(SECTOR);
        assert!(begins.into_iter().all(|at| !Record::begins(&sectors[at..], 5)));
        assert!(sectors[SECTOR..].chunks(SECTOR).all(|sector| Head::decode(sector).is_none()));
    }
}

#[test]
fn numbers_that_nobody_counts_to_are_not_ours() {
    let record = Record { first: LAST + 1, ..record(3) };
    assert_eq!(Record::decode(&record.encode(), 5), None);
    let head = Head { number: 1, first: 2, len: 3, reached: 4 };
    let too_high = LAST + 1;
    for head in [
        Head { number: too_high, ..head },
        Head { first: too_high, ..head },
        Head { reached: too_high, ..head },
    ] {
        assert_eq!(Head::decode(&head.encode()), None);
    }
}
