//! Which transactions the peers may not have met.
//!
//! A proposal names its transactions where its receivers hold them already. Those that came from
//! our own wallets just now are still on their way to the peers, so for a while they travel with
//! the proposal, too. To be wrong about it costs some bytes, or one question and its answer.

use ledger::TransactionId;
use std::{
    collections::{BTreeSet, VecDeque},
    time::Duration,
};

#[cfg(test)]
mod tests;

/// How long a transaction is on its way at most: some milliseconds to leave in a batch, and as
/// many until a busy peer has decoded it.
const YOUTH: Duration = Duration::from_millis(50);

/// How many are kept in mind; the oldest are taken for grown up.
const MOST: usize = 4_096;

/// The transactions that were published here lately.
#[derive(Debug, Default)]
pub(super) struct Young {
    /// With the time of their publication, oldest first.
    order: VecDeque<(Duration, TransactionId)>,
    ids: BTreeSet<TransactionId>,
}

impl Young {
    /// Keeps in mind what is published now.
    pub(super) fn add(&mut self, ids: impl Iterator<Item = TransactionId>, now: Duration) {
        for id in ids {
            // Published again: it has been on its way for long.
            if self.ids.insert(id) {
                self.order.push_back((now, id));
            }
        }
        self.forget(now);
    }

    /// Those that are still young.
    pub(super) fn at(&mut self, now: Duration) -> &BTreeSet<TransactionId> {
        self.forget(now);
        &self.ids
    }

    fn forget(&mut self, now: Duration) {
        while let Some((published, id)) = self.order.front()
            && (self.order.len() > MOST || *published + YOUTH <= now)
        {
            self.ids.remove(id);
            self.order.pop_front();
        }
    }
}
