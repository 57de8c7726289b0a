//! R5: how hard the next block is. The module's rule is ASERT; the others are here to be compared
//! with it.
//!
//! Only ASERT looks at nothing but the parent, which is why a proof can be checked from a few
//! headers, a branch from below the root be weighed (R12), and a light client be served. So no genesis
//! and no node can name another rule: a world that has nothing but miners may, behind the feature
//! `byzantine`.

use super::{Config, Instance, Message};
use crate::{protocol::Turn, work::Target};
use ledger::{BlockHash, Header};
use ruint::aliases::U256;
use std::{collections::VecDeque, time::Duration};

/// How the target follows the times of the blocks before.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Rule {
    /// [`Config::required`]: the chain's distance from its schedule.
    #[default]
    Asert,
    /// The mean of a window, once in each window.
    Bitcoin {
        /// How many blocks have one target. At least two.
        window: u64,
    },
    /// The weighted mean of a window that moves with each block.
    Lwma {
        /// How many blocks are looked at. At least one.
        window: u64,
    },
}

/// Bitcoin's target after a window of blocks that all had the target `before` and `took` so long from
/// the first to the last: one interval fewer than there are blocks, and still compared with as many
/// intervals. At most four times as easy or as hard.
///
/// (Bitcoin Core, `pow.cpp`, `CalculateNextWorkRequired`.)
///
/// # Panics
/// If a window takes no time at all.
pub fn bitcoin(before: Target, took: Duration, window: u64, interval: Duration) -> Target {
    let wanted = interval.as_millis() * u128::from(window);
    assert!(wanted > 0, "a window takes time");
    let took = took.as_millis().clamp(wanted / 4, wanted * 4);
    before.times_fraction(took, wanted)
}

/// The linearly weighted moving average: the mean of the targets of N blocks, times the weighted mean of
/// their intervals over the wanted one, where the newest weighs N times as much as the oldest.
///
/// (zawy12, "LWMA difficulty algorithm", issue 3 of `difficulty-algorithms`, 2017; without bounds on an
/// interval.) `weighted` is the sum of i times the i-th interval, the oldest being the first.
///
/// # Panics
/// If there are no blocks, or the wanted interval is zero.
pub fn lwma(mean: Target, weighted: Duration, window: u64, interval: Duration) -> Target {
    let weights = u128::from(window) * u128::from(window + 1) / 2;
    let wanted = interval.as_millis() * weights;
    assert!(wanted > 0, "a window takes time");
    mean.times_fraction(weighted.as_millis(), wanted)
}

/// What LWMA looks at: the last blocks of the branch that ends in `tip`. It is brought up to date
/// block by block, since sums over a long window would take as long as the window.
#[derive(Debug, Default)]
pub(super) struct Window {
    tip: Option<BlockHash>,
    /// Time and N-th part of the target, oldest first: one block more than the window has, because
    /// it has as many intervals.
    blocks: VecDeque<(u64, U256)>,
    /// Of all but the newest.
    times: u128,
    /// Of all but the oldest.
    parts: U256,
}

impl Instance {
    /// R5: the compact target of a child of a block of the tree, or of the root. None if that is not
    /// here.
    pub(super) fn required(&mut self, parent: BlockHash, turn: &Turn<'_, Message>) -> Option<u32> {
        let header = self.tree.header(parent)?;
        let target = match self.rule {
            Rule::Asert => return Some(self.config.required(header)),
            Rule::Bitcoin { window } => self.bitcoin(parent, window, turn),
            Rule::Lwma { window } => self.lwma(parent, window, turn),
        };
        Some(target.min(self.config.limit).to_bits())
    }

    /// Whether a block that stands on a committed one has the target that is due. Only ASERT can tell
    /// from the parent alone, and worlds with another rule commit nothing.
    pub(super) fn is_due_below(&self, header: &Header, parent: &Header) -> bool {
        self.rule != Rule::Asert || header.seal.bits == self.config.required(parent)
    }

    fn bitcoin(&self, parent: BlockHash, window: u64, turn: &Turn<'_, Message>) -> Target {
        let newest = self.before(parent, turn);
        let height = newest.height + 1;
        let before = target_of(&newest, &self.config);
        if !height.is_multiple_of(window) {
            return before;
        }
        let mut oldest = newest.clone();
        while oldest.height > height - window {
            oldest = self.before(oldest.parent, turn);
        }
        let took = Duration::from_millis(newest.time.saturating_sub(oldest.time));
        bitcoin(before, took, window, self.config.interval)
    }

    fn lwma(&mut self, parent: BlockHash, window: u64, turn: &Turn<'_, Message>) -> Target {
        if self.window.tip != Some(parent) {
            let newest = self.before(parent, turn);
            if self.window.tip != Some(newest.parent) || newest.height == 0 {
                self.window = self.window_at(newest.parent, window, turn);
            }
            self.window.push(parent, &newest, &self.config, window);
        }
        match self.window.blocks.len() as u64 > window {
            true => self.window.next(window, self.config.interval),
            false => self.config.anchor,
        }
    }

    /// The window that ends in a block, read from the branch; empty before the genesis.
    fn window_at(&self, tip: BlockHash, window: u64, turn: &Turn<'_, Message>) -> Window {
        let mut branch = Vec::new();
        let mut at = tip;
        while branch.len() as u64 <= window
            && (self.tree.contains(at) || turn.app.block(at).is_some())
        {
            let header = self.before(at, turn);
            let (hash, parent, height) = (at, header.parent, header.height);
            branch.push((hash, header));
            if height == 0 {
                break;
            }
            at = parent;
        }
        let mut found = Window::default();
        for (hash, header) in branch.iter().rev() {
            found.push(*hash, header, &self.config, window);
        }
        found
    }

    /// A block of the tree or beneath it.
    fn before(&self, hash: BlockHash, turn: &Turn<'_, Message>) -> Header {
        let header = self.tree.header(hash).cloned();
        header.unwrap_or_else(|| turn.app.block(hash).expect("it is committed").header.clone())
    }
}

impl Window {
    /// The branch goes on by one block.
    fn push(&mut self, hash: BlockHash, header: &Header, config: &Config, window: u64) {
        let part = target_of(header, config).number() / U256::from(window);
        self.tip = Some(hash);
        if let Some((time, _)) = self.blocks.back() {
            self.times += u128::from(*time);
            self.parts += part;
        }
        self.blocks.push_back((header.time, part));
        if self.blocks.len() as u64 > window + 1 {
            let (time, _) = self.blocks.pop_front().expect("it is full");
            self.times -= u128::from(time);
            self.parts -= self.blocks.front().expect("there is one more").1;
        }
    }

    /// The target after N blocks. The sum of i (t_i - t_(i-1)) is N t_N less all earlier times.
    fn next(&self, window: u64, interval: Duration) -> Target {
        let newest = self.blocks.back().expect("it is full").0;
        let weighted = (u128::from(window) * u128::from(newest)).saturating_sub(self.times);
        let weighted = Duration::from_millis(u64::try_from(weighted).unwrap_or(u64::MAX));
        lwma(Target::of_number(self.parts), weighted, window, interval)
    }
}

/// What a block's hash had to meet. The genesis counts as one at which the chain begins.
fn target_of(header: &Header, config: &Config) -> Target {
    Target::from_bits(header.seal.bits).unwrap_or(config.anchor)
}

#[cfg(test)]
mod tests;
