//! `testnet bench`: how much a network carries, how fast, and at what cost.
//!
//! A fresh network of real processes gets a load of signed transfers from many accounts, and one
//! report tells what came of it. The load, the nodes and whoever else is on the machine share its
//! processors, so every figure is to be read beside what the machine could do in the same minute:
//! [`yardstick`] measures that first.
//!
//! - [`accounts`]: who sends, and the transfers they sign.
//! - [`lane`]: those who submit, some for each node; [`follow`]: the one who sees what is final;
//!   [`book`]: the tally between them.
//! - [`stage`]: the network; [`system`]: what Linux says of it.
//! - [`measure`]: one measurement from beginning to end; [`report`]: what it found.
//! - [`figures`]: the arithmetic.
//!
//! `docs/benchmarks.md` defines every figure.

use crate::{
    live::{
        home::Home,
        net::{LeakWish, MOST_REPLICAS, NetError, Wish},
        up::UpError,
    },
    span,
};
use clap::{Args, value_parser};
use figures::Schedule;
use nix::sys::stat::{Mode, umask};
use report::{Rate, Report};
use std::{
    io::{self, Write},
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use thiserror::Error;

pub mod accounts;
pub mod book;
pub mod figures;
pub mod follow;
pub mod lane;
pub mod measure;
pub mod report;
pub mod stage;
pub mod system;
pub mod yardstick;

#[cfg(test)]
mod tests;

/// The most accounts: all are in the genesis, and a node keeps that in one piece.
const MOST_ACCOUNTS: u32 = 5_000;

/// The most transfers under way: half of what the pool of a node holds, so that none is refused.
const MOST_IN_FLIGHT: u32 = 8_192;

/// How many lanes there are at least for all nodes, and for each: a lane waits for its answer, which
/// waits for the disk, and a node must not idle meanwhile.
const FEWEST_LANES: u32 = 8;
const LANES_OF_A_NODE: u32 = 2;

/// How many transfers of one account may be under way: half of what nodes allow.
const MOST_OF_ONE_ACCOUNT: u32 = 512;

/// The most transfers per second that can be asked for.
const MOST_PER_SECOND: u32 = 1_000_000;

/// `testnet bench`.
///
/// Measures what a fresh network of real nodes on this machine carries: founds it in a temporary
/// directory, loads it with signed transfers, prints what came of it, and removes it.
#[derive(Clone, Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub struct Bench {
    /// The module that orders blocks [default: tendermint]
    #[arg(long, value_name = "NAME")]
    pub consensus: Option<String>,
    /// How many nodes
    #[arg(long, value_name = "N", default_value_t = 4, value_parser = value_parser!(u32).range(1..=i64::from(MOST_REPLICAS)))]
    pub replicas: u32,
    /// How long the load lasts: 20s, 10m
    #[arg(long, value_name = "TIME", default_value = "20s", value_parser = length)]
    pub duration: Duration,
    /// Transfers per second, over all nodes: a number, or max; 0 for empty blocks only
    #[arg(long, value_name = "R|max", default_value = "max", value_parser = rate)]
    pub rate: Rate,
    /// How long an idle chain waits between two blocks; 0ms for no pause [default: 1s]
    #[arg(long, value_name = "TIME", value_parser = pause)]
    pub block_time: Option<Duration>,
    /// How many accounts send
    #[arg(long, value_name = "K", default_value_t = 400, value_parser = value_parser!(u32).range(1..=i64::from(MOST_ACCOUNTS)))]
    pub accounts: u32,
    /// With --rate max: how many transfers may be under way at one time
    #[arg(long, value_name = "N", default_value_t = 4_096, value_parser = value_parser!(u32).range(1..=i64::from(MOST_IN_FLIGHT)))]
    pub in_flight: u32,
    /// How long to wait afterwards for what is not final yet
    #[arg(long, value_name = "TIME", default_value = "30s", value_parser = length)]
    pub drain: Duration,
    /// Keep the network here, with its nodes' logs: a new or empty directory
    #[arg(long, value_name = "DIR")]
    pub dir: Option<PathBuf>,
    /// Print one JSON object
    #[arg(long)]
    pub json: bool,
    // The last: what follows it in the help would stand under its heading.
    /// How the votes of the absent fade.
    #[command(flatten)]
    pub leak: LeakWish,
}

