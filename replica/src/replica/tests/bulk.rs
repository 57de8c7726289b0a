//! Many transactions as one question, and what became of them.

use super::*;

fn asked(actions: &[Action<Word>]) -> &Answer {
    let answer = actions.iter().find_map(|action| match action {
        Action::Answer { answer, .. } => Some(answer),
        _ => None,
    });
    answer.expect("an answer")
}

#[test]
fn many_submissions_are_answered_in_order_and_published_together() {
    let mut rig = Rig::new();
    rig.start();
    let (first, poor, second) = (transfer(1, 0, 5), transfer(2, 0, 5_000), transfer(1, 1, 5));
    let many = vec![first.clone(), poor, second.clone(), first.clone()];
    let actions = rig.handle(Event::Asked { id: 1, query: Query::SubmitMany(many) });
    let Answer::SubmittedMany(results) = asked(&actions) else { panic!("{actions:?}") };
    let words: Vec<_> =
        results.iter().map(|result| result.as_ref().map_err(PoolRefusal::reason)).collect();
    assert_eq!(words, [Ok(&first.id()), Err("balance"), Ok(&second.id()), Err("known")]);
    let published: Vec<_> =
        actions.iter().filter(|action| matches!(action, Action::Publish(_))).collect();
    let [Action::Publish(published)] = published[..] else { panic!("{actions:?}") };
    assert_eq!(*published, [first, second], "together, and only what was taken");
}

/// However many wait, each has its turn.
#[test]
fn all_that_waits_is_published_again_in_turn() {
    let mut rig = Rig::new();
    rig.start();
    let many: Vec<_> = (0..150).map(|nonce| transfer(1, nonce, 1)).collect();
    let expected: std::collections::BTreeSet<_> = many.iter().map(|each| each.id()).collect();
    rig.handle(Event::Asked { id: 1, query: Query::SubmitMany(many) });
    let mut seen = std::collections::BTreeSet::new();
    for _ in 0..3 {
        // Long enough for the first to be due again each time.
        rig.now += PUBLISH_PERIOD;
        for action in rig.handle(Event::Rang(Alarm::Gossip)) {
            if let Action::Publish(again) = action {
                seen.extend(again.iter().map(|each| each.id()));
            }
        }
    }
    assert_eq!(seen, expected);
}

#[test]
fn a_submission_of_nothing_is_answered_with_nothing() {
    let mut rig = Rig::new();
    rig.start();
    let actions = rig.handle(Event::Asked { id: 1, query: Query::SubmitMany(Vec::new()) });
    assert!(matches!(asked(&actions), Answer::SubmittedMany(results) if results.is_empty()));
    assert!(!actions.iter().any(|action| matches!(action, Action::Publish(_))));
}

#[test]
fn bodies_are_the_committed_blocks_from_a_height_on_proven_or_not() {
    let mut rig = Rig::new();
    rig.start();
    for proof in [None, Some(believed()), None] {
        rig.commit(proof);
    }
    for (from, expected) in [(0, vec![1, 2, 3]), (2, vec![2, 3]), (4, vec![]), (u64::MAX, vec![])] {
        let actions = rig.handle(Event::Asked { id: 1, query: Query::Bodies(from) });
        let Answer::Bodies(bodies) = asked(&actions) else { panic!("{actions:?}") };
        let heights: Vec<_> = bodies.iter().map(|block| block.header.height).collect();
        assert_eq!(heights, expected, "from {from}");
    }
}

#[test]
fn bodies_of_blocks_that_are_final_by_depth_are_there_once_confirmed() {
    let mut rig = Rig::new();
    rig.replica.confirmations = Some(3);
    rig.start();
    rig.commit(None);
    for (adopted, expected) in [(2, vec![1]), (3, vec![1]), (4, vec![1, 2]), (5, vec![1, 2, 3])] {
        let parent = rig.replica.ledger.head();
        rig.puppet.pull(move |turn| {
            let (time, duties) = (2_000, Vec::new());
            let (transactions, seal) = (Vec::new(), Seal::default());
            let draft = Draft { parent, transactions, time, proposer: ReplicaId(0), duties, seal };
            let block = turn.app.assemble(draft).unwrap();
            let block = turn.app.accept(&block).unwrap();
            turn.act(Effect::Adopt { head: block });
        });
        let actions = rig.nudge();
        rig.settle(actions);
        let actions = rig.handle(Event::Asked { id: 1, query: Query::Bodies(1) });
        let Answer::Bodies(bodies) = asked(&actions) else { panic!("{actions:?}") };
        let heights: Vec<_> = bodies.iter().map(|block| block.header.height).collect();
        assert_eq!(heights, expected, "with {adopted} adopted");
    }
}

#[test]
fn one_answer_holds_a_bounded_number_of_bodies() {
    let mut rig = Rig::new();
    rig.start();
    for _ in 0..crate::sync::MAX_BLOCKS + 2 {
        rig.commit(None);
    }
    let actions = rig.handle(Event::Asked { id: 1, query: Query::Bodies(1) });
    let Answer::Bodies(bodies) = asked(&actions) else { panic!("{actions:?}") };
    assert_eq!(bodies.len(), crate::sync::MAX_BLOCKS);
}
