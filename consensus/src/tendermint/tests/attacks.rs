//! The schedules that break a Tendermint with one rule missing, played against the whole one: T1 to
//! T11 are the mutants. At height 1 replica `1 + r` modulo 4
//! proposes in round r; Z is Byzantine.

use super::rig::*;
use crate::tendermint::{Message, message::phase};
use ledger::BlockHash;

/// Replicas of four, by id, that share one history so far.
fn replicas<const N: usize>(ids: [u32; N]) -> [Rig; N] {
    ids.map(|id| {
        let mut rig = Rig::started(id);
        rig.sent();
        rig
    })
}

fn assert_says(rig: &mut Rig, messages: &[Message]) {
    assert_eq!(rig.sent(), messages, "replica {}", rig.me);
}

#[test]
fn t1_half_of_the_stake_decides_nothing() {
    // {0, 1} and {2, 3} are apart; 1 proposes, 0 and 1 vote.
    let mut rig = Rig::started(0);
    let block = rig.block(1, 0);
    rig.hear(1, proposal(1, 0, &block));
    rig.hear(1, prevote(1, 0, Some(block.hash())));
    rig.hear(1, precommit(1, 0, Some(block.hash())));
    assert_says(&mut rig, &[prevote(1, 0, Some(block.hash()))]);
    assert!(rig.commits.is_empty());
}

#[test]
fn t2_a_quorum_is_more_than_two_thirds_not_2f_plus_1() {
    // f = 1 for five and six: 2f+1 = 3 votes would let two halves decide.
    for (replicas, needed) in [(4u32, 3u32), (5, 4), (6, 5), (7, 5), (8, 6)] {
        let mut rig = Rig::new(0, committee(&vec![1; replicas as usize]), brisk());
        rig.wake();
        let block = rig.block(1, 0);
        rig.book.hold(&block);
        for sender in 1..needed {
            rig.hear(sender, precommit(1, 0, Some(block.hash())));
            assert!(rig.commits.is_empty(), "{sender} of {replicas}");
        }
        rig.hear(needed, precommit(1, 0, Some(block.hash())));
        assert_eq!(rig.commits.len(), 1, "{needed} of {replicas}");
    }
}

#[test]
fn t3_who_precommitted_does_not_vote_for_another_fresh_block() {
    // Z = 2 has the turn in round 1. In round 0 all precommit v; only 0 sees it decided.
    let [mut a, mut b, mut c] = replicas([0, 1, 3]);
    let v = a.block(1, 0);
    let value = Some(v.hash());
    let b_block = b.book.accepted[0];
    let v = if b_block == v.hash() { v } else { b.book.blocks[&b_block].clone() };
    let value = value.and(Some(v.hash()));
    for rig in [&mut a, &mut c] {
        rig.hear(1, proposal(1, 0, &v));
    }
    for rig in [&mut a, &mut b, &mut c] {
        rig.hear_all(&[0, 1, 2, 3], &prevote(1, 0, value));
    }
    a.hear_all(&[1, 3], &precommit(1, 0, value));
    assert_eq!(a.book.root, v.hash());

    let w = b.block(2, 9);
    for rig in [&mut b, &mut c] {
        rig.hear_all(&[2], &precommit(1, 0, None));
        rig.hear_all(&[1, 3], &precommit(1, 0, value));
        rig.ring(1, 0, phase::PRECOMMIT);
        rig.sent();
        rig.hear(2, proposal(1, 1, &w));
        assert_says(rig, &[prevote(1, 1, None)]);
    }
    // What 0 said arrives at last.
    for rig in [&mut b, &mut c] {
        rig.hear(0, precommit(1, 0, value));
        assert_eq!(rig.book.root, v.hash());
    }
}

#[test]
fn t4_t5_an_older_polka_neither_moves_nor_opens_a_lock() {
    // Z = 1 proposes w in round 0: 0 and 2 prevote it, 3 says nil, Z holds back its own prevote.
    let [mut a, mut b, mut c] = replicas([0, 2, 3]);
    let w = a.block(1, 0);
    let prevotes = |rig: &mut Rig, round, said: [(u32, Option<BlockHash>); 3]| {
        for (sender, value) in said {
            rig.hear(sender, prevote(1, round, value));
        }
    };
    for rig in [&mut a, &mut b] {
        rig.hear(1, proposal(1, 0, &w));
    }
    c.ring(1, 0, phase::PROPOSE);
    for rig in [&mut a, &mut b, &mut c] {
        prevotes(rig, 0, [(0, Some(w.hash())), (2, Some(w.hash())), (3, None)]);
        rig.ring(1, 0, phase::PREVOTE);
        rig.pass_round(1, 0);
    }
    // Round 1: 2 proposes v; everybody locks it, 0 decides it.
    let v = b.book.blocks[b.book.accepted.last().unwrap()].clone();
    let value = Some(v.hash());
    for rig in [&mut a, &mut b, &mut c] {
        rig.hear(2, proposal(1, 1, &v));
        prevotes(rig, 1, [(0, value), (2, value), (3, value)]);
    }
    a.hear_all(&[2, 3], &precommit(1, 1, value));
    assert_eq!(a.book.root, v.hash());

    for rig in [&mut b, &mut c] {
        (1..4).for_each(|round| rig.pass_round(1, round));
        rig.notes();
        // Z's prevote of round 0 completes the polka for w: too late to relock.
        rig.hear(1, prevote(1, 0, Some(w.hash())));
        assert!(rig.notes().is_empty());
        // Z has the turn again, and offers w with that polka.
        rig.hear(1, again(1, 4, 0, &[0, 1, 2], &w));
        assert_says(rig, &[prevote(1, 4, None)]);
    }
}

