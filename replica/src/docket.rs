//! Against whom we hold evidence: one piece for each, on disk, until it is of no use any more.

use crypto::codec;
use ledger::{
    Keys, ReplicaId,
    store::{Batch, Store, StoreError},
    vote::Evidence,
};
use std::collections::BTreeMap;

#[cfg(test)]
mod tests;

/// Keys of the docket's part of the store.
const EVIDENCE: &[u8] = b"re";

/// The longest evidence that is read back, in bytes; it has less than 300.
const MAX_BYTES: usize = 1_024;

/// The evidence we hold. There are no more pieces than validators, since each carries two signatures
/// of a validator of its own.
#[derive(Debug, Default)]
pub struct Docket {
    held: BTreeMap<ReplicaId, Evidence>,
}

impl Docket {
    /// Reads back what earlier lives held.
    ///
    /// # Errors
    /// If the store fails, or what it holds convicts nobody.
    pub fn open(store: &dyn Store, keys: &Keys) -> Result<Docket, StoreError> {
        let mut docket = Docket::default();
        for (key, bytes) in store.scan(EVIDENCE)? {
            let evidence: Evidence = codec::decode(&bytes, MAX_BYTES)
                .map_err(|error| StoreError::damaged(&key, format!("no evidence: {error}")))?;
            if !evidence.verify(keys) {
                return Err(StoreError::damaged(&key, "evidence that convicts nobody"));
            }
            docket.held.insert(evidence.offender, evidence);
        }
        Ok(docket)
    }

    /// Keeps evidence, unless we hold some against the same offender. Whether it is kept.
    pub fn hold(&mut self, evidence: &Evidence, batch: &mut Batch) -> bool {
        let offender = evidence.offender;
        if self.held.contains_key(&offender) {
            return false;
        }
        batch.put(key(offender), codec::encode(evidence));
        self.held.insert(offender, evidence.clone());
        true
    }

    /// Forgets the evidence against `offender`.
    pub fn forget(&mut self, offender: ReplicaId, batch: &mut Batch) {
        if self.held.remove(&offender).is_some() {
            batch.delete(key(offender));
        }
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.held.is_empty()
    }

    /// The evidence against `offender`.
    pub fn against(&self, offender: ReplicaId) -> Option<&Evidence> {
        self.held.get(&offender)
    }

    /// All of it, by rising offender.
    pub fn all(&self) -> impl Iterator<Item = &Evidence> {
        self.held.values()
    }

    /// Against whom there is any, by rising id.
    pub fn offenders(&self) -> Vec<ReplicaId> {
        self.held.keys().copied().collect()
    }
}

fn key(offender: ReplicaId) -> Vec<u8> {
    [EVIDENCE, &offender.0.to_be_bytes()].concat()
}
