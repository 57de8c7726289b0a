//! What the log holds and sled does not: the last change to each key.

use super::record::Changes;
use crate::store::{Batch, Pair};
use std::{collections::BTreeMap, ops::Bound};

/// The last change to each key; none is a removal.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct Memtable(BTreeMap<Vec<u8>, Option<Vec<u8>>>);

impl Memtable {
    /// Puts a batch over everything so far.
    pub(super) fn write(&mut self, batch: &Batch) {
        self.0.extend(batch.changes().iter().cloned());
    }

    /// Puts a batch from the log over everything so far.
    pub(super) fn replay(&mut self, changes: Changes) {
        self.0.extend(changes);
    }

    /// What became of a key, if anything did.
    pub(super) fn get(&self, key: &[u8]) -> Option<Option<&[u8]>> {
        self.0.get(key).map(|value| value.as_deref())
    }

    /// Every change, in the order of keys.
    pub(super) fn changes(&self) -> impl Iterator<Item = (&[u8], Option<&[u8]>)> {
        self.0.iter().map(|(key, value)| (key.as_slice(), value.as_deref()))
    }

    /// Puts the changes to keys with this prefix over the pairs beneath, which are sorted.
    pub(super) fn over(&self, prefix: &[u8], beneath: Vec<Pair>) -> Vec<Pair> {
        let range = self.0.range::<[u8], _>((Bound::Included(prefix), Bound::Unbounded));
        let mut changes = range.take_while(|(key, _)| key.starts_with(prefix)).peekable();
        if changes.peek().is_none() {
            return beneath;
        }
        let mut pairs: BTreeMap<_, _> = beneath.into_iter().collect();
        for (key, value) in changes {
            match value {
                Some(value) => pairs.insert(key.clone(), value.clone()),
                None => pairs.remove(key),
            };
        }
        pairs.into_iter().collect()
    }
}
