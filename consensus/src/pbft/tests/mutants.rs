//! Each mutant does what its rule is there to prevent, and the sound replica in its place does not.

use super::{
    super::{Message, Pbft, Value, ViewChange, message::phase, mutants::MUTANTS},
    rig::*,
};
use crate::{Flaw, catalogue::Module, protocol::Effect};

/// Replica `me` of four, sound and as the mutant called `id`.
fn sound_and_weak(me: u32, id: &'static str) -> [Rig; 2] {
    let mut weak = Rig::new(me, 4, brisk());
    weak.replica = Pbft::new(brisk()).weaken(Flaw::of(id));
    weak.wake();
    [Rig::started(me), weak]
}

/// What it remarked upon its flaw.
fn remarks(rig: &Rig) -> Vec<&str> {
    let remarks = rig.effects.iter().filter_map(|effect| match effect {
        Effect::Note { label: crate::byzantine::mutants::LABEL, detail } => Some(&detail[..]),
        _ => None,
    });
    remarks.collect()
}

/// What it prepares in `view`.
fn prepares(rig: &Rig, in_view: u64) -> Vec<(u64, Value)> {
    let sent = rig.effects.iter().filter_map(|effect| match effect {
        Effect::Send { message: Message::Prepare { view, sequence, value }, .. } => {
            (*view == in_view).then_some((*sequence, *value))
        }
        _ => None,
    });
    sent.collect()
}

/// The sound one remarks upon nothing, the weak one names itself.
fn told([sound, weak]: &[Rig; 2], id: &str) {
    assert_eq!(remarks(sound), [""; 0]);
    let told = remarks(weak);
    assert!(!told.is_empty() && told.iter().all(|detail| detail.starts_with(id)), "{told:?}");
    println!("{told:#?}");
}

#[test]
fn the_mutants_are_those_of_the_list() {
    assert_eq!(
        MUTANTS.iter().map(|about| about.id).collect::<Vec<_>>(),
        ["P1", "P2", "P3", "P4", "P5", "P6"]
    );
}

#[test]
fn p1_executes_what_is_prepared_and_committed_by_nobody_else() {
    let mut rigs = sound_and_weak(2, "P1");
    let one = batch(1, 0, 0);
    for rig in &mut rigs {
        rig.hear(0, pre_prepare(0, &one));
        rig.hear(1, prepare(0, 1, Some(one.hash())));
    }
    assert_eq!(rigs.each_ref().map(Rig::executed), [0, 1]);
    told(&rigs, "P1");
}

#[test]
fn p2_two_of_four_begin_a_view_and_believe_one() {
    let mut rigs = sound_and_weak(1, "P2");
    for rig in &mut rigs {
        rig.hear(3, Message::ViewChange(change(1, Vec::new())));
        rig.ring(phase::PATIENCE);
    }
    assert_eq!(rigs.each_ref().map(Rig::view), [0, 1]);
    let mut rigs = sound_and_weak(2, "P2");
    for rig in &mut rigs {
        rig.hear(1, new_view(1, &[1, 3].map(|id| (id, change(1, Vec::new())))));
        rig.hear(1, new_view(1, &[(1, change(1, Vec::new()))]));
    }
    assert_eq!(rigs.each_ref().map(Rig::view), [0, 1]);
    told(&rigs, "P2");
}

#[test]
fn p3_believes_a_certificate_that_nobody_signed_of_a_view_to_come() {
    let mut rigs = sound_and_weak(2, "P3");
    let (m, other) = (batch(1, 0, 0), batch(1, 3, 0));
    let claim = prepared(99, 1, Some(other.hash()), &[]);
    let changes = [
        (0, change(1, vec![prepared(0, 1, Some(m.hash()), &[1, 2])])),
        (1, change(1, Vec::new())),
        (3, change(1, vec![claim])),
    ];
    for rig in &mut rigs {
        rig.hear(1, new_view(1, &changes));
    }
    assert_eq!(prepares(&rigs[0], 1), [], "no view begins");
    assert_eq!(prepares(&rigs[1], 1), [(1, Some(other.hash()))]);
    told(&rigs, "P3");
}

#[test]
fn p4_goes_back_to_what_a_later_view_has_overtaken() {
    let mut rigs = sound_and_weak(2, "P4");
    let (old, new) = (batch(1, 0, 0), batch(1, 1, 0));
    let certificates = [
        vec![prepared(0, 1, Some(old.hash()), &[1, 2])],
        vec![prepared(1, 1, Some(new.hash()), &[0, 3])],
    ];
    for rig in &mut rigs {
        for (id, certificates) in (0..).zip(certificates.clone()) {
            rig.hear(id, Message::ViewChange(change(2, certificates)));
        }
        assert_eq!(rig.view(), 2);
    }
    let begun = rigs.each_ref().map(|rig| {
        rig.signed.values().find_map(|signed| match signed.message() {
            Message::NewView { proposals, .. } => Some(proposals.clone()),
            _ => None,
        })
    });
    assert_eq!(begun, [new, old].map(|batch| Some(vec![(1, Some(batch.hash()))])));
    told(&rigs, "P4");
}

#[test]
fn p5_leaves_a_gap_that_nobody_can_fill() {
    let mut rigs = sound_and_weak(3, "P5");
    let two = Some(batch(2, 0, 0).hash());
    let certificate = vec![prepared(0, 2, two, &[1, 2])];
    let changes: [(u32, ViewChange); 3] =
        [(0, change(1, Vec::new())), (1, change(1, certificate)), (2, change(1, Vec::new()))];
    let begun = [vec![(1, None), (2, two)], vec![(2, two)]];
    for (rig, proposals) in rigs.iter_mut().zip(&begun) {
        let Message::NewView { view, changes, .. } = new_view(1, &changes) else { unreachable!() };
        rig.hear(1, Message::NewView { view, changes, proposals: proposals.clone() });
        assert_eq!(&prepares(rig, 1), proposals);
        rig.hear(1, pre_prepare(1, &batch(1, 1, 0)));
        assert_eq!(&prepares(rig, 1), proposals, "number 1 is below where the view began");
    }
    told(&rigs, "P5");
}

#[test]
fn p6_has_nothing_to_show_for_what_it_executed_and_takes_another_batch() {
    let mut rigs = sound_and_weak(2, "P6");
    let (m, other) = (batch(1, 0, 0), batch(1, 1, 0));
    let mut shown = Vec::new();
    for rig in &mut rigs {
        rig.decide(0, &m);
        rig.hear_all(&[0, 3], &Message::ViewChange(change(1, Vec::new())));
        let said = rig.signed.values().find_map(|signed| match signed.message() {
            Message::ViewChange(change) => Some(change.clone()),
            _ => None,
        });
        let said = said.expect("f+1 took it along");
        assert_eq!(said.stable, None);
        shown.push(said.prepared.len());
        rig.hear(
            1,
            new_view(1, &[(0, change(1, Vec::new())), (1, change(1, Vec::new())), (2, said)]),
        );
        rig.hear(1, pre_prepare(1, &other));
    }
    assert_eq!(shown, [1, 0]);
    let again = rigs.each_ref().map(|rig| prepares(rig, 1));
    assert_eq!(again, [m, other].map(|batch| vec![(1, Some(batch.hash()))]));
    told(&rigs, "P6");
}
