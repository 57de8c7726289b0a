//! What replicas say to each other, and how hostile bytes become something to believe.
//!
//! A [`Packet`] is what we send: typed, and signed where it matters. [`Packet`]s travel inside an
//! [`Envelope`], numbered by its sender so that traces can tell cause from effect. [`open`] turns
//! bytes back into something a replica may act upon; it is a pure function, so a node runs it on
//! worker threads and the simulator in line.

use crate::{
    cache::TransactionCache,
    gossip::Summary,
    testimony::{ClaimedStub, Hearsay, MAX_SHOWN, Stub},
};
use consensus::{Claimed, Message, Signed, quorum::Forged};
use crypto::codec::{self, CodecError};
use ledger::{
    Action, Block, BlockHash, Keys, Proof, Transaction, TransactionId, VerifiedTransaction,
    block::MAX_BLOCK_BYTES, transaction::BadTransaction,
};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

pub mod compact;

use compact::{Carrier, Compact, Completed};

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
    /// Who said what in slots that are dead, by the sender's word.
    Hearsay(Hearsay),
    /// What is left of messages: it may convict who signed them.
    Testimony(Vec<Stub>),
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
    /// All of a message that came without transactions we have not met.
    Whole(Carrier),
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
    Compact(Compact<M>),
    Hearsay(Hearsay),
    Testimony(Vec<ClaimedStub>),
}

/// The numbers by which [`Wire::Blocks`] and [`Wire::Branch`] travel.
const BLOCKS: [u32; 2] = [3, 4];

/// What an envelope held, checked as far as no state is needed.
#[derive(Clone, Debug)]
pub enum Opened<M> {
    /// A message whose signature is the sender's.
    Message(Signed<M>),
    /// What a peer holds.
    Summary(Summary),
    /// What a peer lacks.
    Ask(Ask),
    /// Committed blocks, not yet proven.
    Blocks(Vec<Chained>),
    /// A block, not yet known to be wanted, and what are said to be ancestors of it.
    Branch(Vec<Arc<Block>>),
    /// A message, perhaps, but not all of it: transactions are missing that we have not met.
    Incomplete(Carrier),
    /// Who said what, by a peer's word.
    Hearsay(Hearsay),
    /// What is left of messages whose signatures are their senders'.
    Testimony(Vec<Stub>),
}

impl<M: Message> Opened<M> {
    /// What it is, for counting: a message's kind, or a word for what else replicas say.
    pub fn kind(&self) -> &'static str {
        match self {
            Opened::Message(signed) => signed.message().kind(),
            Opened::Summary(_) => "summary",
            Opened::Ask(_) => "ask",
            Opened::Blocks(_) => "blocks",
            Opened::Branch(_) => "branch",
            Opened::Incomplete(_) => "incomplete",
            Opened::Hearsay(_) => "hearsay",
            Opened::Testimony(_) => "testimony",
        }
    }
}

