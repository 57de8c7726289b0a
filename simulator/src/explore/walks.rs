//! Schedules that go by the clock: slow replicas, and faults that come and go while liars tell any lie.

use super::{CALM, Dice, faulty};
use crate::{
    Scenario, Variant,
    latency::Latency,
    network::Exception,
    schedule::{Fault, Schedule},
};
use consensus::byzantine;
use ledger::ReplicaId;
use std::{collections::BTreeMap, time::Duration};

/// How many times the priorities change.
const CHANGES: u64 = 3;

/// When everybody has signed something.
const BORN: Duration = Duration::from_millis(300);

/// How much slower each replica is than the one before it.
const FACTOR: u32 = 4;

/// Each replica has a priority, and what it says takes the longer the lower that is. A few times two
/// of them swap.
pub(super) fn priorities(scenario: &mut Scenario, variant: &Variant, dice: &mut Dice) {
    liars(scenario, variant, dice);
    let replicas = scenario.replicas;
    let mut order: Vec<_> = (0..replicas).map(ReplicaId).collect();
    for last in (1..order.len()).rev() {
        order.swap(last, dice.below(last as u64 + 1) as usize);
    }
    let calm = scenario.catch_up.unwrap_or(CALM);
    let mut steps = Schedule::default();
    let mut time = Duration::ZERO;
    for _ in 0..=CHANGES {
        for (rank, from) in order.iter().enumerate() {
            let slow = Duration::from_millis(2) * FACTOR.pow(rank.min(5) as u32);
            for to in (0..replicas).map(ReplicaId).filter(|to| to != from) {
                let latency = Some(slow.into());
                steps =
                    steps.at(time, Fault::Link(Exception { from: *from, to, latency, loss: None }));
            }
        }
        time += dice.milliseconds(20, 800);
        let two = [dice.below(replicas.into()), dice.below(replicas.into())];
        order.swap(two[0] as usize, two[1] as usize);
    }
    for from in order {
        for to in (0..replicas).map(ReplicaId).filter(|to| *to != from) {
            let link = Exception { from, to, latency: None, loss: None };
            steps = steps.at(calm.max(time), Fault::Link(link));
        }
    }
    scenario.steps = steps;
}

/// Partitions, crashes and cut links come and go; liars tell any lie there is.
pub(super) fn walk(scenario: &mut Scenario, variant: &Variant, dice: &mut Dice) {
    liars(scenario, variant, dice);
    let all: Vec<_> = (0..scenario.replicas).map(ReplicaId).collect();
    // Blocks that take work come a hundred times less often than votes.
    let pace = if scenario.catch_up.is_some() { 1 } else { 10 };
    let calm = CALM * pace;
    scenario.until = scenario.until.max(calm + calm * 2);
    if super::stage(variant).parts.is_empty() {
        mine(scenario, variant, dice);
    }
    scenario.catch_up = None;
    let mut steps = Schedule::default();
    for _ in 0..dice.below(5) {
        let from = dice.milliseconds(0, 3_000) * pace;
        let to = (from + dice.milliseconds(20, 1_500) * pace).min(calm);
        steps = match dice.weighed(&[40, 40, 20]) {
            0 => {
                let side: Vec<_> = dice.some(all.clone(), 50).into_iter().collect();
                steps.at(from, Fault::Partition(vec![side])).at(to, Fault::Heal)
            }
            1 => {
                // Whoever crashes before it ever signed anything comes back with an empty disk, and must
                // count as faulty; so everybody has a moment.
                let (id, from) = (*dice.pick(&all), from.max(BORN * pace));
                steps.at(from, Fault::Crash(id)).at(to.max(from), Fault::Restart(id))
            }
            _ => {
                let (one, other) = (*dice.pick(&all), *dice.pick(&all));
                let (cut, mend) =
                    (Fault::Cut { from: one, to: other }, Fault::Mend { from: one, to: other });
                steps.at(from, cut).at(to, mend)
            }
        };
    }
    steps = steps.at(calm, Fault::Heal);
    for id in all {
        steps = steps.at(calm, Fault::Restart(id));
    }
    scenario.steps = steps;
}

/// What matters where blocks take work: how fast the liars are, how well connected, and by which rules
/// blocks are dated.
fn mine(scenario: &mut Scenario, variant: &Variant, dice: &mut Dice) {
    let liars: Vec<_> = scenario.byzantine.keys().copied().collect();
    let factor = [0.5, 1.0][dice.below(2) as usize];
    scenario.hash_rates = liars.iter().map(|id| (*id, factor)).collect();
    if dice.chance(50) {
        let milli = Duration::from_millis;
        scenario.network.latency = Latency::from(milli(200)..milli(400));
        for liar in &liars {
            for other in (0..scenario.replicas).map(ReplicaId).filter(|id| id != liar) {
                let latency = Some(milli(5).into());
                for (from, to) in [(*liar, other), (other, *liar)] {
                    let link = Exception { from, to, latency: latency.clone(), loss: None };
                    scenario.network.links.push(link);
                }
            }
        }
    }
    let loose = super::stage(variant).loose;
    if !loose.is_empty() && dice.chance(40) {
        let settings = loose.iter().map(|(key, value)| ((*key).to_owned(), *value));
        scenario.settings = settings.collect();
    }
}

/// As many liars as may be, with any lie that there is.
fn liars(scenario: &mut Scenario, variant: &Variant, dice: &mut Dice) {
    let known = byzantine::list(variant.module).expect("the catalogue names it");
    let all: Vec<_> = (0..scenario.replicas).map(ReplicaId).collect();
    let chosen = dice.sample(&all, faulty(scenario.replicas) as usize);
    let lie = dice.pick(&known).name;
    scenario.byzantine = match dice.chance(85) {
        true => chosen.into_iter().map(|id| (id, lie.to_owned())).collect(),
        false => BTreeMap::new(),
    };
}
