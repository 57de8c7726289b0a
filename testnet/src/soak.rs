//! `testnet soak`: many seeds of chaos in the simulator, each judged by the checker.
//!
//! A seed's outcome depends on nothing but the seed and the flags, so seeds run on as many threads
//! as there are cores, and the fingerprint at the end, a hash over all traces in the order of
//! seeds, is the same on any number of them and on every machine.

use crate::{lab::print, span};
use clap::Args;
use consensus::catalogue::{self, BadSettings, Module, UnknownModule, Visitor};
use crypto::{Domain, Hash, codec, hash};
use serde_json::{Value, json};
use simulator::{
    Tracing,
    soak::{Options, Outcome, run_seed},
};
use std::{
    collections::BTreeMap,
    fs::File,
    io::{self, BufWriter, IsTerminal, Write},
    ops::Range,
    panic::{self, AssertUnwindSafe},
    path::{Path, PathBuf},
    sync::{
        atomic::{AtomicBool, AtomicU64, Ordering},
        mpsc,
    },
    thread,
    time::{Duration, Instant},
};

#[cfg(test)]
mod tests;

/// `testnet soak`.
#[derive(Clone, Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Soak {
    /// The module that orders blocks
    #[arg(long, value_name = "NAME", default_value = "tendermint")]
    pub consensus: String,
    /// How many replicas; several numbers are soaked one after another
    #[arg(long, value_name = "N,…", value_delimiter = ',', default_value = "4,7,10",
          default_value_if("leak", "true", "5,6,7,8"), value_parser = clap::value_parser!(u32).range(1..=100))]
    pub replicas: Vec<u32>,
    /// Which seeds: a range without its end, or a single one
    #[arg(long, value_name = "A..B", default_value = "0..50", value_parser = seeds)]
    pub seeds: Range<u64>,
    /// How long the chaos lasts, in virtual time
    #[arg(long, value_name = "TIME", default_value = "60s", value_parser = span::parse)]
    pub chaos: Duration,
    /// How long everybody then has to decide three heights, in virtual time
    #[arg(long, value_name = "TIME", default_value = "30s", default_value_if("leak", "true", "60s"),
          value_parser = span::parse)]
    pub calm: Duration,
    /// Replicas come and go by bonding and unbonding stake, and one of all lies: who and how follows from
    /// the seed. Founders are four, the others join
    #[arg(long)]
    pub churn: bool,
    /// The weight of the absent fades: partitions of any length, most may be down, and some never come back.
    /// In every other world one of all lies, and the floor bears it. With replicas 5, 6, 7 and 8, a calm of 60s
    #[arg(long, conflicts_with = "churn")]
    pub leak: bool,
    /// How many threads [default: one for each core]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=256))]
    pub threads: Option<u16>,
    /// Write the trace of a single seed here, a line of JSON for each event
    #[arg(long, value_name = "FILE")]
    pub trace: Option<PathBuf>,
    /// Print one line of JSON for each seed and one for each number of replicas
    #[arg(long)]
    pub json: bool,
}

const EXAMPLES: &str = "\
Examples:
  testnet soak                                   a first impression: 150 runs
  testnet soak --seeds 0..1000                   the full figure: 3,000 runs
  testnet soak --consensus pbft                  another protocol under the same faults
  testnet soak --churn --replicas 7 --seeds 0..5000   members come and go, one lies
  testnet soak --leak --seeds 0..2500            10,000 runs without quorums, and the leak that ends them
  testnet soak --replicas 7 --seeds 42           one run, to look at it again
  testnet soak --replicas 7 --seeds 42 --trace seed-42.jsonl

In each run up to a third of the replicas are silent or crash and lose what was not synced, one
parcel in twenty is lost, partitions and one-way cuts come and go, disks are slow and calendars
wrong. Then all is well again, and everybody must get on. Exit codes: 0 no promise was broken, 1
one was, 2 bad input, 3 our own failure.";

