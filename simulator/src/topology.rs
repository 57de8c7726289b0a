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
    /// Chance acquaintances: what is meant for many is a rumour, which whoever hears it for the first
    /// time tells some others, drawn anew each time, and never again ("infect and die"). Who missed it
    /// has to be told by the protocol's own means. What is meant for one replica still goes there
    /// directly.
    Random {
        /// How many each tells; all others where there are no more.
        fanout: u32,
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

/// Whom each replica tells, and who has heard what.
#[derive(Debug)]
pub(crate) struct Overlay {
    way: Way,
    /// By place.
    seen: Vec<Seen>,
    rumours: u64,
}

/// How a rumour goes on.
#[derive(Debug)]
enum Way {
    /// To all neighbours but for those who are known to know it. The links go both ways.
    Neighbours(Vec<BTreeSet<ReplicaId>>),
    /// To so many others, drawn each time among so many replicas.
    Random { fanout: u32, replicas: u32, chance: Box<ChaCha8Rng> },
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
        let mut chance = stream(seed, "topology", 0);
        let way = match topology {
            Topology::Mesh => return None,
            Topology::Gossip { degree } => Way::Neighbours(rings(degree, replicas, &mut chance)),
            Topology::Random { fanout } => {
                Way::Random { fanout, replicas, chance: Box::new(chance) }
            }
        };
        Some(Overlay { way, seen: vec![Seen::default(); places], rumours: 0 })
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

    /// Whom a replica tells what it has just heard, from `told_by` unless it is the origin itself.
    pub(crate) fn next(
        &mut self,
        of: ReplicaId,
        told_by: Option<ReplicaId>,
        origin: ReplicaId,
    ) -> Vec<ReplicaId> {
        match &mut self.way {
            Way::Neighbours(neighbours) => {
                let others = neighbours[of.0 as usize].iter().copied();
                others.filter(|id| Some(*id) != told_by && *id != origin).collect()
            }
            Way::Random { fanout, replicas, chance } => some_others(of, *fanout, *replicas, chance),
        }
    }

    #[cfg(test)]
    fn neighbours(&self, of: ReplicaId) -> &BTreeSet<ReplicaId> {
        match &self.way {
            Way::Neighbours(neighbours) => &neighbours[of.0 as usize],
            other => panic!("{other:?} has no neighbours"),
        }
    }
}

/// Random rings through all replicas: the neighbours of each, both ways.
fn rings(degree: u32, replicas: u32, chance: &mut ChaCha8Rng) -> Vec<BTreeSet<ReplicaId>> {
    let mut neighbours = vec![BTreeSet::new(); replicas as usize];
    for _ in 0..degree.div_ceil(2) {
        let ring = shuffled(replicas, chance);
        for (one, other) in ring.iter().zip(ring.iter().cycle().skip(1)) {
            if one != other {
                neighbours[one.0 as usize].insert(*other);
                neighbours[other.0 as usize].insert(*one);
            }
        }
    }
    neighbours
}

/// So many of all replicas but one, each as likely as any other (Floyd).
fn some_others(
    of: ReplicaId,
    fanout: u32,
    replicas: u32,
    chance: &mut ChaCha8Rng,
) -> Vec<ReplicaId> {
    let others = replicas.saturating_sub(1);
    let mut drawn = BTreeSet::new();
    for last in others.saturating_sub(fanout)..others {
        let one = crate::delay::below(chance.next_u64(), u64::from(last) + 1);
        let one = u32::try_from(one).expect("it is below a number of replicas");
        if !drawn.insert(one) {
            drawn.insert(last);
        }
    }
    // They are numbered as if `of` were not there.
    drawn.into_iter().map(|id| ReplicaId(if id < of.0 { id } else { id + 1 })).collect()
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
