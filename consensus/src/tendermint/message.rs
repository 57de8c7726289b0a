//! What Tendermint's replicas say to each other, and what proves a decision to everybody else.

use super::recovery::SignedTable;
use crate::{
    protocol::{self, Backing, Message as _, Topic, Trusted, Unproven},
    quorum::{Certificate, value_of},
};
use crypto::{Hash, Signature, codec};
use ledger::{
    Block, BlockHash, Header, Proof, ReplicaId, Slot,
    leak::{MAX_ALIVES, Mode},
    vote::MAX_COMMITTEE,
};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// The three messages of the paper, and one by which a height that nobody can decide goes on. Each names
/// its height and round, and its signature binds the
/// chain, the sender and the kind besides, so none can be replayed as another.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Message {
    /// ⟨ALIVE, h, r⟩: the sender enters a later round of a chain with recovery rounds. It names no record
    /// of who else is alive, so it counts in everybody's.
    Alive {
        /// Of the block to be decided.
        height: u64,
        /// Which begins; never the first.
        round: u64,
        /// The block decided before.
        parent: BlockHash,
    },
    /// ⟨PROPOSAL, h, r, v, vr⟩: the round's proposer offers a value.
    Proposal {
        /// Of the block.
        height: u64,
        /// Whose proposer speaks.
        round: u64,
        /// The round of the polka that made it the proposer's valid value; none for a fresh one
        /// (the paper's −1).
        valid_round: Option<u64>,
        /// The prevotes of that polka: who signed, by rising id, and the signatures. Empty for a
        /// fresh value.
        polka: Vec<(ReplicaId, Signature)>,
        /// Under whose weights the votes of this round count, and those of the polka. None where
        /// all weights are those of the chain.
        tables: Option<Arc<Tables>>,
        /// The value.
        block: Arc<Block>,
    },
    /// ⟨PREVOTE, h, r, id(v)⟩: a value is acceptable, or nothing is.
    Prevote {
        /// Of the block.
        height: u64,
        /// Whose proposal is judged.
        round: u64,
        /// The block's name; none is nil.
        value: Option<BlockHash>,
        /// What names the proposal's table, where it has one; nil names none.
        table: Option<Hash>,
    },
    /// ⟨PRECOMMIT, h, r, id(v)⟩: the sender has seen a polka for a value and locks it, or has not.
    Precommit {
        /// Of the block.
        height: u64,
        /// Of the polka.
        round: u64,
        /// The block's name; none is nil.
        value: Option<BlockHash>,
        /// What names the polka's table, where it has one; nil names none.
        table: Option<Hash>,
    },
}

/// The tables of a proposal: `recovery.rs` says what for.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Tables {
    /// Of its own round; empty before the leak begins.
    pub own: SignedTable,
    /// Of the round of the polka it brings.
    pub polka: SignedTable,
}

/// The last field of slots and timers: which message may be signed once, which timeout rings.
pub(super) mod phase {
    /// A proposal, and tPropose.
    pub(in super::super) const PROPOSE: u8 = 0;
    /// A prevote, and tPrevote.
    pub(in super::super) const PREVOTE: u8 = 1;
    /// A precommit, and tPrecommit.
    pub(in super::super) const PRECOMMIT: u8 = 2;
    /// Only a timer: an idle chain has paused long enough.
    pub(in super::super) const IDLE: u8 = 3;
    /// Only a timer: a block that lay in the future no longer does.
    pub(in super::super) const EARLY: u8 = 4;
    /// Only a message: somebody enters a round.
    pub(in super::super) const ALIVE: u8 = 5;
}

impl Message {
    /// The height it belongs to.
    pub fn height(&self) -> u64 {
        self.place().height
    }

    /// The round it belongs to.
    pub fn round(&self) -> u64 {
        self.place().round
    }

    /// The block it names; nothing for nil.
    pub fn value(&self) -> Option<BlockHash> {
        match self {
            Message::Proposal { block, .. } => Some(block.hash()),
            Message::Prevote { value, .. } | Message::Precommit { value, .. } => *value,
            Message::Alive { .. } => None,
        }
    }

    /// What names the table that a vote counts under; nothing for the weights of the chain.
    pub(super) fn table(&self) -> Option<Hash> {
        match self {
            Message::Prevote { table, .. } | Message::Precommit { table, .. } => *table,
            Message::Proposal { .. } | Message::Alive { .. } => None,
        }
    }

    fn place(&self) -> Slot {
        let (height, round, phase) = match *self {
            Message::Alive { height, round, .. } => (height, round, phase::ALIVE),
            Message::Proposal { height, round, .. } => (height, round, phase::PROPOSE),
            Message::Prevote { height, round, .. } => (height, round, phase::PREVOTE),
            Message::Precommit { height, round, .. } => (height, round, phase::PRECOMMIT),
        };
        Slot { height, epoch: 0, round, phase }
    }
}

