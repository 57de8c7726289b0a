//! What is going on with each peer: what it owes us, and how much it has sent that was of no use.
//!
//! Only whoever was asked may send blocks. They are dear to look at, so those that nobody asked for are
//! not even decoded. Some of them are an accident, as when a node restarts while answers to its last life
//! are under way; whoever sends more is punished.
//!
//! Transactions that no pool takes in, such as those of accounts that have no money, cost a signature each
//! to find out. Of whoever has signed too many lately no batch is looked at for a while. It may be that we
//! are the ones who lag behind, so nobody is punished.

use consensus::Budget;
use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

#[cfg(test)]
mod tests;

/// Answers of one peer that may be under way.
const OWED: u32 = 64;

/// Answers that nobody asked for that are put up with in a second, and at once: as many as may be under way
/// when we restart, and some. A network may bring one answer twice.
const UNASKED: u32 = 16;
const UNASKED_AT_ONCE: u32 = 128;

/// Useless transactions that one signer may gossip in a second, and at once.
const USELESS: u32 = 256;
const USELESS_AT_ONCE: u32 = 4_096;

/// From this number on, those are forgotten with whom nothing is going on.
const MANY: usize = 64;

/// What is going on with everybody.
#[derive(Debug)]
pub(super) struct Dealings {
    begun: Instant,
    peers: Mutex<BTreeMap<u32, Peer>>,
}

#[derive(Debug)]
struct Peer {
    owed: u32,
    unasked: Budget,
    useless: Budget,
}

/// What an answer is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Answer {
    /// It was asked for.
    Owed,
    /// Nobody asked for it, which may happen.
    Unasked,
    /// Nobody asked for it, nor for all those before.
    Outrageous,
}

impl Default for Dealings {
    fn default() -> Self {
        Dealings { begun: Instant::now(), peers: Mutex::default() }
    }
}

impl Peer {
    fn new() -> Peer {
        let unasked = Budget::full(UNASKED, UNASKED_AT_ONCE);
        Peer { owed: 0, unasked, useless: Budget::full(USELESS, USELESS_AT_ONCE) }
    }

    fn is_idle(&mut self, now: Duration) -> bool {
        self.owed == 0 && self.unasked.is_full(now) && self.useless.is_full(now)
    }
}

impl Dealings {
    /// A peer is asked for blocks.
    pub(super) fn ask(&self, peer: u32) {
        self.with(peer, |peer, _| peer.owed = (peer.owed + 1).min(OWED));
    }

    /// A peer sends blocks.
    pub(super) fn answer(&self, peer: u32) -> Answer {
        self.with(peer, |peer, now| {
            if let Some(owed) = peer.owed.checked_sub(1) {
                peer.owed = owed;
                return Answer::Owed;
            }
            match peer.unasked.try_spend(now, 1) {
                true => Answer::Unasked,
                false => Answer::Outrageous,
            }
        })
    }

    /// Somebody has signed so many transactions that no pool takes in.
    pub(super) fn was_useless(&self, signer: u32, count: u64) {
        self.with(signer, |signer, now| signer.useless.spend(now, count));
    }

    /// Whether what somebody gossips is worth a look.
    pub(super) fn is_useful(&self, signer: u32) -> bool {
        self.with(signer, |signer, now| signer.useless.is_open(now))
    }

    fn with<R>(&self, peer: u32, deal: impl FnOnce(&mut Peer, Duration) -> R) -> R {
        let now = self.begun.elapsed();
        let mut peers = self.lock();
        if peers.len() >= MANY && !peers.contains_key(&peer) {
            peers.retain(|_, peer| !peer.is_idle(now));
        }
        deal(peers.entry(peer).or_insert_with(Peer::new), now)
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<u32, Peer>> {
        // Nothing panics while it holds the lock.
        self.peers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
