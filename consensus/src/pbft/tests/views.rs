//! View changes, rule by rule: how replicas give a view up.

use super::{
    super::{Message, ViewChange, message::phase},
    rig::*,
};

fn said(rig: &mut Rig) -> ViewChange {
    let sent = rig.sent();
    let changes: Vec<_> = sent
        .iter()
        .filter_map(|message| match message {
            Message::ViewChange(change) => Some(change.clone()),
            _ => None,
        })
        .collect();
    let [change] = &changes[..] else { panic!("not one view change: {sent:?}") };
    change.clone()
}

#[test]
fn v1_whoever_runs_out_of_patience_asks_for_the_next_view_with_what_it_prepared() {
    let mut rig = Rig::started(1);
    rig.decide(0, &batch(1, 0, 0));
    rig.stabilise();
    let [two, three] = [2, 3].map(|number| batch(number, 0, 0));
    rig.hear(0, pre_prepare(0, &two));
    rig.hear(0, pre_prepare(0, &three));
    rig.hear(3, prepare(0, 3, Some(three.hash())));
    rig.sent();
    rig.ring(phase::PATIENCE);
    let change = said(&mut rig);
    assert_eq!((change.view, change.low()), (1, 1));
    // Number 2 was not prepared, and is not spoken of.
    assert_eq!(change.prepared, [prepared(0, 3, Some(three.hash()), &[1, 3])]);
}

#[test]
fn v1_in_a_view_given_up_nothing_is_agreed_to_prepared_or_committed_any_more() {
    let mut rig = Rig::started(1);
    let [one, two] = [1, 2].map(|number| batch(number, 0, 0));
    rig.hear(0, pre_prepare(0, &one));
    rig.ring(phase::PATIENCE);
    rig.sent();
    rig.hear_all(&[2, 3], &prepare(0, 1, Some(one.hash())));
    rig.hear(0, pre_prepare(0, &two));
    assert_eq!(rig.sent(), []);
}

#[test]
fn v1_a_quorum_of_commits_is_a_decision_in_a_view_given_up_too() {
    let mut rig = Rig::started(1);
    let one = batch(1, 0, 0);
    rig.hear(0, pre_prepare(0, &one));
    rig.ring(phase::PATIENCE);
    rig.sent();
    rig.hear_all(&[0, 2, 3], &commit(0, 1, Some(one.hash())));
    assert_eq!(rig.sent(), [checkpoint(1, 1, rig.book.root)]);
    rig.stabilise();
    assert_eq!(rig.low(), 1);
}

#[test]
fn v2_f_plus_1_take_everybody_along_to_the_highest_view_they_speak_for() {
    let mut rig = Rig::started(3);
    rig.hear(0, Message::ViewChange(change(7, Vec::new())));
    assert_eq!(rig.sent(), [], "one may be a liar");
    rig.hear(0, Message::ViewChange(change(8, Vec::new())));
    assert_eq!(rig.sent(), [], "also twice");
    rig.hear(1, Message::ViewChange(change(5, Vec::new())));
    assert_eq!(said(&mut rig).view, 5, "one of two is honest, and past view 4");
    rig.hear(2, Message::ViewChange(change(6, Vec::new())));
    assert_eq!(said(&mut rig).view, 6);
    rig.hear(2, Message::ViewChange(change(2, Vec::new())));
    assert_eq!(rig.sent(), [], "never back");
}

#[test]
fn v3_the_timer_for_a_new_view_runs_once_a_quorum_wants_it() {
    let mut rig = Rig::started(3);
    rig.ring(phase::PATIENCE);
    assert_eq!(said(&mut rig).view, 1);
    rig.hear(0, Message::ViewChange(change(1, Vec::new())));
    assert_eq!(rig.timer(phase::PATIENCE), None);
    rig.hear(2, Message::ViewChange(change(1, Vec::new())));
    assert!(rig.timer(phase::PATIENCE).is_some());
    rig.ring(phase::PATIENCE);
    assert_eq!(said(&mut rig).view, 2, "its primary did not begin it");
}

