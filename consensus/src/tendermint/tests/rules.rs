//! The upon-rules that wait for messages. With four equal stakes replica `h + r` modulo 4 proposes
//! in round r of height h, so height 1 begins with replica 1.

use super::rig::*;
use crate::tendermint::{Message, message::phase};
use ledger::ReplicaId;

#[test]
fn l11_a_round_begins_with_a_fresh_block_of_the_proposer() {
    let mut rig = Rig::started(1);
    let sent = rig.sent();
    let proposed = rig.book.blocks[&rig.book.accepted[0]].clone();
    assert_eq!(proposed.header.proposer.0, 1);
    assert_eq!(sent[0], proposal(1, 0, &proposed));
    assert_eq!(sent[1], prevote(1, 0, Some(proposed.hash())), "it hears its own proposal");
    assert_eq!(sent.len(), 2);
}

#[test]
fn l11_the_others_wait_for_the_proposer() {
    let mut rig = Rig::started(0);
    assert!(rig.sent().is_empty());
    assert_eq!(rig.timer(1, 0, phase::PROPOSE), Some(ms(500)));
}

#[test]
fn l14_a_later_proposer_offers_its_valid_value_with_the_round_of_its_polka() {
    let mut rig = Rig::started(2);
    let block = rig.block(1, 0);
    let value = Some(block.hash());
    rig.hear(1, proposal(1, 0, &block));
    rig.hear_all(&[0, 1], &prevote(1, 0, value));
    rig.sent();
    rig.pass_round(1, 0);
    assert_eq!(rig.sent(), [again(1, 1, 0, &[0, 1, 2], &block), prevote(1, 1, value)]);
}

#[test]
fn l22_prevotes_a_fresh_valid_proposal_when_unlocked() {
    let mut rig = Rig::started(0);
    let block = rig.block(1, 0);
    rig.hear(1, proposal(1, 0, &block));
    assert_eq!(rig.sent(), [prevote(1, 0, Some(block.hash()))]);
}

#[test]
fn l22_prevotes_nil_for_an_invalid_block() {
    let mut rig = Rig::started(0);
    let block = rig.block(1, 0);
    rig.book.refusals.insert(block.hash(), ledger::block::Invalid::Duties.into());
    rig.hear(1, proposal(1, 0, &block));
    assert!(
        rig.effects
            .iter()
            .any(|effect| matches!(effect, crate::Effect::Note { label: "invalid", .. }))
    );
    assert_eq!(rig.sent(), [prevote(1, 0, None)]);
}

#[test]
fn l22_prevotes_nil_for_a_block_that_stands_elsewhere() {
    let mut rig = Rig::started(0);
    let first = rig.block(1, 0);
    rig.book.blocks.insert(first.hash(), first.clone());
    let grandchild = rig.book.child(first.hash(), 1, 0);
    rig.hear(1, proposal(1, 0, &grandchild));
    assert_eq!(rig.sent(), [prevote(1, 0, None)]);
    assert!(rig.book.accepted.is_empty(), "the ledger was not even asked");
}

#[test]
fn l22_prevotes_nil_when_locked_on_another_value() {
    let mut rig = locked_in_round_0();
    let other = rig.block(2, 7);
    rig.hear(2, proposal(1, 1, &other));
    assert_eq!(rig.sent(), [prevote(1, 1, None)]);
}

#[test]
fn l22_prevotes_its_lock_when_it_is_proposed_as_if_fresh() {
    let mut rig = Rig::started(0);
    // In round 4 replica 1 has its turn again, and a Byzantine one may forget the polka.
    let block = rig.block(1, 0);
    lock(&mut rig, &block);
    (1..4).for_each(|round| rig.pass_round(1, round));
    rig.sent();
    rig.hear(1, proposal(1, 4, &block));
    assert_eq!(rig.sent(), [prevote(1, 4, Some(block.hash()))]);
}

