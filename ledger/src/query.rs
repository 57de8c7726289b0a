//! Answers that carry their own proof, as the RPC gives them and the wallet checks them.
//!
//! Whoever trusts only the genesis checks an answer in three steps: the protocol's `verify` says
//! that [`Finality::proof`] makes the last header final, [`Finality::linked`] carries that back to
//! the first one, and the first one's roots bind the transaction or the account.

use crate::{
    Amount, Block, BlockHash, ChainId, Header, Proof, Register, ReplicaId, Slot, Staking,
    Transaction, TransactionId,
    state::{Account, AccountProof},
    vote::{Evidence, Member},
};
use crypto::{Address, Hash, merkle};
use serde::{Deserialize, Serialize};

#[cfg(test)]
mod tests;

/// Why a block is final: a proof for it or for a descendant, and the headers in between.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Finality {
    /// From the block asked about to the one that `proof` certifies.
    pub headers: Vec<Header>,
    /// For the last of `headers`.
    pub proof: Proof,
}

impl Finality {
    /// Whether the headers are a chain: one at least, each the parent of the next and one lower.
    pub fn linked(&self) -> bool {
        !self.headers.is_empty()
            && self.headers.windows(2).all(|pair| {
                pair[1].parent == pair[0].hash()
                    && pair[0].height.checked_add(1) == Some(pair[1].height)
            })
    }
}

/// What a node says about itself.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct StatusAnswer {
    /// The chain it follows.
    pub chain_id: ChainId,
    /// The module that orders blocks, by its name in the catalogue.
    pub consensus: String,
    /// Which validator it is.
    pub replica: ReplicaId,
    /// The height of the newest committed block.
    pub height: u64,
    /// The newest adopted block.
    pub head: BlockHash,
    /// Its height; above `height` where blocks are not final at once.
    #[serde(default)]
    pub head_height: u64,
    /// The protocol's round or view.
    pub round: u64,
    /// How many peers it is connected to.
    pub peers: usize,
    /// How many transactions wait.
    pub pool: usize,
    /// The time of the newest adopted block, in milliseconds since 1970.
    pub time: u64,
    /// "running", or "halted: " and why.
    pub state: String,
    /// Against whom it holds evidence of having signed two values in one slot.
    #[serde(default)]
    pub accused: Vec<ReplicaId>,
    /// Who was punished for it, up to the newest committed block.
    #[serde(default)]
    pub punished: Vec<ReplicaId>,
    /// What those punishments have destroyed.
    #[serde(default)]
    pub burned: Amount,
    /// What counts of everybody's bond in the height being decided; none where nothing ever leaks.
    #[serde(default)]
    pub weights: Option<WeightsAnswer>,
}

/// What counts of everybody's bond in the height being decided, as one replica sees it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct WeightsAnswer {
    /// The height being decided.
    pub height: u64,
    /// The protocol's round there.
    pub round: u64,
    /// Whether this is what the replica's own record of absence leaves them, because nobody can decide,
    /// and not what the chain says. Others may have other records, and no proof shows either.
    pub recovering: bool,
    /// By rising id.
    pub members: Vec<WeightAnswer>,
}

/// What counts of one member's bond.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct WeightAnswer {
    /// Whose.
    pub id: ReplicaId,
    /// Millionths of the bond that count in votes.
    pub left: u32,
    /// How often it was missed lately: see [`Share`](crate::Share).
    pub score: u32,
}

/// A block, and why it is final.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct BlockAnswer {
    /// Its name.
    pub hash: BlockHash,
    /// All of it.
    pub block: Block,
    /// None while no proof covers it.
    pub finality: Option<Finality>,
}

/// Committed blocks in a row, for those who read the whole chain.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct BlocksAnswer {
    /// By rising height, each the parent of the next; none past the newest proven one.
    pub blocks: Vec<Block>,
    /// Why the last of them is final.
    pub finality: Option<Finality>,
}

/// Headers of the adopted branch in a row, for those who weigh it themselves.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct HeadersAnswer {
    /// By rising height, each the parent of the next; the last may lie far below the head.
    pub headers: Vec<Header>,
    /// The height of the adopted head.
    pub head_height: u64,
}

