//! Heights follow one another, replicas crash and wake, sync passes them by.

use super::rig::*;
use crate::{
    protocol::{Effect, Input},
    tendermint::message::phase,
};
use ledger::Proof;

/// The messages that make everybody decide `block` in round 0.
fn decide(rig: &mut Rig, height: u64, block: &std::sync::Arc<ledger::Block>) {
    rig.book.hold(block);
    let others: Vec<_> = (0..4).filter(|&id| id != rig.me).collect();
    rig.hear_all(&others, &precommit(height, 0, Some(block.hash())));
    assert_eq!(rig.book.root, block.hash());
}

#[test]
fn a_decision_commits_then_buries_the_height_then_begins_the_next() {
    let mut rig = Rig::started(0);
    let block = rig.block(1, 0);
    rig.effects.clear();
    decide(&mut rig, 1, &block);
    let order: Vec<_> = rig
        .effects
        .iter()
        .filter_map(|effect| match effect {
            Effect::Commit { .. } => Some("commit"),
            Effect::Horizon { height: 1, round: 0 } => Some("horizon"),
            Effect::SetTimer { .. } => Some("timer"),
            Effect::Persist { fresh: true, .. } => Some("persist"),
            Effect::Note { label, .. } => Some(*label),
            _ => None,
        })
        .collect();
    assert_eq!(order, ["decide", "commit", "horizon", "round", "timer", "persist"]);
}

#[test]
fn the_next_height_stands_on_the_decision_that_the_ledger_has_not_committed_yet() {
    // Replica 2 opens height 2, in the very step that decides height 1.
    let mut rig = Rig::started(2);
    let block = rig.block(1, 0);
    rig.sent();
    decide(&mut rig, 1, &block);
    let next = rig.book.blocks[rig.book.accepted.last().unwrap()].clone();
    assert_eq!(next.header.parent, block.hash());
    assert_eq!(rig.sent()[0], proposal(2, 0, &next));
}

#[test]
fn messages_of_later_heights_are_deferred_and_of_earlier_ones_ignored() {
    let mut rig = Rig::started(0);
    let first = rig.block(1, 0);
    rig.book.hold(&first);
    let second = rig.book.child(first.hash(), 2, 0);
    rig.hear(2, proposal(2, 0, &second));
    assert!(rig.sent().is_empty());
    decide(&mut rig, 1, &first);
    assert_eq!(rig.sent(), [prevote(2, 0, Some(second.hash()))]);
    let before = rig.effects.len();
    rig.feed(Input::Heard(by(3, prevote(1, 7, None))));
    assert_eq!(rig.effects.len(), before, "not even a remark");
}

#[test]
fn a_new_committee_decides_the_heights_after_its_block() {
    let mut rig = Rig::started(0);
    let first = rig.block(1, 0);
    rig.book.changes.insert(first.hash(), committee(&[1, 1, 9, 1]));
    decide(&mut rig, 1, &first);
    let second = rig.book.child(first.hash(), 2, 0);
    rig.book.hold(&second);
    rig.hear(1, precommit(2, 0, Some(second.hash())));
    assert_eq!(rig.book.root, first.hash());
    rig.hear(2, precommit(2, 0, Some(second.hash())));
    assert_eq!(rig.book.root, second.hash(), "9 of 12");
}

#[test]
fn sync_moves_it_on_and_never_back() {
    let mut rig = Rig::started(0);
    let first = rig.block(1, 0);
    rig.book.hold(&first);
    let second = rig.book.child(first.hash(), 2, 0);
    rig.book.hold(&second);
    let third = rig.book.child(second.hash(), 3, 0);
    rig.hear(3, proposal(3, 0, &third));
    rig.effects.clear();

    rig.book.root = second.hash();
    let proof = Proof(Vec::new());
    rig.feed(Input::Advanced { block: second.hash(), proof: proof.clone() });
    let buries = |effect: &Effect<_>| matches!(effect, Effect::Horizon { height: 2, round: 0 });
    assert!(rig.effects.iter().any(buries));
    assert_eq!(rig.sent(), [prevote(3, 0, Some(third.hash()))]);

    rig.feed(Input::Advanced { block: first.hash(), proof });
    assert!(rig.effects.is_empty(), "it was there already");
    assert_eq!(rig.timer(3, 0, phase::PROPOSE), Some(ms(500)));
}

