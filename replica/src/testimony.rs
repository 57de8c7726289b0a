//! What was said in slots that are dead: who contradicted itself there is found all the same.
//!
//! A liar says one thing to some and another to the rest. Slots die as soon as their block is
//! committed, long before [`gossip`](crate::gossip) brings the one half what the other heard. So of
//! each message a [`Stub`] is kept for a while, enough to convict: sender, slot, value, signature.
//!
//! Replicas compare what they keep, in three steps of which the first alone costs anything while
//! nobody lies. A summary names each dead slot with a [`Tag`], which for a slot with one value is
//! that value: it does not matter who was heard. Where two tags differ, the peer answers with
//! [`Hearsay`]: who said what, by its word. Where that contradicts what we heard, we send it the stubs
//! in question, and it holds both. From then on the evidence spreads by itself, since a summary also
//! names those against whom evidence is held, and whoever is named by us and not by a peer is shown
//! to it.
//!
//! Bounded: [`KEEP`] long, [`MAX_HEIGHTS`] heights, [`MAX_SLOTS`] slots of each, [`MAX_STUBS`] stubs;
//! the lowest heights are dropped first. Only rounds are kept in which more than a third of the stake
//! spoke in one slot. In any other nobody honest need have been: what liars say there matters to nobody,
//! and they could say it in so many rounds that nothing else was compared any more. Slots without a
//! height, as of view changes, are not kept.

use crate::inbox::{Said, Voices};
use consensus::{Message, Signed};
use crypto::{codec, hash};
use ledger::{Committee, ReplicaId, Slot, vote::Evidence};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

mod stub;
#[cfg(test)]
mod tests;

pub use stub::{ClaimedStub, Hearsay, MAX_SHOWN, SlotHearsay, Stub, Tag};

/// How long a height is kept after it died.
pub const KEEP: Duration = Duration::from_secs(3);

/// How many heights are kept.
pub const MAX_HEIGHTS: usize = 64;

/// How many slots of a height are kept: those of the lowest rounds.
pub const MAX_SLOTS: usize = 32;

/// How many stubs are kept, of about 140 bytes each.
pub const MAX_STUBS: usize = 131_072;

/// How many slots a summary names: those that died last.
pub const MAX_TOLD: usize = 128;

/// How many slots one answer speaks of.
pub const MAX_HEARSAY: usize = 24;

/// How many voices one answer names, roughly: it ends with the slot that exceeds it.
pub const MAX_NAMES: usize = 4_096;

/// What is kept of dead slots.
#[derive(Debug, Default)]
pub struct Testimony {
    heights: BTreeMap<u64, Closed>,
    stubs: usize,
}

/// What was said at one height.
#[derive(Debug)]
struct Closed {
    /// When it died, since this life began.
    since: Duration,
    slots: BTreeMap<Slot, Kept>,
}

/// What was said in one slot.
#[derive(Debug, Default)]
struct Kept {
    /// What each said first, by rising sender.
    firsts: Vec<Stub>,
    /// Of those who contradicted themselves.
    seconds: BTreeMap<ReplicaId, Stub>,
    /// None after a change.
    tag: Option<Tag>,
}

impl Testimony {
    /// Keeps what is needed of slots that died just now, given by rising slot. `committee` is whoever
    /// decided a height: their stake tells which rounds matter.
    pub fn close<M: Message>(
        &mut self,
        dead: &[(Slot, Voices<M>)],
        committee: impl Fn(u64) -> Arc<Committee>,
        now: Duration,
    ) {
        for of_height in dead.chunk_by(|one, other| one.0.height == other.0.height) {
            let height = of_height[0].0.height;
            if height > 0 {
                self.close_height(height, of_height, &committee(height), now);
            }
        }
        self.forget(now);
    }

    fn close_height<M: Message>(
        &mut self,
        height: u64,
        dead: &[(Slot, Voices<M>)],
        committee: &Committee,
        now: Duration,
    ) {
        let real: BTreeSet<_> = dead
            .iter()
            .filter(|(_, voices)| is_shared(voices, committee))
            .map(|(slot, _)| round(*slot))
            .collect();
        let dead = dead.iter().filter(|(slot, _)| real.contains(&round(*slot)));
        let closed = self.heights.entry(height);
        let closed = closed.or_insert_with(|| Closed { since: now, slots: BTreeMap::new() });
        for (slot, voices) in dead.take(MAX_SLOTS) {
            let kept = Kept::of(*slot, voices);
            self.stubs += kept.len();
            if let Some(before) = closed.slots.insert(*slot, kept) {
                self.stubs -= before.len();
            }
        }
        if closed.slots.is_empty() {
            self.heights.remove(&height);
        }
    }