/// Why a soak did not come to a verdict, or to a bad one.
#[derive(Debug, thiserror::Error)]
pub enum SoakError {
    /// A promise was broken; what and where is printed already.
    #[error("{0} of the runs broke a promise")]
    Broken(usize),
    /// There is no such module.
    #[error(transparent)]
    Unknown(#[from] UnknownModule),
    /// The module cannot run like this.
    #[error(transparent)]
    Settings(#[from] BadSettings),
    /// A trace is that of one run.
    #[error("--trace is for a single run: give one number to --replicas and one seed to --seeds")]
    Traces,
    /// The trace cannot be written.
    #[error("cannot write the trace to {path}: {reason}")]
    Trace {
        /// Where.
        path: PathBuf,
        /// What the system said.
        reason: io::Error,
    },
    /// There are no signals to be had.
    #[error("cannot watch for Ctrl-C: {0}")]
    Signals(#[from] ctrlc::Error),
}

/// Soaks, and prints what came of it.
///
/// # Errors
///
/// [`SoakError::Broken`] if a promise was broken, otherwise what kept it from a verdict.
pub fn soak(order: &Soak) -> Result<(), SoakError> {
    let runs = order.seeds.end - order.seeds.start;
    if order.trace.is_some() && (order.replicas.len() != 1 || runs != 1) {
        return Err(SoakError::Traces);
    }
    catalogue::dispatch(&order.consensus, Soaking(order))?
}

struct Soaking<'a>(&'a Soak);

impl Visitor for Soaking<'_> {
    type Output = Result<(), SoakError>;

    fn visit<P: Module>(self) -> Self::Output {
        let Soaking(order) = self;
        let stop = &*Box::leak(Box::new(AtomicBool::new(false)));
        ctrlc::set_handler(|| stop.store(true, Ordering::Relaxed))?;
        let mut broken = 0;
        for &replicas in &order.replicas {
            let options =
                Options { chaos: order.chaos, calm: order.calm, ..usual(order, replicas) };
            P::new(&options.setup.genesis())?;
            if let Some(path) = &order.trace {
                write_trace::<P>(&options, order.seeds.start, path)?;
            }
            broken += Batch::new(order, &options, replicas).run::<P>(stop);
            if stop.load(Ordering::Relaxed) {
                break;
            }
        }
        match broken {
            0 => Ok(()),
            broken => Err(SoakError::Broken(broken)),
        }
    }
}

fn usual(order: &Soak, replicas: u32) -> Options {
    match (order.churn, order.leak) {
        (true, _) => Options::churning(&order.consensus, replicas),
        (_, true) => Options::leaking(&order.consensus, replicas),
        _ => Options::new(&order.consensus, replicas),
    }
}

/// All seeds with one number of replicas.
struct Batch<'a> {
    order: &'a Soak,
    options: &'a Options,
    replicas: u32,
    began: Instant,
}

/// What is kept of the outcomes.
#[derive(Default)]
struct Sum {
    /// By seed; the hash of its trace.
    traces: BTreeMap<u64, Hash>,
    broken: usize,
    events: u64,
    lowest: Option<u64>,
    /// Runs in which a leak ended a halt.
    recovered: usize,
}