#[test]
fn t6_t8_a_proposer_of_two_blocks_with_double_votes_gets_neither_decided() {
    // Z = 1 proposes v to 0 and w to 2, and votes for both, twice.
    let [mut a, mut b] = replicas([0, 2]);
    let (v, w) = (a.block(1, 0), a.block(1, 1));
    a.hear(1, proposal(1, 0, &v));
    b.hear(1, proposal(1, 0, &w));
    for rig in [&mut a, &mut b] {
        for block in [&v, &w] {
            rig.hear(1, proposal(1, 0, block));
            for _ in 0..2 {
                rig.feed(crate::Input::Heard(by(1, prevote(1, 0, Some(block.hash())))));
                rig.feed(crate::Input::Heard(by(1, precommit(1, 0, Some(block.hash())))));
            }
        }
    }
    a.hear(2, prevote(1, 0, Some(w.hash())));
    b.hear(0, prevote(1, 0, Some(v.hash())));
    assert_says(&mut a, &[prevote(1, 0, Some(v.hash()))]);
    assert_says(&mut b, &[prevote(1, 0, Some(w.hash()))]);
    assert!(a.commits.is_empty() && b.commits.is_empty());
}

#[test]
fn t7_prevotes_cannot_be_replayed_as_precommits() {
    // The very signatures of three prevotes, each under the name of a precommit.
    let block = Rig::started(0).block(1, 0);
    for sender in 1..4 {
        let mut claimed = by(sender, prevote(1, 0, Some(block.hash()))).claimed().clone();
        claimed.message = precommit(1, 0, Some(block.hash()));
        assert!(claimed.open(&keys()).is_err());
    }
}

#[test]
fn t9_a_crash_between_precommit_and_decision_forgets_nothing() {
    // Z = 2. All precommit v, 0 decides, 1 crashes and wakes without having seen the precommits.
    let mut rig = Rig::started(1);
    let v = rig.book.blocks[&rig.book.accepted[0]].clone();
    rig.hear_all(&[0, 3], &prevote(1, 0, Some(v.hash())));
    rig.crash();
    rig.wake();
    rig.sent();
    rig.hear_all(&[2, 3], &prevote(1, 0, None));
    rig.ring(1, 0, phase::PREVOTE);
    assert_says(&mut rig, &[]);
    rig.pass_round(1, 0);
    let w = rig.block(2, 9);
    rig.hear(2, proposal(1, 1, &w));
    assert_says(&mut rig, &[prevote(1, 1, None)]);
}

#[test]
fn t10_a_polka_that_was_missed_is_found_when_its_value_is_offered_again() {
    // Z = 3 is silent from now on. Only 2 saw the polka of round 0 in time, and locked v.
    let [mut a, mut b, mut c] = replicas([0, 1, 2]);
    let v = b.book.blocks[&b.book.accepted[0]].clone();
    let value = Some(v.hash());
    for rig in [&mut a, &mut c] {
        rig.hear(1, proposal(1, 0, &v));
    }
    c.hear_all(&[0, 1], &prevote(1, 0, value));
    for rig in [&mut a, &mut b] {
        rig.hear_all(&[2, 3], &prevote(1, 0, None));
        rig.ring(1, 0, phase::PREVOTE);
    }
    for rig in [&mut a, &mut b, &mut c] {
        rig.pass_round(1, 0);
    }
    // Round 1: 2 offers v and brings the polka.
    let offer = again(1, 1, 0, &[0, 1, 2], &v);
    assert!(c.sent().contains(&offer));
    for rig in [&mut a, &mut b] {
        rig.sent();
        rig.hear(2, offer.clone());
        assert_says(rig, &[prevote(1, 1, value)]);
    }
    for rig in [&mut a, &mut b, &mut c] {
        rig.hear_all(&[0, 1, 2], &prevote(1, 1, value));
        rig.hear_all(&[0, 1, 2], &precommit(1, 1, value));
        assert_eq!(rig.book.root, v.hash());
    }
}

#[test]
fn t11_one_voice_from_round_a_million_changes_nothing() {
    let mut rig = Rig::started(0);
    rig.effects.clear();
    rig.hear(3, prevote(1, 1_000_000, None));
    rig.hear(3, prevote(1, u64::MAX, None));
    assert_eq!(rig.notes(), ["dropped", "dropped"]);
    assert_eq!(rig.timer(1, 0, phase::PROPOSE), Some(ms(500)));
    assert_eq!(rig.round(), 0);
}
