//! Each mutant does the wrong thing its rule is there to prevent, and in the same situation the whole
//! protocol does not. What comes of it in a world is told in `scenarios/mutants`. At height 1 replica
//! `1 + r` modulo 4 proposes in round r.

use super::rig::*;
use crate::{
    Claimed, Effect, Flaw,
    byzantine::mutants::{Breaks, LABEL},
    catalogue::Module,
    tendermint::{Message, Tendermint, message::phase},
};
use ledger::{Block, BlockHash, Keys, ReplicaId};
use std::sync::Arc;

/// Plays the same before replica `me` of `replicas`, once weakened and once whole.
fn play<T>(id: &'static str, me: u32, replicas: usize, story: impl Fn(&mut Rig) -> T) -> [T; 2] {
    [Some(id), None].map(|flaw| {
        let mut rig = Rig::mutant(me, committee(&vec![1; replicas]), flaw);
        let end = story(&mut rig);
        assert_eq!(flaw.is_none(), remarks(&rig).is_empty(), "{flaw:?} {:?}", remarks(&rig));
        assert!(remarks(&rig).iter().all(|remark| remark.starts_with(&format!("{id}: "))));
        end
    })
}

/// What it says of its weak rule. A story must leave the effects there.
fn remarks(rig: &Rig) -> Vec<&str> {
    let remarks = rig.effects.iter().filter_map(|effect| match effect {
        Effect::Note { label, detail } if *label == LABEL => Some(detail.as_str()),
        _ => None,
    });
    remarks.collect()
}

/// What it has said so far; the effects stay.
fn said(rig: &Rig) -> Vec<Message> {
    let said = rig.effects.iter().filter_map(|effect| match effect {
        Effect::Send { message, .. } => Some(message.clone()),
        _ => None,
    });
    said.collect()
}

fn last(rig: &Rig) -> Message {
    said(rig).pop().expect("it said something")
}

/// Round 0 locks replica 0 on replica 1's block, and passes.
fn lock(rig: &mut Rig) -> Arc<Block> {
    let block = rig.block(1, 0);
    rig.hear(1, proposal(1, 0, &block));
    rig.hear_all(&[1, 2], &prevote(1, 0, Some(block.hash())));
    rig.pass_round(1, 0);
    block
}

#[test]
fn every_mutant_has_its_number_and_says_in_a_line_what_it_does() {
    let ids: Vec<_> = Tendermint::mutants().iter().map(|about| about.id).collect();
    let numbers = (1..=11).map(|number| format!("T{number}"));
    // Of those that a leak could have, K1 and K2 are none under a floor, and K4 breaks no promise of ours:
    // `model.rs` and the stories of recovery tell why.
    assert_eq!(ids, numbers.chain(["K3".to_owned()]).collect::<Vec<_>>());
    for about in Tendermint::mutants() {
        assert!(about.line.len() <= 76 && about.rule.len() > about.line.len(), "{about:?}");
        let is_stuck = ["T10", "T11"].contains(&about.id);
        assert_eq!(about.breaks == Breaks::Progress, is_stuck, "{about:?}");
    }
}

#[test]
fn t1_decides_on_half_of_the_stake() {
    let decided = play("T1", 0, 4, |rig| {
        let block = rig.block(1, 0);
        rig.hear(1, proposal(1, 0, &block));
        rig.hear(1, prevote(1, 0, Some(block.hash())));
        rig.hear(1, precommit(1, 0, Some(block.hash())));
        rig.commits.len()
    });
    assert_eq!(decided, [1, 0]);
}

#[test]
fn t2_decides_on_three_of_five_and_of_six_but_not_of_seven() {
    for replicas in [5, 6] {
        let decided = play("T2", 0, replicas, |rig| {
            let block = rig.block(1, 0);
            rig.book.hold(&block);
            rig.hear_all(&[1, 2], &precommit(1, 0, Some(block.hash())));
            assert!(rig.commits.is_empty(), "two of {replicas}");
            rig.hear(3, precommit(1, 0, Some(block.hash())));
            rig.commits.len()
        });
        assert_eq!(decided, [1, 0]);
    }
    let mut seven = Rig::mutant(0, committee(&[1; 7]), Some("T2"));
    let block = seven.block(1, 0);
    seven.book.hold(&block);
    seven.hear_all(&[1, 2, 3, 4], &precommit(1, 0, Some(block.hash())));
    assert!(seven.commits.is_empty(), "seven is 3f+1, where 2f+1 is right");
}

