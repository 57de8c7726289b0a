//! A world in which less is out of order, and which ends sooner.

use crate::{
    Delay, Latency, Scenario, Topology,
    adversary::SCRIPT,
    network::Conditions,
    schedule::{Schedule, Step},
};
use std::time::Duration;

/// How long parcels are under way where nothing tells.
const LATENCY: Duration = Duration::from_millis(50);

type Change = fn(&mut Scenario);

/// All kinds of things that are not as they should be from the beginning, or go wrong by the clock.
const STANDING: [Change; 14] = [
    |scenario| {
        scenario.transfers_per_second = 0.0;
        scenario.expect.final_within = None;
        scenario.expect_of.values_mut().for_each(|expect| expect.final_within = None);
    },
    |scenario| scenario.chaos = None,
    |scenario| scenario.steps = Schedule::default(),
    |scenario| scenario.clocks.clear(),
    |scenario| scenario.disks.clear(),
    |scenario| scenario.hash_rates.clear(),
    |scenario| scenario.network.links.clear(),
    |scenario| scenario.network.loss = 0,
    |scenario| scenario.network.duplication = 0,
    |scenario| scenario.network.reordering = Conditions::default().reordering,
    |scenario| scenario.network.unrest = None,
    |scenario| scenario.network.silent.clear(),
    |scenario| scenario.stakes.clear(),
    |scenario| scenario.topology = Topology::Mesh,
];

/// Leaves out all that stands, one kind of it, or one thing.
pub(super) fn without_standing(scenario: &Scenario) -> Vec<Scenario> {
    let changed = |change: &dyn Fn(&mut Scenario)| {
        let mut changed = scenario.clone();
        change(&mut changed);
        changed
    };
    // Whoever waits for the last step may as well wait without it.
    let calm = scenario.calm();
    let waits = |scenario: &mut Scenario| scenario.catch_up = Some(calm).filter(|it| !it.is_zero());
    let mut candidates = vec![
        changed(&|scenario| STANDING.iter().for_each(|drop| drop(scenario))),
        changed(&|scenario| {
            STANDING.iter().for_each(|drop| drop(scenario));
            waits(scenario);
        }),
        changed(&|scenario| {
            scenario.steps = Schedule::default();
            waits(scenario);
        }),
    ];
    candidates.extend(STANDING.iter().map(|drop| changed(drop)));
    let clocks = scenario.clocks.keys();
    candidates.extend(clocks.map(|id| changed(&|it| it.clocks.retain(|other, _| other != id))));
    let disks = scenario.disks.keys();
    candidates.extend(disks.map(|id| changed(&|it| it.disks.retain(|other, _| other != id))));
    let rates = scenario.hash_rates.keys();
    candidates.extend(rates.map(|id| changed(&|it| it.hash_rates.retain(|other, _| other != id))));
    let links = 0..scenario.network.links.len();
    candidates.extend(links.map(|at| {
        changed(&|it| {
            it.network.links.remove(at);
        })
    }));
    let mut size = scenario.steps.steps().len() / 2;
    while size > 1 {
        candidates.extend(without_steps(scenario, size));
        size /= 2;
    }
    candidates
}

/// Leaves out one step at a time.
pub(super) fn without_one_step(scenario: &Scenario) -> Vec<Scenario> {
    without_steps(scenario, 1)
}

fn without_steps(scenario: &Scenario, size: usize) -> Vec<Scenario> {
    let steps = scenario.steps.steps();
    let starts = (0..steps.len()).step_by(size);
    let rest = |start: usize| -> Vec<Step> {
        [&steps[..start], &steps[(start + size).min(steps.len())..]].concat()
    };
    let with = |steps| Scenario { steps: Schedule::new(steps), ..scenario.clone() };
    starts.map(|start| with(rest(start))).collect()
}

/// The same latency always, no faces that nobody shows, and less time.
pub(super) fn simpler(scenario: &Scenario) -> Vec<Scenario> {
    let mut candidates = Vec::new();
    if scenario.byzantine.values().all(|lie| lie == SCRIPT) {
        candidates.push(Scenario { faces: None, ..scenario.clone() });
    }
    let mut always = scenario.clone();
    always.network.latency = Latency::from(usually(&scenario.network.latency));
    candidates.push(always);
    let second = Duration::from_secs(1);
    candidates
        .extend(sooner(scenario.until, second).map(|until| Scenario { until, ..scenario.clone() }));
    let late = scenario.catch_up.unwrap_or_default();
    candidates.extend(
        sooner(late, second / 10).map(|late| Scenario { catch_up: Some(late), ..scenario.clone() }),
    );
    candidates
}

/// A latency that is met about half of the time, in whole milliseconds.
fn usually(latency: &Latency) -> Duration {
    let middle = match latency {
        Latency::Everywhere(Delay::Constant(always)) => *always,
        Latency::Everywhere(Delay::Uniform(range)) => (range.start + range.end) / 2,
        Latency::Everywhere(Delay::Exponential { floor, mean }) => *floor + *mean,
        Latency::Everywhere(Delay::LogNormal { median, .. }) => *median,
        Latency::Preset(_) | Latency::Regions(_) => LATENCY,
    };
    Duration::from_millis(u64::try_from(middle.as_millis()).unwrap_or(u64::MAX).max(1))
}

/// Earlier times, the earliest first.
fn sooner(time: Duration, unit: Duration) -> impl Iterator<Item = Duration> {
    let units = time.as_nanos().div_ceil(unit.as_nanos());
    let units = u32::try_from(units).unwrap_or(u32::MAX);
    let times = [units / 4, units / 2, units / 4 * 3, units.saturating_sub(1)];
    times.into_iter().filter(|units| *units > 0).map(move |units| unit * units)
}
