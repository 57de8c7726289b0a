//! Keys, transfers and proofs for people: the wallet.
//!
//! A wallet keeps secret keys, signs transfers, and believes nobody: what a node says about a
//! transaction or a balance comes with a proof, and [`verify`](mod@verify) checks it against the
//! genesis and nothing else. It runs no consensus. Where blocks are certified it follows no chain;
//! where they are found by work it follows the [`headers`] of the heaviest one. Beside its keys it
//! keeps what it can read again, headers and the [`history`] of accounts it was asked about, and
//! which [`payments`] it has called confirmed.
//!
//! Read [`verify`](mod@verify) first, which is what a wallet is for, and [`headers`], which takes its
//! place where nothing is final; then [`nodes`], where several nodes are compared; then
//! [`keystore`], where keys rest; then [`cli`], the door for the binary `wallet` and for
//! `testnet wallet`.
//!
//! Secrets come from files, the environment or a prompt, never from an argument, and go nowhere but
//! into a sealed file; the recovery phrase is shown once, on a terminal. No test and no command
//! reads the process's environment but [`environment`].

pub mod cli;
pub mod client;
pub mod commands;
pub mod committees;
mod disk;
pub mod environment;
pub mod error;
pub mod headers;
pub mod history;
pub mod interrupt;
pub mod keystore;
pub mod name;
pub mod nodes;
pub mod payments;
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
#[path = "../tests/support/mined.rs"]
#[allow(dead_code, unreachable_pub)]
mod mined;
#[cfg(test)]
#[path = "../tests/support/network.rs"]
#[allow(dead_code, unreachable_pub)]
mod network;
