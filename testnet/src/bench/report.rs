//! What a measurement found, for programs and for people.

use serde::{Serialize, Serializer};
use std::{collections::BTreeMap, fmt};

#[cfg(test)]
mod tests;

/// All that is reported. `docs/benchmarks.md` defines every field; what cannot be said, such as
/// the latency of nothing, is null.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Report {
    /// The module that ordered blocks.
    pub consensus: String,
    /// How many nodes.
    pub replicas: u32,
    /// What was asked for.
    pub rate: Rate,
    /// Funded accounts that sent.
    pub accounts: u32,
    /// How long an idle chain waits between two blocks, in milliseconds.
    pub block_time_ms: u64,
    /// The most that were submitted and not final at one time; none for an open loop.
    pub in_flight: Option<u32>,
    /// How long the load lasted, in seconds.
    pub duration_s: Figure,
    /// Whether it ended early.
    pub interrupted: bool,
    /// Processors this process may use.
    pub cores: usize,
    /// What one thread needs to verify one signature strictly, in microseconds.
    pub verify_us: Figure,
    /// Transactions that became final during the load, per second.
    pub committed_per_s: Figure,
    /// What the cores could verify for all replicas, per second.
    pub limit_per_s: Option<Figure>,
    /// The former divided by the latter.
    pub ratio: Option<Figure>,
    /// From when a transaction was due until it was known to be final.
    pub latency_ms: Option<Latency>,
    /// Final blocks per second of the load.
    pub blocks_per_s: Figure,
    /// The same when there was no load.
    pub empty_blocks_per_s: Option<Figure>,
    /// How full a block was, on average.
    pub transactions_per_block: Option<Figure>,
    /// Bytes all nodes sent each other, for each transaction.
    pub bytes_per_tx: Option<Figure>,
    /// Bytes the disk of one node grew by, for each transaction.
    pub disk_bytes_per_tx: Option<Figure>,
    /// Processors the nodes kept busy, all together.
    pub cpu_cores: Option<Figure>,
    /// Processor time of all nodes for each transaction, in microseconds.
    pub cpu_us_per_tx: Option<Figure>,
    /// Processors that programs other than nodes and generator kept busy.
    pub other_cpu_cores: Option<Figure>,
    /// The most memory one node had in use, in MiB.
    pub rss_mib: Option<Figure>,
    /// Memory over time.
    pub rss_mib_series: Vec<Memory>,
    /// Distinct transactions that were handed over.
    pub submitted: u64,
    /// Of those, taken by a node.
    pub accepted: u64,
    /// Of those, final when all was over.
    pub committed: u64,
    /// Refusals; what is refused is handed over again.
    pub refused: u64,
    /// The same, by reason.
    pub refusals: BTreeMap<String, u64>,
    /// Transactions that were due and that nobody came to hand over.
    pub unsent: u64,
    /// Transactions that were handed over and never became final.
    pub unfinished: u64,
    /// What the load cost.
    pub generator: Generator,
}

/// How many transactions per second were asked for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Rate {
    /// As many as the network takes.
    Max,
    /// So many, whether it takes them or not.
    PerSecond(u32),
}

impl Serialize for Rate {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Rate::Max => serializer.serialize_str("max"),
            Rate::PerSecond(rate) => serializer.serialize_u32(*rate),
        }
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Rate::Max => f.write_str("as many transfers as it takes"),
            Rate::PerSecond(0) => f.write_str("no transfers"),
            Rate::PerSecond(rate) => write!(f, "{rate} transfers per second"),
        }
    }
}

/// Percentiles, in milliseconds.
#[derive(Clone, Copy, PartialEq, Debug, Serialize)]
pub struct Latency {
    /// Half of all took no longer.
    pub p50: Figure,
    /// 95 of a hundred took no longer.
    pub p95: Figure,
    /// 99 of a hundred took no longer.
    pub p99: Figure,
    /// None took longer.
    pub max: Figure,
}