impl protocol::Message for Message {
    fn kind(&self) -> &'static str {
        match self {
            Message::Alive { .. } => "alive",
            Message::Proposal { .. } => "proposal",
            Message::Prevote { .. } => "prevote",
            Message::Precommit { .. } => "precommit",
        }
    }

    fn kinds() -> &'static [&'static str] {
        &["alive", "proposal", "prevote", "precommit"]
    }

    fn slot(&self) -> Option<Slot> {
        Some(self.place())
    }

    fn about(&self) -> Topic {
        let valid_round = match *self {
            Message::Proposal { valid_round, .. } => valid_round,
            Message::Alive { .. } | Message::Prevote { .. } | Message::Precommit { .. } => None,
        };
        Topic { valid_round, ..Topic::of(self.value()) }
    }

    #[cfg(any(test, feature = "byzantine"))]
    fn confusable(&self) -> Option<Message> {
        match *self {
            Message::Alive { .. } | Message::Proposal { .. } => None,
            Message::Prevote { height, round, value, table } => {
                Some(Message::Precommit { height, round, value, table })
            }
            Message::Precommit { height, round, value, table } => {
                Some(Message::Prevote { height, round, value, table })
            }
        }
    }

    fn block(&self) -> Option<&Arc<Block>> {
        match self {
            Message::Proposal { block, .. } => Some(block),
            Message::Alive { .. } | Message::Prevote { .. } | Message::Precommit { .. } => None,
        }
    }

    fn block_mut(&mut self) -> Option<&mut Arc<Block>> {
        match self {
            Message::Proposal { block, .. } => Some(block),
            Message::Alive { .. } | Message::Prevote { .. } | Message::Precommit { .. } => None,
        }
    }
}

/// What makes a block final: a quorum's precommits for it, of one round. Travels as a
/// [`Proof`] beside the block.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Commit {
    /// In which it was decided.
    pub round: u64,
    /// The block decided.
    pub block: BlockHash,
    /// Who precommitted, by rising id, with the signatures of those precommits.
    pub signatures: Vec<(ReplicaId, Signature)>,
    /// Under whose weights they are a quorum; empty for those of the chain.
    pub table: SignedTable,
}

impl Commit {
    /// No honest proof is longer: a round, a hash, lengths, and an id and signature for each seat and each
    /// voice of a table, which may all be in rows of their own.
    const MAX_BYTES: usize = 8 + 32 + 16 + MAX_COMMITTEE * (4 + 64) + MAX_ALIVES * (4 + 64 + 16);

    /// As it travels.
    pub fn encode(&self) -> Proof {
        Proof(codec::encode(self))
    }

    /// From bytes that anyone may have written.
    pub fn decode(proof: &Proof) -> Result<Commit, Unproven> {
        codec::decode(&proof.0, Commit::MAX_BYTES)
            .map_err(|error| Unproven::Malformed(error.to_string()))
    }
}

/// [`protocol::Protocol::verify`] for Tendermint: the headers are a chain that one committee
/// decides, and a quorum of it precommitted the last of them.
pub(super) fn verify(
    headers: &[Header],
    proof: &Proof,
    trusted: Trusted<'_>,
) -> Result<(), Unproven> {
    let Trusted { genesis, committee, keys, .. } = trusted;
    let last = trusted.last_of(headers)?;
    let commit = Commit::decode(proof)?;
    let expected = last.hash();
    if commit.block != expected {
        return Err(Unproven::WrongBlock { expected, found: commit.block });
    }
    let Commit { round, block, signatures, table } = commit;
    let precommit = |table| {
        let (height, value) = (last.height, Some(block));
        Message::Precommit { height, round, value, table }
    };
    if table.is_empty() {
        return Certificate::open(precommit(None), &signatures, committee, keys).map(drop);
    }
    let leak = genesis.leak().filter(|leak| leak.mode == Mode::Recovery);
    let leak = leak.ok_or(Unproven::NoLeak)?;
    let matrix = table.check(round, committee, &leak).map_err(Unproven::Table)?;
    if let Some(forged) = table.forged((last.height, last.parent), keys) {
        return Err(Unproven::BadSignature(forged));
    }
    let weighed = matrix.weigh(committee, &leak);
    Certificate::open(precommit(Some(matrix.hash())), &signatures, &weighed, keys).map(drop)
}

/// [`protocol::Protocol::backing`] for Tendermint: the precommits.
pub(super) fn backing(header: &Header, proof: &Proof) -> Vec<Backing> {
    let Ok(commit) = Commit::decode(proof) else { return Vec::new() };
    let Commit { round, block, signatures, table } = commit;
    let table = (!table.is_empty()).then(|| table.matrix().hash());
    let precommit = Message::Precommit { height: header.height, round, value: Some(block), table };
    let value = value_of(&precommit);
    let backing = |slot| {
        signatures.iter().map(move |&(signer, signature)| Backing {
            signer,
            slot,
            value,
            signature,
        })
    };
    precommit.slot().into_iter().flat_map(backing).collect()
}
