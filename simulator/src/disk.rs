//! A disk that forgets in a crash what was not synced.
//!
//! It is stricter than the ledger's memory store, whose `sync` covers everything up to its end.
//! Here, as on a real disk, a sync that takes a while covers what was written before it was asked
//! for, and nothing that was written meanwhile. So a replica that speaks too early is caught.

use ledger::store::{Batch, Pair, Store, StoreError};
use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Mutex, MutexGuard, PoisonError},
};

/// One replica's disk. It outlives the replica.
#[derive(Debug, Default)]
pub struct Disk(Mutex<Platter>);

/// How much had been written at some moment.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub struct Mark(u64);

#[derive(Debug, Default)]
struct Platter {
    /// What reads see.
    visible: BTreeMap<Vec<u8>, Vec<u8>>,
    /// For each batch that is not durable yet, oldest first: what to put back in a crash.
    undo: VecDeque<Vec<Change>>,
    /// How many batches are durable.
    durable: u64,
}

/// A key and what stands there; `None` is nothing.
type Change = (Vec<u8>, Option<Vec<u8>>);

impl Disk {
    /// What a sync that begins now is going to cover.
    pub fn mark(&self) -> Mark {
        let platter = self.lock();
        Mark(platter.durable + platter.undo.len() as u64)
    }

    /// A sync that began at `mark` ends: what was written before it can no longer be lost.
    pub fn settle(&self, mark: Mark) {
        let mut platter = self.lock();
        while platter.durable < mark.0 {
            platter.undo.pop_front().expect("a mark never runs ahead of what was written");
            platter.durable += 1;
        }
    }

    /// Loses power: whatever is not durable is as if it had never been written.
    pub fn crash(&self) {
        let mut platter = self.lock();
        while let Some(undo) = platter.undo.pop_back() {
            for (key, before) in undo.into_iter().rev() {
                platter.set(key, before);
            }
        }
    }

    /// Loses what a replica keeps of what it signed, and of what its protocol asked it to keep: for
    /// mutants of which a crash takes that.
    pub(crate) fn forget(&self) {
        let mut platter = self.lock();
        let is_kept = |key: &[u8]| !key.starts_with(b"ro") && !key.starts_with(b"rr");
        platter.visible.retain(|key, _| is_kept(key));
    }

    /// Loses all that was ever on it.
    pub(crate) fn wipe(&self) {
        *self.lock() = Platter::default();
    }

    fn lock(&self) -> MutexGuard<'_, Platter> {
        // Nobody shares it: the lock is there because stores may be shared, in the real node.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Platter {
    /// Puts or removes, and returns what stood there.
    fn set(&mut self, key: Vec<u8>, value: Option<Vec<u8>>) -> Option<Vec<u8>> {
        match value {
            Some(value) => self.visible.insert(key, value),
            None => self.visible.remove(&key),
        }
    }
}

impl Store for Disk {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(self.lock().visible.get(key).cloned())
    }

    fn scan(&self, prefix: &[u8]) -> Result<Vec<Pair>, StoreError> {
        let platter = self.lock();
        let from = platter.visible.range(prefix.to_vec()..);
        let found = from.take_while(|(key, _)| key.starts_with(prefix));
        Ok(found.map(|(key, value)| (key.clone(), value.clone())).collect())
    }

    fn write(&self, batch: &Batch) -> Result<(), StoreError> {
        let mut platter = self.lock();
        let changes = batch.changes().iter().cloned();
        let undo = changes.map(|(key, value)| (key.clone(), platter.set(key, value))).collect();
        platter.undo.push_back(undo);
        Ok(())
    }

    /// For whoever waits for the disk: everything written so far is durable at once.
    fn sync(&self) -> Result<(), StoreError> {
        let mark = self.mark();
        self.settle(mark);
        Ok(())
    }
}

#[cfg(test)]
mod tests;
