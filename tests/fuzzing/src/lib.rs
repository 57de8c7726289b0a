//! What must hold whatever bytes come: one function for each way in, which takes any bytes and panics
//! where a rule is broken.
//!
//! Two call these functions: the fuzzers in `fuzz/` (outside the workspace), which look for bytes that break
//! a rule, and the gate's property tests (`tests.rs` here), which change a few bytes of what is in
//! `fuzz/corpus`. The ways in that only the crate `node` has, JSON-RPC and the control socket, are in
//! `node/src/fuzzing.rs`.
//!
//! Read [`fixture`] first: real chains that bytes are held against. Whoever fuzzes holds none of their keys, so
//! whatever verifies has to be theirs.

pub mod block;
pub mod codec;
pub mod corpus;
pub mod envelope;
pub mod fixture;
pub mod mutate;
pub mod peer;
pub mod proofs;
pub mod scenario;
pub mod transaction;

#[cfg(test)]
mod tests;

/// A rule: it panics where bytes break it.
pub type Rule = fn(&[u8]);

/// Every way in, by the name of its corpus and of its fuzzer.
pub const RULES: [(&str, Rule); 7] = [
    ("codec", codec::check),
    ("transaction", transaction::check),
    ("block", block::check),
    ("envelope", envelope::check),
    ("peer", peer::check),
    ("proofs", proofs::check),
    ("scenario", scenario::check),
];
