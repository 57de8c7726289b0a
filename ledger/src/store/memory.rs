//! A store in memory, with a disk's habit of losing what was not synced.

use super::{Batch, Pair, Store, StoreError};
use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

/// Keeps everything in memory. The simulator crashes it to find out what a replica forgot to sync.
#[derive(Debug, Default)]
pub struct MemoryStore {
    disk: Mutex<Disk>,
}

#[derive(Debug, Default)]
struct Disk {
    /// What reads see.
    visible: BTreeMap<Vec<u8>, Vec<u8>>,
    /// What stood under each key that was written since the last sync.
    before: BTreeMap<Vec<u8>, Option<Vec<u8>>>,
}

impl MemoryStore {
    /// Loses power: everything written since the last [`Store::sync`] is gone.
    pub fn crash(&self) {
        let mut disk = self.lock();
        for (key, value) in std::mem::take(&mut disk.before) {
            disk.set(key, value);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Disk> {
        // A thread can only die here for want of memory, and then the process does.
        self.disk.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Disk {
    /// Puts or removes, and returns what stood there.
    fn set(&mut self, key: Vec<u8>, value: Option<Vec<u8>>) -> Option<Vec<u8>> {
        match value {
            Some(value) => self.visible.insert(key, value),
            None => self.visible.remove(&key),
        }
    }
}

impl Store for MemoryStore {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(self.lock().visible.get(key).cloned())
    }

    fn scan(&self, prefix: &[u8]) -> Result<Vec<Pair>, StoreError> {
        let disk = self.lock();
        let from_prefix = disk.visible.range(prefix.to_vec()..);
        let found = from_prefix.take_while(|(key, _)| key.starts_with(prefix));
        Ok(found.map(|(key, value)| (key.clone(), value.clone())).collect())
    }

    fn write(&self, batch: &Batch) -> Result<(), StoreError> {
        let mut disk = self.lock();
        for (key, value) in batch.changes() {
            let before = disk.set(key.clone(), value.clone());
            disk.before.entry(key.clone()).or_insert(before);
        }
        Ok(())
    }

    fn sync(&self) -> Result<(), StoreError> {
        self.lock().before.clear();
        Ok(())
    }
}
