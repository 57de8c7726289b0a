//! `leak`: after how many rows of absence those who are there are a quorum again.
//!
//! Theory is Ethereum's recurrence under small constants, which knows nothing of the ledger, and its closed
//! form.

use super::{
    BadValue, Experiment, Finding, Lab, Moments, Parameter, Part, Range, Sample, Value, Values,
    placements::drawn,
};
use ledger::leak::{Leak, MAX_ALIVES, Mode};
use measure::Halt;

pub(super) mod measure;
pub(super) mod theory;

pub(super) const QUOTIENT: Parameter = Parameter {
    name: "quotient",
    about: "Q: half of what counts of somebody is gone after 1.18 √Q rows of absence",
    range: Range::Whole(16, 4_096),
    usual: Value::Whole(256),
};

/// No floor: two sides of a partition may both decide.
const UNBOUNDED: &str = "0";

/// Before the first round that counts.
pub(super) const GRACE: u64 = 3;

pub(super) const LAB: Lab = Lab {
    name: "leak",
    about: "after how many rounds of absence those who are there are a quorum again, of equal stakes of a \
            million, in a halted Tendermint with ledger.leak = 2",
    papers: &[
        "Ethereum consensus-specs, Altair, process_inactivity_updates (the recurrence, with small constants)",
        "Buterin, Griffith, \"Casper the Friendly Finality Gadget\", 2017, section 4.2 (the idea)",
        "docs/decisions/0014: the leak of recovery rounds and its floor, our own",
    ],
    parameters: &[
        QUOTIENT,
        Parameter {
            name: "active",
            about: "how many replicas there are, and how many of them are not silent",
            range: Range::Part(50),
            usual: Value::Part(Part { some: 3, all: 5 }),
        },
        Parameter {
            name: "floor",
            about: "what is left of everybody at least: what keeps it sound, or nothing",
            range: Range::Word(&["sound", UNBOUNDED]),
            usual: Value::Word("sound"),
        },
        Parameter {
            name: "tolerates",
            about: "β: which share of the stake may be Byzantine, in thousandths, where there is a floor",
            range: Range::Whole(0, 333),
            usual: Value::Whole(100),
        },
    ],
    over: "quotient",
    trials: "worlds, each with others silent",
    usual: 3,
    prepare,
};

#[derive(Debug)]
struct Recovery {
    leak: Leak,
    active: Part,
}

fn prepare(values: &Values) -> Result<Box<dyn Experiment>, BadValue> {
    let leak = Leak {
        mode: Mode::Recovery,
        quotient: values.whole("quotient"),
        tolerates_permille: values.whole("tolerates"),
        bounded: values.word("floor") != UNBOUNDED,
        grace_rounds: GRACE,
    };
    let active = values.part("active");
    let (rows, room) = (theory::recovery(&leak, active), MAX_ALIVES as u64 / active.all);
    if rows.is_some_and(|rows| rows > room) {
        let reason = format!(
            "a table of {} replicas has room for {room} rows; a smaller --quotient or fewer replicas would do",
            active.all
        );
        return Err(BadValue {
            name: "active",
            value: format!("{}/{}", active.some, active.all),
            reason,
        });
    }
    Ok(Box::new(Recovery { leak, active }))
}

impl Experiment for Recovery {
    fn jobs(&self, trials: u64) -> u64 {
        trials
    }

    fn run(&self, seed: u64, _trials: u64, job: u64) -> Sample {
        let Part { some, all } = self.active;
        let silent = drawn(all as u32, (all - some) as u32, seed, job);
        let halt = Halt::silent(self.leak, all as u32, &silent, seed, job);
        let end = halt.run();
        let mut sample = Sample::new();
        let mut take = |name, value: f64| sample.entry(name).or_default().take(value);
        take("recovers", if end.decisions[0].is_some() { 1.0 } else { 0.0 });
        if let Some(decision) = &end.decisions[0] {
            take("epochs", decision.needed as f64);
            take("rows", decision.rows as f64);
            take("missed_turns", halt.missed_turns(0, decision) as f64);
        }
        sample
    }

    fn findings(&self, samples: &[Sample]) -> Vec<Finding> {
        let of = |name| Moments::of(samples, name);
        let rows = theory::recovery(&self.leak, self.active).map(|rows| rows as f64);
        let closed = rows.map(|rows| match rows > 0.0 {
            true => theory::closed(self.leak.quotient, theory::needed(self.active)),
            false => 0.0,
        });
        let recovers = if rows.is_some() { 1.0 } else { 0.0 };
        vec![
            Finding::exact(
                "recovers",
                "1 if they decide again, 0 if they never do",
                recovers,
                of("recovers"),
            ),
            Finding {
                theory: rows,
                ..Finding::exact(
                    "epochs",
                    "rows of absence under which they are a quorum: the exact recurrence",
                    0.0,
                    of("epochs"),
                )
            },
            Finding {
                name: "epochs_closed",
                about: "the same by √(2Q ln(2(1-p)/p))",
                theory: closed,
                measured: of("epochs").mean(),
                tolerance: closed
                    .map_or(0.0, |closed| theory::rounding(self.leak.quotient, closed)),
            },
        ]
    }
}

#[cfg(test)]
mod tests;