/// Why an envelope is thrown away unread.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Refused {
    /// The bytes are no canonical envelope.
    #[error("the envelope cannot be decoded: {0}")]
    Codec(#[from] CodecError),
    /// A signature is not its sender's.
    #[error(transparent)]
    Forged(Forged),
    /// A signature is that of somebody whose key the chain has not told us, which it may have told others.
    #[error("the {} is said to be from replica {}, whose key is not known here", .0.kind, .0.sender)]
    Stranger(Forged),
    /// The bytes are no compact form of a message.
    #[error("a message without its transactions cannot be completed: {0}")]
    Compact(&'static str),
    /// A transaction is bad whatever the state.
    #[error("a gossiped transaction is bad: {0}")]
    Transaction(#[from] BadTransaction),
    /// More is shown than anybody honest shows at a time.
    #[error("{found} stubs are shown at once, at most {limit} are looked at")]
    TooMany {
        /// How many there are.
        found: usize,
        /// How many there may be.
        limit: usize,
    },
}

impl Refused {
    /// What is wrong with a signature that does not verify.
    fn signature(forged: Forged, keys: &Keys) -> Refused {
        match keys.knows(forged.sender) {
            true => Refused::Forged(forged),
            false => Refused::Stranger(forged),
        }
    }

    /// Whether an honest peer never sends it. Whoever is ahead of us may know a newcomer that we do not
    /// know yet.
    pub fn is_fault(&self) -> bool {
        !matches!(self, Refused::Stranger(_))
    }

    /// A word for counters.
    pub fn reason(&self) -> &'static str {
        match self {
            Refused::Codec(CodecError::TooLong { .. }) => "too_long",
            Refused::Codec(_) | Refused::Compact(_) => "malformed",
            Refused::Forged(_) => "forged",
            Refused::Stranger(_) => "stranger",
            Refused::TooMany { .. } => "too_many",
            Refused::Transaction(BadTransaction::WrongChain { .. }) => "wrong_chain",
            Refused::Transaction(BadTransaction::TooLong { .. }) => "too_long",
            Refused::Transaction(BadTransaction::BadSignature { .. }) => "bad_signature",
        }
    }
}

impl<M: Message> Envelope<M> {
    /// The bytes that travel.
    pub fn encode(&self) -> Vec<u8> {
        codec::encode(&(self.seq, self.wire()))
    }

    /// How many bytes [`Envelope::encode`] would produce, counted without producing them.
    pub fn encoded_len(&self) -> usize {
        codec::encoded_len(&(self.seq, self.wire()))
    }

    fn wire(&self) -> Wire<M> {
        match &self.packet {
            Packet::Message(signed) => Wire::Message(signed.claimed().clone()),
            Packet::Summary(summary) => Wire::Summary(summary.clone()),
            Packet::Ask(ask) => Wire::Ask(*ask),
            Packet::Blocks(blocks) => Wire::Blocks(blocks.clone()),
            Packet::Branch(blocks) => Wire::Branch(blocks.clone()),
            Packet::Hearsay(hearsay) => Wire::Hearsay(hearsay.clone()),
            Packet::Testimony(stubs) => {
                Wire::Testimony(stubs.iter().map(|stub| stub.claimed().clone()).collect())
            }
        }
    }

    /// The bytes of a first send: where it is worth it a message leaves its block's transactions
    /// behind, but for those that `is_fresh` says the receivers may not have met. None where it is
    /// not.
    pub fn encode_compact(&self, is_fresh: impl Fn(TransactionId) -> bool) -> Option<Vec<u8>> {
        let Packet::Message(signed) = &self.packet else { return None };
        let compact = Compact::of(signed, is_fresh)?;
        Some(codec::encode(&(self.seq, Wire::Compact(compact))))
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
            Packet::Hearsay(_) => "hearsay",
            Packet::Testimony(_) => "testimony",
        }
    }

    /// What the receiver gets in a world where values travel as they are.
    pub fn carried(self) -> Opened<M> {
        match self {
            Packet::Message(signed) => Opened::Message(signed),
            Packet::Summary(summary) => Opened::Summary(summary),
            Packet::Ask(ask) => Opened::Ask(ask),
            Packet::Blocks(blocks) => Opened::Blocks(blocks),
            Packet::Branch(blocks) => Opened::Branch(blocks),
            Packet::Hearsay(hearsay) => Opened::Hearsay(hearsay),
            Packet::Testimony(stubs) => Opened::Testimony(stubs),
        }
    }
}

/// Whether an envelope says that it is an answer with blocks. That is told by two numbers at its beginning, so
/// nothing has to be decoded of one that nobody asked for.
pub fn claims_blocks(bytes: &[u8]) -> bool {
    let kind = bytes.get(8..12).and_then(|kind| kind.try_into().ok()).map(u32::from_le_bytes);
    kind.is_some_and(|kind| BLOCKS.contains(&kind))
}

/// Decodes an envelope from anyone and checks every signature in it: the message's, those of the
/// messages inside it, and those of the transactions it carries, unless `cache` knows them to be
/// good.
pub fn open<M: Message>(
    bytes: &[u8],
    keys: &Keys,
    cache: &TransactionCache,
) -> Result<(u64, Opened<M>), Refused> {
    let (seq, wire): (u64, Wire<M>) = codec::decode(bytes, MAX_ENVELOPE_BYTES)?;
    let opened = match wire {
        Wire::Message(claimed) => Opened::Message(open_message(claimed, keys, cache)?),
        Wire::Compact(compact) => match compact.complete(cache)? {
            Completed::Whole(claimed) => Opened::Message(open_message(claimed, keys, cache)?),
            Completed::Lacking(carrier) => Opened::Incomplete(carrier),
        },
        Wire::Summary(summary) => Opened::Summary(summary),
        Wire::Ask(ask) => Opened::Ask(ask),
        Wire::Blocks(mut blocks) => {
            blocks.iter_mut().for_each(|chained| verify_block(&mut chained.block, keys, cache));
            Opened::Blocks(blocks)
        }
        Wire::Branch(mut blocks) => {
            blocks.iter_mut().for_each(|block| verify_block(block, keys, cache));
            Opened::Branch(blocks)
        }
        Wire::Hearsay(hearsay) => Opened::Hearsay(hearsay),
        Wire::Testimony(claimed) => Opened::Testimony(open_stubs(claimed, keys)?),
    };
    Ok((seq, opened))
}

/// Checks each signature. An honest peer shows what it has checked itself.
fn open_stubs(claimed: Vec<ClaimedStub>, keys: &Keys) -> Result<Vec<Stub>, Refused> {
    let (found, limit) = (claimed.len(), MAX_SHOWN);
    if found > limit {
        return Err(Refused::TooMany { found, limit });
    }
    // Of newcomers a peer may have learnt before us.
    let known = claimed.into_iter().filter(|claimed| keys.knows(claimed.sender));
    let opened: Result<_, Forged> = known.map(|claimed| claimed.open(keys)).collect();
    opened.map_err(|forged| Refused::signature(forged, keys))
}

