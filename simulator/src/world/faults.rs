//! Things going wrong, and right again.

use super::{World, errands::Errand};
use crate::{
    adversary::SCRIPT,
    places::Place,
    record::{Aside, aside::micros},
    schedule::Fault,
};
use consensus::{
    Protocol,
    byzantine::{Entry, Liar, Lie, Seat, choose, mutants::Beneath, script::Script},
};
use ledger::{Amount, ReplicaId, Slot};
use std::{sync::Arc, time::Duration};

impl<P: Protocol> World<P> {
    /// A replica loses power: it is gone, and so is all it wrote and had not synced. What it sent
    /// before is still under way.
    ///
    /// # Panics
    /// If it is down already.
    pub fn crash(&mut self, id: ReplicaId) {
        for place in self.places.of(id) {
            let (time, lane) = (micros(self.now), place.lane());
            self.record.aside(|| Aside::Crashed { time, lane });
            self.host(place).crash();
            self.waiting.remove(&place.0);
            if let Some(overlay) = &mut self.overlay {
                overlay.forget(place);
            }
        }
    }

    /// A replica that is down begins another life with what its disk holds. What was sent to it
    /// in an earlier life never arrives, as when a connection breaks.
    ///
    /// # Panics
    /// If it is up already.
    pub fn restart(&mut self, id: ReplicaId) {
        self.places.of(id).for_each(|place| self.wake(place));
    }

    fn wake(&mut self, place: Place) {
        let id = self.places.seat(place);
        let protocol = self.protocol(id);
        let host = &mut self.hosts[place.0];
        if self.setup.lacks(Beneath::Forgets) {
            host.disk.forget();
        }
        host.wake(self.now, &self.setup, &self.genesis, &self.keys, protocol);
        let (moment, life) = (host.moment(self.now, &self.genesis), host.life);
        let (time, lane) = (micros(self.now), place.lane());
        self.record.aside(|| Aside::Woke { time, lane, life });
        let replica = host.replica.as_mut().expect("it has just been opened");
        if self.places.is_first(place) {
            self.record.woke(id, self.now, replica.ledger());
        }
        let actions = replica.start(moment).expect("disks here never fail");
        self.carry_out(place, actions);
        self.watch(place);
    }

    /// What sits in a replica's seat: its protocol, or a lie about it.
    fn protocol(&self, id: ReplicaId) -> Liar<P> {
        let honest = (self.make)(&self.genesis);
        let lie = self.setup.byzantine.get(&id).and_then(|name| match name.as_str() {
            SCRIPT => Some(self.script(id)),
            name => self.lie(name).lie(),
        });
        match lie {
            None => Liar::honest(honest),
            Some(lie) => {
                let hand = self.setup.hand(id, &self.genesis);
                Liar::new(honest, lie, Seat::new(hand, Arc::clone(&self.plot)))
            }
        }
    }

    /// # Panics
    /// If the module cannot be scripted.
    fn script(&self, id: ReplicaId) -> Box<dyn Lie<P>> {
        let script = Script::new(self.setup.adversary.lines(id));
        let module = &self.setup.consensus;
        Box::new(script.unwrap_or_else(|| panic!("nobody can go by a script in {module}")))
    }

    /// A message that somebody said or heard may be what it crashes after, once.
    pub(super) fn crash_after(&mut self, place: Place, message: (&str, Option<Slot>)) {
        let id = self.places.seat(place);
        let due: Vec<_> = self.setup.adversary.crashes(id, message).collect();
        let due: Vec<_> = due.into_iter().map(|(number, crash)| (number, crash.down)).collect();
        for (number, down) in due {
            if self.crashed.insert(number) {
                let schedule = std::mem::take(&mut self.setup.schedule);
                self.setup.schedule =
                    schedule.at(self.now, Fault::Crash(id)).at(self.now + down, Fault::Restart(id));
            }
        }
    }

    fn lie(&self, name: &str) -> Entry<P> {
        let module = &self.setup.consensus;
        choose(name).unwrap_or_else(|error| panic!("nobody can lie so about {module}: {error}"))
    }

    /// Whether a replica is up.
    pub fn is_up(&self, id: ReplicaId) -> bool {
        self.hosts[self.places.first(id).0].replica.is_some()
    }

