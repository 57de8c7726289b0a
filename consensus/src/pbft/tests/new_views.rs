//! What a liar can try in a view change. Replica 3 is the victim, and replica 1 view 1's primary.

use super::{
    super::{Message, Prepared, ViewChange},
    rig::*,
};
use ledger::ReplicaId;

/// Three changes for view 1, one of which shows that number 1 was prepared.
fn sound() -> [(u32, ViewChange); 3] {
    let certificate = prepared(0, 1, Some(batch(1, 0, 0).hash()), &[1, 2]);
    [(0, change(1, Vec::new())), (1, change(1, vec![certificate])), (2, change(1, Vec::new()))]
}

/// A NEW-VIEW for view 1 bent by a liar.
fn bent(bend: impl FnOnce(&mut Vec<(ReplicaId, ViewChange, crypto::Signature)>)) -> Message {
    let Message::NewView { view, mut changes, proposals } = new_view(1, &sound()) else {
        unreachable!()
    };
    bend(&mut changes);
    Message::NewView { view, changes, proposals }
}

fn refuses(case: &str, sender: u32, message: Message) {
    let mut rig = Rig::started(3);
    rig.effects.clear();
    rig.hear(sender, message);
    assert_eq!(rig.view(), 0, "{case}");
    assert_eq!(rig.notes(), ["dropped"], "{case}");
    rig.hear(1, new_view(1, &sound()));
    assert_eq!(rig.view(), 1, "and a sound one begins the view: {case}");
}

#[test]
fn a_new_view_is_believed_only_with_a_quorum_of_sound_signed_changes_for_it() {
    let four = [0, 1, 2, 3].map(|id| (id, change(1, Vec::new())));
    let other = by(0, Message::ViewChange(change(2, Vec::new())));
    refuses("another's", 2, new_view(1, &sound()));
    refuses("too few (PROTOCOLS P2)", 1, new_view(1, &sound()[..2]));
    refuses("one twice", 1, bent(|changes| changes[2] = changes[1].clone()));
    refuses("out of order", 1, bent(|changes| changes.reverse()));
    refuses("no seat", 1, {
        let [zero, one, _] = sound();
        new_view(1, &[zero, one, (7, change(1, Vec::new()))])
    });
    refuses(
        "for another view",
        1,
        bent(|changes| {
            changes[0] = (ReplicaId(0), change(2, Vec::new()), *other.signature());
        }),
    );
    refuses("a forged signature", 1, bent(|changes| changes[0].2 = changes[2].2));
    refuses("a bent change", 1, bent(|changes| changes[1].1.prepared.clear()));
    let mut rig = Rig::started(3);
    rig.hear(1, new_view(1, &four));
    assert_eq!(rig.view(), 1, "more than a quorum are no fault");
}

/// A stale, empty or forged O: everybody computes it anew.
#[test]
fn a_new_view_that_proposes_something_else_than_follows_is_refused() {
    let value = Some(batch(1, 0, 0).hash());
    for (case, wrong) in [
        ("empty", Vec::new()),
        ("null", vec![(1, None)]),
        ("another value", vec![(1, Some(batch(1, 0, 9).hash()))]),
        ("another number", vec![(2, value)]),
        ("more", vec![(1, value), (2, None)]),
    ] {
        let Message::NewView { view, changes, .. } = new_view(1, &sound()) else { unreachable!() };
        refuses(case, 1, Message::NewView { view, changes, proposals: wrong });
    }
}

