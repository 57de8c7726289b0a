//! Messages that leave their blocks' transactions behind.
//!
//! A transaction is gossiped before it is proposed, so a proposal need only name it: 32 bytes
//! instead of some two hundred, nothing to decode and, above all, nothing to verify again. The
//! receiver fills the block from its [`TransactionCache`] and then checks the signature over the
//! whole message as ever, so that protocols, signatures and names know nothing of this. What
//! cannot be filled is asked for ([`Ask::Whole`](super::Ask)); if that is lost, too, what brings
//! lost messages to those who lack them brings whole ones.
//!
//! The names are whole ids, not shortened ones as in Bitcoin's BIP 152: a thousand of them are
//! 32 kB on a link that carries a hundred times as much in the time that the transactions take
//! to be verified, and nobody can make two of them collide.

use super::{Claimed, Message, Refused, Signed, TransactionCache};
use crate::cache::NotFound;
use ledger::{
    Block, BlockHash, ReplicaId, Slot, Transaction, TransactionId, block::MAX_BLOCK_BYTES,
};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

#[cfg(test)]
mod tests;

/// Below so many bytes of transactions a message travels whole: it is on its way sooner than one
/// could ask for it, and with so few of them some may be younger than their gossip.
const WORTH_IT: usize = 16 * 1024;

/// Names a message that carries a block, for who has seen no more of it than that.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Carrier {
    /// Who is said to have signed it.
    pub sender: ReplicaId,
    /// Where it may be said once, if anywhere.
    pub slot: Option<Slot>,
    /// The block it carries.
    pub block: BlockHash,
}

impl Carrier {
    /// Whether `signed` is the message meant.
    pub fn is<M: Message>(&self, signed: &Signed<M>) -> bool {
        signed.sender() == self.sender
            && signed.slot() == self.slot
            && signed.message().block().is_some_and(|block| block.hash() == self.block)
    }
}

/// A message without its block's transactions.
#[derive(Serialize, Deserialize)]
#[serde(bound = "M: Message")]
pub(super) struct Compact<M> {
    /// The message, its block without a transaction; the signature is over the whole.
    claimed: Claimed<M>,
    /// The block's transactions by name, in order.
    names: Vec<TransactionId>,
    /// Those among them that the receiver may not have met.
    fresh: Vec<Transaction>,
}

/// What comes of completing a message.
pub(super) enum Completed<M> {
    /// All was found. The signature is still to be checked.
    Whole(Claimed<M>),
    /// Something was not, so all of it must be asked for.
    Lacking(Carrier),
}

impl<M: Message> Compact<M> {
    /// Leaves the transactions behind, but for those that `is_fresh` says are too young. None if
    /// that is not worth it.
    pub(super) fn of(
        signed: &Signed<M>,
        is_fresh: impl Fn(TransactionId) -> bool,
    ) -> Option<Compact<M>> {
        let block = signed.message().block()?;
        let bytes: usize = block.transactions.iter().map(Transaction::bytes).sum();
        if !(WORTH_IT..=MAX_BLOCK_BYTES).contains(&bytes) {
            return None;
        }
        let names = block.transactions.iter().map(Transaction::id).collect();
        let fresh = block.transactions.iter().filter(|each| is_fresh(each.id())).cloned();
        let fresh = fresh.collect();
        let mut claimed = signed.claimed().clone();
        let (header, duties) = (block.header.clone(), block.duties.clone());
        let bare = Block { header, transactions: Vec::new(), duties };
        *claimed.message.block_mut()? = Arc::new(bare);
        Some(Compact { claimed, names, fresh })
    }

    /// Puts the transactions back.
    pub(super) fn complete(self, cache: &TransactionCache) -> Result<Completed<M>, Refused> {
        let Compact { mut claimed, names, mut fresh } = self;
        let sender = claimed.sender;
        let slot = claimed.message.slot();
        let block = claimed.message.block_mut().ok_or(Refused::Compact("it carries no block"))?;
        if !block.transactions.is_empty() {
            return Err(Refused::Compact("its block is not empty"));
        }
        cache.recognise(&mut fresh);
        let fresh = fresh.into_iter().map(|each| (each.id(), each)).collect();
        match cache.find(&names, &fresh, MAX_BLOCK_BYTES) {
            Ok(transactions) => {
                Arc::make_mut(block).transactions = transactions;
                Ok(Completed::Whole(claimed))
            }
            Err(NotFound::Missing) => {
                Ok(Completed::Lacking(Carrier { sender, slot, block: block.hash() }))
            }
            Err(NotFound::TooLong) => Err(Refused::Compact("its block is too long")),
        }
    }
}
