//! What a liar can try in the normal case. Replica 1 is the victim, if not said otherwise.

use super::{
    super::{Message, message::phase},
    rig::*,
};

#[test]
fn an_equivocating_primary_gets_neither_batch_through_with_one_backup_each() {
    let [here, there] = [0, 1].map(|salt| batch(1, 0, salt));
    let mut rig = Rig::started(1);
    rig.hear(0, pre_prepare(0, &here));
    rig.hear(0, pre_prepare(0, &there));
    // Two backups took the other one; the liar commits both.
    rig.hear_all(&[2, 3], &prepare(0, 1, Some(there.hash())));
    for batch in [&here, &there] {
        rig.hear(0, commit(0, 1, Some(batch.hash())));
    }
    assert_eq!(rig.sent(), [prepare(0, 1, Some(here.hash()))]);
    assert_eq!(rig.executed(), 0);
    // They are a quorum with it, and what they commit is executed here, too.
    rig.hear_all(&[2, 3], &commit(0, 1, Some(there.hash())));
    assert_eq!(rig.executed(), 0, "the batch is not kept, as we had not agreed to it");
    rig.hear(2, Message::Batch { batch: there.clone() });
    assert_eq!((rig.executed(), rig.book.root), (1, rig.commits[0]));
}

#[test]
fn votes_said_twice_count_once_and_votes_for_two_values_once_for_each() {
    let mut rig = Rig::started(1);
    let [one, two] = [0, 1].map(|salt| batch(1, 0, salt));
    rig.hear(0, pre_prepare(0, &one));
    for _ in 0..3 {
        rig.hear(0, commit(0, 1, Some(one.hash())));
        rig.hear(0, commit(0, 1, Some(two.hash())));
        rig.hear(0, commit(0, 1, None));
    }
    rig.hear(2, commit(0, 1, Some(one.hash())));
    assert_eq!(rig.executed(), 0);
    rig.hear(3, commit(0, 1, Some(one.hash())));
    assert_eq!(rig.executed(), 1);
}

/// A vote belongs to its view, its number and its kind.
#[test]
fn a_vote_for_another_view_number_or_kind_does_not_count() {
    let one = batch(1, 0, 0);
    let value = Some(one.hash());
    for (case, vote) in [
        ("a prepare is no commit", prepare(0, 1, value)),
        ("another view", commit(1, 1, value)),
        ("another number", commit(0, 2, value)),
        ("another value", commit(0, 1, None)),
    ] {
        let mut rig = Rig::started(1);
        rig.hear(0, pre_prepare(0, &one));
        rig.hear(0, commit(0, 1, value));
        rig.hear_all(&[2, 3], &vote);
        assert_eq!(rig.executed(), 0, "{case}");
    }
}

#[test]
fn who_has_no_seat_is_not_heard() {
    let mut rig = Rig::started(1);
    rig.effects.clear();
    rig.hear_all(&[4, 5, 6], &commit(0, 1, Some(batch(1, 0, 0).hash())));
    assert_eq!(rig.notes(), ["dropped"; 3]);
    rig.hear_all(&[4, 5, 6], &Message::ViewChange(change(1, Vec::new())));
    assert_eq!(rig.view(), 0);
    assert_eq!(rig.sent(), []);
}

#[test]
fn messages_of_a_later_view_wait_until_it_begins() {
    let mut rig = Rig::started(3);
    let one = batch(1, 1, 0);
    rig.hear(1, pre_prepare(1, &one));
    rig.hear_all(&[0, 2], &prepare(1, 1, Some(one.hash())));
    rig.hear_all(&[0, 1], &commit(1, 1, Some(one.hash())));
    assert_eq!(rig.sent(), []);
    rig.hear(1, new_view(1, &[0, 1, 2].map(|id| (id, change(1, Vec::new())))));
    assert_eq!(rig.executed(), 1, "nothing of it is lost");
}

#[test]
fn messages_beyond_the_high_watermark_wait_until_it_rises() {
    let mut rig = Rig::started(3);
    for sequence in 1..=4 {
        rig.decide(0, &batch(sequence, 0, 0));
    }
    rig.sent();
    let five = batch(5, 0, 0);
    // By way of the inbox they would not even come in; one that has gone further hears them.
    rig.feed(crate::Input::Heard(by(0, pre_prepare(0, &five))));
    assert_eq!(rig.sent(), []);
    rig.stabilise();
    assert!(rig.sent().contains(&prepare(0, 5, Some(five.hash()))));
}

/// A primary that numbers and then says no more is given up by those who wait.
#[test]
fn a_primary_that_withholds_its_batch_from_a_backup_does_not_stop_it() {
    let mut rig = Rig::started(1);
    let one = batch(1, 0, 0);
    rig.hear_all(&[2, 3], &prepare(0, 1, Some(one.hash())));
    assert_eq!(rig.sent(), []);
    rig.hear_all(&[0, 2, 3], &commit(0, 1, Some(one.hash())));
    assert_eq!(rig.asked_for(), [one.hash()]);
    rig.hear(3, Message::Batch { batch: one });
    assert_eq!(rig.executed(), 1);
}

#[test]
fn far_views_of_one_liar_move_nobody_and_fill_no_memory() {
    let mut rig = Rig::started(1);
    for view in (1..2_000).chain([u64::MAX]) {
        rig.hear(3, Message::ViewChange(change(view, Vec::new())));
    }
    assert_eq!(rig.sent(), []);
    let state = rig.replica.state.as_ref().unwrap();
    assert!(state.changes.len() <= 33, "{}", state.changes.len());
    rig.ring(phase::PATIENCE);
    rig.hear_all(&[0, 2], &Message::ViewChange(change(1, Vec::new())));
    assert_eq!(rig.view(), 1);
}

/// The third message in a slot never comes in: nothing may wait for it.
#[test]
fn a_liars_third_word_is_not_needed() {
    let mut rig = Rig::started(1);
    let one = batch(1, 0, 0);
    rig.hear(0, pre_prepare(0, &one));
    rig.hear(3, prepare(0, 1, None));
    rig.hear(3, prepare(0, 1, Some(batch(1, 0, 5).hash())));
    rig.sent();
    rig.hear(3, prepare(0, 1, Some(one.hash())));
    assert_eq!(rig.sent(), [], "it is not even heard here");
    // With a certificate of another's it goes on all the same.
    let certificate = prepared(0, 1, Some(one.hash()), &[2, 3]);
    let changes = [(0, change(1, Vec::new())), (2, change(1, vec![certificate]))];
    for (sender, change) in changes {
        rig.hear(sender, Message::ViewChange(change));
    }
    assert_eq!(rig.view(), 1);
    rig.hear_all(&[2, 3], &prepare(1, 1, Some(one.hash())));
    assert!(rig.sent().contains(&commit(1, 1, Some(one.hash()))));
}