impl<'a> Batch<'a> {
    fn new(order: &'a Soak, options: &'a Options, replicas: u32) -> Batch<'a> {
        Batch { order, options, replicas, began: Instant::now() }
    }

    /// How many runs broke a promise.
    fn run<P: Module>(&self, stop: &AtomicBool) -> usize {
        let next = AtomicU64::new(self.order.seeds.start);
        let cores = thread::available_parallelism().map_or(1, usize::from);
        let threads = self.order.threads.map_or(cores, usize::from);
        let (tell, outcomes) = mpsc::sync_channel(threads);
        let mut sum = Sum::default();
        thread::scope(|scope| {
            for _ in 0..threads {
                let (tell, next) = (tell.clone(), &next);
                scope.spawn(move || {
                    while !stop.load(Ordering::Relaxed) {
                        let seed = next.fetch_add(1, Ordering::Relaxed);
                        if seed >= self.order.seeds.end || tell.send(self.one::<P>(seed)).is_err() {
                            break;
                        }
                    }
                });
            }
            drop(tell);
            for (seed, outcome) in outcomes {
                self.take(seed, outcome, &mut sum);
            }
        });
        self.finish(&sum);
        sum.broken
    }

    /// A replica that panics is the worst outcome of all, and must not take the others with it.
    fn one<P: Module>(&self, seed: u64) -> (u64, Result<Box<Outcome>, String>) {
        let run = || run_seed(seed, self.options, |genesis| module::<P>(genesis));
        let outcome = panic::catch_unwind(AssertUnwindSafe(run));
        (seed, outcome.map(Box::new).map_err(|panic| said(&*panic)))
    }

    fn take(&self, seed: u64, outcome: Result<Box<Outcome>, String>, sum: &mut Sum) {
        let holds = outcome.as_ref().is_ok_and(|outcome| outcome.holds());
        sum.broken += usize::from(!holds);
        if let Ok(outcome) = &outcome {
            sum.traces.insert(seed, outcome.trace_hash);
            sum.events += outcome.events;
            sum.recovered += usize::from(outcome.recovered > 0);
            sum.lowest = sum.lowest.into_iter().chain(outcome.lowest).min();
        }
        if self.order.json {
            print(&self.line(seed, &outcome));
        } else if !holds || self.order.seeds.end - self.order.seeds.start == 1 {
            match &outcome {
                Ok(outcome) => print(&format!("{} replicas, {outcome}", self.replicas)),
                Err(panic) => print(&format!("{} replicas, seed {seed}: {panic}", self.replicas)),
            }
        }
        if !holds && !self.order.json {
            print(&format!("again: {}", self.again(seed)));
        }
        self.progress(sum);
    }

    fn line(&self, seed: u64, outcome: &Result<Box<Outcome>, String>) -> Value {
        let replicas = self.replicas;
        match outcome {
            Ok(outcome) => json!({
                "event": "seed", "replicas": replicas, "seed": seed, "holds": outcome.holds(),
                "heights": outcome.heights, "lowest": outcome.lowest, "events": outcome.events,
                "trace": outcome.trace_hash, "violations": outcome.verdict.violations,
                "mining": outcome.mining, "recovered": outcome.recovered,
                "again": self.again(seed),
            }),
            Err(panic) => json!({
                "event": "seed", "replicas": replicas, "seed": seed, "holds": false,
                "panic": panic, "again": self.again(seed),
            }),
        }
    }

    /// The command that runs this seed again.
    fn again(&self, seed: u64) -> String {
        let Soak { consensus, chaos, calm, churn, leak, .. } = self.order;
        let kind = match (churn, leak) {
            (true, _) => "--churn ",
            (_, true) => "--leak ",
            _ => "",
        };
        format!(
            "testnet soak {kind}--consensus {consensus} --replicas {} --seeds {seed} --chaos {} --calm {}",
            self.replicas,
            span::format(*chaos),
            span::format(*calm)
        )
    }

    fn progress(&self, sum: &Sum) {
        let (done, all) = (sum.traces.len(), self.order.seeds.end - self.order.seeds.start);
        if !self.order.json && io::stderr().is_terminal() {
            let end = if done as u64 == all { "\r\x1b[K" } else { "" };
            let line = format!("\r{} replicas: {done} of {all} seeds{end}", self.replicas);
            // Nobody has to watch.
            let _ = io::stderr().write_all(line.as_bytes());
        }
    }

    fn finish(&self, sum: &Sum) {
        let hashes: Vec<&Hash> = sum.traces.values().collect();
        let fingerprint = hash::tagged(Domain::Message, &codec::encode(&hashes));
        let (runs, wall) = (sum.traces.len(), self.began.elapsed());
        let virtual_time = (self.order.chaos + self.order.calm).as_secs_f64() * runs as f64;
        if self.order.json {
            return print(&json!({
                "event": "sum", "replicas": self.replicas, "runs": runs, "broken": sum.broken,
                "lowest": sum.lowest, "recovered": sum.recovered, "events": sum.events, "fingerprint": fingerprint,
                "seconds": wall.as_secs_f64(), "virtual_seconds": virtual_time,
            }));
        }
        let verdict = match sum.broken {
            0 => "no promise broken".to_owned(),
            broken => format!("{broken} BROKE A PROMISE"),
        };
        let recovered = match self.order.leak {
            true => format!("a leak ended a halt in {}, ", sum.recovered),
            false => String::new(),
        };
        print(&format!(
            "{} replicas: {runs} runs, {verdict}, {recovered}lowest height {}, {:.0} x real time, \
             fingerprint {}",
            self.replicas,
            sum.lowest.unwrap_or(0),
            virtual_time / wall.as_secs_f64(),
            fingerprint.short()
        ));
    }
}

fn module<P: Module>(genesis: &ledger::Genesis) -> P {
    P::new(genesis).unwrap_or_else(|error| panic!("these settings were good before: {error}"))
}

fn write_trace<P: Module>(options: &Options, seed: u64, path: &Path) -> Result<(), SoakError> {
    let mut options = options.clone();
    options.setup.tracing = Tracing::Kept;
    let mut world = options.world(seed, |genesis| module::<P>(genesis));
    simulator::soak::run(&mut world, &options);
    let failed = |reason| SoakError::Trace { path: path.to_owned(), reason };
    let mut file = BufWriter::new(File::create(path).map_err(failed)?);
    for line in world.record().lines() {
        serde_json::to_writer(&mut file, line).map_err(|error| failed(error.into()))?;
        file.write_all(b"\n").map_err(failed)?;
    }
    file.flush().map_err(failed)
}

/// What a panic said.
pub(crate) fn said(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    let text = text.or_else(|| panic.downcast_ref::<String>().cloned());
    format!("a replica panicked: {}", text.unwrap_or_else(|| "without a word".to_owned()))
}

/// Reads `A..B` or a single seed.
pub(crate) fn seeds(text: &str) -> Result<Range<u64>, String> {
    let wrong = || format!("{text:?} names no seeds; write a range like 0..1000, or one seed");
    let number = |text: &str| text.parse::<u64>().map_err(|_| wrong());
    let range = match text.split_once("..") {
        Some((first, end)) => number(first)?..number(end)?,
        None => number(text).map(|seed| seed..seed.saturating_add(1))?,
    };
    match range.is_empty() {
        true => Err(wrong()),
        false => Ok(range),
    }
}
