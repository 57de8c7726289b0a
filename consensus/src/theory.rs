//! What papers calculate of a protocol, for whoever measures whether its module does as much.
//!
//! Nothing here is asked by a protocol: it is what people expect of one, told by its own chapter.

use ledger::Genesis;
use std::time::Duration;

/// What is calculated of a protocol.
#[derive(Clone, Copy, Debug)]
pub struct Theory {
    /// The messages of a decision in the order of the protocol's steps, by their kinds
    /// ([`Message::kind`](crate::Message::kind)); the leader's proposal comes first.
    pub kinds: &'static [&'static str],
    /// How many of them one decision among so many replicas takes where nothing goes wrong. One for
    /// each recipient, as senders count them; nobody sends anything to itself.
    pub messages: fn(u64) -> u64,
    /// What is said besides, for which no decision waits; none if nothing is.
    pub upkeep: Option<Upkeep>,
    /// Message delays from the leader's proposal to the first decision, all delays being equal. None
    /// where a decision is no matter of hops.
    pub hops: Option<u64>,
    /// How long it takes to decide first, in a chain with this genesis whose block time is zero, where
    /// the first so many leaders are down and a message takes this long. None where nobody leads.
    pub dead_leaders: Option<fn(&Genesis, u32, Duration) -> Duration>,
    /// By turns as stakes say: who takes the first so many turns from the beginning, by seat, where
    /// nothing goes wrong. None where turns do not go by stake.
    pub turns: Option<Turns>,
    /// What a genesis sets so that it holds.
    pub settings: &'static [(&'static str, u64)],
}

/// Of some stakes, who takes the first so many turns, by seat.
pub type Turns = fn(&[u64], usize) -> Vec<usize>;

/// Messages that no decision waits for.
#[derive(Clone, Copy, Debug)]
pub struct Upkeep {
    /// Their kind.
    pub kind: &'static str,
    /// How many there are among so many replicas for each decision, in the mean.
    pub messages: fn(&Genesis, u64) -> f64,
}
