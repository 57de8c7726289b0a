//! Turns within a height, and from one height to the next.

use super::rig::committee;
use crate::tendermint::rotation::{Proposers, follow};
use ledger::stake::Rotation;
use proptest::prelude::*;

#[test]
fn a_round_takes_single_steps_and_leaves_the_stored_priorities_alone() {
    let stored = Rotation::at(committee(&[3, 1, 2]), 4);
    let mut proposers = Proposers::new(stored.clone());
    proposers.reach(9);
    assert_eq!(proposers.stored(), &stored);
    let next = follow(&stored, &committee(&[3, 1, 2]), 5).expect("the same committee");
    let mut next = Proposers::new(next);
    next.reach(8);
    for round in 0..9 {
        assert_eq!(proposers.of(round + 1), next.of(round), "a failed round's successor");
    }
}

#[test]
fn what_another_committee_or_a_later_height_begins_with_is_not_guessed() {
    let stored = Rotation::at(committee(&[1, 1, 1]), 10);
    assert_eq!(follow(&stored, &committee(&[1, 2, 1]), 11), None);
    assert_eq!(follow(&stored, stored.committee(), 12), None);
    assert_eq!(follow(&stored, stored.committee(), 10), None);
}

proptest! {
    #[test]
    fn following_is_the_same_as_beginning_there(
        stakes in prop::collection::vec(1u64..40, 1..6),
        height in 0u64..1000,
        steps in 1u64..20,
    ) {
        let committee = committee(&stakes);
        let mut rotation = Rotation::at(committee.clone(), height);
        for next in height + 1..=height + steps {
            rotation = follow(&rotation, &committee, next).expect("the same committee");
        }
        prop_assert_eq!(&rotation, &Rotation::at(committee.clone(), height + steps));
    }
}
