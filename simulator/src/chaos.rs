//! Schedules made up from a seed: everything goes wrong that may, as long as it may.

mod outages;

pub use outages::outages;

use crate::{
    clock::Skew,
    delay::{Delay, below},
    latency::{Latency, Preset},
    network::{Conditions, MILLION, Reordering},
    schedule::{Fault, Schedule, Step},
    setup::stream,
    topology::shuffled,
};
use ledger::ReplicaId;
use rand_chacha::{ChaCha8Rng, rand_core::Rng};
use std::{ops::Range, time::Duration};

/// Makes up a schedule. Until `duration`
///
/// - one in twenty parcels is lost, one in a hundred comes twice, one in fifty is held back for
///   200 ms, and every few seconds the latency is another,
/// - each of `faulty` seats is taken by a replica that is silent all the time, or by one after
///   another that is silent or down for a while; a crash loses what was not synced. So never more
///   than `faulty` are silent or down at a time,
/// - partitions and one-way cuts come and go, which may stop everybody for that long,
/// - disks are slow at times, and calendars up to 400 ms wrong either way, with a drift.
///
/// At `duration` all of this is over: nobody is silent or down, nothing is cut, nothing is lost, and
/// network, disks and calendars are what [`Setup::new`](crate::Setup::new) makes them.
pub fn chaos(seed: u64, replicas: u32, faulty: u32, duration: Duration) -> Schedule {
    let mut maker =
        Maker { chance: stream(seed, "chaos", 0), replicas, end: duration, steps: Vec::new() };
    maker.weather();
    maker.calendars();
    maker.faulty_seats(faulty);
    maker.partitions();
    maker.cuts();
    maker.slow_disks();
    Schedule::new(maker.steps)
}

struct Maker {
    chance: ChaCha8Rng,
    replicas: u32,
    end: Duration,
    steps: Vec<Step>,
}

impl Maker {
    fn weather(&mut self) {
        let calm = Conditions::default();
        let held_back = |share| Reordering { share, ..calm.reordering.clone() };
        self.until_the_end(Fault::Loss(MILLION / 20), Fault::Loss(0));
        self.until_the_end(Fault::Duplication(MILLION / 100), Fault::Duplication(0));
        let reordering = [MILLION / 50, 0].map(|share| Fault::Reordering(held_back(share)));
        let [worse, better] = reordering;
        self.until_the_end(worse, better);
        let mut now = Duration::ZERO;
        while now < self.end {
            let latency = Fault::Latency(self.latency());
            self.add(now, latency);
            now += self.between(4_000..15_000);
        }
        self.add(self.end, Fault::Latency(calm.latency));
    }

    fn latency(&mut self) -> Latency {
        let milli = Duration::from_millis;
        let typical = self.between(5..120);
        match self.pick(6) {
            0 => typical.into(),
            1 => (typical / 4..typical * 2).into(),
            2 => Delay::Exponential { floor: typical / 2, mean: typical / 2 }.into(),
            3 => Delay::LogNormal { median: typical, sigma: 0.6 }.into(),
            4 => Preset::ALL[self.pick(3) as usize].0.into(),
            _ => (milli(20)..milli(80)).into(),
        }
    }

    fn calendars(&mut self) {
        for replica in self.everybody() {
            let skew = Skew {
                offset_ms: self.pick(801) as i64 - 400,
                drift_ppm: self.pick(201) as i32 - 100,
            };
            let [wrong, right] = [skew, Skew::default()].map(|skew| Fault::Skew { replica, skew });
            self.until_the_end(wrong, right);
        }
    }

    /// Each seat has candidates of its own, so that two never are the same replica.
    fn faulty_seats(&mut self, faulty: u32) {
        let order = shuffled(self.replicas, &mut self.chance);
        for seat in 0..faulty.min(self.replicas) as usize {
            let candidates: Vec<_> =
                order.iter().skip(seat).step_by(faulty as usize).copied().collect();
            if self.pick(2) == 0 {
                let id = candidates[0];
                self.until_the_end(Fault::Silence(id), Fault::Speak(id));
                continue;
            }
            self.episodes(300..5_000, 50..8_000, |maker| {
                let id = candidates[maker.pick(candidates.len() as u64) as usize];
                match maker.pick(3) {
                    0 => (Fault::Silence(id), Fault::Speak(id)),
                    _ => (Fault::Crash(id), Fault::Restart(id)),
                }
            });
        }
    }

    fn partitions(&mut self) {
        self.episodes(3_000..15_000, 500..8_000, |maker| {
            let order = shuffled(maker.replicas, &mut maker.chance);
            let first = 1 + maker.pick(u64::from(maker.replicas).saturating_sub(1).max(1)) as usize;
            let (one, other) = order.split_at(first.min(order.len()));
            let [one, other] = [one, other].map(|side| {
                let mut side = side.to_vec();
                side.sort();
                side
            });
            (Fault::Partition(vec![one, other]), Fault::Heal)
        });
    }

    fn cuts(&mut self) {
        if self.replicas < 2 {
            return;
        }
        self.episodes(1_000..6_000, 500..8_000, |maker| {
            let order = shuffled(maker.replicas, &mut maker.chance);
            let (from, to) = (order[0], order[1]);
            (Fault::Cut { from, to }, Fault::Mend { from, to })
        });
    }

    fn slow_disks(&mut self) {
        let milli = Duration::from_millis;
        self.episodes(2_000..10_000, 1_000..8_000, |maker| {
            let replica = ReplicaId(maker.pick(maker.replicas.into()) as u32);
            let slow = Delay::Exponential { floor: milli(5), mean: maker.between(5..60) };
            let [slow, usual] = [slow, milli(1).into()].map(|sync| Fault::Disk { replica, sync });
            (slow, usual)
        });
    }

    /// One after another something goes wrong for a while, with pauses before.
    fn episodes(
        &mut self,
        pause: Range<u64>,
        lasts: Range<u64>,
        make: impl Fn(&mut Maker) -> (Fault, Fault),
    ) {
        let mut now = self.between(pause.clone());
        while now < self.end {
            let (wrong, right) = make(self);
            self.add(now, wrong);
            now = (now + self.between(lasts.clone())).min(self.end);
            self.add(now, right);
            now += self.between(pause.clone());
        }
    }

    fn until_the_end(&mut self, wrong: Fault, right: Fault) {
        self.add(Duration::ZERO, wrong);
        self.add(self.end, right);
    }

    fn add(&mut self, time: Duration, fault: Fault) {
        self.steps.push(Step { time, fault });
    }

    fn everybody(&self) -> impl Iterator<Item = ReplicaId> + use<> {
        (0..self.replicas).map(ReplicaId)
    }

    fn pick(&mut self, bound: u64) -> u64 {
        below(self.chance.next_u64(), bound)
    }

    /// Whole milliseconds, so that a story is short.
    fn between(&mut self, range: Range<u64>) -> Duration {
        Duration::from_millis(range.start + self.pick(range.end - range.start))
    }
}

#[cfg(test)]
mod tests;
