//! A liar that goes by a script says what its lines say, when it can.

use super::{
    super::{Message, message::phase, proof},
    rig::*,
};
use crate::{
    Flaw,
    byzantine::script::{Claim, Line, Word},
    quorum::Claimed,
};
use ledger::ReplicaId;

fn line(kind: &str, height: u64, round: u64, value: Word) -> Line {
    Line { kind: kind.to_owned(), height, round, value, ..Line::default() }
}

fn to(line: Line, to: &[u32]) -> Line {
    Line { to: to.iter().copied().map(ReplicaId).collect(), ..line }
}

fn claim(sequence: u64, view: u64, value: Word) -> Claim {
    Claim { sequence, view, value }
}

/// The one message that it relayed since the test last asked, to whom.
fn said(rig: &mut Rig) -> (Vec<u32>, Message) {
    let relayed = std::mem::take(&mut rig.relayed);
    let [said] = &relayed[..] else { panic!("not one message: {relayed:?}") };
    said.clone()
}

/// Whether the sound believe a view change.
fn is_sound(message: &Message) -> bool {
    let Message::ViewChange(change) = message else { panic!("no view change: {message:?}") };
    let judge = |claimed: &Claimed<Message>| claimed.clone().open(&keys()).is_ok();
    proof::check_change(change, 4, Flaw::default(), &committee(4), &judge).is_ok()
}

#[test]
fn a_primary_skips_a_number_and_does_not_propose_it_later() {
    let mut rig = Rig::scripted(0, vec![line("pre-prepare", 2, 0, Word::Mine(1))]);
    let (heard_by, message) = said(&mut rig);
    assert_eq!(heard_by, [1, 2, 3]);
    let mut backup = Rig::started(1);
    backup.hear(0, message);
    let prepares: Vec<_> = backup.sent();
    assert!(matches!(prepares[..], [Message::Prepare { sequence: 2, .. }]), "{prepares:?}");
}

#[test]
fn a_primary_says_two_batches_of_its_own_and_its_votes_know_which_is_which() {
    let lines = vec![
        to(line("pre-prepare", 1, 0, Word::Mine(1)), &[1, 2]),
        to(line("pre-prepare", 1, 0, Word::Mine(2)), &[3]),
        to(line("commit", 1, 0, Word::Mine(2)), &[3]),
        to(line("commit", 1, 0, Word::Nil), &[1]),
    ];
    let rig = Rig::scripted(0, lines);
    let [(_, one), (_, two), (_, commit), (_, nil)] = &rig.relayed[..] else {
        panic!("{:?}", rig.relayed)
    };
    let digest = |message: &Message| match message {
        Message::PrePrepare { view: 0, batch } => batch.hash(),
        other => panic!("{other:?}"),
    };
    assert_ne!(digest(one), digest(two));
    assert_eq!(*commit, super::rig::commit(0, 1, Some(digest(two))));
    assert_eq!(*nil, super::rig::commit(0, 1, None));
}

#[test]
fn a_vote_for_what_was_proposed_waits_until_it_is_and_takes_the_place_of_the_honest_one() {
    let lines = vec![to(line("prepare", 1, 0, Word::Of(0)), &[2])];
    let mut rig = Rig::scripted(3, lines);
    assert!(rig.relayed.is_empty());
    let one = batch(1, 0, 0);
    rig.hear(0, pre_prepare(0, &one));
    let prepare = prepare(0, 1, Some(one.hash()));
    // Replica 2 hears it from the script, the others from the honest replica beneath.
    assert_eq!(rig.relayed, [(vec![0, 1], prepare.clone()), (vec![2], prepare)]);
}