const AFTER_HELP: &str = "\
Examples:
  testnet bench                                    the most it carries
  testnet bench --rate 20                          how fast a transfer is final
  testnet bench --rate 0 --block-time 0ms          empty blocks, without a pause
  testnet bench --rate 2000 --duration 10m --json  memory over time

--rate R is an open loop: each transfer is due at a set time, whatever became of those before it,
and its latency counts from then until a node tells, from its disk, that it is final. If \"unsent\"
or \"refused\" is not 0, R was too much, and the latencies are those of what came through.

--rate max keeps --in-flight transfers under way, an equal part through each node, and makes a new
one when an old one is final. Pools never overflow, so nothing is refused; latency then says mostly
how long the queue is.

Fields of the JSON object (all are defined in docs/benchmarks.md; null where nothing can be said):
  committed_per_s     transfers that became final during the load, per second
  limit_per_s         cores / (replicas x verify_us): all cores do nothing but verify each
                      signature once for each replica; verify_us is measured before the load
  ratio               committed_per_s / limit_per_s
  latency_ms          p50, p95, p99 and max, in milliseconds
  blocks_per_s        final blocks; empty_blocks_per_s is the same with --rate 0
  bytes_per_tx        network bytes sent by all nodes together for each transfer
  disk_bytes_per_tx   growth of one node's directory for each transfer
  cpu_cores           processors all nodes kept busy; other_cpu_cores: those neither they nor the
                      load used: should be near 0
  rss_mib             the most memory one node used; rss_mib_series: all nodes, over time
  submitted, accepted, committed, refused (and handed over again), unsent, unfinished
  generator           what the load itself cost: cpu_cores, cpu_us_per_tx, sign_us

Exit codes: 0 all that was accepted became final, 1 something did not, or it was interrupted, 2 bad
input, 3 our own failure.";

/// Why there is no measurement, or a bad one.
#[derive(Debug, Error)]
pub enum BenchError {
    /// There is no network, or it did not last.
    #[error(transparent)]
    Up(#[from] UpError),
    /// Something asked for does not go together.
    #[error("{0}")]
    Order(String),
    /// Somebody stopped it; what there is of a report is printed.
    #[error("interrupted; the report, if there is one, is about the time before")]
    Interrupted,
    /// Transactions were handed over and are nowhere; the report is printed.
    #[error("{count} transfers were not final {} after the load ended", span::format(*drain))]
    Unfinished {
        /// How many.
        count: u64,
        /// How long was waited.
        drain: Duration,
    },
    /// The nodes failed the load.
    #[error("{trouble}\nThe nodes' logs are in {}", dir.display())]
    Trouble {
        /// How.
        trouble: book::Trouble,
        /// Where everything lies.
        dir: PathBuf,
    },
    /// A thread of the load panicked.
    #[error("the load failed by itself; its last words are above, please report them")]
    Panicked,
}

/// Measures, and prints what came of it.
///
/// # Errors
///
/// [`BenchError`], after everything was stopped.
pub fn bench(order: &Bench) -> Result<(), BenchError> {
    order.check()?;
    let stop = Arc::new(AtomicBool::new(false));
    let stopping = Arc::clone(&stop);
    ctrlc::set_handler(move || stopping.store(true, Ordering::Relaxed))
        .map_err(|error| UpError::System(io::Error::other(error)))?;
    // Keys, databases, logs: all of it is for this user only.
    umask(Mode::from_bits_truncate(0o077));
    let home = Home::open(order.dir.as_deref()).map_err(UpError::from)?;
    if home.is_founded() {
        let dir = home.place().dir().display();
        let message = format!("{dir} holds a network already; give --dir a new directory");
        return Err(BenchError::Order(message));
    }
    let outcome = measure::measure(order, &home, &stop);
    let has_logs = |error: &BenchError| match error {
        BenchError::Up(error) => error.has_logs(),
        BenchError::Trouble { .. } => true,
        _ => false,
    };
    match outcome {
        Ok(report) => {
            print(order, &report);
            order.judge(&report)
        }
        Err(error) => {
            if home.is_temporary() && has_logs(&error) {
                home.leave();
            }
            Err(error)
        }
    }
}

impl Bench {
    /// What network it is to be.
    pub fn wish(&self) -> Wish {
        let (consensus, replicas) = (self.consensus.clone(), Some(self.replicas));
        let leak = self.leak.clone();
        Wish { consensus, replicas, block_time: self.block_time, leak, ..Wish::default() }
    }

