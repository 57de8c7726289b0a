//! Stories of whole replicas that mine.

mod chaos;
mod forks;
mod mutants;
mod observed;
mod reorganisations;
mod repeatable;
mod retargeting;
mod shares;

use super::*;
use crate::{Fault, Goal, Progress, Promises, Schedule, Verdict, Violation, checker};
use consensus::nakamoto::Nakamoto;

/// So many miners without faults, with one block a second among them.
fn pow(replicas: u32, seed: u64) -> Setup {
    Setup::new(Nakamoto::NAME, replicas, seed)
}

fn miners(setup: Setup) -> World<Nakamoto> {
    World::new(setup, |genesis| Module::new(genesis).expect("the settings are good"))
}

/// With one setting more.
fn with(mut setup: Setup, key: &str, value: u64) -> Setup {
    setup.settings.insert(key.into(), value);
    setup
}

/// A verdict in which what was confirmed may have been taken back.
fn judge(world: &World<Nakamoto>) -> Verdict {
    checker::judge(world, Promises { may_revert: true, ..Promises::default() })
}

/// The height of each replica's adopted head.
fn head_heights(world: &World<Nakamoto>) -> Vec<u64> {
    let ledgers = world.replicas().filter_map(|id| world.ledger(id));
    ledgers.map(|ledger| ledger.head_height()).collect()
}

/// A verdict on whether everybody who is up is on one chain, but for so many blocks.
fn together(world: &World<Nakamoto>, but: u64) -> Verdict {
    let together = Some(checker::Together { since: Duration::ZERO, but });
    checker::judge(world, Promises { may_revert: true, together, ..Promises::default() })
}

fn assert_together(world: &World<Nakamoto>, but: u64) {
    let verdict = together(world, but);
    assert!(verdict.holds(), "{verdict} {world:?}");
}