/// PROTOCOLS P3: a certificate is believed only as far as its signatures reach.
#[test]
fn a_forged_or_useless_certificate_makes_a_view_change_unsound() {
    let value = Some(batch(1, 0, 0).hash());
    let good = prepared(0, 1, value, &[1, 2]);
    let relabelled = |bend: fn(&mut Prepared)| {
        let mut certificate = good.clone();
        bend(&mut certificate);
        certificate
    };
    let cases: Vec<(&str, Vec<Prepared>)> = vec![
        ("one signer", vec![prepared(0, 1, value, &[1])]),
        ("one signer twice", vec![prepared(0, 1, value, &[1, 1])]),
        ("out of order", vec![prepared(0, 1, value, &[2, 1])]),
        ("the primary's", vec![prepared(0, 1, value, &[0, 2])]),
        ("more than it takes", vec![prepared(0, 1, value, &[1, 2, 3])]),
        ("no seat", vec![prepared(0, 1, value, &[1, 9])]),
        ("nobody", vec![prepared(0, 1, value, &[])]),
        ("relabelled value", vec![relabelled(|one| one.value = Some(batch(1, 0, 9).hash()))]),
        ("relabelled as null", vec![relabelled(|one| one.value = None)]),
        ("relabelled number", vec![relabelled(|one| one.sequence = 2)]),
        (
            "one signature for another",
            vec![relabelled(|one| one.signatures[0].1 = one.signatures[1].1)],
        ),
        ("of the view asked for", vec![prepared(1, 1, value, &[0, 2])]),
        ("of a later view", vec![prepared(9, 1, value, &[0, 2])]),
        ("number zero", vec![prepared(0, 0, value, &[1, 2])]),
        ("past the window", vec![prepared(0, 5, value, &[1, 2])]),
        ("a number twice", vec![good.clone(), good.clone()]),
    ];
    for (case, certificates) in cases {
        let [zero, _, two] = sound();
        refuses(case, 1, new_view(1, &[zero, (1, change(1, certificates.clone())), two]));
        // Nor does an honest primary begin a view with it.
        let mut rig = Rig::started(1);
        rig.hear(3, Message::ViewChange(change(1, certificates)));
        rig.hear(0, Message::ViewChange(change(1, Vec::new())));
        assert_eq!(rig.view(), 0, "{case}");
        rig.hear(2, Message::ViewChange(change(1, Vec::new())));
        assert_eq!(rig.view(), 1, "{case}");
    }
}

/// Commits are no prepares, whoever says what they are.
#[test]
fn commits_make_no_prepared_certificate() {
    let value = Some(batch(1, 0, 0).hash());
    let votes = [1, 2].map(|id| by(id, commit(0, 1, value)));
    let signatures = votes.iter().map(|vote| (vote.sender(), *vote.signature())).collect();
    let certificate = Prepared { view: 0, sequence: 1, value, signatures };
    let [zero, _, two] = sound();
    refuses("commits", 1, new_view(1, &[zero, (1, change(1, vec![certificate])), two]));
}

/// PROTOCOLS P6: a stable checkpoint needs its quorum.
#[test]
fn a_checkpoint_that_is_not_stable_makes_a_view_change_unsound() {
    let block = batch(1, 0, 0).hash();
    for (case, signers) in [
        ("one's own", &[2_u32][..]),
        ("two of four", &[0, 2]),
        ("one twice", &[0, 2, 2]),
        ("no seat", &[0, 2, 8]),
        ("more than it takes", &[0, 1, 2, 3]),
    ] {
        let mut liar = change(1, Vec::new());
        liar.stable = Some(stable(1, 1, block, signers));
        let [zero, one, _] = sound();
        refuses(case, 1, new_view(1, &[zero, one, (2, liar)]));
    }
}

/// The judgement of a view change is its own: another of the same sender is judged by itself.
#[test]
fn a_liar_that_says_two_view_changes_is_believed_at_most_what_is_sound() {
    let mut rig = Rig::started(1);
    rig.hear(3, Message::ViewChange(change(1, vec![prepared(0, 1, None, &[2])])));
    rig.hear(3, Message::ViewChange(change(1, Vec::new())));
    rig.hear(2, Message::ViewChange(change(1, Vec::new())));
    assert_eq!(rig.view(), 1);
    let mut other = Rig::started(0);
    let said = rig.signed.values().find(|one| matches!(one.message(), Message::NewView { .. }));
    other.deliver(said.unwrap().clone());
    assert_eq!(other.view(), 1, "everybody believes what it begins with");
}

#[test]
fn of_two_new_views_of_one_primary_the_first_counts() {
    let mut rig = Rig::started(3);
    rig.hear(1, new_view(1, &[0, 1, 2].map(|id| (id, change(1, Vec::new())))));
    rig.sent();
    rig.hear(1, new_view(1, &sound()));
    assert_eq!(rig.sent(), []);
    rig.hear(1, pre_prepare(1, &batch(1, 1, 0)));
    assert_eq!(rig.sent(), [prepare(1, 1, Some(batch(1, 1, 0).hash()))]);
}

#[test]
fn a_new_view_of_the_past_is_not_heard_again() {
    let mut rig = Rig::started(3);
    rig.hear(2, new_view(2, &[0, 1, 2].map(|id| (id, change(2, Vec::new())))));
    rig.hear(1, new_view(1, &sound()));
    assert_eq!(rig.view(), 2);
}
