//! What the wallet believes: nothing but the genesis, and what follows from it.
//!
//! A node's answer carries its proof, and these functions check it without asking anyone. What
//! makes a transaction final is a chain of four links, each of which has to hold:
//!
//! 1. the transaction hashes to the id asked for, is signed, and names the genesis' chain;
//! 2. a Merkle path leads from its id to the transaction root of a header (RFC 9162 §2.1.3);
//! 3. the headers from there on are a chain, under a committee that follows from the genesis'
//!    ([`crate::committees`]);
//! 4. that committee's certificate makes the last header final
//!    ([`consensus::catalogue::verify`]).
//!
//! A balance is proven by links 3 and 4 and a path to the header's state root instead. What no
//! proof can show is that the node did not withhold newer blocks: a balance is one *after a block*.
//! [`crate::nodes`] asks several nodes against that, and [`blocks`] proves the chain in between.
//!
//! Where blocks are found by work there is no certificate, and nothing is ever final: see
//! [`crate::headers`] for what takes the place of links 3 and 4, and [`inclusion`] for the rest.

use crate::{
    committees::{BadChange, Committees, Era},
    headers::{BadHeaders, Spot},
};
use consensus::{
    Quorum, Trusted,
    catalogue::{self, NotFinal},
};
use crypto::{
    Address, Hash,
    merkle::{Path, PathError},
};
use ledger::{
    BlockHash, ChainId, Genesis, Header, Transaction, TransactionId,
    chain::genesis_header,
    query::{AccountAnswer, Finality, TransactionAnswer, TransactionStatus},
    state::{Account, BadProof, BadRegister},
    transaction::BadTransaction,
};
use thiserror::Error;

pub mod blocks;
pub mod inclusion;
pub mod stake;
#[cfg(test)]
mod tests;

use blocks::FinalBlock;

/// A transaction that is final. Only [`verify`] makes one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified {
    id: TransactionId,
    transaction: Transaction,
    index: u64,
    count: u64,
    certified: Certified,
}

impl Verified {
    /// Its name.
    pub fn id(&self) -> TransactionId {
        self.id
    }

    /// All of it.
    pub fn transaction(&self) -> &Transaction {
        &self.transaction
    }

    /// Its place in its block, and how many transactions that has, as the path claims them.
    pub fn place(&self) -> (u64, u64) {
        (self.index, self.count)
    }

    /// The block that holds it, and why that is final.
    pub fn certified(&self) -> &Certified {
        &self.certified
    }
}

/// What an account holds after a final block. Only [`verify_account`] makes one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifiedAccount {
    address: Address,
    account: Account,
    block: FinalBlock,
}

impl VerifiedAccount {
    /// Whose account it is.
    pub fn address(&self) -> Address {
        self.address
    }

    /// What it holds.
    pub fn account(&self) -> &Account {
        &self.account
    }

    /// The block after which it holds that.
    pub fn block(&self) -> FinalBlock {
        self.block
    }
}

/// A header that is final.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Certified {
    chain: ChainId,
    header: Header,
    by: (u64, BlockHash),
    validators: usize,
    total: u128,
    since: u64,
    quorum: Quorum,
}

impl Certified {
    /// The chain it belongs to.
    pub fn chain(&self) -> ChainId {
        self.chain
    }

    /// The header.
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// Height and hash of the block that bears the certificate: the header's own, or a
    /// descendant's.
    pub fn by(&self) -> (u64, BlockHash) {
        self.by
    }

    /// How many validators the committee has.
    pub fn validators(&self) -> usize {
        self.validators
    }

    /// The stake of the whole committee.
    pub fn total(&self) -> u128 {
        self.total
    }

    /// The first height that this committee decided: 1 if it is the genesis'.
    pub fn since(&self) -> u64 {
        self.since
    }

    /// How much of the committee has signed at least.
    pub fn quorum(&self) -> Quorum {
        self.quorum
    }
}

/// Checks that the transaction `id` is final, trusting nothing but the genesis and what followed from
/// it.
///
/// # Errors
///
/// [`NotProven`] names the first link that does not hold.
pub fn verify(
    committees: &Committees,
    id: TransactionId,
    answer: &TransactionAnswer,
) -> Result<Verified, NotProven> {
    if answer.id == id && answer.status != TransactionStatus::Final {
        return Err(NotProven::NotFinal { id, status: answer.status });
    }
    let (transaction, path) = named(committees.genesis(), id, answer)?;
    let finality = answer.finality.as_ref().ok_or(NotProven::Missing("certificate"))?;
    let certified = certify(committees, finality)?;
    placed(id, answer, path, &certified.header)?;
    let transaction = transaction.clone();
    Ok(Verified { id, transaction, index: path.index, count: path.count, certified })
}

