//! `testnet compare`: how each module bears each fault, as a matrix.
//!
//! Every cell is many seeds of one module under one fault, and follows from these and the number of
//! replicas alone. The same scenarios can be had as files, so that any cell can be looked into with
//! `testnet run`.

pub(crate) mod cell;
pub(crate) mod faults;
mod matrix;
mod page;
mod series;

pub use cell::{Cell, Word};
pub use faults::{Fault, all, scenario};

use super::{one, pool, print, stop_on_ctrl_c};
use crate::field::{self, FieldError, Keep, Manner};
use clap::Args;
use consensus::catalogue::{self, NAMES, UnknownModule};
use matrix::Matrix;
use serde_json::json;
use simulator::{Scenario, Tracing, scenario::Outcome};
use std::{
    fs,
    io::{self, IsTerminal, Write},
    path::{Path, PathBuf},
    sync::atomic::AtomicBool,
    time::Instant,
};

#[cfg(test)]
mod tests;

/// How many seeds a cell has in the simulator unless it is said.
const SEEDS: u64 = 20;

/// How many cells the progress bar has.
const BAR: usize = 30;

/// `testnet compare`.
#[derive(Clone, Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Compare {
    /// Which modules [default: all]
    #[arg(long, value_name = "NAME,…", value_delimiter = ',')]
    pub consensus: Vec<String>,
    /// Which faults, by name or by its beginning: loss, outage, silent-f+1 [default: all]
    #[arg(long, value_name = "NAME,…", value_delimiter = ',')]
    pub faults: Vec<String>,
    /// How many replicas; f is a third of all but one
    #[arg(long, value_name = "N", default_value_t = 4, value_parser = clap::value_parser!(u32).range(1..=100))]
    pub replicas: u32,
    /// How many seeds in each cell [default: 20, with --live 1]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=100_000))]
    pub seeds: Option<u64>,
    /// With real nodes, in real time: each run takes 40 seconds, so choose --faults
    #[arg(long, requires = "faults", conflicts_with_all = ["out", "threads"])]
    pub live: bool,
    /// Write a page (index.html), a table (cells.csv) and all scenarios here
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// How many threads [default: one for each core]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=256))]
    pub threads: Option<u16>,
    /// Print the scenario of one fault, and run nothing
    #[arg(long, value_name = "FAULT")]
    pub print: Option<String>,
    /// Print one line of JSON for each cell
    #[arg(long)]
    pub json: bool,
}

const EXAMPLES: &str = "\
Examples:
  testnet compare                                     every module under every fault
  testnet compare --seeds 50 --out report             the same, and a page to look at
  testnet compare --faults none,loss,partition --replicas 7
  testnet compare --print partition > partition.toml  the scenario of one row, to play with
  testnet compare --live --faults none,outage,equivocate   the same cells on real nodes
  testnet compare --print silent-f+1 | testnet run - --consensus pow --seeds 7

Whether a module survives a fault is a result here, not a failure: exit codes are 0 all cells were
filled, 1 stopped by hand, 2 bad input, 3 our own failure.";

