use super::rig::*;
use crate::{
    nakamoto::orphans::{MAX, MAX_PER_SENDER},
    protocol::Input,
};
use ledger::Block;
use std::sync::Arc;

/// N1 of PROTOCOLS §9: comparing heights lets whoever pretends that time went by mine many cheap
/// blocks instead of few costly ones.
#[test]
fn n1_eleven_cheap_blocks_do_not_beat_ten_costly_ones() {
    let deep = [("pow.irreversible", 50)];
    let (mut forge, mut rig) = (Forge::new(&deep), Rig::new(&deep));
    let honest = forge.branch(forge.root(), 1, 10);
    let mut cheap: Vec<Arc<Block>> = Vec::new();
    for number in 1..=11 {
        let parent = cheap.last().map_or(forge.root(), |block| block.hash());
        cheap.push(forge.block(parent, 2, 60.0 * f64::from(number), Vec::new()));
    }
    assert!(cheap.len() > honest.len() && work(&cheap) < work(&honest));
    rig.hear_all(&honest);
    rig.hear_all(&cheap);
    assert_eq!(rig.head(), honest[9].hash());
    let mut rig = Rig::new(&deep);
    rig.hear_all(&cheap);
    rig.hear_all(&honest);
    assert_eq!(rig.head(), honest[9].hash(), "in either order");
}

/// N2 of PROTOCOLS §9, CVE-2012-2459: a block whose body was changed under its header must not make
/// its header suspect.
#[test]
fn n2_a_body_changed_under_a_header_does_not_keep_the_true_one_out() {
    let (mut forge, mut rig) = (Forge::new(&[]), Rig::new(&[]));
    let payments: Vec<_> = (0..3).map(|nonce| pay(&forge.genesis, 3, nonce, 5)).collect();
    let block = forge.block(forge.root(), 1, 1.0, payments);
    let child = forge.block(block.hash(), 1, 2.0, Vec::new());
    let mut mutated = Block::clone(&block);
    let last = mutated.transactions.last().expect("three").clone();
    mutated.transactions.push(last);
    let mutated = Arc::new(mutated);
    assert_eq!(mutated.hash(), block.hash(), "the header is the same");
    rig.hear(&child);
    rig.hear(&mutated);
    rig.feed(Input::Arrived(mutated.clone()));
    assert_eq!((rig.noted("refused"), rig.adopted), (2, 0));
    rig.hear(&block);
    assert_eq!(rig.head(), child.hash());
}

#[test]
fn n2_a_changed_body_does_not_take_the_place_of_an_orphan() {
    let (mut forge, mut rig) = (Forge::new(&[]), Rig::new(&[]));
    let first = forge.block(forge.root(), 1, 1.0, Vec::new());
    let second = forge.block(first.hash(), 1, 2.0, vec![pay(&forge.genesis, 3, 0, 5)]);
    let mut gutted = Block::clone(&second);
    gutted.transactions.clear();
    rig.hear(&Arc::new(gutted));
    rig.hear(&second);
    rig.hear(&first);
    assert_eq!(rig.head(), second.hash());
}

#[test]
fn orphans_are_bounded_for_each_sender_and_together() {
    let mut orphans = crate::nakamoto::orphans::Orphans::default();
    let mut forge = Forge::new(&[]);
    let block = forge.block(forge.root(), 1, 1.0, Vec::new());
    let orphan = |number: u32, from: u32| {
        let mut block = Block::clone(&block);
        block.header.time += u64::from(number);
        let (hash, from) = (block.hash(), ledger::ReplicaId(from));
        crate::nakamoto::orphans::Orphan { hash, block: Arc::new(block), from }
    };
    let now = std::time::Duration::ZERO;
    let polite = orphan(1_000_000, 9);
    orphans.insert(polite.clone(), now);
    let all: Vec<_> = (0..MAX_PER_SENDER as u32 + 5).map(|number| orphan(number, 1)).collect();
    all.iter().for_each(|orphan| orphans.insert(orphan.clone(), now));
    assert!(!orphans.contains(all[4].hash) && orphans.contains(all[5].hash), "its own oldest go");
    assert!(orphans.contains(polite.hash), "and nobody else's");
    for number in 0..2 * MAX as u32 {
        orphans.insert(orphan(2_000_000 + number, 10 + number), now);
    }
    assert_eq!(orphans.take_ready(|_| true).len(), MAX);
}

#[test]
fn orphans_are_forgotten_in_time() {
    let mut rig = Rig::new(&[]);
    let mut forge = Forge::new(&[]);
    let strange = forge.branch(forge.root(), 2, 2);
    rig.hear(&strange[1]);
    let ours = forge.branch(forge.root(), 1, 12);
    rig.hear_all(&ours[..10]);
    rig.wall += 201 * T;
    rig.hear(&ours[10]);
    let before = rig.adopted;
    rig.hear(&strange[0]);
    assert_eq!(rig.adopted, before, "its child is gone, and it is beside the root");
}
