//! The normal case, rule by rule. View 0's primary is replica 0 of four; a quorum is three.

use super::{
    super::{Config, Message, message::phase},
    rig::*,
};
use crate::protocol::{self, Effect, To};
use crypto::Hash;
use ledger::{Block, BlockHash, ReplicaId};
use std::sync::Arc;

fn is_pre_prepare(message: &Message) -> Option<(u64, u64, usize)> {
    match message {
        Message::PrePrepare { view, batch } => {
            Some((*view, batch.header.height, batch.transactions.len()))
        }
        _ => None,
    }
}

#[test]
fn n1_the_primary_numbers_what_waits_once_all_before_is_executed() {
    let mut rig = Rig::new(0, 4, brisk());
    rig.book.pool = vec![payment(0), payment(1)];
    rig.wake();
    let sent = rig.sent();
    assert_eq!(is_pre_prepare(&sent[0]), Some((0, 1, 2)));
    assert_eq!(sent.len(), 1, "a primary prepares nothing, and numbers nothing else yet");
    let Message::PrePrepare { batch, .. } = &sent[0] else { unreachable!() };
    let value = Some(batch.hash());
    rig.hear_all(&[1, 2], &prepare(0, 1, value));
    assert_eq!(rig.sent(), [commit(0, 1, value)]);
    rig.want(payment(2));
    rig.hear(1, commit(0, 1, value));
    assert_eq!(rig.sent(), [], "two of four commits are no quorum");
    rig.hear(2, commit(0, 1, value));
    let sent = rig.sent();
    assert_eq!(sent[0], checkpoint(1, 1, rig.book.root));
    assert_eq!(is_pre_prepare(&sent[1]), Some((0, 2, 1)), "what is executed does not come again");
}

#[test]
fn n1_a_primary_stops_at_the_high_watermark() {
    let mut rig = Rig::started(0);
    for sequence in 1..=4 {
        let [.., last] = &rig.sent()[..] else { panic!("nothing is numbered") };
        let Message::PrePrepare { batch, .. } = last else { panic!("{last:?}") };
        assert_eq!(batch.header.height, sequence);
        let batch = batch.clone();
        rig.decide(0, &batch);
    }
    assert!(rig.sent().iter().all(|message| is_pre_prepare(message).is_none()));
    rig.stabilise();
    assert_eq!(rig.sent().iter().find_map(is_pre_prepare), Some((0, 5, 0)));
}

#[test]
fn n2_and_n3_a_backup_prepares_the_first_batch_that_its_primary_numbers() {
    let mut rig = Rig::started(1);
    assert_eq!(rig.sent(), [], "backups do not propose");
    let (first, second) = (batch(1, 0, 0), batch(1, 0, 1));
    rig.hear(0, pre_prepare(0, &first));
    assert_eq!(rig.sent(), [prepare(0, 1, Some(first.hash()))]);
    rig.hear(0, pre_prepare(0, &second));
    assert_eq!(rig.sent(), [], "its second for the number is evidence, and nothing more");
}

#[test]
fn n2_what_is_not_the_primarys_or_no_batch_or_between_no_watermarks_is_not_agreed_to() {
    let sound = batch(1, 0, 0);
    let mut state = (*sound).clone();
    state.header.state = Hash::from_bytes([1; 32]);
    let mut parent = (*sound).clone();
    parent.header.parent = BlockHash(Hash::from_bytes([1; 32]));
    let mut body = (*sound).clone();
    body.transactions.push(payment(0));
    for (case, sender, message) in [
        ("another's", 2, pre_prepare(0, &batch(1, 2, 0))),
        ("in another's name", 0, pre_prepare(0, &batch(1, 2, 0))),
        ("of a later view", 1, pre_prepare(1, &batch(1, 1, 0))),
        ("number zero", 0, pre_prepare(0, &batch(0, 0, 0))),
        ("past the window", 0, pre_prepare(0, &batch(5, 0, 0))),
        ("with a state", 0, pre_prepare(0, &state.into())),
        ("with a parent", 0, pre_prepare(0, &parent.into())),
        ("with another body", 0, pre_prepare(0, &body.into())),
    ] {
        let mut rig = Rig::started(3);
        rig.hear(sender, message);
        assert_eq!(rig.sent(), [], "{case}");
    }
}

