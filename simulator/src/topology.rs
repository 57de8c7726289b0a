//! Who is connected to whom, and how what is meant for many spreads.

use crate::{parcel::Letter, places::Place, setup::stream};
use ledger::ReplicaId;
use rand_chacha::{ChaCha8Rng, rand_core::Rng};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeSet, sync::Arc};

/// How many rumours a replica remembers; what is older it takes for known.
const MAX_SEEN: usize = 65_536;

/// Who is connected to whom.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Topology {
    /// Everybody to everybody: what is meant for many is sent to each of them.
    #[default]
    Mesh,
    /// Random neighbours: what is meant for many is a rumour, which whoever hears it for the first
    /// time tells its own neighbours. What is meant for one replica still goes there directly.
    Gossip {
        /// How many neighbours each has: twice as many as there are random rings through all
        /// replicas, so it is rounded up to an even number. Fewer where two rings share a link.
        degree: u32,
    },
}

/// Something meant for many, on its way from neighbour to neighbour.
#[derive(Debug)]
pub(crate) struct Rumour<M> {
    /// Counts all rumours of this world: the name by which it is known again.
    pub(crate) number: u64,
    pub(crate) origin: ReplicaId,
    /// Whom it is for; others only pass it on.
    pub(crate) to: Vec<ReplicaId>,
    pub(crate) kind: &'static str,
    /// How long it is, encoded.
    pub(crate) bytes: u64,
    pub(crate) letter: Arc<Letter<M>>,
}

/// The links of a gossip mesh, both ways each, and who has heard what.
#[derive(Debug)]
pub(crate) struct Overlay {
    neighbours: Vec<BTreeSet<ReplicaId>>,
    /// By place.
    seen: Vec<Seen>,
    rumours: u64,
}

/// The rumours one replica remembers.
#[derive(Clone, Debug, Default)]
struct Seen {
    numbers: BTreeSet<u64>,
    /// Whatever has a lower number counts as seen.
    floor: u64,
}

impl Overlay {
    /// None where everybody is connected to everybody. Twins share their neighbours, and not what
    /// they heard: there are as many memories as `places`.
    pub(crate) fn new(
        topology: Topology,
        seed: u64,
        replicas: u32,
        places: usize,
    ) -> Option<Overlay> {
        let Topology::Gossip { degree } = topology else { return None };
        let mut neighbours = vec![BTreeSet::new(); replicas as usize];
        let mut chance = stream(seed, "topology", 0);
        for _ in 0..degree.div_ceil(2) {
            let ring = shuffled(replicas, &mut chance);
            for (one, other) in ring.iter().zip(ring.iter().cycle().skip(1)) {
                if one != other {
                    neighbours[one.0 as usize].insert(*other);
                    neighbours[other.0 as usize].insert(*one);
                }
            }
        }
        Some(Overlay { neighbours, seen: vec![Seen::default(); places], rumours: 0 })
    }

    /// The name of a new rumour, which its origin knows.
    pub(crate) fn begin(&mut self, origin: Place) -> u64 {
        self.rumours += 1;
        self.seen[origin.0].insert(self.rumours);
        self.rumours
    }

    /// Whether a replica hears a rumour for the first time.
    pub(crate) fn is_news(&mut self, at: Place, number: u64) -> bool {
        self.seen[at.0].insert(number)
    }

    /// A crash forgets what was heard.
    pub(crate) fn forget(&mut self, at: Place) {
        self.seen[at.0] = Seen::default();
    }

    /// Whom a replica tells.
    pub(crate) fn neighbours(&self, of: ReplicaId) -> &BTreeSet<ReplicaId> {
        &self.neighbours[of.0 as usize]
    }
}

impl Seen {
    fn insert(&mut self, number: u64) -> bool {
        let is_news = number >= self.floor && self.numbers.insert(number);
        if self.numbers.len() > MAX_SEEN {
            self.floor = self.numbers.pop_first().map_or(self.floor, |oldest| oldest + 1);
        }
        is_news
    }
}

/// All replicas in a random order (Fisher and Yates).
pub(crate) fn shuffled(replicas: u32, chance: &mut ChaCha8Rng) -> Vec<ReplicaId> {
    let mut ids: Vec<_> = (0..replicas).map(ReplicaId).collect();
    for last in (1..ids.len()).rev() {
        let other = crate::delay::below(chance.next_u64(), last as u64 + 1);
        ids.swap(last, usize::try_from(other).expect("an index fits"));
    }
    ids
}

#[cfg(test)]
mod tests;
