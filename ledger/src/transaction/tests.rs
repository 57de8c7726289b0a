use super::*;
use crate::{
    ReplicaId, Slot,
    testing::{act, address, genesis, key, pay},
};
use crypto::Hash;

#[test]
fn a_signed_transaction_verifies_on_its_chain_only() {
    let here = genesis(&[(1, 1)]);
    let there = genesis(&[(1, 2)]);
    let transfer = pay(&here, 10, 0, address(11), 5, 1);
    let verified = transfer.clone().verify(here.chain_id()).unwrap();
    assert_eq!(verified.id(), transfer.id());
    assert_eq!(verified.sender(), address(10));
    assert_eq!(verified.bytes(), codec::encode(&transfer).len());
    assert_eq!(verified.payload(), &transfer.payload);
    assert_eq!(verified.transaction(), &transfer);
    let (expected, found) = (there.chain_id(), here.chain_id());
    assert_eq!(
        transfer.verify(there.chain_id()),
        Err(BadTransaction::WrongChain { expected, found })
    );
}

#[test]
fn changing_anything_that_was_signed_breaks_the_signature() {
    let genesis = genesis(&[]);
    let transfer = pay(&genesis, 10, 0, address(11), 5, 1);
    let changes: [fn(&mut Transaction); 6] = [
        |it| it.payload.nonce += 1,
        |it| it.payload.fee.0 += 1,
        |it| it.payload.action = Action::Bond { amount: Amount(5), validator: crate::ReplicaId(4) },
        |it| it.payload.action = Action::Transfer { to: address(12), amount: Amount(5) },
        |it| it.payload.sender = key(12).public(),
        |it| it.signature = key(10).sign(b"another message"),
    ];
    for change in changes {
        let mut changed = transfer.clone();
        change(&mut changed);
        let sender = changed.payload.sender.address();
        let reason = BadTransaction::BadSignature { sender };
        assert_ne!(changed.id(), transfer.id());
        assert_eq!(changed.verify(genesis.chain_id()), Err(reason));
    }
}

#[test]
fn a_key_that_is_no_point_verifies_nothing() {
    let genesis = genesis(&[]);
    let mut transfer = pay(&genesis, 10, 0, address(11), 5, 1);
    for bytes in [[0; 32], [0xff; 32]] {
        transfer.payload.sender = PublicKey::from_bytes(bytes);
        let refused = transfer.clone().verify(genesis.chain_id());
        assert!(matches!(refused, Err(BadTransaction::BadSignature { .. })));
    }
}

#[test]
fn every_action_survives_the_codec_and_json() {
    let genesis = genesis(&[]);
    let said = |byte| (Hash::from_bytes([byte; 32]), key(1).sign(&[byte]));
    let evidence = Evidence::new(ReplicaId(1), Slot::default(), said(1), said(2));
    for action in [
        Action::Transfer { to: address(3), amount: Amount(u64::MAX) },
        Action::Bond { amount: Amount(1), validator: crate::ReplicaId(4) },
        Action::Unbond { amount: Amount(0) },
        Action::Evidence(Box::new(evidence)),
    ] {
        let transaction = act(&genesis, 10, 7, 2, action);
        let bytes = codec::encode(&transaction);
        assert!(bytes.len() <= MAX_TRANSACTION_BYTES);
        assert_eq!(Transaction::decode(&bytes).as_ref(), Ok(&transaction));
        let json = serde_json::to_string(&transaction).unwrap();
        assert_eq!(serde_json::from_str::<Transaction>(&json).unwrap(), transaction);
        assert!(transaction.verify(genesis.chain_id()).is_ok());
    }
}

#[test]
#[should_panic(expected = "signed by its sender")]
fn nobody_signs_for_another() {
    let genesis = genesis(&[]);
    let payload = pay(&genesis, 10, 0, address(11), 5, 1).payload.clone();
    payload.sign(&key(11));
}

#[test]
fn what_is_found_out_about_one_is_known_of_its_clones_and_of_no_other() {
    let genesis = genesis(&[]);
    let transfer = pay(&genesis, 10, 0, address(11), 5, 1);
    let clone = transfer.clone();
    let twin = Transaction::new(transfer.payload.clone(), transfer.signature);
    assert!(!clone.is_known_good());
    transfer.verify(genesis.chain_id()).unwrap();
    assert!(clone.is_known_good());
    assert!(!twin.is_known_good(), "equal, but nobody has checked it");
    assert_eq!((clone.id(), &clone), (twin.id(), &twin));
}

#[test]
fn of_a_changed_copy_nothing_is_known() {
    let genesis = genesis(&[]);
    let transfer = pay(&genesis, 10, 0, address(11), 5, 1);
    transfer.clone().verify(genesis.chain_id()).unwrap();
    let facts = |it: &Transaction| (it.id(), it.bytes(), it.sender());
    let before = facts(&transfer);
    // Shared with another handle, and the only handle there is.
    let (mut shared, mut alone) = (transfer.clone(), transfer.clone());
    alone.payload.fee.0 += 1;
    for changed in [&mut shared, &mut alone] {
        changed.payload.sender = key(12).public();
        changed.payload.nonce += 1;
        assert!(!changed.is_known_good());
        assert_eq!(changed.id(), Transaction::decode(&codec::encode(changed)).unwrap().id());
        assert_eq!(changed.sender(), address(12));
        let sender = address(12);
        let refused = changed.clone().verify(genesis.chain_id());
        assert_eq!(refused, Err(BadTransaction::BadSignature { sender }));
        assert!(!changed.is_known_good(), "a refusal is not remembered as a success");
    }
    assert_eq!(facts(&transfer), before);
    assert!(transfer.is_known_good());
}

#[test]
fn a_known_good_one_is_still_wrong_on_another_chain() {
    let (here, there) = (genesis(&[(1, 1)]), genesis(&[(1, 2)]));
    let transfer = pay(&here, 10, 0, address(11), 5, 1);
    transfer.clone().verify(here.chain_id()).unwrap();
    assert!(matches!(transfer.verify(there.chain_id()), Err(BadTransaction::WrongChain { .. })));
}

#[test]
fn a_decoded_one_is_not_known_to_be_good() {
    let genesis = genesis(&[]);
    let transfer = pay(&genesis, 10, 0, address(11), 5, 1);
    transfer.clone().verify(genesis.chain_id()).unwrap();
    let bytes = codec::encode(&transfer);
    assert!(!Transaction::decode(&bytes).unwrap().is_known_good());
    let json = serde_json::to_string(&transfer).unwrap();
    assert!(!serde_json::from_str::<Transaction>(&json).unwrap().is_known_good());
}
