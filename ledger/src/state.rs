//! What transactions do: accounts, and the arithmetic that moves money between them.
//!
//! No transaction makes money: a transfer takes `amount + fee` from its sender, gives `amount` to the
//! recipient and `fee` to whoever proposed the block. Stake moves as [`crate::stake`] says, and only
//! evidence destroys any. A block makes what the genesis
//! grants its proposer, after all its transactions, and nothing else. Every operation is checked,
//! every refusal leaves the state as it was, and the whole is a pure function of the parent's state
//! and the block. `tree` files the accounts so that a header can name them all by one hash.

mod proof;
#[cfg(test)]
mod tests;
pub(crate) mod tree;

pub use proof::{AccountProof, BadProof, BadRegister};

use crate::{
    Action, Amount, Committee, Duty, Keys, Leak, Register, Stake, Staking, Transaction,
    block::Invalid,
    leak::Mode,
    stake::{EvidenceRefusal, StakeRefusal},
    vote::Evidence,
};
use crypto::{Address, PublicKey};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, sync::Arc};
use tree::{Overlay, View};

/// What belongs to an address. One that equals the default is not in the tree: nobody can tell it
/// from an address never seen.
#[derive(Default, Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Account {
    /// What it can spend.
    pub balance: Amount,
    /// How many of its transactions were executed, and so the nonce of the next one.
    pub nonce: u64,
    /// What it has turned into voting stake. What is on its way back is in the register only.
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
    /// Stake stays where it is.
    #[error(transparent)]
    Stake(#[from] StakeRefusal),
    /// Evidence convicts nobody.
    #[error("the evidence convicts nobody: {0}")]
    Evidence(#[from] EvidenceRefusal),
}

/// What execution depends on besides the parent's state and the transactions.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Terms<'a> {
    /// Of the block.
    pub(crate) height: u64,
    /// Who earns the fees and the reward.
    pub(crate) proposer: Address,
    /// The rules of stake, if there are any.
    pub(crate) staking: Option<&'a Staking>,
    /// The rules of an inactivity leak, if there is one.
    pub(crate) leak: Option<&'a Leak>,
    /// What tells whether a vote's signature is good.
    pub(crate) keys: &'a Keys,
}

/// The execution of one block on its parent's state.
pub(crate) struct Execution<'a> {
    parent: &'a View<'a>,
    terms: Terms<'a>,
    /// Every account seen so far, as it is now.
    accounts: BTreeMap<Address, Account>,
    before: Arc<Register>,
    register: Arc<Register>,
}

impl<'a> Execution<'a> {
    /// Begins a block: stake that is free by now goes back to its owners.
    pub(crate) fn new(parent: &'a View<'a>, before: Arc<Register>, terms: Terms<'a>) -> Self {
        let register = before.clone();
        let mut execution =
            Execution { parent, terms, accounts: BTreeMap::new(), before, register };
        if let Some(rules) = terms.staking
            && execution.register.is_due(terms.height)
        {
            for (key, amount) in Arc::make_mut(&mut execution.register).begin(terms.height, rules) {
                execution.give(key.address(), amount);
            }
        }
        execution
    }

    /// Does what the protocol tells of the block that `committee` decides, before any transaction. The
    /// record of a leak comes first, for the weights that the rest goes on from are its.
    ///
    /// # Errors
    /// [`Invalid`] where the duties make no sense, or this chain has no use for them.
    pub(crate) fn perform(
        &mut self,
        duties: &[Duty],
        committee: &Committee,
    ) -> Result<(), Invalid> {
        if duties.is_empty() {
            return Ok(());
        }
        let Terms { height, staking, leak, .. } = self.terms;
        let (Some(leak), Some(staking)) = (leak, staking) else { return Err(Invalid::Duties) };
        if !matches!(duties, [_] | [Duty::Leak { .. }, Duty::Participation { .. }]) {
            return Err(Invalid::DutyOrder);
        }
        for duty in duties {
            match duty {
                Duty::Leak { table, .. } if leak.mode == Mode::OnChain || table.is_empty() => {
                    return Err(Invalid::Duties);
                }
                Duty::Leak { round, table } => {
                    table.check(*round, committee, leak)?;
                    self.register_mut().follow_table(height, table, committee, leak);
                }
                Duty::Participation { height: of, present, .. } => {
                    let is_due = *of > 0 && of.checked_add(2) == Some(height);
                    if !is_due || !self.register.could_take_part(*of, present) {
                        return Err(Invalid::Participation { height: *of });
                    }
                    if let Some(after) = self.register.after_participation(*of, present, leak) {
                        self.register = Arc::new(after);
                    }
                }
            }
        }
        if leak.bounded {
            return Ok(());
        }
        for (key, stake) in self.register_mut().eject(height, leak, staking) {
            let account = self.account(key.address());
            let bonded = Stake(account.bonded.0 - stake.0);
            self.accounts.insert(key.address(), Account { bonded, ..account });
        }
        Ok(())
    }

