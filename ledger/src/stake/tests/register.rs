//! Bonding, unbonding, and who votes when.

use super::*;
use proptest::prelude::*;

/// What a block at each height does to the register, if it does nothing else.
fn pass(register: &mut Register, heights: std::ops::RangeInclusive<u64>) -> Vec<(u64, u64)> {
    let mut back = Vec::new();
    for height in heights {
        if register.is_due(height) {
            let free = register.begin(height, &rules());
            back.extend(free.into_iter().map(|(_, amount)| (height, amount.0)));
        }
    }
    back
}

fn bond(register: &mut Register, owner: u8, id: u32, amount: u64) -> Result<(), StakeRefusal> {
    register.bond(key(owner).public(), ReplicaId(id), Amount(amount), &rules())
}

fn unbond(register: &mut Register, owner: u8, amount: u64, at: u64) -> Result<(), StakeRefusal> {
    register.unbond(key(owner).public(), Amount(amount), at, &rules())
}

#[test]
fn founders_vote_from_the_first_height_on() {
    let register = Register::founding(&founders());
    assert_eq!(weights(&register), [(0, 10), (1, 10), (2, 10), (3, 10)]);
    assert_eq!(register.committee(), founders().committee().unwrap());
    assert_eq!((register.held(), register.next_number()), (40, ReplicaId(4)));
}

#[test]
fn what_a_block_changes_acts_two_heights_on() {
    let mut register = Register::founding(&founders());
    pass(&mut register, 1..=5);
    // Block 5 takes these; its child is still decided by the founders.
    bond(&mut register, 4, 4, 7).unwrap();
    bond(&mut register, 0, 0, 5).unwrap();
    assert_eq!(weights(&register), [(0, 10), (1, 10), (2, 10), (3, 10)]);
    let mut after = register.clone();
    after.weigh(6);
    let after = after.committee();
    // Block 6 names the committee that decides block 7.
    pass(&mut register, 6..=6);
    assert_eq!(weights(&register), [(0, 15), (1, 10), (2, 10), (3, 10), (4, 7)]);
    assert_eq!(register.committee(), after);
    let newcomer = register.validator(ReplicaId(4)).unwrap();
    assert_eq!(newcomer.seats, [Seat { from: 7, until: None }]);
}

#[test]
fn whoever_leaves_votes_one_height_more_and_gets_its_stake_back_later() {
    let mut register = Register::founding(&founders());
    pass(&mut register, 1..=5);
    unbond(&mut register, 3, 10, 5).unwrap();
    assert_eq!((weights(&register).len(), register.held()), (4, 40));
    let back = pass(&mut register, 6..=40);
    assert_eq!(weights(&register), [(0, 10), (1, 10), (2, 10)]);
    assert_eq!(back, [(25, 10)], "20 blocks after the one that took it");
    let gone = register.validator(ReplicaId(3)).unwrap();
    assert_eq!(gone.seats, [], "it is too long ago to matter");
    // The number stays its own.
    assert_eq!(bond(&mut register, 3, 3, 2), Ok(()));
    pass(&mut register, 41..=41);
    assert_eq!(weights(&register).last(), Some(&(3, 2)));
}

#[test]
fn a_newcomer_gets_the_next_number_and_no_other() {
    let mut register = Register::founding(&founders());
    let not_next = StakeRefusal::NotNext { next: ReplicaId(4), asked: ReplicaId(5) };
    assert_eq!(bond(&mut register, 9, 5, 1), Err(not_next));
    let taken = StakeRefusal::NotNext { next: ReplicaId(4), asked: ReplicaId(0) };
    assert_eq!(bond(&mut register, 9, 0, 1), Err(taken));
    assert_eq!(bond(&mut register, 9, 4, 1), Ok(()));
    let own = StakeRefusal::OtherNumber { own: ReplicaId(4), asked: ReplicaId(5) };
    assert_eq!(bond(&mut register, 9, 5, 1), Err(own));
    assert_eq!(bond(&mut register, 8, 5, 1), Ok(()));
}

#[test]
fn what_cannot_be_taken_out_stays() {
    let mut register = Register::founding(&founders());
    assert_eq!(unbond(&mut register, 9, 1, 1), Err(StakeRefusal::NoValidator));
    let more = StakeRefusal::NotThatMuch { stake: Stake(10), asked: Amount(11) };
    assert_eq!(unbond(&mut register, 0, 11, 1), Err(more));
    let nothing = StakeRefusal::NotThatMuch { stake: Stake(10), asked: Amount(0) };
    assert_eq!(unbond(&mut register, 0, 0, 1), Err(nothing));
    for owner in 0..3 {
        unbond(&mut register, owner, 10, 1).unwrap();
    }
    assert_eq!(unbond(&mut register, 3, 10, 1), Err(StakeRefusal::Last));
    assert_eq!(unbond(&mut register, 3, 9, 1), Ok(()));
}