    /// Drops what is too old, or too much.
    pub fn forget(&mut self, now: Duration) {
        while let Some(lowest) = self.heights.first_entry() {
            let is_old = now >= lowest.get().since + KEEP;
            let stubs: usize = lowest.get().slots.values().map(Kept::len).sum();
            if !is_old && self.stubs <= MAX_STUBS && self.heights.len() <= MAX_HEIGHTS {
                return;
            }
            self.heights.pop_first();
            self.stubs -= stubs;
        }
    }

    /// A message that came after its slot had died. It is kept if that slot, or another of its round,
    /// is; and it convicts its sender if that said something else there.
    pub fn late<M: Message>(&mut self, signed: &Signed<M>) -> Option<Evidence> {
        let stub = Stub::of(signed)?;
        let slot = stub.slot();
        let closed = self.heights.get_mut(&slot.height)?;
        if !closed.slots.contains_key(&slot) {
            let is_real = closed.slots.keys().any(|other| round(*other) == round(slot));
            if !is_real || closed.slots.len() >= MAX_SLOTS {
                return None;
            }
        }
        let kept = closed.slots.entry(slot).or_default();
        let before = kept.len();
        let evidence = kept.hear(stub);
        self.stubs += kept.len() - before;
        evidence
    }

    /// What somebody showed us: it convicts its sender if we heard that say something else there, and
    /// is of no use otherwise.
    pub fn confront(&mut self, stub: &Stub) -> Option<Evidence> {
        let kept = self.heights.get_mut(&stub.slot().height)?.slots.get_mut(&stub.slot())?;
        kept.of_sender(stub.sender())?;
        let before = kept.len();
        let evidence = kept.hear(stub.clone());
        self.stubs += kept.len() - before;
        evidence
    }

    /// What a summary says of dead slots: at most [`MAX_TOLD`], those of the highest heights first.
    pub fn tags(&mut self) -> Vec<(Slot, Tag)> {
        let heights = self.heights.values_mut().rev();
        let slots = heights.flat_map(|closed| closed.slots.iter_mut());
        slots.take(MAX_TOLD).map(|(slot, kept)| (*slot, kept.tag())).collect()
    }

    /// The slots that we keep as well and that a peer tags otherwise.
    pub fn differing(&mut self, told: &[(Slot, Tag)]) -> Vec<Slot> {
        let mut differing = Vec::new();
        for (slot, tag) in told.iter().take(MAX_TOLD) {
            let closed = self.heights.get_mut(&slot.height);
            let kept = closed.and_then(|closed| closed.slots.get_mut(slot));
            if kept.is_some_and(|kept| kept.tag() != *tag) {
                differing.push(*slot);
            }
        }
        differing
    }

    /// Who said what in these slots, as far as an answer goes.
    pub fn hearsay(&self, slots: impl Iterator<Item = Slot>) -> Vec<SlotHearsay> {
        let mut names = 0;
        let known = slots.filter_map(|slot| {
            let kept = self.heights.get(&slot.height)?.slots.get(&slot)?;
            Some((slot, kept))
        });
        let fitting = known.take(MAX_HEARSAY).take_while(|(_, kept)| {
            let before = names;
            names += kept.len();
            before < MAX_NAMES
        });
        fitting.map(|(slot, kept)| SlotHearsay { slot, values: kept.by_value() }).collect()
    }

    /// What we heard that contradicts a peer's hearsay: at most [`MAX_SHOWN`] stubs, one of each sender,
    /// and none of those against whom the peer holds evidence already.
    pub fn contradicting(&self, hearsay: &Hearsay) -> Vec<Stub> {
        let mut found: BTreeMap<ReplicaId, Stub> = BTreeMap::new();
        for SlotHearsay { slot, values } in &hearsay.slots {
            let closed = self.heights.get(&slot.height);
            let Some(kept) = closed.and_then(|closed| closed.slots.get(slot)) else { continue };
            for (tag, senders) in values {
                for sender in senders {
                    if found.len() >= MAX_SHOWN {
                        return found.into_values().collect();
                    }
                    let is_news = !found.contains_key(sender) && !hearsay.held.contains(sender);
                    let ours = is_news.then(|| kept.other_than(*sender, *tag)).flatten();
                    found.extend(ours.map(|stub| (*sender, stub.clone())));
                }
            }
        }
        found.into_values().collect()
    }