#[test]
fn t3_prevotes_another_block_than_its_lock() {
    let [weak, whole] = play("T3", 0, 4, |rig| {
        lock(rig);
        let other = rig.block(2, 7);
        rig.hear(2, proposal(1, 1, &other));
        last(rig) == prevote(1, 1, Some(other.hash()))
    });
    assert!(weak && !whole);
}

#[test]
fn t4_is_unlocked_by_a_polka_older_than_its_lock() {
    let [weak, whole] = play("T4", 0, 4, |rig| {
        // A polka for `old` in round 0 is not known to it when it locks another block in round 1.
        let old = rig.block(1, 0);
        rig.pass_round(1, 0);
        let locked = rig.block(2, 5);
        rig.hear(2, proposal(1, 1, &locked));
        rig.hear_all(&[1, 2], &prevote(1, 1, Some(locked.hash())));
        rig.pass_round(1, 1);
        rig.hear(3, again(1, 2, 0, &[1, 2, 3], &old));
        last(rig) == prevote(1, 2, Some(old.hash()))
    });
    assert!(weak && !whole);
}

#[test]
fn t4_still_minds_its_lock_when_no_polka_is_named() {
    let mut rig = Rig::mutant(0, committee(&[1; 4]), Some("T4"));
    lock(&mut rig);
    let other = rig.block(2, 7);
    rig.hear(2, proposal(1, 1, &other));
    assert_eq!(last(&rig), prevote(1, 1, None));
}

#[test]
fn t5_is_locked_anew_by_a_late_polka_of_an_old_round() {
    let proposed = play("T5", 3, 4, |rig| {
        let old = rig.block(1, 0);
        rig.hear(1, proposal(1, 0, &old));
        rig.hear(1, prevote(1, 0, Some(old.hash())));
        rig.pass_round(1, 0);
        let block = rig.block(2, 5);
        rig.hear(2, proposal(1, 1, &block));
        rig.hear_all(&[1, 2], &prevote(1, 1, Some(block.hash())));
        // The third prevote of round 0 comes while round 1 is on.
        rig.hear(2, prevote(1, 0, Some(old.hash())));
        rig.pass_round(1, 1);
        let again = said(rig).into_iter().rfind(|said| matches!(said, Message::Proposal { .. }));
        let Some(Message::Proposal { valid_round, block, .. }) = again else {
            panic!("replica 3 has its turn in round 2")
        };
        (valid_round, block == old)
    });
    assert_eq!(proposed, [(Some(0), true), (Some(1), false)]);
}

#[test]
fn t6_prevotes_both_blocks_of_a_proposer_who_offers_two() {
    let prevotes = play("T6", 0, 4, |rig| {
        let both = [rig.block(1, 0), rig.block(1, 1)];
        both.iter().for_each(|block| rig.hear(1, proposal(1, 0, block)));
        let hashes = both.map(|block| Some(block.hash()));
        let said: Vec<Option<BlockHash>> = said(rig).iter().map(Message::value).collect();
        assert_eq!(said, hashes[..said.len()]);
        said.len()
    });
    assert_eq!(prevotes, [2, 1]);
}

#[test]
fn t6_prevotes_the_same_block_once_and_no_other_than_its_lock() {
    let mut rig = Rig::mutant(0, committee(&[1; 4]), Some("T6"));
    let (block, other) = (rig.block(1, 0), rig.block(1, 1));
    rig.hear(1, proposal(1, 0, &block));
    rig.hear_all(&[1, 2], &prevote(1, 0, Some(block.hash())));
    rig.hear(1, proposal(1, 0, &other));
    assert_eq!(said(&rig).iter().filter(|said| matches!(said, Message::Prevote { .. })).count(), 1);
}

