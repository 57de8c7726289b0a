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

use crate::committees::{Committees, Era};
use consensus::{
    Trusted,
    catalogue::{self, Support},
};
use crypto::{Address, merkle::Path};
use ledger::{
    BlockHash, ChainId, Genesis, Header, Transaction, TransactionId,
    chain::genesis_header,
    query::{AccountAnswer, Finality, TransactionAnswer, TransactionStatus},
    state::Account,
};

pub mod blocks;
pub mod inclusion;
mod not_proven;
pub mod stake;
#[cfg(test)]
mod tests;

use blocks::FinalBlock;
pub use not_proven::NotProven;

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
    bonded: u128,
    since: u64,
    support: Support,
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

    /// What the whole committee has at stake, however much of it counts in votes.
    pub fn bonded(&self) -> u128 {
        self.bonded
    }

    /// The first height that this committee decided: 1 if it is the genesis'.
    pub fn since(&self) -> u64 {
        self.since
    }

    /// How much of the committee it takes and has signed, by the weights under which it was decided.
    pub fn support(&self) -> Support {
        self.support
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
    let support = catalogue::support(committees.genesis(), era.committee(), last, &finality.proof)
        .map_err(|reason| NotProven::Certificate { height: last.height, reason: reason.into() })?;
    Ok(Certified {
        chain: committees.chain(),
        header: first.clone(),
        by: (last.height, last.hash()),
        validators: era.committee().len(),
        bonded: era.committee().bonded(),
        since: era.from(),
        support,
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
