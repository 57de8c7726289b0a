//! Who took part: what the blocks of a chain with an [inactivity leak](ledger::leak) tell of precommits.
//!
//! Block b tells who precommitted block b − 2, and shows their signatures. A decision takes the first
//! quorum of precommits and says nothing about those that come after: so they are heard for one more
//! height, while b − 1 is decided. For that the horizon lags by a height, and nothing else that is
//! said of a decided height is acted on.
//!
//! Whether a block tells the truth belongs to `valid(v)`: it depends on the block and on the chain it
//! stands on. A proposer that knows too little, since it has just come back or sync brought it here, tells
//! nothing, and no weight changes. One that lies can leave out whom it likes, but where absence
//! counts ([`Mode::OnChain`]) it must show a quorum, and a precommit that the next honest proposer shows
//! takes four times off a score what one miss adds, and gives back a sixty-fourth of the bond. One miss takes
//! one part in Q: so from Q = 32 on liars with less than a third of the turns take less than the others
//! give back. With a smaller Q the weight of an honest victim settles below the whole.
//!
//! Only precommits of one round count, that in which it was decided. Whoever sees the decision before it
//! has precommitted itself stays away, as far as anybody can tell.

use super::{Config, Instance, Message, message::Commit};
use crate::{
    protocol::Turn,
    quorum::{Claimed, Signed},
};
use crypto::{Hash, Signature, codec};
use ledger::{
    Block, BlockHash, Committee, Duty, Header, Leak, Proof, ReplicaId, leak::Mode,
    vote::MAX_COMMITTEE,
};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, sync::Arc};

/// The precommits that blocks may tell of: one height's instance has those of the two before.
#[derive(Debug, Default)]
pub(super) struct Attendance {
    /// Of the block decided before. Those that come now are added.
    parent: Option<Roll>,
    /// Of its parent: no more are heard.
    grandparent: Option<Roll>,
}

/// The precommits by which one block was decided, and those that came after.
#[derive(Debug)]
pub(super) struct Roll {
    /// What all of them say.
    precommit: Message,
    /// Who could.
    committee: Arc<Committee>,
    /// Of members, each checked.
    signatures: BTreeMap<ReplicaId, Signature>,
}

/// The proof in a [`Duty::Participation`]: the signatures of those it names, in its order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Shown {
    /// Of the precommits.
    pub(super) round: u64,
    /// The table that they name, if they name one.
    pub(super) table: Option<Hash>,
    pub(super) signatures: Vec<Signature>,
}

/// Why what a block tells of who took part is wrong.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum BadRoll {
    #[error("it tells who took part at height {0}, which is not two before its own")]
    Height(u64),
    #[error("the proof of who took part cannot be read: {0}")]
    Malformed(String),
    #[error("it names {named} that took part, and shows {shown} signatures")]
    Length { named: usize, shown: usize },
    #[error("it does not name those who took part by rising number")]
    Disorder,
    #[error("it names replica {0}, which had no seat")]
    Stranger(ReplicaId),
    #[error("those who took part weigh {weight} of {total}, which is no quorum")]
    TooFew { weight: u128, total: u128 },
    #[error("the precommit of replica {0} is forged")]
    Forged(ReplicaId),
}

/// How many heights after its own the precommits of a decision are still heard.
pub(super) fn lag(config: &Config) -> u64 {
    u64::from(config.leak.is_some())
}

impl Attendance {
    /// When the height after that of `decided` begins.
    pub(super) fn then(self, decided: Option<Roll>, height: u64) -> Attendance {
        // Sync may have passed over heights.
        let is_before = |roll: &Roll| roll.precommit.height().checked_add(2) == Some(height);
        Attendance { parent: decided, grandparent: self.parent.filter(is_before) }
    }

    /// A message of a decided height, of use only if it is one more of its precommits.
    pub(super) fn hear(&mut self, signed: &Signed<Message>) {
        if let Some(roll) = &mut self.parent
            && roll.precommit == *signed.message()
            && roll.committee.seat(signed.sender()).is_some()
        {
            roll.signatures.insert(signed.sender(), *signed.signature());
        }
    }
}

impl Roll {
    fn duty(&self) -> Duty {
        let signatures = self.signatures.values().copied().collect();
        let (round, table) = (self.precommit.round(), self.precommit.table());
        let shown = Shown { round, table, signatures };
        Duty::Participation {
            height: self.precommit.height(),
            present: self.signatures.keys().copied().collect(),
            proof: shown.encode(),
        }
    }

    /// Whether a signature need not be checked again.
    fn knows(&self, precommit: &Message, sender: ReplicaId, signature: &Signature) -> bool {
        self.precommit == *precommit && self.signatures.get(&sender) == Some(signature)
    }
}

