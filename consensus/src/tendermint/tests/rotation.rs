//! Turns in proportion to stake.

use super::rig::committee;
use crate::tendermint::rotation::{Proposers, Rotation};
use ledger::ReplicaId;
use proptest::prelude::*;

fn first(stakes: &[u64], steps: usize) -> Vec<u32> {
    let mut rotation = Rotation::at(committee(stakes), 0);
    (0..steps).map(|_| rotation.step().0).collect()
}

#[test]
fn equal_stakes_take_turns_by_id() {
    assert_eq!(first(&[5; 4], 9), [0, 1, 2, 3, 0, 1, 2, 3, 0]);
}

#[test]
fn unequal_stakes_interleave() {
    // By hand: 5,1,1 | -2,1,1 -> 3,2,2 | -4,2,2 -> 1,3,3 | 1,-4,3 -> 6,-3,4 | ...
    assert_eq!(first(&[5, 1, 1], 8), [0, 0, 1, 0, 2, 0, 0, 0]);
}

#[test]
fn a_million_to_one_is_fair_too() {
    let period = Rotation::at(committee(&[1_000_000, 1]), 0).period();
    assert_eq!(period, 1_000_001);
    // Far beyond what single steps reach: reduced to 7 steps.
    let far = u64::try_from(period * 1_000_000_000 + 7).unwrap();
    let mut one = Rotation::at(committee(&[1_000_000, 1]), far);
    let mut other = Rotation::at(committee(&[1_000_000, 1]), 7);
    assert!((0..100).all(|_| one.step() == other.step()));
}

#[test]
fn huge_stakes_do_not_overflow() {
    let mut rotation = Rotation::at(committee(&[u64::MAX; 100]), 0);
    assert_eq!(rotation.period(), 100);
    assert_eq!((0..200).map(|_| rotation.step().0).max(), Some(99));
}

#[test]
fn a_round_takes_single_steps_and_leaves_the_stored_priorities_alone() {
    let stored = Rotation::at(committee(&[3, 1, 2]), 4);
    let mut proposers = Proposers::new(stored.clone());
    proposers.reach(9);
    assert_eq!(proposers.stored(), &stored);
    let mut next = Proposers::new(stored.follow(committee(&[3, 1, 2]), 5));
    next.reach(8);
    for round in 0..9 {
        assert_eq!(proposers.of(round + 1), next.of(round), "a failed round's successor");
    }
}

#[test]
fn another_committee_begins_from_its_own_zero() {
    let old = Rotation::at(committee(&[1, 1, 1]), 10);
    let new = committee(&[1, 2, 1]);
    assert_eq!(old.follow(new.clone(), 11), Rotation::at(new, 11));
}

proptest! {
    #[test]
    fn over_a_period_each_proposes_in_proportion_and_all_repeats(
        stakes in prop::collection::vec(1u64..40, 1..6),
    ) {
        let mut rotation = Rotation::at(committee(&stakes), 0);
        let period = usize::try_from(rotation.period()).unwrap();
        let turns: Vec<_> = (0..2 * period).map(|_| rotation.step()).collect();
        prop_assert_eq!(&turns[..period], &turns[period..]);
        let total: u64 = stakes.iter().sum();
        for (id, stake) in (0..).zip(&stakes) {
            let count = turns[..period].iter().filter(|&&turn| turn == ReplicaId(id)).count();
            prop_assert_eq!(count as u64 * total, stake * period as u64);
        }
    }

    #[test]
    fn following_is_the_same_as_beginning_there(
        stakes in prop::collection::vec(1u64..40, 1..6),
        height in 0u64..1000,
        steps in 1u64..20,
    ) {
        let committee = committee(&stakes);
        let mut rotation = Rotation::at(committee.clone(), height);
        for next in height + 1..=height + steps {
            rotation = rotation.follow(committee.clone(), next);
        }
        prop_assert_eq!(&rotation, &Rotation::at(committee.clone(), height + steps));
        let jumped = Rotation::at(committee.clone(), height).follow(committee, height + steps);
        prop_assert_eq!(rotation, jumped);
    }
}
