//! Transactions on their way into the pool and out to the public.

use super::Replica;
use crate::{
    event::{Action, Answer},
    pool::PoolRefusal,
};
use consensus::Protocol;
use ledger::{Action as Deed, Payload, TransactionId, VerifiedTransaction};
use std::{ops::Bound, time::Duration};

/// How often a transaction that was submitted here is published again while it waits: not everybody may have
/// heard it, and a network without listeners forgets it soon.
pub(super) const PUBLISH_PERIOD: Duration = Duration::from_secs(2);

/// How many transactions are published again at a time.
const MAX_PUBLISH: usize = 64;

impl<P: Protocol> Replica<P> {
    pub(super) fn submit(&mut self, id: u64, transaction: VerifiedTransaction) {
        let result = self.take_in(vec![transaction]).pop().expect("one result for each");
        self.post(Action::Answer { id, answer: Answer::Submitted(result) });
    }

    pub(super) fn submit_many(&mut self, id: u64, transactions: Vec<VerifiedTransaction>) {
        let results = self.take_in(transactions);
        self.post(Action::Answer { id, answer: Answer::SubmittedMany(results) });
    }

    /// Takes in, in this order, what was submitted here, and publishes together what was taken.
    pub(super) fn take_in(
        &mut self,
        transactions: Vec<VerifiedTransaction>,
    ) -> Vec<Result<TransactionId, PoolRefusal>> {
        let mut results = Vec::new();
        let mut taken = Vec::new();
        for transaction in transactions {
            let result = match &self.halted {
                Some(why) => Err(PoolRefusal::Halted(why.clone())),
                None => self.pool_in(transaction.clone()),
            };
            if let Ok(name) = &result {
                self.submitted.insert(*name, self.moment.now);
                taken.push(transaction);
            }
            results.push(result);
        }
        if !taken.is_empty() {
            self.post(Action::Publish(taken));
        }
        results
    }

    pub(super) fn pool_in(
        &mut self,
        transaction: VerifiedTransaction,
    ) -> Result<TransactionId, PoolRefusal> {
        let head = self.ledger.head();
        let account = self.ledger.account(head, transaction.sender()).unwrap_or_default();
        let Payload { nonce, action, .. } = transaction.payload();
        // Of a later one nobody knows yet what it will find.
        if !matches!(action, Deed::Transfer { .. }) && *nonce == account.nonce {
            let refused = self.ledger.would_execute(head, transaction.transaction());
            refused.map_err(PoolRefusal::Refused)?;
        }
        let result = self.pool.insert(transaction, &account);
        self.pool_changed |= result.is_ok();
        result
    }

    /// Publishes again what was submitted here, waits, and was last published a while ago: each in
    /// turn, so that however many there are none is left out.
    pub(super) fn publish_again(&mut self) {
        let (pool, now) = (&self.pool, self.moment.now);
        self.submitted.retain(|id, _| pool.get(*id).is_some());
        let is_due = |last: &Duration| now >= *last + PUBLISH_PERIOD;
        let after = self.republished.map_or(Bound::Unbounded, Bound::Excluded);
        let (later, all) = (self.submitted.range((after, Bound::Unbounded)), self.submitted.iter());
        let due = later.chain(all).filter(|(_, last)| is_due(last)).map(|(id, _)| *id);
        let due: Vec<TransactionId> = due.take(MAX_PUBLISH).collect();
        let mut again = Vec::new();
        for id in due {
            // The same a second time where all were gone through.
            let last = self.submitted.insert(id, now).expect("it was just found");
            again.extend(pool.get(id).filter(|_| is_due(&last)).cloned());
            self.republished = Some(id);
        }
        if !again.is_empty() {
            self.post(Action::Publish(again));
        }
    }
}
