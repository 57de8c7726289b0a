//! Crashes: whatever was said before one is stood by after it. The rig's signer panics where two
//! messages are signed in one slot, and loses nothing that left.

use super::{
    super::{Message, message::phase},
    rig::*,
};
use crate::protocol::Effect;

#[test]
fn a_backup_that_prepared_agrees_to_nothing_else_after_a_crash() {
    let [one, rival] = [0, 1].map(|salt| batch(1, 0, salt));
    let mut rig = Rig::started(1);
    rig.hear(0, pre_prepare(0, &one));
    rig.reborn();
    assert_eq!(rig.sent(), []);
    rig.hear(0, pre_prepare(0, &rival));
    assert_eq!(rig.sent(), [], "its first word counts");
    // Of what it stood by it holds the batch.
    rig.hear(2, prepare(0, 1, Some(one.hash())));
    assert_eq!(rig.sent(), [commit(0, 1, Some(one.hash()))]);
    rig.hear_all(&[2, 3], &commit(0, 1, Some(one.hash())));
    assert_eq!(rig.executed(), 1);
}

#[test]
fn a_primary_that_numbered_a_batch_numbers_no_other_after_a_crash() {
    let mut rig = Rig::started(0);
    let sent = rig.sent();
    let [Message::PrePrepare { batch, .. }] = &sent[..] else { panic!("{sent:?}") };
    rig.book.pool.push(payment(0));
    rig.wall += ms(5_000);
    rig.reborn();
    assert_eq!(rig.sent(), []);
    rig.decide(0, &batch.clone());
    assert_eq!(rig.book.height(), 1);
}

#[test]
fn what_was_prepared_is_shown_in_a_view_change_after_a_crash() {
    let one = batch(1, 0, 0);
    let mut rig = Rig::started(1);
    rig.hear(0, pre_prepare(0, &one));
    rig.hear(2, prepare(0, 1, Some(one.hash())));
    rig.reborn();
    rig.ring(phase::PATIENCE);
    let certificate = prepared(0, 1, Some(one.hash()), &[1, 2]);
    assert!(rig.sent().contains(&Message::ViewChange(change(1, vec![certificate]))));
    // And its batch is there for those who lack it.
    rig.hear(3, fetch(1, one.hash()));
    assert_eq!(rig.sent(), [Message::Batch { batch: one }]);
}

#[test]
fn who_gave_a_view_up_does_not_return_to_it_after_a_crash() {
    let one = batch(1, 0, 0);
    let mut rig = Rig::started(1);
    rig.ring(phase::PATIENCE);
    rig.reborn();
    rig.sent();
    rig.hear(0, pre_prepare(0, &one));
    rig.hear_all(&[2, 3], &prepare(0, 1, Some(one.hash())));
    assert_eq!(rig.sent(), []);
    rig.hear_all(&[2, 3], &Message::ViewChange(change(1, Vec::new())));
    assert_eq!(rig.view(), 1, "and it begins the next one");
}

#[test]
fn a_new_primary_that_crashes_says_the_same_new_view() {
    let mut rig = Rig::started(1);
    let certificate = prepared(0, 1, Some(batch(1, 0, 0).hash()), &[2, 3]);
    rig.hear(2, Message::ViewChange(change(1, Vec::new())));
    rig.hear(3, Message::ViewChange(change(1, vec![certificate.clone()])));
    assert_eq!(rig.view(), 1);
    rig.reborn();
    assert_eq!(rig.view(), 1);
    rig.hear(0, Message::ViewChange(change(1, vec![certificate])));
    assert_eq!(rig.asked_for(), [batch(1, 0, 0).hash()]);
}

#[test]
fn what_a_view_began_with_binds_after_a_crash() {
    let mut rig = Rig::started(3);
    let one = batch(1, 0, 0);
    let certificate = prepared(0, 1, Some(one.hash()), &[1, 2]);
    let changes = [0, 1, 2].map(|id| (id, change(1, vec![certificate.clone()])));
    rig.hear(1, new_view(1, &changes));
    rig.reborn();
    rig.sent();
    assert_eq!(rig.view(), 1);
    rig.hear(1, pre_prepare(1, &batch(1, 1, 0)));
    assert_eq!(rig.sent(), [], "number 1 is taken");
    rig.hear_all(&[0, 2], &prepare(1, 1, Some(one.hash())));
    assert!(rig.sent().contains(&commit(1, 1, Some(one.hash()))));
}

