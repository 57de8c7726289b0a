//! Things going wrong, and right again.

use super::World;
use crate::schedule::Fault;
use consensus::Protocol;
use ledger::ReplicaId;
use std::time::Duration;

impl<P: Protocol> World<P> {
    /// A replica loses power: it is gone, and so is all it wrote and had not synced. What it sent
    /// before is still under way.
    ///
    /// # Panics
    /// If it is down already.
    pub fn crash(&mut self, id: ReplicaId) {
        self.host(id).crash();
        if let Some(overlay) = &mut self.overlay {
            overlay.forget(id);
        }
    }

    /// A replica that is down begins another life with what its disk holds. What was sent to it
    /// in an earlier life never arrives, as when a connection breaks.
    ///
    /// # Panics
    /// If it is up already.
    pub fn restart(&mut self, id: ReplicaId) {
        let protocol = (self.make)(&self.genesis);
        let host = &mut self.hosts[id.0 as usize];
        host.wake(self.now, &self.setup, &self.genesis, &self.keys, protocol);
        let moment = host.moment(self.now, &self.genesis);
        let replica = host.replica.as_mut().expect("it has just been opened");
        self.record.woke(id, self.now, replica.ledger());
        let actions = replica.start(moment).expect("disks here never fail");
        self.carry_out(id, actions);
        self.watch(id);
    }

    /// Whether a replica is up.
    pub fn is_up(&self, id: ReplicaId) -> bool {
        self.hosts[id.0 as usize].replica.is_some()
    }

    /// Makes a fault happen now. What is so already changes nothing.
    ///
    /// # Panics
    /// If it names a replica that there is not, or a latency without all its figures.
    pub fn apply(&mut self, fault: &Fault) {
        match fault {
            Fault::Crash(id) if self.is_up(*id) => self.crash(*id),
            Fault::Restart(id) if !self.is_up(*id) => self.restart(*id),
            Fault::Crash(_) | Fault::Restart(_) => {}
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
            Fault::Skew { replica, skew } => self.host(*replica).skew = *skew,
            Fault::Disk { replica, sync } => self.host(*replica).sync_delay = sync.clone(),
            Fault::HashRate { replica, factor } => self.change_hash_rate(*replica, *factor),
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
