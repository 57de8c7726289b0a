//! The checker's own execution of blocks: which transactions may stand there, and what they do.

use super::{
    account::{self, Purses},
    flaw::{Bad, Flaw},
    stakes::{self, Moved, Stakes},
};
use crypto::{Address, Hash};
use ledger::{
    Action, Block, ChainId, Genesis, Register, Transaction, TransactionId, transaction::Content,
};
use std::collections::BTreeMap;

/// Everything after some block that later blocks are judged by.
#[derive(Clone, Debug)]
pub(crate) struct State {
    pub(crate) purses: Purses,
    stakes: Stakes,
    /// What names the ledger's register, where stake can move.
    register: Option<Hash>,
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
}

impl Rules {
    pub(crate) fn new(genesis: &Genesis) -> Rules {
        let balances = genesis.accounts.iter().map(|funded| u128::from(funded.balance.0));
        Rules {
            chain: genesis.chain_id(),
            supply: balances.sum::<u128>() + Stakes::new(genesis).held(),
            reward: genesis.reward().0.into(),
        }
    }

    /// Executes a block, and says what is wrong with it. A transaction that may not stand there is
    /// passed over, so that whatever else is wrong is found too. `register` is what a ledger made of the block,
    /// if it took it.
    pub(crate) fn execute(
        &self,
        state: &mut State,
        block: &Block,
        register: Option<&Register>,
        flaws: &mut Vec<Flaw>,
    ) {
        let header = &block.header;
        let Some(payee) = state.stakes.payee(header.proposer) else {
            return flaws.push(Flaw::Proposer { proposer: header.proposer });
        };
        let free = state.stakes.begin(header.height);
        if [header.participation, header.leak] != stakes::roots(&block.duties) {
            flaws.push(Flaw::Duties);
        }
        let told = state.follow(block);
        flaws.extend(told.into_iter().map(|reason| Flaw::Absence { reason }));
        let committee = state.stakes.committee().root();
        if header.committee != committee {
            flaws.push(Flaw::Committee { stated: header.committee, computed: committee });
        }
        let told = !block.duties.is_empty() || !block.transactions.is_empty();
        let mut stirred = told || !free.is_empty() || self.reward > 0;
        state.receive(&free);
        for (index, transaction) in block.transactions.iter().enumerate() {
            if let Err(reason) = self.apply(state, transaction, payee, header.height) {
                flaws.push(Flaw::Transaction { index, id: transaction.id(), reason });
            }
        }
        self.reward(state, payee, header.height);
        if let Some(register) = register.filter(|_| state.stakes.move_here()) {
            if !state.stakes.agree(register) {
                flaws.push(Flaw::Register);
            }
            stirred |= state.name(register);
        }
        if stirred {
            state.root = account::state_root(&state.purses, state.register);
        }
        if header.state != state.root {
            flaws.push(Flaw::StateRoot { stated: header.state, computed: state.root });
        }
        let found = account::supply(&state.purses) + state.stakes.held() + state.stakes.burned;
        assert_eq!(found, self.supply_at(header.height), "the checker itself makes or loses money");
    }

    /// Everybody's money after a height and all that was burned, which an amount in the ledger must be able to hold.
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
        let payee = state.stakes.payee(block.header.proposer).expect("it was found good before");
        let free = state.stakes.begin(block.header.height);
        assert_eq!(state.follow(block), [], "it was found good before");
        state.receive(&free);
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
    let fee = u128::from(payload.fee.0);
    let amount = match &payload.action {
        Action::Transfer { amount, .. } | Action::Bond { amount, .. } => amount.0.into(),
        Action::Unbond { .. } | Action::Evidence(_) => 0,
    };
    let cost = amount + fee;
    let purse = state.purses.get(&sender).copied().unwrap_or_default();
    if payload.nonce != purse.nonce {
        return Err(Bad::Nonce { expected: purse.nonce, found: payload.nonce });
    }
    if purse.balance < cost {
        return Err(Bad::Balance { sender, owned: purse.balance, needed: cost });
    }
    let fee = fee as i128;
    let mut moved = match &payload.action {
        Action::Transfer { to, amount } => {
            let amount = i128::from(amount.0);
            vec![(sender, -amount), (*to, amount)]
        }
        stake => state.stakes.act(payload.sender, stake, height)?,
    };
    moved.extend([(sender, -fee), (payee, fee)]);
    state.receive(&moved);
    if let Action::Evidence(evidence) = &payload.action {
        state.bond(state.stakes.payee(evidence.offender).expect("it was convicted"));
    }
    state.bond(sender);
    state.purses.entry(sender).or_default().nonce += 1;
    state.included.insert(id, height);
    Ok(())
}

impl State {
    pub(crate) fn new(genesis: &Genesis) -> State {
        let mut purses = Purses::new();
        for funded in &genesis.accounts {
            purses.entry(funded.address).or_default().balance = funded.balance.0.into();
        }
        let stakes = Stakes::new(genesis);
        let register = stakes.move_here().then(|| Register::founding(genesis).hash());
        let root = Hash::ZERO;
        let mut state = State { purses, stakes, register, included: BTreeMap::new(), root };
        if register.is_some() {
            let founders = genesis.validators.iter();
            founders.for_each(|founder| state.bond(founder.key.address()));
        }
        state.root = account::state_root(&state.purses, register);
        state
    }

    /// Notes what the ledger's register is called, and whether that is new.
    pub(crate) fn name(&mut self, register: &Register) -> bool {
        let name = self.stakes.move_here().then(|| register.hash());
        std::mem::replace(&mut self.register, name) != name
    }

    fn receive(&mut self, moved: &[Moved]) {
        for (address, amount) in moved {
            let balance = &mut self.purses.entry(*address).or_default().balance;
            *balance = balance.checked_add_signed(*amount).expect("nobody pays what it has not");
        }
    }

    /// Does what a block tells of absence. Returns what is wrong with that.
    fn follow(&mut self, block: &Block) -> Vec<Bad> {
        let told = self.stakes.absences(&block.duties, block.header.height);
        told.ejected.into_iter().for_each(|address| self.bond(address));
        told.wrong
    }

    /// Notes in an account what it has at stake now.
    fn bond(&mut self, address: Address) {
        let bonded = self.stakes.bonded(address);
        if bonded > 0 || self.purses.contains_key(&address) {
            self.purses.entry(address).or_default().bonded = bonded;
        }
    }
}