    /// Executes one transaction, whose signature was checked, or changes nothing.
    pub(crate) fn apply(&mut self, transaction: &Transaction) -> Result<(), Refusal> {
        let payload = &transaction.payload;
        let moved = match &payload.action {
            Action::Transfer { amount, .. } | Action::Bond { amount, .. } => *amount,
            Action::Unbond { .. } | Action::Evidence(_) => Amount::ZERO,
        };
        let sender = transaction.sender();
        let paid = self.account(sender).pay(payload.nonce, moved, payload.fee)?;
        let mut changed = BTreeMap::from([(sender, paid)]);
        self.earn(&mut changed, self.terms.proposer, payload.fee)?;
        self.act(payload.sender, &payload.action, &mut changed)?;
        // Not `append`, which builds the whole map again.
        self.accounts.extend(changed);
        Ok(())
    }

    /// Whether the transaction, whose signature was checked, could be the next. Nothing changes.
    pub(crate) fn attempt(&self, transaction: &Transaction) -> Result<(), Refusal> {
        // A fee that comes back to its sender is in nobody's way.
        let terms = Terms { proposer: transaction.sender(), ..self.terms };
        let (before, register) = (self.before.clone(), self.register.clone());
        let accounts = self.accounts.clone();
        Execution { parent: self.parent, terms, accounts, before, register }.apply(transaction)
    }

    /// Does what is asked, to the accounts that have `changed` and in the register, or nothing: it is the
    /// last that can be refused of a transaction.
    fn act(
        &mut self,
        sender: PublicKey,
        action: &Action,
        changed: &mut BTreeMap<Address, Account>,
    ) -> Result<(), Refusal> {
        let Terms { height, staking, .. } = self.terms;
        if let Action::Transfer { to, amount } = action {
            return self.earn(changed, *to, *amount);
        }
        let rules = staking.ok_or(StakeRefusal::Fixed)?;
        let account = changed.get_mut(&sender.address()).expect("it has paid");
        match action {
            Action::Transfer { .. } => unreachable!("it was just seen to be none"),
            Action::Bond { amount, validator } => {
                self.register_mut().bond(sender, *validator, *amount, rules)?;
                account.bonded = Stake(account.bonded.0 + amount.0);
            }
            Action::Unbond { amount } => {
                self.register_mut().unbond(sender, *amount, height, rules)?;
                account.bonded = Stake(account.bonded.0 - amount.0);
            }
            Action::Evidence(evidence) => self.convict(evidence, sender, rules, changed)?,
        }
        Ok(())
    }

    /// Punishes whoever the evidence convicts.
    fn convict(
        &mut self,
        evidence: &Evidence,
        reporter: PublicKey,
        rules: &Staking,
        changed: &mut BTreeMap<Address, Account>,
    ) -> Result<(), Refusal> {
        let Terms { height, keys, .. } = self.terms;
        self.register.try_evidence(evidence, reporter, height, keys, rules)?;
        let penalty = self.register_mut().punish(evidence, height, rules);
        let offender = self.among(changed, penalty.offender.address());
        offender.bonded = Stake(offender.bonded.0 - penalty.stake.0);
        let paid = self.earn(changed, reporter.address(), penalty.reward);
        paid.expect("what was at stake fits an account, as all money does");
        Ok(())
    }

    /// The register, this block's own from its first change on.
    fn register_mut(&mut self) -> &mut Register {
        Arc::make_mut(&mut self.register)
    }

    /// Ends the block with its proposer's `reward`: files what really changed.
    ///
    /// # Panics
    /// If the reward makes more money than there can be; see [`crate::Genesis::supply`].
    pub(crate) fn finish(mut self, reward: Amount) -> (Overlay, Arc<Register>) {
        if reward > Amount::ZERO {
            self.give(self.terms.proposer, reward);
        }
        let Execution { parent, terms, accounts, before, register } = self;
        let changed = register != before;
        let overlay = parent.update(terms.height, accounts, changed.then_some(&*register));
        (overlay, if changed { register } else { before })
    }

    /// Gives money that comes from no account.
    fn give(&mut self, address: Address, amount: Amount) {
        let richer = self.account(address).receive(amount).expect("all money fits an amount");
        self.accounts.insert(address, richer);
    }

    /// Adds to an account, which may be one that has changed: sender, recipient and proposer may be one
    /// and the same, so each step builds on the last.
    fn earn(
        &self,
        changed: &mut BTreeMap<Address, Account>,
        address: Address,
        amount: Amount,
    ) -> Result<(), Refusal> {
        let account = self.among(changed, address);
        *account = account.receive(amount)?;
        Ok(())
    }

    fn among<'m>(
        &self,
        changed: &'m mut BTreeMap<Address, Account>,
        address: Address,
    ) -> &'m mut Account {
        changed.entry(address).or_insert_with(|| self.account(address))
    }

    fn account(&self, address: Address) -> Account {
        let known = self.accounts.get(&address).copied();
        known.unwrap_or_else(|| self.parent.account(address))
    }
}
