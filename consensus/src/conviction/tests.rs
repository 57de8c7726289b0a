use super::*;
use crypto::Hash;
use ledger::{ChainId, Hand, vote::SimulatedSecret};

const SECRET: SimulatedSecret = SimulatedSecret([3; 32]);

fn chain() -> ChainId {
    ChainId(Hash::from_bytes([1; 32]))
}

fn keys() -> Keys {
    Keys::simulated(chain(), SECRET, 4)
}

/// What three of four put their names to.
fn backing(round: u64, value: u8, signers: [u32; 3]) -> Vec<Backing> {
    let (slot, value) =
        (Slot { height: 1, round, ..Slot::default() }, Hash::from_bytes([value; 32]));
    let one = |id| {
        let signature = Hand::simulated(ReplicaId(id), chain(), SECRET).sign(Some(slot), value);
        Backing { signer: ReplicaId(id), slot, value, signature }
    };
    signers.map(one).to_vec()
}

#[test]
fn whoever_signed_two_values_in_one_slot_is_convicted_and_nobody_else() {
    let (one, other) = (backing(0, 1, [0, 2, 3]), backing(0, 2, [1, 2, 3]));
    let found = contradictions(&one, &other, &keys());
    assert_eq!(found.keys().copied().collect::<Vec<_>>(), [ReplicaId(2), ReplicaId(3)]);
    assert!(found.values().all(|evidence| evidence.verify(&keys())));
    assert!(contradictions(&one, &one, &keys()).is_empty(), "the same proof twice");
}

#[test]
fn a_signature_that_is_not_its_senders_convicts_nobody() {
    let (one, mut other) = (backing(0, 1, [0, 2, 3]), backing(0, 2, [1, 2, 3]));
    other[1].signature = other[0].signature;
    let found = contradictions(&one, &other, &keys());
    assert_eq!(found.keys().copied().collect::<Vec<_>>(), [ReplicaId(3)]);
}

#[test]
fn proofs_of_two_rounds_convict_nobody_and_name_who_signed_both() {
    let (one, other) = (backing(0, 1, [0, 2, 3]), backing(1, 2, [1, 2, 3]));
    assert!(contradictions(&one, &other, &keys()).is_empty());
    let block = |byte| BlockHash(Hash::from_bytes([byte; 32]));
    let sides = [(block(1), Some(&one[..])), (block(2), Some(&other[..]))];
    let why = Unprovable::why(true, sides).expect("nobody is convicted");
    let both = vec![ReplicaId(2), ReplicaId(3)];
    assert_eq!(why, Unprovable::Amnesia { slots: [one[0].slot, other[0].slot], both });
    assert!(why.to_string().contains("among those who signed both (2, 3)"), "{why}");
    assert_eq!(Unprovable::why(false, sides), Some(Unprovable::NobodySigns));
    let without = [sides[0], (block(2), None)];
    assert_eq!(Unprovable::why(true, without), Some(Unprovable::NoProof { block: block(2) }));
}
