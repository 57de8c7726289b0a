//! What was heard and may still matter: each message once, equivocation found for every protocol.
//!
//! Messages with a slot are held until a horizon passes it, so that they can be brought to those
//! who lack them. From one sender, one slot holds at most two different messages: the second is
//! evidence, and both are delivered and spread; a third is dropped.

use consensus::{Message, Signed};
use ledger::{ReplicaId, Slot, vote::Evidence};
use std::{collections::BTreeMap, time::Duration};

mod voices;

pub use voices::{Said, Voices};

/// How many messages of one sender are held at a time.
pub const MAX_HELD_PER_SENDER: usize = 1_024;

/// How long a message is held at least before a later one of its sender may take its place. By then gossip
/// has brought it to everybody.
pub const OLD: Duration = Duration::from_secs(600);

/// How many messages of one sender wait for the next turn of events.
pub const MAX_DEFERRED_PER_SENDER: usize = 256;

/// What becomes of a message on arrival.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// New: deliver it.
    Fresh,
    /// New, and its sender has said something else in the same slot: deliver and accuse.
    Equivocation(Box<Evidence>),
    /// Heard before.
    Known,
    /// Its slot is dead.
    Dead,
    /// Its slot is too far ahead to be held.
    TooFar,
    /// A third message in one slot, or the sender's share is full.
    Surplus,
}

/// All messages with a living slot.
#[derive(Debug)]
pub struct Inbox<M> {
    slots: BTreeMap<Slot, Held<M>>,
    /// How many messages of each sender are held, by its id.
    shares: Vec<usize>,
    /// Up to which slot a sender's messages had to give way because they were old. They are not taken
    /// again.
    given_up: BTreeMap<ReplicaId, Slot>,
    deferred: Vec<Signed<M>>,
    /// How many of them each sender has.
    waiting: BTreeMap<ReplicaId, usize>,
    horizon: Horizon,
    /// How many heights past the last dead one are listened to.
    ahead: u64,
}

/// Which slots are dead: heights in 1..=`height`, and without height the rounds below `round`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Horizon {
    /// The highest dead height.
    pub height: u64,
    /// The lowest living round among slots without a height.
    pub round: u64,
}

impl Horizon {
    /// Whether `slot` is dead.
    pub fn passed(&self, slot: Slot) -> bool {
        match slot.height {
            0 => slot.round < self.round,
            height => height <= self.height,
        }
    }

    /// Never moves back.
    pub fn raise(&mut self, height: u64, round: u64) {
        self.height = self.height.max(height);
        self.round = self.round.max(round);
    }
}

/// What is held for one slot.
#[derive(Debug)]
pub struct Held<M> {
    /// When the first of them came, since this life began.
    pub since: Duration,
    /// Who said what.
    pub voices: Voices<M>,
}

impl<M: Message> Inbox<M> {
    /// Nothing was heard yet, and what `horizon` passed never will be, nor what lies more than
    /// `ahead` heights past it ([`consensus::Protocol::heights_ahead`]).
    pub fn new(horizon: Horizon, ahead: u64) -> Inbox<M> {
        let (slots, shares) = (BTreeMap::new(), Vec::new());
        let (given_up, deferred, waiting) = (BTreeMap::new(), Vec::new(), BTreeMap::new());
        Inbox { slots, shares, given_up, deferred, waiting, horizon, ahead }
    }

    /// Judges a message, and holds it where the verdict is [`Verdict::Fresh`] or
    /// [`Verdict::Equivocation`].
    pub fn receive(&mut self, signed: &Signed<M>, now: Duration) -> Verdict {
        let Some(slot) = signed.slot() else { return Verdict::Fresh };
        if self.horizon.passed(slot) {
            return Verdict::Dead;
        }
        if self.is_too_far(slot) {
            return Verdict::TooFar;
        }
        let sender = signed.sender();
        let mut evidence = None;
        if let Some(earlier) = self.slots.get(&slot).and_then(|held| held.voices.of(sender)) {
            let is_known = |earlier: &Signed<M>| earlier.value() == signed.value();
            if is_known(earlier.first) || earlier.second.is_some_and(is_known) {
                return Verdict::Known;
            }
            if earlier.second.is_some() {
                return Verdict::Surplus;
            }
            evidence = earlier.first.evidence_with(signed);
        }
        let is_over = |over: &Slot| slot.height > 0 && *over >= slot;
        if self.given_up.get(&sender).is_some_and(is_over) || !self.make_room(sender, slot, now) {
            return Verdict::Surplus;
        }
        *self.share(sender) += 1;
        let held = self.slots.entry(slot);
        let held = held.or_insert_with(|| Held { since: now, voices: Voices::default() });
        held.voices.hear(signed.clone(), self.shares.len());
        match evidence {
            Some(evidence) => Verdict::Equivocation(Box::new(evidence)),
            None => Verdict::Fresh,
        }
    }

