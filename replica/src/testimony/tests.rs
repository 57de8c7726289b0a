use super::*;
use crate::{
    inbox::{Horizon, Inbox},
    testing::{Word, committee, hand, keys, say},
};
use proptest::prelude::*;

fn word(who: u32, height: u64, round: u64, text: u64) -> Signed<Word> {
    say(&hand(who), Word { height, round, text })
}

/// What is kept of messages whose height dies now.
fn close(testimony: &mut Testimony, height: u64, messages: &[Signed<Word>], now: Duration) {
    let mut inbox = Inbox::new(Horizon { height: height - 1, round: 0 }, 4);
    for message in messages {
        inbox.receive(message, now);
    }
    testimony.close(&inbox.raise(height, 0), |_| Arc::new(committee()), now);
}

fn closed(messages: &[Signed<Word>]) -> Testimony {
    let mut testimony = Testimony::default();
    close(&mut testimony, 1, messages, Duration::ZERO);
    testimony
}

/// One tells the other what it holds, and is shown what contradicts it. What that finds.
fn tell(one: &mut Testimony, other: &mut Testimony) -> Vec<Evidence> {
    let differing = other.differing(&one.tags());
    let slots = other.hearsay(differing.into_iter());
    let hearsay = Hearsay { slots, held: Vec::new() };
    assert!(hearsay.is_bounded());
    one.contradicting(&hearsay).iter().filter_map(|stub| other.confront(stub)).collect()
}

#[test]
fn a_contradiction_is_found_among_those_whom_both_heard() {
    let mut one = closed(&[word(0, 1, 0, 1), word(1, 1, 0, 1), word(3, 1, 0, 1)]);
    let mut other = closed(&[word(2, 1, 0, 1), word(1, 1, 0, 1), word(3, 1, 0, 2)]);
    let found = tell(&mut one, &mut other);
    assert_eq!(found.len(), 1);
    assert!(found[0].verify(&keys()));
    assert_eq!(found[0].offender, ReplicaId(3));
    assert!(tell(&mut one, &mut other).is_empty(), "it is found once");
    assert_eq!(tell(&mut other, &mut one), found, "the other finds the same");
}

/// In a run without faults nothing but the tags travels.
#[test]
fn who_heard_others_say_the_same_is_not_answered() {
    let mut one = closed(&[word(0, 1, 0, 1), word(1, 1, 0, 1), word(3, 1, 0, 1)]);
    let mut other = closed(&[word(2, 1, 0, 1), word(1, 1, 0, 1)]);
    assert!(other.differing(&one.tags()).is_empty());
    assert!(one.differing(&other.tags()).is_empty());
}

#[test]
fn two_values_hide_nothing_behind_equal_sets_of_values() {
    let mut one = closed(&[word(0, 1, 0, 1), word(1, 1, 0, 2), word(3, 1, 0, 1)]);
    let mut other = closed(&[word(0, 1, 0, 1), word(1, 1, 0, 2), word(3, 1, 0, 2)]);
    assert_eq!(tell(&mut one, &mut other).len(), 1);
}

#[test]
fn what_comes_late_convicts() {
    let mut testimony = closed(&[word(0, 1, 0, 1), word(1, 1, 0, 1), word(2, 1, 0, 1)]);
    assert_eq!(testimony.late(&word(3, 1, 0, 1)), None);
    assert_eq!(testimony.late(&word(3, 1, 0, 1)), None, "the same again");
    let evidence = testimony.late(&word(3, 1, 0, 2)).expect("it said something else");
    assert!(evidence.verify(&keys()));
    assert_eq!(testimony.late(&word(3, 1, 0, 3)), None, "a third is not kept");
    assert_eq!(testimony.len(), 5);
    assert_eq!(testimony.late(&word(3, 2, 0, 1)), None, "that height is not kept");
}

#[test]
fn rounds_of_one_voice_are_not_kept() {
    let mut testimony = closed(&[word(0, 1, 0, 1), word(1, 1, 0, 1), word(3, 1, 9, 1)]);
    assert_eq!(testimony.len(), 2);
    assert_eq!(testimony.late(&word(3, 1, 9, 2)), None);
    assert_eq!(testimony.len(), 2);
}

#[test]
fn a_round_too_many_is_not_kept() {
    let rounds = 0..MAX_SLOTS as u64 + 5;
    let messages: Vec<_> =
        rounds.flat_map(|round| (0..2).map(move |who| word(who, 1, round, 1))).collect();
    let mut testimony = closed(&messages);
    assert_eq!(testimony.len(), 2 * MAX_SLOTS);
    assert_eq!(testimony.tags().len(), MAX_SLOTS);
    let highest = testimony.tags().iter().map(|(slot, _)| slot.round).max();
    assert_eq!(highest, Some(MAX_SLOTS as u64 - 1), "the lowest are");
}

