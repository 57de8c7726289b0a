//! Batches: what a sequence number orders, before anybody has executed it.
//!
//! A batch is a block without a place: its header has sequence number, time and proposer, and binds
//! the transactions by their root; parent, state and committee are zero, because they are not known
//! before all earlier numbers are executed. The header's hash is the batch's digest. Being a block, it
//! travels and is checked like one ([`crate::Message::block`]); being none that any ledger would take, it
//! cannot be mistaken for one.

use crate::protocol::Turn;
use crypto::{Hash, codec};
use ledger::{
    Block, BlockHash, Draft, Header, Rejected, ReplicaId, Seal, Transaction,
    block::{MAX_BLOCK_BYTES, transaction_root},
};
use std::{collections::BTreeMap, sync::Arc};

/// How many batches of one sequence number are kept. A number gets another batch only where a view
/// has failed, and views that fail take twice as long each time, so nobody lives to see so many.
const MAX_FOR_ONE: usize = 32;

/// A batch of as many of `transactions`, in order, as a block has room for.
pub(super) fn build(
    sequence: u64,
    time: u64,
    proposer: ReplicaId,
    transactions: Vec<Transaction>,
) -> Arc<Block> {
    let mut batch = Block { header: header(sequence, time, proposer), ..empty() };
    let mut bytes = codec::encoded_len(&batch);
    for transaction in transactions {
        bytes += transaction.bytes();
        if bytes > MAX_BLOCK_BYTES {
            break;
        }
        batch.transactions.push(transaction);
    }
    batch.header.transactions = transaction_root(&batch.transactions);
    Arc::new(batch)
}

/// Whether a block is a batch of `proposer`, if that is given. What its transactions are worth is
/// seen when they are executed.
pub(super) fn is_sound(batch: &Block, proposer: Option<ReplicaId>) -> bool {
    let Header { height, time, proposer: named, transactions, .. } = batch.header;
    let plain = Header { transactions, ..header(height, time, named) };
    batch.header == plain
        && proposer.is_none_or(|proposer| proposer == named)
        && batch.body_matches()
        && codec::encoded_len(batch) <= MAX_BLOCK_BYTES
}

/// The one block that comes of a batch on `parent`: of its transactions those that execute in
/// order, at its time or one past the parent's where that is later, for its proposer.
pub(super) fn place<M: crate::Message>(
    batch: &Block,
    parent: BlockHash,
    turn: &Turn<'_, M>,
) -> Result<Arc<Block>, Rejected> {
    turn.app.assemble(Draft {
        parent,
        transactions: batch.transactions.clone(),
        time: batch.header.time,
        proposer: batch.header.proposer,
        duties: Vec::new(),
        seal: Seal::default(),
    })
}

fn empty() -> Block {
    Block {
        header: header(0, 0, ReplicaId::default()),
        transactions: Vec::new(),
        duties: Vec::new(),
    }
}

fn header(sequence: u64, time: u64, proposer: ReplicaId) -> Header {
    Header {
        parent: BlockHash::default(),
        height: sequence,
        time,
        proposer,
        transactions: Hash::ZERO,
        state: Hash::ZERO,
        committee: Hash::ZERO,
        participation: Hash::ZERO,
        leak: Hash::ZERO,
        seal: Seal::default(),
    }
}

/// The batches that were taken up since the last stable checkpoint, by digest.
///
/// Those of earlier views are kept, too: a certificate may name one, and whoever said PREPARE
/// for it answers for its being found.
#[derive(Debug, Default)]
pub(super) struct Batches {
    /// With the number under which each came.
    held: BTreeMap<BlockHash, (u64, Arc<Block>)>,
    count: u64,
}

impl Batches {
    pub(super) fn get(&self, digest: BlockHash) -> Option<&Arc<Block>> {
        self.held.get(&digest).map(|(_, batch)| batch)
    }

    pub(super) fn contains(&self, digest: BlockHash) -> bool {
        self.held.contains_key(&digest)
    }

    /// Keeps a sound batch. The oldest of too many for one sequence number has to go.
    pub(super) fn keep(&mut self, digest: BlockHash, batch: &Arc<Block>) {
        if self.contains(digest) {
            return;
        }
        self.count += 1;
        self.held.insert(digest, (self.count, Arc::clone(batch)));
        let sequence = batch.header.height;
        let of_it = self.held.iter().filter(|(_, (_, held))| held.header.height == sequence);
        let oldest = of_it.clone().min_by_key(|(_, (count, _))| *count).map(|(digest, _)| *digest);
        if let Some(oldest) = oldest.filter(|_| of_it.count() > MAX_FOR_ONE) {
            self.held.remove(&oldest);
        }
    }

    pub(super) fn len(&self) -> usize {
        self.held.len()
    }

    /// All that is held, in the order in which it came.
    pub(super) fn all(&self) -> Vec<Arc<Block>> {
        let mut all: Vec<_> = self.held.values().collect();
        all.sort_by_key(|(count, _)| *count);
        all.into_iter().map(|(_, batch)| Arc::clone(batch)).collect()
    }

    /// Forgets what is executed by everybody.
    pub(super) fn prune(&mut self, low: u64) {
        self.held.retain(|_, (_, batch)| batch.header.height > low);
    }
}
