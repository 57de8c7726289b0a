use super::rig::*;
use crate::{
    protocol::{Input, Timer, Want},
    work::Target,
};
use ledger::{Block, BlockHash, Header, ReplicaId, Seal, Slot};
use std::sync::Arc;

fn with_header(block: &Arc<Block>, change: impl FnOnce(&mut Header)) -> Arc<Block> {
    let mut block = Block::clone(block);
    change(&mut block.header);
    Arc::new(block)
}

fn ring(rig: &mut Rig, phase: u8) {
    rig.feed(Input::Rang(Timer(Slot { phase, ..Slot::default() })));
}

#[test]
fn r1_a_known_block_is_ignored() {
    let (mut forge, mut rig) = (Forge::new(&[]), Rig::new(&[]));
    let block = forge.block(forge.root(), 1, 1.0, Vec::new());
    rig.hear(&block);
    let (records, mined) = (rig.records.len(), rig.mining.clone());
    rig.hear(&block);
    rig.feed(Input::Arrived(block.clone()));
    assert_eq!((rig.head(), rig.adopted), (block.hash(), 1));
    assert_eq!((rig.records.len(), rig.mining.clone()), (records, mined));
}

#[test]
fn r2_a_block_without_the_work_it_states_is_refused() {
    let (mut forge, mut rig) = (Forge::new(&[]), Rig::new(&[]));
    let block = forge.block(forge.root(), 1, 1.0, Vec::new());
    rig.hear(&with_header(&block, |header| *header = unsealed(header.clone())));
    rig.hear(&with_header(&block, |header| header.seal.bits = 0));
    assert_eq!((rig.noted("refused"), rig.adopted), (2, 0));
}

#[test]
fn r2_a_target_easier_than_the_limit_is_refused_although_it_is_met() {
    let (mut forge, mut rig) = (Forge::new(&[]), Rig::new(&[]));
    let block = forge.block(forge.root(), 1, 1.0, Vec::new());
    let easy = Target::EASIEST.to_bits();
    rig.hear(&with_header(&block, |header| {
        header.seal.bits = easy;
        *header = sealed(header.clone());
    }));
    assert_eq!((rig.noted("refused"), rig.adopted), (1, 0));
}

#[test]
fn r4_an_orphan_waits_and_its_lowest_missing_ancestor_is_asked_for() {
    let (mut forge, mut rig) = (Forge::new(&[]), Rig::new(&[]));
    let branch = forge.branch(forge.root(), 1, 4);
    rig.hear(&branch[3]);
    assert_eq!(rig.wants, [Want::Block(branch[2].hash())]);
    rig.feed(Input::Arrived(branch[2].clone()));
    assert_eq!(rig.wants[1..], [Want::Block(branch[1].hash())]);
    rig.hear(&branch[1]);
    assert_eq!((rig.adopted, rig.wants.last()), (0, Some(&Want::Block(branch[0].hash()))));
    rig.feed(Input::Arrived(branch[0].clone()));
    assert_eq!((rig.head(), rig.adopted), (branch[3].hash(), 1), "all at once");
}

#[test]
fn r4_blocks_in_any_order_end_in_the_same_tree() {
    let mut forge = Forge::new(&[]);
    let trunk = forge.branch(forge.root(), 1, 3);
    let limb = forge.branch(trunk[0].hash(), 2, 4);
    let mut all: Vec<_> = trunk.iter().chain(&limb).cloned().collect();
    for turn in 0..all.len() {
        all.rotate_left(turn);
        let mut rig = Rig::new(&[]);
        rig.hear_all(&all);
        assert_eq!(rig.head(), limb[3].hash(), "rotated by {turn}");
        all.reverse();
    }
}

