//! Who lives where. Each replica has a seat among the validators and a place in the world; one that
//! lies as Twins has one seat and two places: two machines, two disks, one key.

use consensus::byzantine::{Plot, Side};
use ledger::ReplicaId;
use std::collections::{BTreeMap, BTreeSet};

/// Where a host stands. The first places are those of the seats, in order; second ones come after.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct Place(pub(crate) usize);

impl Place {
    /// Its number for those who look on.
    pub(crate) fn lane(self) -> u32 {
        u32::try_from(self.0).expect("places are counted in 32 bits")
    }
}

/// Which place belongs to whom, and who meets whom.
#[derive(Debug)]
pub(crate) struct Places {
    /// By place.
    seats: Vec<ReplicaId>,
    /// The second places.
    seconds: BTreeMap<ReplicaId, Place>,
    /// For each honest replica, the part of the others it is in, as far as Twins go.
    sides: Vec<Side>,
}

impl Places {
    /// One place for each of so many replicas, and a second one for each of the twins.
    pub(crate) fn new(replicas: u32, twins: &BTreeSet<ReplicaId>, plot: &Plot) -> Places {
        let seats: Vec<_> = (0..replicas).map(ReplicaId).collect();
        let sides = seats.iter().map(|id| plot.side(*id)).collect();
        let seconds = (seats.len()..).map(Place);
        let seconds = twins.iter().copied().zip(seconds).collect();
        Places { seats: seats.into_iter().chain(twins.iter().copied()).collect(), seconds, sides }
    }

    /// All there are.
    pub(crate) fn all(&self) -> impl Iterator<Item = Place> + use<> {
        (0..self.seats.len()).map(Place)
    }

    /// Whose place it is.
    pub(crate) fn seat(&self, place: Place) -> ReplicaId {
        self.seats[place.0]
    }

    /// Where a replica is found by those who look on; the first of two.
    pub(crate) fn first(&self, id: ReplicaId) -> Place {
        Place(id.0 as usize)
    }

    /// Whether a place is not the second of two.
    pub(crate) fn is_first(&self, place: Place) -> bool {
        self.first(self.seat(place)) == place
    }

    /// All places of a replica.
    pub(crate) fn of(&self, id: ReplicaId) -> impl Iterator<Item = Place> + use<> {
        [Some(self.first(id)), self.seconds.get(&id).copied()].into_iter().flatten()
    }

    /// How much of its owner's hash rate a place has.
    pub(crate) fn share(&self, place: Place) -> f64 {
        1.0 / self.of(self.seat(place)).count() as f64
    }

    /// Where something goes that is sent from a place to a replica. Of Twins each meets one part of
    /// the others, and of other Twins the one that meets the same part; none if that is not where
    /// the recipient is.
    pub(crate) fn route(&self, from: Place, to: ReplicaId) -> Option<Place> {
        let first = self.first(to);
        if self.seconds.is_empty() {
            return Some(first);
        }
        let is_twin = |id| self.seconds.contains_key(&id);
        match (is_twin(self.seat(from)), self.seconds.get(&to)) {
            (false, None) => Some(first),
            (false, Some(_)) | (true, Some(_)) if self.side(from) == Side::Left => Some(first),
            (false, second) => second.copied(),
            (true, Some(second)) => Some(*second),
            (true, None) => (self.sides[first.0] == self.side(from)).then_some(first),
        }
    }

    /// The part that a place belongs to.
    fn side(&self, place: Place) -> Side {
        match self.is_first(place) {
            true if self.seconds.contains_key(&self.seat(place)) => Side::Left,
            true => self.sides[place.0],
            false => Side::Right,
        }
    }
}

#[cfg(test)]
mod tests;
