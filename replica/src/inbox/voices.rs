//! Who said what in one slot.

use consensus::{Message, Signed};
use ledger::ReplicaId;
use std::collections::BTreeMap;

/// What was said in one slot, by its sender's id. A signature was checked for each, so there are no
/// more ids than validators, and a place for each is faster than any search.
#[derive(Debug)]
pub struct Voices<M> {
    firsts: Vec<Option<Signed<M>>>,
    /// Of those who contradicted themselves, if anybody did.
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

impl<M: Message> Voices<M> {
    /// Silence, with room for the senders with ids below this.
    pub(super) fn with_room(ids: usize) -> Voices<M> {
        Voices { firsts: Vec::with_capacity(ids), seconds: None, speakers: 0 }
    }

    /// What a sender said.
    pub fn of(&self, sender: ReplicaId) -> Option<Said<'_, M>> {
        let first = self.firsts.get(sender.0 as usize)?.as_ref()?;
        let second = self.seconds.as_ref().and_then(|seconds| seconds.get(&sender));
        Some(Said { first, second })
    }

    /// Everybody who spoke, by rising id.
    pub fn iter(&self) -> impl Iterator<Item = (ReplicaId, Said<'_, M>)> {
        let ids = (0..).zip(&self.firsts).filter(|(_, first)| first.is_some());
        ids.filter_map(|(id, _)| Some((ReplicaId(id), self.of(ReplicaId(id))?)))
    }

    /// All that was said, by rising id of the sender.
    pub fn messages(&self) -> impl Iterator<Item = &Signed<M>> {
        self.iter().flat_map(|(_, said)| said.both())
    }

    /// How many spoke.
    pub fn speakers(&self) -> usize {
        self.speakers
    }

    /// Keeps a message: the first of its sender, or the second.
    pub(super) fn hear(&mut self, signed: Signed<M>) {
        let (sender, place) = (signed.sender(), signed.sender().0 as usize);
        if place >= self.firsts.len() {
            self.firsts.resize(place + 1, None);
        }
        if self.firsts[place].is_some() {
            self.seconds.get_or_insert_default().insert(sender, signed);
        } else {
            self.firsts[place] = Some(signed);
            self.speakers += 1;
        }
    }

    /// Drops what a sender said: how many messages.
    pub(super) fn forget(&mut self, sender: ReplicaId) -> usize {
        let first = self.firsts.get_mut(sender.0 as usize).and_then(Option::take);
        let second = self.seconds.as_mut().and_then(|seconds| seconds.remove(&sender));
        self.speakers -= usize::from(first.is_some());
        usize::from(first.is_some()) + usize::from(second.is_some())
    }
}

impl<'a, M> Said<'a, M> {
    /// In the order they came.
    pub fn both(self) -> impl Iterator<Item = &'a Signed<M>> {
        std::iter::once(self.first).chain(self.second)
    }
}