#[test]
fn a_view_change_claims_what_its_line_claims_and_no_more() {
    let bare = Line { when: Some(0), ..line("view-change", 0, 1, Word::Nil) };
    let mut rig = Rig::scripted(3, vec![bare]);
    let (_, message) = said(&mut rig);
    assert_eq!(message, Message::ViewChange(change(1, Vec::new())));

    // True as far as it can be.
    let one = batch(1, 0, 0);
    let claims = vec![claim(1, 0, Word::Of(0))];
    let mut rig = Rig::scripted(3, vec![Line { claims, ..line("view-change", 0, 1, Word::Nil) }]);
    rig.hear(0, pre_prepare(0, &one));
    rig.hear(2, prepare(0, 1, Some(one.hash())));
    assert!(rig.relayed.is_empty(), "it is in view 0");
    rig.ring(phase::PATIENCE);
    let (_, message) = said(&mut rig);
    let certificate = prepared(0, 1, Some(one.hash()), &[2, 3]);
    assert_eq!(message, Message::ViewChange(change(1, vec![certificate])));
    assert!(is_sound(&message));

    // Of a view that never was.
    let claims = vec![claim(1, 7, Word::Mine(1))];
    let mut rig = Rig::scripted(3, vec![Line { claims, ..line("view-change", 0, 1, Word::Nil) }]);
    rig.hear(0, pre_prepare(0, &one));
    rig.hear(2, prepare(0, 1, Some(one.hash())));
    rig.ring(phase::PATIENCE);
    let (_, message) = said(&mut rig);
    let Message::ViewChange(change) = &message else { panic!("{message:?}") };
    assert_eq!((change.prepared[0].view, change.prepared[0].signatures.len()), (7, 2));
    assert!(!is_sound(&message));
    // Whoever believes it can have the batch.
    rig.effects.clear();
    let batch = change.prepared[0].value.expect("no null request");
    rig.hear(1, fetch(3, batch));
    let answers = rig.sent();
    assert!(matches!(&answers[..], [Message::Batch { batch: found }] if found.hash() == batch));
}

#[test]
fn a_new_primary_begins_its_view_with_whose_changes_it_likes() {
    let one = batch(1, 0, 0);
    let lines = vec![
        Line { when: Some(0), ..line("view-change", 0, 1, Word::Nil) },
        Line { names: [2, 3].map(ReplicaId).into(), ..line("new-view", 0, 1, Word::Nil) },
    ];
    let mut rig = Rig::scripted(1, lines);
    said(&mut rig);
    let certificate = prepared(0, 1, Some(one.hash()), &[2, 3]);
    rig.hear(0, Message::ViewChange(change(1, vec![certificate])));
    rig.hear(2, Message::ViewChange(change(1, Vec::new())));
    assert!(rig.relayed.is_empty(), "its own would be enough with these");
    rig.hear(3, Message::ViewChange(change(1, Vec::new())));
    let (_, message) = said(&mut rig);
    let bare = [1, 2, 3].map(|id| (id, change(1, Vec::new())));
    assert_eq!(message, new_view(1, &bare));
    assert_eq!(rig.view(), 1, "it believes itself");
    let mut backup = Rig::started(2);
    backup.hear(1, message);
    assert_eq!(backup.view(), 1);
}

#[test]
fn a_new_view_proposes_what_follows_unless_it_claims_something_else() {
    let lines = |claims: Vec<Claim>| {
        vec![
            Line { when: Some(0), ..line("view-change", 0, 1, Word::Nil) },
            Line { claims, ..line("new-view", 0, 1, Word::Nil) },
        ]
    };
    let value = Some(batch(1, 0, 0).hash());
    let proposed =
        [(Vec::new(), vec![(1, value)]), (vec![claim(1, 0, Word::Nil)], vec![(1, None)])];
    for (claims, expected) in proposed {
        let mut rig = Rig::scripted(1, lines(claims));
        said(&mut rig);
        rig.hear(0, Message::ViewChange(change(1, vec![prepared(0, 1, value, &[2, 3])])));
        rig.hear(2, Message::ViewChange(change(1, Vec::new())));
        let (_, message) = said(&mut rig);
        let Message::NewView { changes, proposals, .. } = message else { panic!("{message:?}") };
        assert_eq!((changes.len(), proposals), (3, expected));
    }
}