/// Checks the signature of a message, then those in it: there may be tens of thousands, and only somebody
/// whose name is known should make us check them. Its block's transactions are remembered only once
/// somebody has put a name to them.
fn open_message<M: Message>(
    mut claimed: Claimed<M>,
    keys: &Keys,
    cache: &TransactionCache,
) -> Result<Signed<M>, Refused> {
    if let Some(block) = claimed.message.block_mut() {
        cache.recognise(&mut Arc::make_mut(block).transactions);
    }
    let signed = claimed.open(keys).map_err(|forged| Refused::signature(forged, keys))?;
    for inner in signed.message().claims() {
        inner.clone().open(keys).map_err(|forged| Refused::signature(forged, keys))?;
    }
    if let Some(block) = signed.message().block() {
        let good = verify_all(&block.transactions, keys, cache);
        cache.unify(&mut block.transactions[..good].to_vec());
    }
    Ok(signed)
}

/// Checks the transactions of a block that nobody here has asked for, perhaps. It is remembered
/// nowhere, but what is remembered need not be checked.
fn verify_block(block: &mut Arc<Block>, keys: &Keys, cache: &TransactionCache) {
    cache.recognise(&mut Arc::make_mut(block).transactions);
    if block.body_matches() {
        verify_all(&block.transactions, keys, cache);
    }
}

/// Checks transactions up to the first bad one; how many are good. A bad transaction does not spoil
/// the message that carries it: the ledger will reject the block for it, having looked at none of
/// those that follow, and the protocol will vote accordingly.
///
/// It begins with the last: if another thread is checking the batches in which these were gossiped,
/// oldest first, the two meet in the middle.
fn verify_all(transactions: &[Transaction], keys: &Keys, cache: &TransactionCache) -> usize {
    let bad = |transaction: &Transaction| cache.verify(transaction, keys.chain()).is_err();
    match transactions.iter().rposition(bad) {
        None => transactions.len(),
        Some(last) => transactions.iter().position(bad).unwrap_or(last),
    }
}

/// The bytes of a gossiped batch of transactions.
pub fn encode_transactions(transactions: &[VerifiedTransaction]) -> Vec<u8> {
    let plain: Vec<&Transaction> =
        transactions.iter().map(VerifiedTransaction::transaction).collect();
    codec::encode(&plain)
}

/// How many bytes [`encode_transactions`] would produce, counted without producing them.
pub fn transactions_len(transactions: &[VerifiedTransaction]) -> usize {
    let plain: Vec<&Transaction> =
        transactions.iter().map(VerifiedTransaction::transaction).collect();
    codec::encoded_len(&plain)
}

/// Decodes and verifies a gossiped batch.
///
/// # Errors
/// Those of [`decode_transactions`] and [`verify_transactions`].
pub fn open_transactions(
    bytes: &[u8],
    keys: &Keys,
    cache: &TransactionCache,
) -> Result<Vec<VerifiedTransaction>, Refused> {
    verify_transactions(&decode_transactions(bytes, cache)?, keys, cache)
}

/// Decodes a gossiped batch and remembers what is in it, good or bad. That takes a hundredth of
/// the time that checking it takes.
///
/// # Errors
/// [`Refused::Codec`].
pub fn decode_transactions(
    bytes: &[u8],
    cache: &TransactionCache,
) -> Result<Vec<Transaction>, Refused> {
    let mut transactions: Vec<Transaction> = codec::decode(bytes, MAX_ENVELOPE_BYTES)?;
    cache.unify(&mut transactions);
    Ok(transactions)
}

/// Verifies a decoded batch. One bad transaction spoils it: an honest peer forwards only what it
/// verified.
///
/// # Errors
/// [`Refused::Transaction`], or [`Refused::Forged`] for evidence that convicts nobody. What of it is not
/// known to be good is forgotten then.
pub fn verify_transactions(
    transactions: &[Transaction],
    keys: &Keys,
    cache: &TransactionCache,
) -> Result<Vec<VerifiedTransaction>, Refused> {
    let verify = |each: &Transaction| -> Result<VerifiedTransaction, Refused> {
        check_evidence(each, keys)?;
        Ok(cache.verify(each, keys.chain())?)
    };
    let verified: Result<_, _> = transactions.iter().map(verify).collect();
    verified.inspect_err(|_| cache.forget_unproven(transactions))
}

/// Forged evidence would cost everybody two signatures to find out: it goes no further than here.
/// Whoever speaks of a newcomer may have learnt of it before us.
fn check_evidence(transaction: &Transaction, keys: &Keys) -> Result<(), Refused> {
    let Action::Evidence(evidence) = &transaction.payload.action else { return Ok(()) };
    let sender = evidence.offender;
    match keys.knows(sender) && !evidence.verify(keys) {
        true => Err(Refused::Forged(Forged { sender, kind: "evidence" })),
        false => Ok(()),
    }
}

#[cfg(test)]
mod tests;
