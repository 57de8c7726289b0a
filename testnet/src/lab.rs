//! The laboratory: scenarios and comparisons, in the simulator.
//!
//! [`run`] carries one scenario out; [`compare`] carries many out, which it makes up, and tells how
//! each module bore each fault; [`endure`] tries only what must be survived; [`explore`] looks for what is
//! not, and tells it; [`trace`] draws one run; [`papers`] measures what the papers calculate. All of it is
//! a pure function of scenario, module and seed, spread over threads by
//! `pool`.

pub mod compare;
pub mod endure;
pub mod explore;
pub mod papers;
mod plot;
pub(crate) mod pool;
pub mod run;
pub mod trace;

use crate::failure::Verdict;
use consensus::catalogue::{Module, UnknownModule, Visitor, dispatch};
use simulator::{
    Scenario, Story, Tracing, UnknownVariant, Variant, explain,
    record::Record,
    scenario::{self, Outcome},
};
use std::{
    io::{self, Write},
    panic::{self, AssertUnwindSafe},
    process,
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

/// Runs one seed of one variant. A replica that panics must not take the others' runs with it.
pub(crate) fn one(
    scenario: &Scenario,
    variant: &str,
    seed: u64,
    tracing: Tracing,
    see: impl FnOnce(&Record),
) -> Result<Outcome, String> {
    struct Run<'a, F>(&'a Scenario, Variant, u64, Tracing, F);

    impl<F: FnOnce(&Record)> Visitor for Run<'_, F> {
        type Output = Outcome;

        fn visit<P: Module>(self) -> Outcome {
            let Run(scenario, variant, seed, tracing, see) = self;
            let make = move |genesis: &ledger::Genesis| variant.make(genesis);
            let name = variant.to_string();
            let (outcome, world) = scenario::run::<P>(scenario, &name, seed, tracing, make);
            see(world.record());
            outcome
        }
    }

    let variant: Variant = variant.parse().map_err(|error: UnknownVariant| error.to_string())?;
    let job = Run(scenario, variant, seed, tracing, see);
    let run = AssertUnwindSafe(|| dispatch(variant.module, job));
    match panic::catch_unwind(run) {
        Ok(outcome) => outcome.map_err(|UnknownModule { name }| format!("there is no {name}")),
        Err(panic) => Err(crate::soak::said(&*panic)),
    }
}

/// Tells the first seed of one variant in sentences.
pub(crate) fn story(scenario: &Scenario, variant: &str) -> Result<Story, String> {
    struct Tell<'a>(&'a Scenario, Variant);

    impl Visitor for Tell<'_> {
        type Output = Story;

        fn visit<P: Module>(self) -> Story {
            explain::<P>(self.0, self.1)
        }
    }

    let variant: Variant = variant.parse().map_err(|error: UnknownVariant| error.to_string())?;
    let told = AssertUnwindSafe(|| dispatch(variant.module, Tell(scenario, variant)));
    match panic::catch_unwind(told) {
        Ok(story) => story.map_err(|UnknownModule { name }| format!("there is no {name}")),
        Err(panic) => Err(crate::soak::said(&*panic)),
    }
}

/// A flag that Ctrl-C sets: what is under way is finished then. A second Ctrl-C does not wait.
pub(crate) fn stop_on_ctrl_c() -> Result<&'static AtomicBool, ctrlc::Error> {
    let stop: &'static AtomicBool = Box::leak(Box::default());
    ctrlc::set_handler(|| {
        if stop.swap(true, Ordering::Relaxed) {
            process::exit(Verdict::DoesNotHold as i32);
        }
    })?;
    Ok(stop)
}

/// A line for whoever asked.
pub(crate) fn print(line: &dyn std::fmt::Display) {
    // Whoever closed the pipe has seen enough.
    let _ = writeln!(io::stdout(), "{line}");
}

/// A time for people: three figures at most.
pub(crate) fn time(span: Option<Duration>) -> String {
    let Some(span) = span else { return "-".to_owned() };
    let milliseconds = span.as_secs_f64() * 1000.0;
    match milliseconds {
        ms if ms < 10.0 => format!("{ms:.1} ms"),
        ms if ms < 1_000.0 => format!("{ms:.0} ms"),
        ms if ms < 10_000.0 => format!("{:.2} s", ms / 1000.0),
        ms => format!("{:.1} s", ms / 1000.0),
    }
}

/// A great number for people.
pub(crate) fn amount(number: f64) -> String {
    match number {
        n if n < 10.0 => format!("{n:.1}"),
        n if n < 10_000.0 => format!("{n:.0}"),
        n if n < 1e7 => format!("{:.0}k", n / 1e3),
        n if n < 1e10 => format!("{:.0}M", n / 1e6),
        n => format!("{:.0}G", n / 1e9),
    }
}

/// Milliseconds to the microsecond, for scripts.
pub(crate) fn milliseconds(span: Duration) -> f64 {
    span.as_micros() as f64 / 1000.0
}
