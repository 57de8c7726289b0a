//! Which proposals count, where bodies come from, and blocks that cannot be judged yet.

use super::rig::*;
use crate::{protocol::Input, tendermint::message::phase};
use ledger::{Block, Rejected};
use std::sync::Arc;

#[test]
fn only_the_proposer_is_heard() {
    let mut rig = Rig::started(0);
    rig.hear(2, proposal(1, 0, &rig.block(2, 0)));
    assert_eq!(rig.effects.len(), 1 + STARTING);
    assert!(rig.notes().ends_with(&["dropped"]));
    rig.hear(1, proposal(1, 0, &rig.block(1, 0)));
    assert_eq!(rig.sent().len(), 1);
}

/// The effects of a start without a turn to propose: a note, a timer, a record.
const STARTING: usize = 3;

#[test]
fn who_has_no_seat_is_not_heard() {
    let mut rig = Rig::started(0);
    rig.hear_all(&[4, 5, 6, 7], &precommit(1, 3, None));
    rig.hear_all(&[4, 5, 6, 7], &precommit(1, 0, None));
    assert_eq!(rig.round(), 0);
    assert_eq!(rig.timer(1, 0, phase::PRECOMMIT), None);
}

#[test]
fn who_has_no_seat_follows_in_silence() {
    let mut rig = Rig::new(9, committee(&[1; 4]), brisk());
    rig.wake();
    let block = rig.block(1, 0);
    rig.hear(1, proposal(1, 0, &block));
    rig.hear_all(&[1, 2, 3], &prevote(1, 0, Some(block.hash())));
    rig.hear_all(&[1, 2, 3], &precommit(1, 0, Some(block.hash())));
    assert!(rig.sent().is_empty());
    assert_eq!(rig.book.root, block.hash());
}

#[test]
fn a_proposal_must_name_an_earlier_valid_round() {
    let mut rig = Rig::started(0);
    rig.hear(1, again(1, 0, 0, &[1, 2, 3], &rig.block(1, 0)));
    rig.hear(1, again(1, 0, u64::MAX, &[], &rig.block(1, 0)));
    assert!(rig.notes().ends_with(&["dropped", "dropped"]));
    rig.ring(1, 0, phase::PROPOSE);
    assert_eq!(rig.sent(), [prevote(1, 0, None)]);
}

#[test]
fn a_fresh_block_names_its_proposer_as_its_builder() {
    let mut rig = Rig::started(0);
    rig.hear(1, proposal(1, 0, &rig.block(2, 0)));
    assert!(rig.notes().ends_with(&["dropped"]));
}

#[test]
fn a_body_that_is_not_its_headers_does_not_shut_out_the_true_one() {
    let mut rig = Rig::started(0);
    let block = rig.block(1, 0);
    let forged = Block { transactions: vec![payment(0)], ..(*block).clone() };
    assert_eq!(forged.hash(), block.hash());
    rig.hear(1, proposal(1, 0, &Arc::new(forged)));
    assert!(rig.sent().is_empty());
    rig.hear(1, proposal(1, 0, &block));
    assert_eq!(rig.sent(), [prevote(1, 0, Some(block.hash()))]);
}

#[test]
fn an_equivocating_proposers_blocks_are_both_kept_and_the_quorums_one_is_decided() {
    for first in [0, 1] {
        let mut rig = Rig::started(0);
        let blocks = [rig.block(1, 0), rig.block(1, 1)];
        rig.hear(1, proposal(1, 0, &blocks[first]));
        rig.hear(1, proposal(1, 0, &blocks[1 - first]));
        let value = Some(blocks[1].hash());
        rig.hear_all(&[1, 2, 3], &prevote(1, 0, value));
        rig.hear_all(&[1, 2, 3], &precommit(1, 0, value));
        assert_eq!(Some(rig.book.root), value);
        assert!(rig.wants().is_empty());
    }
}

