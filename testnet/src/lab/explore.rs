//! `testnet explore`: looks for a schedule that breaks a promise, makes it as small as it gets, and tells
//! it in words.

mod all;
mod report;
mod search;
#[cfg(test)]
mod tests;

use super::{
    pool, print,
    run::{self, RunError},
    stop_on_ctrl_c,
};
use crate::{soak::seeds, span};
use clap::Args;
use consensus::{
    byzantine::mutants::{self, UnknownMutant},
    catalogue::NAMES,
};
use report::{Told, write};
use search::{Found, Hunt, Search, made_readable};
use simulator::{
    Scenario, UnknownVariant, Variant,
    explore::{LEAST, MOST, general},
    scenario::BadScenario,
};
use std::{
    io,
    ops::Range,
    path::{Path, PathBuf},
    sync::atomic::AtomicBool,
    time::Duration,
};

/// How long one looks if nothing else is said.
const BUDGET: Duration = Duration::from_secs(60);

/// `testnet explore`.
///
/// Without FILE it begins with four replicas of the module, short timeouts and a fast network, and makes
/// up what goes wrong: who is not told what in which round, what liars say, who crashes when. With FILE
/// it tries that scenario as it is, and then with other choices.
#[derive(Clone, Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Explore {
    /// A scenario to begin with, a TOML file; `-` reads it from standard input
    #[arg(value_name = "FILE")]
    pub file: Option<PathBuf>,
    /// A module with one rule weakened, such as T3: its violation is looked for
    #[arg(long, value_name = "ID", conflicts_with = "consensus")]
    pub mutant: Option<String>,
    /// A module, which should break no promise
    #[arg(long, value_name = "NAME")]
    pub consensus: Option<String>,
    /// Every mutant in turn, with the budget for each: how soon it is caught, and in how few steps
    #[arg(long, conflicts_with_all = ["file", "mutant", "consensus", "against", "out", "trace", "seeds"])]
    pub all: bool,
    /// Which trials: a range without its end, or a single one [default: as many as the budget allows]
    #[arg(long, value_name = "A..B", value_parser = seeds)]
    pub seeds: Option<Range<u64>>,
    /// How long to look: 30s, 10m. What is found is shrunk after that [default: 60s, and no end where
    /// --seeds says which trials]
    #[arg(long, value_name = "TIME", value_parser = span::parse)]
    pub budget: Option<Duration>,
    /// Whether a repair holds: try this scenario, on which the mutant broke, then look for others
    #[arg(long, value_name = "FILE", conflicts_with = "file")]
    pub against: Option<PathBuf>,
    /// How many threads; they change the time, and nothing that is found [default: one for each core]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=256))]
    pub threads: Option<u16>,
    /// Print one object of JSON in the end
    #[arg(long)]
    pub json: bool,
    /// Where to write the scenario that is found [default: found-WHAT-TRIAL.toml here]
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// Write the trace of what is found here, a line of JSON for each event
    #[arg(long, value_name = "FILE")]
    pub trace: Option<PathBuf>,
}

const EXAMPLES: &str = "\
Examples:
  testnet explore --mutant T3                        find, shrink and tell what Tendermint's lock is for
  testnet explore --mutant T3 --seeds 0..2000        the same on any machine, whatever the threads
  testnet explore --consensus pbft --budget 1h       the module itself: nothing should be found
  testnet explore scenarios/mutants/T3.toml          begin with a scenario
  testnet explore --mutant T3 --against scenarios/mutants/T3.toml    does your repair hold?
  testnet explore --all                              each mutant, with a minute for each

The trial with the lowest number that breaks is the one that is told. The scenario it shrinks to is a file
which `testnet run` runs again. Exit codes: 0 nothing was found (with --all:
every mutant was caught), 1 a violation was (one was not), 2 bad input, 3 our own failure.";