#[test]
fn n2_numbers_within_the_window_may_come_out_of_order() {
    let mut rig = Rig::started(1);
    let [first, second] = [1, 2].map(|number| batch(number, 0, 0));
    rig.hear(0, pre_prepare(0, &second));
    assert_eq!(rig.sent(), [prepare(0, 2, Some(second.hash()))]);
    for id in [0, 2, 3] {
        rig.hear(id, commit(0, 2, Some(second.hash())));
    }
    assert_eq!(rig.executed(), 0, "nothing is executed before what comes before");
    rig.decide(0, &first);
    assert_eq!(rig.executed(), 2);
    assert_eq!(rig.book.height(), 2);
}

#[test]
fn n2_a_batch_from_the_future_waits_until_it_is_present() {
    let mut rig = Rig::started(1);
    let late = batch(1, 0, 3_000);
    rig.hear(0, pre_prepare(0, &late));
    assert_eq!(rig.sent(), []);
    assert_eq!(rig.timer(phase::EARLY), Some(ms(2_000)), "a second of skew is forgiven");
    rig.wall = EPOCH + ms(1_999);
    rig.ring(phase::EARLY);
    assert_eq!(rig.sent(), []);
    rig.wall = EPOCH + ms(2_000);
    rig.ring(phase::EARLY);
    assert_eq!(rig.sent(), [prepare(0, 1, Some(late.hash()))]);
}

#[test]
fn n2_a_batch_dated_years_ahead_keeps_no_other_waiting() {
    let mut rig = Rig::started(1);
    let [far, soon] = [u64::from(u32::MAX), 3_000].map(|salt| batch(1, 0, salt));
    rig.hear(0, pre_prepare(0, &far));
    rig.hear(0, pre_prepare(0, &soon));
    assert_eq!(rig.timer(phase::EARLY), Some(ms(2_000)));
    rig.wall = EPOCH + ms(2_000);
    rig.ring(phase::EARLY);
    assert_eq!(rig.sent(), [prepare(0, 1, Some(soon.hash()))]);
}

#[test]
fn n4_it_is_prepared_with_a_quorum_of_which_the_primary_is_one_without_saying_so() {
    let mut rig = Rig::started(1);
    let batch = batch(1, 0, 0);
    let value = Some(batch.hash());
    rig.hear(0, pre_prepare(0, &batch));
    assert_eq!(rig.sent(), [prepare(0, 1, value)]);
    rig.hear(0, prepare(0, 1, value));
    assert_eq!(rig.sent(), [], "the primary's PREPARE never counts");
    rig.hear(2, prepare(0, 1, Some(super::rig::batch(1, 0, 7).hash())));
    rig.hear(3, prepare(0, 1, None));
    assert_eq!(rig.sent(), [], "nor does one for something else");
    rig.hear(3, prepare(0, 1, value));
    assert_eq!(rig.sent(), [commit(0, 1, value)]);
    rig.hear(2, prepare(0, 1, value));
    assert_eq!(rig.sent(), [], "once");
}

#[test]
fn n4_prepares_count_before_the_batch_comes_and_are_nothing_without_it() {
    let mut rig = Rig::started(1);
    let batch = batch(1, 0, 0);
    let value = Some(batch.hash());
    rig.hear_all(&[2, 3], &prepare(0, 1, value));
    assert_eq!(rig.sent(), [], "two backups say so, and we have not agreed");
    rig.hear(0, pre_prepare(0, &batch));
    assert_eq!(rig.sent(), [prepare(0, 1, value), commit(0, 1, value)]);
}

#[test]
fn n4_the_certificate_is_recorded_in_the_step_that_commits() {
    let mut rig = Rig::started(1);
    let batch = batch(1, 0, 0);
    rig.hear(0, pre_prepare(0, &batch));
    rig.effects.clear();
    rig.hear(2, prepare(0, 1, Some(batch.hash())));
    let commits = |effect: &Effect<Message>| matches!(effect, Effect::Send { message, .. } if *message == commit(0, 1, Some(batch.hash())));
    assert!(rig.effects.iter().any(commits));
    assert!(rig.effects.iter().any(|effect| matches!(effect, Effect::Persist { .. })));
}

/// PROTOCOLS P1: to execute what is prepared would be wrong.
#[test]
fn n5_prepared_is_not_committed() {
    let mut rig = Rig::started(1);
    let batch = batch(1, 0, 0);
    let value = Some(batch.hash());
    rig.hear(0, pre_prepare(0, &batch));
    rig.hear_all(&[2, 3], &prepare(0, 1, value));
    rig.hear(0, commit(0, 1, value));
    assert_eq!(rig.executed(), 0, "two commits: one of them may be a liar's");
    rig.hear(3, commit(0, 1, value));
    assert_eq!((rig.executed(), rig.book.height()), (1, 1));
    rig.hear(2, commit(0, 1, value));
    assert_eq!(rig.book.height(), 1, "once");
}