#[test]
fn heights_are_dropped_when_they_are_old_or_too_many() {
    let mut testimony = Testimony::default();
    let said = |height| [word(0, height, 0, 1), word(1, height, 0, 1)];
    close(&mut testimony, 1, &said(1), Duration::ZERO);
    close(&mut testimony, 2, &said(2), Duration::from_secs(1));
    testimony.forget(KEEP);
    assert_eq!(testimony.len(), 2, "height 1 is old");
    for height in 3..3 + 2 * MAX_HEIGHTS as u64 {
        close(&mut testimony, height, &said(height), KEEP);
    }
    assert_eq!(testimony.len(), 2 * MAX_HEIGHTS);
    let told = testimony.tags();
    assert_eq!(told[0].0.height, 2 + 2 * MAX_HEIGHTS as u64, "the newest is told first");
    testimony.forget(3 * KEEP);
    assert!(testimony.is_empty());
}

#[test]
fn who_is_convicted_already_is_not_shown_again() {
    let mut one = closed(&[word(0, 1, 0, 1), word(1, 1, 0, 1), word(3, 1, 0, 1)]);
    let mut other = closed(&[word(0, 1, 0, 1), word(1, 1, 0, 1), word(3, 1, 0, 2)]);
    let differing = other.differing(&one.tags());
    let slots = other.hearsay(differing.into_iter());
    let held = vec![ReplicaId(3)];
    assert!(one.contradicting(&Hearsay { slots, held }).is_empty());
}

type Told = std::collections::BTreeSet<(u32, u64, u64)>;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whatever two replicas heard, they find exactly those who said one thing to the one and another
    /// to the other.
    #[test]
    fn two_replicas_find_whoever_contradicts_itself_between_them(
        left in prop::collection::btree_set((0u32..4, 0u64..4, 0u64..3), 0..24),
        right in prop::collection::btree_set((0u32..4, 0u64..4, 0u64..3), 0..24),
    ) {
        // Of each sender and round one word, and everybody honest in every round.
        let once = |set: &Told| {
            let mut words: std::collections::BTreeMap<_, _> =
                (0..4).flat_map(|round| [((0, round), 1), ((1, round), 1)]).collect();
            let said = set.iter().map(|(who, round, text)| ((*who, *round), *text));
            words.extend(said.filter(|((who, _), _)| *who > 1));
            words
        };
        let (left, right) = (once(&left), once(&right));
        let make = |words: &std::collections::BTreeMap<(u32, u64), u64>| {
            let words = words.iter().map(|((who, round), text)| word(*who, 1, *round, *text));
            closed(&words.collect::<Vec<_>>())
        };
        let (mut one, mut other) = (make(&left), make(&right));
        let guilty: std::collections::BTreeSet<u32> = left
            .iter()
            .filter(|(place, text)| right.get(place).is_some_and(|other| other != *text))
            .map(|((who, _), _)| *who)
            .collect();
        // One piece for each in an exchange; slots that differ without guilt hide nothing.
        let mut found = std::collections::BTreeSet::new();
        for evidence in tell(&mut one, &mut other) {
            prop_assert!(evidence.verify(&keys()));
            found.insert(evidence.offender.0);
        }
        prop_assert_eq!(found, guilty);
    }

    /// Hearsay about anything, in any shape, neither panics nor makes us show more than the bound.
    #[test]
    fn hostile_hearsay_is_bounded(
        rounds in prop::collection::vec(0u64..3, 0..60),
        senders in prop::collection::vec(any::<u32>(), 0..60),
        seed in any::<[u8; 32]>(),
    ) {
        let mut testimony = closed(&[word(0, 1, 0, 1), word(1, 1, 0, 1), word(3, 1, 0, 2)]);
        let tag = Tag::of(crypto::Hash::from_bytes(seed));
        let slots = rounds.iter().map(|round| SlotHearsay {
            slot: Slot { height: 1, round: *round, ..Slot::default() },
            values: vec![(tag, senders.iter().map(|id| ReplicaId(*id % 8)).collect()); 3],
        });
        let hearsay = Hearsay { slots: slots.collect(), held: Vec::new() };
        prop_assert!(testimony.contradicting(&hearsay).len() <= MAX_SHOWN);
        let told: Vec<_> = hearsay.slots.iter().map(|each| (each.slot, tag)).collect();
        prop_assert!(testimony.differing(&told).len() <= MAX_TOLD);
    }
}