/// Memory of all nodes at one time.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Memory {
    /// Seconds since the load began.
    pub at_s: Figure,
    /// In MiB, by node.
    pub rss_mib: Vec<Figure>,
}

/// What the load itself cost, on the same processors.
#[derive(Clone, Copy, PartialEq, Debug, Serialize)]
pub struct Generator {
    /// Processors it kept busy.
    pub cpu_cores: Option<Figure>,
    /// Processor time for each transaction submitted: signed, encoded, handed over and followed
    /// until it was final; in microseconds.
    pub cpu_us_per_tx: Option<Figure>,
    /// Of that, what one signature takes, measured beforehand.
    pub sign_us: Figure,
}

/// A measured number. As JSON it has three decimals at most: more would not be true.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Figure(pub f64);

impl Serialize for Figure {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_f64((self.0 * 1_000.0).round() / 1_000.0)
    }
}

impl fmt::Display for Figure {
    /// With about three digits that count.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let decimals = match self.0.abs() {
            size if size >= 100.0 => 0,
            size if size >= 10.0 => 1,
            _ => 2,
        };
        write!(f, "{:.decimals$}", self.0)
    }
}

/// A figure, or a dash where there is none.
struct Maybe(Option<Figure>);

impl fmt::Display for Maybe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(figure) => figure.fmt(f),
            None => f.write_str("–"),
        }
    }
}

impl fmt::Display for Report {
    /// A table of at most 79 columns.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut row = |name: &str, value: String| writeln!(f, "{name:<16} {value}");
        let end = if self.interrupted { ", interrupted" } else { "" };
        row(
            "network",
            format!("{}, {} nodes, {} cores", self.consensus, self.replicas, self.cores),
        )?;
        row("load", format!("{}, {} s{end}", self.rate, self.duration_s))?;
        row(
            "committed",
            format!(
                "{} per second, {} of the limit of {}",
                self.committed_per_s,
                percent(self.ratio),
                Maybe(self.limit_per_s)
            ),
        )?;
        if let Some(Latency { p50, p95, p99, max }) = self.latency_ms {
            row("latency", format!("{p50} ms, p95 {p95}, p99 {p99}, longest {max}"))?;
        }
        row(
            "blocks",
            format!(
                "{} per second, {} transactions each",
                self.blocks_per_s,
                Maybe(self.transactions_per_block)
            ),
        )?;
        row(
            "network bytes",
            format!("{} per transaction, all nodes together", Maybe(self.bytes_per_tx)),
        )?;
        row("disk bytes", format!("{} per transaction and node", Maybe(self.disk_bytes_per_tx)))?;
        row(
            "processors",
            format!(
                "nodes {} ({} µs per transaction), load {}, others {}",
                Maybe(self.cpu_cores),
                Maybe(self.cpu_us_per_tx),
                Maybe(self.generator.cpu_cores),
                Maybe(self.other_cpu_cores)
            ),
        )?;
        row("memory", format!("{} MiB at most in one node", Maybe(self.rss_mib)))?;
        let Report { submitted, accepted, committed, refused, .. } = self;
        row(
            "transactions",
            format!("{submitted} submitted, {accepted} accepted, {committed} committed"),
        )?;
        let Report { unsent, unfinished, refusals, .. } = self;
        if refused + unsent + unfinished > 0 {
            let reasons: Vec<_> =
                refusals.iter().map(|(reason, count)| format!("{reason} {count}")).collect();
            let reasons = match reasons.is_empty() {
                true => String::new(),
                false => format!(" ({})", reasons.join(", ")),
            };
            row(
                "too much",
                format!("{refused} refused{reasons}, {unsent} unsent, {unfinished} lost"),
            )?;
        }
        Ok(())
    }
}

fn percent(ratio: Option<Figure>) -> String {
    match ratio {
        Some(Figure(ratio)) => format!("{} %", Figure(ratio * 100.0)),
        None => "–".to_owned(),
    }
}
