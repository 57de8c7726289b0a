//! `testnet run`: one scenario, every module and seed it names, judged by what it expects, in the
//! simulator, with real nodes, or in both.

use super::{milliseconds, one, pool, print, stop_on_ctrl_c, time};
use crate::{field::FieldError, soak::seeds};
use clap::Args;
use serde_json::{Value, json};
use simulator::{
    Scenario, Tracing, UnknownVariant, Variant,
    scenario::{BadScenario, Outcome, judge},
};
use std::{
    fs::{self, File},
    io::{self, BufWriter, IsTerminal, Read, Write},
    ops::Range,
    path::{Path, PathBuf},
    sync::atomic::AtomicBool,
};

mod live;

#[cfg(test)]
mod tests;

/// How many reasons are told of one run.
const TOLD: usize = 3;

/// How many runs are told of that did not hold.
const TOLD_RUNS: usize = 5;

/// The longest scenario that is read, in bytes: longer ones are refused by the reader.
const MAX_BYTES: u64 = 2 << 20;

/// `testnet run`.
#[derive(Clone, Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Run {
    /// The scenario, a TOML file; `-` reads it from standard input
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// Only these modules, instead of those the scenario names
    #[arg(long, value_name = "NAME,…", value_delimiter = ',')]
    pub consensus: Vec<String>,
    /// Only these seeds: a range without its end, or a single one
    #[arg(long, value_name = "A..B", value_parser = seeds)]
    pub seeds: Option<Range<u64>>,
    /// How many threads [default: one for each core]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=256))]
    pub threads: Option<u16>,
    /// Write the trace of a single run here, a line of JSON for each event; `testnet trace` draws it
    #[arg(long, value_name = "FILE")]
    pub trace: Option<PathBuf>,
    /// Tell a single run in sentences: who said what, what it led to, and why
    #[arg(long)]
    pub explain: bool,
    /// In the simulator: the default; with --live in both worlds, side by side
    #[arg(long)]
    pub sim: bool,
    /// With real nodes, in real time: one seed, unless --seeds says more
    #[arg(long, conflicts_with_all = ["explain", "threads"])]
    pub live: bool,
    /// With --live: keep the directory of the net, which is kept anyway if something went wrong
    #[arg(long, requires = "live")]
    pub keep: bool,
    /// Print one line of JSON for each run
    #[arg(long)]
    pub json: bool,
}

const EXAMPLES: &str = "\
Examples:
  testnet run scenarios/partition.toml
  testnet run scenarios/partition.toml --consensus pow --seeds 0..100
  testnet run scenarios/partition.toml --consensus pow --seeds 7 --trace seed-7.jsonl
  testnet run scenarios/mutants/T3.toml --consensus tendermint:T3 --seeds 0 --explain
  testnet compare --print loss | testnet run - --json
  testnet run scenarios/05-one-crash.toml --live           real nodes; takes as long as it says
  testnet run scenarios/05-one-crash.toml --sim --live     both worlds, and the gap between them

A line tells of each module and seed: whether it was safe (no honest replica broke a promise), whether
it was live (everybody honest got on in the last third), the lowest final height, how long transfers
took, and what was sent. Then comes what did not turn out as the scenario expects. Exit codes: 0 it
did, 1 it did not, 2 the scenario is bad, 3 our own failure.";

