//! Where a replica keeps what must outlive it: ordered bytes, written in batches.
//!
//! `write` puts a batch behind all earlier ones, at once visible to reads, all of it or nothing.
//! `sync` makes everything written so far durable, and may be called from another thread than the
//! replica's; only then may an effect of that step leave (write-ahead, per step).

use std::fmt::Debug;

pub(crate) mod ahead;
#[cfg(feature = "sled")]
mod disk;
pub mod keys;
mod memory;
#[cfg(test)]
mod tests;
pub mod tripwire;

#[cfg(feature = "sled")]
pub use disk::{DiskError, DiskStore};
pub use memory::MemoryStore;

/// Changes that stand or fall together. A later change to a key replaces an earlier one.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Batch {
    changes: Vec<(Vec<u8>, Option<Vec<u8>>)>,
}

impl Batch {
    /// Sets a key.
    pub fn put(&mut self, key: Vec<u8>, value: Vec<u8>) {
        self.changes.push((key, Some(value)));
    }

    /// Removes a key.
    pub fn delete(&mut self, key: Vec<u8>) {
        self.changes.push((key, None));
    }

    /// In the order they were made; `None` removes.
    pub fn changes(&self) -> &[(Vec<u8>, Option<Vec<u8>>)] {
        &self.changes
    }

    /// Whether there is anything to write.
    pub fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }
}

/// A key and its value.
pub type Pair = (Vec<u8>, Vec<u8>);

/// A sorted map of bytes on some disk, real or pretended.
pub trait Store: Debug + Send + Sync {
    /// The value of a key.
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError>;

    /// Every pair whose key begins with `prefix`, in the order of keys.
    fn scan(&self, prefix: &[u8]) -> Result<Vec<Pair>, StoreError>;

    /// Applies a batch behind all earlier ones. Visible at once, durable after the next `sync`.
    fn write(&self, batch: &Batch) -> Result<(), StoreError>;

    /// Makes durable all that was written before the call.
    fn sync(&self) -> Result<(), StoreError>;
}

/// The disk failed, or holds what we did not write.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum StoreError {
    /// The disk or the database beneath refused.
    #[error("the database failed: {0}")]
    Failed(String),
    /// The database holds what no version of this program writes.
    #[error(
        "the database is damaged at key {key}: {reason}; restore a copy or remove the directory and sync again"
    )]
    Damaged {
        /// The key, in hexadecimal.
        key: String,
        /// What is wrong with its value.
        reason: String,
    },
}

impl StoreError {
    /// The value under `key` makes no sense, because of `reason`.
    pub fn damaged(key: &[u8], reason: impl ToString) -> StoreError {
        StoreError::Damaged { key: hex::encode(key), reason: reason.to_string() }
    }
}
