//! Blocks: a header that binds everything, and the transactions it orders.

use crate::{BlockHash, ReplicaId, Table, Transaction, leak::BadTable, state::Refusal};
use crypto::{Domain, Hash, codec, hash, merkle};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Visitor};
use std::{fmt, time::Duration};

/// The longest encoding of a block that anyone accepts, in bytes: one yamux window, so that a vote
/// behind a block on the same connection waits little (docs/decisions).
pub const MAX_BLOCK_BYTES: usize = 256 * 1024;

/// Everything about a block but its body. Its hash is the block's name.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Header {
    /// The block this one stands on.
    pub parent: BlockHash,
    /// How many blocks precede it; the genesis has zero.
    pub height: u64,
    /// Milliseconds since 1970, later than the median of some blocks before
    /// ([`crate::Genesis::median_blocks`]).
    pub time: u64,
    /// Who built it and earns its fees.
    pub proposer: ReplicaId,
    /// Merkle root (RFC 6962) over the transactions' ids.
    pub transactions: Hash,
    /// Root of the state after this block.
    pub state: Hash,
    /// Root of the committee that decides this block's children.
    pub committee: Hash,
    /// Hash of the duties in the body; zero while there are none.
    pub participation: Hash,
    /// What names the [table](Table) of the round it was first proposed in; zero unless it ended a leak.
    pub leak: Hash,
    /// What proof-of-work searches; the last field, so that all before it hashes once.
    pub seal: Seal,
}

impl Header {
    /// The block's name.
    pub fn hash(&self) -> BlockHash {
        BlockHash(hash::tagged(Domain::Header, &codec::encode(self)))
    }
}

/// The part of a header that proof-of-work turns. All zero for other protocols.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Seal {
    /// The compact form of the target.
    pub bits: u32,
    /// The value searched for.
    pub nonce: u64,
}

/// A header and its body.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Block {
    /// Binds the body by its roots.
    pub header: Header,
    /// In order of execution.
    pub transactions: Vec<Transaction>,
    /// What the protocol told the state besides.
    pub duties: Vec<Duty>,
}

impl Block {
    /// The block's name.
    pub fn hash(&self) -> BlockHash {
        self.header.hash()
    }

    /// Decodes bytes from anyone.
    pub fn decode(bytes: &[u8]) -> Result<Block, codec::CodecError> {
        codec::decode(bytes, MAX_BLOCK_BYTES)
    }

    /// Whether the body is the one the header names.
    pub fn body_matches(&self) -> bool {
        self.header.transactions == transaction_root(&self.transactions)
            && self.header.participation == duty_root(&self.duties)
    }

    /// The path from the transaction at `index` to the header's root.
    pub fn path(&self, index: usize) -> Option<merkle::Path> {
        merkle::prove(&leaves(&self.transactions), index)
    }
}

/// Merkle root over the ids of `transactions`, in order.
pub fn transaction_root(transactions: &[Transaction]) -> Hash {
    merkle::root(&leaves(transactions))
}

fn leaves(transactions: &[Transaction]) -> Vec<[u8; 32]> {
    transactions.iter().map(|transaction| transaction.id().0.to_bytes()).collect()
}

/// Hash of `duties`; zero while there are none.
pub fn duty_root(duties: &[Duty]) -> Hash {
    match duties {
        [] => Hash::ZERO,
        _ => hash::tagged(Domain::Duties, &codec::encode(duties)),
    }
}

/// What a protocol tells the state besides transactions: who took part, what leaked.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Duty {
    /// Who took part in the decision of an earlier height.
    Participation {
        /// The height spoken of.
        height: u64,
        /// Those whose precommits are known, by rising id.
        present: Vec<ReplicaId>,
        /// Their precommits, as the protocol proves them; the ledger does not look at it.
        proof: Proof,
    },
    /// Who was heard while nobody could decide this height: the weights of the next ones follow from it,
    /// whatever weights it is decided under.
    Leak {
        /// The round it was first proposed in.
        round: u64,
        /// Of the rounds before that one.
        table: Table,
    },
}

/// What names the table of a leak that `duties` tell of; zero if there is none.
pub fn leak_root(duties: &[Duty]) -> Hash {
    let mut tables = duties.iter().filter_map(|duty| match duty {
        Duty::Leak { table, .. } => Some(table.hash()),
        Duty::Participation { .. } => None,
    });
    tables.next().unwrap_or(Hash::ZERO)
}

/// Everything that makes a block, so that replicas that execute the same make the same.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Draft {
    /// The block to build on.
    pub parent: BlockHash,
    /// In the order wished for; what does not execute is left out.
    pub transactions: Vec<Transaction>,
    /// Milliseconds since 1970; raised to the earliest allowed where it is not later.
    pub time: u64,
    /// Who builds it.
    pub proposer: ReplicaId,
    /// What the protocol tells the state besides.
    pub duties: Vec<Duty>,
    /// The proof-of-work fields.
    pub seal: Seal,
}

