//! `testnet lab`: the classical numbers, out of the modules themselves. Theory and measurement stand
//! side by side, and whether they agree decides the exit code.
//!
//! What is measured, and what is theory, is in [`simulator::labs`]; here is how people ask for it.

mod order;
mod range;
mod report;

pub use order::{Papers, Wish};

use super::{pool, print, stop_on_ctrl_c};
use crate::live::myself::quote_path;
use simulator::labs::{BadValue, Experiment, Finding, Lab, Sample};
use std::{
    io::{self, IsTerminal, Write},
    panic::{self, AssertUnwindSafe},
    path::PathBuf,
    sync::atomic::AtomicBool,
};

#[cfg(test)]
mod tests;

/// Why theory and measurement were not compared, or differ.
#[derive(Debug, thiserror::Error)]
pub enum PapersError {
    /// What and by how much is printed already.
    #[error("theory and measurement differ: {}; again: {again}", names.join(", "))]
    Differ {
        /// The figures.
        names: Vec<&'static str>,
        /// The command that measures the same once more.
        again: String,
    },
    /// No figure of a theory was measured.
    #[error("so few {0} measure nothing that theory speaks of; raise --trials")]
    Nothing(&'static str),
    /// The parameters do not go together.
    #[error(transparent)]
    Bad(#[from] BadValue),
    /// It was stopped by hand.
    #[error("stopped before all was measured")]
    Interrupted,
    /// Along the range, which is told already.
    #[error(
        "theory and measurement differ at {bad} of {points} points of the range; again: {again}"
    )]
    DifferAlong {
        /// At how many points.
        bad: usize,
        /// Of how many.
        points: usize,
        /// The command that measures the same once more.
        again: String,
    },
    /// A page cannot be written.
    #[error("cannot write {path}: {reason}")]
    Write {
        /// Where.
        path: PathBuf,
        /// What the system said.
        reason: io::Error,
    },
    /// A job panicked.
    #[error("{what}: please report it, with: {again}")]
    Panicked {
        /// What it said.
        what: String,
        /// The command that does the same once more.
        again: String,
    },
    /// There are no signals to be had.
    #[error("cannot watch for Ctrl-C: {0}")]
    Signals(#[from] ctrlc::Error),
}

/// Measures, and prints what theory says beside it; or lists what can be measured.
///
/// # Errors
///
/// [`PapersError::Differ`] if they differ, otherwise what kept them from being compared.
pub fn papers(order: &Papers) -> Result<(), PapersError> {
    let Some(wish) = &order.wish else {
        report::list(order.json);
        return Ok(());
    };
    let experiment = (wish.lab.prepare)(&wish.values)?;
    if let Some(directory) = &wish.out {
        range::make(wish, directory)?;
    }
    let stop = stop_on_ctrl_c()?;
    let samples = wish.measure(experiment.as_ref(), stop)?;
    let (words, findings) = (experiment.words(), experiment.findings(&samples));
    // People need not wait for the range; scripts get one line, when all is known.
    if !order.json {
        print(&report::text(wish, &words, &findings));
    }
    let along = match &wish.out {
        None => None,
        Some(directory) => {
            let along = range::along(wish, stop)?;
            let page = along.write(wish, directory)?;
            let (good, all) = along.agreeing();
            if !order.json {
                print(&format!(
                    "{good} of {all} points along --{} agree; see {}",
                    wish.lab.over,
                    page.display()
                ));
            }
            Some((good, all))
        }
    };
    if order.json {
        print(&report::line(wish, &words, &findings, along));
    }
    verdict(wish, &findings, along)
}

/// Whether all agrees that was compared, at the point that was asked for and along the range: at how
/// many of how many points.
fn verdict(
    wish: &Wish,
    findings: &[Finding],
    along: Option<(usize, usize)>,
) -> Result<(), PapersError> {
    let judged: Vec<_> =
        findings.iter().filter_map(|found| Some((found.name, found.agrees()?))).collect();
    let differ: Vec<_> =
        judged.iter().filter(|(_, agrees)| !agrees).map(|(name, _)| *name).collect();
    let (good, points) = along.unwrap_or((0, 0));
    match (differ.is_empty(), points - good) {
        _ if judged.is_empty() => Err(PapersError::Nothing(wish.lab.trials)),
        (false, _) => Err(PapersError::Differ { names: differ, again: wish.again() }),
        (true, 0) => Ok(()),
        (true, bad) => Err(PapersError::DifferAlong { bad, points, again: wish.again() }),
    }
}

impl Wish {
    /// Does all jobs on some threads. What comes of it does not depend on how many.
    fn measure(
        &self,
        experiment: &dyn Experiment,
        stop: &AtomicBool,
    ) -> Result<Vec<Sample>, PapersError> {
        let jobs = experiment.jobs(self.trials);
        let work = |job: u64| {
            let run = AssertUnwindSafe(|| experiment.run(self.seed, self.trials, job));
            panic::catch_unwind(run).map_err(|panic| crate::soak::said(&*panic))
        };
        let mut samples = Vec::new();
        let mut panic = None;
        pool::spread(0..jobs, pool::threads(self.threads), stop, work, |job, sample| {
            match sample {
                Ok(sample) => samples.push(sample),
                Err(what) => drop(panic.get_or_insert(what)),
            }
            progress(self.lab, job + 1, jobs);
        });
        match panic {
            Some(what) => Err(PapersError::Panicked { what, again: self.again() }),
            None if (samples.len() as u64) < jobs => Err(PapersError::Interrupted),
            None => Ok(samples),
        }
    }

    /// The command that measures the same again.
    fn again(&self) -> String {
        let Wish { lab, values, trials, seed, out, .. } = self;
        let out =
            out.as_deref().map_or_else(String::new, |out| format!(" --out {}", quote_path(out)));
        let values: String =
            values.iter().map(|(name, value)| format!(" --{name} {value}")).collect();
        format!("testnet lab {}{values} --trials {trials} --seed {seed}{out}", lab.name)
    }
}

fn progress(lab: &Lab, done: u64, all: u64) {
    if io::stderr().is_terminal() && all > 1 {
        let end = if done == all { "\r\x1b[K" } else { "" };
        // Nobody has to watch.
        let _ = write!(io::stderr(), "\r{}: {done} of {all} parts{end}", lab.name);
    }
}
