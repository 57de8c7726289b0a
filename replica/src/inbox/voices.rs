//! Who said what in one slot.

use consensus::{Message, Signed};
use ledger::ReplicaId;
use std::collections::BTreeMap;

/// Until a sixteenth of the senders spoke in a slot they are a list. Liars may speak in many slots that
/// nobody else speaks in, and a place for everybody in each of them would be theirs to fill our memory
/// with: so a voice takes at most 128 bytes besides its message.
const FEW: usize = 16;

/// What was said in one slot, by its sender's id. A signature was checked for each, so there are no
/// more ids than validators, and once many spoke a place for each is faster than any search.
#[derive(Debug)]
pub struct Voices<M> {
    /// By rising id, as long as they are few.
    few: Vec<(ReplicaId, Signed<M>)>,
    /// What each said first, at the place of its id, once they are not.
    firsts: Vec<Option<Signed<M>>>,
    /// Of those who contradicted themselves, if anybody did: a pointer, since a tree of slots has room for
    /// eleven of us in each node.
    #[allow(clippy::box_collection)]
    seconds: Option<Box<BTreeMap<ReplicaId, Signed<M>>>>,
    speakers: usize,
}

/// What one sender said in one slot: one message, or two different ones.
#[derive(Debug)]
pub struct Said<'a, M> {
    /// What came first.
    pub first: &'a Signed<M>,
    /// What contradicts it.
    pub second: Option<&'a Signed<M>>,
}

impl<M: Message> Default for Voices<M> {
    /// Silence.
    fn default() -> Voices<M> {
        Voices { few: Vec::new(), firsts: Vec::new(), seconds: None, speakers: 0 }
    }
}

impl<M: Message> Voices<M> {
    /// What a sender said.
    pub fn of(&self, sender: ReplicaId) -> Option<Said<'_, M>> {
        let first = match self.place(sender) {
            Ok(place) => &self.few[place].1,
            Err(_) => self.firsts.get(sender.0 as usize)?.as_ref()?,
        };
        let second = self.seconds.as_ref().and_then(|seconds| seconds.get(&sender));
        Some(Said { first, second })
    }

    /// Everybody who spoke, by rising id.
    pub fn iter(&self) -> impl Iterator<Item = (ReplicaId, Said<'_, M>)> {
        let ids = (0..).map(ReplicaId).zip(&self.firsts);
        let many = ids.filter_map(|(id, first)| first.is_some().then_some(id));
        let few = self.few.iter().map(|(id, _)| *id);
        few.chain(many).filter_map(|id| Some((id, self.of(id)?)))
    }

    /// All that was said, by rising id of the sender.
    pub fn messages(&self) -> impl Iterator<Item = &Signed<M>> {
        self.iter().flat_map(|(_, said)| said.both())
    }

    /// How many spoke.
    pub fn speakers(&self) -> usize {
        self.speakers
    }

    /// Keeps a message: the first of its sender, or the second. There are so many senders, as far as is
    /// known.
    pub(super) fn hear(&mut self, signed: Signed<M>, senders: usize) {
        let sender = signed.sender();
        if self.of(sender).is_some() {
            self.seconds.get_or_insert_default().insert(sender, signed);
            return;
        }
        self.speakers += 1;
        if self.firsts.is_empty() && self.speakers * FEW <= senders {
            let place = self.place(sender).unwrap_or_else(|place| place);
            return self.few.insert(place, (sender, signed));
        }
        if self.firsts.is_empty() {
            self.firsts.reserve_exact(senders);
        }
        for (sender, first) in std::mem::take(&mut self.few) {
            self.put(sender, first);
        }
        self.put(sender, signed);
    }

    /// Drops what a sender said: how many messages.
    pub(super) fn forget(&mut self, sender: ReplicaId) -> usize {
        let first = match self.place(sender) {
            Ok(place) => Some(self.few.remove(place).1),
            Err(_) => self.firsts.get_mut(sender.0 as usize).and_then(Option::take),
        };
        let second = self.seconds.as_mut().and_then(|seconds| seconds.remove(&sender));
        self.speakers -= usize::from(first.is_some());
        usize::from(first.is_some()) + usize::from(second.is_some())
    }

    /// Where a sender is among the few, or would be.
    fn place(&self, sender: ReplicaId) -> Result<usize, usize> {
        self.few.binary_search_by_key(&sender, |(id, _)| *id)
    }

    fn put(&mut self, sender: ReplicaId, first: Signed<M>) {
        let place = sender.0 as usize;
        if place >= self.firsts.len() {
            self.firsts.resize(place + 1, None);
        }
        self.firsts[place] = Some(first);
    }

    /// How many places are kept for messages, taken or not.
    #[cfg(test)]
    pub(super) fn room(&self) -> usize {
        self.few.capacity() * 2 + self.firsts.capacity()
    }
}

impl<'a, M> Said<'a, M> {
    /// In the order they came.
    pub fn both(self) -> impl Iterator<Item = &'a Signed<M>> {
        std::iter::once(self.first).chain(self.second)
    }
}