#[test]
fn l22_prevotes_once_in_a_round() {
    let mut rig = Rig::started(0);
    let (block, other) = (rig.block(1, 0), rig.block(1, 1));
    rig.hear(1, proposal(1, 0, &block));
    rig.hear(1, proposal(1, 0, &other));
    assert_eq!(rig.sent(), [prevote(1, 0, Some(block.hash()))]);
    assert_eq!(rig.book.accepted, [block.hash()], "the second was not executed for nothing");
}

#[test]
fn l28_prevotes_a_value_with_the_polka_of_an_earlier_round() {
    let mut rig = Rig::started(0);
    let block = rig.block(1, 0);
    rig.pass_round(1, 0);
    rig.sent();
    // It has heard none of these prevotes; the proposal brings them.
    rig.hear(2, again(1, 1, 0, &[1, 2, 3], &block));
    assert_eq!(rig.sent(), [prevote(1, 1, Some(block.hash()))]);
}

#[test]
fn l28_a_later_polka_unlocks() {
    let mut rig = locked_in_round_0();
    let other = rig.block(2, 7);
    // Round 1: the others have a polka for another value that this replica hears of too late.
    rig.pass_round(1, 1);
    rig.hear_all(&[1, 2, 3], &prevote(1, 1, Some(other.hash())));
    rig.sent();
    rig.hear(3, again(1, 2, 1, &[1, 2, 3], &other));
    assert_eq!(rig.sent(), [prevote(1, 2, Some(other.hash()))]);
}

#[test]
fn l28_a_polka_before_the_lock_does_not_unlock() {
    let mut rig = Rig::started(0);
    let old = rig.block(1, 0);
    rig.pass_round(1, 0);
    let block = rig.block(2, 5);
    rig.hear(2, proposal(1, 1, &block));
    rig.hear_all(&[1, 2], &prevote(1, 1, Some(block.hash())));
    rig.pass_round(1, 1);
    rig.hear_all(&[1, 2, 3], &prevote(1, 0, Some(old.hash())));
    rig.sent();
    rig.hear(3, again(1, 2, 0, &[1, 2, 3], &old));
    assert_eq!(rig.sent(), [prevote(1, 2, None)]);
}

#[test]
fn l28_without_the_polka_it_names_a_proposal_is_none() {
    let block = Rig::started(0).block(1, 0);
    let forged = |mut message: Message| {
        let Message::Proposal { ref mut polka, .. } = message else { unreachable!() };
        polka[2].0 = ReplicaId(0);
        message
    };
    for offer in [
        again(1, 1, 0, &[], &block),
        again(1, 1, 0, &[1, 2], &block),
        again(1, 1, 0, &[1, 2, 2], &block),
        again(1, 1, 0, &[1, 2, 9], &block),
        forged(again(1, 1, 0, &[1, 2, 3], &block)),
    ] {
        let mut rig = Rig::started(0);
        rig.pass_round(1, 0);
        rig.notes();
        rig.hear(2, offer);
        assert_eq!(rig.notes(), ["dropped"]);
        rig.ring(1, 1, phase::PROPOSE);
        assert_eq!(rig.sent(), [prevote(1, 1, None)]);
    }
}

#[test]
fn l28_a_polka_that_was_heard_need_not_be_brought() {
    let mut rig = Rig::started(0);
    let block = rig.block(1, 0);
    rig.pass_round(1, 0);
    rig.hear_all(&[1, 2, 3], &prevote(1, 0, Some(block.hash())));
    rig.sent();
    rig.hear(2, again(1, 1, 0, &[], &block));
    assert_eq!(rig.sent(), [prevote(1, 1, Some(block.hash()))]);
}

