//! What a protocol sees of the ledger and the pool during one step.

use crate::pool::Pool;
use consensus::Application;
use ledger::{
    Block, BlockHash, Committee, Draft, Ledger, Rejected, Transaction, TransactionId,
    stake::Rotation, store::Batch,
};
use std::{collections::BTreeSet, sync::Arc};

/// Lends the replica's parts to one step. Blocks accepted in it go into the step's batch.
pub(crate) struct Desk<'a> {
    pub(crate) ledger: &'a mut Ledger,
    pub(crate) pool: &'a Pool,
    pub(crate) batch: &'a mut Batch,
}

impl Application for Desk<'_> {
    fn root(&self) -> BlockHash {
        self.ledger.root()
    }

    fn block(&self, hash: BlockHash) -> Option<Arc<Block>> {
        self.ledger.block(hash)
    }

    fn committee(&self, parent: BlockHash) -> Option<Arc<Committee>> {
        self.ledger.committee(parent)
    }

    fn proposers(&self, parent: BlockHash) -> Option<Rotation> {
        self.ledger.proposers(parent)
    }

    fn pending(
        &self,
        parent: BlockHash,
        taken: &BTreeSet<TransactionId>,
        limit: usize,
    ) -> Vec<Transaction> {
        let account = |address| self.ledger.account(parent, address).unwrap_or_default();
        self.pool.pending(account, taken, limit)
    }

    fn assemble(&self, draft: Draft) -> Result<Arc<Block>, Rejected> {
        self.ledger.assemble(draft)
    }

    fn accept(&mut self, block: &Arc<Block>) -> Result<BlockHash, Rejected> {
        self.ledger.accept(block, self.batch)
    }
}
