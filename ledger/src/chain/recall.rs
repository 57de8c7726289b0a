//! Bounded memories: what comes in first is forgotten first.

use crate::{TransactionId, VerifiedTransaction};
use std::collections::{BTreeSet, VecDeque};

/// The transactions of one chain whose signatures were checked a while ago, so that nobody checks
/// them twice. A name covers the signature, so an altered transaction is another one.
///
/// When it is full it forgets the oldest; all that costs is another check.
#[derive(Clone, Debug)]
pub struct VerifiedSet(Recall<TransactionId>);

impl VerifiedSet {
    /// Remembers at most `capacity` transactions.
    pub fn new(capacity: usize) -> VerifiedSet {
        VerifiedSet(Recall::new(capacity))
    }

    /// Notes that this one was checked.
    pub fn remember(&mut self, transaction: &VerifiedTransaction) {
        self.0.insert(transaction.id());
    }

    /// Whether this one was checked, and not forgotten since.
    pub fn contains(&self, id: TransactionId) -> bool {
        self.0.contains(&id)
    }
}

/// A set of at most `capacity` items that forgets the oldest.
#[derive(Clone, Debug)]
pub(super) struct Recall<T> {
    capacity: usize,
    items: BTreeSet<T>,
    order: VecDeque<T>,
}

impl<T: Copy + Ord> Recall<T> {
    pub(super) fn new(capacity: usize) -> Self {
        Recall { capacity, items: BTreeSet::new(), order: VecDeque::new() }
    }

    pub(super) fn insert(&mut self, item: T) {
        if !self.items.insert(item) {
            return;
        }
        self.order.push_back(item);
        if self.order.len() > self.capacity
            && let Some(oldest) = self.order.pop_front()
        {
            self.items.remove(&oldest);
        }
    }

    pub(super) fn contains(&self, item: &T) -> bool {
        self.items.contains(item)
    }
}