#[test]
fn n5_a_quorum_of_commits_is_enough_for_one_that_is_not_prepared() {
    let mut rig = Rig::started(1);
    let batch = batch(1, 0, 0);
    rig.hear_all(&[0, 2, 3], &commit(0, 1, Some(batch.hash())));
    assert_eq!(rig.executed(), 0, "the batch itself is missing");
    let asked =
        rig.outbox.iter().find(|(_, signed)| protocol::Message::kind(signed.message()) == "fetch");
    let (to, signed) = asked.expect("so it is asked for");
    let To::One(replier) = *to else { panic!("{to:?}") };
    assert_eq!(*signed.message(), Message::Fetch { batch: batch.hash(), replier });
    rig.hear(2, Message::Batch { batch: super::rig::batch(1, 0, 9) });
    assert_eq!(rig.executed(), 0, "that is not the one");
    rig.hear(2, Message::Batch { batch });
    assert_eq!(rig.executed(), 1);
}

#[test]
fn n5_the_block_has_of_the_batch_what_still_executes_and_time_moves_on() {
    let mut rig = Rig::started(1);
    let first = full(1, 0, 500, vec![payment(0), payment(1)]);
    rig.decide(0, &first);
    let second = full(2, 0, 0, vec![payment(1), payment(2)]);
    rig.decide(0, &second);
    let block = &rig.book.blocks[&rig.book.root];
    assert_eq!(block.transactions, [payment(2)], "payment 1 was executed before");
    assert_eq!(block.header.time, EPOCH.as_millis() as u64 + 501, "one past its parent's");
    assert_eq!(block.header.proposer, ReplicaId(0));
    assert_eq!(block.header.height, 2);
}

/// Replica 1, which holds this batch and has said all it has to say of it.
fn holder() -> (Rig, Arc<Block>) {
    let mut rig = Rig::started(1);
    let batch = batch(1, 0, 0);
    rig.hear(0, pre_prepare(0, &batch));
    rig.sent();
    (rig, batch)
}

#[test]
fn a_batch_is_brought_to_whoever_asks_and_nobody_else() {
    let (mut rig, batch) = holder();
    rig.outbox.clear();
    rig.hear(3, fetch(1, batch.hash()));
    assert_eq!(rig.sent(), [Message::Batch { batch: batch.clone() }]);
    assert_eq!(rig.outbox[0].0, To::One(ReplicaId(3)));
    rig.hear(3, fetch(1, super::rig::batch(2, 0, 0).hash()));
    assert_eq!(rig.sent(), [], "what we do not hold we cannot bring");
}

#[test]
fn whoever_fetches_too_much_has_to_wait_and_nobody_else_does() {
    let (mut rig, batch) = holder();
    let fetch = fetch(1, batch.hash());
    let mut given = 0;
    loop {
        rig.hear(3, fetch.clone());
        if rig.sent().is_empty() {
            break;
        }
        given += 1;
        assert!(given < 10_000, "there is no end to it");
    }
    assert!(given > 1_000, "far more than lie between the watermarks: {given}");
    rig.hear(2, fetch.clone());
    assert_eq!(rig.sent().len(), 1, "each has a budget of its own");
    rig.now += ms(1_000);
    rig.hear(3, fetch);
    assert_eq!(rig.sent().len(), 1, "it fills again");
}

/// Or whoever was asked could spend with all others what the asker may have of them.
#[test]
fn a_question_that_another_was_asked_is_not_answered() {
    let (mut rig, batch) = holder();
    for _ in 0..10_000 {
        rig.hear(3, fetch(2, batch.hash()));
    }
    assert_eq!(rig.sent(), []);
    rig.hear(3, fetch(1, batch.hash()));
    assert_eq!(rig.sent(), [Message::Batch { batch }], "nothing is spent");
}

/// The messages are counted in a whole run in `cluster`.
#[test]
fn one_alone_is_its_own_quorum() {
    let mut rig = Rig::new(0, 1, Config::default());
    rig.wake();
    assert_eq!(rig.executed(), 0, "the chain is idle, and pauses");
    rig.ring(phase::IDLE);
    assert_eq!((rig.executed(), rig.low()), (1, 1));
    rig.want(payment(0));
    assert_eq!((rig.executed(), rig.book.height()), (2, 2));
}
