//! What replicas say to each other, and how hostile bytes become something to believe.
//!
//! A [`Packet`] is what we send: typed, and signed where it matters. [`Packet`]s travel inside an
//! [`Envelope`], numbered by its sender so that traces can tell cause from effect. [`open`] turns
//! bytes back into something a replica may act upon; it is a pure function, so a node runs it on
//! worker threads and the simulator in line.

use crate::gossip::Summary;
use consensus::{Claimed, Message, Signed, quorum::Forged};
use crypto::codec::{self, CodecError};
use ledger::{
    Block, BlockHash, Keys, Proof, Transaction, VerifiedTransaction, block::MAX_BLOCK_BYTES,
    transaction::BadTransaction,
};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// The longest envelope anyone opens, in bytes: an answer to a sync request, and some.
pub const MAX_ENVELOPE_BYTES: usize = 4 * MAX_BLOCK_BYTES;

/// Something said, with its number among the sender's envelopes.
#[derive(Clone, Debug)]
pub struct Envelope<M> {
    /// Counts up from one, for each life of the sender.
    pub seq: u64,
    /// What is said.
    pub packet: Packet<M>,
}

/// What replicas say to each other.
#[derive(Clone, Debug)]
pub enum Packet<M> {
    /// A protocol's message.
    Message(Signed<M>),
    /// What the sender holds.
    Summary(Summary),
    /// What the sender lacks.
    Ask(Ask),
    /// Committed blocks in a row, with their proofs.
    Blocks(Vec<Chained>),
    /// A block somebody wanted, and ancestors of it, newest first.
    Branch(Vec<Arc<Block>>),
}

/// A request to one peer.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Ask {
    /// Committed blocks from this height on.
    Blocks {
        /// The first height wanted.
        from: u64,
    },
    /// A block, decided or not, and some of what it stands on.
    Block(BlockHash),
    /// One message without a slot, by its id.
    Message([u8; 32]),
    /// What the peer holds, at once.
    Summary,
}

/// A committed block on its way to a replica that is behind.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Chained {
    /// The block.
    pub block: Arc<Block>,
    /// What makes it final; a later block's proof may cover this one.
    pub proof: Option<Proof>,
}

/// The form that travels. Kept beside [`Packet`] because a [`Signed`] can never be decoded.
#[derive(Serialize, Deserialize)]
#[serde(bound = "M: Message")]
enum Wire<M> {
    Message(Claimed<M>),
    Summary(Summary),
    Ask(Ask),
    Blocks(Vec<Chained>),
    Branch(Vec<Arc<Block>>),
}

/// What an envelope held, checked as far as no state is needed.
#[derive(Clone, Debug)]
pub enum Opened<M> {
    /// A message whose signature is the sender's, and the transactions in it that verify.
    Message {
        /// The message.
        signed: Signed<M>,
        /// Those of its block's transactions whose signatures are good.
        verified: Vec<VerifiedTransaction>,
    },
    /// What a peer holds.
    Summary(Summary),
    /// What a peer lacks.
    Ask(Ask),
    /// Committed blocks, not yet proven.
    Blocks(Vec<Chained>),
    /// A block, not yet known to be wanted, and what are said to be ancestors of it.
    Branch(Vec<Arc<Block>>),
}