/// Why a scenario was not run, or did not turn out as expected.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// What and where is printed already.
    #[error("{0} did not turn out as the scenario expects")]
    Unmet(String),
    /// It was stopped by hand.
    #[error("stopped before all seeds were run")]
    Interrupted,
    /// The file is no scenario.
    #[error("{path}: {reason}")]
    Bad {
        /// Which file.
        path: PathBuf,
        /// What is wrong with it.
        reason: BadScenario,
    },
    /// The file cannot be read.
    #[error("cannot read {path}: {reason}")]
    Unreadable {
        /// Which file.
        path: PathBuf,
        /// What the system said.
        reason: io::Error,
    },
    /// There is no such module or mutant.
    #[error(transparent)]
    Unknown(#[from] UnknownVariant),
    /// The scenario is not for this module.
    #[error("the scenario does not name {0}; it names {1}")]
    NotNamed(String, String),
    /// A trace, or a story, is that of one run.
    #[error("{0} is for a single run: give one module to --consensus and one seed to --seeds")]
    Single(&'static str),
    /// The trace cannot be written.
    #[error("cannot write the trace to {path}: {reason}")]
    Trace {
        /// Where.
        path: PathBuf,
        /// What the system said.
        reason: io::Error,
    },
    /// Real nodes could not be made to run it.
    #[error(transparent)]
    Field(#[from] FieldError),
    /// No module can run it with real nodes; why is printed already.
    #[error("no module can run this scenario with real nodes; leave --live out")]
    NothingLive,
    /// A replica panicked; where is printed already.
    #[error("{0}: please report it")]
    Panicked(String),
    /// There are no signals to be had.
    #[error("cannot watch for Ctrl-C: {0}")]
    Signals(#[from] ctrlc::Error),
}

/// Runs a scenario, and prints what came of it.
///
/// # Errors
///
/// [`RunError::Unmet`] if it did not turn out as expected, otherwise what kept it from being run.
pub fn run(order: &Run) -> Result<(), RunError> {
    let scenario = order.scenario()?;
    // Real nodes run one seed, unless it is said.
    let seeds = match order.live && order.seeds.is_none() {
        true => 1,
        false => scenario.seeds.end - scenario.seeds.start,
    };
    let runs = scenario.consensus.len() as u64 * seeds;
    let single = [("--trace", order.trace.is_some()), ("--explain", order.explain)];
    if let Some((flag, _)) = single.into_iter().find(|(_, wanted)| *wanted && runs != 1) {
        return Err(RunError::Single(flag));
    }
    if order.live {
        return live::run(order, &scenario);
    }
    let stop = stop_on_ctrl_c()?;
    if let Some(path) = &order.trace {
        write_trace(&scenario, path)?;
    }
    carry_out(order, &scenario, stop)
}

impl Run {
    /// The scenario, cut down to the modules and seeds that are wanted.
    fn scenario(&self) -> Result<Scenario, RunError> {
        let mut scenario = load(&self.file)?;
        for name in &self.consensus {
            name.parse::<Variant>()?;
            if !scenario.consensus.contains(name) {
                return Err(RunError::NotNamed(name.clone(), scenario.consensus.join(", ")));
            }
        }
        if !self.consensus.is_empty() {
            scenario.consensus.retain(|name| self.consensus.contains(name));
        }
        if let Some(seeds) = &self.seeds {
            scenario.seeds = seeds.clone();
        }
        Ok(scenario)
    }

    /// The command that runs one of them again.
    fn again(&self, module: &str, seed: u64) -> String {
        format!("testnet run {} --consensus {module} --seeds {seed}", self.file.display())
    }
}

/// The scenario in a file, or on standard input.
pub(super) fn load(path: &Path) -> Result<Scenario, RunError> {
    let text =
        read(path).map_err(|reason| RunError::Unreadable { path: path.to_owned(), reason })?;
    Scenario::parse(&text).map_err(|reason| RunError::Bad { path: path.to_owned(), reason })
}

fn read(path: &Path) -> io::Result<String> {
    let mut bytes = Vec::new();
    match path.as_os_str() == "-" {
        true => io::stdin().take(MAX_BYTES).read_to_end(&mut bytes)?,
        false => File::open(path)?.take(MAX_BYTES).read_to_end(&mut bytes)?,
    };
    let why = |error| io::Error::new(io::ErrorKind::InvalidData, format!("it is no text: {error}"));
    String::from_utf8(bytes).map_err(why)
}

fn carry_out(order: &Run, scenario: &Scenario, stop: &AtomicBool) -> Result<(), RunError> {
    let mut jobs = Vec::new();
    for module in &scenario.consensus {
        jobs.extend(scenario.seeds.clone().map(|seed| (module.clone(), seed)));
    }
    let mut report = Report::new(order, scenario, jobs.len());
    let work =
        |(module, seed): &(String, u64)| one(scenario, module, *seed, Tracing::Hashed, |_| {});
    pool::spread(&jobs, pool::threads(order.threads), stop, work, |(module, seed), outcome| {
        report.take(module, *seed, outcome);
    });
    match report.done < jobs.len() {
        true => Err(RunError::Interrupted),
        false => {
            if order.explain {
                tell(order, scenario)?;
            }
            report.finish()
        }
    }
}

/// Tells the one run there is, after its row.
fn tell(order: &Run, scenario: &Scenario) -> Result<(), RunError> {
    let story = super::story(scenario, &scenario.consensus[0]).map_err(RunError::Panicked)?;
    match order.json {
        true => print(&json!({ "story": story.sentences })),
        false => print(&format!("\n{story}")),
    }
    Ok(())
}

/// What is printed, and what is kept for the end.
struct Report<'a> {
    order: &'a Run,
    scenario: &'a Scenario,
    all: usize,
    done: usize,
    outcomes: Vec<Outcome>,
    /// The module and seed of those that did not hold.
    failed: Vec<(String, u64)>,
    reasons: Vec<String>,
    /// Of how many runs the guilty are told.
    accused: usize,
    panic: Option<String>,
}

impl<'a> Report<'a> {
    fn new(order: &'a Run, scenario: &'a Scenario, all: usize) -> Report<'a> {
        if !order.json {
            print(&format!("{}\n{HEADER}", scenario.name));
        }
        let (outcomes, failed, reasons) = (Vec::new(), Vec::new(), Vec::new());
        Report { order, scenario, all, done: 0, outcomes, failed, reasons, accused: 0, panic: None }
    }

    fn take(&mut self, module: &str, seed: u64, outcome: Result<Outcome, String>) {
        self.done += 1;
        match outcome {
            Ok(outcome) => {
                match self.order.json {
                    true => print(&line(self.scenario, &outcome, "sim")),
                    false => print(&row(&outcome)),
                }
                self.accuse(&outcome);
                if !outcome.unmet.is_empty() {
                    self.blame(module, seed, outcome.unmet.iter().map(ToString::to_string));
                }
                self.outcomes.push(outcome);
            }
            Err(panic) => {
                self.blame(module, seed, [panic.clone()].into_iter());
                self.panic.get_or_insert(panic);
            }
        }
        if !self.order.json && io::stdout().is_terminal() && io::stderr().is_terminal() {
            let end = if self.done == self.all { "\r\x1b[K" } else { "" };
            // Nobody has to watch.
            let _ = write!(io::stderr(), "\r{} of {} runs{end}\r", self.done, self.all);
        }
    }

    /// Who broke agreement, or why nobody can be convicted: of the first height, where all began.
    fn accuse(&mut self, outcome: &Outcome) {
        if let Some(blame) = outcome.blame.first()
            && self.accused < TOLD_RUNS
        {
            self.accused += 1;
            self.reasons.push(format!("{}, seed {}: {blame}", outcome.module, outcome.seed));
        }
    }

    fn blame(&mut self, module: &str, seed: u64, reasons: impl ExactSizeIterator<Item = String>) {
        self.failed.push((module.to_owned(), seed));
        if self.failed.len() > TOLD_RUNS {
            return;
        }
        let more = reasons.len().saturating_sub(TOLD);
        self.reasons.push(format!("{module}, seed {seed}:"));
        self.reasons.extend(reasons.take(TOLD).map(|reason| format!("  {reason}")));
        if more > 0 {
            self.reasons.push(format!("  and {more} more reasons"));
        }
        self.reasons.push(format!("  again: {}", self.order.again(module, seed)));
    }

    /// Tells what did not turn out as expected: to people on the same page, to others beside it.
    fn finish(mut self) -> Result<(), RunError> {
        let mut never = Vec::new();
        for module in &self.scenario.consensus {
            let outcomes: Vec<_> =
                self.outcomes.iter().filter(|each| each.module == *module).cloned().collect();
            for unmet in judge(self.scenario, module, &outcomes) {
                self.reasons.push(format!("{module}: {unmet}"));
                never.push(module.clone());
            }
        }
        let more = self.failed.len().saturating_sub(TOLD_RUNS);
        if more > 0 {
            self.reasons.push(format!("and {more} more runs"));
        }
        for reason in &self.reasons {
            match self.order.json {
                true => drop(writeln!(io::stderr(), "{reason}")),
                false => print(reason),
            }
        }
        if let Some(panic) = self.panic {
            return Err(RunError::Panicked(panic));
        }
        match (self.failed.len(), never.is_empty()) {
            (0, true) => {
                if !self.order.json {
                    print(&as_expected(self.all, "run"));
                }
                Ok(())
            }
            (0, false) => Err(RunError::Unmet(never.join(", "))),
            (failed, _) => Err(RunError::Unmet(format!("{failed} of {} runs", self.all))),
        }
    }
}

/// What is said last when all is well.
fn as_expected(count: usize, what: &str) -> String {
    match count {
        1 => format!("1 {what}, as expected"),
        _ => format!("{count} {what}s, all as expected"),
    }
}

/// One run, for scripts.
fn line(scenario: &Scenario, outcome: &Outcome, world: &str) -> Value {
    let percentile = |percent| outcome.latencies.percentile(percent).map(milliseconds);
    json!({
        "scenario": scenario.name,
        "consensus": outcome.module,
        "seed": outcome.seed,
        "world": world,
        "safe": outcome.is_safe(),
        "live": outcome.live,
        "violations": outcome.broken.len(),
        "height": outcome.height,
        "latency_ms": { "p50": percentile(50), "p99": percentile(99) },
        "messages": outcome.counts.total(),
        "bytes": outcome.counts.bytes,
        "trace_hash": outcome.trace_hash,
    })
}

const HEADER: &str = "\
consensus      seed  safe     live  height       p50       p99  messages       bytes  trace";

/// One run, for people.
fn row(outcome: &Outcome) -> String {
    let Outcome { module, seed, height, counts, trace_hash, .. } = outcome;
    let safe = match outcome.broken.len() {
        0 => "yes".to_owned(),
        broken => format!("NO ({broken})"),
    };
    let live = if outcome.live { "yes" } else { "no" };
    let [p50, p99] = [50, 99].map(|percent| time(outcome.latencies.percentile(percent)));
    let (messages, bytes, trace) = (counts.total(), counts.bytes, trace_hash.short());
    format!(
        "{module:<12} {seed:>6}  {safe:<7}  {live:<4}  {height:>6}  {p50:>8}  {p99:>8}  \
         {messages:>8}  {bytes:>10}  {trace}"
    )
}

/// Writes the trace of a scenario's first module and seed.
pub(super) fn write_trace(scenario: &Scenario, path: &Path) -> Result<(), RunError> {
    let failed = |reason| RunError::Trace { path: path.to_owned(), reason };
    let mut file = BufWriter::new(File::create(path).map_err(failed)?);
    match super::trace::write(scenario, &scenario.consensus[0], &mut file) {
        // A trace that ends in a panic is told of by the run itself.
        Err(panic) => {
            let _ = fs::remove_file(path);
            Err(RunError::Panicked(panic))
        }
        Ok(written) => written.and_then(|()| file.flush()).map_err(failed),
    }
}
