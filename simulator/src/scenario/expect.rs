//! What is expected of a scenario.

use super::{
    Scenario,
    reader::{Read, Table, Value},
};
use crate::{
    checker::{Goal, Progress},
    schedule::Fault,
};
use consensus::catalogue::NAMES;
use std::{ops::Range, time::Duration};

/// What is expected. See the table in [`scenario`](crate::scenario).
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Expect {
    /// Whether safety holds.
    pub agreement: Agreement,
    /// Whether what can be counted on stays.
    pub confirmed: Confirmed,
    /// How far every honest replica that is up comes.
    pub height: Option<u64>,
    /// When they get on.
    pub progress: Vec<Progress>,
    /// When nobody does.
    pub no_progress: Vec<Range<Duration>>,
    /// From when on all are on one chain.
    pub one_chain: Option<Duration>,
    /// How long a transfer takes at most.
    pub final_within: Option<Duration>,
}

/// What is expected of safety.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Agreement {
    /// It holds in every seed.
    #[default]
    Always,
    /// In at least one seed it does not.
    Broken,
    /// Nothing.
    Either,
}

/// What is expected of blocks that are deep enough to be counted on.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Confirmed {
    /// They stay.
    #[default]
    Kept,
    /// In at least one seed some are taken back.
    Reverted,
    /// Nothing.
    Either,
}

impl Expect {
    /// The first time at which everything that has a time can be judged. None if nothing has.
    pub(super) fn ripe(&self) -> Option<Duration> {
        let progress = self.progress.iter().map(|each| each.since + each.within);
        let still = self.no_progress.iter().map(|range| range.end);
        progress.chain(still).chain(self.one_chain).max()
    }
}

/// Reads the table under `expect`.
pub(super) fn read(value: &Value<'_>, scenario: &mut Scenario) -> Read<()> {
    let mut table = value.table()?;
    let common = fields(&mut table, Expect::default(), scenario)?;
    for name in scenario.consensus.clone() {
        let Some(value) = table.take(&name) else { continue };
        let mut inner = value.table()?;
        let one = fields(&mut inner, common.clone(), scenario)?;
        inner.finish()?;
        scenario.expect_of.insert(name, one);
    }
    for name in NAMES.iter().copied() {
        if let Some(value) = table.take(name) {
            return Err(value.bad(format!("{name} is not tried here; see `consensus`")));
        }
    }
    table.finish()?;
    scenario.expect = common;
    Ok(())
}

fn fields(table: &mut Table<'_>, usual: Expect, scenario: &Scenario) -> Read<Expect> {
    let agreement = table.read("agreement", |value| {
        let words = [Agreement::Always, Agreement::Broken, Agreement::Either];
        Ok(words[value.one_of(&["always", "broken", "either"])?])
    })?;
    let confirmed = table.read("confirmed", |value| {
        let words = [Confirmed::Kept, Confirmed::Reverted, Confirmed::Either];
        Ok(words[value.one_of(&["kept", "reverted", "either"])?])
    })?;
    let height = table.read("height", |value| {
        value.whole(1..=1_000_000).map(|height| u64::try_from(height).expect("it is positive"))
    })?;
    let progress = table.read("progress_within", |value| {
        value.one_or_more()?.iter().map(|each| progress(each, scenario)).collect()
    })?;
    let no_progress = table.read("no_progress", |value| {
        value.one_or_more()?.iter().map(|each| between(each, scenario)).collect()
    })?;
    let one_chain = table.read("one_chain", |value| one_chain(&value, scenario))?;
    let final_within =
        table.read("final_within", |value| match scenario.transfers_per_second > 0.0 {
            true => value.span(),
            false => Err(value.bad("there are no transfers; give the scenario a `load`")),
        })?;
    Ok(Expect {
        agreement: agreement.unwrap_or(usual.agreement),
        confirmed: confirmed.unwrap_or(usual.confirmed),
        height: height.or(usual.height),
        progress: progress.unwrap_or(usual.progress),
        no_progress: no_progress.unwrap_or(usual.no_progress),
        one_chain: one_chain.or(usual.one_chain),
        final_within: final_within.or(usual.final_within),
    })
}

/// What can be within some time of something else.
const SINCE: [&str; 7] = ["heal", "restart", "resume", "mend", "speak", "catch_up", "calm"];

/// Reads `10s of heal`: how long, and since when.
fn within(value: &Value<'_>, scenario: &Scenario) -> Read<(Duration, Duration)> {
    let form = "write it like \"10s of heal\" or \"10s of 30s\"";
    let (within, of) =
        value.text()?.split_once(" of ").ok_or_else(|| value.bad("of what?").hint(form))?;
    let within = value.span_of(within)?;
    let of = of.trim();
    let last = |is: fn(&Fault) -> bool| {
        let steps = scenario.steps.steps().iter().rev();
        steps.filter(|step| is(&step.fault)).map(|step| step.time).next()
    };
    let since = match of {
        "heal" => last(|fault| matches!(fault, Fault::Heal)),
        "restart" => last(|fault| matches!(fault, Fault::Restart(_))),
        "mend" => last(|fault| matches!(fault, Fault::Mend { .. })),
        "resume" => last(|fault| matches!(fault, Fault::Resume(_))),
        "speak" => last(|fault| matches!(fault, Fault::Speak(_))),
        "catch_up" => scenario.catch_up,
        "calm" => Some(scenario.calm()),
        _ if of.starts_with(|letter: char| letter.is_ascii_digit()) => Some(value.span_of(of)?),
        _ => {
            let shown: String = of.chars().take(40).collect();
            return Err(value.bad(format!("nothing is called {shown:?}")).suggest(of, &SINCE));
        }
    };
    let since = since.ok_or_else(|| value.bad(format!("there is no step with `{of}`")))?;
    match within.is_zero() || since + within > scenario.until {
        true => Err(value.bad("that must be over before the run is; see `until`")),
        false => Ok((since, within)),
    }
}

fn progress(value: &Value<'_>, scenario: &Scenario) -> Read<Progress> {
    let (since, within) = within(value, scenario)?;
    Ok(Progress { since, within, goal: Goal::Gain(1) })
}

fn one_chain(value: &Value<'_>, scenario: &Scenario) -> Read<Duration> {
    within(value, scenario).map(|(since, within)| since + within)
}

/// Reads `12s..30s`.
fn between(value: &Value<'_>, scenario: &Scenario) -> Read<Range<Duration>> {
    let form = || value.bad("from when to when?").hint("write it like \"12s..30s\"");
    let (from, to) = value.text()?.split_once("..").ok_or_else(form)?;
    let range = value.span_of(from)?..value.span_of(to)?;
    match range.is_empty() || range.end > scenario.until {
        true => Err(value.bad("that must begin before it ends, and end before the run does")),
        false => Ok(range),
    }
}
