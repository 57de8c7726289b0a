mod lemma;

use super::*;
use crate::{Committee, ReplicaId, Stake, testing::key, vote::Member};
use proptest::prelude::*;

const LEAK: Leak = Leak {
    mode: Mode::Recovery,
    quotient: 64,
    tolerates_permille: 100,
    bounded: true,
    grace_rounds: 5,
};

fn unbounded(quotient: u64) -> Leak {
    Leak { quotient, bounded: false, ..LEAK }
}

fn committee(stakes: &[u64]) -> Committee {
    let members = (0..).zip(stakes).map(|(id, &stake)| {
        let number = u8::try_from(id).unwrap();
        Member::new(ReplicaId(id), key(number).public(), Stake(stake))
    });
    Committee::new(members.collect()).unwrap()
}

/// Rows from the first that counts on, in all of which the same were heard.
fn rows(count: u64, present: &[u32]) -> Table {
    let present: Vec<_> = present.iter().copied().map(ReplicaId).collect();
    let row = |round| Row { round, present: present.clone() };
    Table::new((LEAK.grace_rounds..LEAK.grace_rounds + count).map(row).collect())
}

/// After how many rows those of `0..active` are a quorum of `all`.
fn recovery(leak: &Leak, active: u32, all: u32) -> Option<u64> {
    let committee = committee(&vec![1; all as usize]);
    let present: Vec<_> = (0..active).collect();
    (0..200).find(|&count| {
        let weighed = rows(count, &present).weigh(&committee, leak);
        let weight = (0..active as usize).map(|seat| weighed.weight(seat)).sum();
        weighed.is_quorum(weight)
    })
}

/// SCIENCE S16: exact integers.
#[test]
fn a_quorum_comes_back_after_as_many_misses_as_the_table_says() {
    let fractions = [(2, 4), (3, 5), (4, 7), (5, 9), (1, 4), (33, 50)];
    let table = [
        (64, [9, 6, 7, 8, 15, 2]),
        (256, [19, 12, 14, 15, 30, 4]),
        (1024, [37, 24, 29, 31, 60, 8]),
    ];
    for (quotient, rows) in table {
        for ((active, all), expected) in fractions.into_iter().zip(rows) {
            let found = recovery(&unbounded(quotient), active, all);
            // A table of fifty seats has room for forty rows, and needs eight.
            assert_eq!(found, Some(expected), "Q = {quotient}, {active} of {all}");
        }
    }
}

#[test]
fn a_floor_lets_three_of_five_recover_and_two_of_four_never() {
    assert_eq!(recovery(&LEAK, 3, 5), Some(6));
    assert_eq!(recovery(&Leak { quotient: 256, ..LEAK }, 3, 5), Some(12));
    assert_eq!(recovery(&LEAK, 2, 4), None);
    // Three of five are no majority if a quarter may be Byzantine: their rows say nothing.
    let cautious = Leak { tolerates_permille: 250, ..LEAK };
    assert_eq!(recovery(&cautious, 3, 5), None);
}

#[test]
fn the_floor_is_rounded_up() {
    let floor = |tolerates_permille| Leak { tolerates_permille, ..LEAK }.floor();
    assert_eq!(floor(0), 500_000);
    assert_eq!(floor(100), 611_112, "eleven eighteenths");
    assert_eq!(floor(200), 750_000);
    assert_eq!(floor(333), 999_251);
    assert_eq!(unbounded(64).floor(), 0);
}

/// Half of it is gone after t misses where Q = t²/2ln2 (SCIENCE S16).
#[test]
fn how_long_two_sides_may_be_apart() {
    let safe = |tolerates_permille| Leak { tolerates_permille, ..unbounded(1024) }.safe_misses();
    // One more than the last safe one is S18's k: 37, 32, 24, 19, 12.
    assert_eq!([0, 100, 200, 250, 300].map(safe), [37, 32, 24, 19, 12].map(|first| first - 1));
}

#[test]
fn what_has_leaked_comes_back_by_presence_alone() {
    let mut share = Share { left: 611_112, score: 48 };
    for _ in 0..7 {
        share = LEAK.hear(share);
    }
    assert_eq!(share, Share { left: WHOLE, score: 41 });
    let mut share = Share { left: 611_112, score: 48 };
    let blocks = (1..).find(|_| {
        share = LEAK.precommit(share);
        share.left == WHOLE
    });
    assert_eq!((blocks, share.score), (Some(25), 0));
}

