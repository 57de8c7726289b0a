//! What stands where the ledger would: headers, and nothing to execute.

use consensus::Application;
use ledger::{
    Block, BlockHash, Committee, Draft, Header, Rejected, Transaction, TransactionId,
    stake::Rotation,
};
use std::{collections::BTreeSet, sync::Arc};

/// What one miner knows, from the genesis on: nothing is ever committed.
///
/// It does what [`ledger::Ledger`] does for blocks without transactions, but for the earliest time of
/// a block: a millisecond after its parent's, which no median exceeds.
#[derive(Debug)]
pub(super) struct Headers {
    root: BlockHash,
    /// In the order they came, beginning with the root. What is asked for is mostly among the last.
    kept: Vec<(BlockHash, Arc<Block>)>,
}

impl Headers {
    /// Whoever makes many of them knows the name already.
    pub(super) fn new(root: BlockHash, genesis: Arc<Block>) -> Headers {
        Headers { root, kept: vec![(root, genesis)] }
    }

    pub(super) fn find(&self, hash: BlockHash) -> Option<&Arc<Block>> {
        self.kept.iter().rev().find(|(name, _)| *name == hash).map(|(_, block)| block)
    }

    /// The branch that ends in a block, newest first, without the genesis.
    pub(super) fn chain(&self, tip: BlockHash) -> impl Iterator<Item = &Header> {
        let mut next = tip;
        // A parent always comes before its children.
        self.kept.iter().rev().filter_map(move |(name, block)| {
            let header = &block.header;
            let found = *name == next && header.height > 0;
            if found {
                next = header.parent;
            }
            found.then_some(header)
        })
    }
}

impl Application for Headers {
    fn root(&self) -> BlockHash {
        self.root
    }

    fn block(&self, hash: BlockHash) -> Option<Arc<Block>> {
        self.find(hash).cloned()
    }

    /// Nobody votes, and nothing is passed on.
    fn committee(&self, _parent: BlockHash) -> Option<Arc<Committee>> {
        None
    }

    fn proposers(&self, _parent: BlockHash) -> Option<Rotation> {
        None
    }

    fn pending(
        &self,
        _parent: BlockHash,
        _taken: &BTreeSet<TransactionId>,
        _limit: usize,
    ) -> Vec<Transaction> {
        Vec::new()
    }

    fn assemble(&self, draft: Draft) -> Result<Arc<Block>, Rejected> {
        let Draft { parent, time, proposer, seal, .. } = draft;
        let before = &self.find(parent).ok_or(Rejected::UnknownParent(parent))?.header;
        let (height, time) = (before.height + 1, time.max(before.time + 1));
        let header = Header { parent, height, time, proposer, seal, ..before.clone() };
        Ok(Arc::new(Block { header, transactions: Vec::new(), duties: Vec::new() }))
    }

    fn accept(&mut self, block: &Arc<Block>) -> Result<BlockHash, Rejected> {
        let (hash, header) = (block.hash(), &block.header);
        let before =
            &self.find(header.parent).ok_or(Rejected::UnknownParent(header.parent))?.header;
        assert!(header.height == before.height + 1 && header.time > before.time, "{header:?}");
        self.kept.push((hash, Arc::clone(block)));
        Ok(hash)
    }
}