/// What makes a block final, opaque beside it; only the protocol's `verify` reads it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Proof(pub Vec<u8>);

impl Serialize for Proof {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            serializer.serialize_str(&hex::encode(&self.0))
        } else {
            // As one piece: a list of bytes would be taken one by one, and encodes to the same.
            serializer.serialize_bytes(&self.0)
        }
    }
}

impl<'de> Deserialize<'de> for Proof {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if !deserializer.is_human_readable() {
            return deserializer.deserialize_byte_buf(Bytes).map(Proof);
        }
        let text = String::deserialize(deserializer)?;
        hex::decode(text).map(Proof).map_err(serde::de::Error::custom)
    }
}

/// Takes bytes in one piece.
struct Bytes;

impl Visitor<'_> for Bytes {
    type Value = Vec<u8>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("bytes")
    }

    fn visit_byte_buf<E>(self, bytes: Vec<u8>) -> Result<Vec<u8>, E> {
        Ok(bytes)
    }

    fn visit_bytes<E>(self, bytes: &[u8]) -> Result<Vec<u8>, E> {
        Ok(bytes.to_vec())
    }
}

/// Why the ledger does not take a block.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Rejected {
    /// It stands on a block we do not hold.
    #[error("the parent {0} is not known")]
    UnknownParent(BlockHash),
    /// It stands beside or beneath what is committed.
    #[error("the block does not descend from the committed root")]
    BelowRoot,
    /// Its time lies in our future.
    #[error("the block is for {until:?} since 1970, which is still to come")]
    TooEarly {
        /// When to look again, since 1970.
        until: Duration,
    },
    /// The tree of undecided blocks has reached its bound.
    #[error("the tree of undecided blocks is full ({0} blocks)")]
    Full(usize),
    /// It can never be taken.
    #[error(transparent)]
    Invalid(#[from] Invalid),
}

/// Why a block is wrong for good.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Invalid {
    /// The height is not one past the parent's.
    #[error("the height is {found}, the parent's child has {expected}")]
    Height {
        /// One past the parent's.
        expected: u64,
        /// The header's.
        found: u64,
    },
    /// The time is not later than the median of those before.
    #[error("the time {found} is not later than {median}, the median of the blocks before")]
    Time {
        /// Of the blocks before, in milliseconds since 1970.
        median: u64,
        /// The header's.
        found: u64,
    },
    /// The body is not the one the header names.
    #[error("the body does not match the header's roots")]
    Body,
    /// The encoding exceeds [`MAX_BLOCK_BYTES`].
    #[error("the block has {0} bytes, at most {MAX_BLOCK_BYTES} are allowed")]
    TooLong(usize),
    /// The proposer is not in the committee.
    #[error("the proposer {0} is not in the committee")]
    Proposer(ReplicaId),
    /// A transaction has a bad signature or names another chain.
    #[error("transaction {index}: {reason}")]
    Transaction {
        /// Its place in the block.
        index: usize,
        /// What is wrong with it.
        reason: crate::transaction::BadTransaction,
    },
    /// A transaction does not execute.
    #[error("transaction {index} does not execute: {reason}")]
    Execution {
        /// Its place in the block.
        index: usize,
        /// What the state says to it.
        reason: Refusal,
    },
    /// The state after execution is another.
    #[error("the state root is {found}, execution gives {expected}")]
    State {
        /// What execution gives.
        expected: Hash,
        /// What the header claims.
        found: Hash,
    },
    /// The committee after execution is another.
    #[error("the committee root is {found}, execution gives {expected}")]
    Committee {
        /// What execution gives.
        expected: Hash,
        /// What the header claims.
        found: Hash,
    },
    /// A duty this chain's rules do not know.
    #[error("the block carries duties that this chain's rules do not know")]
    Duties,
    /// More duties than one of each kind, or not in their order.
    #[error("the block carries a duty twice, or not in its order")]
    DutyOrder,
    /// The record of who took part makes no sense.
    #[error("the block tells who took part at height {height} in a way that makes no sense")]
    Participation {
        /// The height it speaks of.
        height: u64,
    },
    /// The record of a leak makes no sense.
    #[error("the block's record of a leak is none: {0}")]
    Table(#[from] BadTable),
    /// A leak head that is not that of the record in the body.
    #[error("the header names the leak {found}, the body has {expected}")]
    Leak {
        /// The body's.
        expected: Hash,
        /// The header's.
        found: Hash,
    },
}

#[cfg(test)]
mod tests;
