//! `testnet endure`: everything that must be survived is. As many liars as a third leaves room for tell
//! every lie there is, every fault of the world comes and goes; the modules whose blocks are final at
//! once have to stay safe, all of them, and to get on afterwards.

use super::{
    compare::{
        cell::{Cell, SLOW},
        faults::{self, Fault},
    },
    one, pool, print, stop_on_ctrl_c,
};
use clap::Args;
use consensus::catalogue::{self, BadModule, NAMES};
use serde_json::json;
use simulator::{Scenario, Setup, Tracing, scenario::Outcome};
use std::{
    collections::BTreeMap,
    io::{self, IsTerminal, Write},
    sync::atomic::AtomicBool,
    time::{Duration, Instant},
};

#[cfg(test)]
mod tests;

/// How long everybody has to get on, in virtual time.
const PATIENCE: Duration = Duration::from_secs(300);

/// `testnet endure`.
#[derive(Clone, Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Endure {
    /// Which modules [default: all whose blocks are final at once]
    #[arg(long, value_name = "NAME,…", value_delimiter = ',')]
    pub consensus: Vec<String>,
    /// How many replicas; several numbers take turns
    #[arg(long, value_name = "N,…", value_delimiter = ',', default_value = "4,6,7,9,10",
          value_parser = clap::value_parser!(u32).range(4..=100))]
    pub replicas: Vec<u32>,
    /// How many seeds in all, dealt out to modules, numbers of replicas and faults in turn
    #[arg(long, value_name = "N", default_value_t = 1_000,
          value_parser = clap::value_parser!(u64).range(1..=10_000_000))]
    pub seeds: u64,
    /// How many threads [default: one for each core]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=256))]
    pub threads: Option<u16>,
    /// Print one line of JSON for each module, number of replicas and fault
    #[arg(long)]
    pub json: bool,
}

const EXAMPLES: &str = "\
Examples:
  testnet endure                        a thousand seeds
  testnet endure --seeds 10000          the full figure
  testnet endure --consensus pbft --replicas 7 --seeds 200 --json

What is only slow is told with its factor: how much longer a height takes than where nothing goes wrong.
Exit codes: 0 every seed was safe and live, 1 one was not, 2 bad input, 3 our own failure.";

/// Why not everything is known to be survived.
#[derive(Debug, thiserror::Error)]
pub enum EndureError {
    /// What and where is printed already.
    #[error("{0} of the runs were not safe and live")]
    Broken(u64),
    /// A module makes no such promise, or is none.
    #[error(transparent)]
    Module(#[from] BadModule),
    /// Its blocks are never quite certain.
    #[error(
        "{0} promises nothing that liars could break: its blocks are final by depth; see `testnet compare`"
    )]
    ByDepth(String),
    /// It was stopped by hand.
    #[error("stopped before all seeds were run")]
    Interrupted,
    /// There are no signals to be had.
    #[error("cannot watch for Ctrl-C: {0}")]
    Signals(#[from] ctrlc::Error),
}

/// Runs all seeds, and prints what came of them.
///
/// # Errors
///
/// [`EndureError::Broken`] if a seed was not safe and live, otherwise what kept it from a verdict.
pub fn endure(order: &Endure) -> Result<(), EndureError> {
    let stop = stop_on_ctrl_c()?;
    let began = Instant::now();
    let trials = order.trials()?;
    let cells = order.run(&trials, stop);
    let runs: u64 = cells.iter().map(|cell| cell.runs).sum();
    let broken = report(order, &trials, &cells);
    let seconds = began.elapsed().as_secs_f64();
    match order.json {
        true => {
            print(&json!({ "event": "sum", "runs": runs, "broken": broken, "seconds": seconds }))
        }
        false => print(&format!(
            "{runs} runs of {} kinds in {seconds:.1} s: {}",
            cells.iter().filter(|cell| cell.runs > 0).count(),
            if broken == 0 { "all safe and live".into() } else { format!("{broken} WERE NOT") },
        )),
    }
    match broken {
        0 if runs < order.seeds => Err(EndureError::Interrupted),
        0 => Ok(()),
        broken => Err(EndureError::Broken(broken)),
    }
}

/// One module among so many replicas under one fault.
struct Trial {
    module: &'static str,
    replicas: u32,
    fault: Fault,
    scenario: Scenario,
}

impl Trial {
    /// Whoever did not get on in the usual time is given [`PATIENCE`]: some lies cost a round or a view
    /// for each replica that comes to lead it, and the timeouts grow from one to the next.
    fn run(&self, seed: u64) -> Result<Outcome, String> {
        let run = |scenario: &Scenario| one(scenario, self.module, seed, Tracing::Off, |_| {});
        let first = run(&self.scenario)?;
        if first.live || !first.is_safe() {
            return Ok(first);
        }
        let Outcome { live, broken, .. } =
            run(&Scenario { until: PATIENCE, ..self.scenario.clone() })?;
        Ok(Outcome { live, broken, ..first })
    }
}

