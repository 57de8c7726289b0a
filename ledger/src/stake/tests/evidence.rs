//! What convicts, and what it costs.

use super::*;
use crate::{Hand, Keys, Slot, vote::Evidence};
use proptest::prelude::*;

fn keys() -> Keys {
    let genesis = founders();
    Keys::of(genesis.chain_id(), &genesis.committee().unwrap())
}

fn said(what: u8) -> Hash {
    Hash::from_bytes([what; 32])
}

/// Two values signed with the key `signer` in one slot of a height.
fn double(offender: u32, signer: u8, height: u64) -> Evidence {
    let hand = Hand::new(ReplicaId(offender), founders().chain_id(), key(signer));
    let slot = Slot { height, epoch: 0, round: 0, phase: 1 };
    let signed = |what| (said(what), hand.sign(Some(slot), said(what)));
    Evidence::new(ReplicaId(offender), slot, signed(1), signed(2))
}

fn tried(register: &Register, evidence: &Evidence, by: u8, at: u64) -> Result<(), EvidenceRefusal> {
    register.try_evidence(evidence, key(by).public(), at, &keys(), &rules())
}

#[test]
fn a_double_vote_costs_a_share_and_the_seat() {
    let mut genesis = founders();
    genesis.validators[3].stake = Stake(1_000);
    let mut register = Register::founding(&genesis);
    register.unbond(key(3).public(), Amount(105), 5, &rules()).unwrap();
    let evidence = double(3, 3, 4);
    assert_eq!(tried(&register, &evidence, 0, 6), Ok(()));
    let penalty = register.punish(&evidence, 6, &rules());
    // A tenth of 895 and of 105, rounded up; a tenth of that goes to the reporter, rounded down.
    assert_eq!(penalty.stake, Stake(895));
    assert_eq!((penalty.reward, penalty.burned), (Amount(10), Amount(91)));
    assert_eq!((register.burned(), register.held()), (Amount(91), 1030 - 101));
    let leaving: Vec<_> = register.unbonding().iter().map(|e| (e.amount.0, e.until)).collect();
    assert_eq!(leaving, [(94, 25), (805, 26)]);
    // It has a vote in the block that follows, and never again.
    register.begin(7, &rules());
    assert_eq!(weights(&register), [(0, 10), (1, 10), (2, 10)]);
    let back = register.bond(key(3).public(), ReplicaId(3), Amount(1_000), &rules());
    assert_eq!(back, Err(StakeRefusal::Punished { validator: ReplicaId(3), height: 6 }));
}

#[test]
fn the_same_again_and_any_other_deed_is_refused_after_the_first() {
    let mut register = Register::founding(&founders());
    let evidence = double(3, 3, 4);
    register.punish(&evidence, 6, &rules());
    let refused = Err(EvidenceRefusal::Punished { validator: ReplicaId(3), height: 6 });
    assert_eq!(tried(&register, &evidence, 0, 6), refused);
    assert_eq!(tried(&register, &double(3, 3, 5), 1, 7), refused);
}

#[test]
fn nobody_is_paid_for_reporting_itself() {
    let register = Register::founding(&founders());
    assert_eq!(tried(&register, &double(3, 3, 4), 3, 6), Err(EvidenceRefusal::SelfServing));
}

#[test]
fn evidence_expires_and_never_comes_early() {
    let register = Register::founding(&founders());
    let evidence = double(3, 3, 4);
    assert_eq!(tried(&register, &evidence, 0, 4), Ok(()));
    assert_eq!(tried(&register, &evidence, 0, 14), Ok(()));
    let expired = EvidenceRefusal::Expired { slot: 4, height: 15, oldest: 5 };
    assert_eq!(tried(&register, &evidence, 0, 15), Err(expired));
    let early = EvidenceRefusal::Early { slot: 4, height: 3 };
    assert_eq!(tried(&register, &evidence, 0, 3), Err(early));
    assert_eq!(tried(&register, &double(3, 3, 0), 0, 3), Err(EvidenceRefusal::Undated));
}

#[test]
fn forged_evidence_convicts_nobody() {
    let register = Register::founding(&founders());
    // Signed with another's key.
    let other = double(3, 2, 4);
    assert_eq!(tried(&register, &other, 0, 6), Err(EvidenceRefusal::Forged(ReplicaId(3))));
    // The same value twice, and two in the wrong order.
    let good = double(3, 3, 4);
    let same = Evidence { second: good.first, ..good.clone() };
    assert_eq!(tried(&register, &same, 0, 6), Err(EvidenceRefusal::Forged(ReplicaId(3))));
    let swapped = Evidence { first: good.second, second: good.first, ..good.clone() };
    assert_eq!(tried(&register, &swapped, 0, 6), Err(EvidenceRefusal::Forged(ReplicaId(3))));
    // Of another slot, or of another chain.
    let moved = Evidence { slot: Slot { height: 5, ..good.slot }, ..good };
    assert_eq!(tried(&register, &moved, 0, 6), Err(EvidenceRefusal::Forged(ReplicaId(3))));
    let nobody = Err(EvidenceRefusal::Unknown(ReplicaId(77)));
    assert_eq!(tried(&register, &double(77, 3, 4), 0, 6), nobody);
}

