//! Schedules for chains that can do without the absent: partitions of any length, and most of the others
//! down at a time.

use super::Maker;
use crate::{
    schedule::{Fault, Schedule, Step},
    setup::stream,
    topology::shuffled,
};
use ledger::ReplicaId;
use std::time::Duration;

/// How many crash on their own, each again and again.
const CRASHING: usize = 3;

/// Makes up a schedule. Until `duration` there are the weather, calendars and disks of [`chaos`](super::chaos);
/// one partition after another into two or three sides, each from half a second to the rest of the time; and
/// three who crash and restart, down for a moment or for long. So there may be no quorum, and no majority,
/// for as long as it takes for weights to fade on whatever side can let them.
///
/// At `duration` all of this is over, but `away` of those who are no `liar` stay down.
pub fn outages(
    seed: u64,
    replicas: u32,
    liar: Option<ReplicaId>,
    away: u32,
    duration: Duration,
) -> Schedule {
    let chance = stream(seed, "outages", 0);
    let mut maker = Maker { chance, replicas, end: duration, steps: Vec::new() };
    maker.weather();
    maker.calendars();
    maker.slow_disks();
    maker.long_partitions();
    let order = shuffled(replicas, &mut maker.chance);
    for id in order.iter().take(CRASHING).copied() {
        maker.crashes(id);
    }
    let order = shuffled(replicas, &mut maker.chance);
    let honest = order.into_iter().filter(|id| Some(*id) != liar);
    let gone =
        honest.take(away as usize).map(|id| Step { time: duration, fault: Fault::Crash(id) });
    let gone: Vec<_> = gone.collect();
    maker.steps.extend(gone);
    Schedule::new(maker.steps)
}

impl Maker {
    fn long_partitions(&mut self) {
        let mut now = self.between(500..5_000);
        while now < self.end {
            let order = shuffled(self.replicas, &mut self.chance);
            let mut sides = self.sides(&order);
            sides.iter_mut().for_each(|side| side.sort());
            self.add(now, Fault::Partition(sides));
            now = (now + self.any_length()).min(self.end);
            self.add(now, Fault::Heal);
            // Some follow upon each other at once.
            now += if self.pick(3) == 0 { Duration::ZERO } else { self.between(500..15_000) };
        }
    }

    /// Every other time the first side is the smallest majority there is: one that has no quorum until the
    /// others have faded.
    fn sides(&mut self, order: &[ReplicaId]) -> Vec<Vec<ReplicaId>> {
        if self.pick(2) == 0 {
            let (one, other) = order.split_at(order.len() / 2 + 1);
            return vec![one.to_vec(), other.to_vec()];
        }
        let mut sides = vec![Vec::new(); 2 + self.pick(2) as usize];
        for id in order {
            let side = self.pick(sides.len() as u64) as usize;
            sides[side].push(*id);
        }
        sides.retain(|side| !side.is_empty());
        sides
    }

    fn crashes(&mut self, id: ReplicaId) {
        let mut now = self.between(0..20_000);
        while now < self.end {
            self.add(now, Fault::Crash(id));
            now = (now + self.any_length()).min(self.end);
            self.add(now, Fault::Restart(id));
            now += self.between(500..20_000);
        }
    }

    /// As likely half a second to one as half a minute to one.
    fn any_length(&mut self) -> Duration {
        let least = 500 << self.pick(7);
        self.between(least..2 * least)
    }
}
