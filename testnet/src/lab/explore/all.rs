//! Every mutant in turn: is it caught, how soon, and in how few steps?

use super::{Explore, ExploreError, pool, search::Hunt};
use crate::lab::{print, stop_on_ctrl_c};
use consensus::byzantine::mutants;
use serde_json::json;
use simulator::{Scenario, Variant, explore::general};
use std::{fs, path::Path, time::Instant};

/// Where the schedules are that people wrote.
const WRITTEN: &str = "scenarios/mutants";

/// How many times as long as the written one a schedule may be that was found.
const LONGEST: f64 = 1.5;

const HEADER: &str = "\
mutant  found after  trial  strategy    steps  written  ratio  what is weak";

/// Explores all mutants with the order's budget each, and prints a line of each.
///
/// # Errors
///
/// [`ExploreError::NotCaught`] if one was not.
pub(super) fn all(order: &Explore) -> Result<(), ExploreError> {
    let stop = stop_on_ctrl_c()?;
    let began = Instant::now();
    let mut missed = Vec::new();
    if !order.json {
        print(&HEADER);
    }
    for (module, about) in mutants::all() {
        let variant = Variant { module, mutant: Some(about) };
        let hunt = Hunt {
            variant,
            threads: pool::threads(order.threads),
            stop,
            loud: !order.json,
            strict: false,
        };
        let (search, found) = super::look(order, &hunt, &general(&variant))?;
        if search.interrupted {
            return Err(ExploreError::Interrupted { tried: search.tried });
        }
        let written = written(about.id);
        let steps = found.as_ref().map(|found| found.scenario.faults());
        let ratio = steps.zip(written).map(|(steps, written)| steps as f64 / written as f64);
        let (number, strategy) =
            found.as_ref().map_or((None, "-"), |found| (Some(found.number), found.strategy));
        if found.is_none() {
            missed.push(about.id);
        }
        if order.json {
            print(&json!({
                "mutant": about.id, "consensus": module, "seed": number, "strategy": strategy,
                "seconds": search.seconds, "tried": search.tried, "steps": steps,
                "written": written, "ratio": ratio,
            }));
            continue;
        }
        let number = number.map_or("-".into(), |number| number.to_string());
        let [steps, written] =
            [steps, written].map(|many| many.map_or("-".into(), |many| many.to_string()));
        let long = if ratio.is_some_and(|ratio| ratio > LONGEST) { " (LONG)" } else { "" };
        let ratio = ratio.map_or("-".into(), |ratio| format!("{ratio:.1}"));
        let (id, seconds, line) = (about.id, search.seconds, about.line);
        print(&format!(
            "{id:<6}  {seconds:>9.1} s  {number:>5}  {strategy:<10}  {steps:>5}  {written:>7}  \
             {ratio:>5}  {line}{long}"
        ));
    }
    let caught = mutants::all().count() - missed.len();
    let seconds = began.elapsed().as_secs_f64();
    match order.json {
        true => print(
            &json!({ "event": "sum", "caught": caught, "missed": missed, "seconds": seconds }),
        ),
        false => print(&format!("{caught} caught in {seconds:.0} s, {} not", missed.len())),
    }
    match missed.is_empty() {
        true => Ok(()),
        false => Err(ExploreError::NotCaught(missed.join(", "))),
    }
}

/// How many steps the schedule has that somebody wrote, where it can be read.
fn written(id: &str) -> Option<usize> {
    let text = fs::read_to_string(Path::new(WRITTEN).join(format!("{id}.toml"))).ok()?;
    Scenario::parse(&text).ok().map(|scenario| scenario.faults())
}
