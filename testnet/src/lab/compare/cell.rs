//! One cell of the matrix: what many seeds of one module under one fault came to.

use super::super::milliseconds;
use serde_json::{Value, json};
use simulator::scenario::{Latencies, Outcome};
use std::time::Duration;

/// By so much must a fault slow a module down to be called slow.
pub(in super::super) const SLOW: f64 = 1.5;

/// The sums over all seeds.
#[derive(Clone, Debug, Default)]
pub struct Cell {
    /// How many seeds were run.
    pub runs: u64,
    /// In how many an honest replica broke a promise of safety.
    pub unsafe_runs: u64,
    /// In how many honest replicas held different final blocks, or took one back.
    pub splits: u64,
    /// In how many a block was taken back that was deep enough to be counted on.
    pub reverts: u64,
    /// In how many not every honest replica got on in the last third.
    pub stalls: u64,
    /// In how many a replica panicked, which is our failure.
    pub panics: u64,
    heights: u64,
    messages: u64,
    bytes: u64,
    latencies: Latencies,
    /// The seed that shows the worst, and what it shows: how bad, which seed, and why.
    witness: Option<(u8, u64, String)>,
}

impl Cell {
    /// Takes in one more seed.
    pub fn add(&mut self, seed: u64, outcome: &Result<Outcome, String>) {
        self.runs += 1;
        let outcome = match outcome {
            Ok(outcome) => outcome,
            Err(panic) => {
                self.panics += 1;
                return self.show(4, seed, panic.clone());
            }
        };
        self.heights += outcome.height;
        self.messages += outcome.counts.total();
        self.bytes += outcome.counts.bytes;
        self.latencies.submitted += outcome.latencies.submitted;
        self.latencies.settled.extend(&outcome.latencies.settled);
        self.unsafe_runs += u64::from(!outcome.is_safe());
        self.splits += u64::from(outcome.is_split());
        self.reverts += u64::from(outcome.has_reverted());
        self.stalls += u64::from(!outcome.live);
        let told = outcome.broken.first().map(ToString::to_string);
        match (outcome.is_split(), told, outcome.live) {
            (true, Some(told), _) => self.show(3, seed, told),
            (false, Some(told), _) => self.show(2, seed, told),
            (_, None, false) => {
                self.show(
                    1,
                    seed,
                    format!("not everybody got on; the lowest is at height {}", outcome.height),
                );
            }
            (_, None, true) => self.show(0, seed, String::new()),
        }
    }

    /// Keeps the first seed of the worst kind.
    fn show(&mut self, how_bad: u8, seed: u64, why: String) {
        if self.witness.as_ref().is_none_or(|(worst, ..)| *worst < how_bad) {
            self.witness = Some((how_bad, seed, why));
        }
    }

    /// The latencies in rising order: to be called when all seeds are in.
    pub fn sort(&mut self) {
        self.latencies.settled.sort();
    }

    /// The seed to look at, and what it shows; nothing if all was well.
    pub fn witness(&self) -> (u64, &str) {
        self.witness.as_ref().map_or((0, ""), |(_, seed, why)| (*seed, why.as_str()))
    }

    /// In one word, and then in how many of the seeds, or how many times as slow as `without` any fault.
    pub fn verdict(&self, without: Option<&Cell>) -> (Word, String) {
        let of = |count: u64| format!("{count}/{}", self.runs);
        match self {
            Cell { panics: 1.., .. } => (Word::Panic, of(self.panics)),
            Cell { splits: 1.., .. } => (Word::Split, of(self.unsafe_runs)),
            Cell { reverts: 1.., .. } => (Word::Reverted, of(self.unsafe_runs)),
            Cell { unsafe_runs: 1.., .. } => (Word::Unsafe, of(self.unsafe_runs)),
            Cell { stalls: 1.., .. } => (Word::Stalls, of(self.stalls)),
            _ => match without.and_then(|without| self.slowdown(without)) {
                Some(times) if times >= SLOW => (Word::Slow, format!("{times:.1}x")),
                _ => (Word::Survives, String::new()),
            },
        }
    }

    /// A percentile of how long transfers took, over all seeds.
    pub fn latency(&self, percent: usize) -> Option<Duration> {
        self.latencies.percentile(percent)
    }

    /// The share of the transfers that were settled before the end.
    pub fn served(&self) -> f64 {
        self.latencies.settled.len() as f64 / self.latencies.submitted.max(1) as f64
    }

    /// The mean of the lowest honest heights.
    pub fn height(&self) -> f64 {
        self.heights as f64 / self.runs.max(1) as f64
    }

    /// Messages for each decided height; none if nothing was decided.
    pub fn messages(&self) -> Option<f64> {
        (self.heights > 0).then(|| self.messages as f64 / self.heights as f64)
    }

    /// Bytes for each decided height; none if nothing was decided.
    pub fn bytes(&self) -> Option<f64> {
        (self.heights > 0).then(|| self.bytes as f64 / self.heights as f64)
    }

    /// How many times as many heights were decided without any fault; none if none was with it.
    pub fn slowdown(&self, without: &Cell) -> Option<f64> {
        (self.heights > 0).then(|| without.height() / self.height())
    }

    /// For scripts.
    pub fn json(&self, without: Option<&Cell>) -> Value {
        let latency = |percent| self.latency(percent).map(milliseconds);
        let (seed, why) = self.witness();
        json!({
            "runs": self.runs,
            "safe": self.unsafe_runs == 0 && self.panics == 0,
            "live": self.stalls == 0 && self.panics == 0,
            "violations": self.unsafe_runs,
            "splits": self.splits,
            "reverts": self.reverts,
            "stalls": self.stalls,
            "panics": self.panics,
            "height": self.height(),
            "latency_ms": { "p50": latency(50), "p99": latency(99) },
            "served": self.served(),
            "messages_per_decision": self.messages(),
            "bytes_per_decision": self.bytes(),
            "slowdown": without.and_then(|without| self.slowdown(without)),
            "witness": { "seed": seed, "why": why },
        })
    }
}

/// How a module bore a fault.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Word {
    /// Safe and live in every seed.
    Survives,
    /// Safe and live in every seed, and not nearly as fast as without the fault.
    Slow,
    /// Safe in every seed, and in some not everybody got on.
    Stalls,
    /// A block was taken back that was deep enough to be counted on.
    Reverted,
    /// Another promise of safety was broken.
    Unsafe,
    /// Honest replicas hold different final blocks.
    Split,
    /// Our own failure.
    Panic,
}

impl Word {
    /// Whether it was safe and live in every seed.
    pub fn is_good(self) -> bool {
        matches!(self, Word::Survives | Word::Slow)
    }

    /// As people read it.
    pub fn text(self) -> &'static str {
        match self {
            Word::Survives => "ok",
            Word::Slow => "slow",
            Word::Stalls => "stalls",
            Word::Reverted => "REVERTS",
            Word::Unsafe => "UNSAFE",
            Word::Split => "SPLITS",
            Word::Panic => "PANICS",
        }
    }

    /// The class of its colour on the page.
    pub(super) fn class(self) -> &'static str {
        match self {
            Word::Survives => "ok",
            Word::Slow => "slow",
            Word::Stalls => "stalls",
            Word::Reverted => "reverts",
            Word::Unsafe | Word::Split | Word::Panic => "split",
        }
    }
}
