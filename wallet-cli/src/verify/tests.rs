//! A lying node in many variations, and an honest one.

use super::*;
use crate::{
    committees::founders,
    network::{Network, poor, rich, validator},
};
use consensus::{
    Measure, Quorum, Unproven,
    catalogue::{NotFinal, Weights},
    tendermint::Commit,
};
use crypto::{Hash, SecretKey, merkle::PathError};
use ledger::{Amount, Block, Proof, ReplicaId, transaction::BadTransaction};
use proptest::prelude::*;
use std::sync::Arc;

/// A chain whose block 1 holds three transfers, the id of the middle one, and an honest answer.
struct Story {
    network: Network,
    block: Arc<Block>,
    id: TransactionId,
    honest: TransactionAnswer,
}

impl Story {
    fn new() -> Story {
        let mut network = Network::new("verify");
        let transfers: Vec<_> = (0..3).map(|nonce| network.transfer(nonce, poor(), 10)).collect();
        let id = transfers[1].id();
        let block = network.decide(transfers, true);
        let honest = network.transaction(id);
        Story { network, block, id, honest }
    }

    fn verify(&self, answer: &TransactionAnswer) -> Result<Verified, NotProven> {
        verify(&founders(&self.network.genesis), self.id, answer)
    }

    /// What the wallet says to the honest answer with one lie in it.
    fn lie(&self, change: impl FnOnce(&mut TransactionAnswer)) -> NotProven {
        let mut answer = self.honest.clone();
        change(&mut answer);
        self.verify(&answer).expect_err("a lie")
    }

    /// What the wallet says to the honest answer under another certificate.
    fn certificate(&self, proof: Proof) -> Unproven {
        unproven(self.lie(|answer| finality(answer).proof = proof))
    }
}

fn unproven(error: NotProven) -> Unproven {
    match error {
        NotProven::Certificate { height: 1, reason: NotFinal::Unproven(reason) } => reason,
        other => panic!("the certificate is wrong, not this: {other}"),
    }
}

fn finality(answer: &mut TransactionAnswer) -> &mut Finality {
    answer.finality.as_mut().expect("an honest answer has it")
}

#[test]
fn an_honest_answer_is_proven() {
    let story = Story::new();
    let verified = story.verify(&story.honest).expect("all of it is true");
    assert_eq!(verified.id(), story.id);
    assert_eq!(verified.transaction().id(), story.id);
    assert_eq!(verified.place(), (1, 3));
    let certified = verified.certified();
    assert_eq!(certified.header(), &story.block.header);
    assert_eq!(certified.by(), (1, story.block.hash()));
    assert_eq!((certified.validators(), certified.bonded()), (4, 4));
    let quorum = Quorum { measure: Measure::Stake, needed: 3, total: 4 };
    assert_eq!(certified.support(), Support { quorum, reached: 3, weights: Weights::Bonds });
    assert_eq!(certified.chain(), story.network.genesis.chain_id());
}

/// A transfer in block 1, certified by block 3.
fn a_late_certificate() -> (Network, TransactionId, TransactionAnswer) {
    let mut network = Network::new("verify");
    let transfer = network.transfer(0, poor(), 10);
    let id = transfer.id();
    network.decide(vec![transfer], false);
    let early = network.transaction(id);
    assert_eq!(
        verify(&founders(&network.genesis), id, &early),
        Err(NotProven::Missing("certificate"))
    );
    network.decide(vec![], false);
    network.decide(vec![], true);
    let answer = network.transaction(id);
    (network, id, answer)
}

#[test]
fn a_descendants_certificate_proves_its_ancestors() {
    let (network, id, answer) = a_late_certificate();
    let verified =
        verify(&founders(&network.genesis), id, &answer).expect("the third block's suffices");
    assert_eq!(verified.certified().header().height, 1);
    assert_eq!(verified.certified().by(), (3, network.ledger.root()));
}

fn without(answer: &mut TransactionAnswer, index: usize) {
    finality(answer).headers.remove(index);
}

#[test]
fn headers_that_are_no_chain_prove_nothing() {
    let (network, id, answer) = a_late_certificate();
    let refused = |change: fn(&mut TransactionAnswer)| {
        let mut answer = answer.clone();
        change(&mut answer);
        verify(&founders(&network.genesis), id, &answer).expect_err("a lie")
    };
    let unlinked = NotProven::Unlinked { from: 1, to: 3 };
    let gap = refused(|answer| without(answer, 1));
    assert_eq!(gap, unlinked);
    assert_eq!(refused(|answer| finality(answer).headers[1].time += 1), unlinked);
    // The block's own header is missing, and a later one poses as it.
    let later = refused(|answer| without(answer, 0));
    assert_eq!(later, NotProven::Height { claimed: 1, header: 2 });
    let silent = refused(|answer| {
        answer.height = None;
        without(answer, 0);
    });
    assert!(matches!(silent, NotProven::Path { height: 2, .. }), "{silent}");
}

