use super::*;

#[test]
fn a_height_left_out_is_found() {
    let mut forge = Forge::three();
    let skipped = forge.grow(vec![]);
    let block = forge.grow(vec![]);
    forge.report(ZERO, &skipped);
    forge.report(ZERO, &block);
    forge.report(ONE, &block);
    let found = forge.judge();
    let [Violation::OutOfOrder { replica: ONE, due: 4, reported: 5, .. }] = found[..] else {
        panic!("{found:?}");
    };
}

#[test]
fn a_height_reported_twice_is_found() {
    let mut forge = Forge::three();
    let again = forge.ledger.committed(3).unwrap();
    forge.report(ZERO, &again);
    let found = forge.judge();
    let [Violation::OutOfOrder { replica: ZERO, due: 4, reported: 3, .. }] = found[..] else {
        panic!("{found:?}");
    };
}

#[test]
fn a_final_block_taken_back_is_found() {
    let mut forge = Forge::three();
    let [first, second] = [vec![], vec![forge.transfer(0, 3, 1)]];
    let [first, second] = [first, second].map(|body| Arc::new(forge.draft(body)));
    forge.report(ZERO, &first);
    forge.report(ZERO, &second);
    let found = forge.judge();
    let expected = (first.hash(), second.hash());
    let told = |violation: &Violation| match violation {
        Violation::TakenBack { replica: ZERO, height: 4, first, second } => {
            (*first, *second) == expected
        }
        _ => false,
    };
    assert!(found.iter().any(told), "{found:?}");
}

/// A crash, and then the ledger stands lower than what was reported.
#[test]
fn a_report_forgotten_in_a_crash_is_found() {
    let mut forge = Forge::three();
    forge.record.note_life(ONE, Duration::from_secs(9), 2);
    let found = forge.judge();
    let [Violation::Forgotten { replica: ONE, reported: 3, held: 2, .. }] = found[..] else {
        panic!("{found:?}");
    };
}

/// A commit was durable, the crash came before its report: nothing is wrong.
#[test]
fn a_report_lost_in_a_crash_is_nobodys_fault() {
    let mut forge = Forge::three();
    let lost = forge.grow(vec![]);
    let next = forge.grow(vec![]);
    forge.report(ZERO, &lost);
    forge.report(ZERO, &next);
    // What the record does when a life begins.
    forge.record.woke(ONE, Duration::from_secs(9), &forge.ledger);
    let recovered = forge.record.history(ONE).iter().filter_map(Milestone::commit);
    let recovered: Vec<_> = recovered.filter(|commit| commit.recovered).collect();
    assert_eq!(recovered.len(), 2);
    assert_eq!(forge.record.decided(ONE).len(), 3, "nothing was reported");
    assert_eq!(forge.judge(), []);
}

#[test]
fn a_block_that_stands_on_another_than_the_one_below_is_found() {
    let mut forge = Forge::three();
    let below = Arc::new(forge.draft(vec![]));
    let parent = forge.grow(vec![forge.transfer(0, 3, 1)]);
    let block = forge.grow(vec![]);
    forge.report(ZERO, &parent);
    forge.report(ZERO, &block);
    forge.report(ONE, &below);
    forge.report(ONE, &block);
    let found = forge.judge();
    let unlinked =
        Violation::Unlinked { replica: ONE, height: 5, below: below.hash(), parent: parent.hash() };
    assert!(found.contains(&unlinked), "{found:?}");
    let disagreed = |each: &Violation| matches!(each, Violation::Disagreement { height: 4, .. });
    assert!(found.iter().any(disagreed), "{found:?}");
}

#[test]
fn a_missing_proof_is_found() {
    let mut forge = Forge::three();
    let block = Arc::new(forge.draft(vec![]));
    forge.report_as(ONE, &block, 4, None);
    assert_eq!(forge.judge(), [Violation::Unproven { replica: ONE, from: 4, to: 4 }]);
    let patient = Promises { unproven: 1, ..Promises::default() };
    assert_eq!(forge.judge_with(patient, vec![None, None]), []);
}

#[test]
fn a_later_proof_covers_what_lies_below() {
    let mut forge = Forge::three();
    for proof in [None, None, Some(GOOD)] {
        let block = forge.grow(vec![]);
        let height = block.header.height;
        forge.report_as(ZERO, &block, height, proof);
    }
    assert_eq!(forge.judge(), []);
}

