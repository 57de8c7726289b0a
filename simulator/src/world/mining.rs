//! Miners among the hosts, and the chain that comes of their work.

use super::{World, errands::What};
use crate::{
    mining::{Find, Summary, equal_share},
    places::Place,
    record::{Aside, aside::micros},
};
use consensus::{
    Protocol,
    work::{Target, Work},
};
use ledger::{BlockHash, Header, ReplicaId};
use replica::Event;
use std::collections::BTreeMap;

impl<P: Protocol> World<P> {
    /// The figures of all mining so far.
    pub fn mining(&self) -> Summary {
        Summary {
            deepest: self.record.deepest_reorganisation(),
            reverted: self.record.reversions().iter().map(|each| each.blocks).sum(),
            ..Summary::of(self.record.finds(), &self.main_chain())
        }
    }

    /// The blocks of the main chain that were mined here, from height one up: of all branches that
    /// anybody who is up has adopted the one with the most work. If nobody is up, of all there are.
    pub fn main_chain(&self) -> Vec<Find> {
        let finds = self.record.finds();
        let mut known: BTreeMap<BlockHash, (&Find, Work)> = BTreeMap::new();
        for find in finds {
            let before = known.get(&find.parent).map_or(Work::ZERO, |(_, work)| *work);
            known.insert(find.block, (find, before.plus(find.target.work())));
        }
        let mut heads: Vec<_> =
            self.replicas().filter_map(|id| Some(self.ledger(id)?.head())).collect();
        if heads.is_empty() {
            heads.extend(finds.iter().map(|find| find.block));
        }
        let work = |head: &BlockHash| known.get(head).map_or(Work::ZERO, |(_, work)| *work);
        // The first of the heaviest.
        let heaviest =
            heads.into_iter().reduce(|best, one| if work(&one) > work(&best) { one } else { best });
        let mut next = heaviest.and_then(|head| known.get(&head));
        let mut chain = Vec::new();
        while let Some((find, _)) = next {
            chain.push(**find);
            next = known.get(&find.parent);
        }
        chain.reverse();
        chain
    }

    /// A replica wants this header sealed, and no other any more.
    pub(super) fn mine(&mut self, me: Place, header: Header, target: [u8; 32]) {
        let target = Target::from_le_bytes(target);
        self.host(me).miner.begin(header, target);
        let (replicas, interval) = (self.setup.replicas, self.setup.block_time);
        self.hash_rate.get_or_insert_with(|| equal_share(target, replicas, interval));
        self.draw_find(me);
    }

    /// A miner tries so many times as many hashes a second as in the beginning.
    pub(super) fn change_hash_rate(&mut self, id: ReplicaId, factor: f64) {
        for place in self.places.of(id) {
            self.host(place).miner.change(factor);
            self.draw_find(place);
        }
    }

    pub(super) fn draw_find(&mut self, place: Place) {
        let rate = self.hash_rate.unwrap_or(0.0);
        if let Some((time, number)) = self.host(place).miner.draw(rate) {
            self.send(place, time, What::Find(number));
        }
    }

    /// A search is over.
    pub(super) fn found(&mut self, me: Place, number: u64) -> Option<Event<P::Message>> {
        let (header, target) = self.host(me).miner.find(number)?;
        let (block, parent, height) = (header.hash(), header.parent, header.height);
        let miner = self.places.seat(me);
        self.record.find(Find { at: self.now, miner, height, block, parent, target });
        let (time, lane) = (micros(self.now), me.lane());
        self.record.aside(|| Aside::Found { time, lane, height, block, parent });
        Some(Event::Mined(Box::new(header)))
    }

    /// Looks at a replica's adopted head, if that says anything.
    pub(super) fn watch(&mut self, place: Place) {
        let replica = self.hosts[place.0].replica.as_ref();
        let id = self.places.seat(place);
        if let (Some(depth), Some(replica)) = (self.confirmations, replica)
            && self.places.is_first(place)
        {
            self.record.watch(id, self.now, replica.ledger(), depth);
        }
    }
}