#[test]
fn r5_the_target_must_be_the_one_that_is_due() {
    let (mut forge, mut rig) = (Forge::new(&[]), Rig::new(&[]));
    let block = forge.block(forge.root(), 1, 1.0, Vec::new());
    for factor in [2, 0] {
        let bits = if factor == 0 {
            forge.config.anchor.times_power_of_two(-1, 1).to_bits()
        } else {
            forge.config.anchor.times(factor).to_bits()
        };
        rig.hear(&with_header(&block, |header| {
            header.seal = Seal { bits, nonce: 0 };
            *header = sealed(header.clone());
        }));
    }
    assert_eq!((rig.noted("invalid"), rig.adopted), (2, 0), "neither easier nor harder");
}

#[test]
fn r5_each_branch_has_its_own_target() {
    let mut forge = Forge::new(&[]);
    let slow = forge.block(forge.root(), 1, 73.0, Vec::new());
    let fast = forge.block(forge.root(), 2, 1.0, Vec::new());
    let bits = |parent: &Arc<Block>| forge.config.required(&parent.header);
    let easier = Target::from_bits(bits(&slow)).unwrap();
    let same = Target::from_bits(bits(&fast)).unwrap();
    assert_eq!(same, forge.config.anchor, "exactly on schedule");
    let double = forge.config.anchor.times(2);
    assert_eq!(easier, Target::from_bits(double.to_bits()).unwrap(), "one half-life too late");
    let mut rig = Rig::new(&[]);
    let (on_slow, on_fast) = (
        forge.block(slow.hash(), 1, 74.0, Vec::new()),
        forge.block(fast.hash(), 2, 2.0, Vec::new()),
    );
    rig.hear_all(&[fast, slow, on_slow, on_fast]);
    assert_eq!(rig.noted("invalid"), 0);
}

#[test]
fn r6_a_block_from_the_future_waits_for_its_time() {
    let (mut forge, mut rig) = (Forge::new(&[]), Rig::new(&[]));
    rig.wall = BEGAN;
    let late = forge.block(forge.root(), 1, 12.0, Vec::new());
    let early = forge.block(late.hash(), 1, 12.5, Vec::new());
    rig.hear(&late);
    assert_eq!(rig.head(), late.hash(), "twelve intervals are allowed");
    rig.hear(&early);
    assert_eq!(rig.head(), late.hash());
    let timer = Timer(Slot { phase: 1, ..Slot::default() });
    assert_eq!(rig.timers[&timer].as_millis(), u128::from(T / 2));
    ring(&mut rig, 1);
    assert_eq!(rig.head(), late.hash(), "it rang too early");
    rig.wall += T / 2;
    ring(&mut rig, 1);
    assert_eq!(rig.head(), early.hash());
}

/// Whoever dates a block years ahead must not keep those waiting that are due in a moment.
#[test]
fn r6_the_first_that_is_due_is_not_kept_waiting_by_a_later_one() {
    let (mut forge, mut rig) = (Forge::new(&[]), Rig::new(&[]));
    rig.wall = BEGAN;
    let soon = forge.block(forge.root(), 1, 12.5, Vec::new());
    let far = forge.block(forge.root(), 2, 1_000.0, Vec::new());
    rig.hear(&soon);
    rig.hear(&far);
    let timer = Timer(Slot { phase: 1, ..Slot::default() });
    assert_eq!(rig.timers[&timer].as_millis(), u128::from(T / 2));
    rig.wall += T / 2;
    ring(&mut rig, 1);
    assert_eq!(rig.head(), soon.hash());
    assert!(rig.timers[&timer].as_millis() > u128::from(900 * T), "and then for the other");
}

#[test]
fn r6_a_time_must_exceed_the_median_of_eleven_and_may_be_before_the_parents() {
    let (mut forge, mut rig) = (Forge::new(&[]), Rig::new(&[]));
    let branch = forge.branch(forge.root(), 1, 11);
    rig.hear_all(&branch[..10]);
    let parent = branch[9].hash();
    let back = forge.block(parent, 2, 6.5, Vec::new());
    assert!(back.header.time < branch[9].header.time);
    rig.hear(&back);
    assert_eq!(rig.head(), back.hash());
    let too_far = with_header(&back, |header| {
        header.time = branch[4].header.time;
        *header = sealed(header.clone());
    });
    rig.hear(&too_far);
    assert_eq!((rig.noted("invalid"), rig.head()), (1, back.hash()));
}