#[test]
fn l34_a_quorum_of_mixed_prevotes_arms_the_timeout_once() {
    let mut rig = Rig::started(0);
    let block = rig.block(1, 0);
    rig.hear(1, proposal(1, 0, &block));
    rig.hear(1, prevote(1, 0, Some(block.hash())));
    assert_eq!(rig.timer(1, 0, phase::PREVOTE), None);
    rig.hear(2, prevote(1, 0, None));
    assert_eq!(rig.timer(1, 0, phase::PREVOTE), Some(ms(250)));
    rig.now += ms(100);
    rig.hear(3, prevote(1, 0, None));
    assert_eq!(rig.timer(1, 0, phase::PREVOTE), Some(ms(150)), "not set again");
}

#[test]
fn l34_waits_for_its_own_prevote() {
    let mut rig = Rig::started(0);
    rig.hear_all(&[1, 2, 3], &prevote(1, 0, None));
    assert_eq!(rig.timer(1, 0, phase::PREVOTE), None);
}

#[test]
fn l34_who_says_two_things_counts_once() {
    let mut rig = Rig::started(0);
    let block = rig.block(1, 0);
    rig.hear(1, proposal(1, 0, &block));
    rig.hear(3, prevote(1, 0, None));
    rig.hear(3, prevote(1, 0, Some(block.hash())));
    assert_eq!(rig.timer(1, 0, phase::PREVOTE), None, "two senders, three prevotes");
}

#[test]
fn l36_a_polka_in_step_prevote_locks_and_precommits() {
    let mut rig = Rig::started(0);
    let block = rig.block(1, 0);
    rig.hear(1, proposal(1, 0, &block));
    rig.hear(1, prevote(1, 0, Some(block.hash())));
    rig.sent();
    rig.hear(2, prevote(1, 0, Some(block.hash())));
    let labels = rig.effects.clone();
    assert_eq!(rig.sent(), [precommit(1, 0, Some(block.hash()))]);
    rig.effects = labels;
    assert_eq!(rig.notes(), ["polka", "lock"]);
}

#[test]
fn l36_precommits_once() {
    let mut rig = Rig::started(0);
    let block = rig.block(1, 0);
    rig.hear(1, proposal(1, 0, &block));
    rig.hear_all(&[1, 2, 3], &prevote(1, 0, Some(block.hash())));
    let precommits = [prevote(1, 0, Some(block.hash())), precommit(1, 0, Some(block.hash()))];
    assert_eq!(rig.sent(), precommits);
}

#[test]
fn l36_a_polka_after_the_precommit_makes_valid_but_does_not_lock() {
    let mut rig = Rig::started(2);
    let block = rig.block(1, 0);
    rig.hear(1, proposal(1, 0, &block));
    rig.hear_all(&[0, 3], &prevote(1, 0, None));
    rig.ring(1, 0, phase::PREVOTE);
    assert_eq!(rig.sent(), [prevote(1, 0, Some(block.hash())), precommit(1, 0, None)]);
    // Replica 0 equivocates; 1's prevote was only late. Now there is a polka.
    rig.hear_all(&[0, 1], &prevote(1, 0, Some(block.hash())));
    assert_eq!(rig.notes(), ["polka"]);
    rig.pass_round(1, 0);
    assert_eq!(rig.sent()[0], again(1, 1, 0, &[0, 1, 2], &block), "valid: it offers the block");
    // Not locked: another proposer's fresh block gets its vote.
    rig.pass_round(1, 1);
    let other = rig.block(3, 9);
    rig.sent();
    rig.hear(3, proposal(1, 2, &other));
    assert_eq!(rig.sent(), [prevote(1, 2, Some(other.hash()))]);
}

#[test]
fn l36_a_polka_of_an_old_round_moves_nothing() {
    let mut rig = Rig::started(0);
    rig.pass_round(1, 0);
    let block = rig.block(1, 0);
    rig.hear(1, proposal(1, 0, &block));
    rig.sent();
    rig.hear_all(&[1, 2, 3], &prevote(1, 0, Some(block.hash())));
    assert_eq!(rig.notes(), [] as [&str; 0]);
}

