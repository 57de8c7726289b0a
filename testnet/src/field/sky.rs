//! What every node is to be told at a moment: a scenario's world, as each of them meets it.
//!
//! It keeps the same books as the simulator's network: sides, cuts, silence, weather. What lies on one link
//! is decided where it ends, so a node is told of the links that lead to it. Where nothing passes either
//! way it is cut off from the other besides, so that connections really break, as in a real partition.

use super::founding;
use ledger::ReplicaId;
use node::conditions::{Conditions, Hold, Link, Skew, Spread};
use simulator::{
    Conditions as Weather, Delay, Scenario, clock,
    network::{Exception, MILLION, Unrest},
    schedule::Fault,
};
use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

#[cfg(test)]
mod tests;

/// By how many equally likely values a node is told a distribution.
const VALUES: usize = 33;

/// The world around the nodes.
#[derive(Debug)]
pub struct Sky {
    replicas: u32,
    seed: u64,
    weather: Weather,
    /// On which side of a partition a replica is. Those on none are together.
    sides: BTreeMap<ReplicaId, usize>,
    cuts: BTreeSet<(ReplicaId, ReplicaId)>,
    clocks: BTreeMap<ReplicaId, clock::Skew>,
    disks: BTreeMap<ReplicaId, Delay>,
    /// How much of a core each miner uses; none where nobody mines.
    shares: Option<(f64, BTreeMap<ReplicaId, f64>)>,
    /// Values of distributions that were told before: a sample is drawn once.
    known: RefCell<BTreeMap<String, Spread>>,
}

impl Sky {
    /// The world in which a scenario begins.
    pub fn new(scenario: &Scenario, seed: u64, mines: bool) -> Sky {
        let factors = scenario.hash_rates.clone();
        Sky {
            replicas: scenario.replicas,
            seed,
            weather: scenario.network.clone(),
            sides: BTreeMap::new(),
            cuts: BTreeSet::new(),
            clocks: scenario.clocks.clone(),
            disks: scenario.disks.clone(),
            shares: mines.then(|| (founding::share(scenario), factors)),
            known: RefCell::default(),
        }
    }

    /// Something changes. Whether nodes have to be told.
    pub fn apply(&mut self, fault: &Fault) -> bool {
        match fault {
            Fault::Partition(sides) => {
                let numbered = sides.iter().enumerate();
                let sides = numbered.flat_map(|(side, ids)| ids.iter().map(move |id| (*id, side)));
                self.sides = sides.collect();
            }
            Fault::Heal => {
                self.sides.clear();
                self.cuts.clear();
            }
            Fault::Cut { from, to } => drop(self.cuts.insert((*from, *to))),
            Fault::Mend { from, to } => drop(self.cuts.remove(&(*from, *to))),
            Fault::Eclipse { victim, but } => {
                let others = self.everybody().filter(|id| id != victim && !but.contains(id));
                for other in others.collect::<Vec<_>>() {
                    self.cuts.extend([(*victim, other), (other, *victim)]);
                }
            }
            Fault::Silence(id) => drop(self.weather.silent.insert(*id)),
            Fault::Speak(id) => drop(self.weather.silent.remove(id)),
            Fault::Loss(share) => self.weather.loss = *share,
            Fault::Duplication(share) => self.weather.duplication = *share,
            Fault::Reordering(how) => self.weather.reordering = how.clone(),
            Fault::Latency(latency) => self.weather.latency = latency.clone(),
            Fault::Link(link) => {
                self.weather.links.retain(|other| (other.from, other.to) != (link.from, link.to));
                self.weather.links.push(link.clone());
            }
            Fault::Skew { replica, skew } => drop(self.clocks.insert(*replica, *skew)),
            Fault::Disk { replica, sync } => drop(self.disks.insert(*replica, sync.clone())),
            Fault::HashRate { replica, factor } => {
                if let Some((_, factors)) = &mut self.shares {
                    factors.insert(*replica, *factor);
                }
            }
            Fault::Crash(_)
            | Fault::Restart(_)
            | Fault::Wipe(_)
            | Fault::Pause(_)
            | Fault::Resume(_)
            | Fault::Bond { .. }
            | Fault::Unbond { .. } => return false,
        }
        true
    }

    /// When the network stabilises, if it has not at this time: nodes have to be told then.
    pub fn stabilises(&self, now: Duration) -> Option<Duration> {
        self.unrest(now).map(|unrest| unrest.until)
    }

