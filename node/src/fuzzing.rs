//! What must hold whatever comes to the two doors that only a node has: one function for each, which takes any
//! bytes and panics where a rule is broken. Fuzzers call them (`fuzz/`), and the property tests here; the doors
//! of the crates below are in `tests/fuzzing`.

pub use crate::{control::fuzzing::check as control, rpc::fuzzing::check as rpc};

#[cfg(test)]
#[allow(unreachable_pub, reason = "it is public where it comes from")]
#[path = "../../tests/fuzzing/src/mutate.rs"]
mod mutate;
#[cfg(test)]
mod tests;
