//! One run in both worlds, side by side: how far reality is from the simulator, and what accounts for it.
//!
//! Both worlds draw the delays of links from the same distributions, count messages and bytes once for
//! each recipient, and measure a transfer from its submission until whoever took it holds it final. What
//! differs is what the simulator leaves out or sets once and for all: the time that signatures, execution
//! and the system take, and that of a sync, which it takes for a millisecond. Nodes measure these
//! themselves; [`Gap::accounted`] adds them up along the way of one transfer.

use super::meter::Means;
use serde::Serialize;
use simulator::scenario::Outcome;
use std::{fmt, time::Duration};

#[cfg(test)]
mod tests;

/// How long a sync takes in the simulator unless a scenario says otherwise, in milliseconds.
const SIMULATED_SYNC: f64 = 1.0;

/// How many syncs lie one after the other on the way of a transfer: before the proposal and the first vote,
/// and before the second.
const SYNCS: f64 = 2.0;

/// How many messages: the transfer itself, the proposal, and two votes.
const HOPS: f64 = 4.0;

/// What is compared of a run.
#[derive(Clone, Copy, PartialEq, Debug, Serialize)]
pub struct Figures {
    /// The lowest height in the end.
    pub height: u64,
    /// Half of the transfers took no longer, in milliseconds.
    pub p50_ms: Option<f64>,
    /// Ninety-nine in a hundred took no longer, in milliseconds.
    pub p99_ms: Option<f64>,
    /// Messages for each height of that, once for each recipient.
    pub messages_per_block: Option<f64>,
    /// Bytes for each.
    pub bytes_per_block: Option<f64>,
    /// How long one took in the mean, in milliseconds.
    pub block_ms: Option<f64>,
}

impl Figures {
    /// Of one run.
    pub fn of(outcome: &Outcome) -> Figures {
        let blocks = (outcome.height > 0).then_some(outcome.height as f64);
        let milliseconds = |span: Duration| span.as_secs_f64() * 1_000.0;
        let percentile = |percent| outcome.latencies.percentile(percent).map(milliseconds);
        Figures {
            height: outcome.height,
            p50_ms: percentile(50),
            p99_ms: percentile(99),
            messages_per_block: blocks.map(|blocks| outcome.counts.total() as f64 / blocks),
            bytes_per_block: blocks.map(|blocks| outcome.counts.bytes as f64 / blocks),
            block_ms: blocks.map(|blocks| milliseconds(outcome.ended) / blocks),
        }
    }
}

/// How far two runs of the same are apart.
#[derive(Clone, Copy, PartialEq, Debug, Serialize)]
pub struct Gap {
    /// In the simulator.
    pub sim: Figures,
    /// With real nodes.
    pub live: Figures,
    /// By how much longer half of the transfers took there, in milliseconds.
    pub p50_ms: Option<f64>,
    /// What nodes measured of it, in milliseconds: syncs that take longer than the simulator's, and opening,
    /// waiting and working at each of the messages on the way. None where nothing was measured, or blocks are
    /// final by depth: there chance decides how long one takes.
    pub accounted: Option<f64>,
    /// Whether both turned out as expected; or neither, and agreement broke in both or in neither. What an
    /// expectation leaves to chance, as whether a confirmed block is taken back, may differ.
    pub same_verdict: bool,
    /// Whether agreement broke in both, or in neither. Where it is to break in some seeds, each world has its
    /// own.
    pub same_split: bool,
}

impl Gap {
    /// Between a simulated run and a real one; `votes` if votes decide, and not depth.
    pub fn of(sim: &Outcome, live: &Outcome, means: &Means, votes: bool) -> Gap {
        let [simulated, real] = [sim, live].map(Figures::of);
        let difference = |one: Option<f64>, other: Option<f64>| Some(other? - one?);
        let accounted = || {
            let sync = means.sync_ms? - SIMULATED_SYNC;
            let each = means.open_ms? + means.wait_ms.unwrap_or(0.0) + means.step_ms.unwrap_or(0.0);
            Some(SYNCS * sync + HOPS * each)
        };
        let [expected, found] = [sim, live].map(|outcome| outcome.unmet.is_empty());
        let same_split = sim.is_split() == live.is_split();
        Gap {
            sim: simulated,
            live: real,
            p50_ms: difference(simulated.p50_ms, real.p50_ms),
            accounted: if votes { accounted() } else { None },
            same_verdict: expected == found && (found || same_split),
            same_split,
        }
    }
}

impl fmt::Display for Gap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Gap { sim, live, p50_ms, accounted, same_verdict, same_split } = self;
        let verdict = match (same_verdict, same_split) {
            (false, _) => "ANOTHER VERDICT",
            (true, false) => {
                "agreement broke in one of both only, which the scenario leaves to chance"
            }
            (true, true) => "same verdict",
        };
        write!(f, "  gap: {verdict}")?;
        if let (Some(sim), Some(live), Some(more)) = (sim.p50_ms, live.p50_ms, p50_ms) {
            write!(f, "; p50 {sim:.0} -> {live:.0} ms ({more:+.0})")?;
        }
        if let Some(accounted) = accounted.filter(|_| p50_ms.is_some()) {
            write!(f, ", of which syncs, signatures and queues {accounted:+.1}")?;
        }
        if let (Some(sim), Some(live)) = (sim.messages_per_block, live.messages_per_block) {
            write!(f, "; {sim:.0} -> {live:.0} messages")?;
        }
        if let (Some(sim), Some(live)) = (sim.bytes_per_block, live.bytes_per_block) {
            write!(f, " and {:.1} -> {:.1} kB a block", sim / 1_000.0, live / 1_000.0)?;
        }
        Ok(())
    }
}