#[test]
fn t7_takes_a_prevote_for_a_precommit_where_kinds_are_confused() {
    let value = Some(Rig::started(0).block(1, 0).hash());
    let signature = *by(1, prevote(1, 0, value)).signature();
    let passed_off = |sender, message| {
        let claimed = Claimed { sender: ReplicaId(sender), message, signature };
        [keys().confusing_kinds(), keys()].map(|keys| claimed.clone().open(&keys).is_ok())
    };
    assert_eq!(passed_off(1, prevote(1, 0, value)), [true, true], "as what it is");
    assert_eq!(passed_off(1, precommit(1, 0, value)), [true, false]);
    for (sender, message) in [
        (2, precommit(1, 0, value)),
        (1, precommit(1, 1, value)),
        (1, precommit(2, 0, value)),
        (1, precommit(1, 0, None)),
    ] {
        assert_eq!(passed_off(sender, message.clone()), [false, false], "{sender} {message:?}");
    }
    // Real keys cannot be made so.
    let real = Keys::of(chain(), &committee(&[1; 4])).confusing_kinds();
    assert!(!real.confuses_kinds());
}

#[test]
fn t8_decides_on_one_voice_that_is_heard_often() {
    let decided = play("T8", 0, 4, |rig| {
        let block = rig.block(1, 0);
        rig.hear(1, proposal(1, 0, &block));
        // Past the inbox, which would not hand the same on twice: see `replica`'s feature `mutants`.
        for vote in [prevote(1, 0, Some(block.hash())), precommit(1, 0, Some(block.hash()))] {
            (0..2).for_each(|_| rig.feed(crate::Input::Heard(by(1, vote.clone()))));
        }
        rig.commits.len()
    });
    assert_eq!(decided, [1, 0]);
}

#[test]
fn t10_drops_the_prevotes_of_a_round_that_is_over() {
    // Replica 2 locks in round 0, and proposes in round 1.
    let polkas = play("T10", 2, 4, |rig| {
        let block = rig.block(1, 0);
        rig.hear(1, proposal(1, 0, &block));
        rig.hear_all(&[0, 1], &prevote(1, 0, Some(block.hash())));
        rig.pass_round(1, 0);
        let again = said(rig).into_iter().find(|said| matches!(said, Message::Proposal { .. }));
        let Some(Message::Proposal { valid_round: Some(0), polka, .. }) = again else {
            panic!("replica 2 offers its valid value")
        };
        polka.len()
    });
    assert_eq!(polkas, [0, 3]);
    let heard = play("T10", 0, 4, |rig| {
        let block = rig.block(1, 0);
        rig.hear_all(&[1, 3], &prevote(1, 0, Some(block.hash())));
        rig.pass_round(1, 0);
        rig.hear(2, prevote(1, 0, Some(block.hash())));
        rig.hear(2, again(1, 1, 0, &[], &block));
        said(rig).len()
    });
    assert_eq!(heard, [0, 1], "without the polka the proposal is none");
}

#[test]
fn t11_follows_one_voice_to_a_round_a_million_ahead() {
    let far = 1_000_000;
    let rounds = play("T11", 0, 4, |rig| {
        rig.hear(3, prevote(1, far, None));
        rig.round()
    });
    assert_eq!(rounds, [far, 0]);
    let mut rig = Rig::mutant(0, committee(&[1; 4]), Some("T11"));
    rig.hear(3, prevote(1, far, None));
    let days = rig.timer(1, far, phase::PROPOSE).unwrap().as_secs() / (24 * 60 * 60);
    assert_eq!(days, 2, "this long it waits for a proposal");
    rig.hear(3, prevote(1, u64::MAX, None));
    assert_eq!(rig.round(), far, "what one voice can cost is bounded all the same");
}

#[test]
fn a_mutant_is_the_whole_protocol_as_long_as_nothing_tempts_it() {
    for about in Tendermint::mutants() {
        let ends = [Some(about.id), None].map(|id| {
            let mut rig = Rig::mutant(0, committee(&[1; 4]), id);
            let block = rig.block(1, 0);
            rig.hear(1, proposal(1, 0, &block));
            rig.hear_all(&[1, 2], &prevote(1, 0, Some(block.hash())));
            rig.hear_all(&[1, 2], &precommit(1, 0, Some(block.hash())));
            (said(&rig), rig.commits.clone(), rig.flaw != Flaw::default())
        });
        if about.id != "T1" {
            assert_eq!((&ends[0].0, &ends[0].1), (&ends[1].0, &ends[1].1), "{}", about.id);
        }
        assert_eq!([ends[0].2, ends[1].2], [true, false]);
    }
}
