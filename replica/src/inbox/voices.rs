//! Who said what in one slot.

use consensus::{Message, Signed};
use ledger::ReplicaId;

/// What was said in one slot, by its sender's id. A signature was checked for each, so there are no
/// more ids than validators, and a place for each is faster than any search.
#[derive(Debug)]
pub struct Voices<M> {
    said: Vec<Option<Said<M>>>,
    speakers: usize,
}

/// What one sender said in one slot: one message, or two different ones.
#[derive(Debug)]
pub struct Said<M> {
    /// What came first.
    pub first: Signed<M>,
    /// What contradicts it.
    pub second: Option<Signed<M>>,
}

impl<M> Default for Voices<M> {
    /// Silence.
    fn default() -> Voices<M> {
        Voices { said: Vec::new(), speakers: 0 }
    }
}

impl<M: Message> Voices<M> {
    /// What a sender said.
    pub fn of(&self, sender: ReplicaId) -> Option<&Said<M>> {
        self.said.get(sender.0 as usize)?.as_ref()
    }

    /// Everybody who spoke, by rising id.
    pub fn iter(&self) -> impl Iterator<Item = (ReplicaId, &Said<M>)> {
        let places = (0..).map(ReplicaId).zip(&self.said);
        places.filter_map(|(id, said)| Some((id, said.as_ref()?)))
    }

    /// All that was said, by rising id of the sender.
    pub fn messages(&self) -> impl Iterator<Item = &Signed<M>> {
        self.said.iter().flatten().flat_map(Said::both)
    }

    /// How many spoke.
    pub fn speakers(&self) -> usize {
        self.speakers
    }

    /// Keeps a message: the first of its sender, or the second.
    pub(super) fn hear(&mut self, signed: Signed<M>) {
        let place = signed.sender().0 as usize;
        if place >= self.said.len() {
            self.said.resize_with(place + 1, || None);
        }
        match &mut self.said[place] {
            Some(said) => said.second = Some(signed),
            none => {
                *none = Some(Said { first: signed, second: None });
                self.speakers += 1;
            }
        }
    }

    /// Drops what a sender said: how many messages.
    pub(super) fn forget(&mut self, sender: ReplicaId) -> usize {
        let said = self.said.get_mut(sender.0 as usize).and_then(Option::take);
        self.speakers -= usize::from(said.is_some());
        said.map_or(0, |said| said.both().count())
    }
}

impl<M> Said<M> {
    /// In the order they came.
    pub fn both(&self) -> impl Iterator<Item = &Signed<M>> {
        std::iter::once(&self.first).chain(&self.second)
    }
}
