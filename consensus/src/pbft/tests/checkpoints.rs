//! Checkpoints, rule by rule.

use super::{
    super::{Config, Message, Pbft},
    rig::*,
};
use crate::protocol::{Effect, Input, Protocol};

fn rare() -> Config {
    Config { checkpoint: 2, ..brisk() }
}

#[test]
fn c1_a_checkpoint_is_said_every_k_numbers_with_the_block_reached() {
    let mut rig = Rig::started_with(1, rare());
    rig.decide(0, &batch(1, 0, 0));
    let is_checkpoint = |message: &Message| matches!(message, Message::Checkpoint(_));
    assert!(!rig.sent().iter().any(is_checkpoint));
    rig.decide(0, &batch(2, 0, 0));
    let said: Vec<_> = rig.sent().into_iter().filter(is_checkpoint).collect();
    assert_eq!(said, [checkpoint(2, 2, rig.book.root)]);
}

#[test]
fn c2_a_quorum_where_we_are_is_stable_and_proves_the_block() {
    let mut rig = Rig::started(1);
    rig.decide(0, &batch(1, 0, 0));
    let (root, wrong) = (rig.book.root, batch(9, 0, 0).hash());
    rig.hear(0, checkpoint(1, 1, root));
    rig.hear(2, checkpoint(1, 1, wrong));
    rig.hear(3, checkpoint(1, 2, root));
    assert_eq!(rig.low(), 0, "only two agree");
    assert!(rig.proofs.is_empty());
    rig.hear(3, checkpoint(1, 1, root));
    assert_eq!(rig.low(), 1);
    let block = rig.book.blocks[&root].header.clone();
    trusting(&committee(4), |trusted| Pbft::verify(&[block], &rig.proofs[&root], trusted)).unwrap();
}

#[test]
fn c2_what_others_reached_first_is_stable_once_we_have_executed_it() {
    let mut rig = Rig::started(1);
    let batch = batch(1, 0, 0);
    let block = rig.book.place(&batch);
    rig.hear_all(&[0, 2, 3], &checkpoint(1, 1, block.hash()));
    assert_eq!((rig.low(), rig.executed()), (0, 0));
    rig.decide(0, &batch);
    assert_eq!(rig.low(), 1);
    assert_eq!(rig.proofs.keys().copied().collect::<Vec<_>>(), [block.hash()]);
}

/// A quorum is at a number beyond ours with our very block: what lies between left none.
#[test]
fn c2_numbers_that_left_no_block_need_not_be_executed_one_by_one() {
    let mut rig = Rig::started(1);
    rig.decide(0, &batch(1, 0, 0));
    rig.hear_all(&[0, 2, 3], &checkpoint(3, 1, rig.book.root));
    assert_eq!((rig.executed(), rig.low()), (3, 3));
}

#[test]
fn c3_what_lies_up_to_a_stable_checkpoint_is_dead() {
    let mut rig = Rig::started(1);
    let batch = batch(1, 0, 0);
    rig.decide(0, &batch);
    assert_eq!(rig.horizon.0, 0);
    rig.stabilise();
    assert_eq!(rig.horizon.0, 1);
    rig.sent();
    rig.hear(3, fetch(1, batch.hash()));
    assert_eq!(rig.sent(), [], "the batch is forgotten");
    // Neither does a view change speak of it.
    rig.hear_all(&[2, 3], &Message::ViewChange(change(1, Vec::new())));
    let sent = rig.sent();
    let Some(Message::ViewChange(said)) = sent.first() else { panic!("{sent:?}") };
    assert_eq!(said.prepared, []);
    assert_eq!(said.low(), 1);
}

/// PROTOCOLS P6: to forget at our own checkpoint would be wrong.
#[test]
fn c3_nothing_is_forgotten_for_our_own_checkpoint() {
    let mut rig = Rig::started(1);
    let batch = batch(1, 0, 0);
    rig.decide(0, &batch);
    rig.hear(0, checkpoint(1, 1, rig.book.root));
    assert_eq!(rig.horizon.0, 0);
    rig.sent();
    rig.hear_all(&[2, 3], &Message::ViewChange(change(1, Vec::new())));
    let sent = rig.sent();
    let Some(Message::ViewChange(said)) = sent.first() else { panic!("{sent:?}") };
    assert_eq!((said.prepared.len(), said.low()), (1, 0));
    assert_eq!(said.prepared[0].value, Some(batch.hash()));
}

#[test]
fn c4_who_is_brought_blocks_goes_on_after_them() {
    let mut ahead = Rig::started(2);
    for sequence in 1..=7 {
        ahead.decide(0, &batch(sequence, 0, 0));
        ahead.stabilise();
    }
    let mut rig = Rig::started(1);
    rig.hear(0, pre_prepare(0, &batch(1, 0, 0)));
    // Beyond the window, so it comes too early.
    rig.hear(0, pre_prepare(0, &batch(4, 0, 0)));
    rig.sent();
    let (root, proof) = (ahead.book.root, ahead.proofs[&ahead.book.root].clone());
    rig.book.blocks = ahead.book.blocks.clone();
    rig.book.root = root;
    rig.feed(Input::Advanced { block: root, proof });
    assert_eq!((rig.executed(), rig.low(), rig.horizon.0), (7, 7, 7));
    rig.decide(0, &batch(8, 0, 0));
    assert_eq!(rig.book.blocks[&rig.book.root].header.parent, root);
}

/// Whoever gave it to us: it travels in our view changes, where no more are allowed.
#[test]
fn a_checkpoint_is_kept_with_a_quorum_of_signatures_and_no_more() {
    let mut rig = Rig::started(1);
    let block = rig.book.place(&batch(1, 0, 0));
    rig.book.blocks.insert(block.hash(), block.clone());
    rig.book.root = block.hash();
    let proof = stable(1, 1, block.hash(), &[0, 1, 2, 3]).encode();
    rig.feed(Input::Advanced { block: block.hash(), proof });
    rig.sent();
    rig.hear_all(&[2, 3], &Message::ViewChange(change(1, Vec::new())));
    let sent = rig.sent();
    let Some(Message::ViewChange(said)) = sent.first() else { panic!("{sent:?}") };
    assert_eq!(said.stable.as_ref().unwrap().signatures.len(), 3);
}

#[test]
fn what_is_executed_is_committed_before_it_is_proven() {
    let mut rig = Rig::started(1);
    rig.decide(0, &batch(1, 0, 0));
    let root = rig.book.root;
    rig.stabilise();
    let commits = rig.effects.iter().filter_map(|effect| match effect {
        Effect::Commit { block, proof } => Some((*block, proof.is_some())),
        _ => None,
    });
    assert_eq!(commits.collect::<Vec<_>>(), [(root, false), (root, true)]);
}
