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
    turns: Some(turns),
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

/// Weighted round-robin (CometBFT specification, "Proposer selection procedure"), stated without
/// priorities: after t turns a member with stake s of P should have had t·s/P of them. Each turn is
/// that of whoever would be the furthest behind, of equals of the lowest seat.
fn turns(stakes: &[u64], count: usize) -> Vec<usize> {
    let total: i128 = stakes.iter().map(|stake| i128::from(*stake)).sum();
    let mut had = vec![0_i128; stakes.len()];
    let mut turns = Vec::with_capacity(count);
    for turn in 1..=count as i128 {
        let behind = |seat: usize| turn * i128::from(stakes[seat]) - total * had[seat];
        let next = (1..stakes.len()).fold(
            0,
            |best, seat| {
                if behind(seat) > behind(best) { seat } else { best }
            },
        );
        had[next] += 1;
        turns.push(next);
    }
    turns
}
