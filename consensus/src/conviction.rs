//! Who can be convicted where two final blocks exclude one another, and why not everybody can.
//!
//! Where proofs are signatures in slots ([`Protocol::backing`](crate::Protocol::backing)), whoever
//! signed both in *one* slot is convicted by the two proofs alone. Where they are of different slots,
//! an honest replica may have signed both: it may have been shown, in between, that it was free to.
//! Whoever did so without being shown anything has forgotten its lock (amnesia), and no two of its
//! messages contradict one another. (CometBFT specification, "Fork accountability".)

use crate::Backing;
use ledger::{BlockHash, Keys, ReplicaId, Slot, vote::Evidence};
use serde::Serialize;
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

#[cfg(test)]
mod tests;

/// Why nobody, or not everybody, can be convicted.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[serde(tag = "reason", rename_all = "snake_case")]
pub enum Unprovable {
    /// The proofs are not signed by anybody, as of work.
    NobodySigns,
    /// A block is held final without a proof.
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

/// What two proofs convict whom of: one piece of evidence for each offender. Only what verifies
/// convicts.
pub fn contradictions(
    one: &[Backing],
    other: &[Backing],
    keys: &Keys,
) -> BTreeMap<ReplicaId, Evidence> {
    let said: BTreeMap<_, _> = one.iter().map(|each| ((each.signer, each.slot), each)).collect();
    let mut evidence = BTreeMap::new();
    for second in other {
        let first = said.get(&(second.signer, second.slot));
        if let Some(found) = first.and_then(|first| contradiction(first, second))
            && found.verify(keys)
        {
            evidence.entry(found.offender).or_insert(found);
        }
    }
    evidence
}

/// What two signatures prove, if they contradict one another.
fn contradiction(one: &Backing, other: &Backing) -> Option<Evidence> {
    let same = (one.signer, one.slot) == (other.signer, other.slot) && one.value != other.value;
    let of = |backing: &Backing| (backing.value, backing.signature);
    same.then(|| Evidence::new(one.signer, one.slot, of(one), of(other)))
}

impl Unprovable {
    /// Why two blocks do not convict all who made them final. `signs` says whether anybody signs a
    /// proof; each block comes with what backs it, none without a proof.
    pub fn why(signs: bool, sides: [(BlockHash, Option<&[Backing]>); 2]) -> Option<Unprovable> {
        if !signs {
            return Some(Unprovable::NobodySigns);
        }
        for (block, backing) in sides {
            if backing.is_none_or(<[Backing]>::is_empty) {
                return Some(Unprovable::NoProof { block });
            }
        }
        let [one, other] = sides.map(|(_, backing)| backing.into_iter().flatten());
        let signers: BTreeSet<_> = other.clone().map(|each| each.signer).collect();
        let both = one.clone().map(|each| each.signer).filter(|id| signers.contains(id)).collect();
        let slots = [one, other].map(|mut each| each.next().map(|each| each.slot));
        let [Some(first), Some(second)] = slots else { return None };
        Some(Unprovable::Amnesia { slots: [first, second], both })
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
