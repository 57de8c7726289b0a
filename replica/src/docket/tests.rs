use super::*;
use crate::testing::{Word, hand, keys, say};
use ledger::store::MemoryStore;

fn evidence(who: u32, text: u64) -> Evidence {
    let word = |text| say(&hand(who), Word { height: 1, round: 0, text });
    word(text).evidence_with(&word(text + 1)).expect("two values in one slot")
}

#[test]
fn one_piece_is_held_against_each_and_outlives_a_crash() {
    let store = MemoryStore::default();
    let (mut docket, mut batch) = (Docket::default(), Batch::default());
    let (one, two) = (evidence(1, 1), evidence(2, 1));
    assert!(docket.hold(&one, &mut batch));
    assert!(!docket.hold(&evidence(1, 7), &mut batch), "one is enough");
    assert!(docket.hold(&two, &mut batch));
    store.write(&batch).unwrap();
    let mut docket = Docket::open(&store, &keys()).unwrap();
    assert_eq!(docket.all().collect::<Vec<_>>(), [&one, &two]);

    let mut batch = Batch::default();
    docket.forget(ReplicaId(1), &mut batch);
    docket.forget(ReplicaId(3), &mut batch);
    store.write(&batch).unwrap();
    assert_eq!(Docket::open(&store, &keys()).unwrap().offenders(), [ReplicaId(2)]);
}

#[test]
fn evidence_on_disk_that_convicts_nobody_is_damage() {
    let mut forged = evidence(1, 1);
    forged.offender = ReplicaId(2);
    let (store, mut batch) = (MemoryStore::default(), Batch::default());
    batch.put(key(ReplicaId(2)), codec::encode(&forged));
    store.write(&batch).unwrap();
    assert!(Docket::open(&store, &keys()).is_err());
}
