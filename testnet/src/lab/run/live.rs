//! `testnet run --live`: the same scenario with real nodes, beside the simulator if that is wanted.

use super::{Run, RunError, as_expected, line, one, print, row};
use crate::{
    field::{self, FieldError, Keep, Manner, fits, gap::Gap},
    lab::stop_on_ctrl_c,
};
use consensus::catalogue;
use serde_json::{Value, json};
use simulator::{
    Scenario, Tracing,
    scenario::{Outcome, Unmet, judge},
};
use std::{
    io::{self, IsTerminal, Write},
    sync::atomic::Ordering,
};

const HEADER: &str = "\
world  consensus      seed  safe     live  height       p50       p99  messages       bytes  trace";

/// Runs what the order names, one run after the other: real time passes.
pub(super) fn run(order: &Run, scenario: &Scenario) -> Result<(), RunError> {
    let stop = stop_on_ctrl_c()?;
    if !order.json {
        print(&format!("{}\n{HEADER}", scenario.name));
    }
    let mut report = Report { order, scenario, unmet: Vec::new(), runs: 0, unfit: Vec::new() };
    let tell = |words: &str| {
        if !order.json && io::stderr().is_terminal() {
            // Nobody has to watch.
            let _ = writeln!(io::stderr(), "       {words}");
        }
    };
    let keep = if order.keep { Keep::Always } else { Keep::Clues };
    let manner = Manner { stop, tell: &tell, keep, trace: order.trace.as_deref() };
    for module in &scenario.consensus {
        let reasons = fits::unfit(scenario, module);
        if reasons.is_empty() {
            if let Err(error) = report.module(module, manner) {
                // What was found before is worth knowing all the same.
                report.tell();
                return Err(error);
            }
        } else {
            let reasons: Vec<_> = reasons.iter().map(ToString::to_string).collect();
            report.unfit.push(format!("{module}: {}", reasons.join("; ")));
        }
    }
    report.finish()
}

struct Report<'a> {
    order: &'a Run,
    scenario: &'a Scenario,
    /// What did not turn out as expected.
    unmet: Vec<String>,
    runs: usize,
    /// Which modules cannot run, and why.
    unfit: Vec<String>,
}

impl Report<'_> {
    /// All seeds that were asked for; if none were, the first, and further ones as long as what is to come
    /// of one of them has not.
    fn module(&mut self, module: &str, manner: Manner<'_>) -> Result<(), RunError> {
        let (mut simulated, mut outcomes) = (Vec::new(), Vec::new());
        for seed in self.scenario.seeds.clone() {
            let (sim, live) = self.seed(module, seed, manner)?;
            simulated.extend(sim);
            outcomes.push(live);
            let is_done = judge(self.scenario, module, &outcomes).is_empty();
            if self.order.seeds.is_none() && is_done {
                break;
            }
        }
        let never = judge(self.scenario, module, &outcomes);
        self.unmet.extend(never.iter().map(|unmet: &Unmet| format!("{module}: {unmet}")));
        // One seed may show what another does not: what is to come of some of them is asked of all. Of the
        // simulator's further ones nobody need wait for a real run.
        if !simulated.is_empty() {
            let seeds = self.scenario.seeds.clone().skip(simulated.len());
            for seed in seeds.filter(|_| self.order.seeds.is_none()) {
                if judge(self.scenario, module, &simulated).is_empty() {
                    break;
                }
                if manner.stop.load(Ordering::Relaxed) {
                    return Err(RunError::Interrupted);
                }
                simulated.push(self.simulate(module, seed)?);
            }
            let never = judge(self.scenario, module, &simulated);
            let told = never.iter().map(|unmet| format!("{module}, in the simulator: {unmet}"));
            self.unmet.extend(told);
        }
        Ok(())
    }

    fn seed(
        &mut self,
        module: &str,
        seed: u64,
        manner: Manner<'_>,
    ) -> Result<(Option<Outcome>, Outcome), RunError> {
        let simulated = match self.order.sim {
            true => Some(self.simulate(module, seed)?),
            false => None,
        };
        let report = field::run(self.scenario, module, seed, manner).map_err(|error| {
            if matches!(error, FieldError::Interrupted) {
                RunError::Interrupted
            } else {
                error.into()
            }
        })?;
        self.runs += 1;
        let outcome = report.outcome;
        let genesis = self.scenario.setup(module, seed, Tracing::Off).genesis();
        let votes = catalogue::depths(&genesis).is_ok_and(|depths| depths.is_none());
        let gap = simulated.as_ref().map(|sim| Gap::of(sim, &outcome, &report.means, votes));
        let more = json!({ "gap": gap, "means": report.means });
        self.show("live", &outcome, Some(more));
        if let (Some(gap), false) = (gap, self.order.json) {
            print(&gap);
        }
        if let Some(blame) = outcome.blame.first() {
            self.remark(&format!("{module}, seed {seed}: {blame}"));
        }
        for unmet in &outcome.unmet {
            self.unmet.push(format!("{module}, seed {seed}: {unmet}"));
        }
        if let Some(dir) = &report.dir {
            self.remark(&format!("       the net is kept in {}", dir.display()));
        }
        Ok((simulated, outcome))
    }

    fn simulate(&mut self, module: &str, seed: u64) -> Result<Outcome, RunError> {
        let run = one(self.scenario, module, seed, Tracing::Hashed, |_| {});
        let outcome = run.map_err(RunError::Panicked)?;
        self.show("sim", &outcome, None);
        let told = outcome.unmet.iter();
        let told = told.map(|unmet| format!("{module}, seed {seed}, in the simulator: {unmet}"));
        self.unmet.extend(told);
        Ok(outcome)
    }

    fn show(&self, world: &str, outcome: &Outcome, more: Option<Value>) {
        if !self.order.json {
            return print(&format!("{world:<5}  {}", row(outcome)));
        }
        let mut shown = line(self.scenario, outcome, world);
        if let (Value::Object(shown), Some(Value::Object(more))) = (&mut shown, more) {
            shown.extend(more);
        }
        print(&shown);
    }

    /// To people on the same page, to others beside it.
    fn remark(&self, words: &str) {
        match self.order.json {
            true => drop(writeln!(io::stderr(), "{words}")),
            false => print(&words),
        }
    }

    /// What did not turn out as expected, and what was not run.
    fn tell(&self) {
        for unfit in &self.unfit {
            self.remark(&format!("not with real nodes: {unfit}"));
        }
        for unmet in &self.unmet {
            self.remark(unmet);
        }
    }

    fn finish(self) -> Result<(), RunError> {
        self.tell();
        match (self.runs, self.unmet.len()) {
            (0, _) => Err(RunError::NothingLive),
            (runs, 0) => {
                if !self.order.json {
                    print(&as_expected(runs, "live run"));
                }
                Ok(())
            }
            (runs, _) => Err(RunError::Unmet(format!("something in {runs} live runs"))),
        }
    }
}
