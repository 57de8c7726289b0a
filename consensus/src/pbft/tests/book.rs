//! A pretend ledger.

use crate::protocol::Application;
use crypto::Hash;
use ledger::{
    Block, BlockHash, Committee, Draft, Header, Rejected, ReplicaId, Seal, Transaction,
    TransactionId,
    block::{duty_root, transaction_root},
    stake::Rotation,
};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

/// A ledger that believes everything.
#[derive(Clone, Debug)]
pub(super) struct Book {
    pub(super) root: BlockHash,
    pub(super) blocks: BTreeMap<BlockHash, Arc<Block>>,
    pub(super) committee: Arc<Committee>,
    pub(super) pool: Vec<Transaction>,
}

impl Book {
    pub(super) fn new(committee: Arc<Committee>) -> Book {
        let header = Header {
            parent: BlockHash::default(),
            height: 0,
            time: 0,
            proposer: ReplicaId(0),
            transactions: transaction_root(&[]),
            state: Hash::ZERO,
            committee: committee.root(),
            participation: Hash::ZERO,
            leak: Hash::ZERO,
            seal: Seal::default(),
        };
        let genesis = Block { header, transactions: Vec::new(), duties: Vec::new() };
        let root = genesis.hash();
        let blocks = BTreeMap::from([(root, Arc::new(genesis))]);
        Book { root, blocks, committee, pool: Vec::new() }
    }

    pub(super) fn height(&self) -> u64 {
        self.blocks[&self.root].header.height
    }

    /// The block that comes of a batch on the root.
    pub(super) fn place(&self, batch: &Block) -> Arc<Block> {
        self.assemble(Draft {
            parent: self.root,
            transactions: batch.transactions.clone(),
            time: batch.header.time,
            proposer: batch.header.proposer,
            duties: Vec::new(),
            seal: Seal::default(),
        })
        .unwrap()
    }

    fn included(&self, parent: BlockHash) -> Vec<&Transaction> {
        let mut included = Vec::new();
        let mut at = self.blocks.get(&parent);
        while let Some(block) = at {
            included.extend(&block.transactions);
            at = self.blocks.get(&block.header.parent);
        }
        included
    }
}

impl Application for Book {
    fn root(&self) -> BlockHash {
        self.root
    }

    fn block(&self, hash: BlockHash) -> Option<Arc<Block>> {
        self.blocks.get(&hash).cloned()
    }

    fn committee(&self, parent: BlockHash) -> Option<Arc<Committee>> {
        self.blocks.get(&parent).map(|_| self.committee.clone())
    }

    fn proposers(&self, parent: BlockHash) -> Option<Rotation> {
        unreachable!("PBFT asks for no proposers: a view has its primary, {parent}")
    }

    fn pending(
        &self,
        parent: BlockHash,
        _: &BTreeSet<TransactionId>,
        limit: usize,
    ) -> Vec<Transaction> {
        let included = self.included(parent);
        let waits = self.pool.iter().filter(|transaction| !included.contains(transaction));
        waits.take(limit).cloned().collect()
    }

    /// A transaction executes once.
    fn assemble(&self, draft: Draft) -> Result<Arc<Block>, Rejected> {
        let parent = self.blocks.get(&draft.parent).ok_or(Rejected::UnknownParent(draft.parent))?;
        let included = self.included(draft.parent);
        let mut transactions = draft.transactions;
        transactions.retain(|transaction| !included.contains(&transaction));
        let header = Header {
            parent: draft.parent,
            height: parent.header.height + 1,
            time: draft.time.max(parent.header.time + 1),
            proposer: draft.proposer,
            transactions: transaction_root(&transactions),
            state: Hash::ZERO,
            committee: self.committee.root(),
            participation: duty_root(&draft.duties),
            leak: Hash::ZERO,
            seal: draft.seal,
        };
        Ok(Arc::new(Block { header, transactions, duties: draft.duties }))
    }

    fn accept(&mut self, block: &Arc<Block>) -> Result<BlockHash, Rejected> {
        if !self.blocks.contains_key(&block.header.parent) {
            return Err(Rejected::UnknownParent(block.header.parent));
        }
        self.blocks.insert(block.hash(), Arc::clone(block));
        Ok(block.hash())
    }
}
