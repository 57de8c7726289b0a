//! The rules that wait for time: L57, L61, L65, the growth of timeouts, and the idle chain.

use super::rig::*;
use crate::{
    protocol::Input,
    tendermint::{Config, message::phase},
};
use std::time::Duration;

#[test]
fn l57_prevotes_nil_when_no_proposal_comes() {
    let mut rig = Rig::started(0);
    rig.ring(1, 0, phase::PROPOSE);
    assert_eq!(rig.sent(), [prevote(1, 0, None)]);
    rig.hear(1, proposal(1, 0, &rig.block(1, 0)));
    assert!(rig.sent().is_empty(), "too late");
}

#[test]
fn l57_is_void_once_it_has_prevoted() {
    let mut rig = Rig::started(0);
    rig.hear(1, proposal(1, 0, &rig.block(1, 0)));
    rig.sent();
    rig.ring(1, 0, phase::PROPOSE);
    assert!(rig.sent().is_empty());
}

#[test]
fn l61_precommits_nil_when_no_polka_comes() {
    let mut rig = Rig::started(0);
    rig.hear(1, proposal(1, 0, &rig.block(1, 0)));
    rig.hear_all(&[1, 2], &prevote(1, 0, None));
    rig.sent();
    rig.ring(1, 0, phase::PREVOTE);
    assert_eq!(rig.sent(), [precommit(1, 0, None)]);
}

#[test]
fn l61_is_void_before_the_prevote_and_after_the_precommit() {
    let mut rig = Rig::started(0);
    rig.ring(1, 0, phase::PREVOTE);
    assert!(rig.sent().is_empty());
    rig.ring(1, 0, phase::PROPOSE);
    rig.hear_all(&[1, 2], &prevote(1, 0, None));
    rig.sent();
    rig.ring(1, 0, phase::PREVOTE);
    assert!(rig.sent().is_empty());
}

#[test]
fn l65_begins_the_next_round() {
    let mut rig = Rig::started(0);
    rig.hear_all(&[1, 2, 3], &precommit(1, 0, None));
    assert_eq!(rig.round(), 0);
    rig.ring(1, 0, phase::PRECOMMIT);
    assert_eq!(rig.round(), 1);
}

#[test]
fn timers_of_other_rounds_and_heights_are_stale() {
    let mut rig = Rig::started(0);
    rig.pass_round(1, 0);
    rig.sent();
    for phase in [phase::PROPOSE, phase::PREVOTE, phase::PRECOMMIT, phase::IDLE] {
        rig.ring(1, 0, phase);
        rig.ring(1, 2, phase);
        rig.ring(2, 1, phase);
    }
    assert!(rig.sent().is_empty());
    assert_eq!(rig.round(), 1);
}

#[test]
fn timeouts_grow_with_the_round_and_begin_anew_with_the_height() {
    let mut rig = Rig::started(0);
    for round in 0..3 {
        let grown = 250 * round;
        assert_eq!(rig.timer(1, round, phase::PROPOSE), Some(ms(500 + grown)));
        rig.ring(1, round, phase::PROPOSE);
        rig.hear(1, prevote(1, round, None));
        rig.hear(2, prevote(1, round, Some(rig.block(3, 3).hash())));
        assert_eq!(rig.timer(1, round, phase::PREVOTE), Some(ms(250 + grown)));
        rig.hear_all(&[1, 2, 3], &precommit(1, round, None));
        assert_eq!(rig.timer(1, round, phase::PRECOMMIT), Some(ms(250 + grown)));
        rig.ring(1, round, phase::PRECOMMIT);
    }
    let block = rig.block(1, 0);
    rig.book.hold(&block);
    rig.hear_all(&[1, 2, 3], &precommit(1, 0, Some(block.hash())));
    assert_eq!(rig.timer(2, 0, phase::PROPOSE), Some(ms(500)));
}

#[test]
fn timeouts_saturate() {
    let config = Config { delta: Duration::MAX, ..Config::default() };
    assert_eq!(config.grown(config.propose, u64::MAX), Duration::MAX);
}

/// Replica `me` on a chain that pauses for a second when idle.
fn idle(me: u32) -> Rig {
    Rig::new(me, committee(&[1; 4]), Config::default())
}

#[test]
fn idle_the_proposer_rests_for_block_time_and_then_proposes_an_empty_block() {
    let mut rig = idle(1);
    rig.wake();
    assert!(rig.sent().is_empty());
    assert_eq!(rig.timer(1, 0, phase::IDLE), Some(ms(1000)));
    assert_eq!(rig.timer(1, 0, phase::PROPOSE), Some(ms(1500)));
    rig.now = ms(1000);
    rig.ring(1, 0, phase::IDLE);
    assert_eq!(rig.sent().len(), 2, "a proposal and a prevote");
}

#[test]
fn idle_the_proposer_wakes_up_for_a_transaction() {
    let mut rig = idle(1);
    rig.wake();
    rig.now = ms(300);
    rig.book.pool.push(payment(0));
    rig.feed(Input::Waiting);
    assert_eq!(rig.sent().len(), 2);
    rig.ring(1, 0, phase::IDLE);
    assert!(rig.sent().is_empty(), "it has proposed");
    let block = &rig.book.blocks[&rig.book.accepted[0]];
    assert_eq!(block.transactions, [payment(0)]);
}

#[test]
fn idle_nobody_rests_while_transactions_wait() {
    for me in [0, 1] {
        let mut rig = idle(me);
        rig.book.pool.push(payment(0));
        rig.wake();
        assert_eq!(rig.sent().is_empty(), me == 0);
        assert_eq!(rig.timer(1, 0, phase::IDLE), None);
        assert_eq!(rig.timer(1, 0, phase::PROPOSE), Some(ms(500)));
    }
}

#[test]
fn idle_the_others_wait_as_much_longer() {
    let mut rig = idle(0);
    rig.wake();
    assert_eq!(rig.timer(1, 0, phase::PROPOSE), Some(ms(1500)));
    rig.now = ms(300);
    rig.feed(Input::Waiting);
    assert_eq!(rig.timer(1, 0, phase::PROPOSE), Some(ms(500)), "the proposer must know it too");
}

#[test]
fn idle_patience_is_cut_short_once_and_never_prolonged() {
    let mut rig = idle(0);
    rig.wake();
    rig.now = ms(300);
    rig.feed(Input::Waiting);
    rig.now = ms(700);
    rig.feed(Input::Waiting);
    assert_eq!(rig.timer(1, 0, phase::PROPOSE), Some(ms(100)));

    let mut late = idle(0);
    late.wake();
    late.now = ms(1200);
    late.feed(Input::Waiting);
    assert_eq!(late.timer(1, 0, phase::PROPOSE), Some(ms(300)));
}

#[test]
fn idle_later_rounds_do_not_rest() {
    let mut rig = idle(2);
    rig.wake();
    rig.pass_round(1, 0);
    assert_eq!(rig.sent().len(), 2, "its proposal at once, and its prevote");
    assert_eq!(rig.timer(1, 1, phase::PROPOSE), Some(ms(750)));
}

#[test]
fn idle_a_transaction_after_the_prevote_changes_nothing() {
    let mut rig = idle(0);
    rig.wake();
    rig.hear(1, proposal(1, 0, &rig.block(1, 0)));
    rig.sent();
    rig.now = ms(10);
    rig.feed(Input::Waiting);
    assert!(rig.sent().is_empty());
    assert_eq!(rig.timer(1, 0, phase::PROPOSE), Some(ms(1490)));
}