#[test]
fn another_chains_genesis_is_named_as_such() {
    let story = Story::new();
    let other = Network::new("another");
    let error =
        verify(&founders(&other.genesis), story.id, &story.honest).expect_err("another chain");
    let found = story.network.genesis.chain_id();
    assert_eq!(error, NotProven::OtherChain { genesis: other.genesis.chain_id(), found });
    assert!(error.to_string().contains("is it the genesis of this network?"), "{error}");
}

#[test]
fn another_transaction_is_no_answer() {
    let story = Story::new();
    let first = story.block.transactions[0].clone();
    let other = NotProven::OtherTransaction { asked: story.id, found: first.id() };
    assert_eq!(story.lie(|answer| answer.id = first.id()), other);
    assert_eq!(story.lie(|answer| answer.transaction = Some(first.clone())), other);
    let changed = story.lie(|answer| {
        answer.transaction.as_mut().expect("it is there").payload.fee = Amount(0);
    });
    assert!(matches!(changed, NotProven::OtherTransaction { .. }), "{changed}");
}

#[test]
fn a_transaction_that_nobody_signed_is_no_transaction() {
    let mut story = Story::new();
    let mut forged = story.block.transactions[1].clone();
    forged.signature = SecretKey::from_seed([66; 32]).sign(&forged.payload.preimage());
    story.id = forged.id();
    story.honest.id = forged.id();
    let error = story.lie(|answer| answer.transaction = Some(forged));
    let sender = rich().public().address();
    assert_eq!(error, NotProven::Transaction(BadTransaction::BadSignature { sender }));
}

#[test]
fn what_is_not_final_is_not_proven() {
    let story = Story::new();
    for status in [TransactionStatus::Pending, TransactionStatus::Unknown] {
        let error = story.lie(|answer| answer.status = status);
        assert_eq!(error, NotProven::NotFinal { id: story.id, status });
    }
}

#[test]
fn a_missing_part_is_named() {
    let story = Story::new();
    let missing = NotProven::Missing;
    assert_eq!(story.lie(|answer| answer.transaction = None), missing("transaction"));
    assert_eq!(story.lie(|answer| answer.path = None), missing("Merkle path"));
    assert_eq!(story.lie(|answer| answer.finality = None), missing("certificate"));
    assert_eq!(story.lie(|answer| finality(answer).headers.clear()), missing("header"));
}

#[test]
fn a_tampered_block_has_no_certificate() {
    let story = Story::new();
    let reason = unproven(story.lie(|answer| finality(answer).headers[0].state = Hash::ZERO));
    assert!(matches!(reason, Unproven::WrongBlock { found, .. } if found == story.block.hash()));
}

#[test]
fn a_wrong_index_is_found_out() {
    let story = Story::new();
    let claimed = story.lie(|answer| answer.index = Some(0));
    assert_eq!(claimed, NotProven::Index { claimed: 0, path: 1 });
    let reason = |change: fn(&mut Path)| {
        let error = story.lie(|answer| {
            answer.index = None;
            change(answer.path.as_mut().expect("an honest answer has it"));
        });
        match error {
            NotProven::Path { height: 1, reason } => reason,
            other => panic!("the path is wrong, not this: {other}"),
        }
    };
    assert_eq!(reason(|path| path.index = 0), PathError::WrongRoot);
    let beyond = PathError::IndexOutOfRange { index: 3, count: 3 };
    assert_eq!(reason(|path| path.index = 3), beyond);
    assert!(matches!(reason(|path| path.index = 2), PathError::WrongLength { .. }));
    assert_eq!(reason(|path| path.siblings[0] = Hash::ZERO), PathError::WrongRoot);
}

#[test]
fn another_height_is_found_out() {
    let story = Story::new();
    let error = story.lie(|answer| answer.height = Some(2));
    assert_eq!(error, NotProven::Height { claimed: 2, header: 1 });
}

#[test]
fn a_certificate_one_vote_short_is_refused() {
    let story = Story::new();
    let reason = story.certificate(story.network.certify(&story.block, &[1, 3]));
    assert_eq!(reason, Unproven::TooLight { weight: 2, total: 4 });
    assert!(reason.to_string().contains("2 of 4"), "{reason}");
    let mut other = story.honest.clone();
    finality(&mut other).proof = story.network.certify(&story.block, &[1, 2, 3]);
    story.verify(&other).expect("any three of four are a quorum");
}

#[test]
fn a_signer_counts_once() {
    let story = Story::new();
    for twice in [[0, 0, 1], [0, 1, 1]] {
        let reason = story.certificate(story.network.certify(&story.block, &twice));
        assert_eq!(reason, Unproven::DuplicateSigner(ReplicaId(twice[1].into())));
    }
}

#[test]
fn strangers_and_forged_signatures_do_not_count() {
    let story = Story::new();
    let good = |id| story.network.precommit(&story.block, id);
    let refused = |round, signatures| {
        let (block, table) = (story.block.hash(), Default::default());
        story.certificate(Commit { round, block, signatures, table }.encode())
    };
    let stranger = refused(crate::network::ROUND, vec![good(0), good(1), good(7)]);
    assert_eq!(stranger, Unproven::NotMember(ReplicaId(7)));
    let borrowed =
        refused(crate::network::ROUND, vec![good(0), good(1), (ReplicaId(2), good(1).1)]);
    assert_eq!(borrowed, Unproven::BadSignature(ReplicaId(2)));
    let another_round = refused(crate::network::ROUND + 1, vec![good(0), good(1), good(2)]);
    assert_eq!(another_round, Unproven::BadSignature(ReplicaId(0)));
}

