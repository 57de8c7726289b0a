//! Puts a trace together: which envelope came where, and what made what happen.
//!
//! All that a replica does at once, upon one envelope, one timer or one client, is one [`Moment`]: an
//! event in Lamport's sense ("Time, clocks, and the ordering of events in a distributed system",
//! 1978). Two things lead from one moment to another: the line of one replica's life, and an envelope.
//! Moments are in an order that agrees with both, so none is caused by a later one, whatever the file says.

mod build;
mod lanes;
mod moment;
mod tell;

pub use build::weave;
pub use lanes::{Band, Lane, Life};
pub use moment::{Arrow, End, Item, Moment, Sent, Why};
pub use tell::{describe, kind_at, place, topic};

use std::collections::BTreeMap;

#[cfg(test)]
pub(super) mod tests;

/// A trace, put together.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Weave {
    /// The scenario's name, if somebody said so.
    pub name: String,
    /// The module's.
    pub module: String,
    /// The seed.
    pub seed: Option<u64>,
    /// Who takes part.
    pub lanes: Vec<Lane>,
    /// What happened, in an order that agrees with causality.
    pub moments: Vec<Moment>,
    /// What was sent.
    pub sent: Vec<Sent>,
    /// What was wrong from when to when.
    pub bands: Vec<Band>,
    /// Which block stands on which, as far as that is known.
    pub parents: BTreeMap<String, String>,
    /// What did not turn out as it should.
    pub broken: Vec<String>,
    /// When it ends, in microseconds.
    pub end: u64,
    /// How many lines replicas wrote.
    pub lines: usize,
    /// What the reader should know about the file.
    pub warnings: Vec<String>,
}