#[test]
fn l36_does_not_precommit_an_invalid_block_whatever_the_others_say() {
    let mut rig = Rig::started(0);
    let block = rig.block(1, 0);
    rig.book.refusals.insert(block.hash(), ledger::block::Invalid::Duties.into());
    rig.hear(1, proposal(1, 0, &block));
    rig.hear_all(&[1, 2, 3], &prevote(1, 0, Some(block.hash())));
    rig.hear_all(&[1, 2, 3], &precommit(1, 0, Some(block.hash())));
    assert_eq!(rig.sent(), [prevote(1, 0, None)]);
    assert!(rig.commits.is_empty());
}

#[test]
fn l44_a_polka_for_nil_precommits_nil() {
    let mut rig = Rig::started(0);
    rig.ring(1, 0, phase::PROPOSE);
    rig.hear(1, prevote(1, 0, None));
    assert_eq!(rig.sent(), [prevote(1, 0, None)]);
    rig.hear(2, prevote(1, 0, None));
    assert_eq!(rig.sent(), [precommit(1, 0, None)]);
}

#[test]
fn l44_waits_for_its_own_prevote() {
    let mut rig = Rig::started(0);
    rig.hear_all(&[1, 2, 3], &prevote(1, 0, None));
    assert!(rig.sent().is_empty());
    // The rules run to fixpoint: one timeout brings the prevote and with it the precommit.
    rig.ring(1, 0, phase::PROPOSE);
    assert_eq!(rig.sent(), [prevote(1, 0, None), precommit(1, 0, None)]);
}

#[test]
fn l47_a_quorum_of_mixed_precommits_arms_the_timeout_once_in_any_step() {
    let mut rig = Rig::started(0);
    let block = rig.block(1, 0);
    rig.hear(1, precommit(1, 0, Some(block.hash())));
    rig.hear(2, precommit(1, 0, None));
    assert_eq!(rig.timer(1, 0, phase::PRECOMMIT), None);
    rig.hear(3, precommit(1, 0, None));
    assert_eq!(rig.timer(1, 0, phase::PRECOMMIT), Some(ms(250)));
}

#[test]
fn l49_decides_a_value_of_any_round() {
    for rounds in 0..4 {
        let mut rig = Rig::started(0);
        let block = rig.block(1, 0);
        rig.hear(1, proposal(1, 0, &block));
        (0..rounds).for_each(|round| rig.pass_round(1, round));
        // Precommits for round 0, however far the replica is: each sender's second.
        rig.hear_all(&[1, 2], &precommit(1, 0, Some(block.hash())));
        assert!(rig.commits.is_empty(), "two of four decide nothing");
        rig.hear(3, precommit(1, 0, Some(block.hash())));
        assert_eq!(rig.commits.len(), 1);
        assert_eq!(rig.commits[0].0, block.hash());
        assert_eq!(rig.book.root, block.hash());
        assert_eq!(rig.round(), 0, "the next height begins");
    }
}

#[test]
fn l49_decides_in_a_round_it_has_not_reached() {
    let mut rig = Rig::started(0);
    let block = rig.block(2, 0);
    rig.hear(2, again(1, 5, 3, &[1, 2, 3], &block));
    // Replica 2 proposes in rounds 1 and 5, for 2 = (1 + r) modulo 4.
    rig.hear_all(&[1, 2, 3], &precommit(1, 5, Some(block.hash())));
    assert_eq!(rig.commits.len(), 1);
}

#[test]
fn l49_does_not_take_prevotes_for_precommits() {
    let mut rig = Rig::started(0);
    let block = rig.block(1, 0);
    rig.hear(1, proposal(1, 0, &block));
    rig.hear_all(&[1, 2, 3], &prevote(1, 0, Some(block.hash())));
    rig.hear(1, precommit(1, 0, Some(block.hash())));
    assert!(rig.commits.is_empty(), "four prevotes, two precommits");
    rig.hear(2, precommit(1, 0, Some(block.hash())));
    assert_eq!(rig.commits.len(), 1);
}

