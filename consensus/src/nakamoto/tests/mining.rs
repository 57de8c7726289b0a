use super::rig::*;
use crate::protocol::{Input, Timer};
use ledger::Slot;

fn refresh(rig: &mut Rig) {
    rig.feed(Input::Rang(Timer(Slot::default())));
}

#[test]
fn r11_it_mines_on_its_head_with_what_waits() {
    let (mut forge, mut rig) = (Forge::new(&[]), Rig::new(&[]));
    let block = forge.block(forge.root(), 1, 1.0, Vec::new());
    rig.pool.push(pay(&forge.genesis, 3, 0, 5));
    rig.hear(&block);
    let (header, target) = rig.mining.clone().expect("it mines");
    assert_eq!((header.parent, header.proposer.0), (block.hash(), 0));
    assert_eq!(target.to_bits(), forge.config.required(&block.header));
    rig.feed(Input::Mined(Box::new(sealed(header))));
    let [mined] = &rig.sent[..] else { panic!("{:?}", rig.sent) };
    assert_eq!(mined.transactions, rig.pool);
    assert_eq!(rig.head(), mined.hash(), "it hears its own block");
    assert_eq!(rig.relayed.len(), 1, "and does not pass it on");
}

#[test]
fn r11_transactions_that_come_are_taken_in() {
    let mut rig = Rig::new(&[]);
    let before = rig.mining.clone().expect("it mines").0;
    let payment = pay(&rig.genesis, 3, 0, 5);
    rig.pool.push(payment);
    rig.feed(Input::Waiting);
    let after = rig.mining.clone().expect("it mines").0;
    assert_ne!(before.transactions, after.transactions);
    let payment = pay(&rig.genesis, 2, 0, 5);
    rig.pool.push(payment);
    refresh(&mut rig);
    assert_ne!(after.transactions, rig.mining.clone().expect("it mines").0.transactions);
}

#[test]
fn r11_an_idle_block_only_gets_a_new_time() {
    let mut rig = Rig::new(&[]);
    let before = rig.mining.clone().expect("it mines").0;
    rig.wall += 100;
    refresh(&mut rig);
    let after = rig.mining.clone().expect("it mines").0;
    assert_eq!(after.time, before.time + 100);
    assert_eq!(ledger::Header { time: before.time, ..after.clone() }, before);
    rig.feed(Input::Mined(Box::new(sealed(before))));
    assert_eq!(rig.sent.len(), 1, "a find for the block before counts");
}

#[test]
fn a_find_that_comes_too_late_is_dropped() {
    let (mut forge, mut rig) = (Forge::new(&[]), Rig::new(&[]));
    let stale = sealed(rig.mining.clone().expect("it mines").0);
    let block = forge.block(forge.root(), 1, 1.0, Vec::new());
    rig.hear(&block);
    rig.feed(Input::Mined(Box::new(stale)));
    assert_eq!((rig.sent.len(), rig.noted("late"), rig.head()), (0, 1, block.hash()));
}

#[test]
fn the_same_find_counts_once() {
    let mut rig = Rig::new(&[]);
    let found = sealed(rig.mining.clone().expect("it mines").0);
    rig.feed(Input::Mined(Box::new(found.clone())));
    rig.feed(Input::Mined(Box::new(found)));
    assert_eq!((rig.sent.len(), rig.adopted), (1, 1));
}
