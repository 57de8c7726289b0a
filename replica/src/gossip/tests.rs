use super::*;
use crate::{
    inbox::Horizon,
    testing::{Word, committee, hand, say},
};
use proptest::prelude::*;
use std::collections::BTreeSet;

const LATE: Duration = Duration::from_secs(60);

fn inbox_of(messages: &[Signed<Word>]) -> Inbox<Word> {
    let mut inbox = Inbox::new(Horizon::default(), 4);
    for message in messages {
        inbox.receive(message, Duration::ZERO);
    }
    inbox
}

fn word(who: u32, round: u64, text: u64) -> Signed<Word> {
    say(&hand(who), Word { height: 1, round, text })
}

fn answer(holder: &Inbox<Word>, asker: &Inbox<Word>, now: Duration) -> Vec<Signed<Word>> {
    let summary = Gossip::default().summary(asker, 0, &committee());
    missing(holder, &summary, &committee(), now)
}

#[test]
fn what_a_peer_lacks_is_sent_and_nothing_else() {
    let (a, b) = (word(0, 0, 1), word(1, 0, 1));
    let sent = answer(&inbox_of(&[a.clone(), b.clone()]), &inbox_of(&[a]), LATE);
    assert_eq!(sent, vec![b]);
}

#[test]
fn young_slots_are_left_alone() {
    let holder = inbox_of(&[word(0, 0, 1)]);
    let asker = inbox_of(&[]);
    assert!(answer(&holder, &asker, PATIENCE - Duration::from_millis(1)).is_empty());
    assert_eq!(answer(&holder, &asker, PATIENCE).len(), 1);
}

#[test]
fn an_equivocation_spreads_although_the_speakers_are_the_same() {
    let (one, two) = (word(0, 0, 1), word(0, 0, 2));
    let sent = answer(&inbox_of(std::slice::from_ref(&one)), &inbox_of(&[two]), LATE);
    assert_eq!(sent, vec![one]);
}

/// A summary has no bit for them, so they would be sent again and again, and hide what differs.
#[test]
fn who_has_no_seat_is_not_passed_on_and_hides_nothing() {
    let (one, two, stranger) = (word(0, 0, 1), word(0, 0, 2), word(9, 0, 1));
    let holder = inbox_of(&[one.clone(), stranger.clone()]);
    assert_eq!(answer(&holder, &inbox_of(&[]), LATE), std::slice::from_ref(&one));
    assert_eq!(answer(&holder, &inbox_of(std::slice::from_ref(&one)), LATE), []);
    assert_eq!(answer(&holder, &inbox_of(&[two]), LATE), [one], "they heard something else");
}

#[test]
fn an_answer_is_bounded() {
    let messages: Vec<_> = (0..200).map(|round| word(0, round, 1)).collect();
    assert_eq!(answer(&inbox_of(&messages), &inbox_of(&[]), LATE).len(), MAX_ANSWER);
}

#[test]
fn a_summary_with_hostile_bounds_gets_no_answer() {
    let holder = inbox_of(&[word(0, 0, 1)]);
    let mut summary = Gossip::default().summary(&inbox_of(&[]), 0, &committee());
    summary.covers = (summary.covers.1, summary.covers.0);
    assert!(missing(&holder, &summary, &committee(), LATE).is_empty());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// Two replicas that tell each other what they hold come to hold the same, however many pages
    /// that takes, and even where somebody said two things.
    #[test]
    fn two_replicas_converge(
        left in prop::collection::btree_set((0u32..4, 0u64..150, 0u64..2), 0..120),
        right in prop::collection::btree_set((0u32..4, 0u64..150, 0u64..2), 0..120),
    ) {
        let make = |set: &BTreeSet<(u32, u64, u64)>| {
            let words: Vec<_> = set.iter().map(|(who, round, text)| word(*who, *round, *text)).collect();
            inbox_of(&words)
        };
        let mut inboxes = [make(&left), make(&right)];
        let mut gossips = [Gossip::default(), Gossip::default()];
        for turn in 0..40 {
            let (asker, holder) = (turn % 2, 1 - turn % 2);
            let summary = gossips[asker].summary(&inboxes[asker], 0, &committee());
            for message in missing(&inboxes[holder], &summary, &committee(), LATE) {
                inboxes[asker].receive(&message, Duration::ZERO);
            }
        }
        let ids = |inbox: &Inbox<Word>| -> BTreeSet<Hash> {
            let held = inbox.slots().values().flat_map(|held| held.voices.messages());
            held.map(|message| message.id()).collect()
        };
        prop_assert_eq!(ids(&inboxes[0]), ids(&inboxes[1]));
    }

    /// A hostile bitmap or slot list never panics.
    #[test]
    fn hostile_summaries_never_panic(
        bitmap in prop::collection::vec(any::<u8>(), 0..300),
        rounds in prop::collection::vec(0u64..3, 0..200),
    ) {
        let holder = inbox_of(&[word(0, 0, 1), word(3, 1, 1)]);
        let mut summary = Gossip::default().summary(&holder, u64::MAX, &committee());
        summary.slots = rounds
            .iter()
            .map(|round| SlotSummary {
                slot: Slot { height: 1, round: *round, ..Slot::default() },
                spoke: bitmap.clone(),
                ids: Hash::ZERO,
            })
            .collect();
        let _ = missing(&holder, &summary, &committee(), LATE);
    }
}
