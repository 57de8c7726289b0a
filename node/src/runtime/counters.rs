//! What the runtime has done, for metrics.

use super::times::{Clocks, Times};
use replica::{Class, Refusals};
use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
};

/// What happened since the start. Every figure only grows.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Figures {
    /// Envelopes from peers that were opened and handed to the replica.
    pub opened: u64,
    /// What was thrown away unread, by what it was and why: `envelope` and `gossip` by
    /// [`replica::Refused::reason`], `request` by the RPC's reasons.
    pub refused: BTreeMap<&'static str, Reasons>,
    /// What the replica itself has thrown away: see [`replica::Replica::refused`].
    pub declined: Refusals,
    /// Calls answered, by method and by JSON-RPC error code, which is zero for a result.
    pub calls: BTreeMap<&'static str, BTreeMap<i32, u64>>,
    /// Messages sent without their block's transactions, each once however many peers it went to.
    pub compacted: u64,
    /// Messages that came so, and could not be completed.
    pub incomplete: u64,
    /// Gossiped batches whose transactions all verified.
    pub batches_opened: u64,
    /// Gossiped batches dropped because too many waited to be opened.
    pub batches_dropped: u64,
    /// Bytes of gossip that came, each content once, whatever became of it.
    pub bytes_gossiped: u64,
    /// What peers sent, by what it was; `refused` if it could not be opened.
    pub received: BTreeMap<&'static str, Received>,
    /// Messages handed to the protocol, by kind: our own too, and once more those it put off.
    pub heard: BTreeMap<&'static str, u64>,
    /// Alarms that rang, by what for: see `driver`.
    pub alarms: BTreeMap<&'static str, u64>,
    /// Rounds or views that followed others while a height was being decided.
    pub extra_rounds: u64,
    /// Envelopes sent, by reason.
    pub sent: BTreeMap<Class, Sent>,
    /// Batches of our own handed to gossip.
    pub batches_published: u64,
    /// Transactions in those.
    pub transactions_published: u64,
    /// Bytes of those.
    pub bytes_published: u64,
    /// Syncs of the store; fewer than steps, since one serves all that wait.
    pub syncs: u64,
    /// Blocks committed.
    pub blocks: u64,
    /// Transactions in those.
    pub transactions: u64,
    /// Times somebody was caught breaking the rules: see [`replica::trace::What::Accused`].
    pub accusations: u64,
    /// Against how many evidence was found: see [`replica::docket`].
    pub evidence_found: u64,
    /// How many reports were made of that.
    pub evidence_reported: u64,
    /// Hashes tried in search of proof-of-work.
    pub hashes: u64,
    /// Headers for which a hash was found that meets the target; whether such a block becomes
    /// part of the chain is another matter.
    pub blocks_mined: u64,
    /// Questions refused because too many waited.
    pub questions_refused: u64,
    /// Events that listeners were too slow for; each was told how many it lost.
    pub events_dropped: u64,
    /// Trace lines dropped because the disk was slower than the replica.
    pub trace_lines_dropped: u64,
    /// How many threads open what peers send, besides the one for gossip.
    pub openers: u64,
    /// How long all that took.
    pub times: Times,
}

/// How often, by reason.
pub type Reasons = BTreeMap<&'static str, u64>;

/// Envelopes sent for one reason.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Sent {
    /// Each counted once, however many peers it went to.
    pub envelopes: u64,
    /// Each counted once for each peer.
    pub copies: u64,
    /// Of all copies.
    pub bytes: u64,
}

/// Envelopes of one sort that peers sent.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Received {
    /// How many.
    pub envelopes: u64,
    /// Of all of them.
    pub bytes: u64,
}

/// The live [`Figures`], shared by all threads.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    figures: Mutex<Figures>,
    /// Apart, since time is taken everywhere and all the time: no lock is needed for it.
    pub(super) clocks: Clocks,
}

impl Counters {
    /// Changes some figures together.
    pub(crate) fn note(&self, change: impl FnOnce(&mut Figures)) {
        // Figures are only added to: a panic in between leaves nothing that could mislead.
        change(&mut self.figures.lock().unwrap_or_else(PoisonError::into_inner));
    }

    /// Counts something thrown away.
    pub(crate) fn refused(&self, what: &'static str, reason: &'static str) {
        self.note(|figures| {
            *figures.refused.entry(what).or_default().entry(reason).or_default() += 1;
        });
    }

    /// All figures at one moment.
    pub(crate) fn snapshot(&self) -> Figures {
        let mut figures = self.figures.lock().unwrap_or_else(PoisonError::into_inner).clone();
        figures.heard = self.clocks.heard();
        figures.times = self.clocks.read();
        figures.syncs = figures.times.syncs.count();
        figures
    }
}
