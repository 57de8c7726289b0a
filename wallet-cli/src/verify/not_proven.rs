//! Everything that can be wrong with a proof.

use super::blocks::FinalBlock;
use crate::{
    committees::BadChange,
    headers::{BadHeaders, Spot},
};
use consensus::catalogue::NotFinal;
use crypto::{Address, Hash, merkle::PathError};
use ledger::{
    BlockHash, ChainId, TransactionId,
    query::TransactionStatus,
    state::{BadProof, BadRegister},
    transaction::BadTransaction,
};
use thiserror::Error;

/// Which link of a proof does not hold. That a node gives such an answer says nothing about the
/// transaction or the account, only about the node.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum NotProven {
    /// It is about another transaction.
    #[error("the answer is about transaction {found}, and {asked} was asked for")]
    OtherTransaction {
        /// The one asked for.
        asked: TransactionId,
        /// What the answer's transaction hashes to.
        found: TransactionId,
    },
    /// Nobody claims that it is final.
    #[error("transaction {id} is not final: {}", describe(*status))]
    NotFinal {
        /// The transaction.
        id: TransactionId,
        /// How far it has come.
        status: TransactionStatus,
    },
    /// A part of the proof is not there.
    #[error("the answer has no {0}, so it proves nothing")]
    Missing(&'static str),
    /// It belongs to another chain than the genesis.
    #[error(
        "the transaction is for chain {found}, and the genesis is that of chain {genesis}; is it the genesis of this network?"
    )]
    OtherChain {
        /// The chain of our genesis.
        genesis: ChainId,
        /// The chain the transaction names.
        found: ChainId,
    },
    /// The transaction itself is not valid.
    #[error("the transaction in the answer could never be in a block: {0}")]
    Transaction(BadTransaction),
    /// The block's height is not the one that is claimed.
    #[error("the answer speaks of height {claimed}, and the header it shows is of height {header}")]
    Height {
        /// What the answer says.
        claimed: u64,
        /// What the header says.
        header: u64,
    },
    /// The path is for another place in the block.
    #[error(
        "the answer says that the transaction is number {claimed} in its block, and the path it shows is for number {path}"
    )]
    Index {
        /// What the answer says.
        claimed: u64,
        /// What the path says.
        path: u64,
    },
    /// The path does not lead into the block.
    #[error("the transaction is not shown to be in the block at height {height}: {reason}")]
    Path {
        /// The block's height.
        height: u64,
        /// What is wrong with the path.
        reason: PathError,
    },
    /// The headers are no chain.
    #[error(
        "the headers from height {from} to {to} are not a chain: one does not stand on the one before it"
    )]
    Unlinked {
        /// The first one's height.
        from: u64,
        /// The last one's height.
        to: u64,
    },
    /// A header names a committee that no change leads to.
    #[error(
        "the block at height {height} says that the committee {found} decides the next one, and by all that is shown to follow from the genesis it is {known}, since height {since}; either the node hides a change of the committee, or this is not the genesis of its network"
    )]
    OtherCommittee {
        /// The header's height.
        height: u64,
        /// The root of the committee that we know.
        known: Hash,
        /// The first height that it decides.
        since: u64,
        /// What the header says.
        found: Hash,
    },
    /// A change of the committee does not hold.
    #[error("the change of the committee at height {height} is not proven: {reason}")]
    Change {
        /// The height of the header that should announce it.
        height: u64,
        /// What is wrong.
        reason: Box<BadChange>,
    },
    /// The certificate does not make the block final.
    #[error("the certificate does not make the block at height {height} final: {reason}")]
    Certificate {
        /// The certified header's height.
        height: u64,
        /// What is wrong with it.
        reason: NotFinal,
    },
    /// The certificate is for another block than the last one shown.
    #[error(
        "the blocks end with {} at height {}, and the certificate is for {} at height {}",
        last.hash(), last.height(), certified.hash(), certified.height()
    )]
    OtherBlock {
        /// The last block shown.
        last: FinalBlock,
        /// What the certificate is for.
        certified: FinalBlock,
    },
    /// A body is not the one its header names.
    #[error("the transactions shown for the block at height {height} are not those of its header")]
    Body {
        /// The block's height.
        height: u64,
    },
    /// It is another block than the one that was asked for.
    #[error(
        "it was asked for block {} at height {}, and shows {} at height {}",
        asked.hash, asked.height, found.hash, found.height
    )]
    OtherBody {
        /// What was asked for.
        asked: Spot,
        /// What came.
        found: Spot,
    },
    /// The chain of headers does not hold.
    #[error(transparent)]
    Headers(BadHeaders),
    /// No block of the heaviest chain is shown to hold it.
    #[error(
        "transaction {id} is not shown to be on the heaviest chain: {}",
        elsewhere(*status, *height)
    )]
    NotIncluded {
        /// The transaction.
        id: TransactionId,
        /// What the node says.
        status: TransactionStatus,
        /// Where it says that its block is: on another branch.
        height: Option<u64>,
    },
    /// The chain begins otherwise than the genesis says.
    #[error(
        "the first block stands on {found}, and the genesis in use makes it stand on {genesis}; is it the genesis of this network, and are node and wallet of one version?"
    )]
    OtherGenesis {
        /// What our genesis is called as a block.
        genesis: BlockHash,
        /// What the block at height 1 names.
        found: BlockHash,
    },
    /// Blocks are left out.
    #[error(
        "the blocks shown begin at height {found}, and the one after height {known} was asked for"
    )]
    Gap {
        /// The block they should stand on.
        known: u64,
        /// Where they begin.
        found: u64,
    },
    /// Blocks that are proven to be final stand on another block than one that is so as well.
    #[error(
        "at height {} both {} and {} are proven to be final",
        known.height(), known.hash(), rival.hash()
    )]
    Fork {
        /// The one we knew.
        known: FinalBlock,
        /// The one they stand on.
        rival: FinalBlock,
    },
    /// The chain goes on, and the node does not show how.
    #[error("no block after height {from} is shown, and the chain is proven to reach height {to}")]
    Withheld {
        /// The last one we know.
        from: u64,
        /// How far it goes.
        to: u64,
    },
    /// It is about another account.
    #[error("the answer is about {found}, and {asked} was asked for")]
    OtherAccount {
        /// The one asked for.
        asked: Address,
        /// The one in the answer.
        found: Address,
    },
    /// The balance is not what the state holds.
    #[error("the balance is not proven: {0}")]
    Account(BadProof),
    /// The register of stake is not what the state holds.
    #[error("what is at stake is not proven: {0}")]
    Register(BadRegister),
}

/// Where a transaction is that is not on the heaviest chain.
fn elsewhere(status: TransactionStatus, height: Option<u64>) -> String {
    match (status, height) {
        (TransactionStatus::Unknown, _) => "no node that was asked knows it".to_owned(),
        (_, Some(height)) => {
            format!("it is at height {height} of a branch that is not the heaviest")
        }
        (_, None) => "it still waits to be included".to_owned(),
    }
}

/// A status in words.
fn describe(status: TransactionStatus) -> &'static str {
    match status {
        TransactionStatus::Unknown => "the node does not know it",
        TransactionStatus::Pending => "it still waits to be decided",
        TransactionStatus::Confirmed => "it lies deep, but may still be undone",
        TransactionStatus::Final => "the node says it is",
    }
}
