//! What is calculated of PBFT.

use super::Config;
use crate::theory::{Theory, Upkeep};
use ledger::Genesis;
use std::time::Duration;

/// Castro, Liskov, "Practical Byzantine Fault Tolerance", OSDI 1999, sections 4.2 and 4.4.
///
/// The normal case, of all n replicas: the primary tells n−1 others its PRE-PREPARE, each of n−1
/// backups tells n−1 others its PREPARE, and each of n its COMMIT. (The paper's client sends a
/// request besides and hears n replies; ours asks a node.) Checkpoints come on top: no
/// decision waits for them.
pub(super) const THEORY: Theory = Theory {
    kinds: &["pre-prepare", "prepare", "commit"],
    messages: |n| 2 * n * (n - 1),
    upkeep: Some(Upkeep { kind: "checkpoint", messages: checkpoints }),
    hops: Some(3),
    dead_leaders: Some(with_dead_primaries),
    turns: None,
    settings: &[],
};

/// Every K numbers each of n replicas tells n−1 others its CHECKPOINT.
fn checkpoints(genesis: &Genesis, n: u64) -> f64 {
    let config = Config::from_genesis(genesis).expect("the settings are good");
    (n * (n - 1)) as f64 / config.checkpoint as f64
}

/// Each dead primary costs a timeout, twice the last one, and the hop in which its backups tell
/// each other; the living one a hop for its NEW-VIEW, with which its PRE-PREPARE comes, and two for
/// prepares and commits: T(2^k−1)+(k+3)δ.
fn with_dead_primaries(genesis: &Genesis, dead: u32, delay: Duration) -> Duration {
    let config = Config::from_genesis(genesis).expect("the settings are good");
    let lost = (0..dead).map(|view| config.patience(view.into()) + delay);
    lost.sum::<Duration>() + 3 * delay
}