    /// Whom a node is to have nothing to do with: nothing passes either way.
    pub fn cut_off(&self, id: ReplicaId) -> BTreeSet<u32> {
        let others = self.everybody().filter(|other| *other != id);
        let cut = others.filter(|other| self.is_shut(id, *other) && self.is_shut(*other, id));
        cut.map(|other| other.0).collect()
    }

    /// What a node is to be told.
    pub fn conditions(&self, id: ReplicaId, now: Duration) -> Conditions {
        let others = self.everybody().filter(|other| *other != id);
        let skew = self.clocks.get(&id).copied().unwrap_or_default();
        let share = self
            .shares
            .as_ref()
            .map(|(share, factors)| (share * factors.get(&id).copied().unwrap_or(1.0)).min(1.0));
        Conditions {
            seed: self.seed,
            links: others.map(|other| (other.0, self.link(other, id, now))).collect(),
            others: Link::default(),
            clock: Skew {
                offset_ms: skew.offset_ms + gained(skew, now),
                drift_ppm: skew.drift_ppm,
            },
            sync: self.disks.get(&id).map(|sync| self.spread(sync)).unwrap_or_default(),
            miner_share: share,
        }
    }

    fn link(&self, from: ReplicaId, to: ReplicaId, now: Duration) -> Link {
        // Of two exceptions for one link the later counts, in what it says.
        let exceptions = self.weather.links.iter().rev();
        let exceptions = exceptions.filter(|link| (link.from, link.to) == (from, to));
        let loss = exceptions.clone().find_map(|Exception { loss, .. }| *loss);
        let loss = loss.unwrap_or(self.weather.loss);
        let delay = exceptions.clone().find_map(|Exception { latency, .. }| latency.clone());
        let delay = delay.unwrap_or_else(|| self.weather.latency.between(from, to));
        let unrest = self.unrest(now);
        let held = [
            unrest.map(|unrest| Hold {
                share_ppm: MILLION,
                by: self.spread(&unrest.delay),
                for_ms: Some(milliseconds(unrest.until.saturating_sub(now))),
            }),
            (self.weather.reordering.share > 0).then(|| Hold {
                share_ppm: self.weather.reordering.share,
                by: self.spread(&self.weather.reordering.by),
                for_ms: None,
            }),
        ];
        let lost_ppm = match self.is_shut(from, to) {
            true => MILLION,
            false => either(loss, unrest.map_or(0, |unrest| unrest.loss)),
        };
        let doubled_ppm = self.weather.duplication;
        let held = held.into_iter().flatten().collect();
        Link { lost_ppm, doubled_ppm, delay: self.spread(&delay), held }
    }

    fn is_shut(&self, from: ReplicaId, to: ReplicaId) -> bool {
        self.weather.silent.contains(&from)
            || self.cuts.contains(&(from, to))
            || self.sides.get(&from) != self.sides.get(&to)
    }

    fn unrest(&self, now: Duration) -> Option<&Unrest> {
        self.weather.unrest.as_ref().filter(|unrest| now < unrest.until)
    }

    fn spread(&self, delay: &Delay) -> Spread {
        let draw = || {
            let values = delay.values(VALUES).into_iter();
            Spread(
                values.map(|value| u64::try_from(value.as_micros()).unwrap_or(u64::MAX)).collect(),
            )
        };
        self.known.borrow_mut().entry(delay.to_string()).or_insert_with(draw).clone()
    }

    fn everybody(&self) -> impl Iterator<Item = ReplicaId> + use<> {
        (0..self.replicas).map(ReplicaId)
    }
}

/// By how many milliseconds a calendar has gone wrong since the beginning: a node counts its drift from when it
/// is told.
fn gained(skew: clock::Skew, now: Duration) -> i64 {
    let now = i64::try_from(now.as_millis()).unwrap_or(i64::MAX);
    now.saturating_mul(i64::from(skew.drift_ppm)) / i64::from(MILLION)
}

/// How many in a million are lost where two things lose them, each by itself.
fn either(one: u32, other: u32) -> u32 {
    let kept = u64::from(MILLION - one.min(MILLION)) * u64::from(MILLION - other.min(MILLION));
    MILLION - u32::try_from(kept / u64::from(MILLION)).expect("it is no more than a million")
}

fn milliseconds(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX)
}