    /// How many messages of a sender are held.
    fn share(&mut self, sender: ReplicaId) -> &mut usize {
        let seat = sender.0 as usize;
        if seat >= self.shares.len() {
            self.shares.resize(seat + 1, 0);
        }
        &mut self.shares[seat]
    }

    /// Whether a message in `slot` would be listened to.
    pub fn is_open(&self, slot: Slot) -> bool {
        !self.horizon.passed(slot) && !self.is_too_far(slot)
    }

    fn is_too_far(&self, slot: Slot) -> bool {
        slot.height > self.horizon.height.saturating_add(self.ahead)
    }

    /// What is held of a sender in a slot: nothing, one message, or two different ones.
    pub fn held(&self, slot: Slot, sender: ReplicaId) -> impl Iterator<Item = &Signed<M>> {
        let said = self.slots.get(&slot).and_then(|held| held.voices.of(sender));
        said.into_iter().flat_map(Said::both)
    }

    /// When a sender's share is full its furthest slot gives way to a nearer one, so that nobody can
    /// crowd out the messages that matter first. Where there is no further one, the height has lasted for
    /// hundreds of rounds: its first slot gives way if it is [`OLD`], or nobody would be heard any more.
    fn make_room(&mut self, sender: ReplicaId, slot: Slot, now: Duration) -> bool {
        if *self.share(sender) < MAX_HELD_PER_SENDER {
            return true;
        }
        let furthest = self
            .slots
            .range(slot..)
            .rev()
            .find(|(other, held)| **other > slot && held.voices.of(sender).is_some())
            .map(|(other, _)| *other);
        if let Some(furthest) = furthest {
            self.forget(sender, furthest);
            return true;
        }
        let start = Slot { height: 1, ..Slot::default() }.min(slot);
        let mut of_height = self.slots.range(start..slot);
        let first = of_height.find(|(_, held)| held.voices.of(sender).is_some());
        let Some((&first, _)) =
            first.filter(|(_, held)| slot.height > 0 && now >= held.since.saturating_add(OLD))
        else {
            return false;
        };
        self.forget(sender, first);
        self.given_up.insert(sender, first);
        true
    }

    /// Forgets what a sender said in a slot, which it did.
    fn forget(&mut self, sender: ReplicaId, slot: Slot) {
        let held = self.slots.get_mut(&slot).expect("it was just found");
        let dropped = held.voices.forget(sender);
        if held.voices.speakers() == 0 {
            self.slots.remove(&slot);
        }
        *self.share(sender) -= dropped;
        let before = self.deferred.len();
        self.deferred
            .retain(|deferred| deferred.sender() != sender || deferred.slot() != Some(slot));
        if let Some(waiting) = self.waiting.get_mut(&sender) {
            *waiting -= before - self.deferred.len();
        }
    }

    /// Keeps a message for the next turn of events; see [`Inbox::take_deferred`].
    pub fn defer(&mut self, signed: Signed<M>) {
        // What is not held any more was dropped on purpose, and messages without a slot are best
        // effort. Nobody can take the room of others.
        let held = signed.slot().is_none_or(|slot| self.slots.contains_key(&slot));
        let waiting = self.waiting.entry(signed.sender()).or_default();
        if held && *waiting < MAX_DEFERRED_PER_SENDER {
            *waiting += 1;
            self.deferred.push(signed);
        }
    }

    /// The deferred messages that still live, in the order they were deferred.
    pub fn take_deferred(&mut self) -> Vec<Signed<M>> {
        let horizon = self.horizon;
        self.waiting.clear();
        let mut deferred = std::mem::take(&mut self.deferred);
        deferred.retain(|signed| signed.slot().is_none_or(|slot| !horizon.passed(slot)));
        deferred
    }

    /// Forgets every slot that the horizon passes: what was said in them, by rising slot.
    pub fn raise(&mut self, height: u64, round: u64) -> Vec<(Slot, Voices<M>)> {
        self.horizon.raise(height, round);
        let horizon = self.horizon;
        self.given_up.retain(|_, slot| !horizon.passed(*slot));
        let shares = &mut self.shares;
        let dead = self.slots.extract_if(.., |slot, _| horizon.passed(*slot));
        let dead: Vec<_> = dead.map(|(slot, held)| (slot, held.voices)).collect();
        for message in dead.iter().flat_map(|(_, voices)| voices.messages()) {
            shares[message.sender().0 as usize] -= 1;
        }
        dead
    }

    /// Which slots are dead.
    pub fn horizon(&self) -> Horizon {
        self.horizon
    }

    /// What is held, by slot.
    pub fn slots(&self) -> &BTreeMap<Slot, Held<M>> {
        &self.slots
    }
}

#[cfg(test)]
mod tests;