impl Shown {
    /// No honest proof is longer: a round, a table's name, a length, and a signature for each seat.
    const MAX_BYTES: usize = 8 + 33 + 8 + MAX_COMMITTEE * 64;

    pub(super) fn encode(&self) -> Proof {
        Proof(codec::encode(self))
    }

    fn decode(proof: &Proof) -> Result<Shown, BadRoll> {
        codec::decode(&proof.0, Shown::MAX_BYTES)
            .map_err(|error| BadRoll::Malformed(error.to_string()))
    }

    /// What was signed, if it was for `value`.
    fn precommit(&self, height: u64, value: BlockHash) -> Message {
        let Shown { round, table, .. } = *self;
        Message::Precommit { height, round, value: Some(value), table }
    }
}

impl Instance {
    /// The precommits that decide this height. None where blocks do not tell of them.
    pub(super) fn roll(
        &self,
        (round, value, table): (u64, BlockHash, Option<Hash>),
        signatures: &[(ReplicaId, Signature)],
    ) -> Option<Roll> {
        self.config.leak?;
        let (height, value) = (self.height, Some(value));
        Some(Roll {
            precommit: Message::Precommit { height, round, value, table },
            committee: self.log.committee().clone(),
            signatures: signatures.iter().copied().collect(),
        })
    }

    /// The same of a block that sync committed by `proof`, which it has checked.
    pub(super) fn synced_roll(
        &self,
        header: &Header,
        proof: &Proof,
        turn: &Turn<'_, Message>,
    ) -> Option<Roll> {
        self.config.leak?;
        let Commit { round, block, signatures, table } = Commit::decode(proof).ok()?;
        let (height, value) = (header.height, Some(block));
        let table = (!table.is_empty()).then(|| table.matrix().hash());
        Some(Roll {
            precommit: Message::Precommit { height, round, value, table },
            committee: turn.app.committee(header.parent)?,
            signatures: signatures.into_iter().collect(),
        })
    }

    /// What a fresh block of ours tells of who took part.
    pub(super) fn participation(&self) -> Option<Duty> {
        let (leak, roll) = (self.config.leak?, self.attendance.grandparent.as_ref()?);
        let present = roll.signatures.keys().copied();
        is_enough(&leak, &roll.committee, present).is_ok().then(|| roll.duty())
    }

    /// Whether a child of the block decided before tells the truth about who took part, if it tells anything.
    ///
    /// # Errors
    /// [`BadRoll`]: the first thing that is wrong.
    pub(super) fn check_participation(
        &self,
        block: &Block,
        turn: &Turn<'_, Message>,
    ) -> Result<(), BadRoll> {
        // The ledger refuses one where there is no leak, and one before another duty.
        let (Some(leak), Some(Duty::Participation { height, present, proof })) =
            (self.config.leak, block.duties.last())
        else {
            return Ok(());
        };
        if *height == 0 || height.checked_add(2) != Some(self.height) {
            return Err(BadRoll::Height(*height));
        }
        let held = |hash| turn.app.block(hash).expect("a decided block is held");
        let value = held(self.parent).header.parent;
        let committee = turn.app.committee(held(value).header.parent);
        let committee = committee.expect("a decided block has a committee");
        let shown = Shown::decode(proof)?;
        let (named, signatures) = (present.len(), &shown.signatures);
        if named != signatures.len() {
            return Err(BadRoll::Length { named, shown: signatures.len() });
        }
        if !present.is_sorted_by(|one, other| one < other) {
            return Err(BadRoll::Disorder);
        }
        if let Some(&stranger) = present.iter().find(|id| committee.seat(**id).is_none()) {
            return Err(BadRoll::Stranger(stranger));
        }
        is_enough(&leak, &committee, present.iter().copied())?;
        let precommit = shown.precommit(*height, value);
        let roll = self.attendance.grandparent.as_ref();
        for (&sender, &signature) in present.iter().zip(signatures) {
            if roll.is_some_and(|roll| roll.knows(&precommit, sender, &signature)) {
                continue;
            }
            let claimed = Claimed { sender, message: precommit.clone(), signature };
            turn.open(&claimed).ok_or(BadRoll::Forged(sender))?;
        }
        Ok(())
    }
}

/// Whether so many may tell who was absent. Where absence does not count anybody may be named.
fn is_enough(
    leak: &Leak,
    committee: &Committee,
    present: impl Iterator<Item = ReplicaId>,
) -> Result<(), BadRoll> {
    let weight = present.map(|id| committee.weight_of(id)).sum();
    if leak.mode == Mode::OnChain && !committee.is_quorum(weight) {
        return Err(BadRoll::TooFew { weight, total: committee.total() });
    }
    Ok(())
}
