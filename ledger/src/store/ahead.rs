//! The store as it will be once the batches in flight are written.

use super::{Batch, Store, StoreError};
use crypto::codec;
use serde::{Serialize, de::DeserializeOwned};
use std::{collections::BTreeMap, sync::Arc};

/// A store and, over it, the changes the ledger put into batches that may not be written yet.
///
/// The ledger hands out its changes and the replica writes them, together with its own, when the
/// step is over. Reads in between must already see them, or a block would execute on old state.
#[derive(Debug)]
pub(crate) struct Ahead {
    store: Arc<dyn Store>,
    pending: BTreeMap<Vec<u8>, Option<Vec<u8>>>,
    /// The last put handed out: once the store has it, it has everything.
    last: Option<(Vec<u8>, Vec<u8>)>,
}

impl Ahead {
    pub(crate) fn new(store: Arc<dyn Store>) -> Ahead {
        Ahead { store, pending: BTreeMap::new(), last: None }
    }

    pub(crate) fn store(&self) -> &dyn Store {
        &*self.store
    }

    pub(crate) fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        match self.pending.get(key) {
            Some(value) => Ok(value.clone()),
            None => self.store.get(key),
        }
    }

    /// The value of a key, decoded. `limit` bounds its encoding, in bytes.
    pub(crate) fn read<T>(&self, key: &[u8], limit: usize) -> Result<Option<T>, StoreError>
    where
        T: DeserializeOwned + Serialize,
    {
        self.get(key)?.map(|value| decode(key, &value, limit)).transpose()
    }

    /// Copies `changes` behind `out` and shows them to reads from now on.
    ///
    /// They must end with a put that the store never held before, because that is how
    /// [`Ahead::settle`] finds out that it holds it now.
    pub(crate) fn hand_out(&mut self, changes: &Batch, out: &mut Batch) {
        for (key, value) in changes.changes() {
            match value {
                Some(value) => out.put(key.clone(), value.clone()),
                None => out.delete(key.clone()),
            }
            self.pending.insert(key.clone(), value.clone());
        }
        if let Some((key, Some(value))) = changes.changes().last() {
            self.last = Some((key.clone(), value.clone()));
        }
    }

    /// Forgets the pending changes if the store has them by now, and says whether none are left.
    pub(crate) fn settle(&mut self) -> Result<bool, StoreError> {
        if let Some((key, value)) = &self.last {
            if self.store.get(key)?.as_ref() != Some(value) {
                return Ok(false);
            }
            self.last = None;
            self.pending.clear();
        }
        Ok(true)
    }
}

/// Decodes what the ledger wrote under `key`.
pub(crate) fn decode<T>(key: &[u8], value: &[u8], limit: usize) -> Result<T, StoreError>
where
    T: DeserializeOwned + Serialize,
{
    codec::decode(value, limit).map_err(|error| StoreError::damaged(key, error))
}