#[test]
fn a_value_that_a_quorum_precommits_is_fetched_and_decided_without_a_proposal() {
    let mut rig = Rig::started(0);
    let block = rig.block(1, 0);
    rig.hear_all(&[1, 2, 3], &precommit(1, 0, Some(block.hash())));
    assert!(rig.commits.is_empty());
    assert_eq!(rig.wants(), [block.hash()]);
    rig.feed(Input::Arrived(block.clone()));
    assert_eq!(rig.book.root, block.hash());
}

#[test]
fn a_value_with_a_polka_is_fetched_and_locked_without_a_proposal() {
    let mut rig = Rig::started(0);
    let block = rig.block(1, 0);
    rig.hear_all(&[1, 2, 3], &prevote(1, 0, Some(block.hash())));
    assert_eq!(rig.wants(), [block.hash()]);
    rig.feed(Input::Arrived(block.clone()));
    assert!(rig.sent().is_empty(), "it has not prevoted");
    rig.ring(1, 0, phase::PROPOSE);
    assert_eq!(rig.sent(), [prevote(1, 0, None), precommit(1, 0, Some(block.hash()))]);
}

#[test]
fn a_value_is_wanted_once_until_a_wrong_body_comes() {
    let mut rig = Rig::started(0);
    let block = rig.block(1, 0);
    rig.hear_all(&[1, 2, 3], &precommit(1, 0, Some(block.hash())));
    rig.hear_all(&[1, 2, 3], &prevote(1, 0, Some(block.hash())));
    assert_eq!(rig.wants(), [block.hash()]);
    let forged = Block { transactions: vec![payment(0)], ..(*block).clone() };
    rig.feed(Input::Arrived(Arc::new(forged)));
    assert_eq!(rig.wants(), [block.hash()], "asked again");
    rig.feed(Input::Arrived(block.clone()));
    assert_eq!(rig.book.root, block.hash());
    rig.feed(Input::Arrived(block));
    assert!(rig.notes().last() != Some(&"dropped"), "one that comes twice is ignored");
}

#[test]
fn a_block_that_nobody_asked_for_is_not_kept() {
    let mut rig = Rig::started(0);
    let block = rig.block(1, 0);
    rig.feed(Input::Arrived(block.clone()));
    rig.hear_all(&[1, 2, 3], &precommit(1, 0, Some(block.hash())));
    assert_eq!(rig.wants(), [block.hash()]);
}

/// A block of replica 1 for height 1 whose time is `ahead` of the rig's clock, in milliseconds.
fn future_block(rig: &Rig, ahead: u64) -> Arc<Block> {
    let time = u64::try_from(EPOCH.as_millis()).unwrap() + ahead;
    let block = rig.block(1, time - 1);
    assert_eq!(block.header.time, time);
    block
}

#[test]
fn a_fresh_block_from_the_future_waits_for_its_time() {
    let mut rig = Rig::started(0);
    let block = future_block(&rig, 1200);
    rig.hear(1, proposal(1, 0, &block));
    assert!(rig.sent().is_empty(), "neither valid nor invalid");
    assert_eq!(rig.timer(1, 0, phase::EARLY), Some(ms(200)));

    // The wall clock was set back meanwhile: it waits again.
    rig.wall = EPOCH - ms(50);
    rig.ring(1, 0, phase::EARLY);
    assert_eq!(rig.timer(1, 0, phase::EARLY), Some(ms(250)));
    rig.wall = EPOCH + ms(200);
    rig.ring(1, 0, phase::EARLY);
    assert_eq!(rig.sent(), [prevote(1, 0, Some(block.hash()))]);
}

#[test]
fn a_clock_that_is_a_little_ahead_does_not_matter() {
    let mut rig = Rig::started(0);
    let block = future_block(&rig, 1000);
    rig.hear(1, proposal(1, 0, &block));
    assert_eq!(rig.sent(), [prevote(1, 0, Some(block.hash()))]);
}

