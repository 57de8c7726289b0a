//! A bounded memory: what comes in first is forgotten first.

use std::collections::{BTreeSet, VecDeque};

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
