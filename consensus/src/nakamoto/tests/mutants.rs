//! Each mutant does what its rule is there to prevent, and the sound miner in its place does not.

use super::rig::*;
use crate::{Flaw, byzantine::mutants::LABEL, nakamoto::mutants::MUTANTS};
use ledger::Block;
use std::sync::Arc;

/// A sound miner, and the mutant called `id`.
fn sound_and_weak(settings: &[(&str, u64)], id: &'static str) -> [Rig; 2] {
    [Rig::new(settings), Rig::weak(settings, Flaw::of(id))]
}

/// The sound one remarks upon nothing, the weak one names itself.
fn told([sound, weak]: &[Rig; 2], id: &str) {
    assert_eq!(sound.noted(LABEL), 0);
    let told = weak.notes.iter().filter(|(label, _)| *label == LABEL);
    let told: Vec<_> = told.map(|(_, detail)| detail).collect();
    assert!(!told.is_empty() && told.iter().all(|detail| detail.starts_with(id)), "{told:?}");
    println!("{told:#?}");
}

#[test]
fn the_mutants_are_those_of_the_list() {
    assert_eq!(MUTANTS.iter().map(|about| about.id).collect::<Vec<_>>(), ["N1", "N2"]);
}

#[test]
fn n1_eleven_cheap_blocks_beat_ten_costly_ones() {
    let deep = [("pow.irreversible", 50)];
    let mut forge = Forge::new(&deep);
    let honest = forge.branch(forge.root(), 1, 10);
    let mut cheap: Vec<Arc<Block>> = Vec::new();
    for number in 1..=11 {
        let parent = cheap.last().map_or(forge.root(), |block| block.hash());
        cheap.push(forge.block(parent, 2, 60.0 * f64::from(number), Vec::new()));
    }
    assert!(work(&cheap) < work(&honest));
    let mut rigs = sound_and_weak(&deep, "N1");
    for rig in &mut rigs {
        rig.hear_all(&honest);
        rig.hear_all(&cheap);
    }
    assert_eq!(rigs.each_ref().map(Rig::head), [honest[9].hash(), cheap[10].hash()]);
    assert_eq!(rigs.each_ref().map(|rig| rig.noted("reverted")), [0, 1]);
    told(&rigs, "N1");
}

#[test]
fn n2_a_body_changed_under_a_header_keeps_the_true_one_out_and_all_that_stands_upon_it() {
    let mut forge = Forge::new(&[]);
    let payments: Vec<_> = (0..3).map(|nonce| pay(&forge.genesis, 3, nonce, 5)).collect();
    let block = forge.block(forge.root(), 1, 1.0, payments);
    let child = forge.block(block.hash(), 1, 2.0, Vec::new());
    let mut mutated = Block::clone(&block);
    mutated.transactions.extend_from_within(2..);
    let mut rigs = sound_and_weak(&[], "N2");
    for rig in &mut rigs {
        rig.hear(&Arc::new(mutated.clone()));
        rig.hear(&block);
        rig.hear(&child);
    }
    assert_eq!(rigs.each_ref().map(Rig::head), [child.hash(), forge.root()]);
    told(&rigs, "N2");
}