#[test]
fn a_block_from_the_future_does_not_outlast_the_timeout() {
    let mut rig = Rig::started(0);
    let block = future_block(&rig, 60_000);
    rig.hear(1, proposal(1, 0, &block));
    rig.ring(1, 0, phase::PROPOSE);
    assert_eq!(rig.sent(), [prevote(1, 0, None)]);
}

#[test]
fn a_block_from_the_future_that_a_quorum_found_timely_is_locked_and_decided() {
    let mut rig = Rig::started(0);
    let block = future_block(&rig, 60_000);
    rig.hear(1, proposal(1, 0, &block));
    rig.ring(1, 0, phase::PROPOSE);
    rig.hear_all(&[1, 2, 3], &prevote(1, 0, Some(block.hash())));
    assert_eq!(rig.sent(), [prevote(1, 0, None), precommit(1, 0, Some(block.hash()))]);
    rig.hear_all(&[1, 2], &precommit(1, 0, Some(block.hash())));
    assert_eq!(rig.book.root, block.hash());
}

#[test]
fn one_millisecond_past_the_parent_is_always_in_time() {
    let mut rig = Rig::started(0);
    let first = future_block(&rig, 60_000);
    rig.book.hold(&first);
    rig.hear_all(&[1, 2, 3], &precommit(1, 0, Some(first.hash())));
    rig.sent();
    let next = rig.block(2, 0);
    assert_eq!(next.header.time, first.header.time + 1);
    rig.hear(2, proposal(2, 0, &next));
    assert_eq!(rig.sent(), [prevote(2, 0, Some(next.hash()))]);
}

#[test]
fn a_full_ledger_postpones_with_one_remark() {
    let mut rig = Rig::started(0);
    let block = rig.block(1, 0);
    rig.book.refusals.insert(block.hash(), Rejected::Full(9));
    rig.notes();
    rig.hear(1, proposal(1, 0, &block));
    rig.hear(2, prevote(1, 0, Some(block.hash())));
    assert_eq!(rig.notes(), ["postponed"]);
    rig.book.refusals.clear();
    rig.hear(3, prevote(1, 0, Some(block.hash())));
    assert_eq!(rig.sent()[0], prevote(1, 0, Some(block.hash())));
}

#[test]
fn a_proposer_whose_ledger_builds_nothing_prevotes_nil_in_the_end() {
    let mut rig = Rig::new(1, committee(&[1; 4]), brisk());
    rig.book.builds = false;
    rig.wake();
    assert_eq!(rig.notes(), ["round", "unbuilt", "unproposed"]);
    rig.ring(1, 0, phase::PROPOSE);
    assert_eq!(rig.sent(), [prevote(1, 0, None)]);
}

#[test]
fn a_flood_of_far_rounds_pushes_out_only_its_author() {
    let mut rig = Rig::started(0);
    rig.hear_all(&[1], &prevote(1, 5, None));
    (1..=2000).filter(|&round| round != 5).for_each(|round| rig.hear(3, prevote(1, round, None)));
    assert_eq!(rig.round(), 0);
    rig.notes();
    rig.hear(2, prevote(1, 1025, None));
    assert_eq!(rig.notes(), ["dropped"], "more than 1024 rounds ahead");
    rig.hear(2, prevote(1, 5, None));
    assert_eq!(rig.round(), 5, "the honest were not pushed out");
}

#[test]
fn of_one_sender_the_highest_rounds_are_kept() {
    let mut rig = Rig::started(0);
    for round in 1..=100 {
        rig.hear(3, prevote(1, round, None));
    }
    rig.hear(2, prevote(1, 68, None));
    assert_eq!(rig.round(), 0, "forgotten");
    rig.hear(2, prevote(1, 69, None));
    assert_eq!(rig.round(), 69);
    for round in (70..=100).rev() {
        rig.hear(1, prevote(1, round, None));
        assert_eq!(rig.round(), 100);
    }
}
