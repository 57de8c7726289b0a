//! A replica that lacks one of its rules, and beside it one that has them all.

use super::*;
use crate::weak::{Rule, Weak};

/// One that lacks `rule`, and a whole one, both begun.
fn both(rule: Rule) -> [Rig; 2] {
    [Weak::lacking(rule), Weak::default()].map(|weak| {
        let options = Options { first_life: true, weak, ..Options::default() };
        let mut rig = Rig::with(Arc::default(), options);
        rig.start();
        rig
    })
}

fn speak(rig: &mut Rig, text: u64) -> Vec<Action<Word>> {
    rig.puppet.act(Effect::Send { to: To::All, message: word(text) });
    let actions = rig.nudge();
    rig.settle(actions)
}

/// How often it heard exactly this.
fn heard(rig: &Rig, from: u32, text: u64) -> usize {
    let is_it =
        |signed: &Signed<Word>| signed.sender() == ReplicaId(from) && signed.message().text == text;
    rig.puppet.count(|input| matches!(input, Input::Heard(signed) if is_it(signed)))
}

#[test]
fn a_weak_signer_signs_a_second_message_in_a_slot_and_no_third() {
    let [mut weak, mut whole] = both(Rule::SignOnce);
    for rig in [&mut weak, &mut whole] {
        assert_eq!(sends(&speak(rig, 1)).len(), 1);
    }
    assert_eq!(refusals(&speak(&mut whole, 2)), ["slot_taken"]);
    let second = speak(&mut weak, 2);
    assert_eq!((sends(&second)[0].0, heard(&weak, 0, 2)), (Class::First, 1));
    assert_eq!(sends(&speak(&mut weak, 2))[0].0, Class::Resend, "the same once more is no third");
    assert_eq!(sends(&speak(&mut weak, 1))[0].0, Class::Resend);
    assert_eq!(refusals(&speak(&mut weak, 3)), ["slot_taken"]);
}

#[test]
fn what_a_weak_signer_signed_besides_is_not_on_its_disk() {
    let [mut weak, _] = both(Rule::SignOnce);
    (1..=2).for_each(|text| drop(speak(&mut weak, text)));
    weak.store.crash();
    let mut next = Rig::on(weak.store);
    let actions = next.start();
    let actions = next.settle(actions);
    let said: Vec<_> = sends(&actions)
        .into_iter()
        .filter_map(|(_, packet, _)| match packet {
            Packet::Message(signed) => Some(signed.message().text),
            _ => None,
        })
        .collect();
    assert_eq!(said, [1]);
}

#[test]
fn a_weak_inbox_hands_on_what_others_say_as_often_as_they_say_it() {
    let [mut weak, mut whole] = both(Rule::HearOnce);
    for (rig, times) in [(&mut weak, 3), (&mut whole, 1)] {
        let message = say(&hand(1), word(7));
        (0..3).for_each(|_| drop(rig.from(1, Opened::Message(message.clone()))));
        assert_eq!(heard(rig, 1, 7), times);
        // Its own voice is heard once, whoever brings it back.
        speak(rig, 5);
        rig.from(1, Opened::Message(say(&hand(0), word(5))));
        assert_eq!(heard(rig, 0, 5), 1);
        // A slot that is over is over.
        rig.puppet.act(Effect::Horizon { height: 1, round: 0 });
        rig.nudge();
        rig.from(1, Opened::Message(message));
        assert_eq!(heard(rig, 1, 7), times);
    }
}