    /// Makes a fault happen now. What is so already changes nothing.
    ///
    /// # Panics
    /// If it names a replica that there is not, or a latency without all its figures.
    pub fn apply(&mut self, fault: &Fault) {
        if !matches!(fault, Fault::Crash(_) | Fault::Restart(_)) {
            let time = micros(self.now);
            let words = || fault.to_string();
            self.record.aside(|| Aside::Fault { time, fault: fault.clone(), words: words() });
        }
        match fault {
            Fault::Crash(id) if self.is_up(*id) => self.crash(*id),
            Fault::Restart(id) if !self.is_up(*id) => self.restart(*id),
            Fault::Crash(_) | Fault::Restart(_) => {}
            Fault::Wipe(id) => self.wipe(*id),
            Fault::Pause(id) => self.pause(*id),
            Fault::Resume(id) => self.resume(*id),
            Fault::Partition(sides) => self.network.partition(sides),
            Fault::Heal => self.network.heal(),
            Fault::Cut { from, to } => self.network.cut(*from, *to),
            Fault::Mend { from, to } => self.network.mend(*from, *to),
            Fault::Eclipse { victim, but } => self.eclipse(*victim, but),
            Fault::Silence(id) => self.network.change(|now| {
                now.silent.insert(*id);
            }),
            Fault::Speak(id) => self.network.change(|now| {
                now.silent.remove(id);
            }),
            Fault::Loss(share) => self.network.change(|now| now.loss = *share),
            Fault::Duplication(share) => self.network.change(|now| now.duplication = *share),
            Fault::Reordering(how) => self.network.change(|now| now.reordering = how.clone()),
            Fault::Latency(latency) => self.network.change(|now| now.latency = latency.clone()),
            Fault::Link(link) => self.network.change(|now| {
                now.links.retain(|other| (other.from, other.to) != (link.from, link.to));
                now.links.push(link.clone());
            }),
            Fault::Skew { replica, skew } => {
                self.places.of(*replica).for_each(|place| self.host(place).skew = *skew);
            }
            Fault::Disk { replica, sync } => {
                self.places
                    .of(*replica)
                    .for_each(|place| self.host(place).sync_delay = sync.clone());
            }
            Fault::HashRate { replica, factor } => self.change_hash_rate(*replica, *factor),
            Fault::Bond { replica, amount } => self.bond(*replica, Amount(*amount)),
            Fault::Unbond { replica, amount } => self.unbond(*replica, Amount(*amount)),
        }
    }

    /// What is so from the beginning, for those who keep the trace.
    pub(super) fn tell_beginning(&mut self) {
        let World { setup, places, record, .. } = self;
        let lanes = || places.all().map(|place| places.seat(place)).collect();
        let liars = || setup.byzantine.clone().into_iter().collect();
        record.aside(|| Aside::Run { seed: setup.seed, lanes: lanes(), liars: liars() });
        for id in &setup.network.silent {
            let fault = Fault::Silence(*id);
            record.aside(|| Aside::Fault { time: 0, words: fault.to_string(), fault });
        }
        let unrest = setup.network.unrest.as_ref().map(|unrest| (unrest.until, "unrest"));
        let adversary = setup.catch_up.filter(|_| !setup.adversary.is_empty());
        let adversary = adversary.map(|until| (until, "the adversary chooses what arrives"));
        for (until, words) in unrest.into_iter().chain(adversary) {
            record.aside(|| Aside::Until { time: micros(until), words: words.into() });
        }
    }

    fn wipe(&mut self, id: ReplicaId) {
        if self.is_up(id) {
            self.crash(id);
        }
        self.places.of(id).for_each(|place| self.host(place).disk.wipe());
    }

    /// The dead do not stand still.
    fn pause(&mut self, id: ReplicaId) {
        for place in self.places.of(id) {
            let host = self.host(place);
            host.paused = host.replica.is_some();
        }
    }

    fn resume(&mut self, id: ReplicaId) {
        for place in self.places.of(id) {
            let host = self.host(place);
            let (was_paused, life) = (std::mem::take(&mut host.paused), host.life);
            if was_paused {
                self.draw_find(place);
            }
            for what in self.waiting.remove(&place.0).unwrap_or_default() {
                self.queue.push(self.now, Errand::new(place, life, what));
            }
        }
    }

    fn eclipse(&mut self, victim: ReplicaId, but: &[ReplicaId]) {
        let others = self.replicas().filter(|id| *id != victim && !but.contains(id));
        for other in others {
            self.network.cut(victim, other);
            self.network.cut(other, victim);
        }
    }

    /// The next thing happens, a fault before all else that is due with it. False if nothing is
    /// due by `end`.
    pub(super) fn advance(&mut self, end: Duration) -> bool {
        let next = self.queue.next_at().map_or(end, |at| at.min(end));
        if let Some(step) = self.setup.schedule.steps().get(self.steps)
            && step.time <= next
        {
            self.steps += 1;
            self.now = self.now.max(step.time);
            let fault = step.fault.clone();
            self.apply(&fault);
            return true;
        }
        let Some((at, errand)) = self.queue.pop_by(end) else { return false };
        self.now = at;
        self.run(errand);
        true
    }
}
