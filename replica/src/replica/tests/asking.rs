//! Peers that ask too much, and what they get.

use super::*;
use crate::{allowance, gossip::PERIOD, sync};

/// A replica with so many blocks, which nobody has asked for anything.
fn rig(blocks: u64) -> Rig {
    let mut rig = Rig::new();
    rig.start();
    (0..blocks).for_each(|_| drop(rig.commit(Some(believed()))));
    rig
}

fn ask(rig: &mut Rig, peer: u32) -> Vec<Action<Word>> {
    rig.from(peer, Opened::Ask(Ask::Blocks { from: 1 }))
}

fn answers(actions: &[Action<Word>]) -> usize {
    let is_answer = |(_, packet, _): &(_, &Packet<Word>, _)| matches!(packet, Packet::Blocks(_));
    sends(actions).into_iter().filter(is_answer).count()
}

fn blames(actions: &[Action<Word>]) -> Vec<(ReplicaId, &'static str)> {
    let blame = |action: &Action<Word>| match action {
        Action::Blame { peer, fault } => Some((*peer, *fault)),
        _ => None,
    };
    actions.iter().filter_map(blame).collect()
}

#[test]
fn a_flood_of_questions_is_answered_within_bounds_and_told_of() {
    let mut rig = rig(3);
    let (mut answered, mut blamed) = (0, 0);
    for _ in 0..20_000 {
        let actions = ask(&mut rig, 1);
        answered += answers(&actions);
        for blame in blames(&actions) {
            assert_eq!(blame, (ReplicaId(1), "asks_too_often"));
            blamed += 1;
        }
    }
    assert!(answered <= allowance::QUESTIONS_AT_ONCE as usize, "{answered}");
    assert!(blamed > 10_000, "{blamed}");
    assert_eq!(answers(&ask(&mut rig, 2)), 1, "another peer is answered all the same");
    let refused: u64 = rig.replica.refused().values().sum();
    assert!(refused >= blamed);
}

/// As fast as it goes: the next question as soon as an answer is there, whatever it cost.
#[test]
fn whoever_catches_up_at_full_speed_is_never_refused() {
    let mut rig = rig(2 * sync::MAX_BLOCKS as u64);
    let mut answered = 0;
    for _ in 0..2_000 {
        rig.now += Duration::from_millis(2);
        let mut actions = ask(&mut rig, 1);
        let asked = rig.now;
        while answers(&actions) == 0 {
            rig.now += PERIOD;
            actions = rig.handle(Event::Rang(Alarm::Gossip));
            actions = rig.settle(actions);
            assert!(rig.now - asked < sync::TIMEOUT, "another would be asked");
        }
        answered += 1;
        assert_eq!(blames(&actions), []);
    }
    assert_eq!(answered, 2_000);
    assert!(
        !rig.replica.refused().contains_key(&("ask", "too_often")),
        "{:?}",
        rig.replica.refused()
    );
}

#[test]
fn a_flood_of_summaries_is_heard_within_bounds() {
    let mut rig = rig(1);
    let inbox = Inbox::<Word>::new(Default::default(), 4);
    let summary = Gossip::default().summary(&inbox, 0, &crate::testing::committee());
    let mut blamed = 0;
    for _ in 0..5_000 {
        blamed += blames(&rig.from(1, Opened::Summary(summary.clone()))).len();
    }
    let refused = rig.replica.refused()[&("summary", "too_often")];
    assert_eq!(refused, 5_000 - u64::from(allowance::QUESTIONS_AT_ONCE));
    assert!(blamed > 1_000, "{blamed}");
}

#[test]
fn blocks_that_no_honest_peer_sends_are_held_against_who_sent_them() {
    let mut other = rig(1);
    let block = other.replica.ledger.committed(1).expect("it was committed");
    drop(other.start());
    let chained = Chained { block, proof: Some(ledger::Proof(b"trust me".to_vec())) };
    let mut rig = rig(0);
    let inbox = Inbox::<Word>::new(Default::default(), 4);
    let summary = Gossip::default().summary(&inbox, 50, &crate::testing::committee());
    rig.from(1, Opened::Summary(summary));
    let actions = rig.from(1, Opened::Blocks(vec![chained]));
    assert_eq!(blames(&actions), [(ReplicaId(1), "unproven")]);
    assert_eq!(rig.replica.ledger.height(), 0);
}
