//! Blocks that cannot be judged yet: their parent is missing, or their time has not come.

use super::tree::worth;
use crate::work::Work;
use ledger::{Block, BlockHash, ReplicaId};
use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    sync::Arc,
    time::Duration,
};

/// How many wait at most. Enough for a branch as deep as can still be adopted, from two sides.
pub(super) const MAX: usize = 512;

/// How many of one sender wait at most; its oldest gives way.
pub(super) const MAX_PER_SENDER: usize = 256;

/// How many intervals one waits.
const PATIENCE: u32 = 200;

/// A block on its way into the tree.
#[derive(Clone, Debug)]
pub(super) struct Orphan {
    pub(super) hash: BlockHash,
    pub(super) block: Arc<Block>,
    /// Who sent it; its miner where it was asked for.
    pub(super) from: ReplicaId,
}

/// The room they wait in. No body in it is another than its header names.
#[derive(Debug, Default)]
pub(super) struct Orphans {
    waiting: BTreeMap<BlockHash, (Orphan, Duration)>,
    /// In the order they came.
    order: VecDeque<BlockHash>,
}

impl Orphans {
    pub(super) fn contains(&self, hash: BlockHash) -> bool {
        self.waiting.contains_key(&hash)
    }

    /// Lets one in. Where there is no room the oldest of its sender gives way, or the oldest.
    pub(super) fn insert(&mut self, orphan: Orphan, now: Duration) {
        let sender = orphan.from;
        let theirs = |hash: &BlockHash| self.waiting[hash].0.from == sender;
        let crowd = self.order.iter().filter(|hash| theirs(hash)).count();
        let leaving = if crowd >= MAX_PER_SENDER {
            self.order.iter().find(|hash| theirs(hash)).copied()
        } else if self.order.len() >= MAX {
            self.order.front().copied()
        } else {
            None
        };
        if let Some(hash) = leaving {
            self.remove(hash);
        }
        let hash = orphan.hash;
        if self.waiting.insert(hash, (orphan, now)).is_none() {
            self.order.push_back(hash);
        }
    }

    /// The parent that is missing beneath `hash` and the ancestors of it that wait here, too.
    pub(super) fn lowest_missing(&self, hash: BlockHash) -> BlockHash {
        let mut at = hash;
        while let Some((orphan, _)) = self.waiting.get(&at) {
            at = orphan.block.header.parent;
        }
        at
    }

    /// Every parent that is missing.
    pub(super) fn all_missing(&self) -> BTreeSet<BlockHash> {
        let parents = self.waiting.values().map(|(orphan, _)| orphan.block.header.parent);
        parents.filter(|parent| !self.contains(*parent)).collect()
    }

    /// The blocks from just above `missing` up to `tip`, which waits here.
    pub(super) fn branch(&self, missing: BlockHash, tip: BlockHash) -> Vec<Arc<Block>> {
        let mut branch = Vec::new();
        let mut at = tip;
        while at != missing
            && let Some((orphan, _)) = self.waiting.get(&at)
        {
            branch.push(Arc::clone(&orphan.block));
            at = orphan.block.header.parent;
        }
        branch.reverse();
        branch
    }

    /// The tip of the heaviest branch that waits here upon `hash`; that itself, if nothing does.
    pub(super) fn heaviest_upon(&self, hash: BlockHash) -> BlockHash {
        let mut children: BTreeMap<BlockHash, Vec<BlockHash>> = BTreeMap::new();
        for (hash, (orphan, _)) in &self.waiting {
            children.entry(orphan.block.header.parent).or_default().push(*hash);
        }
        let mut heaviest = (Work::ZERO, hash);
        let mut next = vec![heaviest];
        while let Some((work, at)) = next.pop() {
            if work > heaviest.0 {
                heaviest = (work, at);
            }
            let upon = children.get(&at).into_iter().flatten();
            next.extend(upon.map(|child| {
                let (orphan, _) = &self.waiting[child];
                (work.plus(worth(&orphan.block.header)), *child)
            }));
        }
        heaviest.1
    }

    /// Those that stand on `parent`.
    pub(super) fn take_children(&mut self, parent: BlockHash) -> Vec<Orphan> {
        self.take_ready(|each| each == parent)
    }

    /// Those whose parent is `known`, in the order they came.
    pub(super) fn take_ready(&mut self, known: impl Fn(BlockHash) -> bool) -> Vec<Orphan> {
        let ready = |hash: &&BlockHash| known(self.waiting[*hash].0.block.header.parent);
        let ready: Vec<_> = self.order.iter().filter(ready).copied().collect();
        ready.into_iter().filter_map(|hash| self.remove(hash)).collect()
    }

    /// Those that no branch needs which reaches above `height`, and those that waited for too long,
    /// are gone.
    pub(super) fn expire(&mut self, height: u64, now: Duration, interval: Duration) {
        let mut needed = BTreeSet::new();
        let above = self.waiting.iter().filter(|(_, (each, _))| each.block.header.height > height);
        for (hash, _) in above {
            let mut at = *hash;
            while let Some((below, _)) = self.waiting.get(&at)
                && needed.insert(at)
            {
                at = below.block.header.parent;
            }
        }
        let patience = interval.saturating_mul(PATIENCE);
        self.waiting.retain(|hash, (_, since)| {
            needed.contains(hash) && now < since.saturating_add(patience)
        });
        self.order.retain(|hash| self.waiting.contains_key(hash));
    }

    fn remove(&mut self, hash: BlockHash) -> Option<Orphan> {
        let (orphan, _) = self.waiting.remove(&hash)?;
        self.order.retain(|each| *each != hash);
        Some(orphan)
    }
}

#[cfg(test)]
mod tests;
