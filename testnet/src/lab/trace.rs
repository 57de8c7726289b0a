//! `testnet trace`: a run as a space-time diagram, or as a log for ShiViz.
//!
//! A trace knows no protocol, only kinds of messages and remarks, and neither does what is drawn here: one
//! viewer serves every module. [`read`] takes the file, which may be hostile; [`weave`] finds out what
//! came from where; [`clock`] orders it; `page` and [`shiviz`] show it.

pub mod clock;
mod page;
pub mod read;
pub mod shiviz;
pub mod weave;

use super::{one, print, run::load};
use crate::span;
use clap::{Args, ValueEnum};
use read::BadTrace;
use serde_json::json;
use simulator::{Scenario, Tracing, record::Aside};
use std::{
    fs::{self, File},
    io::{self, BufReader, BufWriter, Write},
    path::{Path, PathBuf},
    time::Duration,
};
use weave::Weave;

#[cfg(test)]
mod tests;

/// `testnet trace`.
#[derive(Clone, Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Trace {
    /// A trace, as `testnet run --trace` writes it, or a scenario (.toml), of which the first seed is run
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// A second one, drawn beside the first on the same clock
    #[arg(long, value_name = "FILE")]
    pub beside: Option<PathBuf>,
    /// Where to write it [default: trace.html, or trace.log for ShiViz]
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// As what
    #[arg(long, value_enum, default_value_t = Format::Html)]
    pub format: Format,
    /// Nothing after this time of the run: 500ms, 20s, 1m
    #[arg(long, value_name = "TIME", value_parser = span::parse)]
    pub until: Option<Duration>,
    /// Of a scenario: these modules, one or two of them [default: the first two it names]
    #[arg(long, value_name = "NAME,…", value_delimiter = ',')]
    pub consensus: Vec<String>,
    /// Of a scenario: this seed [default: its first]
    #[arg(long, value_name = "SEED")]
    pub seed: Option<u64>,
    /// Print one line of JSON
    #[arg(long)]
    pub json: bool,
}

/// What is written.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub enum Format {
    /// A page for any browser, that needs no network
    Html,
    /// A log with vector clocks
    Shiviz,
}

const EXAMPLES: &str = "\
Examples:
  testnet trace scenarios/05-one-crash.toml                two modules, the same crash, side by side
  testnet trace scenarios/05-one-crash.toml --consensus pow --seed 3
  testnet run scenarios/10-loss.toml --consensus pbft --seeds 7 --trace seven.jsonl
  testnet trace seven.jsonl --out seven.html
  testnet trace seven.jsonl --beside eight.jsonl --until 20s
  testnet trace seven.jsonl --format shiviz --out seven.log

Open the page in any browser: it loads nothing. Lanes are replicas, time goes to the right, an arrow is
a message from when it was sent to when it arrived. Arrow keys step, + and - zoom, a click shows why
something happened.

Exit codes: 0 it is written, 2 the file is no trace, 3 our own failure.";

/// Why nothing is drawn.
#[derive(Debug, thiserror::Error)]
pub enum TraceError {
    /// The file is no trace.
    #[error("{path}: {reason}")]
    Bad {
        /// Which file.
        path: PathBuf,
        /// What is wrong with it.
        reason: BadTrace,
    },
    /// The file is no scenario, or cannot be run.
    #[error(transparent)]
    Scenario(#[from] super::run::RunError),
    /// A module is wanted that the scenario does not name.
    #[error("the scenario does not name {0}; it names: {1}")]
    NotNamed(String, String),
    /// More than two.
    #[error("{0} diagrams do not fit on one page; choose one or two with --consensus NAME,NAME")]
    TooMany(usize),
    /// What makes sense for scenarios only.
    #[error("{0} is about scenarios, and {1} is a trace; leave it out, or name a .toml file")]
    NotAScenario(&'static str, PathBuf),
    /// Two modules where there is room for one.
    #[error(
        "beside another file there is room for one module, and --consensus names {0}; name one"
    )]
    NoRoom(usize),
    /// There would be more clocks than memory.
    #[error("the vector clocks of {0} moments do not fit; cut the trace with --until 20s")]
    TooBig(usize),
    /// What is drawn cannot be written.
    #[error("cannot write {path}: {reason}")]
    Write {
        /// Where.
        path: PathBuf,
        /// What the system said.
        reason: io::Error,
    },
}

/// Draws it, and says where it is.
///
/// # Errors
///
/// See [`TraceError`].
pub fn trace(order: &Trace) -> Result<(), TraceError> {
    order.check()?;
    let mut weaves = order.take(&order.file, order.beside.is_none())?;
    if let Some(beside) = &order.beside {
        weaves.extend(order.take(beside, false)?);
    }
    if weaves.len() > 2 {
        return Err(TraceError::TooMany(weaves.len()));
    }
    let default = match order.format {
        Format::Html => "trace.html",
        Format::Shiviz => "trace.log",
    };
    let out = order.out.clone().unwrap_or_else(|| default.into());
    let failed = |reason| TraceError::Write { path: out.clone(), reason };
    match order.format {
        Format::Html => fs::write(&out, page::page(&weaves)).map_err(failed)?,
        Format::Shiviz => {
            if let Some((_, weave)) = weaves.iter().find(|(_, weave)| shiviz::is_too_big(weave)) {
                return Err(TraceError::TooBig(weave.moments.len()));
            }
            let mut file = BufWriter::new(File::create(&out).map_err(failed)?);
            shiviz::write(&weaves, &mut file).and_then(|()| file.flush()).map_err(failed)?;
        }
    }
    order.tell(&out, &weaves);
    Ok(())
}