#[test]
fn sync_by_one_height_and_by_many_find_the_same_proposer() {
    let mut steps = Rig::started(0);
    let mut jump = Rig::started(0);
    let mut parent = steps.book.root;
    for height in 1..=6u32 {
        let block = steps.book.child(parent, height % 4, 0);
        parent = block.hash();
        steps.book.hold(&block);
        jump.book.hold(&block);
        steps.book.root = parent;
        steps.feed(Input::Advanced { block: parent, proof: Proof(Vec::new()) });
    }
    jump.book.root = parent;
    jump.feed(Input::Advanced { block: parent, proof: Proof(Vec::new()) });
    let block = jump.book.child(parent, 3, 0);
    for rig in [&mut steps, &mut jump] {
        rig.sent();
        rig.hear(3, proposal(7, 0, &block));
        assert_eq!(rig.sent().len(), 1, "replica 3 = 7 modulo 4 has the turn");
    }
}

#[test]
fn a_crash_does_not_forget_the_lock() {
    let mut rig = Rig::started(0);
    let block = rig.block(1, 0);
    rig.hear(1, proposal(1, 0, &block));
    rig.hear_all(&[1, 2], &prevote(1, 0, Some(block.hash())));
    rig.pass_round(1, 0);
    rig.crash();
    rig.wake();
    assert_eq!(rig.round(), 1);
    rig.sent();
    let other = rig.block(2, 7);
    rig.hear(2, proposal(1, 1, &other));
    assert_eq!(rig.sent(), [prevote(1, 1, None)]);
}

#[test]
fn a_crash_does_not_forget_the_valid_value() {
    let mut rig = Rig::started(2);
    let block = rig.block(1, 0);
    rig.hear(1, proposal(1, 0, &block));
    rig.hear_all(&[0, 1], &prevote(1, 0, Some(block.hash())));
    rig.crash();
    rig.wake();
    rig.sent();
    rig.pass_round(1, 0);
    assert_eq!(rig.sent()[0], again(1, 1, 0, &[0, 1, 2], &block));
}

/// The rig's signer panics at a second message in one slot, so each of these is a proof.
#[test]
fn it_never_votes_twice_in_a_slot_wherever_it_crashes() {
    for at in 0..5 {
        let mut rig = Rig::started(2);
        let block = rig.block(1, 0);
        let value = Some(block.hash());
        let crash_at = |moment: usize, rig: &mut Rig| {
            if moment == at {
                rig.crash();
                rig.wake();
            }
        };
        crash_at(0, &mut rig);
        rig.hear(1, proposal(1, 0, &block));
        crash_at(1, &mut rig);
        rig.hear(1, proposal(1, 0, &rig.block(1, 1)));
        rig.ring(1, 0, phase::PROPOSE);
        rig.hear_all(&[0, 1], &prevote(1, 0, value));
        crash_at(2, &mut rig);
        rig.hear_all(&[0, 1], &prevote(1, 0, value));
        rig.ring(1, 0, phase::PROPOSE);
        rig.ring(1, 0, phase::PREVOTE);
        rig.pass_round(1, 0);
        crash_at(3, &mut rig);
        rig.ring(1, 1, phase::PROPOSE);
        rig.hear_all(&[0, 1, 3], &prevote(1, 1, None));
        crash_at(4, &mut rig);
        rig.hear_all(&[0, 1, 3], &prevote(1, 1, None));
        rig.ring(1, 1, phase::PREVOTE);
        assert_eq!(rig.signed.len(), 5, "two votes in each of two rounds, one proposal");
    }
}