/// Why an envelope is thrown away unread.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Refused {
    /// The bytes are no canonical envelope.
    #[error("the envelope cannot be decoded: {0}")]
    Codec(#[from] CodecError),
    /// A signature is not its sender's.
    #[error(transparent)]
    Forged(#[from] Forged),
    /// A transaction is bad whatever the state.
    #[error("a gossiped transaction is bad: {0}")]
    Transaction(#[from] BadTransaction),
}

impl Refused {
    /// A word for counters.
    pub fn reason(&self) -> &'static str {
        match self {
            Refused::Codec(CodecError::TooLong { .. }) => "too_long",
            Refused::Codec(_) => "malformed",
            Refused::Forged(_) => "forged",
            Refused::Transaction(BadTransaction::WrongChain { .. }) => "wrong_chain",
            Refused::Transaction(BadTransaction::TooLong { .. }) => "too_long",
            Refused::Transaction(BadTransaction::BadSignature { .. }) => "bad_signature",
        }
    }
}

impl<M: Message> Envelope<M> {
    /// The bytes that travel.
    pub fn encode(&self) -> Vec<u8> {
        let wire = match &self.packet {
            Packet::Message(signed) => Wire::Message(signed.claimed().clone()),
            Packet::Summary(summary) => Wire::Summary(summary.clone()),
            Packet::Ask(ask) => Wire::Ask(*ask),
            Packet::Blocks(blocks) => Wire::Blocks(blocks.clone()),
            Packet::Branch(blocks) => Wire::Branch(blocks.clone()),
        };
        codec::encode(&(self.seq, wire))
    }
}

impl<M: Message> Packet<M> {
    /// A word for traces and counters.
    pub fn kind(&self) -> &'static str {
        match self {
            Packet::Message(signed) => signed.message().kind(),
            Packet::Summary(_) => "summary",
            Packet::Ask(_) => "ask",
            Packet::Blocks(_) => "blocks",
            Packet::Branch(_) => "branch",
        }
    }

    /// What the receiver gets in a world where values travel as they are.
    pub fn carried(self) -> Opened<M> {
        match self {
            Packet::Message(signed) => Opened::Message { signed, verified: Vec::new() },
            Packet::Summary(summary) => Opened::Summary(summary),
            Packet::Ask(ask) => Opened::Ask(ask),
            Packet::Blocks(blocks) => Opened::Blocks(blocks),
            Packet::Branch(blocks) => Opened::Branch(blocks),
        }
    }
}

/// Decodes an envelope from anyone and checks every signature in it: the message's, those of the
/// messages inside it, and those of the transactions it carries.
pub fn open<M: Message>(bytes: &[u8], keys: &Keys) -> Result<(u64, Opened<M>), Refused> {
    let (seq, wire): (u64, Wire<M>) = codec::decode(bytes, MAX_ENVELOPE_BYTES)?;
    let opened = match wire {
        Wire::Message(claimed) => {
            for inner in claimed.message.claims() {
                inner.clone().open(keys)?;
            }
            let signed = claimed.open(keys)?;
            let verified = verify_block(signed.message().block(), keys);
            Opened::Message { signed, verified }
        }
        Wire::Summary(summary) => Opened::Summary(summary),
        Wire::Ask(ask) => Opened::Ask(ask),
        Wire::Blocks(blocks) => Opened::Blocks(blocks),
        Wire::Branch(blocks) => Opened::Branch(blocks),
    };
    Ok((seq, opened))
}

/// A bad transaction does not spoil the message that carries it: the ledger will reject the block
/// and the protocol will vote accordingly.
fn verify_block(block: Option<&Arc<Block>>, keys: &Keys) -> Vec<VerifiedTransaction> {
    block
        .map(|block| {
            let transactions = block.transactions.iter().cloned();
            transactions.filter_map(|transaction| transaction.verify(keys.chain()).ok()).collect()
        })
        .unwrap_or_default()
}

/// The bytes of a gossiped batch of transactions.
pub fn encode_transactions(transactions: &[VerifiedTransaction]) -> Vec<u8> {
    let plain: Vec<&Transaction> =
        transactions.iter().map(VerifiedTransaction::transaction).collect();
    codec::encode(&plain)
}

/// Decodes and verifies a gossiped batch. One bad transaction spoils it: an honest peer forwards
/// only what it verified.
pub fn open_transactions(bytes: &[u8], keys: &Keys) -> Result<Vec<VerifiedTransaction>, Refused> {
    let transactions: Vec<Transaction> = codec::decode(bytes, MAX_ENVELOPE_BYTES)?;
    let verified = transactions.into_iter().map(|transaction| transaction.verify(keys.chain()));
    Ok(verified.collect::<Result<_, _>>()?)
}

#[cfg(test)]
mod tests;