impl Trace {
    /// Refuses what would have no effect.
    fn check(&self) -> Result<(), TraceError> {
        let flags = [("--consensus", !self.consensus.is_empty()), ("--seed", self.seed.is_some())];
        if !is_scenario(&self.file)
            && !self.beside.as_deref().is_some_and(is_scenario)
            && let Some((flag, _)) = flags.into_iter().find(|(_, wanted)| *wanted)
        {
            return Err(TraceError::NotAScenario(flag, self.file.clone()));
        }
        match self.consensus.len() {
            many @ 2.. if self.beside.is_some() => Err(TraceError::NoRoom(many)),
            _ => Ok(()),
        }
    }

    /// What is in a file: one trace, or those of a scenario.
    fn take(&self, path: &Path, pairs: bool) -> Result<Vec<(String, Weave)>, TraceError> {
        match is_scenario(path) {
            true => self.play(path, pairs),
            false => {
                let bad = |reason| TraceError::Bad { path: path.to_owned(), reason };
                let file = File::open(path).map_err(|error| bad(error.into()))?;
                let weave = self.weave(BufReader::new(file)).map_err(bad)?;
                Ok(vec![(name(path, &weave), weave)])
            }
        }
    }

    fn weave(&self, from: impl io::BufRead) -> Result<Weave, BadTrace> {
        let until = self.until.map(|until| u64::try_from(until.as_micros()).unwrap_or(u64::MAX));
        weave::weave(&read::read(from)?, until)
    }

    /// Runs a scenario and reads what it leaves.
    fn play(&self, path: &Path, pairs: bool) -> Result<Vec<(String, Weave)>, TraceError> {
        let mut scenario = load(path)?;
        let all = scenario.consensus.join(", ");
        for name in &self.consensus {
            if !scenario.consensus.contains(name) {
                return Err(TraceError::NotNamed(name.clone(), all));
            }
        }
        let mut modules = match self.consensus.is_empty() {
            true => scenario.consensus.iter().take(2).cloned().collect(),
            false => self.consensus.clone(),
        };
        if !pairs {
            modules.truncate(1);
        }
        if modules.len() > 2 {
            return Err(TraceError::TooMany(modules.len()));
        }
        if let Some(seed) = self.seed {
            scenario.seeds = seed..seed.saturating_add(1);
        }
        let mut weaves = Vec::new();
        for module in modules {
            let mut bytes = Vec::new();
            write(&scenario, &module, &mut bytes)
                .map_err(super::run::RunError::Panicked)?
                .expect("memory takes whatever is written");
            let weave = self.weave(&bytes[..]);
            let weave =
                weave.map_err(|reason| TraceError::Bad { path: path.to_owned(), reason })?;
            weaves.push((name(path, &weave), weave));
        }
        Ok(weaves)
    }

    fn tell(&self, out: &Path, weaves: &[(String, Weave)]) {
        if self.json {
            let one = |(name, weave): &(String, Weave)| {
                json!({
                    "name": name,
                    "consensus": weave.module,
                    "seed": weave.seed,
                    "replicas": weave.lanes.len(),
                    "lines": weave.lines,
                    "events": weave.moments.len(),
                    "messages": weave.sent.iter().map(|sent| sent.arrows.len()).sum::<usize>(),
                    "until_ms": weave.end as f64 / 1000.0,
                    "broken": weave.broken,
                    "warnings": weave.warnings,
                })
            };
            let traces: Vec<_> = weaves.iter().map(one).collect();
            return print(&json!({ "event": "written", "out": out, "traces": traces }));
        }
        for (name, weave) in weaves {
            let arrows: usize = weave.sent.iter().map(|sent| sent.arrows.len()).sum();
            let (lanes, moments) = (weave.lanes.len(), weave.moments.len());
            print(&format!("{name}: {lanes} replicas, {moments} events, {arrows} messages"));
            weave.warnings.iter().for_each(|warning| print(&format!("  {warning}")));
        }
        print(&match self.format {
            Format::Html => format!("Written to {}; open it in any browser.", out.display()),
            Format::Shiviz => format!(
                "Written to {}; give it to ShiViz. Its first line is the regular expression.",
                out.display()
            ),
        });
    }
}

fn is_scenario(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "toml")
}

/// What a diagram is called.
fn name(path: &Path, weave: &Weave) -> String {
    let file = || path.file_name().map_or_else(String::new, |it| it.to_string_lossy().into_owned());
    let name = match (weave.name.as_str(), weave.seed) {
        ("", _) => file(),
        (name, Some(seed)) => format!("{name}: {}, seed {seed}", weave.module),
        (name, None) => format!("{name}: {}", weave.module),
    };
    // It is printed, too, and the file may say anything.
    name.chars().map(|it| if it.is_control() { ' ' } else { it }).take(200).collect()
}

/// Runs the first seed of a module and writes its trace, with what the world knows and the checker says.
/// The outer error is what a replica said that panicked.
pub(super) fn write(
    scenario: &Scenario,
    module: &str,
    out: &mut impl Write,
) -> Result<io::Result<()>, String> {
    let mut written = Ok(());
    let first = Aside::Scenario { name: scenario.name.clone(), module: module.to_owned() };
    let outcome = one(scenario, module, scenario.seeds.start, Tracing::Kept, |record| {
        written = first.write(out).and_then(|()| record.write(out));
    })?;
    let broken = outcome.broken.iter().map(ToString::to_string);
    let unmet = outcome.unmet.iter().map(ToString::to_string);
    let mut last = broken.chain(unmet).map(|words| Aside::Broken { words });
    Ok(written.and_then(|()| last.try_for_each(|aside| aside.write(out))))
}
