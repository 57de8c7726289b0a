//! A node that shows the chain otherwise than it is, in many variations.

use super::*;
use crate::{
    committees::founders,
    network::{Network, poor},
};
use consensus::{Unproven, catalogue::NotFinal};

/// A chain of six blocks with a transfer each, and how an honest node shows it.
struct Story {
    network: Network,
    honest: BlocksAnswer,
}

impl Story {
    fn new() -> Story {
        let mut network = Network::new("blocks");
        network.decide_transfers(6);
        let honest = network.blocks(1);
        Story { network, honest }
    }

    fn genesis(&self) -> FinalBlock {
        FinalBlock::genesis(&self.network.genesis)
    }

    fn block(&self, height: u64) -> FinalBlock {
        FinalBlock::of(&self.honest.blocks[height as usize - 1].header)
    }

    /// What the wallet says to the honest answer with one lie in it.
    fn lie(&self, change: impl FnOnce(&mut BlocksAnswer)) -> NotProven {
        let mut answer = self.honest.clone();
        change(&mut answer);
        verify_blocks(&founders(&self.network.genesis), self.genesis(), &answer).expect_err("a lie")
    }
}

#[test]
fn an_honest_run_of_blocks_is_proven_by_its_last_certificate() {
    let story = Story::new();
    let genesis = &story.network.genesis;
    let read = verify_blocks(&founders(genesis), story.genesis(), &story.honest)
        .expect("all of it is true");
    assert_eq!((read.blocks().len(), read.last()), (6, story.block(6)));
    assert_eq!(read.each().map(|block| block.height()).collect::<Vec<_>>(), [1, 2, 3, 4, 5, 6]);
    let rest = story.network.blocks(4);
    let read =
        verify_blocks(&founders(genesis), story.block(3), &rest).expect("it goes on from there");
    assert_eq!(read.last(), story.block(6));
}

#[test]
fn blocks_without_certificates_of_their_own_are_proven_by_a_descendants() {
    let mut network = Network::new("blocks");
    for certified in [false, false, true] {
        network.decide(Vec::new(), certified);
    }
    let genesis = FinalBlock::genesis(&network.genesis);
    let answer = network.blocks(1);
    let read = verify_blocks(&founders(&network.genesis), genesis, &answer)
        .expect("the last one's suffices");
    assert_eq!(read.last().height(), 3);
    // The certificate may also stand further on than the blocks shown.
    let mut fewer = answer.clone();
    fewer.blocks.truncate(2);
    fewer.finality = network.ledger.finality(2);
    verify_blocks(&founders(&network.genesis), genesis, &fewer).expect("a descendant's suffices");
}

#[test]
fn a_block_left_out_is_found_out() {
    let story = Story::new();
    let unlinked = NotProven::Unlinked { from: 1, to: 6 };
    assert_eq!(story.lie(|answer| _ = answer.blocks.remove(2)), unlinked);
    let first = story.lie(|answer| _ = answer.blocks.remove(0));
    assert_eq!(first, NotProven::Gap { known: 0, found: 2 });
    let last = story.lie(|answer| _ = answer.blocks.pop());
    assert_eq!(last, NotProven::OtherBlock { last: story.block(5), certified: story.block(6) });
    assert_eq!(story.lie(|answer| answer.blocks.clear()), NotProven::Missing("block"));
}

#[test]
fn a_block_in_place_of_another_is_found_out() {
    let story = Story::new();
    let unlinked = NotProven::Unlinked { from: 1, to: 6 };
    assert_eq!(story.lie(|answer| answer.blocks.swap(2, 3)), unlinked);
    assert_eq!(story.lie(|answer| answer.blocks[2].header.time += 1), unlinked);
}

#[test]
fn a_body_swapped_is_found_out() {
    let story = Story::new();
    let other = story.honest.blocks[3].transactions.clone();
    let body = story.lie(|answer| answer.blocks[2].transactions = other);
    assert_eq!(body, NotProven::Body { height: 3 });
    let emptied = story.lie(|answer| answer.blocks[5].transactions.clear());
    assert_eq!(emptied, NotProven::Body { height: 6 });
}

#[test]
fn a_certificate_missing_or_too_light_proves_nothing() {
    let story = Story::new();
    let missing = story.lie(|answer| answer.finality = None);
    assert_eq!(missing, NotProven::Missing("certificate"));
    let light = story.network.certify(&story.honest.blocks[5], &[0, 1]);
    let light = story.lie(|answer| answer.finality.as_mut().expect("honest").proof = light);
    let reason = NotFinal::Unproven(Unproven::TooLight { weight: 2, total: 4 });
    assert_eq!(light, NotProven::Certificate { height: 6, reason });
    let earlier = story.network.ledger.finality(5);
    let earlier = story.lie(|answer| answer.finality = earlier);
    assert_eq!(earlier, NotProven::OtherBlock { last: story.block(6), certified: story.block(5) });
}

#[test]
fn another_committee_anywhere_in_the_run_is_found_out() {
    let story = Story::new();
    // Such a header has another hash, so nothing above stands on it; the first has nothing below.
    let first = story.lie(|answer| answer.blocks[0].header.committee = crypto::Hash::ZERO);
    assert_eq!(first, NotProven::Unlinked { from: 1, to: 6 });
}

#[test]
fn another_chains_blocks_are_no_continuation() {
    let story = Story::new();
    let mut other = Network::new("another");
    other.decide_transfers(1);
    let answer = other.blocks(1);
    let error = verify_blocks(&founders(&story.network.genesis), story.genesis(), &answer);
    assert!(matches!(error, Err(NotProven::Certificate { .. })), "{error:?}");
}

#[test]
fn a_chain_that_begins_otherwise_than_the_genesis_is_named_as_such() {
    let story = Story::new();
    let mut other = story.honest.blocks[0].clone();
    other.header.parent = BlockHash(crypto::Hash::ZERO);
    let proof = story.network.certify(&other, &[0, 1, 2]);
    let finality = Some(Finality { headers: vec![other.header.clone()], proof });
    let answer = BlocksAnswer { blocks: vec![other], finality };
    let error = verify_blocks(&founders(&story.network.genesis), story.genesis(), &answer);
    let found = BlockHash(crypto::Hash::ZERO);
    let expected = NotProven::OtherGenesis { genesis: story.genesis().hash(), found };
    assert_eq!(error.expect_err("another beginning"), expected);
    assert!(expected.to_string().contains("is it the genesis of this network"), "{expected}");
}

#[test]
fn final_blocks_on_another_block_than_a_final_one_are_a_fork_and_not_a_lie() {
    let story = Story::new();
    let mut rival = Network::new("blocks");
    for nonce in 0..3 {
        let transfer = rival.transfer(nonce, poor(), 77);
        rival.decide(vec![transfer], true);
    }
    let answer = rival.blocks(3);
    let error = verify_blocks(&founders(&story.network.genesis), story.block(2), &answer)
        .expect_err("a fork");
    let block = rival.block(2).expect("it is decided").block;
    let rival = FinalBlock::of(&block.header);
    assert_eq!(error, NotProven::Fork { known: story.block(2), rival });

    // What is not proven is a lie and no fork.
    let mut unproven = answer;
    unproven.finality = None;
    let error = verify_blocks(&founders(&story.network.genesis), story.block(2), &unproven);
    assert_eq!(error.expect_err("a lie"), NotProven::Missing("certificate"));
}