#[test]
fn a_proposer_that_crashes_does_not_propose_again() {
    let mut rig = Rig::started(1);
    let sent = rig.sent();
    rig.crash();
    rig.wall += ms(5000);
    rig.wake();
    assert!(rig.sent().is_empty());
    assert_eq!(rig.signed.values().next().unwrap().message(), &sent[0]);
}

#[test]
fn its_own_messages_alone_show_its_place() {
    // The last step's record did not reach the disk; its signatures did.
    let mut rig = Rig::started(0);
    rig.pass_round(1, 0);
    rig.hear(2, proposal(1, 1, &rig.block(2, 0)));
    rig.records.clear();
    rig.crash();
    rig.wake();
    assert_eq!(rig.round(), 1);
    rig.sent();
    rig.ring(1, 1, phase::PROPOSE);
    assert!(rig.sent().is_empty(), "it has prevoted there");
}

#[test]
fn its_own_votes_count_again_after_a_crash_once() {
    let mut rig = Rig::started(0);
    let block = rig.block(1, 0);
    let value = Some(block.hash());
    rig.hear(1, proposal(1, 0, &block));
    rig.crash();
    rig.wake();
    rig.sent();
    rig.hear(1, proposal(1, 0, &block));
    rig.hear(1, prevote(1, 0, value));
    assert!(rig.sent().is_empty(), "its own prevote counts once, though heard twice");
    rig.hear(2, prevote(1, 0, value));
    assert_eq!(rig.sent(), [precommit(1, 0, value)]);
}

#[test]
fn a_life_arms_its_timers_again() {
    let mut rig = Rig::started(0);
    rig.pass_round(1, 0);
    rig.crash();
    rig.wake();
    assert_eq!(rig.timer(1, 1, phase::PROPOSE), Some(ms(750)));
    rig.ring(1, 1, phase::PROPOSE);
    rig.crash();
    rig.wake();
    assert_eq!(rig.timer(1, 1, phase::PROPOSE), None, "it is in step prevote");
    rig.hear(1, prevote(1, 1, Some(rig.block(3, 3).hash())));
    assert_eq!(rig.timer(1, 1, phase::PREVOTE), None);
    rig.hear(3, prevote(1, 1, None));
    assert_eq!(rig.timer(1, 1, phase::PREVOTE), Some(ms(500)), "the others' come again");
}

#[test]
fn records_of_another_height_are_ignored() {
    let mut rig = Rig::started(0);
    rig.pass_round(1, 0);
    let old = rig.records.clone();
    let block = rig.block(1, 0);
    decide(&mut rig, 1, &block);
    // The crash fell between the commit and the record after it.
    rig.records = old;
    rig.crash();
    rig.wake();
    assert_eq!(rig.round(), 0);
    assert_eq!(rig.timer(2, 0, phase::PROPOSE), Some(ms(500)));
}

#[test]
#[should_panic(expected = "one of Tendermint's")]
fn a_spoilt_record_stops_it() {
    let mut rig = Rig::new(0, committee(&[1; 4]), brisk());
    rig.records = vec![vec![1, 2, 3]];
    rig.wake();
}

#[test]
fn it_persists_only_what_changed() {
    let mut rig = Rig::started(0);
    let persists = |rig: &mut Rig| {
        let effects = rig.effects.drain(..);
        effects.filter(|effect| matches!(effect, Effect::Persist { fresh: true, .. })).count()
    };
    assert_eq!(persists(&mut rig), 1);
    rig.hear(2, prevote(1, 0, None));
    assert_eq!(persists(&mut rig), 0);
    rig.ring(1, 0, phase::PROPOSE);
    assert_eq!(persists(&mut rig), 1);
    assert_eq!(rig.records.len(), 1);
}
