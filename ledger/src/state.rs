//! What transactions do: accounts, and the arithmetic that moves money between them.
//!
//! No transaction makes or loses money: a transfer takes `amount + fee` from its sender, gives
//! `amount` to the recipient and `fee` to whoever proposed the block. A block makes what the genesis
//! grants its proposer, after all its transactions, and nothing else. Every operation is checked,
//! every refusal leaves the state as it was, and the whole is a pure function of the parent's state
//! and the block. `tree` files the accounts so that a header can name them all by one hash.

mod proof;
#[cfg(test)]
mod tests;
pub(crate) mod tree;

pub use proof::{AccountProof, BadProof};

use crate::{Action, Amount, Stake, Transaction};
use crypto::Address;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use tree::{Overlay, View};

/// What belongs to an address. One that equals the default is not in the tree: nobody can tell it
/// from an address never seen.
#[derive(Default, Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Account {
    /// What it can spend.
    pub balance: Amount,
    /// How many of its transactions were executed, and so the nonce of the next one.
    pub nonce: u64,
    /// What it has turned into voting stake.
    pub bonded: Stake,
}

impl Account {
    /// The account after it paid `amount + fee` by a transaction with this nonce.
    ///
    /// # Errors
    /// [`Refusal::Nonce`], [`Refusal::Balance`], and [`Refusal::Overflow`] for the last nonce there
    /// is.
    pub fn pay(self, nonce: u64, amount: Amount, fee: Amount) -> Result<Account, Refusal> {
        if nonce != self.nonce {
            return Err(Refusal::Nonce { expected: self.nonce, found: nonce });
        }
        let refused = Refusal::Balance {
            balance: self.balance,
            needed: u128::from(amount.0) + u128::from(fee.0),
        };
        let paid = self.balance.checked_sub(amount).and_then(|rest| rest.checked_sub(fee));
        let nonce = self.nonce.checked_add(1).ok_or(Refusal::Overflow)?;
        Ok(Account { balance: paid.ok_or(refused)?, nonce, ..self })
    }

    /// The account after it received `amount`.
    ///
    /// # Errors
    /// [`Refusal::Overflow`], which a chain whose supply fits an amount never meets.
    pub fn receive(self, amount: Amount) -> Result<Account, Refusal> {
        let balance = self.balance.checked_add(amount).ok_or(Refusal::Overflow)?;
        Ok(Account { balance, ..self })
    }
}

/// Why a verified transaction does not execute on a state.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Refusal {
    /// It is not the sender's next one.
    #[error("the nonce is {found}, the account's next one is {expected}")]
    Nonce {
        /// The nonce of the account's next transaction.
        expected: u64,
        /// The transaction's.
        found: u64,
    },
    /// The sender cannot pay for it.
    #[error("the account holds {balance}, the transfer and its fee need {needed}")]
    Balance {
        /// What the sender has.
        balance: Amount,
        /// The amount and the fee together, which may be more than an [`Amount`] holds.
        needed: u128,
    },
    /// A balance or a nonce would exceed 64 bits.
    #[error("a balance or a nonce would grow beyond 64 bits")]
    Overflow,
    /// The action has no rules yet.
    #[error("this chain's rules do not accept {0} yet")]
    NotYet(&'static str),
}

/// The execution of one block on its parent's state.
pub(crate) struct Execution<'a> {
    parent: &'a View<'a>,
    /// Who earns the fees and the reward.
    proposer: Address,
    /// Every account seen so far, as it is now.
    accounts: BTreeMap<Address, Account>,
}

impl<'a> Execution<'a> {
    /// Begins a block whose fees go to `proposer`.
    pub(crate) fn new(parent: &'a View<'a>, proposer: Address) -> Self {
        Execution { parent, proposer, accounts: BTreeMap::new() }
    }

    /// Executes one transaction, whose signature was checked, or changes nothing.
    pub(crate) fn apply(&mut self, transaction: &Transaction) -> Result<(), Refusal> {
        let payload = &transaction.payload;
        let (to, amount) = match &payload.action {
            Action::Transfer { to, amount } => (*to, *amount),
            Action::Bond { .. } => return Err(Refusal::NotYet("bonding stake")),
            Action::Unbond { .. } => return Err(Refusal::NotYet("unbonding stake")),
            Action::Evidence(_) => return Err(Refusal::NotYet("evidence")),
        };
        let sender = transaction.sender();
        let paid = self.account(sender).pay(payload.nonce, amount, payload.fee)?;

        // Sender, recipient and proposer may be one and the same, so each step builds on the last.
        let mut changed = BTreeMap::from([(sender, paid)]);
        for (address, amount) in [(to, amount), (self.proposer, payload.fee)] {
            let account = changed.get(&address).copied();
            let account = account.unwrap_or_else(|| self.account(address));
            changed.insert(address, account.receive(amount)?);
        }
        // Not `append`, which builds the whole map again.
        self.accounts.extend(changed);
        Ok(())
    }

    /// Ends the block with its proposer's `reward`: files what really changed under `height`.
    ///
    /// # Panics
    /// If the reward makes more money than there can be; see [`crate::Genesis::supply`].
    pub(crate) fn finish(mut self, height: u64, reward: Amount) -> Overlay {
        if reward > Amount::ZERO {
            let rewarded = self.account(self.proposer).receive(reward);
            self.accounts.insert(self.proposer, rewarded.expect("all money fits an amount"));
        }
        let Execution { parent, accounts, .. } = self;
        parent.update(height, accounts)
    }

    fn account(&self, address: Address) -> Account {
        let known = self.accounts.get(&address).copied();
        known.unwrap_or_else(|| self.parent.account(address))
    }
}
