//! Stories across crates; this file holds what they share.

use consensus::{catalogue::Module, tendermint::Tendermint};
use ledger::Genesis;
use simulator::soak::{Options, Outcome, run_seed};

/// Runs one seed of chaos among so many replicas of Tendermint.
///
/// # Panics
/// If a promise is broken: with the whole story, and the command that runs it again.
pub fn survive(replicas: u32, seed: u64) -> Outcome {
    let outcome = run_seed(seed, &Options::new(Tendermint::NAME, replicas), tendermint);
    assert!(
        outcome.holds(),
        "{outcome}\nagain: cargo run --release -- soak --replicas {replicas} --seeds {seed}"
    );
    outcome
}

/// A fresh Tendermint for a replica's life.
///
/// # Panics
/// If the genesis has settings that Tendermint does not know.
pub fn tendermint(genesis: &Genesis) -> Tendermint {
    Module::new(genesis).expect("the settings are good")
}
