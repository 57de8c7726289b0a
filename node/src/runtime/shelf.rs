//! The store as the replica uses it, on its own thread: how long that takes is counted.

use super::counters::Counters;
use ledger::store::{Batch, Pair, Store, StoreError};
use std::{sync::Arc, time::Instant};

#[cfg(test)]
mod tests;

/// A store whose writes are timed. The disk's thread syncs the store itself, and times that.
#[derive(Debug)]
pub(super) struct Shelf {
    store: Arc<dyn Store>,
    counters: Arc<Counters>,
}

impl Shelf {
    /// In front of `store`.
    pub(super) fn new(store: Arc<dyn Store>, counters: Arc<Counters>) -> Shelf {
        Shelf { store, counters }
    }
}

impl Store for Shelf {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        self.store.get(key)
    }

    fn scan(&self, prefix: &[u8]) -> Result<Vec<Pair>, StoreError> {
        self.store.scan(prefix)
    }

    fn write(&self, batch: &Batch) -> Result<(), StoreError> {
        let begun = Instant::now();
        let written = self.store.write(batch);
        self.counters.clocks.writes.observe(begun.elapsed());
        written
    }

    fn sync(&self) -> Result<(), StoreError> {
        self.store.sync()
    }
}