#[test]
fn only_who_had_a_seat_there_broke_a_promise() {
    let mut register = Register::founding(&founders());
    register.bond(key(4).public(), ReplicaId(4), Amount(9), &rules()).unwrap();
    register.begin(3, &rules());
    let none = Err(EvidenceRefusal::NoSeat { validator: ReplicaId(4), slot: 3 });
    assert_eq!(tried(&register, &double(4, 4, 3), 0, 6), none, "it votes from height 4 on");
    assert_eq!(tried(&register, &double(4, 4, 4), 0, 6), Ok(()));
    register.unbond(key(4).public(), Amount(9), 6, &rules()).unwrap();
    register.begin(7, &rules());
    assert_eq!(tried(&register, &double(4, 4, 7), 0, 9), Ok(()));
    let none = Err(EvidenceRefusal::NoSeat { validator: ReplicaId(4), slot: 8 });
    assert_eq!(tried(&register, &double(4, 4, 8), 0, 9), none, "it left after height 7");
}

/// Nobody gets out in time: what is on its way back is lost like the rest.
#[test]
fn stake_on_its_way_back_can_be_lost_as_long_as_evidence_counts() {
    let mut register = Register::founding(&founders());
    register.unbond(key(3).public(), Amount(10), 5, &rules()).unwrap();
    register.begin(6, &rules());
    let evidence = double(3, 3, 6);
    assert_eq!(tried(&register, &evidence, 0, 16), Ok(()));
    let penalty = register.punish(&evidence, 16, &rules());
    assert_eq!((penalty.stake, penalty.burned), (Stake(0), Amount(1)));
    assert_eq!(register.held(), 39);
}

/// The last height that it decided, reported by the last block that may: the stake is still there.
#[test]
fn nobody_has_its_stake_back_while_evidence_still_counts() {
    let rules = Staking { unbonding_blocks: 12, evidence_blocks: 10, ..rules() };
    let mut register = Register::founding(&founders());
    register.unbond(key(3).public(), Amount(10), 5, &rules).unwrap();
    let evidence = double(3, 3, 6);
    for height in 6..=16 {
        assert_eq!(register.begin(height, &rules), [], "nothing comes back at {height}");
    }
    let good = register.try_evidence(&evidence, key(0).public(), 16, &keys(), &rules);
    assert_eq!(good, Ok(()));
    let late = register.try_evidence(&evidence, key(0).public(), 17, &keys(), &rules);
    assert!(matches!(late, Err(EvidenceRefusal::Expired { .. })));
    assert_eq!(register.begin(17, &rules), [(key(3).public(), Amount(10))]);
}

/// Whoever votes on because nobody else is left does not get its stake back meanwhile.
#[test]
fn whoever_still_votes_has_something_at_stake() {
    // It may leave as long as another has stake; that one is punished in the same block.
    let mut register = Register::founding(&founders());
    for owner in [2, 3] {
        register.punish(&double(owner, owner as u8, 2), 3, &rules());
    }
    register.unbond(key(0).public(), Amount(10), 3, &rules()).unwrap();
    register.punish(&double(1, 1, 2), 3, &rules());
    for height in 4..100 {
        let back = register.begin(height, &rules());
        assert!(back.iter().all(|(owner, _)| *owner != key(0).public()), "at {height}");
    }
    assert!(register.committee().member(ReplicaId(0)).is_some());
}

/// A chain whose last validator is guilty goes on with it: nobody else could decide anything.
#[test]
fn the_last_one_keeps_its_vote() {
    let mut register = Register::founding(&founders());
    for owner in 0..4 {
        register.punish(&double(owner, owner as u8, 2), 3, &rules());
        register.begin(4 + u64::from(owner), &rules());
    }
    assert_eq!(weights(&register), [(3, 10)]);
    assert_eq!(register.validator(ReplicaId(3)).unwrap().stake, Stake(0));
}

proptest! {
    /// Whatever somebody makes of two signatures convicts nobody, unless they are two of one slot.
    #[test]
    fn a_changed_bit_convicts_nobody(byte in any::<prop::sample::Index>(), bit in 0u8..8) {
        let register = Register::founding(&founders());
        let good = double(3, 3, 4);
        let mut bytes = codec::encode(&good);
        let at = byte.index(bytes.len());
        bytes[at] ^= 1 << bit;
        if let Ok(changed) = codec::decode::<Evidence>(&bytes, 4096) {
            prop_assert!(tried(&register, &changed, 0, 6).is_err());
        }
    }

    /// However much is at stake and however harsh the rules: nothing is made or lost, nothing overflows.
    #[test]
    fn a_punishment_conserves_money(
        stake in 1u64..u64::MAX / 8,
        leaving in prop::collection::vec(1u64..1_000, 0..5),
        penalty_permille in 0u64..=1000,
        reporter_permille in 0u64..=1000,
    ) {
        let rules = Staking { penalty_permille, reporter_permille, ..rules() };
        let mut genesis = founders();
        genesis.validators[3].stake = Stake(stake);
        let mut register = Register::founding(&genesis);
        for (at, much) in (1..).zip(leaving) {
            let _ = register.unbond(key(3).public(), Amount(much), at, &rules);
        }
        let before = register.held();
        let penalty = register.punish(&double(3, 3, 4), 6, &rules);
        let lost = u128::from(penalty.reward.0) + u128::from(penalty.burned.0);
        prop_assert_eq!(register.held() + lost, before);
        prop_assert_eq!(register.burned(), penalty.burned);
        prop_assert!(lost * 1000 >= (before - 30) * u128::from(penalty_permille));
    }
}
