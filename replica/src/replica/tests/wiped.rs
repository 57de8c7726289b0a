//! A disk that is empty and may have been another one.

use super::*;
use crate::{
    birth,
    gossip::{SlotSummary, Summary},
};
use crypto::Hash;
use ledger::Slot;

/// On an empty disk for which nobody vouches.
fn stranger() -> Rig {
    Rig::with(Arc::default(), Options::default())
}

fn summary(reach: u64, spoke: &[u8]) -> Opened<Word> {
    let slot = Slot { height: 1, ..Slot::default() };
    let slots = spoke.iter().map(|bits| SlotSummary { slot, spoke: vec![*bits], ids: Hash::ZERO });
    let covers = (Slot::default(), Slot::default());
    Opened::Summary(Summary { reach, covers, slots: slots.collect(), dead: Box::default() })
}

const NOTHING: [u64; 0] = [];

fn words(actions: &[Action<Word>]) -> Vec<u64> {
    let text = |(_, packet, _): (_, &Packet<Word>, _)| match packet {
        Packet::Message(signed) => Some(signed.message().text),
        _ => None,
    };
    sends(actions).into_iter().filter_map(text).collect()
}

fn speak(rig: &mut Rig, height: u64, text: u64) -> Vec<Action<Word>> {
    let message = Word { height, round: 0, text };
    rig.puppet.act(Effect::Send { to: To::All, message });
    let actions = rig.nudge();
    rig.settle(actions)
}

#[test]
fn it_asks_everybody_and_says_nothing_before_a_quorum_has_answered() {
    let mut rig = stranger();
    let actions = rig.start();
    let asked = sends(&actions);
    let asks = asked.iter().filter(|(_, packet, _)| matches!(packet, Packet::Ask(Ask::Summary)));
    assert_eq!(asks.map(|(_, _, to)| to.len()).sum::<usize>(), 3);
    assert_eq!(words(&speak(&mut rig, 1, 5)), NOTHING);
    assert_eq!(words(&rig.from(1, summary(0, &[]))), NOTHING);
    let actions = rig.from(2, summary(0, &[]));
    assert_eq!(words(&actions), [5], "what waited is said");
    assert_eq!(words(&speak(&mut rig, 2, 6)), [6], "and nothing waits any more");
}

#[test]
fn who_is_asked_tells_at_once() {
    let mut rig = Rig::new();
    rig.start();
    let actions = rig.from(3, Opened::Ask(Ask::Summary));
    let sent = sends(&actions);
    assert!(matches!(sent[..], [(Class::Summary, Packet::Summary(_), [ReplicaId(3)])]), "{sent:?}");
}

#[test]
fn a_height_where_somebody_heard_us_is_closed() {
    let mut rig = stranger();
    rig.start();
    speak(&mut rig, 1, 5);
    rig.from(1, summary(0, &[0b0001]));
    assert_eq!(words(&rig.from(2, summary(0, &[]))), NOTHING, "not a second time");
    assert_eq!(words(&speak(&mut rig, 2, 6)), [6]);
}

#[test]
fn past_the_beginning_the_height_being_decided_is_closed_too() {
    let mut rig = stranger();
    rig.start();
    rig.commit(Some(believed()));
    rig.from(1, summary(0, &[]));
    rig.from(2, summary(1, &[]));
    assert_eq!(words(&speak(&mut rig, 2, 5)), NOTHING, "height 2 was open");
    assert_eq!(words(&speak(&mut rig, 3, 6)), [6]);
}

#[test]
fn it_waits_until_it_was_brought_as_far_as_it_is_told_and_not_for_ever() {
    let mut rig = stranger();
    rig.start();
    rig.from(1, summary(u64::MAX, &[]));
    rig.from(2, summary(0, &[]));
    assert_eq!(words(&speak(&mut rig, 2, 5)), NOTHING);
    rig.now += birth::PATIENCE;
    let actions = rig.handle(Event::Rang(Alarm::Gossip));
    let actions = rig.settle(actions);
    assert_eq!(words(&actions), [5], "nobody could prove it");
    assert_eq!(words(&speak(&mut rig, 1, 6)), NOTHING, "what it may have decided stays closed");
}

/// Alone for long, it has no reason yet to doubt what the first who speak to it say.
#[test]
fn its_patience_begins_when_it_is_told() {
    let mut rig = stranger();
    rig.start();
    rig.now += 2 * birth::PATIENCE;
    speak(&mut rig, 100, 5);
    rig.from(1, summary(0, &[]));
    let actions = rig.from(2, summary(100, &[]));
    assert_eq!(words(&actions), NOTHING, "nobody had a chance to bring it there");
    assert_eq!(words(&speak(&mut rig, 101, 6)), NOTHING);
}

#[test]
fn a_later_life_on_the_same_disk_asks_nobody() {
    let mut rig = stranger();
    rig.start();
    rig.from(1, summary(0, &[]));
    rig.from(2, summary(0, &[]));
    let mut next = Rig::with(Arc::clone(&rig.store), Options::default());
    next.start();
    assert_eq!(words(&speak(&mut next, 1, 5)), [5]);
}

#[test]
fn what_comes_back_to_us_takes_its_slot() {
    let mut rig = Rig::new();
    rig.start();
    let old = say(&hand(0), word(7));
    rig.from(1, Opened::Message(old));
    assert_eq!(words(&speak(&mut rig, 1, 8)), NOTHING, "we said something else there");
    let actions = speak(&mut rig, 1, 7);
    assert_eq!(words(&actions), [7], "the same again is allowed");
}

#[test]
fn what_may_be_said_freely_does_not_wait() {
    let mut rig = stranger();
    rig.start();
    let block = rig.commit(Some(believed()));
    assert!(block.iter().any(|action| matches!(action, Action::Committed { .. })));
}
