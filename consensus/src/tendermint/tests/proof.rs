//! What a wallet that trusts only the genesis is asked to believe.

use super::rig::*;
use crate::{
    protocol::{Protocol, Unproven},
    quorum::Signed,
    tendermint::{Commit, Message, SignedTable, Tendermint},
};
use crypto::Signature;
use ledger::{BlockHash, Committee, Header, Proof, ReplicaId};
use std::sync::Arc;

/// Three headers in a row, decided by four equals, and a commit for the last by three of them.
struct Case {
    headers: Vec<Header>,
    committee: Arc<Committee>,
    commit: Commit,
}

fn signature(sender: u32, message: Message) -> (ReplicaId, Signature) {
    (ReplicaId(sender), *Signed::by(&hand(sender), message).signature())
}

impl Case {
    fn new() -> Case {
        let committee = committee(&[1; 4]);
        let mut book = Book::new(committee.clone());
        let mut headers: Vec<Header> = Vec::new();
        for proposer in 1..=3 {
            let block = book.child(headers.last().map_or(book.root, Header::hash), proposer, 0);
            book.hold(&block);
            headers.push(block.header.clone());
        }
        let block = headers[2].hash();
        let precommit = precommit(3, 2, Some(block));
        let signatures = [0, 1, 3].map(|sender| signature(sender, precommit.clone())).to_vec();
        Case {
            headers,
            committee,
            commit: Commit { round: 2, block, signatures, table: SignedTable::default() },
        }
    }

    fn verify(&self) -> Result<(), Unproven> {
        trusting(&self.committee, |trusted| {
            Tendermint::verify(&self.headers, &self.commit.encode(), trusted)
        })
    }
}

#[test]
fn a_quorum_of_precommits_proves_the_last_header() {
    let mut case = Case::new();
    assert_eq!(case.verify(), Ok(()));
    case.headers.drain(..2);
    assert_eq!(case.verify(), Ok(()), "alone");
}

#[test]
fn what_a_replica_decides_it_can_prove() {
    let mut rig = Rig::started(0);
    let block = rig.block(1, 0);
    rig.hear(1, proposal(1, 0, &block));
    rig.hear_all(&[1, 2, 3], &precommit(1, 0, Some(block.hash())));
    let (committed, proof) = rig.commits.pop().unwrap();
    assert_eq!(committed, block.hash());
    let headers = [block.header.clone()];
    let verdict =
        trusting(&rig.book.committee, |trusted| Tendermint::verify(&headers, &proof, trusted));
    assert_eq!(verdict, Ok(()));
}

#[test]
fn no_header_is_not_final() {
    let case = Case { headers: Vec::new(), ..Case::new() };
    assert_eq!(case.verify(), Err(Unproven::NoHeaders));
}

#[test]
fn a_tampered_last_header_is_another_block() {
    let mut case = Case::new();
    case.headers[2].time += 1;
    let (expected, found) = (case.headers[2].hash(), case.commit.block);
    assert_eq!(case.verify(), Err(Unproven::WrongBlock { expected, found }));
}

#[test]
fn a_certificate_renamed_to_another_block_has_no_valid_signature() {
    let mut case = Case::new();
    case.headers[2].time += 1;
    case.commit.block = case.headers[2].hash();
    assert_eq!(case.verify(), Err(Unproven::BadSignature(ReplicaId(0))));
}

#[test]
fn a_tampered_header_before_it_breaks_the_chain() {
    let mut case = Case::new();
    case.headers[0].time += 1;
    assert_eq!(case.verify(), Err(Unproven::BrokenChain(2)));
}

#[test]
fn a_header_that_skips_a_height_breaks_the_chain() {
    let mut case = Case::new();
    case.headers[1].height = 5;
    case.headers[2].parent = case.headers[1].hash();
    assert_eq!(case.verify(), Err(Unproven::BrokenChain(5)));
}

#[test]
fn a_committee_cannot_prove_past_its_own_end() {
    let mut case = Case::new();
    case.headers[1].committee = committee(&[1, 1, 1, 2]).root();
    case.headers[2].parent = case.headers[1].hash();
    assert_eq!(case.verify(), Err(Unproven::OtherCommittee(3)));
    case.headers.pop();
    let found = case.commit.block;
    let expected = case.headers[1].hash();
    assert_eq!(
        case.verify(),
        Err(Unproven::WrongBlock { expected, found }),
        "the block that changes it is still its own"
    );
}

#[test]
fn one_vote_short_is_too_light() {
    let mut case = Case::new();
    case.commit.signatures.pop();
    assert_eq!(case.verify(), Err(Unproven::TooLight { weight: 2, total: 4 }));
    case.commit.signatures.clear();
    assert_eq!(case.verify(), Err(Unproven::TooLight { weight: 0, total: 4 }));
}

#[test]
fn a_signer_counts_once() {
    let mut case = Case::new();
    case.commit.signatures[1] = case.commit.signatures[0];
    assert_eq!(case.verify(), Err(Unproven::DuplicateSigner(ReplicaId(0))));
}

#[test]
fn signers_rise() {
    let mut case = Case::new();
    case.commit.signatures.swap(0, 2);
    assert_eq!(case.verify(), Err(Unproven::DuplicateSigner(ReplicaId(1))));
}

#[test]
fn a_stranger_has_no_say() {
    let mut case = Case::new();
    let stranger = signature(8, precommit(3, 2, Some(case.commit.block)));
    case.commit.signatures[2] = stranger;
    assert_eq!(case.verify(), Err(Unproven::NotMember(ReplicaId(8))));
}

#[test]
fn a_signature_of_another_round_kind_or_value_is_bad() {
    let block = Case::new().commit.block;
    let others = [
        precommit(3, 1, Some(block)),
        precommit(2, 2, Some(block)),
        precommit(3, 2, None),
        precommit(3, 2, Some(BlockHash::default())),
        prevote(3, 2, Some(block)),
    ];
    for other in others {
        let mut case = Case::new();
        case.commit.signatures[1] = signature(1, other);
        assert_eq!(case.verify(), Err(Unproven::BadSignature(ReplicaId(1))));
    }
}

#[test]
fn a_signature_under_another_name_is_bad() {
    let mut case = Case::new();
    case.commit.signatures[2].0 = ReplicaId(2);
    assert_eq!(case.verify(), Err(Unproven::BadSignature(ReplicaId(2))));
}

#[test]
fn bytes_that_are_no_commit_are_malformed() {
    let case = Case::new();
    let whole = case.commit.encode().0;
    let more = [&whole[..], &[0]].concat();
    for bytes in [vec![], whole[..whole.len() - 1].to_vec(), more, vec![0; 1 << 20]] {
        let proof = Proof(bytes);
        let verdict =
            trusting(&case.committee, |trusted| Tendermint::verify(&case.headers, &proof, trusted));
        assert!(matches!(verdict, Err(Unproven::Malformed(_))), "{verdict:?}");
    }
}

#[test]
fn the_largest_committee_fits_into_a_proof() {
    let full = ledger::vote::MAX_COMMITTEE;
    let one = Case::new().commit.signatures[0];
    let commit = Commit { signatures: vec![one; full], ..Case::new().commit };
    assert!(Commit::decode(&commit.encode()).is_ok());
    let commit = Commit { signatures: vec![one; 4 * full], ..commit };
    assert!(Commit::decode(&commit.encode()).is_err());
}