impl Endure {
    /// Everything to be tried, the faults of one number of replicas next to each other.
    fn trials(&self) -> Result<Vec<Trial>, EndureError> {
        let mut trials = Vec::new();
        for module in self.modules()? {
            for &replicas in &self.replicas {
                let faults = faults::all(replicas).into_iter().filter(Fault::must_be_survived);
                for fault in faults.filter(|fault| fault.modules.contains(&module)) {
                    let text = faults::scenario(&fault, &[module], replicas, 1);
                    let scenario = Scenario::parse(&text).unwrap_or_else(|error| {
                        panic!("{error}\nwhich we wrote ourselves:\n{text}")
                    });
                    trials.push(Trial { module, replicas, fault, scenario });
                }
            }
        }
        Ok(trials)
    }

    fn modules(&self) -> Result<Vec<&'static str>, EndureError> {
        let by_depth = |name: &str| {
            catalogue::depths(&Setup::new(name, 4, 0).genesis()).map(|it| it.is_some())
        };
        for name in &self.consensus {
            if by_depth(name)? {
                return Err(EndureError::ByDepth(name.clone()));
            }
        }
        let is_wanted = |name: &&str| {
            self.consensus.is_empty() || self.consensus.iter().any(|other| other == *name)
        };
        let mut modules = Vec::new();
        for name in NAMES.iter().copied().filter(is_wanted) {
            if !by_depth(name)? {
                modules.push(name);
            }
        }
        Ok(modules)
    }

    /// Seed s is that of trial s mod their number, so that any number of seeds covers as much as it
    /// can.
    fn run(&self, trials: &[Trial], stop: &AtomicBool) -> Vec<Cell> {
        let mut cells = vec![Cell::default(); trials.len()];
        let jobs: Vec<u64> = (0..self.seeds).collect();
        let place = |seed: u64| (seed % trials.len() as u64) as usize;
        let work = |seed: &u64| trials[place(*seed)].run(*seed);
        let mut done = 0;
        pool::spread(&jobs, pool::threads(self.threads), stop, work, |seed, outcome| {
            cells[place(*seed)].add(*seed, &outcome);
            done += 1;
            progress(done, self.seeds);
        });
        cells.iter_mut().for_each(Cell::sort);
        cells
    }

    /// The command that runs one seed again.
    fn again(trial: &Trial, seed: u64) -> String {
        let Trial { module, replicas, fault, .. } = trial;
        format!(
            "testnet compare --print {} --replicas {replicas} | testnet run - --consensus {module} \
             --seeds {seed}",
            fault.name
        )
    }
}

/// Prints each trial that was run, or only what stands out; how many runs were bad.
fn report(order: &Endure, trials: &[Trial], cells: &[Cell]) -> u64 {
    // How high the chain gets where nothing goes wrong.
    let mut usual = BTreeMap::new();
    for (trial, cell) in trials.iter().zip(cells) {
        if trial.fault.name == "none" {
            usual.insert((trial.module, trial.replicas), cell.height());
        }
    }
    let mut broken = 0;
    for (trial, cell) in trials.iter().zip(cells).filter(|(_, cell)| cell.runs > 0) {
        let Trial { module, replicas, fault, .. } = trial;
        let factor = usual.get(&(*module, *replicas)).map(|usual| usual / cell.height());
        let slow = factor.filter(|factor| *factor >= SLOW);
        let bad = cell.unsafe_runs.max(cell.stalls).max(cell.panics);
        broken += bad;
        let (seed, why) = cell.witness();
        let again = Endure::again(trial, seed);
        if order.json {
            print(&json!({
                "consensus": module, "replicas": replicas, "fault": fault.name, "runs": cell.runs,
                "unsafe": cell.unsafe_runs, "stalled": cell.stalls, "panicked": cell.panics,
                "slowdown": factor, "slow": slow.is_some(), "why": why, "again": again,
            }));
        } else if bad > 0 {
            print(&format!(
                "{module}, {replicas} replicas, {}: BAD in {bad} of {}: {why}\n  {again}",
                fault.name, cell.runs
            ));
        } else if let Some(factor) = slow {
            let name = &fault.name;
            print(&format!("{module}, {replicas} replicas, {name}: slow, {factor:.1} times"));
        }
    }
    broken
}

fn progress(done: u64, all: u64) {
    if io::stderr().is_terminal() && (done.is_multiple_of(16) || done == all) {
        let end = if done == all { "\r\x1b[K" } else { "" };
        // Nobody has to watch.
        let _ = write!(io::stderr(), "\r{done} of {all} runs{end}");
    }
}
