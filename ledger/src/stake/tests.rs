//! Stake moves, votes, and is lost.

mod evidence;
mod register;
mod rotation;

use super::*;
use crate::testing::{genesis, key};

/// Four founders with a stake of ten each, whose keys are 0 to 3.
fn founders() -> Genesis {
    let mut genesis = genesis(&[]);
    genesis.settings.insert("ledger.unbonding_blocks".into(), 20);
    genesis.settings.insert("ledger.evidence_blocks".into(), 10);
    genesis.check().expect("the rules fit each other");
    genesis
}

fn rules() -> Staking {
    founders().staking().expect("they are set")
}

/// Who decides the child, and with what weight.
fn weights(register: &Register) -> Vec<(u32, u64)> {
    register.committee().members().iter().map(|member| (member.id.0, member.stake.0)).collect()
}