#[test]
fn a_stake_below_the_minimum_is_none() {
    let rules = Staking { minimum: Amount(5), ..rules() };
    let mut register = Register::founding(&founders());
    let little = |found| Err(StakeRefusal::TooLittle { minimum: Amount(5), found: Amount(found) });
    let (founder, newcomer) = (key(0).public(), key(4).public());
    assert_eq!(register.bond(newcomer, ReplicaId(4), Amount(4), &rules), little(4));
    assert_eq!(register.bond(newcomer, ReplicaId(4), Amount(5), &rules), Ok(()));
    assert_eq!(register.unbond(founder, Amount(6), 1, &rules), little(4));
    assert_eq!(register.unbond(founder, Amount(5), 1, &rules), Ok(()));
}

#[test]
fn nobody_comes_and_goes_without_bound() {
    let rules = Staking { unbonding_blocks: 900, evidence_blocks: 800, ..rules() };
    let mut register = Register::founding(&founders());
    let (owner, all) = (key(3).public(), Amount(10));
    let mut height = 1;
    let refused = loop {
        let gone = register.unbond(owner, all, height, &rules);
        register.begin(height + 1, &rules);
        let back = gone.and_then(|()| register.bond(owner, ReplicaId(3), all, &rules));
        register.begin(height + 2, &rules);
        if let Err(refused) = back {
            break refused;
        }
        height += 2;
        assert!(height < 100, "it never ends");
    };
    assert_eq!(refused, StakeRefusal::TooOften { validator: ReplicaId(3) });
}

/// A chain that stored its priorities long ago, and one that took all steps, agree.
#[test]
fn turns_follow_from_the_register_however_long_nothing_changed() {
    let mut genesis = founders();
    genesis.validators[1].stake = Stake(17);
    let mut register = Register::founding(&genesis);
    let committee = Arc::new(register.committee());
    let mut stepped = Rotation::at(committee.clone(), 1);
    for height in 1..3 * STORED_EVERY {
        assert_eq!(register.rotation(&committee, height).priorities(), stepped.priorities());
        pass(&mut register, height..=height);
        stepped = stepped.next_height();
    }
}

#[derive(Clone, Debug)]
enum Deed {
    Bond(u8, u32, u64),
    Unbond(u8, u64),
    Pass(u64),
}

fn deed() -> impl Strategy<Value = Deed> {
    prop_oneof![
        (0u8..8, 0u32..8, 0u64..30).prop_map(|(owner, id, much)| Deed::Bond(owner, id, much)),
        (0u8..8, 0u64..30).prop_map(|(owner, much)| Deed::Unbond(owner, much)),
        (1u64..12).prop_map(Deed::Pass),
    ]
}

proptest! {
    /// Whatever is asked: nothing is made or lost, a refusal changes nothing, somebody always votes.
    #[test]
    fn stake_is_neither_made_nor_lost(deeds in prop::collection::vec(deed(), 0..60)) {
        let mut register = Register::founding(&founders());
        let (mut height, mut held) = (1, 40u128);
        for deed in deeds {
            let before = register.clone();
            let done = match deed {
                Deed::Bond(owner, id, much) => {
                    let done = bond(&mut register, owner, id, much);
                    held += if done.is_ok() { u128::from(much) } else { 0 };
                    done
                }
                Deed::Unbond(owner, much) => unbond(&mut register, owner, much, height),
                Deed::Pass(blocks) => {
                    let back = pass(&mut register, height + 1..=height + blocks);
                    held -= back.iter().map(|(_, much)| u128::from(*much)).sum::<u128>();
                    height += blocks;
                    Ok(())
                }
            };
            if done.is_err() {
                prop_assert_eq!(&before, &register);
            }
            prop_assert_eq!(register.held(), held);
            prop_assert!(!register.committee().is_empty());
            prop_assert!(register.unbonding().is_sorted_by_key(|each| each.until));
            for (_, validator) in register.validators() {
                let seated = validator.seats.last().is_some_and(|seat| seat.until.is_none());
                prop_assert_eq!(seated, validator.weight.0 > 0);
            }
        }
    }
}

/// Priorities are wider than most readers of JSON can take.
#[test]
fn a_register_survives_json_and_bytes_whatever_is_at_stake() {
    let mut genesis = founders();
    genesis.validators[0].stake = Stake(u64::MAX - 100);
    let mut register = Register::founding(&genesis);
    bond(&mut register, 4, 4, 7).unwrap();
    pass(&mut register, 1..=1);
    assert!(register.turns.priorities.iter().any(|each| *each < i128::from(i64::MIN)));
    let text = serde_json::to_value(&register).expect("numbers that fit");
    assert_eq!(serde_json::from_value::<Register>(text).unwrap(), register);
    let bytes = codec::encode(&register);
    assert_eq!(codec::decode::<Register>(&bytes, codec::LONGEST).unwrap(), register);
}
