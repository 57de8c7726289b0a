//! Where committed transactions are, by name.
//!
//! Names are hashes. One entry in the store for each would land on another page each time: after a
//! million of them that costs more than executing the transactions. So the newest are kept in
//! memory, where opening finds them again in their blocks. When there are enough, they are *sealed*:
//! written as one *run* of [`BUCKETS`] sorted lists, by the first byte of the name, never to change
//! again. Whoever asks for a name looks into memory and then, newest first, into one list of each
//! run: a few microseconds for every [`RUN`] transactions that there are on the chain.
//!
//! When a run ends follows from the blocks alone, so that two stores of one chain hold the same.

use super::open;
use crate::{
    Block, TransactionId,
    store::{Batch, StoreError, ahead::Ahead, keys},
};
use crypto::codec;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

#[cfg(test)]
mod tests;

/// A run is sealed by the block with which it has so many transactions. Tests seal after a few.
pub(super) const RUN: usize = if cfg!(test) { 6 } else { 1 << 15 };

/// Or so many blocks, which is what opening reads again at most.
pub(super) const SPAN: u64 = if cfg!(test) { 8 } else { 1 << 12 };

/// How many lists a run has: one for each first byte of a name.
pub(super) const BUCKETS: usize = 256;

/// A transaction in a list. The first half of its name tells it from all others: to find two names
/// that share it takes 2^64 hashes, and to find one that shares a given name's 2^128.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
struct Filed {
    name: [u8; 16],
    height: u64,
    index: u32,
}

/// Every committed transaction's height and its place in the block.
#[derive(Debug)]
pub(super) struct Index {
    /// By the height of each run's last block, lowest first.
    runs: Vec<u64>,
    /// Those of later blocks.
    young: BTreeMap<TransactionId, (u64, u32)>,
}

impl Index {
    /// As the store has it, whose newest committed block is at `height`.
    ///
    /// # Errors
    /// If the store fails, or the blocks of the last, unsealed run cannot be read.
    pub(super) fn load(disk: &Ahead, height: u64) -> Result<Index, StoreError> {
        let found = disk.store().scan(keys::RUNS)?;
        let runs = found.iter().map(|(key, _)| {
            let bytes = key.get(keys::RUNS.len()..).and_then(|bytes| bytes.try_into().ok());
            bytes.map(u64::from_be_bytes).ok_or_else(|| StoreError::damaged(key, "it is no height"))
        });
        let mut index = Index { runs: runs.collect::<Result<_, _>>()?, young: BTreeMap::new() };
        if index.sealed() > height {
            let key = keys::run(index.sealed());
            return Err(StoreError::damaged(&key, "it is above the newest committed block"));
        }
        for height in index.sealed() + 1..=height {
            index.note(&open::load_block(disk.store(), height)?);
        }
        Ok(index)
    }

    /// The height up to which everything is sealed.
    pub(super) fn sealed(&self) -> u64 {
        self.runs.last().copied().unwrap_or(0)
    }

    /// How many runs are sealed.
    pub(super) fn runs(&self) -> usize {
        self.runs.len()
    }

    /// Takes in the next committed block. What is to be written because of it goes into `changes`.
    pub(super) fn add(&mut self, block: &Block, changes: &mut Batch) {
        self.note(block);
        let height = block.header.height;
        if self.young.len() < RUN && height - self.sealed() < SPAN {
            return;
        }
        let mut lists = vec![Vec::new(); BUCKETS];
        for (id, &(height, index)) in &self.young {
            // In the order of names, so each list is sorted.
            lists[bucket(*id)].push(Filed { name: name(*id), height, index });
        }
        for (bucket, list) in lists.iter().enumerate().filter(|(_, list)| !list.is_empty()) {
            changes.put(keys::list(height, bucket), codec::encode(list));
        }
        changes.put(keys::run(height), codec::encode(&(self.young.len() as u64)));
        self.runs.push(height);
        self.young.clear();
    }

    fn note(&mut self, block: &Block) {
        for (transaction, index) in block.transactions.iter().zip(0u32..) {
            self.young.insert(transaction.id(), (block.header.height, index));
        }
    }

    /// Where a transaction is; none if it is not committed.
    ///
    /// # Errors
    /// If the store fails.
    pub(super) fn find(
        &self,
        id: TransactionId,
        disk: &Ahead,
    ) -> Result<Option<(u64, u32)>, StoreError> {
        if let Some(place) = self.young.get(&id) {
            return Ok(Some(*place));
        }
        for run in self.runs.iter().rev() {
            let key = keys::list(*run, bucket(id));
            let list: Vec<Filed> = disk.read(&key, codec::LONGEST)?.unwrap_or_default();
            if let Ok(at) = list.binary_search_by_key(&name(id), |filed| filed.name) {
                return Ok(Some((list[at].height, list[at].index)));
            }
        }
        Ok(None)
    }
}

fn bucket(id: TransactionId) -> usize {
    usize::from(id.0.as_bytes()[0])
}

fn name(id: TransactionId) -> [u8; 16] {
    *id.0.as_bytes().first_chunk().expect("a hash is longer")
}