/// Why nothing is known to hold.
#[derive(Debug, thiserror::Error)]
pub enum ExploreError {
    /// What and where is printed already.
    #[error("{what} broke a promise: `testnet run {}` shows it again", path.display())]
    Found {
        /// Which variant.
        what: String,
        /// Where it is written.
        path: PathBuf,
    },
    /// The scenario on which a mutant broke breaks it still.
    #[error("still broken on {}", .0.display())]
    StillBroken(PathBuf),
    /// Of all mutants, not each was caught.
    #[error("not caught: {0}")]
    NotCaught(String),
    /// It was stopped by hand.
    #[error("stopped after {tried} trials, none of which broke a promise")]
    Interrupted {
        /// How many were done without a gap.
        tried: u64,
    },
    /// The scenario has too few replicas, or too many.
    #[error("the scenario has {0} replicas; {LEAST} to {MOST} can be explored")]
    Size(u32),
    /// Nobody said what to explore.
    #[error("what is to be explored? give --mutant one of {}, or --consensus one of {}, or a scenario",
            mutants::all().map(|(_, about)| about.id).collect::<Vec<_>>().join(", "),
            NAMES.join(", "))]
    NoWish,
    /// The scenario is about several.
    #[error("{} is about {}: give --consensus or --mutant one of them", path.display(), names.join(", "))]
    Several {
        /// Which file.
        path: PathBuf,
        /// What it names.
        names: Vec<String>,
    },
    /// A repair is that of a mutant.
    #[error("--against is for repairs: give --mutant what you have repaired")]
    NoMutant,
    /// There is no such mutant.
    #[error(transparent)]
    Mutant(#[from] UnknownMutant),
    /// There is no such module.
    #[error(transparent)]
    Variant(#[from] UnknownVariant),
    /// The scenario cannot be read.
    #[error(transparent)]
    File(Box<RunError>),
    /// The scenario says what this variant cannot do.
    #[error("{} is no scenario for {what}: {reason}", path.display())]
    Unfit {
        /// Which file.
        path: PathBuf,
        /// Which variant.
        what: String,
        /// Why.
        reason: Box<BadScenario>,
    },
    /// There is nowhere to write.
    #[error("{} is in no directory that there is", .0.display())]
    NoDirectory(PathBuf),
    /// What was found cannot be written.
    #[error("cannot write {}: {reason}", path.display())]
    Write {
        /// Where.
        path: PathBuf,
        /// What the system said.
        reason: io::Error,
    },
    /// The trace cannot be written, or a replica panicked while it was.
    #[error(transparent)]
    Trace(Box<RunError>),
    /// A replica panicked.
    #[error("trial {number}: {said}: please report it; `{again}` does it again")]
    Panicked {
        /// Which trial.
        number: u64,
        /// What it said.
        said: String,
        /// The command.
        again: String,
    },
    /// There are no signals to be had.
    #[error("cannot watch for Ctrl-C: {0}")]
    Signals(#[from] ctrlc::Error),
}

/// Looks, and prints what was found.
///
/// # Errors
///
/// [`ExploreError::Found`] if a violation was, otherwise what kept it from being looked for.
pub fn explore(order: &Explore) -> Result<(), ExploreError> {
    if order.all {
        return all::all(order);
    }
    let (variant, base) = order.base()?;
    if !(LEAST..=MOST).contains(&base.replicas) {
        return Err(ExploreError::Size(base.replicas));
    }
    for path in order.out.iter().chain(&order.trace) {
        let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
        if parent.is_some_and(|parent| !parent.is_dir()) {
            return Err(ExploreError::NoDirectory(path.clone()));
        }
    }
    let stop = stop_on_ctrl_c()?;
    let hunt = Hunt {
        variant,
        threads: pool::threads(order.threads),
        stop,
        loud: !order.json,
        strict: order.against.is_some(),
    };
    let still = match &order.against {
        Some(path) => Some(still_broken(order, &hunt, path)?),
        None => None,
    };
    let (search, found) = look(order, &hunt, &base)?;
    let told = Told { order, variant, search: &search, against: still.as_ref() };
    let Some(found) = found else {
        told.nothing();
        return match (still.is_some_and(|found| found.is_some()), &order.against) {
            (true, Some(path)) => Err(ExploreError::StillBroken(path.clone())),
            _ if search.interrupted => Err(ExploreError::Interrupted { tried: search.tried }),
            _ => Ok(()),
        };
    };
    let path = write(order, variant, &found)?;
    told.found(&found, &path);
    if let Some(trace) = &order.trace {
        run::write_trace(&found.scenario, trace)
            .map_err(|error| ExploreError::Trace(Box::new(error)))?;
    }
    Err(ExploreError::Found { what: variant.to_string(), path })
}

/// Searches and shrinks.
fn look(
    order: &Explore,
    hunt: &Hunt,
    base: &Scenario,
) -> Result<(Search, Option<Found>), ExploreError> {
    let numbers = order.seeds.clone().unwrap_or(0..u64::MAX);
    let budget = order.budget.or(order.seeds.is_none().then_some(BUDGET));
    let mut search = hunt.search(base, numbers, budget);
    if let Some((number, said)) = search.panic.take() {
        let again = order.again(number);
        return Err(ExploreError::Panicked { number, said, again });
    }
    let found = search.found.take().map(|(trial, finding)| hunt.shrink(trial, finding));
    Ok((search, found))
}

/// What still breaks on the scenario that a repair is tried on.
fn still_broken(order: &Explore, hunt: &Hunt, path: &Path) -> Result<Option<String>, ExploreError> {
    let scenario = made_for(&hunt.variant, run::load(path).map_err(file)?, path)?;
    let mut broken = None;
    for seed in scenario.seeds.clone() {
        let one = Scenario { seeds: seed..seed + 1, ..scenario.clone() };
        let finding = hunt.attempt(&one).map_err(|said| {
            let again = format!("testnet run {} --seeds {seed}", path.display());
            ExploreError::Panicked { number: seed, said, again }
        })?;
        if let Some(finding) = finding {
            broken = Some(finding.violation.to_string());
            break;
        }
    }
    if !order.json {
        match &broken {
            Some(violation) => print(&format!("{} still breaks: {violation}", path.display())),
            None => print(&format!("{} does not break any more", path.display())),
        }
    }
    Ok(broken)
}

impl Explore {
    /// What is explored, and what to begin with.
    fn base(&self) -> Result<(Variant, Scenario), ExploreError> {
        let wish = self.wish()?;
        if self.against.is_some() && wish.is_none_or(|variant| variant.mutant.is_none()) {
            return Err(ExploreError::NoMutant);
        }
        match (&self.file, wish) {
            (None, None) => Err(ExploreError::NoWish),
            (None, Some(variant)) => Ok((variant, general(&variant))),
            (Some(path), wish) => {
                let scenario = run::load(path).map_err(file)?;
                let variant = match wish {
                    Some(variant) => variant,
                    None => only_variant(&scenario, path)?,
                };
                Ok((variant, made_for(&variant, scenario, path)?))
            }
        }
    }

    /// The variant that the flags name.
    fn wish(&self) -> Result<Option<Variant>, ExploreError> {
        Ok(match (&self.mutant, &self.consensus) {
            (Some(id), _) => Some(id.parse().or_else(|_| Variant::mutant(id))?),
            (None, Some(name)) => Some(name.parse()?),
            (None, None) => None,
        })
    }

    /// The command that does one trial again.
    fn again(&self, number: u64) -> String {
        let mut words = vec!["testnet explore".to_owned()];
        words.extend(self.file.iter().map(|path| path.display().to_string()));
        words.extend(self.mutant.iter().map(|id| format!("--mutant {id}")));
        words.extend(self.consensus.iter().map(|name| format!("--consensus {name}")));
        words.extend(self.against.iter().map(|path| format!("--against {}", path.display())));
        words.push(format!("--seeds {number}"));
        words.join(" ")
    }
}

/// The one that a scenario names, or the one mutant among several.
fn only_variant(scenario: &Scenario, path: &Path) -> Result<Variant, ExploreError> {
    let named = |name: &String| name.parse::<Variant>().expect("the scenario was read");
    let all: Vec<_> = scenario.consensus.iter().map(named).collect();
    let mutants: Vec<_> = all.iter().filter(|variant| variant.mutant.is_some()).collect();
    match (&all[..], &mutants[..]) {
        ([only], _) => Ok(*only),
        (_, [only]) => Ok(**only),
        _ => {
            let names = scenario.consensus.clone();
            Err(ExploreError::Several { path: path.to_owned(), names })
        }
    }
}

/// The same scenario for one variant, which need not be one that it names.
fn made_for(
    variant: &Variant,
    mut scenario: Scenario,
    path: &Path,
) -> Result<Scenario, ExploreError> {
    scenario.consensus = vec![variant.to_string()];
    scenario.expect_of.clear();
    made_readable(&scenario).map_err(|reason| ExploreError::Unfit {
        path: path.to_owned(),
        what: variant.to_string(),
        reason: Box::new(reason),
    })
}

fn file(error: RunError) -> ExploreError {
    ExploreError::File(Box::new(error))
}

/// Whether somebody pressed Ctrl-C.
fn is_stopped(stop: &AtomicBool) -> bool {
    stop.load(std::sync::atomic::Ordering::Relaxed)
}
