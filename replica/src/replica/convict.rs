//! Finding out who contradicted itself, also where no two honest replicas heard the same.

use super::Replica;
use crate::{
    event::Class,
    gossip::Dead,
    packet::Packet,
    testimony::{Hearsay, MAX_SHOWN, Stub},
    trace::What,
};
use consensus::{Backing, Protocol, Signed};
use ledger::{Header, Proof, ReplicaId, Slot, vote::Evidence};
use rand_chacha::rand_core::Rng;

impl<P: Protocol> Replica<P> {
    /// Somebody was caught: it is told once for each slot, and the first evidence is kept.
    pub(super) fn convict(&mut self, evidence: &Evidence) {
        let Evidence { offender, slot, .. } = *evidence;
        self.trace(What::Accused { offender, charge: "equivocation".into(), slot: Some(slot) });
        // An earlier life of ours may have said it, on a disk that is lost. Others will tell.
        if offender != self.me && !self.is_settled(evidence) {
            if self.is_better(evidence) {
                self.docket.forget(offender, &mut self.batch);
            }
            self.found += u64::from(self.docket.hold(evidence, &mut self.batch));
            self.report();
        }
    }

    /// What a message that came too late for consensus is still good for.
    pub(super) fn hear_late(&mut self, signed: &Signed<P::Message>) {
        if let Some(evidence) = self.testimony.late(signed) {
            self.convict(&evidence);
        }
    }

    /// What our summaries say of dead slots.
    pub(super) fn dead(&mut self) -> Dead {
        self.testimony.forget(self.moment.now);
        Dead { tags: self.testimony.tags(), held: self.docket.offenders() }
    }

    /// Compares what a peer says of dead slots with what we know of them.
    pub(super) fn compare(&mut self, peer: ReplicaId, dead: &Dead) {
        self.show_evidence(peer, &dead.held);
        let mut slots = self.testimony.differing(&dead.tags);
        if slots.is_empty() {
            return;
        }
        // Some other first each time, so that none is hidden behind those that always differ.
        let first = self.rng.next_u32() as usize % slots.len();
        slots.rotate_left(first);
        let slots = self.testimony.hearsay(slots.into_iter());
        let hearsay = Hearsay { slots, held: self.docket.offenders() };
        self.post_to(vec![peer], Packet::Hearsay(hearsay), Class::Summary);
    }

    /// Shows a peer the evidence that it lacks.
    fn show_evidence(&mut self, peer: ReplicaId, held: &[ReplicaId]) {
        let lacks =
            |evidence: &&Evidence| evidence.offender != peer && !held.contains(&evidence.offender);
        let lacking = self.docket.all().filter(lacks).take(MAX_SHOWN / 2);
        let stubs: Vec<Stub> = lacking.flat_map(Stub::both).collect();
        if !stubs.is_empty() {
            self.post_to(vec![peer], Packet::Testimony(stubs), Class::Summary);
        }
    }

    pub(super) fn hearsay_from(&mut self, from: ReplicaId, hearsay: &Hearsay) {
        if !hearsay.is_bounded() {
            return self.refuse("hearsay", "too_many");
        }
        if !self.may_ask(from, "hearsay") {
            return;
        }
        let stubs = self.testimony.contradicting(hearsay);
        if !stubs.is_empty() {
            self.post_to(vec![from], Packet::Testimony(stubs), Class::Summary);
        }
    }

    /// Confronts what we are shown with what we heard, and with what is shown beside it.
    pub(super) fn testimony_from(&mut self, stubs: &[Stub]) {
        for pair in stubs.windows(2) {
            if let Some(evidence) = pair[0].evidence_with(&pair[1]) {
                self.convict_once(&evidence);
            }
        }
        stubs.iter().for_each(|stub| self.confront(stub));
    }

    /// What a proof of `header` that was found to hold says of those who signed it.
    pub(super) fn confront_proof(&mut self, header: &Header, proof: &Proof) {
        for Backing { signer, slot, value, signature } in P::backing(header, proof) {
            if self.hears_otherwise(slot, signer, value) {
                let claimed =
                    crate::testimony::ClaimedStub { sender: signer, slot, value, signature };
                // A proof may hold without each of the signatures it brings.
                if let Ok(stub) = claimed.open(&self.keys) {
                    self.confront(&stub);
                }
            }
        }
    }

    fn hears_otherwise(&self, slot: Slot, sender: ReplicaId, value: crypto::Hash) -> bool {
        let living = self.inbox.held(slot, sender).any(|signed| signed.value() != value);
        living || self.testimony.of(slot, sender).any(|stub| stub.value() != value)
    }

    fn confront(&mut self, stub: &Stub) {
        let living = self.inbox.held(stub.slot(), stub.sender()).filter_map(Stub::of);
        let living = living.filter_map(|held| held.evidence_with(stub)).next();
        if let Some(evidence) = living.or_else(|| self.testimony.confront(stub)) {
            self.convict_once(&evidence);
        }
    }

    /// What peers show us again and again is told once.
    fn convict_once(&mut self, evidence: &Evidence) {
        let is_news = self.docket.against(evidence.offender).is_none() || self.is_better(evidence);
        if is_news && !self.is_settled(evidence) {
            self.convict(evidence);
        }
    }

    /// Whether it can do what the evidence that we hold against the same offender cannot, or not yet: who
    /// confesses to a height that is still to come may have no seat by then.
    fn is_better(&self, evidence: &Evidence) -> bool {
        let Some(held) = self.docket.against(evidence.offender) else { return false };
        let next = self.ledger.height() + 1;
        let waits = held.slot.height > next && evidence.slot.height < held.slot.height;
        self.ledger.staking().is_some() && (waits || self.is_settled(held))
    }
}