#[test]
fn what_was_executed_is_not_executed_again_after_a_crash() {
    let mut rig = Rig::started(1);
    for sequence in 1..=3 {
        rig.decide(0, &batch(sequence, 0, 0));
    }
    let root = rig.book.root;
    rig.reborn();
    assert_eq!((rig.executed(), rig.low(), rig.book.root), (3, 0, root));
    rig.decide(0, &batch(2, 0, 0));
    assert_eq!(rig.book.root, root);
    // Its own checkpoints come back to it.
    rig.hear_all(&[0, 2], &checkpoint(3, 3, root));
    assert_eq!(rig.low(), 3);
    rig.decide(0, &batch(4, 0, 0));
    assert_eq!(rig.book.height(), 4);
}

/// So many numbers that the journal is written anew many times, and a crash after each step.
#[test]
fn a_journal_is_short_and_enough_whenever_one_crashes() {
    let mut rig = Rig::started(1);
    let mut longest = 0;
    for sequence in 1..=100 {
        let one = full(sequence, 0, sequence, vec![payment(sequence)]);
        rig.hear(0, pre_prepare(0, &one));
        rig.reborn();
        rig.hear(2, prepare(0, sequence, Some(one.hash())));
        rig.reborn();
        rig.hear_all(&[0, 2], &commit(0, sequence, Some(one.hash())));
        assert_eq!(rig.executed(), sequence);
        rig.reborn();
        rig.stabilise();
        rig.reborn();
        assert_eq!((rig.executed(), rig.low()), (sequence, sequence));
        longest = longest.max(rig.records.len());
    }
    assert!((20..=80).contains(&longest), "{longest}");
}

/// One story, and a crash after each of its messages: what leaves is the same in the end, but for
/// what those who crash did not hear.
#[test]
fn a_crash_after_any_message_contradicts_nothing_that_was_said() {
    let [one, two] = [1, 2].map(|number| batch(number, 0, 0));
    let value = Some(one.hash());
    let certificate = prepared(0, 1, value, &[1, 2]);
    let change_of = |id: u32| by(id, Message::ViewChange(change(1, vec![certificate.clone()])));
    let story = [
        by(0, pre_prepare(0, &one)),
        by(2, prepare(0, 1, value)),
        by(0, commit(0, 1, value)),
        by(0, pre_prepare(0, &two)),
        by(2, prepare(0, 2, Some(two.hash()))),
        change_of(2),
        by(3, Message::ViewChange(change(1, Vec::new()))),
        by(2, prepare(1, 1, value)),
        by(3, prepare(1, 1, value)),
        by(2, commit(1, 1, value)),
        by(3, commit(1, 1, value)),
        by(2, prepare(1, 2, Some(two.hash()))),
        by(3, prepare(1, 2, Some(two.hash()))),
        by(0, commit(1, 2, Some(two.hash()))),
        by(3, commit(1, 2, Some(two.hash()))),
    ];
    let told = |crashes: &dyn Fn(usize) -> bool| {
        let mut rig = Rig::started(1);
        for (at, signed) in story.iter().enumerate() {
            rig.deliver(signed.clone());
            if crashes(at) {
                rig.reborn();
                // Gossip brings again what was said so far.
                story[..=at].iter().for_each(|signed| rig.deliver(signed.clone()));
            }
        }
        assert_eq!((rig.view(), rig.executed()), (1, 2));
        let said: Vec<_> = rig.signed.values().map(|signed| signed.message().clone()).collect();
        (rig.commits, said)
    };
    let expected = told(&|_| false);
    for at in 0..story.len() {
        assert_eq!(told(&|now| now == at), expected, "a crash after message {at}");
    }
    assert_eq!(told(&|_| true), expected, "a crash after each");
    assert_eq!(expected.0.len(), 2);
}

#[test]
fn a_replica_that_comes_back_to_an_idle_chain_gives_its_primary_time() {
    let mut rig = Rig::started(1);
    rig.now = ms(2_000);
    rig.reborn();
    assert!(rig.timer(phase::PATIENCE).is_some());
    let sends = |effect: &Effect<Message>| matches!(effect, Effect::Send { .. });
    assert!(!rig.effects.iter().any(sends));
}
