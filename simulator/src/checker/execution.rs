//! The checker's own execution of blocks: which transactions may stand there, and what they do.

use super::{
    account::{self, Purse, Purses},
    flaw::{Bad, Flaw},
};
use crypto::{Address, Hash};
use ledger::{
    Action, Block, ChainId, Genesis, ReplicaId, Transaction, TransactionId, transaction::Content,
};
use std::collections::BTreeMap;

/// Everything after some block that later blocks are judged by.
#[derive(Clone, Debug)]
pub(crate) struct State {
    pub(crate) purses: Purses,
    /// The height at which each transaction was ordered.
    included: BTreeMap<TransactionId, u64>,
    /// Of the purses.
    root: Hash,
}

/// What holds at every height.
#[derive(Clone, Debug)]
pub(crate) struct Rules {
    chain: ChainId,
    /// All the money there is at first, and what each block makes.
    supply: u128,
    reward: u128,
    /// Who earns the fees and rewards of a proposer's blocks.
    payees: BTreeMap<ReplicaId, Address>,
}

impl Rules {
    pub(crate) fn new(genesis: &Genesis) -> Rules {
        let validators = (0..).map(ReplicaId).zip(&genesis.validators);
        Rules {
            chain: genesis.chain_id(),
            supply: genesis.accounts.iter().map(|funded| u128::from(funded.balance.0)).sum(),
            reward: genesis.reward().0.into(),
            payees: validators.map(|(id, validator)| (id, validator.key.address())).collect(),
        }
    }

    /// Executes a block, and says what is wrong with it. A transaction that may not stand there is
    /// passed over, so that whatever else is wrong is found too.
    pub(crate) fn execute(&self, state: &mut State, block: &Block, flaws: &mut Vec<Flaw>) {
        let header = &block.header;
        let Some(payee) = self.payees.get(&header.proposer) else {
            return flaws.push(Flaw::Proposer { proposer: header.proposer });
        };
        for (index, transaction) in block.transactions.iter().enumerate() {
            if let Err(reason) = self.apply(state, transaction, *payee, header.height) {
                flaws.push(Flaw::Transaction { index, id: transaction.id(), reason });
            }
        }
        self.reward(state, *payee, header.height);
        if !block.transactions.is_empty() || self.reward > 0 {
            state.root = account::state_root(&state.purses);
        }
        if header.state != state.root {
            flaws.push(Flaw::StateRoot { stated: header.state, computed: state.root });
        }
        let found = account::supply(&state.purses);
        assert_eq!(found, self.supply_at(header.height), "the checker itself makes or loses money");
    }

    /// Everybody's money after a height, which an amount in the ledger must be able to hold.
    fn supply_at(&self, height: u64) -> u128 {
        (self.supply + self.reward * u128::from(height)).min(u64::MAX.into())
    }

    /// What a block makes for its proposer.
    fn reward(&self, state: &mut State, payee: Address, height: u64) {
        let made = self.supply_at(height) - self.supply_at(height - 1);
        if made > 0 {
            state.purses.entry(payee).or_default().balance += made;
        }
    }

    /// Executes a block again that was found good before.
    pub(crate) fn repeat(&self, state: &mut State, block: &Block) {
        let payee = self.payees[&block.header.proposer];
        for transaction in &block.transactions {
            let done = pay(state, transaction, payee, block.header.height);
            done.expect("it was found good before");
        }
        self.reward(state, payee, block.header.height);
        state.root = block.header.state;
    }

    /// Moves the money of one transaction, or moves nothing and says why it may not stand here.
    fn apply(
        &self,
        state: &mut State,
        transaction: &Transaction,
        payee: Address,
        height: u64,
    ) -> Result<(), Bad> {
        let Content { payload, signature } = &**transaction;
        if payload.chain != self.chain {
            return Err(Bad::Chain { named: payload.chain });
        }
        if payload.sender.verify(&payload.preimage(), signature).is_err() {
            return Err(Bad::Signature { sender: payload.sender.address() });
        }
        pay(state, transaction, payee, height)
    }
}

/// Moves the money of one transaction, if its sender may and can pay.
fn pay(
    state: &mut State,
    transaction: &Transaction,
    payee: Address,
    height: u64,
) -> Result<(), Bad> {
    let payload = &transaction.payload;
    let (sender, id) = (payload.sender.address(), transaction.id());
    if let Some(first) = state.included.get(&id) {
        return Err(Bad::Twice { first: *first });
    }
    let Action::Transfer { to, amount } = &payload.action else {
        return Err(Bad::Action);
    };
    let fee = u128::from(payload.fee.0);
    let cost = u128::from(amount.0) + fee;
    let purse = state.purses.get(&sender).copied().unwrap_or_default();
    if payload.nonce != purse.nonce {
        return Err(Bad::Nonce { expected: purse.nonce, found: payload.nonce });
    }
    let Some(balance) = purse.balance.checked_sub(cost) else {
        return Err(Bad::Balance { sender, owned: purse.balance, needed: cost });
    };
    state.purses.insert(sender, Purse { balance, nonce: purse.nonce + 1 });
    state.purses.entry(*to).or_default().balance += u128::from(amount.0);
    state.purses.entry(payee).or_default().balance += fee;
    state.included.insert(id, height);
    Ok(())
}

impl State {
    pub(crate) fn new(genesis: &Genesis) -> State {
        let purse = |balance: u64| Purse { balance: balance.into(), nonce: 0 };
        let funded = genesis.accounts.iter();
        let purses = funded.map(|funded| (funded.address, purse(funded.balance.0))).collect();
        State { included: BTreeMap::new(), root: account::state_root(&purses), purses }
    }
}