#[test]
fn v4_the_new_primary_begins_its_view_with_a_quorum_of_changes_its_own_included() {
    let mut rig = Rig::started(1);
    let one = batch(1, 0, 0);
    let certificate = prepared(0, 1, Some(one.hash()), &[2, 3]);
    rig.hear(2, Message::ViewChange(change(1, vec![certificate.clone()])));
    assert_eq!(rig.sent(), []);
    rig.hear(3, Message::ViewChange(change(1, Vec::new())));
    let sent = rig.sent();
    let changes =
        [(1, change(1, Vec::new())), (2, change(1, vec![certificate])), (3, change(1, Vec::new()))];
    assert_eq!(sent[0], Message::ViewChange(change(1, Vec::new())), "f+1 have taken it along");
    assert_eq!(sent[1], new_view(1, &changes));
    assert_eq!(rig.view(), 1);
    assert!(sent.iter().all(|message| !matches!(message, Message::Prepare { .. })));
    // It does not hold the batch that it proposes again, and goes on once that has come.
    rig.hear_all(&[2, 3], &prepare(1, 1, Some(one.hash())));
    rig.hear_all(&[2, 3], &commit(1, 1, Some(one.hash())));
    assert_eq!(rig.executed(), 0);
    rig.hear(2, Message::Batch { batch: one });
    assert_eq!(rig.executed(), 1);
    let numbered = rig.sent().into_iter().find_map(|message| match message {
        Message::PrePrepare { view, batch } => Some((view, batch.header.height)),
        _ => None,
    });
    assert_eq!(numbered, Some((1, 2)));
}

#[test]
fn v4_of_more_than_a_quorum_some_are_left_out_but_never_its_own() {
    let mut rig = Rig::started(1);
    // It is behind, and hears of four at once when it wakes to them.
    for id in [0, 2, 3] {
        rig.hear(id, Message::ViewChange(change(1, Vec::new())));
    }
    let sent = rig.sent();
    let new = sent.iter().find_map(|message| match message {
        Message::NewView { changes, .. } => Some(changes.iter().map(|(id, ..)| id.0).collect()),
        _ => None,
    });
    let senders: Vec<u32> = new.unwrap();
    assert_eq!(senders.len(), 3);
    assert!(senders.contains(&1));
}

#[test]
fn v5_everybody_prepares_what_follows_from_the_changes_and_nothing_else_up_to_there() {
    let mut rig = Rig::started(3);
    let [one, three, rival] = [batch(1, 0, 0), batch(3, 0, 0), batch(3, 1, 5)];
    let certificates = vec![
        prepared(0, 1, Some(one.hash()), &[1, 2]),
        prepared(0, 3, Some(three.hash()), &[1, 2]),
    ];
    let changes =
        [(0, change(1, Vec::new())), (1, change(1, certificates)), (2, change(1, Vec::new()))];
    rig.hear(1, new_view(1, &changes));
    assert_eq!(rig.view(), 1);
    let expected = [(1, Some(one.hash())), (2, None), (3, Some(three.hash()))];
    let prepares = expected.map(|(number, value)| prepare(1, number, value));
    let sent: Vec<_> =
        rig.sent().into_iter().filter(|sent| matches!(sent, Message::Prepare { .. })).collect();
    assert_eq!(sent, prepares, "number 2 must not stop number 3");
    rig.hear(1, pre_prepare(1, &rival));
    assert!(rig.sent().is_empty(), "number 3 is taken");
    // A null request is executed, and leaves no block.
    rig.hear(0, Message::Batch { batch: one.clone() });
    rig.hear(0, Message::Batch { batch: three.clone() });
    for (number, value) in expected {
        rig.hear_all(&[0, 1, 2], &commit(1, number, value));
    }
    assert_eq!((rig.executed(), rig.book.height()), (3, 2));
    rig.hear(1, pre_prepare(1, &batch(4, 1, 0)));
    assert_eq!(rig.executed(), 3);
    assert!(rig.sent().contains(&prepare(1, 4, Some(batch(4, 1, 0).hash()))));
}

