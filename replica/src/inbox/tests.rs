use super::*;
use crate::testing::{Word, hand, say};

#[test]
fn a_message_is_delivered_once() {
    let mut inbox = Inbox::new(Horizon::default(), 4);
    let message = say(&hand(1), Word { height: 1, round: 0, text: 7 });
    assert_eq!(inbox.receive(&message, Duration::ZERO), Verdict::Fresh);
    assert_eq!(inbox.receive(&message, Duration::ZERO), Verdict::Known);
}

#[test]
fn a_second_word_in_one_slot_is_evidence_and_a_third_is_dropped() {
    let mut inbox = Inbox::new(Horizon::default(), 4);
    let words = [7, 8, 9].map(|text| say(&hand(1), Word { height: 1, round: 0, text }));
    assert_eq!(inbox.receive(&words[0], Duration::ZERO), Verdict::Fresh);
    let Verdict::Equivocation(evidence) = inbox.receive(&words[1], Duration::ZERO) else {
        panic!("two words in one slot are evidence");
    };
    assert_eq!(evidence.offender, ReplicaId(1));
    assert!(evidence.verify(&crate::testing::keys()));
    assert_eq!(inbox.receive(&words[2], Duration::ZERO), Verdict::Surplus);
    let held = inbox.held(words[0].slot().unwrap(), ReplicaId(1));
    assert_eq!(held.count(), 2, "both are held, so that both spread");
}

#[test]
fn dead_and_distant_slots_are_not_held() {
    let mut inbox = Inbox::new(Horizon { height: 5, round: 0 }, 4);
    let at = |height| say(&hand(1), Word { height, round: 0, text: 0 });
    assert_eq!(inbox.receive(&at(5), Duration::ZERO), Verdict::Dead);
    assert_eq!(inbox.receive(&at(5 + 4), Duration::ZERO), Verdict::Fresh);
    assert_eq!(inbox.receive(&at(6 + 4), Duration::ZERO), Verdict::TooFar);
}

#[test]
fn a_horizon_forgets_what_it_passes_and_never_moves_back() {
    let mut inbox = Inbox::new(Horizon::default(), 4);
    let at = |height| say(&hand(1), Word { height, round: 0, text: 0 });
    for height in 1..=3 {
        inbox.receive(&at(height), Duration::ZERO);
    }
    inbox.raise(2, 0);
    inbox.raise(1, 0);
    assert_eq!(inbox.slots().len(), 1);
    assert_eq!(inbox.receive(&at(2), Duration::ZERO), Verdict::Dead);
    assert_eq!(*inbox.share(ReplicaId(1)), 1);
}

#[test]
fn deferred_messages_come_back_unless_they_died() {
    let mut inbox = Inbox::new(Horizon::default(), 4);
    let at = |height| say(&hand(1), Word { height, round: 0, text: 0 });
    for height in 1..=2 {
        inbox.receive(&at(height), Duration::ZERO);
        inbox.defer(at(height));
    }
    inbox.raise(1, 0);
    assert_eq!(inbox.take_deferred(), vec![at(2)]);
    assert!(inbox.take_deferred().is_empty());
}

/// However much one of them defers, the others are heard.
#[test]
fn nobody_can_take_the_room_in_which_others_wait() {
    let mut inbox = Inbox::new(Horizon::default(), 4);
    let at = |who, round| say(&hand(who), Word { height: 1, round, text: 0 });
    let wait = |inbox: &mut Inbox<Word>, message: Signed<Word>| {
        inbox.receive(&message, Duration::ZERO);
        inbox.defer(message);
    };
    for turn in 0..2 * MAX_HELD_PER_SENDER as u64 {
        (4..10).for_each(|who| wait(&mut inbox, at(who, turn)));
    }
    wait(&mut inbox, at(1, 0));
    let deferred = inbox.take_deferred();
    assert_eq!(deferred.len(), 6 * MAX_DEFERRED_PER_SENDER + 1);
    assert_eq!(deferred.last(), Some(&at(1, 0)));
    wait(&mut inbox, at(4, 0));
    assert_eq!(inbox.take_deferred().len(), 1, "what was taken takes no room");
}