    /// When transfers are due, if they are.
    pub fn schedule(&self) -> Option<Schedule> {
        match self.rate {
            Rate::Max | Rate::PerSecond(0) => None,
            Rate::PerSecond(rate) => Some(Schedule { rate, lanes: self.lanes() }),
        }
    }

    /// How many submit side by side: as many for each node, with an account at least for each and
    /// one transfer under way.
    pub fn lanes(&self) -> u32 {
        let wanted = FEWEST_LANES.div_ceil(self.replicas).max(LANES_OF_A_NODE);
        let possible = self.accounts.min(self.in_flight) / self.replicas;
        self.replicas * wanted.min(possible).max(1)
    }

    /// How many transfers of one lane may be under way.
    pub fn window(&self) -> usize {
        let all = self.in_flight.min(self.accounts.saturating_mul(MOST_OF_ONE_ACCOUNT));
        (all / self.lanes()).max(1) as usize
    }

    /// Checks what can be checked before anything is touched.
    ///
    /// # Errors
    ///
    /// [`NetError::Consensus`] and [`BenchError::Order`].
    pub fn check(&self) -> Result<(), BenchError> {
        self.wish().check().map_err(|error: NetError| UpError::from(error))?;
        let Bench { accounts, replicas, in_flight, .. } = *self;
        if accounts < replicas {
            let message = format!(
                "--accounts {accounts} is less than --replicas {replicas}: each node needs one"
            );
            return Err(BenchError::Order(message));
        }
        if self.rate == Rate::Max && in_flight < replicas {
            let message = format!(
                "--in-flight {in_flight} is less than --replicas {replicas}: each node needs one"
            );
            return Err(BenchError::Order(message));
        }
        Ok(())
    }

    /// What the report means for whoever asked.
    fn judge(&self, report: &Report) -> Result<(), BenchError> {
        match report.unfinished {
            _ if report.interrupted => Err(BenchError::Interrupted),
            0 => Ok(()),
            count => Err(BenchError::Unfinished { count, drain: self.drain }),
        }
    }
}

fn print(order: &Bench, report: &Report) {
    let text = match order.json {
        true => serde_json::to_string(report).expect("a report is plain data") + "\n",
        false => report.to_string(),
    };
    // Whoever closed the pipe has seen enough.
    let _ = io::stdout().write_all(text.as_bytes());
}

/// Reads a rate.
fn rate(text: &str) -> Result<Rate, String> {
    if text == "max" {
        return Ok(Rate::Max);
    }
    match text.parse() {
        Ok(rate) if rate <= MOST_PER_SECOND => Ok(Rate::PerSecond(rate)),
        _ => Err(format!(
            "{text:?} is no rate; write max, or a whole number of transfers per second up to \
             {MOST_PER_SECOND}"
        )),
    }
}

/// Reads how long something lasts.
fn length(text: &str) -> Result<Duration, String> {
    within(text, Duration::from_millis(100), Duration::from_secs(24 * 3_600))
}

/// Reads a pause between blocks, which may be none.
fn pause(text: &str) -> Result<Duration, String> {
    within(text, Duration::ZERO, Duration::from_secs(3_600))
}

fn within(text: &str, shortest: Duration, longest: Duration) -> Result<Duration, String> {
    let time = span::parse(text).map_err(|error| error.to_string())?;
    match (shortest..=longest).contains(&time) {
        true => Ok(time),
        false => Err(format!(
            "{text} is not between {} and {}",
            span::format(shortest),
            span::format(longest)
        )),
    }
}
