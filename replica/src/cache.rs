//! The transactions met lately, each as one handle.
//!
//! A transaction comes to a node several times: by gossip, from a wallet, in a proposal, in a
//! block that is fetched. Its signature costs more than all else that is done with it, and a
//! [`Transaction`] remembers for all its clones that it is good. So whatever comes from outside is
//! exchanged here for the handle that came first. It also lets a proposal travel without its
//! transactions: see [`crate::packet::compact`].
//!
//! What is remembered may come from anyone, good or not. Nothing but speed depends on it: a
//! transaction that is forgotten is checked again, and a proposal that cannot be completed is asked
//! for.

use crypto::KeyRing;
use ledger::{
    ChainId, Transaction, TransactionId, VerifiedTransaction, transaction::BadTransaction,
};
use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Mutex, MutexGuard, PoisonError},
};

#[cfg(test)]
mod tests;

/// How many transactions a node remembers: what waits in a full pool, and as much on its way there.
const COUNT: usize = 65_536;

/// How many bytes of transactions a node remembers, with [`OVERHEAD`] for each.
const BYTES: usize = 48 * 1024 * 1024;

/// How many senders' keys a node keeps ready.
const SENDERS: usize = 8_192;

/// What a transaction takes here beyond its encoding, roughly, in bytes.
const OVERHEAD: usize = 320;

/// Exchanges transactions for the handles that came first. Bounded in number and in bytes; what
/// came in first is forgotten first. Shared by all threads of a node.
#[derive(Debug)]
pub struct TransactionCache {
    count: usize,
    bytes: usize,
    held: Mutex<Held>,
    senders: KeyRing,
}

#[derive(Debug, Default)]
struct Held {
    /// With the number under which each came in.
    transactions: BTreeMap<TransactionId, (u64, Transaction)>,
    /// Oldest first; some are forgotten already.
    order: VecDeque<(u64, TransactionId)>,
    arrivals: u64,
    bytes: usize,
}

impl Default for TransactionCache {
    fn default() -> TransactionCache {
        TransactionCache::new(COUNT, BYTES)
    }
}

impl TransactionCache {
    /// Remembers at most `count` transactions of at most `bytes` bytes together.
    pub fn new(count: usize, bytes: usize) -> TransactionCache {
        let (held, senders) = (Mutex::default(), KeyRing::new(SENDERS));
        TransactionCache { count, bytes, held, senders }
    }

    /// Puts the handles that came first in place of these, and remembers those that are new.
    pub fn unify(&self, transactions: &mut [Transaction]) {
        name(transactions);
        let mut held = self.lock();
        for transaction in transactions {
            match held.get(transaction.id()) {
                Some(known) => *transaction = known.clone(),
                None => held.insert(transaction.clone(), self.count, self.bytes),
            }
        }
    }

    /// Puts the handles that came first in place of these, and remembers nothing: for what nobody
    /// vouches for, and for what is history.
    pub fn recognise(&self, transactions: &mut [Transaction]) {
        name(transactions);
        let held = self.lock();
        for transaction in transactions {
            if let Some(known) = held.get(transaction.id()) {
                *transaction = known.clone();
            }
        }
    }

    /// The transactions of these names, in order, from `also` or from memory. Looks no further than
    /// to the first that is in neither, nor than `limit` bytes of them.
    pub(crate) fn find(
        &self,
        names: &[TransactionId],
        also: &BTreeMap<TransactionId, Transaction>,
        limit: usize,
    ) -> Result<Vec<Transaction>, NotFound> {
        let mut bytes = 0;
        let mut found = Vec::new();
        let held = self.lock();
        for name in names {
            let known = also.get(name).or_else(|| held.get(*name)).ok_or(NotFound::Missing)?;
            bytes += known.bytes();
            if bytes > limit {
                return Err(NotFound::TooLong);
            }
            found.push(known.clone());
        }
        Ok(found)
    }

    /// Checks a transaction of `chain` as [`Transaction::verify`] does, faster for a sender met
    /// before.
    ///
    /// # Errors
    /// As there.
    pub fn verify(
        &self,
        transaction: &Transaction,
        chain: ChainId,
    ) -> Result<VerifiedTransaction, BadTransaction> {
        transaction.clone().verify_with(chain, &self.senders)
    }

    /// Forgets those of these that are not known to be good: what came in bad company should not
    /// take the place of anything else.
    pub fn forget_unproven(&self, transactions: &[Transaction]) {
        let mut held = self.lock();
        let unproven = transactions.iter().filter(|transaction| !transaction.is_known_good());
        unproven.for_each(|transaction| held.remove(transaction.id()));
    }

    /// How many transactions are remembered.
    pub fn len(&self) -> usize {
        self.lock().transactions.len()
    }

    /// Whether nothing is remembered.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn lock(&self) -> MutexGuard<'_, Held> {
        // A panic in between can at worst lose count of some bytes.
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Why not all of some transactions were found.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum NotFound {
    /// One is not remembered.
    Missing,
    /// Together they are longer than the limit.
    TooLong,
}

impl Held {
    fn get(&self, name: TransactionId) -> Option<&Transaction> {
        self.transactions.get(&name).map(|(_, transaction)| transaction)
    }

    /// Takes in what is not there yet, then makes room.
    fn insert(&mut self, transaction: Transaction, count: usize, bytes: usize) {
        self.arrivals += 1;
        self.bytes += size(&transaction);
        self.order.push_back((self.arrivals, transaction.id()));
        self.transactions.insert(transaction.id(), (self.arrivals, transaction));
        while self.order.len() > count || self.bytes > bytes {
            let Some((number, oldest)) = self.order.pop_front() else { break };
            // It may have been forgotten and have come in again.
            if self.transactions.get(&oldest).is_some_and(|(found, _)| *found == number) {
                self.remove(oldest);
            }
        }
    }

    fn remove(&mut self, name: TransactionId) {
        if let Some((_, transaction)) = self.transactions.remove(&name) {
            self.bytes -= size(&transaction);
        }
    }
}

fn size(transaction: &Transaction) -> usize {
    transaction.bytes() + OVERHEAD
}

/// Finds out the names before anybody has to wait for it.
fn name(transactions: &[Transaction]) {
    transactions.iter().for_each(|transaction| {
        transaction.id();
    });
}
