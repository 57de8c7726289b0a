//! Keys, transfers and proofs for people: the wallet.
//!
//! A wallet keeps secret keys, signs transfers, and believes nobody: what a node says about a
//! transaction or a balance comes with a proof, and [`verify`](mod@verify) checks it against the
//! genesis and nothing else. It runs no consensus and follows no chain; beside its keys it keeps only
//! what it can read again, the [`history`] of accounts it was asked about.
//!
//! Read [`verify`](mod@verify) first, which is what a wallet is for; then [`nodes`], where several
//! nodes are compared; then [`keystore`], where keys rest; then [`cli`], the door for the binary `wallet` and for `testnet wallet`.
//!
//! Secrets come from files, the environment or a prompt, never from an argument, and go nowhere but
//! into a sealed file; the recovery phrase is shown once, on a terminal. No test and no command
//! reads the process's environment but [`environment`].

pub mod cli;
pub mod client;
pub mod commands;
mod disk;
pub mod environment;
pub mod error;
pub mod history;
pub mod interrupt;
pub mod keystore;
pub mod name;
pub mod nodes;
pub mod phrase;
pub mod report;
pub mod secrets;
pub mod verify;

// What the tests of the binary also use.
#[cfg(test)]
#[path = "../tests/support/fake_node.rs"]
#[allow(dead_code, unreachable_pub)]
mod fake_node;
#[cfg(test)]
#[path = "../tests/support/network.rs"]
#[allow(dead_code, unreachable_pub)]
mod network;