/// PROTOCOLS P4.
#[test]
fn v5_of_two_certificates_for_a_number_the_one_of_the_latest_view_counts() {
    let [old, new] = [batch(1, 0, 0), batch(1, 1, 0)];
    for turned in [false, true] {
        let mut rig = Rig::started(0);
        let mut changes = [
            (1, change(2, vec![prepared(0, 1, Some(old.hash()), &[2, 3])])),
            (2, change(2, vec![prepared(1, 1, Some(new.hash()), &[2, 3])])),
            (3, change(2, Vec::new())),
        ];
        if turned {
            let first = changes[0].1.clone();
            changes[0].1 = std::mem::replace(&mut changes[1].1, first);
        }
        rig.hear(2, new_view(2, &changes));
        assert_eq!(rig.view(), 2);
        assert!(rig.sent().contains(&prepare(2, 1, Some(new.hash()))));
    }
}

#[test]
fn v5_what_lies_below_the_latest_stable_checkpoint_is_done_with() {
    let mut rig = Rig::started(3);
    rig.decide(0, &batch(1, 0, 0));
    let root = rig.book.root;
    let mut ahead = change(1, Vec::new());
    ahead.stable = Some(stable(1, 1, root, &[0, 1, 2]));
    let behind = change(1, vec![prepared(0, 1, Some(batch(1, 0, 7).hash()), &[1, 2])]);
    rig.hear(1, new_view(1, &[(0, change(1, Vec::new())), (1, ahead), (2, behind)]));
    assert_eq!((rig.view(), rig.low()), (1, 1), "a checkpoint that comes so is stable, too");
    let prepares =
        rig.sent().into_iter().filter(|sent| matches!(sent, Message::Prepare { view: 1, .. }));
    assert_eq!(prepares.count(), 0);
}

#[test]
fn v5_who_has_executed_a_number_already_prepares_it_again_and_executes_it_once() {
    let mut rig = Rig::started(3);
    let one = batch(1, 0, 0);
    rig.decide(0, &one);
    rig.sent();
    let certificate = prepared(0, 1, Some(one.hash()), &[1, 2]);
    let changes = [0, 1, 2].map(|id| (id, change(1, vec![certificate.clone()])));
    rig.hear(1, new_view(1, &changes));
    assert_eq!(rig.sent(), [prepare(1, 1, Some(one.hash()))]);
    rig.hear_all(&[0, 1, 2], &prepare(1, 1, Some(one.hash())));
    rig.hear_all(&[0, 1, 2], &commit(1, 1, Some(one.hash())));
    assert_eq!((rig.executed(), rig.book.height()), (1, 1));
}

#[test]
fn a_view_begins_also_for_those_who_had_not_given_up_the_last() {
    let mut rig = Rig::started(3);
    rig.hear(1, new_view(1, &[0, 1, 2].map(|id| (id, change(1, Vec::new())))));
    assert_eq!(rig.view(), 1);
    assert_eq!(rig.horizon.1, 1, "view changes for views up to it are dead");
}

#[test]
fn who_wants_a_later_view_is_not_called_back() {
    let mut rig = Rig::started(3);
    rig.hear(0, Message::ViewChange(change(2, Vec::new())));
    rig.hear(2, Message::ViewChange(change(2, Vec::new())));
    assert_eq!(said(&mut rig).view, 2);
    rig.hear(1, new_view(1, &[0, 1, 2].map(|id| (id, change(1, Vec::new())))));
    assert_eq!(rig.view(), 0);
    rig.hear(2, new_view(2, &[0, 1, 2].map(|id| (id, change(2, Vec::new())))));
    assert_eq!(rig.view(), 2);
}