#[test]
fn a_full_share_gives_its_furthest_slot_for_a_nearer_one_and_nobody_elses() {
    let mut inbox = Inbox::new(Horizon::default(), 4);
    let at = |who, round| say(&hand(who), Word { height: 1, round, text: 0 });
    let bound = MAX_HELD_PER_SENDER as u64;
    for round in 1..=bound {
        assert_eq!(inbox.receive(&at(1, round), Duration::ZERO), Verdict::Fresh);
    }
    assert_eq!(inbox.receive(&at(1, bound + 1), Duration::ZERO), Verdict::Surplus);
    assert_eq!(inbox.receive(&at(1, 0), Duration::ZERO), Verdict::Fresh);
    assert!(!inbox.slots().contains_key(&at(1, bound).slot().unwrap()));
    assert_eq!(inbox.receive(&at(2, bound), Duration::ZERO), Verdict::Fresh);
}

/// A height that lasts for hundreds of rounds: what is new is heard, and what gave way never again.
#[test]
fn a_full_share_without_a_further_slot_gives_its_first_when_that_is_old() {
    let mut inbox = Inbox::new(Horizon::default(), 4);
    let at = |who, round| say(&hand(who), Word { height: 1, round, text: 0 });
    let bound = MAX_HELD_PER_SENDER as u64;
    for round in 1..=bound {
        inbox.receive(&at(1, round), Duration::ZERO);
    }
    let new = at(1, bound + 1);
    assert_eq!(inbox.receive(&new, OLD - Duration::from_millis(1)), Verdict::Surplus);
    assert_eq!(inbox.receive(&new, OLD), Verdict::Fresh);
    assert_eq!(inbox.receive(&at(1, 1), OLD), Verdict::Surplus, "it would come and go for ever");
    assert_eq!(inbox.receive(&at(2, 1), OLD), Verdict::Fresh, "others' are another matter");
    assert_eq!(inbox.slots().values().map(|held| held.voices.speakers()).sum::<usize>(), 1025);
    // The horizon may lag by a height.
    let next = |round| say(&hand(1), Word { height: 2, round, text: 0 });
    assert_eq!(inbox.receive(&next(0), OLD), Verdict::Fresh);
    inbox.raise(1, 0);
    assert_eq!(inbox.receive(&next(1), OLD), Verdict::Fresh);
}

/// Liars who speak where nobody else does must not be given places for everybody.
#[test]
fn a_voice_in_the_wilderness_takes_little_room() {
    let mut inbox = Inbox::new(Horizon::default(), 4);
    let speak = |inbox: &mut Inbox<Word>, id, round| {
        let word = say(&hand(id), Word { height: 1, round, text: 0 });
        assert_eq!(inbox.receive(&word, Duration::ZERO), Verdict::Fresh);
    };
    (0..512).for_each(|id| speak(&mut inbox, id, 0));
    (1..500).for_each(|round| speak(&mut inbox, 7, round));
    let rooms = inbox.slots().iter().skip(1).map(|(_, held)| held.voices.room());
    assert!(rooms.clone().all(|room| room <= 16), "{:?}", rooms.max());
    let all = &inbox.slots().values().next().unwrap().voices;
    assert!((512..=1_024).contains(&all.room()), "{}", all.room());
    assert_eq!(all.speakers(), 512);
}

/// By rising id, few or many, whatever the order in which they spoke; also after somebody is forgotten.
#[test]
fn voices_are_in_the_order_of_their_ids() {
    for count in [3, 40, 200] {
        let mut voices = Voices::default();
        let ids: Vec<_> = (0..count).map(|at| at * 77 % 211).collect();
        for id in &ids {
            voices.hear(say(&hand(*id), Word { height: 1, round: 0, text: 0 }), 211);
        }
        voices.hear(say(&hand(ids[1]), Word { height: 1, round: 0, text: 1 }), 211);
        assert_eq!(voices.forget(ReplicaId(ids[2])), 1);
        let mut expected: Vec<_> = ids.iter().copied().filter(|id| *id != ids[2]).collect();
        expected.sort_unstable();
        let found: Vec<_> = voices.iter().map(|(id, _)| id.0).collect();
        assert_eq!((found, voices.speakers()), (expected, count as usize - 1));
        assert_eq!(voices.messages().count(), count as usize);
        assert_eq!(voices.forget(ReplicaId(ids[1])), 2);
        assert!(voices.of(ReplicaId(ids[1])).is_none());
    }
}
