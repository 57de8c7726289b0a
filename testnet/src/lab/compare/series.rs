//! How latency and cost grow: with the number of replicas, and with the number of silent ones.

use super::{Cell, Compare, CompareError, faults::liars, parse, work};
use std::sync::atomic::AtomicBool;

/// How many seeds stand behind each point.
const SEEDS: u64 = 5;

/// The numbers of replicas.
const SIZES: [u32; 5] = [4, 7, 10, 13, 16];

/// Among how many some are silent, and how many at most: one more than a third leaves room for.
const AMONG: u32 = 10;
const MOST_SILENT: u32 = 4;

/// What one module came to as something grows.
#[derive(Debug)]
pub(super) struct Line {
    pub(super) module: &'static str,
    /// What grew, and what came of it.
    pub(super) points: Vec<(u32, Cell)>,
}

/// The two experiments.
#[derive(Debug)]
pub(super) struct Series {
    /// By the number of replicas, none of them faulty.
    pub(super) sizes: Vec<Line>,
    /// By the number of silent replicas.
    pub(super) silent: Vec<Line>,
}

/// Under what the second experiment stands.
pub(super) fn among() -> u32 {
    AMONG
}

/// Runs both.
pub(super) fn measure(
    order: &Compare,
    modules: &[&'static str],
    stop: &AtomicBool,
) -> Result<Series, CompareError> {
    let mut points = Vec::new();
    for module in modules {
        points.extend(SIZES.map(|size| (*module, size, text(module, size, 0))));
        points
            .extend((0..=MOST_SILENT).map(|silent| (*module, silent, text(module, AMONG, silent))));
    }
    let points: Vec<_> =
        points.into_iter().map(|(module, x, text)| (module, x, parse(&text))).collect();
    let mut jobs = Vec::new();
    for (place, (module, _, scenario)) in points.iter().enumerate() {
        jobs.extend((0..SEEDS).map(|seed| (place, scenario, *module, seed)));
    }
    let mut cells = vec![Cell::default(); points.len()];
    work(order, &jobs, stop, |(place, _, _, seed), outcome| cells[*place].add(*seed, &outcome))?;
    cells.iter_mut().for_each(Cell::sort);
    let mut all = points.iter().zip(cells).map(|((_, x, _), cell)| (*x, cell));
    let (mut sizes, mut silent) = (Vec::new(), Vec::new());
    for module in modules.iter().copied() {
        sizes.push(Line { module, points: all.by_ref().take(SIZES.len()).collect() });
        let many = MOST_SILENT as usize + 1;
        silent.push(Line { module, points: all.by_ref().take(many).collect() });
    }
    Ok(Series { sizes, silent })
}

fn text(module: &str, replicas: u32, silent: u32) -> String {
    let liars = liars(silent, "silent");
    format!(
        "name = \"{silent} of {replicas} silent\"\nconsensus = {module:?}\nreplicas = {replicas}\n\
         until = \"30s\"\nload = {{ transfers_per_second = 2 }}\n{liars}"
    )
}