#[test]
fn l49_does_not_add_up_precommits_of_different_rounds() {
    let mut rig = Rig::started(0);
    let block = rig.block(1, 0);
    rig.hear(1, proposal(1, 0, &block));
    rig.hear_all(&[1, 2], &precommit(1, 0, Some(block.hash())));
    rig.hear_all(&[2, 3], &precommit(1, 1, Some(block.hash())));
    rig.hear(3, precommit(1, 2, Some(block.hash())));
    assert!(rig.commits.is_empty());
}

#[test]
fn l49_counts_stake_not_heads() {
    // 3 of 4 heads with 6 of 10 are no quorum; 2 heads with 7 of 10 are.
    let mut rig = Rig::new(0, committee(&[3, 2, 1, 4]), brisk());
    rig.wake();
    let block = rig.block(1, 0);
    rig.book.hold(&block);
    let value = Some(block.hash());
    rig.hear_all(&[1, 2], &precommit(1, 0, value));
    rig.hear(0, precommit(1, 0, value));
    assert!(rig.commits.is_empty());
    let mut rig = Rig::new(1, committee(&[3, 2, 1, 4]), brisk());
    rig.wake();
    rig.book.hold(&block);
    rig.hear_all(&[0, 3], &precommit(1, 0, value));
    assert_eq!(rig.commits.len(), 1);
}

#[test]
fn l49_exactly_two_thirds_decide_nothing() {
    let mut rig = Rig::new(0, committee(&[1; 3]), brisk());
    rig.wake();
    let block = rig.block(1, 0);
    rig.book.hold(&block);
    rig.hear_all(&[1, 2], &precommit(1, 0, Some(block.hash())));
    assert!(rig.commits.is_empty());
}

#[test]
fn l55_skips_to_a_round_that_a_third_speaks_in() {
    let mut rig = Rig::started(0);
    rig.hear(1, prevote(1, 3, None));
    assert_eq!(rig.round(), 0);
    rig.hear(2, precommit(1, 3, None));
    assert_eq!(rig.round(), 3, "whatever they say there");
    assert_eq!(rig.timer(1, 3, phase::PROPOSE), Some(ms(500 + 3 * 250)));
}

#[test]
fn l55_one_message_does_not_skip() {
    let mut rig = Rig::started(0);
    for message in [prevote(1, 900, None), precommit(1, 900, None)] {
        rig.hear(3, message);
    }
    rig.hear(3, proposal(1, 900, &rig.block(3, 0)));
    assert_eq!(rig.round(), 0, "one sender, three messages");
    assert_eq!(rig.timer(1, 900, phase::PROPOSE), None);
}

#[test]
fn l55_different_rounds_do_not_add_up() {
    let mut rig = Rig::started(0);
    rig.hear(1, prevote(1, 2, None));
    rig.hear(2, prevote(1, 3, None));
    assert_eq!(rig.round(), 0);
}

#[test]
fn l55_a_proposal_counts_as_a_word_and_is_voted_on_after_the_skip() {
    let mut rig = Rig::started(0);
    let block = rig.block(3, 0);
    rig.hear(3, proposal(1, 2, &block));
    rig.hear(1, prevote(1, 2, None));
    assert_eq!(rig.round(), 2);
    assert_eq!(rig.sent(), [prevote(1, 2, Some(block.hash()))]);
}

/// Replica 0, locked on replica 1's block of round 0, in round 1.
fn locked_in_round_0() -> Rig {
    let mut rig = Rig::started(0);
    let block = rig.block(1, 0);
    lock(&mut rig, &block);
    rig
}

fn lock(rig: &mut Rig, block: &std::sync::Arc<ledger::Block>) {
    rig.hear(1, proposal(1, 0, block));
    rig.hear_all(&[1, 2], &prevote(1, 0, Some(block.hash())));
    rig.pass_round(1, 0);
    rig.sent();
}
