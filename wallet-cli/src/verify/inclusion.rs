//! Transactions and balances under a header of the wallet's own chain.
//!
//! Where no certificate makes a block final, the header comes from [`crate::headers`]: it was
//! weighed, and so was all that stands upon it. What is left to check is the way from a transaction,
//! or an account, to that header. Nothing here says how deep the block lies.

use super::{NotProven, named, placed};
use crate::headers::Spot;
use crypto::Address;
use ledger::{
    Block, Genesis, Header, Transaction, TransactionId,
    query::{AccountAnswer, TransactionAnswer},
    state::Account,
};

#[cfg(test)]
mod tests;

/// A transaction in a block. Only [`verify_inclusion`] makes one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Included {
    id: TransactionId,
    transaction: Transaction,
    place: (u64, u64),
    spot: Spot,
}

impl Included {
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
        self.place
    }

    /// The block that holds it.
    pub fn spot(&self) -> Spot {
        self.spot
    }
}

/// Checks that the transaction `id` is in the block that `header` names.
///
/// # Errors
///
/// [`NotProven`] names the first link that does not hold.
pub fn verify_inclusion(
    genesis: &Genesis,
    id: TransactionId,
    answer: &TransactionAnswer,
    header: &Header,
) -> Result<Included, NotProven> {
    let (transaction, path) = named(genesis, id, answer)?;
    placed(id, answer, path, header)?;
    let place = (path.index, path.count);
    Ok(Included { id, transaction: transaction.clone(), place, spot: Spot::of(header) })
}

/// Checks what `address` holds after the block that `header` names.
///
/// # Errors
///
/// [`NotProven`] names the first link that does not hold.
pub fn verify_holding(
    address: Address,
    answer: &AccountAnswer,
    header: &Header,
) -> Result<Account, NotProven> {
    if answer.address != address {
        return Err(NotProven::OtherAccount { asked: address, found: answer.address });
    }
    if answer.height != header.height {
        return Err(NotProven::Height { claimed: answer.height, header: header.height });
    }
    answer.proof.verify(header.state, address, &answer.account).map_err(NotProven::Account)?;
    Ok(answer.account)
}

/// Checks that a block is the one at `spot`, body and all.
///
/// # Errors
///
/// [`NotProven::OtherBody`] or [`NotProven::Body`].
pub fn verify_body(spot: Spot, block: &Block) -> Result<(), NotProven> {
    match Spot::of(&block.header) {
        found if found != spot => Err(NotProven::OtherBody { asked: spot, found }),
        _ if !block.body_matches() => Err(NotProven::Body { height: spot.height }),
        _ => Ok(()),
    }
}