#[test]
fn a_minority_says_nothing_about_others() {
    let committee = committee(&[1, 1, 1, 1, 1]);
    let weighed = rows(20, &[0, 1]).weigh(&committee, &LEAK);
    assert_eq!(weighed, committee);
    // Where nothing is promised anybody may.
    let weighed = rows(20, &[0, 1]).weigh(&committee, &unbounded(64));
    assert!(weighed.is_quorum(weighed.weight(0) + weighed.weight(1)));
}

#[test]
fn a_table_is_checked() {
    let committee = committee(&[1, 1, 1, 1]);
    let row = |round, present: &[u32]| Row {
        round,
        present: present.iter().copied().map(ReplicaId).collect(),
    };
    let judged = |rows: Vec<Row>| Table::new(rows).check(9, &committee, &LEAK);
    assert_eq!(judged(vec![]), Ok(()));
    assert_eq!(judged(vec![row(5, &[0, 3]), row(8, &[1])]), Ok(()));
    let round = |row, next| Err(BadTable::Round { row, next, round: 9 });
    assert_eq!(judged(vec![row(4, &[0])]), round(4, 5));
    assert_eq!(judged(vec![row(9, &[0])]), round(9, 5));
    assert_eq!(judged(vec![row(6, &[0]), row(6, &[1])]), round(6, 7));
    assert_eq!(judged(vec![row(6, &[])]), Err(BadTable::Disorder { row: 6 }));
    assert_eq!(judged(vec![row(6, &[1, 1])]), Err(BadTable::Disorder { row: 6 }));
    assert_eq!(judged(vec![row(6, &[2, 1])]), Err(BadTable::Disorder { row: 6 }));
    let stranger = Err(BadTable::Stranger { row: 6, stranger: ReplicaId(4) });
    assert_eq!(judged(vec![row(6, &[1, 4])]), stranger);
    // Four seats leave room for 512 rows.
    assert_eq!(Table::first_round(&LEAK, 1000, 4), 488);
    let late = Table::new(vec![row(487, &[0])]).check(1000, &committee, &LEAK);
    assert_eq!(late, Err(BadTable::Round { row: 487, next: 488, round: 1000 }));
}

proptest! {
    /// The lemma: every quorum holds more than half of the honest bonds, so any two of them, under whatever
    /// weights from the floor to the whole, share somebody honest.
    #[test]
    fn two_quorums_under_whatever_weights_share_somebody_honest(
        stakes in prop::collection::vec(1..1_000u64, 3..9),
        byzantine in any::<u16>(),
        permille in 0..334u64,
        sides in prop::collection::vec((any::<bool>(), any::<bool>(), any::<bool>(), any::<bool>()), 9),
    ) {
        let leak = Leak { tolerates_permille: permille, ..LEAK };
        let committee = committee(&stakes);
        // As many as the budget allows, of those the dice name.
        let mut left = u64::try_from(committee.bonded()).unwrap() * permille / 1000;
        let mut is_byzantine = vec![false; stakes.len()];
        for (seat, &stake) in stakes.iter().enumerate() {
            if byzantine >> seat & 1 == 1 && stake <= left {
                left -= stake;
                is_byzantine[seat] = true;
            }
        }
        let side = |inside: &dyn Fn(usize) -> (bool, bool)| {
            let share = |seat| {
                let left = match inside(seat) {
                    (true, _) => WHOLE,
                    (false, true) => leak.floor(),
                    (false, false) => WHOLE,
                };
                Share { left, score: 0 }
            };
            let weighed = committee.with_shares((0..stakes.len()).map(share).collect());
            let members: Vec<_> =
                (0..stakes.len()).filter(|&seat| inside(seat).0 || is_byzantine[seat]).collect();
            let weight = members.iter().map(|&seat| weighed.weight(seat)).sum();
            weighed.is_quorum(weight).then_some(members)
        };
        let one = side(&|seat| (sides[seat].0, sides[seat].1));
        let other = side(&|seat| (sides[seat].2, sides[seat].3));
        if let (Some(one), Some(other)) = (one, other) {
            let shared = one.iter().any(|seat| other.contains(seat) && !is_byzantine[*seat]);
            prop_assert!(shared, "{one:?} and {other:?}");
        }
    }

    #[test]
    fn a_share_stays_between_the_floor_and_the_whole(
        quotient in 1..100_000u64,
        permille in 0..334u64,
        steps in prop::collection::vec(0..3u8, 0..200),
    ) {
        let leak = Leak { quotient, tolerates_permille: permille, ..LEAK };
        let mut share = Share::FULL;
        for step in steps {
            share = match step {
                0 => leak.miss(share),
                1 => leak.hear(share),
                _ => leak.precommit(share),
            };
            prop_assert!((leak.floor()..=WHOLE).contains(&share.left), "{share:?}");
        }
    }
}