    /// What is kept of a sender in a slot: nothing, one stub, or two that contradict one another.
    pub fn of(&self, slot: Slot, sender: ReplicaId) -> impl Iterator<Item = &Stub> {
        let kept = self.heights.get(&slot.height).and_then(|closed| closed.slots.get(&slot));
        kept.into_iter().flat_map(move |kept| {
            kept.of_sender(sender).into_iter().chain(kept.seconds.get(&sender))
        })
    }

    /// How many stubs are kept.
    pub fn len(&self) -> usize {
        self.stubs
    }

    /// Whether nothing is.
    pub fn is_empty(&self) -> bool {
        self.stubs == 0
    }
}

/// What names a round.
fn round(slot: Slot) -> (u64, u32, u64) {
    (slot.height, slot.epoch, slot.round)
}

/// Whether those who spoke weigh more than a third.
fn is_shared<M: Message>(voices: &Voices<M>, committee: &Committee) -> bool {
    committee.is_weak_quorum(voices.iter().map(|(sender, _)| committee.weight_of(sender)).sum())
}

impl Kept {
    fn of<M: Message>(slot: Slot, voices: &Voices<M>) -> Kept {
        let stub = |signed: &Signed<M>| Stub::in_slot(slot, signed);
        let second = |(sender, said): (ReplicaId, Said<'_, M>)| Some((sender, stub(said.second?)));
        Kept {
            firsts: voices.iter().map(|(_, said)| stub(said.first)).collect(),
            seconds: voices.iter().filter_map(second).collect(),
            tag: None,
        }
    }

    fn len(&self) -> usize {
        self.firsts.len() + self.seconds.len()
    }

    fn place(&self, sender: ReplicaId) -> Result<usize, usize> {
        self.firsts.binary_search_by_key(&sender, Stub::sender)
    }

    fn of_sender(&self, sender: ReplicaId) -> Option<&Stub> {
        self.place(sender).ok().map(|place| &self.firsts[place])
    }

    /// Keeps the first stub of its sender, and the second if it says something else; never a third.
    fn hear(&mut self, stub: Stub) -> Option<Evidence> {
        match self.place(stub.sender()) {
            Err(place) => {
                self.firsts.insert(place, stub);
                self.tag = None;
                None
            }
            Ok(place) => {
                let evidence = self.firsts[place].evidence_with(&stub)?;
                if self.seconds.contains_key(&stub.sender()) {
                    return None;
                }
                self.seconds.insert(stub.sender(), stub);
                self.tag = None;
                Some(evidence)
            }
        }
    }

    /// The value, where there is one only; otherwise it binds who said what.
    fn tag(&mut self) -> Tag {
        if let Some(tag) = self.tag {
            return tag;
        }
        let mut values = self.firsts.iter().map(Stub::value);
        let first = values.next();
        let tag = match first {
            Some(first) if self.seconds.is_empty() && values.all(|value| value == first) => {
                Tag::of(first)
            }
            _ => Tag::of(hash::sha256(&codec::encode(&self.by_value()))),
        };
        *self.tag.insert(tag)
    }

    /// Who said what, by rising value.
    fn by_value(&self) -> Vec<(Tag, Vec<ReplicaId>)> {
        let mut values: BTreeMap<Tag, Vec<ReplicaId>> = BTreeMap::new();
        for stub in self.firsts.iter().chain(self.seconds.values()) {
            values.entry(Tag::of(stub.value())).or_default().push(stub.sender());
        }
        values.values_mut().for_each(|senders| senders.sort());
        values.into_iter().collect()
    }

    /// What we heard a sender say that is not what `tag` names.
    fn other_than(&self, sender: ReplicaId, tag: Tag) -> Option<&Stub> {
        let said = self.of_sender(sender).into_iter().chain(self.seconds.get(&sender));
        let mut others = said.filter(|stub| Tag::of(stub.value()) != tag);
        others.next()
    }
}