/// Link 1: the answer's transaction is the one asked for, and could be on the genesis' chain. It
/// comes with the path that the answer shows.
fn named<'a>(
    genesis: &Genesis,
    id: TransactionId,
    answer: &'a TransactionAnswer,
) -> Result<(&'a Transaction, &'a Path), NotProven> {
    if answer.id != id {
        return Err(NotProven::OtherTransaction { asked: id, found: answer.id });
    }
    let transaction = answer.transaction.as_ref().ok_or(NotProven::Missing("transaction"))?;
    let path = answer.path.as_ref().ok_or(NotProven::Missing("Merkle path"))?;
    if transaction.id() != id {
        return Err(NotProven::OtherTransaction { asked: id, found: transaction.id() });
    }
    let chain = genesis.chain_id();
    if transaction.payload.chain != chain {
        return Err(NotProven::OtherChain { genesis: chain, found: transaction.payload.chain });
    }
    transaction.clone().verify(chain).map_err(NotProven::Transaction)?;
    Ok((transaction, path))
}

/// Link 2: the path leads into the block of `header`, and the answer speaks of the same place.
fn placed(
    id: TransactionId,
    answer: &TransactionAnswer,
    path: &Path,
    header: &Header,
) -> Result<(), NotProven> {
    if answer.height.is_some_and(|height| height != header.height) {
        let claimed = answer.height.unwrap_or_default();
        return Err(NotProven::Height { claimed, header: header.height });
    }
    if answer.index.is_some_and(|index| index != path.index) {
        let claimed = answer.index.unwrap_or_default();
        return Err(NotProven::Index { claimed, path: path.index });
    }
    path.verify(id.0.as_bytes(), header.transactions)
        .map_err(|reason| NotProven::Path { height: header.height, reason })
}

/// Checks what `address` holds, trusting nothing but the genesis and what followed from it.
///
/// # Errors
///
/// [`NotProven`] names the first link that does not hold.
pub fn verify_account(
    committees: &Committees,
    address: Address,
    answer: &AccountAnswer,
) -> Result<VerifiedAccount, NotProven> {
    if answer.address != address {
        return Err(NotProven::OtherAccount { asked: address, found: answer.address });
    }
    let header = match &answer.finality {
        Some(finality) => certify(committees, finality)?.header,
        // The genesis needs no certificate: we have it ourselves.
        None if answer.height == 0 => genesis_header(committees.genesis()),
        None => return Err(NotProven::Missing("certificate")),
    };
    if header.height != answer.height {
        return Err(NotProven::Height { claimed: answer.height, header: header.height });
    }
    answer.proof.verify(header.state, address, &answer.account).map_err(NotProven::Account)?;
    Ok(VerifiedAccount { address, account: answer.account, block: FinalBlock::of(&header) })
}

/// Links 3 and 4: checks that the first of the headers is final, trusting nothing but the genesis and
/// what followed from it.
///
/// # Errors
///
/// [`NotProven`] names the first link that does not hold. [`NotProven::OtherCommittee`] may only mean
/// that the committees were not followed far enough.
pub fn certify(committees: &Committees, finality: &Finality) -> Result<Certified, NotProven> {
    let (Some(first), Some(last)) = (finality.headers.first(), finality.headers.last()) else {
        return Err(NotProven::Missing("header"));
    };
    if !finality.linked() {
        return Err(NotProven::Unlinked { from: first.height, to: last.height });
    }
    finality.headers.iter().try_for_each(|header| names_its_heirs(committees, header))?;
    let era = committees.deciding(last.height);
    signed(committees.genesis(), era, finality)?;
    let quorum = catalogue::quorum(&committees.genesis().consensus, era.committee())
        .map_err(|reason| NotProven::Certificate { height: last.height, reason: reason.into() })?;
    Ok(Certified {
        chain: committees.chain(),
        header: first.clone(),
        by: (last.height, last.hash()),
        validators: era.committee().len(),
        total: era.committee().total(),
        since: era.from(),
        quorum,
    })
}

/// Whether a header names the committee that decides the next height, as far as we followed.
fn names_its_heirs(committees: &Committees, header: &Header) -> Result<(), NotProven> {
    let Header { height, committee: found, .. } = *header;
    let era = committees.deciding(height.saturating_add(1));
    match found == era.root() {
        true => Ok(()),
        false => {
            Err(NotProven::OtherCommittee { height, known: era.root(), since: era.from(), found })
        }
    }
}

/// Link 4: whether this committee's certificate makes the last header final.
pub(crate) fn signed(genesis: &Genesis, era: &Era, finality: &Finality) -> Result<(), NotProven> {
    let height = finality.headers.last().map_or(0, |last| last.height);
    let (committee, keys) = (era.committee(), era.keys());
    let trusted = Trusted { genesis, parent: None, committee, keys };
    let unproven = |reason| NotProven::Certificate { height, reason };
    catalogue::verify(&finality.headers, &finality.proof, trusted).map_err(unproven)
}

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
