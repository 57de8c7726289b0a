//! What replicas adopt for the time being, and take back: watched from outside, for protocols whose
//! blocks are never quite certain.
//!
//! A block that is [`Depths::confirmations`] deep beneath a replica's adopted head is one that a
//! merchant counts on. If that replica adopts another block at its height later, a promise was
//! broken that proof-of-work makes with a probability only: a [`Reversion`].
//!
//! [`Depths::confirmations`]: consensus::catalogue::Depths::confirmations

use ledger::{BlockHash, Ledger, ReplicaId};
use serde::Serialize;
use std::{collections::BTreeMap, time::Duration};

/// How many heights below the committed root are remembered. A crash can throw a ledger back by
/// what it committed and did not sync.
const KEPT_BELOW_ROOT: u64 = 128;

/// A replica took blocks back that it had shown as confirmed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
pub struct Reversion {
    /// Who.
    pub replica: ReplicaId,
    /// When it adopted others.
    pub at: Duration,
    /// The height of the lowest of them.
    pub height: u64,
    /// How many confirmed ones there were.
    pub blocks: u64,
    /// How many it took back in all.
    pub depth: u64,
}

/// What everybody adopted.
#[derive(Debug)]
pub(crate) struct Heads {
    branches: Vec<Branch>,
    reversions: Vec<Reversion>,
    deepest: u64,
}

/// One replica's adopted branch.
#[derive(Clone, Debug, Default)]
struct Branch {
    head: Option<BlockHash>,
    /// What it adopted last at each height. After a crash there may be more than it has adopted
    /// again so far.
    blocks: BTreeMap<u64, BlockHash>,
    /// The greatest height at which it has shown a block as confirmed and not taken it back.
    confirmed: u64,
    /// Whether it has adopted nothing yet in its present life, as far as that is told.
    newborn: bool,
    /// When its head had which height.
    heights: Vec<(Duration, u64)>,
}

impl Heads {
    pub(crate) fn new(replicas: u32) -> Heads {
        let branches = vec![Branch::default(); replicas as usize];
        Heads { branches, reversions: Vec::new(), deepest: 0 }
    }

    /// Looks at a replica's adopted head. It costs what the branch has changed since the last look.
    pub(crate) fn look(
        &mut self,
        id: ReplicaId,
        at: Duration,
        ledger: &Ledger,
        confirmations: u64,
    ) {
        let branch = &mut self.branches[id.0 as usize];
        if branch.head == Some(ledger.head()) {
            return;
        }
        let undone = branch.adopt(at, ledger);
        self.take_back(id, at, undone, (ledger.head_height() + 1).saturating_sub(confirmations));
    }

    /// Somebody whose ledger is not at hand begins a life: what it adopts first cannot be compared with what
    /// it had adopted in an earlier one, since it may come to its head anew, block by block.
    pub(crate) fn reborn(&mut self, id: ReplicaId) {
        self.branches[id.0 as usize].newborn = true;
    }

    /// The same as [`Heads::look`] of somebody whose ledger is not at hand, by its word: its head is at `height`
    /// now, and the newest block that its branch shares with the one before at `fork`.
    pub(crate) fn moved(
        &mut self,
        id: ReplicaId,
        at: Duration,
        (height, fork): (u64, u64),
        confirmations: u64,
    ) {
        let branch = &mut self.branches[id.0 as usize];
        let newborn = std::mem::take(&mut branch.newborn);
        let before = branch.heights.last().filter(|_| !newborn).map_or(0, |(_, height)| *height);
        branch.heights.push((at, height));
        let undone = (before > fork).then(|| (fork, before - fork));
        self.take_back(id, at, undone, (height + 1).saturating_sub(confirmations));
    }

    /// Notes what was undone above a fork, and that a branch is confirmed up to a height now.
    fn take_back(
        &mut self,
        id: ReplicaId,
        at: Duration,
        undone: Option<(u64, u64)>,
        deep_enough: u64,
    ) {
        let branch = &mut self.branches[id.0 as usize];
        if let Some((fork, depth)) = undone {
            self.deepest = self.deepest.max(depth);
            let blocks = branch.confirmed.saturating_sub(fork);
            branch.confirmed -= blocks;
            if blocks > 0 {
                let (replica, height) = (id, fork + 1);
                self.reversions.push(Reversion { replica, at, height, blocks, depth });
            }
        }
        branch.confirmed = branch.confirmed.max(deep_enough);
    }

    pub(crate) fn reversions(&self) -> &[Reversion] {
        &self.reversions
    }

    pub(crate) fn deepest(&self) -> u64 {
        self.deepest
    }

    /// The height of a replica's head at a time, if it was looked at before.
    pub(crate) fn height(&self, id: ReplicaId, time: Duration) -> Option<u64> {
        let heights = &self.branches[id.0 as usize].heights;
        let by_then = heights.partition_point(|(at, _)| *at <= time);
        by_then.checked_sub(1).map(|last| heights[last].1)
    }

    /// The first time from `since` on at which a replica's head was as high as that.
    pub(crate) fn reached(&self, id: ReplicaId, height: u64, since: Duration) -> Option<Duration> {
        if self.height(id, since).is_some_and(|found| found >= height) {
            return Some(since);
        }
        let later = self.branches[id.0 as usize].heights.iter().filter(|(at, _)| *at > since);
        later.filter(|(_, found)| *found >= height).map(|(at, _)| *at).next()
    }
}

impl Branch {
    /// Takes in the adopted branch. Where it took blocks back: the height of the newest one that
    /// stayed, and how many went.
    fn adopt(&mut self, now: Duration, ledger: &Ledger) -> Option<(u64, u64)> {
        let (mut at, mut height) = (ledger.head(), ledger.head_height());
        self.head = Some(at);
        self.heights.push((now, height));
        let lowest = self.blocks.first_key_value().map_or(ledger.height(), |(lowest, _)| *lowest);
        let mut entered = Vec::new();
        while self.blocks.get(&height) != Some(&at) && height > lowest {
            entered.push((height, at));
            at = ledger.block(at).expect("the ledger holds its own branch").header.parent;
            height -= 1;
        }
        let (known, mut undone) = (self.blocks.get(&height) == Some(&at), 0);
        if !known {
            // Its disk has thrown it back behind all that is remembered here: nothing can be said.
            self.confirmed = self.confirmed.min(height);
        }
        if !known || !entered.is_empty() {
            while self.blocks.last_key_value().is_some_and(|(top, _)| *top > height) {
                self.blocks.pop_last();
                undone += 1;
            }
        }
        self.blocks.insert(height, at);
        self.blocks.extend(entered);
        let kept = ledger.height().saturating_sub(KEPT_BELOW_ROOT);
        while self.blocks.first_key_value().is_some_and(|(lowest, _)| *lowest < kept) {
            self.blocks.pop_first();
        }
        (known && undone > 0).then_some((height, undone))
    }
}

#[cfg(test)]
mod tests;
