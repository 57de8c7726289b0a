//! What is calculated of Tendermint.

use super::Config;
use crate::theory::Theory;
use ledger::Genesis;
use std::time::Duration;

/// Buchman, Kwon, Milosevic, "The latest gossip on BFT consensus", arXiv 1807.04938, 2018, algorithm 1.
///
/// A first round that decides: its proposer tells n−1 others, and each of n replicas tells n−1 others
/// its prevote and its precommit. As many as Bracha's reliable broadcast takes.
pub(super) const THEORY: Theory = Theory {
    kinds: &["proposal", "prevote", "precommit"],
    messages: |n| (n - 1) * (2 * n + 1),
    upkeep: None,
    hops: Some(3),
    dead_leaders: Some(with_dead_proposers),
    settings: &[],
};

/// Each dead proposer costs timeoutPropose of its round, two hops for nil prevotes (L44) and nil
/// precommits (L47), and timeoutPrecommit; the living one three hops.
fn with_dead_proposers(genesis: &Genesis, dead: u32, delay: Duration) -> Duration {
    let config = Config::from_genesis(genesis).expect("the settings are good");
    let timeout = |first, round: u32| config.grown(first, round.into());
    let lost = (0..dead)
        .map(|round| timeout(config.propose, round) + 2 * delay + timeout(config.precommit, round));
    lost.sum::<Duration>() + 3 * delay
}
