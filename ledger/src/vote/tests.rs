use super::*;
use crate::testing::key;
use proptest::prelude::*;

const CHAIN: ChainId = ChainId(Hash::from_bytes([1; 32]));
const OTHER_CHAIN: ChainId = ChainId(Hash::from_bytes([2; 32]));
const SLOT: Slot = Slot { height: 5, epoch: 0, round: 2, phase: 1 };

fn value(byte: u8) -> Hash {
    Hash::from_bytes([byte; 32])
}

fn committee(stakes: &[u64]) -> Committee {
    let members = stakes.iter().zip(0u8..).map(|(stake, number)| Member {
        id: ReplicaId(number.into()),
        key: key(number).public(),
        stake: Stake(*stake),
        share: crate::Share::FULL,
    });
    Committee::new(members.collect()).unwrap()
}

/// Two worlds with four replicas: one with real keys, one with simulated ones.
fn worlds() -> [(Keys, Vec<Hand>); 2] {
    let secret = SimulatedSecret([9; 32]);
    let real = |number: u8| Hand::new(ReplicaId(number.into()), CHAIN, key(number));
    [
        (Keys::of(CHAIN, &committee(&[1; 4])), (0..4).map(real).collect()),
        (
            Keys::simulated(CHAIN, secret, 4),
            (0..4).map(|id| Hand::simulated(ReplicaId(id), CHAIN, secret)).collect(),
        ),
    ]
}

#[test]
fn a_quorum_is_strictly_more_than_two_thirds_and_a_weak_one_more_than_a_third() {
    // replicas: least quorum, least weak quorum
    for (replicas, quorum, weak) in
        [(1, 1, 1), (2, 2, 1), (3, 3, 2), (4, 3, 2), (5, 4, 2), (6, 5, 3), (7, 5, 3), (10, 7, 4)]
    {
        let committee = committee(&vec![1; replicas]);
        let least = |enough: &dyn Fn(u128) -> bool| (0..).find(|weight| enough(*weight)).unwrap();
        assert_eq!(least(&|weight| committee.is_quorum(weight)), quorum, "of {replicas}");
        assert_eq!(least(&|weight| committee.is_weak_quorum(weight)), weak, "of {replicas}");
    }
}

#[test]
fn greatest_stakes_do_not_wrap() {
    let committee = committee(&[u64::MAX; 7]);
    let each = u128::from(u64::MAX);
    assert_eq!(committee.total(), 7 * each);
    assert!(committee.is_quorum(5 * each) && !committee.is_quorum(4 * each));
    assert!(committee.is_weak_quorum(3 * each) && !committee.is_weak_quorum(2 * each));
}

proptest! {
    /// Two quorums share more than a third, so somebody honest; and a quorum and a weak one meet.
    #[test]
    fn quorums_intersect_whatever_the_stakes(
        stakes in prop::collection::vec((1..=u64::MAX, any::<bool>(), any::<bool>()), 1..12),
    ) {
        let committee = committee(&stakes.iter().map(|(stake, ..)| *stake).collect::<Vec<_>>());
        let weight = |chosen: &dyn Fn(bool, bool) -> bool| -> u128 {
            let chosen = stakes.iter().filter(|(_, one, other)| chosen(*one, *other));
            chosen.map(|(stake, ..)| u128::from(*stake)).sum()
        };
        let (one, other) = (weight(&|one, _| one), weight(&|_, other| other));
        let shared = weight(&|one, other| one && other);
        if committee.is_quorum(one) && committee.is_quorum(other) {
            prop_assert!(committee.is_weak_quorum(shared));
        }
        if committee.is_quorum(one) && committee.is_weak_quorum(other) {
            prop_assert!(shared > 0);
        }
        prop_assert!(committee.is_quorum(committee.total()));
        prop_assert!(!committee.is_weak_quorum(0));
    }
}