/// The report came without a proof, and the ledger has got one since.
#[test]
fn a_proof_that_came_after_its_block_counts() {
    let mut forge = Forge::three();
    let block = forge.grow(vec![]);
    forge.report_as(ONE, &block, 4, None);
    let found = forge.judge_with(Promises::default(), vec![None, Some(&forge.ledger)]);
    assert_eq!(found, []);
}

#[test]
fn a_proof_of_nothing_is_found() {
    let mut forge = Forge::three();
    let block = Arc::new(forge.draft(vec![]));
    forge.report_as(ONE, &block, 4, Some(b"trust me"));
    let found = forge.judge();
    let bad =
        |each: &Violation| matches!(each, Violation::BadProof { replica: ONE, height: 4, .. });
    assert!(found.iter().any(bad), "{found:?}");
    assert!(found.contains(&Violation::Unproven { replica: ONE, from: 4, to: 4 }), "{found:?}");
}

#[test]
fn whoever_halted_is_named() {
    let mut forge = Forge::three();
    let at = Duration::from_secs(5);
    forge.record.halt(ONE, at, "two final blocks conflict".into());
    let halted = Violation::Halted { replica: ONE, at, why: "two final blocks conflict".into() };
    assert_eq!(forge.judge(), [halted]);
    let faulty = Promises { faulty: [ONE].into(), ..Promises::default() };
    assert_eq!(forge.judge_with(faulty, vec![None, None]), [], "liars make no promises");
}

/// The slot, both values and both envelopes are named.
#[test]
fn two_values_in_one_slot_are_found() {
    use consensus::Signed;
    use replica::{Class, Envelope, Packet};
    let mut forge = Forge::three();
    let hand = forge.setup.hand(ONE, &forge.genesis);
    let hash = |byte: u8| BlockHash(sha256(&[byte]));
    let said = [hash(1), hash(2), hash(1), hash(3)].map(|value| {
        let message = consensus::tendermint::Message::Prevote {
            height: 4,
            round: 0,
            value: Some(value),
            table: None,
        };
        Signed::by(&hand, message)
    });
    for (signed, seq) in said.iter().zip(5..) {
        let origin = Origin { carrier: ONE, life: 1, at: Duration::from_secs(seq) };
        let envelope = Envelope { seq, packet: Packet::Message(signed.clone()) };
        forge.record.sent(origin, &envelope, Class::First, (100, 1));
    }
    let found = forge.judge();
    let [Violation::Equivocation { signer: ONE, slot, first, second }] = &found[..] else {
        panic!("{found:?}");
    };
    assert_eq!(Some(*slot), said[0].slot());
    assert_eq!((first.value, first.seq), (said[0].value(), 5));
    assert_eq!((second.value, second.seq), (said[1].value(), 6), "the first that differs");
    let text = found[0].to_string();
    assert!(text.contains("envelope 5 of replica 1's life 1, at 5s"), "{text}");
    let faulty = Promises { faulty: [ONE].into(), ..Promises::default() };
    assert_eq!(forge.judge_with(faulty, vec![None, None]), [], "liars make no promises");
}

#[test]
fn whoever_stands_still_is_named() {
    let mut forge = Forge::three();
    for _ in 0..4 {
        let block = forge.grow(vec![]);
        forge.report(ZERO, &block);
    }
    let promise = Progress {
        since: Duration::from_secs(3),
        within: Duration::from_secs(4),
        goal: Goal::Gain(3),
    };
    let live = || vec![Some(&forge.ledger), Some(&forge.ledger)];
    let promises = |promise| Promises { progress: vec![promise], ..Promises::default() };
    // Replica 1's own ledger knows more than it reported, and a report is what counts.
    let found = forge.judge_with(promises(promise), live());
    let [Violation::Stalled { standings, .. }] = &found[..] else { panic!("{found:?}") };
    let standing = |replica, before, after, behind| Standing { replica, before, after, behind };
    assert_eq!(standings[..], [standing(ZERO, 3, 7, false), standing(ONE, 3, 3, true)]);

    let low = Progress { goal: Goal::Reach(3), ..promise };
    assert_eq!(forge.judge_with(promises(low), live()), [], "both were there already");
    let later = Progress { since: Duration::from_secs(99), ..promise };
    assert_eq!(forge.judge_with(promises(later), live()), [], "the time is not over");
    let dead = vec![Some(&forge.ledger), None];
    assert_eq!(forge.judge_with(promises(promise), dead), [], "the dead need not get on");
}
