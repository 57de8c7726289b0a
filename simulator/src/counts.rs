//! How much was sent, by why it was sent.

use crate::record::Record;
use replica::Class;
use std::fmt;

/// How much was sent in a run, one for each recipient, whether or not it arrived. Protocols are
/// compared by [`Counts::first`]; the rest is what faults, the topology and people cost.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Counts {
    /// A protocol's own messages, for the first time. In a gossip mesh, too, one for each replica
    /// that it is for.
    pub first: u64,
    /// The same again, because somebody lacked them.
    pub resends: u64,
    /// Another's messages passed on, at a protocol's word or by neighbours in a gossip mesh.
    pub relays: u64,
    /// What replicas hold, told to one peer at a time.
    pub summaries: u64,
    /// Catching up: requests and blocks.
    pub sync: u64,
    /// Batches of transactions.
    pub transactions: u64,
    /// The length of all of it as real nodes would encode it, whole, without the frames and
    /// encryption of a real network.
    pub bytes: u64,
}

impl Counts {
    /// What a record tells.
    pub fn of(record: &Record) -> Counts {
        let mut counts =
            Counts { transactions: record.published(), bytes: record.bytes(), ..Counts::default() };
        for ((class, _), count) in record.sends() {
            *counts.class(*class) += count;
        }
        counts
    }

    /// So many more envelopes were sent, for this reason.
    pub fn add(&mut self, class: Class, copies: u64) {
        *self.class(class) += copies;
    }

    /// All messages.
    pub fn total(&self) -> u64 {
        let Counts { first, resends, relays, summaries, sync, transactions, .. } = self;
        first + resends + relays + summaries + sync + transactions
    }

    fn class(&mut self, class: Class) -> &mut u64 {
        match class {
            Class::First => &mut self.first,
            Class::Resend => &mut self.resends,
            Class::Relay => &mut self.relays,
            Class::Summary => &mut self.summaries,
            Class::Sync => &mut self.sync,
        }
    }
}

impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Counts { first, resends, relays, summaries, sync, transactions, bytes } = self;
        write!(
            f,
            "{first} first sends, {resends} resends, {relays} relays, {summaries} summaries, \
             {sync} sync, {transactions} transactions; {bytes} bytes"
        )
    }
}