#[test]
fn a_committee_is_sorted_and_found_by_id() {
    let member = |number: u8| Member {
        id: ReplicaId(number.into()),
        key: key(number).public(),
        stake: Stake(number.into()),
        share: crate::Share::FULL,
    };
    let committee = Committee::new(vec![member(9), member(2), member(5)]).unwrap();
    assert_eq!(committee.members(), [member(2), member(5), member(9)]);
    assert_eq!(committee.seat(ReplicaId(5)), Some(1));
    assert_eq!(committee.member(ReplicaId(9)), Some(&member(9)));
    assert_eq!(committee.seat(ReplicaId(3)), None);
    assert_eq!((committee.len(), committee.total(), committee.is_empty()), (3, 16, false));
    let same = Committee::new(vec![member(5), member(9), member(2)]).unwrap();
    assert_eq!(same.root(), committee.root(), "the order they are given in does not matter");
    let fewer = Committee::new(vec![member(5), member(9)]).unwrap();
    assert_ne!(fewer.root(), committee.root());
}

#[test]
fn bad_committees_are_refused() {
    let member = |id: u32, number: u8, stake| Member {
        id: ReplicaId(id),
        key: key(number).public(),
        stake: Stake(stake),
        share: crate::Share::FULL,
    };
    let refused = |members| Committee::new(members).unwrap_err();
    assert_eq!(refused(vec![]), BadCommittee::Empty);
    assert_eq!(
        refused(vec![member(3, 0, 1), member(1, 1, 1), member(3, 2, 1)]),
        BadCommittee::SameId(ReplicaId(3))
    );
    assert_eq!(
        refused(vec![member(0, 4, 1), member(1, 5, 1), member(2, 4, 1)]),
        BadCommittee::SameKey(key(4).public())
    );
    assert_eq!(
        refused(vec![member(0, 0, 1), member(1, 1, 0)]),
        BadCommittee::NoStake(ReplicaId(1))
    );
    let crowd = vec![member(0, 0, 1); MAX_COMMITTEE + 1];
    assert_eq!(refused(crowd), BadCommittee::TooMany(MAX_COMMITTEE + 1));
}

#[test]
fn a_signature_counts_for_its_sender_slot_value_and_chain_only() {
    for (keys, hands) in worlds() {
        let signature = hands[1].sign(Some(SLOT), value(7));
        let vote = Vote { sender: ReplicaId(1), slot: Some(SLOT), value: value(7) };
        assert!(keys.check(&vote, &signature));
        let others = [
            Vote { sender: ReplicaId(2), ..vote },
            Vote { sender: ReplicaId(4), ..vote },
            Vote { slot: None, ..vote },
            Vote { slot: Some(Slot { phase: 2, ..SLOT }), ..vote },
            Vote { slot: Some(Slot { epoch: 1, ..SLOT }), ..vote },
            Vote { slot: Some(Slot { round: 3, ..SLOT }), ..vote },
            Vote { slot: Some(Slot { height: 6, ..SLOT }), ..vote },
            Vote { value: value(8), ..vote },
        ];
        assert!(others.iter().all(|other| !keys.check(other, &signature)));
        assert_ne!(vote.preimage(CHAIN), vote.preimage(OTHER_CHAIN));
    }
    let elsewhere = Keys::of(OTHER_CHAIN, &committee(&[1; 4]));
    let signature = Hand::new(ReplicaId(1), CHAIN, key(1)).sign(Some(SLOT), value(7));
    let vote = Vote { sender: ReplicaId(1), slot: Some(SLOT), value: value(7) };
    assert!(!elsewhere.check(&vote, &signature));
}

