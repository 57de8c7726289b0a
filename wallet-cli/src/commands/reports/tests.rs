//! What a person and a script read of a proof.

use super::*;
use crate::{
    committees::founders,
    network::{Network, poor, validator},
    verify::verify,
};
use consensus::{
    Signed, catalogue,
    tendermint::{Commit, Message, SignedTable},
};
use crypto::Signature;
use ledger::{Block, Hand, Proof, ReplicaId};
use serde_json::json;
use std::sync::Arc;

/// A chain where whoever is away loses weight without a floor, a block of it, and a transfer in that.
fn halted() -> (Network, Arc<Block>, TransactionId) {
    let mut network = Network::recovering("halted");
    let transfer = network.transfer(0, poor(), 10);
    let id = transfer.id();
    let block = network.decide(vec![transfer], true);
    (network, block, id)
}

fn signed(network: &Network, id: u8, message: Message) -> (ReplicaId, Signature) {
    let hand = Hand::new(ReplicaId(id.into()), network.genesis.chain_id(), validator(id));
    (ReplicaId(id.into()), *Signed::by(&hand, message).signature())
}

/// The precommits of validators 0 and 1, who alone were there in rounds 3 to 7.
fn by_two_of_four(network: &Network, block: &Block) -> Proof {
    let (height, parent, round) = (block.header.height, block.header.parent, 8);
    let row = |round| {
        let alive = |id| signed(network, id, Message::Alive { height, round, parent });
        json!({"round": round, "alive": [alive(0), alive(1)]})
    };
    let rows: Vec<_> = (3..round).map(row).collect();
    let table: SignedTable = serde_json::from_value(json!({ "rows": rows })).unwrap();
    let name = Some(table.matrix().hash());
    let (block, value) = (block.hash(), Some(block.hash()));
    let vote = |id| signed(network, id, Message::Precommit { height, round, value, table: name });
    Commit { round, block, signatures: vec![vote(0), vote(1)], table }.encode()
}

/// The text and the JSON of a report.
fn told(network: &Network, id: TransactionId, proof: Option<Proof>) -> (String, serde_json::Value) {
    let mut answer = network.transaction(id);
    if let Some(proof) = proof {
        answer.finality.as_mut().unwrap().proof = proof;
    }
    let verified = verify(&founders(&network.genesis), id, &answer).expect("it is proven");
    let report = VerifyReport::of(&network.genesis, &verified);
    (report.to_string(), serde_json::from_str(&json!(report).to_string()).unwrap())
}

#[test]
fn what_was_decided_under_a_table_is_told_by_its_weights() {
    let (network, block, id) = halted();
    let (text, json) = told(&network, id, Some(by_two_of_four(&network, &block)));
    assert!(text.contains("4 validators with a stake of 4, as founded"), "{text}");
    // Five misses with Q = 16 leave 343,667 millionths of each bond: 2 of 2.687334.
    let words =
        "signed by 74.4 % of what counts by the weights of its table; it takes more than 66.6 %";
    assert!(text.contains(words), "{text}");
    assert_eq!((&json["stake"], &json["quorum"]), (&json!(4), &json!(null)));
    let weights =
        json!({"by": "table", "reached": 2_000_000, "needed": 1_791_557, "total": 2_687_334});
    assert_eq!(json["weights"], weights);
}

#[test]
fn where_nothing_has_faded_stake_is_counted() {
    let (network, _, id) = halted();
    let (text, json) = told(&network, id, None);
    assert!(text.ends_with("signed by at least 3 of 4 stake"), "{text}");
    assert_eq!((&json["stake"], &json["quorum"]), (&json!(4), &json!(3)));
    assert_eq!(json.get("weights"), None);
}

#[test]
fn what_has_faded_in_blocks_is_told_by_the_chains_weights() {
    let mut network = Network::leaking("faded");
    (0..2).for_each(|_| drop(network.decide(vec![], true)));
    (0..6).for_each(|_| drop(network.decide_as_seen(&[0, 1, 2])));
    let committee = network.deciding();
    assert!(committee.total() > 1_000 * committee.bonded(), "somebody has faded");
    let certified = catalogue::support(
        &network.genesis,
        &committee,
        network.ledger.root_header(),
        &network.ledger.proof(network.ledger.height()).unwrap(),
    );
    let faded = Faded::of(certified.unwrap()).expect("it has").to_string();
    let words = "100.0 % of what counts by the weights of the chain; it takes more than 66.6 %";
    assert_eq!(faded, words, "all four signed");
}
