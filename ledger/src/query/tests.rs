use super::*;
use crate::{
    Action, Amount, Duty, Proof, Table,
    leak::Row,
    testing::{World, act, address, key},
    vote::Evidence,
};
use crypto::{Hash, codec};
use serde::de::DeserializeOwned;
use std::fmt::Debug;

fn survives<T: Serialize + DeserializeOwned + PartialEq + Debug>(value: &T) {
    let json = serde_json::to_string_pretty(value).unwrap();
    assert_eq!(&serde_json::from_str::<T>(&json).unwrap(), value, "{json}");
    assert_eq!(&codec::decode::<T>(&codec::encode(value), codec::LONGEST).unwrap(), value);
}

/// Two blocks, the second one proven.
fn world() -> (World, Finality) {
    let mut world = World::new(&[(10, 500)]);
    let transfer = world.pay(10, 0, 11, 1, 1);
    let one = world.grow(world.ledger.root(), 0, vec![transfer]);
    let two = world.grow(one, 1, vec![]);
    world.commit_with(two, &[1, 2, 0xff]);
    let finality = world.ledger.finality(1).unwrap();
    (world, finality)
}

#[test]
fn every_answer_survives_json_and_the_codec() {
    let (world, finality) = world();
    let block = world.ledger.committed(1).unwrap();
    let members = vec![WeightAnswer { id: ReplicaId(3), left: 720_000, score: 28 }];
    let weights = WeightsAnswer { height: 3, round: 17, recovering: true, members };
    survives(&StatusAnswer {
        chain_id: world.ledger.chain_id(),
        consensus: "tendermint".into(),
        replica: ReplicaId(3),
        height: 2,
        head: world.ledger.head(),
        head_height: 9,
        round: u64::MAX,
        peers: 3,
        pool: 0,
        time: 1_002,
        state: "halted: conflicting finality".into(),
        accused: Vec::new(),
        punished: Vec::new(),
        burned: Default::default(),
        weights: Some(weights.clone()),
    });
    survives(&BlockAnswer {
        hash: block.hash(),
        block: Block::clone(&block),
        finality: Some(finality.clone()),
    });
    let known = TransactionAnswer {
        id: block.transactions[0].id(),
        status: TransactionStatus::Final,
        transaction: Some(block.transactions[0].clone()),
        height: Some(1),
        index: Some(0),
        path: block.path(0),
        finality: Some(finality.clone()),
    };
    survives(&known);
    let nothing = (None, None, None, None, None);
    let (transaction, height, index, path, finality_of_it) = nothing;
    survives(&TransactionAnswer {
        status: TransactionStatus::Unknown,
        transaction,
        height,
        index,
        path,
        finality: finality_of_it,
        ..known
    });
    for owner in [10, 77] {
        let (account, proof) = world.ledger.account_with_proof(address(owner)).unwrap();
        survives(&AccountAnswer {
            address: address(owner),
            account,
            next_nonce: account.nonce,
            height: 2,
            proof,
            finality: Some(finality.clone()),
        });
    }
    let committee = world.ledger.committee(block.hash()).unwrap();
    survives(&CommitteeAnswer {
        height: 1,
        members: committee.members().to_vec(),
        recovery: Some(weights),
    });
}

#[test]
fn everything_a_block_can_hold_survives() {
    let (world, _) = world();
    let mut block = Block::clone(&world.ledger.committed(1).unwrap());
    let said = |byte| (Hash::from_bytes([byte; 32]), key(1).sign(&[byte]));
    let evidence = Evidence::new(ReplicaId(1), crate::Slot::default(), said(1), said(2));
    let genesis = &world.genesis;
    block.transactions.extend([
        act(genesis, 1, 0, 0, Action::Bond { amount: Amount(1), validator: ReplicaId(4) }),
        act(genesis, 1, 1, 0, Action::Unbond { amount: Amount(1) }),
        act(genesis, 1, 2, 0, Action::Evidence(Box::new(evidence))),
    ]);
    block.duties.push(Duty::Participation {
        height: 3,
        present: vec![ReplicaId(2)],
        proof: Proof(vec![1, 2]),
    });
    block.duties.push(Duty::Leak {
        round: 7,
        table: Table::new(vec![Row { round: 6, present: vec![ReplicaId(1), ReplicaId(3)] }]),
    });
    survives(&block);
    survives(genesis);
}

#[test]
fn bytes_are_hexadecimal_in_json_and_themselves_in_the_codec() {
    let (_, finality) = world();
    let json = serde_json::to_value(&finality).unwrap();
    assert_eq!(json["proof"], "0102ff");
    assert_eq!(codec::encode(&finality.proof), codec::encode(&vec![1u8, 2, 0xff]));
    assert!(serde_json::from_str::<Proof>("\"0g\"").is_err());
    assert!(serde_json::from_str::<Proof>("[1, 2]").is_err());
    assert!(serde_json::from_str::<AccountProof>("\"00ff\"").is_err());
    assert_eq!(serde_json::to_value(TransactionStatus::Pending).unwrap(), "pending");
}

#[test]
fn headers_are_linked_only_if_each_is_the_parent_of_the_next() {
    let (_, finality) = world();
    assert_eq!(finality.headers.len(), 2);
    assert!(finality.linked());
    let bent = |bend: fn(&mut Vec<Header>)| {
        let mut finality = finality.clone();
        bend(&mut finality.headers);
        finality.linked()
    };
    assert!(bent(|headers| headers.truncate(1)));
    assert!(!bent(Vec::clear));
    assert!(!bent(|headers| headers.swap(0, 1)));
    assert!(!bent(|headers| headers[0].time += 1));
    assert!(!bent(|headers| headers[1].parent = BlockHash::default()));
    assert!(!bent(|headers| headers[1].height = 3));
    assert!(!bent(|headers| {
        headers[0].height = u64::MAX;
        headers[1].parent = headers[0].hash();
    }));
}

#[test]
fn a_newcomer_checks_an_answer_with_nothing_but_roots() {
    let (world, finality) = world();
    let block = world.ledger.committed(1).unwrap();
    let id = block.transactions[0].id();
    let header = &finality.headers[0];
    assert_eq!(header.hash(), block.hash());
    assert_eq!(block.path(0).unwrap().verify(id.0.as_bytes(), header.transactions), Ok(()));
    let (account, proof) = world.ledger.account_with_proof(address(10)).unwrap();
    let newest = finality.headers.last().unwrap();
    assert_eq!(proof.verify(newest.state, address(10), &account), Ok(()));
}