/// Why there is no matrix.
#[derive(Debug, thiserror::Error)]
pub enum CompareError {
    /// There is no such module.
    #[error(transparent)]
    Unknown(#[from] UnknownModule),
    /// There is no such fault.
    #[error("there is no fault called {0:?}; there are: {1}")]
    NoFault(String, String),
    /// It was stopped by hand.
    #[error("stopped before all cells were filled")]
    Interrupted,
    /// Real nodes could not be made to fill a cell.
    #[error("{cell}: {error}")]
    Field {
        /// Which.
        cell: String,
        /// Why not.
        error: Box<FieldError>,
    },
    /// A replica panicked.
    #[error("a replica panicked in {0} of the runs: please report it")]
    Panicked(u64),
    /// What came of it cannot be written.
    #[error("cannot write {path}: {reason}")]
    Write {
        /// Where.
        path: PathBuf,
        /// What the system said.
        reason: io::Error,
    },
    /// There are no signals to be had.
    #[error("cannot watch for Ctrl-C: {0}")]
    Signals(#[from] ctrlc::Error),
}

/// Compares, and prints what came of it.
///
/// # Errors
///
/// See [`CompareError`].
pub fn compare(order: &Compare) -> Result<(), CompareError> {
    let modules = order.modules()?;
    let faults = order.faults()?;
    if order.print.is_some() {
        let text = faults.iter().map(|fault| order.text(fault, &modules));
        print(&text.collect::<String>().trim_end());
        return Ok(());
    }
    let stop = stop_on_ctrl_c()?;
    if let Some(directory) = &order.out {
        order.write_scenarios(directory, &faults, &modules)?;
    }
    let began = Instant::now();
    let mut matrix = Matrix::new(order, &modules, faults);
    let runs = fill(order, &mut matrix, stop)?;
    match order.json {
        true => matrix.lines().iter().for_each(|line| print(line)),
        false => print(&matrix.text()),
    }
    if let Some(directory) = &order.out {
        let series = series::measure(order, &modules, stop)?;
        let page = page::page(&matrix, &series);
        for (name, text) in [("index.html", page), ("cells.csv", matrix.csv())] {
            write(&directory.join(name), &text)?;
        }
        if !order.json {
            print(&format!("see {}", directory.join("index.html").display()));
        }
    }
    let seconds = began.elapsed().as_secs_f64();
    match order.json {
        true => print(&json!({ "event": "sum", "runs": runs, "seconds": seconds })),
        false => print(&format!("{runs} runs in {seconds:.1} s")),
    }
    match matrix.panics() {
        0 => Ok(()),
        panics => Err(CompareError::Panicked(panics)),
    }
}

impl Compare {
    fn modules(&self) -> Result<Vec<&'static str>, UnknownModule> {
        self.consensus.iter().try_for_each(|name| catalogue::customs(name).map(drop))?;
        let wanted = |name: &&&str| {
            self.consensus.is_empty() || self.consensus.iter().any(|other| other == *name)
        };
        Ok(NAMES.iter().filter(wanted).copied().collect())
    }

    /// Those that are wanted; the one without faults comes first, for comparison.
    fn faults(&self) -> Result<Vec<Fault>, CompareError> {
        let known = all(self.replicas);
        let wanted: Vec<&String> = self.print.iter().chain(&self.faults).collect();
        let fits = |fault: &Fault, wish: &str| {
            let rest = fault.name.strip_prefix(wish);
            rest.is_some_and(|rest| {
                rest.is_empty() || (rest.starts_with('-') && self.print.is_none())
            })
        };
        for wish in &wanted {
            if !known.iter().any(|fault| fits(fault, wish)) {
                let names: Vec<_> = known.iter().map(|fault| fault.name.as_str()).collect();
                return Err(CompareError::NoFault(wish.to_string(), names.join(", ")));
            }
        }
        let chosen = |fault: &Fault| match &self.print {
            Some(wish) => fits(fault, wish),
            None => {
                wanted.is_empty()
                    || fault.name == "none"
                    || wanted.iter().any(|wish| fits(fault, wish))
            }
        };
        Ok(known.into_iter().filter(chosen).collect())
    }

    fn text(&self, fault: &Fault, modules: &[&'static str]) -> String {
        scenario(fault, modules, self.replicas, self.seeds())
    }

    fn seeds(&self) -> u64 {
        self.seeds.unwrap_or(if self.live { 1 } else { SEEDS })
    }

    /// What one run takes, for people.
    fn span(&self) -> &'static str {
        if self.live { "40 s of real time" } else { "40 s of virtual time" }
    }

    /// The command that runs one seed of a cell again.
    fn again(&self, fault: &Fault, module: &str, seed: u64) -> String {
        let live = if self.live { " --live" } else { "" };
        let rest = format!("--consensus {module} --seeds {seed}{live}");
        match &self.out {
            Some(directory) => {
                format!("testnet run {} {rest}", file(directory, fault).display())
            }
            None => {
                let (name, replicas) = (&fault.name, self.replicas);
                format!(
                    "testnet compare --print {name} --replicas {replicas} | testnet run - {rest}"
                )
            }
        }
    }

    fn write_scenarios(
        &self,
        directory: &Path,
        faults: &[Fault],
        modules: &[&'static str],
    ) -> Result<(), CompareError> {
        let folder = directory.join("scenarios");
        let failed = |reason| CompareError::Write { path: folder.clone(), reason };
        fs::create_dir_all(&folder).map_err(failed)?;
        let here =
            faults.iter().filter(|fault| fault.modules.iter().any(|name| modules.contains(name)));
        here.into_iter()
            .try_for_each(|fault| write(&file(directory, fault), &self.text(fault, modules)))
    }
}

fn file(directory: &Path, fault: &Fault) -> PathBuf {
    directory.join("scenarios").join(format!("{}.toml", fault.name))
}

fn write(path: &Path, text: &str) -> Result<(), CompareError> {
    fs::write(path, text).map_err(|reason| CompareError::Write { path: path.to_owned(), reason })
}

/// Reads a scenario that was made up here.
fn parse(text: &str) -> Scenario {
    Scenario::parse(text)
        .unwrap_or_else(|error| panic!("{error}\nwhich we wrote ourselves:\n{text}"))
}

/// One run of a cell.
type Job<'a> = (usize, &'a Scenario, &'static str, u64);

/// Fills every cell; how many runs that took.
fn fill(order: &Compare, matrix: &mut Matrix<'_>, stop: &AtomicBool) -> Result<u64, CompareError> {
    let scenarios: Vec<_> = matrix
        .places()
        .map(|(fault, module)| (parse(&order.text(fault, &[module])), module))
        .collect();
    let mut jobs: Vec<Job<'_>> = Vec::new();
    for (place, (scenario, module)) in scenarios.iter().enumerate() {
        jobs.extend(scenario.seeds.clone().map(|seed| (place, scenario, *module, seed)));
    }
    let done = work(order, &jobs, stop, |(place, _, _, seed), outcome| {
        matrix.add(*place, *seed, &outcome);
    });
    matrix.sort();
    done
}

/// Runs all jobs under a progress bar.
fn work<'a>(
    order: &Compare,
    jobs: &[Job<'a>],
    stop: &AtomicBool,
    mut take: impl FnMut(&Job<'a>, Result<Outcome, String>),
) -> Result<u64, CompareError> {
    if order.live {
        return live(jobs, stop, take);
    }
    let run =
        |(_, scenario, module, seed): &Job<'_>| one(scenario, module, *seed, Tracing::Off, |_| {});
    let mut done = 0;
    pool::spread(jobs, pool::threads(order.threads), stop, run, |job, outcome| {
        done += 1;
        take(job, outcome);
        progress(done, jobs.len());
    });
    match done < jobs.len() {
        true => Err(CompareError::Interrupted),
        false => Ok(done as u64),
    }
}

/// One run after the other: real nodes share this machine.
fn live<'a>(
    jobs: &[Job<'a>],
    stop: &AtomicBool,
    mut take: impl FnMut(&Job<'a>, Result<Outcome, String>),
) -> Result<u64, CompareError> {
    let manner = Manner { stop, tell: &|_| {}, keep: Keep::Never, trace: None };
    for (done, job) in jobs.iter().enumerate() {
        let (_, scenario, module, seed) = job;
        progress(done, jobs.len());
        match field::run(scenario, module, *seed, manner) {
            Ok(report) => take(job, Ok(report.outcome)),
            Err(FieldError::Interrupted) => return Err(CompareError::Interrupted),
            Err(error) => {
                let cell = format!("{}, {module}, seed {seed}", scenario.name);
                return Err(CompareError::Field { cell, error: Box::new(error) });
            }
        }
    }
    progress(jobs.len(), jobs.len());
    Ok(jobs.len() as u64)
}

fn progress(done: usize, all: usize) {
    if !io::stderr().is_terminal() || (!done.is_multiple_of(8) && done != all && all > 100) {
        return;
    }
    let full = BAR * done / all.max(1);
    let (bar, rest) = ("#".repeat(full), ".".repeat(BAR - full));
    let end = if done == all { "\r\x1b[K" } else { "" };
    // Nobody has to watch.
    let _ = write!(io::stderr(), "\r[{bar}{rest}] {done} of {all} runs{end}");
}