#[test]
fn a_simulated_hand_signs_for_nobody_else() {
    let (keys, hands) = &worlds()[1];
    let vote = Vote { sender: ReplicaId(0), slot: Some(SLOT), value: value(7) };
    for liar in &hands[1..] {
        let signature = liar.sign(Some(SLOT), value(7));
        assert!(!keys.check(&vote, &signature));
        // Nor does it help to write somebody else's number where one's own stands.
        let mut forged = signature.to_bytes();
        forged[32..36].copy_from_slice(&0u32.to_le_bytes());
        assert!(!keys.check(&vote, &Signature::from_bytes(forged)));
    }
    let stranger = Hand::simulated(ReplicaId(0), CHAIN, SimulatedSecret([8; 32]));
    assert!(!keys.check(&vote, &stranger.sign(Some(SLOT), value(7))), "another world's secret");
    let outsider = Hand::simulated(ReplicaId(4), CHAIN, SimulatedSecret([9; 32]));
    let vote = Vote { sender: ReplicaId(4), ..vote };
    assert!(!keys.check(&vote, &outsider.sign(Some(SLOT), value(7))), "nobody has this number");
}

#[test]
fn secrets_are_not_printed() {
    let hand = Hand::simulated(ReplicaId(0), CHAIN, SimulatedSecret([0xab; 32]));
    let text = format!("{hand:?}");
    assert!(text.contains("SimulatedSecret(..)") && !text.contains("171"), "{text}");
}

#[test]
fn evidence_convicts_real_equivocation() {
    for (keys, hands) in worlds() {
        let said = |byte| (value(byte), hands[2].sign(Some(SLOT), value(byte)));
        let evidence = Evidence::new(ReplicaId(2), SLOT, said(9), said(3));
        assert!(evidence.verify(&keys));
        assert!(evidence.first.0 < evidence.second.0);
        assert_eq!(evidence, Evidence::new(ReplicaId(2), SLOT, said(3), said(9)));
    }
}

#[test]
fn evidence_convicts_nobody_innocent() {
    for (keys, hands) in worlds() {
        let said = |who: usize, slot, byte| (value(byte), hands[who].sign(Some(slot), value(byte)));
        let later = Slot { round: 3, ..SLOT };
        let innocent = [
            ("said one thing twice", said(2, SLOT, 3), said(2, SLOT, 3)),
            ("spoke in two slots", said(2, SLOT, 3), said(2, later, 9)),
            ("somebody else spoke", said(2, SLOT, 3), said(1, SLOT, 9)),
            ("both were somebody else", said(1, SLOT, 3), said(1, SLOT, 9)),
            ("one was said freely", said(2, SLOT, 3), (value(9), hands[2].sign(None, value(9)))),
        ];
        for (story, one, other) in innocent {
            assert!(!Evidence::new(ReplicaId(2), SLOT, one, other).verify(&keys), "{story}");
        }
        // One crime has one spelling.
        let mut swapped = Evidence::new(ReplicaId(2), SLOT, said(2, SLOT, 3), said(2, SLOT, 9));
        std::mem::swap(&mut swapped.first, &mut swapped.second);
        assert!(!swapped.verify(&keys));
    }
}

#[test]
fn a_member_whose_key_is_no_point_never_verifies() {
    let mut members = committee(&[1; 4]).members().to_vec();
    members[3].key = PublicKey::from_bytes([0xff; 32]);
    let keys = Keys::of(CHAIN, &Committee::new(members).unwrap());
    let vote = Vote { sender: ReplicaId(3), slot: Some(SLOT), value: value(1) };
    let signature = Hand::new(ReplicaId(3), CHAIN, key(3)).sign(Some(SLOT), value(1));
    assert!(!keys.check(&vote, &signature));
    assert_eq!(keys.chain(), CHAIN);
}

#[test]
fn slots_sort_by_height_epoch_round_and_phase() {
    let slot = |height, epoch, round, phase| Slot { height, epoch, round, phase };
    let sorted = [
        slot(0, 0, 9, 9),
        slot(1, 0, 0, 0),
        slot(1, 0, 0, 1),
        slot(1, 0, 1, 0),
        slot(1, 1, 0, 0),
        slot(2, 0, 0, 0),
    ];
    assert!(sorted.is_sorted());
}
