use super::*;
use crate::{gossip::SlotSummary, testing::committee};
use consensus::Quorum;
use crypto::Hash;
use ledger::Slot;

const ME: ReplicaId = ReplicaId(2);

fn summary(reach: u64, slots: &[(u64, u8)]) -> Summary {
    let slot = |&(height, bits): &(u64, u8)| SlotSummary {
        slot: Slot { height, ..Slot::default() },
        spoke: vec![bits],
        ids: Hash::ZERO,
    };
    Summary {
        reach,
        covers: (Slot::default(), Slot::default()),
        slots: slots.iter().map(slot).collect(),
        dead: Box::default(),
    }
}

fn floor_after(told: &[(u32, Summary)]) -> Option<u64> {
    let mut birth = Birth::<()>::new();
    for (by, summary) in told {
        birth.told(ReplicaId(*by), summary, ME, &committee());
    }
    let quorum = Quorum::of_stake(&committee());
    birth.floor(ME, &committee(), quorum, Duration::ZERO).map(|(floor, _)| floor)
}

#[test]
fn it_takes_a_quorum_counting_oneself() {
    let fresh = || summary(0, &[]);
    assert_eq!(floor_after(&[]), None);
    assert_eq!(floor_after(&[(0, fresh())]), None);
    assert_eq!(floor_after(&[(0, fresh()), (0, fresh())]), None, "nobody counts twice");
    assert_eq!(floor_after(&[(0, fresh()), (3, fresh())]), Some(0));
    assert_eq!(floor_after(&[(0, fresh()), (9, fresh())]), None, "strangers do not count");
}

#[test]
fn at_the_beginning_only_heights_where_we_were_heard_are_closed() {
    let others = summary(0, &[(1, 0b1011)]);
    assert_eq!(floor_after(&[(0, others.clone()), (3, others.clone())]), Some(0));
    let ours = summary(0, &[(1, 0b0100)]);
    assert_eq!(floor_after(&[(0, others), (3, ours)]), Some(1));
}

#[test]
fn later_every_height_that_anybody_sees_is_closed() {
    let ahead = summary(7, &[(8, 0b0001), (9, 0b0001)]);
    assert_eq!(floor_after(&[(0, summary(5, &[])), (3, summary(7, &[]))]), Some(8));
    assert_eq!(floor_after(&[(0, summary(5, &[])), (3, ahead)]), Some(9));
    assert_eq!(floor_after(&[(0, summary(5, &[])), (3, summary(u64::MAX, &[]))]), Some(u64::MAX));
}

#[test]
fn who_has_no_seat_closes_every_height_that_anybody_sees() {
    let floor_of = |told: &[(u32, Summary)]| {
        let mut birth = Birth::<()>::new();
        for (by, summary) in told {
            birth.told(ReplicaId(*by), summary, ReplicaId(9), &committee());
        }
        let quorum = Quorum::of_stake(&committee());
        let floor = birth.floor(ReplicaId(9), &committee(), quorum, Duration::ZERO);
        floor.map(|(floor, _)| floor)
    };
    let everybody = summary(0, &[(1, 0b1111)]);
    let told = [0, 1, 2].map(|by| (by, everybody.clone()));
    assert_eq!(floor_of(&told[..2]), None, "it counts for nothing itself");
    assert_eq!(floor_of(&told), Some(0), "nobody joins before the first block");
    let told = [(0, summary(5, &[])), (1, summary(7, &[(9, 0b0001)])), (2, summary(6, &[]))];
    assert_eq!(floor_of(&told), Some(9));
}

#[test]
fn what_waits_is_bounded_and_keeps_its_order() {
    let mut birth = Birth::new();
    (0..MAX_HELD + 3).for_each(|number| birth.hold(To::All, number));
    let held: Vec<_> = birth.into_held().into_iter().map(|(_, number)| number).collect();
    assert_eq!(held, (3..MAX_HELD + 3).collect::<Vec<_>>());
}
