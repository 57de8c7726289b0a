//! Who broke agreement: by name and with proof, or why nobody can be convicted.
//!
//! Two final blocks at one height are each covered by a proof. Where proofs are signatures in slots
//! (`Protocol::backing`), whoever signed both in *one* slot is convicted by the two proofs alone;
//! who did so anywhere else at that height, by what it let leave. Where the two proofs are of
//! different slots, an honest replica may have signed both: it may have been shown, in between, that
//! it was free to. Whoever did so without being shown anything has forgotten its lock (amnesia), and
//! no two of its messages contradict one another. (CometBFT specification, "Fork accountability".)

use super::{Sight, Violation};
use crate::World;
use consensus::{Backing, Protocol};
use ledger::{BlockHash, Committee, Header, Keys, Proof, ReplicaId, Slot, vote::Evidence};
use serde::Serialize;
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

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

/// Why nobody, or not everybody, can be convicted.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[serde(tag = "reason", rename_all = "snake_case")]
pub enum Unprovable {
    /// The proofs are not signed by anybody, as of work.
    NobodySigns,
    /// A replica holds a block final without a proof.
    NoProof {
        /// Which block.
        block: BlockHash,
    },
    /// Both proofs are signed, in different slots, and no two messages contradict one another.
    Amnesia {
        /// The slots of the two proofs.
        slots: [Slot; 2],
        /// Who signed both. Not all of them need be guilty: what they were shown in between decides.
        both: Vec<ReplicaId>,
    },
}

/// What it takes to convict somebody.
pub(super) struct Court {
    keys: Keys,
    committee: Committee,
    backing: fn(&Header, &Proof) -> Vec<Backing>,
    signs: bool,
}

impl Court {
    pub(super) fn of<P: Protocol>(world: &World<P>, keys: Keys) -> Court {
        Court {
            keys,
            committee: world.genesis().committee().expect("a world began with it"),
            backing: P::backing,
            signs: P::proofs_settle(),
        }
    }

    /// Looks into every broken agreement, once for each height.
    pub(super) fn try_all(&self, violations: &[Violation], sight: &Sight<'_>) -> Vec<Blame> {
        let mut heights = BTreeMap::new();
        for violation in violations {
            if let Violation::Disagreement { height, one, other } = violation {
                heights.entry(*height).or_insert((*one, *other));
            }
        }
        let tried = heights.into_iter();
        tried.map(|(height, (one, other))| self.look_into(height, [one, other], sight)).collect()
    }

    fn look_into(
        &self,
        height: u64,
        holders: [(ReplicaId, BlockHash); 2],
        sight: &Sight<'_>,
    ) -> Blame {
        let backings = holders.map(|(replica, block)| self.proof(height, replica, block, sight));
        let mut evidence = BTreeMap::new();
        if let [Some(one), Some(other)] = &backings {
            for found in one.iter().flat_map(|one| other.iter().filter_map(|at| both(one, at))) {
                self.convict(found, &mut evidence);
            }
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
        let stake = |id: &ReplicaId| self.committee.member(*id).map_or(0, |member| member.stake.0);
        let weight = evidence.keys().map(|id| u128::from(stake(id))).sum();
        let total = self.committee.total();
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
        if !self.signs {
            return Some(Unprovable::NobodySigns);
        }
        for (backing, (_, block)) in backings.iter().zip(holders) {
            if backing.as_ref().is_none_or(Vec::is_empty) {
                return Some(Unprovable::NoProof { block });
            }
        }
        let [one, other] = backings.each_ref().map(|backing| backing.iter().flatten());
        let signers: Vec<_> = other.clone().map(|each| each.signer).collect();
        let both = one.clone().map(|each| each.signer).filter(|id| signers.contains(id)).collect();
        let slots = [one, other].map(|mut each| each.next().map(|each| each.slot));
        let [Some(first), Some(second)] = slots else { return None };
        Some(Unprovable::Amnesia { slots: [first, second], both })
    }
}

/// What two signatures prove, if they contradict one another.
fn both(one: &Backing, other: &Backing) -> Option<Evidence> {
    let same = (one.signer, one.slot) == (other.signer, other.slot) && one.value != other.value;
    let of = |backing: &Backing| (backing.value, backing.signature);
    same.then(|| Evidence::new(one.signer, one.slot, of(one), of(other)))
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

impl fmt::Display for Unprovable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Unprovable::NobodySigns => {
                write!(
                    f,
                    "nobody signs a proof of work, so no signature can convict anybody of a fork"
                )
            }
            Unprovable::NoProof { block } => {
                write!(
                    f,
                    "there is no proof of block {} whose signers could be asked",
                    block.short()
                )
            }
            // Two quorums always meet, unless less than that passed for one.
            Unprovable::Amnesia { slots: [first, second], both } if both.is_empty() => write!(
                f,
                "the two proofs are of rounds {} and {}, and nobody signed both: no quorum did",
                first.round, second.round
            ),
            Unprovable::Amnesia { slots: [first, second], both } => {
                let both: Vec<_> = both.iter().map(ReplicaId::to_string).collect();
                write!(
                    f,
                    "the two proofs are of rounds {} and {}, and no message contradicts another: \
                     whoever forgot a lock is among those who signed both ({}), and only all that \
                     they were shown in between would tell who",
                    first.round,
                    second.round,
                    both.join(", ")
                )
            }
        }
    }
}