#[test]
fn r7_descendants_of_an_invalid_block_are_invalid() {
    let (mut forge, mut rig) = (Forge::new(&[]), Rig::new(&[]));
    let good = forge.block(forge.root(), 1, 1.0, Vec::new());
    let bad = with_header(&good, |header| {
        header.state = crypto::Hash::from_bytes([9; 32]);
        *header = sealed(header.clone());
    });
    let child = with_header(&good, |header| {
        (header.parent, header.height, header.time) = (bad.hash(), 2, BEGAN + 2 * T);
        header.seal.bits = forge.config.required(&bad.header);
        *header = sealed(header.clone());
    });
    rig.hear(&child);
    rig.hear(&bad);
    rig.hear(&child);
    assert_eq!((rig.noted("invalid"), rig.adopted), (1, 0));
    let grandchild = with_header(&child, |header| {
        (header.parent, header.height) = (child.hash(), 3);
        *header = sealed(header.clone());
    });
    let wants = rig.wants.len();
    rig.hear(&grandchild);
    assert_eq!(rig.wants.len(), wants, "nobody is asked for what can never count");
}

#[test]
fn r8_among_equals_the_first_seen_stays() {
    let (mut forge, mut rig) = (Forge::new(&[]), Rig::new(&[]));
    let (one, other) = (
        forge.block(forge.root(), 1, 1.0, Vec::new()),
        forge.block(forge.root(), 2, 0.9, Vec::new()),
    );
    rig.hear_all(&[one.clone(), other.clone()]);
    assert_eq!(rig.head(), one.hash());
    let mut rig = Rig::new(&[]);
    rig.hear_all(&[other.clone(), one]);
    assert_eq!(rig.head(), other.hash());
}

#[test]
fn r8_a_heavier_branch_is_adopted_from_the_fork_on() {
    let (mut forge, mut rig) = (Forge::new(&[]), Rig::new(&[]));
    let ours = forge.branch(forge.root(), 1, 2);
    let theirs = forge.branch(forge.root(), 2, 3);
    rig.hear_all(&ours);
    rig.hear_all(&theirs[..2]);
    assert_eq!(rig.head(), ours[1].hash());
    rig.hear(&theirs[2]);
    assert_eq!(rig.head(), theirs[2].hash());
    assert_eq!(rig.notes.last().map(|(_, detail)| &detail[..15]), Some("2 blocks undone"));
}

#[test]
fn r9_a_new_head_is_passed_on_to_a_few_others() {
    let (mut forge, mut rig) = (Forge::new(&[]), Rig::new(&[]));
    let block = forge.block(forge.root(), 1, 1.0, Vec::new());
    let rival = forge.block(forge.root(), 2, 0.9, Vec::new());
    rig.hear_all(&[block.clone(), rival, block.clone()]);
    let [(to, hash)] = &rig.relayed[..] else { panic!("{:?}", rig.relayed) };
    assert_eq!((*hash, to.len()), (block.hash(), 2));
    assert!(to.iter().all(|id| ![ReplicaId(0), ReplicaId(1)].contains(id)), "{to:?}");
    let mut rig = Rig::new(&[("pow.relay", 0)]);
    rig.hear(&block);
    assert_eq!(rig.relayed, []);
}

#[test]
fn a_stranger_at_the_same_height_with_an_unknown_parent_is_an_orphan() {
    let (mut forge, mut rig) = (Forge::new(&[]), Rig::new(&[]));
    let branch = forge.branch(forge.root(), 1, 2);
    let odd = with_header(&branch[1], |header| {
        header.parent = BlockHash::default();
        *header = sealed(header.clone());
    });
    rig.hear_all(&[branch[0].clone(), odd]);
    assert_eq!(rig.wants, [Want::Block(BlockHash::default())]);
}
