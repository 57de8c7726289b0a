//! The first life on a disk, which may not be the first life.
//!
//! A replica that lost its disk does not know what it signed, and would sign again, differently: it
//! counts towards f. So whoever begins on an empty disk signs nothing that may be signed once only
//! before a quorum, itself included, has told it how far they are. If they are past the beginning,
//! it signs nothing at or below any height it sees; if they are not, it signs nothing at a height
//! where somebody has heard it already.
//!
//! Whoever begins without a seat cannot know whether it had one once, since an empty disk remembers no
//! committee but the first. It waits until the chain that it follows names it as a validator, and then
//! asks a quorum of the committee of that time: the founders may have left long ago, and would answer for
//! nothing. It signs nothing at or below any height it was told of meanwhile.
//!
//! Any one of them may be the only honest one that knows, so the highest word counts. It may as well
//! be a lie: whoever cannot bring us there within [`PATIENCE`] is not believed, and the height that
//! was proven to us stands instead.

use crate::gossip::Summary;
use consensus::{Quorum, To};
use ledger::{Committee, ReplicaId};
use std::{
    collections::{BTreeMap, VecDeque},
    time::Duration,
};

/// How long nothing new is proven to us before we stop to believe that more exists.
pub const PATIENCE: Duration = Duration::from_secs(10);

/// How many messages wait to be signed; the oldest are dropped, for they would be the least wanted.
const MAX_HELD: usize = 1_024;

/// What is known so far.
#[derive(Debug)]
pub(crate) struct Birth<M> {
    /// The highest height at which we may have signed, by each who told us.
    told: BTreeMap<ReplicaId, u64>,
    /// When a quorum had told us, in time of this life.
    since: Option<Duration>,
    held: VecDeque<(To, M)>,
}

impl<M> Birth<M> {
    /// Nobody has told us anything.
    pub(crate) fn new() -> Birth<M> {
        Birth { told: BTreeMap::new(), since: None, held: VecDeque::new() }
    }

    /// Keeps a message until it is known whether it may be signed.
    pub(crate) fn hold(&mut self, to: To, message: M) {
        if self.held.len() >= MAX_HELD {
            self.held.pop_front();
        }
        self.held.push_back((to, message));
    }

    /// A peer says how far it is.
    pub(crate) fn told(
        &mut self,
        by: ReplicaId,
        summary: &Summary,
        me: ReplicaId,
        committee: &Committee,
    ) {
        let floor = floor(summary, committee.seat(me));
        let known = self.told.entry(by).or_default();
        *known = floor.max(*known);
    }

    /// Who of `peers` has not told us yet.
    pub(crate) fn silent(&self, peers: Vec<ReplicaId>) -> Vec<ReplicaId> {
        peers.into_iter().filter(|peer| !self.told.contains_key(peer)).collect()
    }

    /// The height up to which nothing may be signed, once a quorum has told us, and since when it has:
    /// however long we were alone before, nobody had a chance yet to bring us there.
    pub(crate) fn floor(
        &mut self,
        me: ReplicaId,
        committee: &Committee,
        quorum: Quorum,
        now: Duration,
    ) -> Option<(u64, Duration)> {
        let others = self.told.keys().copied().filter(|id| *id != me);
        quorum.is_met(committee, others.chain([me])).then(|| {
            let floor = self.told.values().copied().max().unwrap_or(0);
            (floor, *self.since.get_or_insert(now))
        })
    }

    /// What waited, oldest first.
    pub(crate) fn into_held(self) -> VecDeque<(To, M)> {
        self.held
    }
}

/// The highest height at which the replica in `seat` may have signed, as far as a peer knows. Nobody
/// who has no seat at the beginning can have signed there.
fn floor(summary: &Summary, seat: Option<usize>) -> u64 {
    let spoke = |bits: &[u8]| {
        seat.is_some_and(|seat| bits.get(seat / 8).is_some_and(|byte| byte >> (seat % 8) & 1 == 1))
    };
    let ours = summary.slots.iter().filter(|slot| summary.reach > 0 || spoke(&slot.spoke));
    let seen = ours.map(|slot| slot.slot.height).max().unwrap_or(0);
    match summary.reach {
        0 => seen,
        // The height after it is being decided, and we may have had a say.
        proven => seen.max(proven.saturating_add(1)),
    }
}

#[cfg(test)]
mod tests;
