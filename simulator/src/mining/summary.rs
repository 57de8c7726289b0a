//! What mining came to: the figures that experiments are about.

use super::Find;
use ledger::ReplicaId;
use serde::Serialize;
use std::{collections::BTreeMap, fmt};

/// The figures of a run. Those of a chain are of the main one: the branch with the most work that
/// anybody who is up has adopted.
#[derive(Clone, PartialEq, Debug, Default, Serialize)]
pub struct Summary {
    /// All blocks that anybody found.
    pub found: u64,
    /// How many of them are in the main chain: its height.
    pub main: u64,
    /// At how many of its heights more than one block was found.
    pub contested: u64,
    /// The mean time between two of its blocks, in seconds; zero if there are not two.
    pub interval: f64,
    /// The standard deviation of the natural logarithm of its blocks' difficulty.
    pub spread: f64,
    /// The most blocks that a replica took back at once.
    pub deepest: u64,
    /// How many blocks were taken back that a merchant would have counted on, by all replicas
    /// together.
    pub reverted: u64,
    /// By miner.
    pub shares: BTreeMap<ReplicaId, Share>,
}

/// What one miner did.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize)]
pub struct Share {
    /// All blocks it found.
    pub found: u64,
    /// How many of them are in the main chain.
    pub main: u64,
}

impl Summary {
    /// Counts. `main` is a chain of some of the `finds`, from height one up.
    pub(crate) fn of(finds: &[Find], main: &[Find]) -> Summary {
        let mut shares: BTreeMap<ReplicaId, Share> = BTreeMap::new();
        let mut heights: BTreeMap<u64, u64> = BTreeMap::new();
        for find in finds {
            shares.entry(find.miner).or_default().found += 1;
            *heights.entry(find.height).or_default() += 1;
        }
        for find in main {
            shares.entry(find.miner).or_default().main += 1;
        }
        let rivals = main.iter().filter(|find| heights[&find.height] > 1);
        Summary {
            found: finds.len() as u64,
            main: main.len() as u64,
            contested: rivals.count() as u64,
            interval: interval(main),
            spread: spread(main),
            shares,
            ..Summary::default()
        }
    }

    /// The share of all blocks that are not in the main chain; zero if none was found.
    pub fn stale(&self) -> f64 {
        ratio(self.found - self.main, self.found)
    }

    /// The share of heights with a rival; zero if there are none.
    pub fn forks(&self) -> f64 {
        ratio(self.contested, self.main)
    }
}

/// The mean time between two blocks of a chain, in seconds; zero if there are not two.
pub fn interval(chain: &[Find]) -> f64 {
    match (chain.first(), chain.last()) {
        (Some(first), Some(last)) if chain.len() > 1 => {
            last.at.saturating_sub(first.at).as_secs_f64() / (chain.len() - 1) as f64
        }
        _ => 0.0,
    }
}

/// The standard deviation of the natural logarithm of the difficulty of a chain's blocks.
pub fn spread(chain: &[Find]) -> f64 {
    let count = chain.len().max(1) as f64;
    let logarithms: Vec<f64> = chain.iter().map(|find| libm::log(find.difficulty())).collect();
    let mean = logarithms.iter().sum::<f64>() / count;
    let squares = logarithms.iter().map(|one| (one - mean) * (one - mean));
    libm::sqrt(squares.sum::<f64>() / count)
}

fn ratio(part: u64, whole: u64) -> f64 {
    part as f64 / whole.max(1) as f64
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Summary { found, main, interval, spread, deepest, reverted, .. } = self;
        let (stale, forks) = (self.stale() * 100.0, self.forks() * 100.0);
        write!(
            f,
            "{found} blocks found, {main} in the chain, {stale:.2} % stale, {forks:.2} % of heights \
             with a rival, {interval:.3} s between blocks, spread of difficulty {spread:.4}, deepest \
             reorganisation {deepest}, {reverted} confirmed blocks undone"
        )
    }
}
