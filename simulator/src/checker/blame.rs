//! Who broke agreement: by name and with proof, or why nobody can be convicted.
//!
//! Two final blocks at one height are each covered by a proof. Where proofs are signatures in slots
//! (`Protocol::backing`), whoever signed both in *one* slot is convicted by the two proofs alone;
//! who did so anywhere else at that height, by what it let leave. Where the two proofs are of
//! different slots, nobody is convicted: see [`consensus::conviction`].

use super::{Sight, Violation, chain::Chain};
use consensus::{Backing, Protocol, conviction};
use ledger::{BlockHash, Header, Keys, Proof, ReplicaId, vote::Evidence};
use serde::Serialize;
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

pub use consensus::conviction::Unprovable;

/// What is known of those who made two blocks final at one height.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Blame {
    /// Where.
    pub height: u64,
    /// The two blocks.
    pub blocks: [BlockHash; 2],
    /// Those who are convicted, each by one pair of messages.
    pub guilty: Vec<Guilt>,
    /// What they weigh.
    pub weight: u128,
    /// What the committee weighs. A third of it cannot break agreement, and more can.
    pub total: u128,
    /// Why those who are convicted are not all; none if they weigh more than a third, which is
    /// enough to have done it.
    pub unprovable: Option<Unprovable>,
}

/// One who is guilty, and what proves it to everybody.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Guilt {
    /// Who.
    pub replica: ReplicaId,
    /// Two values in one slot, both with its signature.
    pub evidence: Evidence,
}

/// What it takes to convict somebody.
pub(super) struct Court {
    keys: Keys,
    backing: fn(&Header, &Proof) -> Vec<Backing>,
    signs: bool,
}

impl Court {
    pub(super) fn of<P: Protocol>(keys: Keys) -> Court {
        Court { keys, backing: P::backing, signs: P::proofs_settle() }
    }

    /// Looks into every broken agreement, once for each height.
    pub(super) fn try_all(
        &self,
        violations: &[Violation],
        sight: &Sight<'_>,
        chain: &Chain,
    ) -> Vec<Blame> {
        let mut heights = BTreeMap::new();
        for violation in violations {
            if let Violation::Disagreement { height, one, other } = violation {
                heights.entry(*height).or_insert((*one, *other));
            }
        }
        let tried = heights.into_iter();
        tried
            .map(|(height, (one, other))| self.look_into(height, [one, other], sight, chain))
            .collect()
    }

    fn look_into(
        &self,
        height: u64,
        holders: [(ReplicaId, BlockHash); 2],
        sight: &Sight<'_>,
        chain: &Chain,
    ) -> Blame {
        // Both stand on one block, or the quarrel began lower down and is told of there.
        let header = holders.iter().find_map(|(_, block)| chain.header(*block));
        let committee = chain.committee(header.map(|header| header.parent).unwrap_or_default());
        let backings = holders.map(|(replica, block)| self.proof(height, replica, block, sight));
        let mut evidence = BTreeMap::new();
        if let [Some(one), Some(other)] = &backings {
            evidence = conviction::contradictions(one, other, &self.keys);
        }
        // Slots may be numbered otherwise than blocks: a proof tells.
        let mut numbers: BTreeSet<u64> =
            backings.iter().flatten().flatten().map(|backing| backing.slot.height).collect();
        if numbers.is_empty() {
            numbers.insert(height);
        }
        let said = sight.record.equivocations().iter();
        let said = said.filter(|each| numbers.contains(&each.slot.height));
        said.for_each(|each| self.convict(each.evidence(), &mut evidence));
        let stake = |id: &ReplicaId| committee.member(*id).map_or(0, |member| member.stake.0);
        let weight = evidence.keys().map(|id| u128::from(stake(id))).sum();
        let total = committee.bonded();
        let unprovable = if 3 * weight > total { None } else { self.why(holders, &backings) };
        let guilty =
            evidence.into_iter().map(|(replica, evidence)| Guilt { replica, evidence }).collect();
        let blocks = holders.map(|(_, block)| block);
        Blame { height, blocks, guilty, weight, total, unprovable }
    }

    /// Only what verifies convicts.
    fn convict(&self, found: Evidence, evidence: &mut BTreeMap<ReplicaId, Evidence>) {
        if found.verify(&self.keys) {
            evidence.entry(found.offender).or_insert(found);
        }
    }

    /// The signatures in a replica's proof of a block; none without a proof.
    fn proof(
        &self,
        height: u64,
        replica: ReplicaId,
        block: BlockHash,
        sight: &Sight<'_>,
    ) -> Option<Vec<Backing>> {
        let header = &sight.record.block(block)?.header;
        let commits = sight.record.history(replica).iter().filter_map(|each| each.commit());
        let mut held = commits.filter(|each| (each.height, each.block) == (height, block));
        let proof = held.find_map(|each| each.proof.as_ref())?;
        Some((self.backing)(header, proof))
    }

    fn why(
        &self,
        holders: [(ReplicaId, BlockHash); 2],
        backings: &[Option<Vec<Backing>>; 2],
    ) -> Option<Unprovable> {
        let [one, other] = backings.each_ref().map(Option::as_deref);
        Unprovable::why(self.signs, [(holders[0].1, one), (holders[1].1, other)])
    }
}

impl fmt::Debug for Court {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Court").field("signs", &self.signs).finish_non_exhaustive()
    }
}

impl fmt::Display for Blame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Blame { height, guilty, weight, total, unprovable, .. } = self;
        match &guilty[..] {
            [] => write!(f, "nobody is convicted of the two blocks at height {height}")?,
            some => {
                let names: Vec<_> = some.iter().map(Guilt::to_string).collect();
                let names = names.join("; ");
                write!(
                    f,
                    "to blame for the two blocks at height {height}, with {weight} of {total}"
                )?;
                write!(f, " stake: {names}")?;
            }
        }
        unprovable.iter().try_for_each(|why| write!(f, "; {why}"))
    }
}

impl fmt::Display for Guilt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Evidence { slot, first, second, .. } = &self.evidence;
        write!(
            f,
            "replica {}, who signed {} and {} in round {}, phase {}",
            self.replica,
            first.0.short(),
            second.0.short(),
            slot.round,
            slot.phase
        )
    }
}
