//! A node's whole chain, read at the end.

use super::{Moment, Named, Promise, Watch};
use ledger::{BlockHash, TransactionId};
use std::collections::BTreeMap;

/// The adopted branch of one node, from its first block to its head.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Chain {
    /// The height of the newest committed block.
    pub height: u64,
    /// By height: which block, and what it orders.
    pub blocks: BTreeMap<u64, (BlockHash, Vec<TransactionId>)>,
}

impl Chain {
    /// What `later`, read from the same node after a restart, has lost of this one's final blocks;
    /// none if nothing.
    pub fn lost_in(&self, later: &Chain) -> Option<String> {
        if later.height < self.height {
            return Some(format!("its final height was {} and is {}", self.height, later.height));
        }
        let mut finals = self.blocks.range(..=self.height);
        let (height, _) = finals.find(|(height, block)| later.blocks.get(height) != Some(block))?;
        Some(format!("final block {height} is another one, or is gone"))
    }

    fn place(&self, id: TransactionId) -> Option<(u64, u64)> {
        self.blocks.iter().find_map(|(height, (_, ids))| {
            Some((*height, (0..).zip(ids).find(|(_, other)| **other == id)?.0))
        })
    }

    fn has(&self, id: TransactionId, (height, index): (u64, u64)) -> bool {
        let block = self.blocks.get(&height);
        let place = usize::try_from(index).ok();
        place.zip(block).and_then(|(place, (_, ids))| ids.get(place)) == Some(&id)
    }
}

impl Watch {
    /// Holds a node's whole chain, read when all was calm, to everything that was seen before.
    /// Whoever calls has waited until the node's final height was everybody's.
    pub fn close(&mut self, when: Moment, node: u32, chain: &Chain) {
        for (height, (hash, _)) in chain.blocks.range(..=chain.height) {
            self.final_block(when, node, *height, *hash);
        }
        let lost = |(height, named): (&u64, &Named)| {
            let there = chain.blocks.get(height).is_some_and(|(hash, _)| *hash == named.hash);
            (*height <= chain.height && !there).then_some((*height, *named))
        };
        let lost: Vec<_> = self.finals.iter().filter_map(lost).collect();
        if let Some((height, named)) = lost.first() {
            let what = format!(
                "{} final blocks are not in its chain; the first is {} at height {height}, which \
                 node {} named in round {}",
                lost.len(),
                named.hash.short(),
                named.node,
                named.when.round
            );
            self.breaks(Promise::Durability, when, node, what);
        }
        let mut misplaced = Vec::new();
        for (id, settled) in &mut self.transfers {
            if chain.has(*id, settled.place) {
                continue;
            }
            if settled.final_at.is_empty() {
                self.undone.transfers += 1;
                // Counted once, not for each node.
                settled.place = chain.place(*id).unwrap_or(settled.place);
            } else if settled.place.0 <= chain.height {
                misplaced.push((*id, settled.place.0));
            }
        }
        if let Some((id, height)) = misplaced.first() {
            let what = format!(
                "{} transfers are not where they were final; the first is {}, at height {height}",
                misplaced.len(),
                id.short()
            );
            self.breaks(Promise::Durability, when, node, what);
        }
    }
}