/// Where consensus stands, as one replica sees it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ConsensusAnswer {
    /// The height being decided.
    pub height: u64,
    /// The protocol's round or view there.
    pub round: u64,
    /// Every slot in which somebody has spoken and that still matters, by rising slot.
    pub slots: Vec<SlotAnswer>,
}

/// What was said in one slot.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct SlotAnswer {
    /// Where.
    pub slot: Slot,
    /// The protocol's name for what is said there.
    pub kind: String,
    /// By rising sender; one that has two is an equivocator.
    pub voices: Vec<VoiceAnswer>,
}

/// What one replica said in one slot.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct VoiceAnswer {
    /// Who said it.
    pub sender: ReplicaId,
    /// The hash of what was said: equal for equal words.
    pub value: Hash,
}

/// What became of a transaction.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct TransactionAnswer {
    /// Its name.
    pub id: TransactionId,
    /// How far it has come.
    pub status: TransactionStatus,
    /// All of it, if the node has it.
    pub transaction: Option<Transaction>,
    /// The height of its block, once that is adopted or committed.
    pub height: Option<u64>,
    /// Its place in that block.
    pub index: Option<u64>,
    /// From its id to that block's transaction root.
    pub path: Option<merkle::Path>,
    /// Why that block is final.
    pub finality: Option<Finality>,
}

/// How far a transaction has come.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TransactionStatus {
    /// The node has never seen it, or has forgotten it.
    Unknown,
    /// It waits to be included; where there is a height, its block is adopted but may be undone.
    Pending,
    /// Its block is adopted, and lies deep enough to be counted on, which is not to say for good.
    Confirmed,
    /// It is in a committed block.
    Final,
}

/// What an account holds after the newest committed block.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct AccountAnswer {
    /// Whose account it is.
    pub address: Address,
    /// What it holds.
    pub account: Account,
    /// The nonce of its next transaction, counting those that wait.
    pub next_nonce: u64,
    /// The height of the block it is so after.
    pub height: u64,
    /// From the account to that block's state root.
    pub proof: AccountProof,
    /// Why that block is final; none at the genesis, which needs no proof.
    pub finality: Option<Finality>,
}

/// Two final blocks that exclude one another: a third of the stake, at least, broke the rules.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ConflictAnswer {
    /// Where.
    pub height: u64,
    /// The block that this node committed.
    pub ours: BlockHash,
    /// Why it is final.
    pub our_finality: Option<Finality>,
    /// The block that excludes it.
    pub theirs: BlockHash,
    /// Why that is final; without headers where the block itself is not held any more.
    pub their_finality: Option<Finality>,
    /// What convicts those who signed two values in one slot: one piece for each.
    pub guilty: Vec<Evidence>,
    /// All of it in words, with what the guilty weigh, or why nobody can be convicted.
    pub verdict: String,
}

/// Who decides the children of a block.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct CommitteeAnswer {
    /// The height of that block.
    pub height: u64,
    /// Sorted by id.
    pub members: Vec<Member>,
    /// What the members weigh while nobody can decide the next height; none while somebody can.
    #[serde(default)]
    pub recovery: Option<WeightsAnswer>,
}

/// Everybody's stake after the newest committed block.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct StakeAnswer {
    /// The rules; none where the genesis fixes the validators for good.
    pub rules: Option<Staking>,
    /// Who has what at stake.
    pub register: Register,
    /// All the money there is.
    pub supply: Amount,
    /// The height of the block it is so after.
    pub height: u64,
    /// From the register to that block's state root; that there is none, where there are no rules.
    pub proof: AccountProof,
    /// Why that block is final; none at the genesis, which needs no proof.
    pub finality: Option<Finality>,
}

/// A change of the committee.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ChangeAnswer {
    /// The height of the header that is the first to name it. It decides from the next height on.
    pub height: u64,
    /// Who is in it, sorted by id.
    pub members: Vec<Member>,
    /// Why that header is final, which the committee before it decided.
    pub finality: Finality,
}

/// Changes of the committee in a row, for those who follow them from the genesis on.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct CommitteesAnswer {
    /// By rising height; none is left out between the height asked for and the last of them.
    pub changes: Vec<ChangeAnswer>,
    /// Whether there are more than one answer holds.
    pub more: bool,
}
