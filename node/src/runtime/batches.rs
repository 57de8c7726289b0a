//! When transactions of our own leave, and how many together.

use ledger::VerifiedTransaction;
use std::time::Duration;

#[cfg(test)]
mod tests;

/// How long at least lies between two batches that are not full. Sending at once when nothing has
/// left lately, and waiting only then, beat every delay at the end (PERFORMANCE.md).
pub(super) const LEAD: Duration = Duration::from_millis(2);

/// Transactions in one batch at most.
pub(super) const MAX_COUNT: usize = 256;

/// Bytes of transactions in one batch at most, which leaves room within the network's limit.
pub(super) const MAX_BYTES: usize = 60_000;

/// Transactions on their way out. Holds less than one full batch and drops nothing: what fills a
/// batch leaves at once.
#[derive(Debug, Default)]
pub(super) struct Batches {
    waiting: Vec<VerifiedTransaction>,
    bytes: usize,
    /// When the last batch left; none before the first.
    left: Option<Duration>,
}

impl Batches {
    /// Takes transactions in and gives back the batches that are to leave now.
    pub(super) fn add(
        &mut self,
        transactions: Vec<VerifiedTransaction>,
        now: Duration,
    ) -> Vec<Vec<VerifiedTransaction>> {
        let mut leaving = Vec::new();
        for transaction in transactions {
            let full = self.waiting.len() == MAX_COUNT
                || self.bytes + transaction.bytes() > MAX_BYTES && !self.waiting.is_empty();
            if full {
                leaving.push(self.take(now));
            }
            self.bytes += transaction.bytes();
            self.waiting.push(transaction);
        }
        leaving.extend(self.due(now));
        leaving
    }

    /// When what waits is to leave, if anything waits.
    pub(super) fn next(&self) -> Option<Duration> {
        let earliest = self.left.map_or(Duration::ZERO, |left| left + LEAD);
        (!self.waiting.is_empty()).then_some(earliest)
    }

    /// What waits, if its time has come or it fills a batch.
    pub(super) fn due(&mut self, now: Duration) -> Option<Vec<VerifiedTransaction>> {
        let full = self.waiting.len() == MAX_COUNT;
        let due = self.next().is_some_and(|at| full || at <= now);
        due.then(|| self.take(now))
    }

    fn take(&mut self, now: Duration) -> Vec<VerifiedTransaction> {
        self.left = Some(now);
        self.bytes = 0;
        std::mem::take(&mut self.waiting)
    }
}