#[test]
fn the_same_validators_votes_on_another_chain_do_not_count() {
    let story = Story::new();
    let elsewhere = Network::new("another").certify(&story.block, &[0, 1, 2]);
    assert_eq!(story.certificate(elsewhere), Unproven::BadSignature(ReplicaId(0)));
}

#[test]
fn another_committee_is_not_ours() {
    let story = Story::new();
    let error = story.lie(|answer| finality(answer).headers[0].committee = Hash::ZERO);
    assert!(matches!(error, NotProven::OtherCommittee { height: 1, .. }), "{error}");
}

#[test]
fn an_unknown_consensus_module_proves_nothing() {
    let mut story = Story::new();
    story.network.genesis.consensus = "oracle".to_owned();
    let answer = story.network.account(poor());
    let error =
        verify_account(&founders(&story.network.genesis), poor(), &answer).expect_err("unreadable");
    assert!(error.to_string().contains("no consensus module called \"oracle\""), "{error}");
}

#[test]
fn a_balance_is_proven_by_the_state_after_a_final_block() {
    let story = Story::new();
    let genesis = &story.network.genesis;
    let proposer = validator(0).public().address();
    for (address, balance) in [(rich().public().address(), 967), (poor(), 30), (proposer, 3)] {
        let answer = story.network.account(address);
        let verified =
            verify_account(&founders(genesis), address, &answer).expect("all of it is true");
        assert_eq!(verified.account().balance, Amount(balance));
        assert_eq!((verified.address(), verified.block().height()), (address, 1));
    }
    let nobody = SecretKey::from_seed([99; 32]).public().address();
    let verified = verify_account(&founders(genesis), nobody, &story.network.account(nobody));
    assert_eq!(verified.expect("absence is proven too").account(), &Account::default());
}

#[test]
fn the_genesis_needs_no_certificate_and_later_blocks_do() {
    let network = Network::new("verify");
    let address = rich().public().address();
    let answer = network.account(address);
    assert_eq!((answer.height, &answer.finality), (0, &None));
    let verified =
        verify_account(&founders(&network.genesis), address, &answer).expect("we have the genesis");
    assert_eq!(verified.account().balance, Amount(1000));

    let mut later = Story::new().network.account(address);
    later.finality = None;
    let missing = Err(NotProven::Missing("certificate"));
    assert_eq!(verify_account(&founders(&network.genesis), address, &later), missing);
    // Nor does the genesis stand in for a later block.
    later.height = 0;
    let refused = verify_account(&founders(&network.genesis), address, &later);
    assert!(matches!(refused, Err(NotProven::Account(_))), "{refused:?}");
}

#[test]
fn a_lie_about_a_balance_is_found_out() {
    let story = Story::new();
    let lie = |change: fn(&mut AccountAnswer)| {
        let mut answer = story.network.account(poor());
        change(&mut answer);
        verify_account(&founders(&story.network.genesis), poor(), &answer).expect_err("a lie")
    };
    let richer = lie(|answer| answer.account.balance = Amount(1_000_000));
    assert!(richer.to_string().contains("the balance is not proven"), "{richer}");
    assert!(matches!(lie(|answer| answer.account.nonce = 1), NotProven::Account(_)));
    assert!(matches!(lie(|answer| answer.account = Account::default()), NotProven::Account(_)));
    let found = rich().public().address();
    let other = lie(|answer| answer.address = rich().public().address());
    assert_eq!(other, NotProven::OtherAccount { asked: poor(), found });
    assert_eq!(lie(|answer| answer.height = 7), NotProven::Height { claimed: 7, header: 1 });
    let forged = lie(|answer| answer.finality.as_mut().expect("it is there").proof.0[60] ^= 1);
    assert!(matches!(forged, NotProven::Certificate { .. }), "{forged}");
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 256, failure_persistence: None, ..Default::default()
    })]

    /// Whatever a node makes of an honest answer, it proves the same or nothing.
    #[test]
    fn no_change_to_an_answer_proves_anything_else(
        changes in prop::collection::vec((any::<prop::sample::Index>(), 0x20_u8..0x7f), 1..3),
    ) {
        thread_local!(static STORY: Story = Story::new());
        STORY.with(|story| {
            let mut text = serde_json::to_vec(&story.honest).expect("an answer is plain data");
            for (index, byte) in changes {
                let at = index.index(text.len());
                text[at] = byte;
            }
            if let Ok(answer) = serde_json::from_slice::<TransactionAnswer>(&text)
                && let Ok(verified) = story.verify(&answer)
            {
                let honest = story.verify(&story.honest).expect("all of it is true");
                prop_assert_eq!(verified.transaction(), honest.transaction());
                prop_assert_eq!(verified.certified(), honest.certified());
            }
            Ok(())
        })?;
    }
}
