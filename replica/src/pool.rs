//! Transactions that wait to be ordered.
//!
//! Bounded in number, in bytes per account and in how far a nonce may run ahead. Order is by fee,
//! then by age, and within an account by nonce. A nonce with a gap before it is held until the gap
//! closes. A second transaction of the same nonce replaces the first only if it pays more. An account that
//! does not exist sends nothing, not even what costs nothing: such accounts are made as fast as keys are.
//!
//! Evidence comes first, pays nothing, and gives way to nobody else's transactions; one of its own account
//! that has the same nonce and pays something takes its place. So that it costs nobody anything either,
//! one piece is held against each offender, and only if it is its account's next transaction: then it can
//! be ordered at once, and a second piece could not be ordered after it.

use crypto::Address;
use ledger::{
    Action, Amount, ReplicaId, Transaction, TransactionId, VerifiedTransaction,
    state::{Account, Refusal},
};
use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet, BinaryHeap},
};

/// How far ahead of its account's nonce a transaction may be.
pub const MAX_NONCE_GAP: u64 = 1_024;

/// How many transactions wait that move stake or report somebody: each of them is tried again on each block.
pub const MAX_CONDITIONAL: usize = 1_024;

/// Why the pool does not take a transaction.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum PoolRefusal {
    /// It waits here already.
    #[error("the transaction {0} is already waiting")]
    Known(TransactionId),
    /// The account has used this nonce.
    #[error("the nonce {found} is already used, the account's next is {expected}")]
    Used {
        /// The account's next.
        expected: u64,
        /// The transaction's.
        found: u64,
    },
    /// The nonce runs further ahead than [`MAX_NONCE_GAP`].
    #[error(
        "the nonce {found} is too far ahead, the account's next is {expected} and at most {MAX_NONCE_GAP} may be missing"
    )]
    TooFarAhead {
        /// The account's next.
        expected: u64,
        /// The transaction's.
        found: u64,
    },
    /// Another transaction of this nonce pays as much or more.
    #[error(
        "a transaction with nonce {nonce} is waiting already; to replace it, pay a fee above {fee}"
    )]
    Underpriced {
        /// The nonce both have.
        nonce: u64,
        /// What the waiting one pays.
        fee: Amount,
    },
    /// The account does not exist. What it sends may move nothing and pay nothing, and still everybody would
    /// have to verify it, order it and remember the account for ever.
    #[error("the account {0} does not exist: nobody has paid it anything yet")]
    NoAccount(Address),
    /// The account cannot pay for it and for what it sent before.
    #[error(
        "the account holds {balance}, but {needed} is needed for this and the transactions before it"
    )]
    Balance {
        /// What it holds.
        balance: Amount,
        /// What this and the earlier waiting ones cost together.
        needed: u128,
    },
    /// Everything that waits pays at least as much.
    #[error(
        "the pool is full with {capacity} transactions that pay as much; pay more than {fee} or try later"
    )]
    Full {
        /// The bound.
        capacity: usize,
        /// The lowest fee that waits.
        fee: Amount,
    },
    /// As many wait as are ever tried again on each block.
    #[error(
        "{MAX_CONDITIONAL} transactions that move stake or report somebody are waiting already; try later"
    )]
    Crowded,
    /// It is the account's next one, and the rules of stake refuse it as things stand.
    #[error(transparent)]
    Refused(Refusal),
    /// Evidence that waits for other transactions of its account.
    #[error(
        "evidence must be its account's next transaction: the nonce is {found}, the next is {expected}"
    )]
    Behind {
        /// The account's next.
        expected: u64,
        /// The transaction's.
        found: u64,
    },
    /// Evidence against the same validator waits already, and one piece is enough.
    #[error("evidence against validator {0} is waiting already")]
    Accused(ReplicaId),
    /// The replica has stopped: see its status.
    #[error("the replica is halted: {0}")]
    Halted(String),
}

impl PoolRefusal {
    /// A word for counters and for programs.
    pub fn reason(&self) -> &'static str {
        match self {
            PoolRefusal::Known(_) => "known",
            PoolRefusal::Used { .. } => "nonce",
            PoolRefusal::TooFarAhead { .. } => "nonce_gap",
            PoolRefusal::Underpriced { .. } => "underpriced",
            PoolRefusal::NoAccount(_) => "no_account",
            PoolRefusal::Balance { .. } => "balance",
            PoolRefusal::Full { .. } => "pool_full",
            PoolRefusal::Crowded => "crowded",
            PoolRefusal::Refused(Refusal::Evidence(_)) => "evidence",
            PoolRefusal::Refused(_) => "stake",
            PoolRefusal::Behind { .. } => "evidence_behind",
            PoolRefusal::Accused(_) => "accused",
            PoolRefusal::Halted(_) => "halted",
        }
    }
}

/// The transactions that wait.
#[derive(Debug)]
pub struct Pool {
    capacity: usize,
    arrivals: u64,
    accounts: BTreeMap<Address, BTreeMap<u64, Entry>>,
    ids: BTreeMap<TransactionId, (Address, u64)>,
    /// Cheapest first, the youngest of equals first: who goes when the pool is full.
    by_fee: BTreeSet<(Amount, Reverse<u64>, TransactionId)>,
    /// Against whom evidence waits.
    accused: BTreeSet<ReplicaId>,
    /// What is no transfer: a block may change whether it can be ordered.
    conditional: BTreeSet<(Address, u64)>,
}

#[derive(Debug)]
struct Entry {
    transaction: VerifiedTransaction,
    arrival: u64,
}

impl Entry {
    fn fee(&self) -> Amount {
        self.transaction.payload().fee
    }

    fn offender(&self) -> Option<ReplicaId> {
        offender(&self.transaction)
    }

    fn is_transfer(&self) -> bool {
        matches!(self.transaction.payload().action, Action::Transfer { .. })
    }

    fn rank(&self) -> (Amount, Reverse<u64>, TransactionId) {
        (self.fee(), Reverse(self.arrival), self.transaction.id())
    }
}

impl Pool {
    /// An empty pool that holds at most `capacity` transactions.
    pub fn new(capacity: usize) -> Pool {
        Pool {
            capacity,
            arrivals: 0,
            accounts: BTreeMap::new(),
            ids: BTreeMap::new(),
            by_fee: BTreeSet::new(),
            accused: BTreeSet::new(),
            conditional: BTreeSet::new(),
        }
    }

    /// How many wait.
    pub fn len(&self) -> usize {
        self.ids.len()
    }

    /// Whether nobody waits.
    pub fn is_empty(&self) -> bool {
        self.ids.is_empty()
    }

    /// The transaction of this name, if it waits.
    pub fn get(&self, id: TransactionId) -> Option<&VerifiedTransaction> {
        let (address, nonce) = self.ids.get(&id)?;
        Some(&self.accounts[address][nonce].transaction)
    }

    /// Whether evidence against `offender` waits.
    pub fn accuses(&self, offender: ReplicaId) -> bool {
        self.accused.contains(&offender)
    }

    /// The nonce after the last of an unbroken run of waiting ones.
    pub fn next_nonce(&self, address: Address, account: &Account) -> u64 {
        let waiting = self.accounts.get(&address);
        let taken = |nonce: &u64| waiting.is_some_and(|waiting| waiting.contains_key(nonce));
        (account.nonce..).find(|nonce| !taken(nonce)).unwrap_or(account.nonce)
    }

    /// Takes a transaction in, if `account`, its sender's, can ever pay for it.
    pub fn insert(
        &mut self,
        transaction: VerifiedTransaction,
        account: &Account,
    ) -> Result<TransactionId, PoolRefusal> {
        let id = transaction.id();
        if self.ids.contains_key(&id) {
            return Err(PoolRefusal::Known(id));
        }
        let sender = transaction.sender();
        self.check(&transaction, sender, account)?;
        self.make_room(&transaction, sender)?;
        let nonce = transaction.payload().nonce;
        self.remove_at(sender, nonce);
        self.arrivals += 1;
        let entry = Entry { transaction, arrival: self.arrivals };
        match entry.offender() {
            Some(offender) => drop(self.accused.insert(offender)),
            None => drop(self.by_fee.insert(entry.rank())),
        }
        if !entry.is_transfer() {
            self.conditional.insert((sender, nonce));
        }
        self.ids.insert(id, (sender, nonce));
        self.accounts.entry(sender).or_default().insert(nonce, entry);
        Ok(id)
    }

    fn check(
        &self,
        transaction: &VerifiedTransaction,
        sender: Address,
        account: &Account,
    ) -> Result<(), PoolRefusal> {
        let payload = transaction.payload();
        let (expected, found) = (account.nonce, payload.nonce);
        if found < expected {
            return Err(PoolRefusal::Used { expected, found });
        }
        if found - expected > MAX_NONCE_GAP {
            return Err(PoolRefusal::TooFarAhead { expected, found });
        }
        if let Some(offender) = offender(transaction) {
            if found != expected {
                return Err(PoolRefusal::Behind { expected, found });
            }
            if self.accuses(offender) {
                return Err(PoolRefusal::Accused(offender));
            }
        }
        // There is less evidence than validators, and it waits for nobody.
        let is_free = matches!(payload.action, Action::Transfer { .. } | Action::Evidence(_));
        if !is_free && self.conditional.len() >= MAX_CONDITIONAL {
            return Err(PoolRefusal::Crowded);
        }
        let mut needed = cost(transaction);
        for (nonce, entry) in self.accounts.get(&sender).into_iter().flatten() {
            if *nonce < found {
                needed += cost(&entry.transaction);
            } else if *nonce == found && payload.fee <= entry.fee() {
                return Err(PoolRefusal::Underpriced { nonce: found, fee: entry.fee() });
            }
        }
        if needed > u128::from(account.balance.0) {
            return Err(PoolRefusal::Balance { balance: account.balance, needed });
        }
        if *account == Account::default() && offender(transaction).is_none() {
            return Err(PoolRefusal::NoAccount(sender));
        }
        Ok(())
    }

    /// Drops the cheapest if the pool is full. Its account's later ones go with it: they could not
    /// be ordered without it.
    fn make_room(
        &mut self,
        transaction: &VerifiedTransaction,
        sender: Address,
    ) -> Result<(), PoolRefusal> {
        let payload = transaction.payload();
        let replaces =
            self.accounts.get(&sender).is_some_and(|waiting| waiting.contains_key(&payload.nonce));
        if self.ids.len() < self.capacity || replaces {
            return Ok(());
        }
        let is_evidence = offender(transaction).is_some();
        let Some(&(fee, _, cheapest)) = self.by_fee.first() else {
            return Err(PoolRefusal::Full { capacity: self.capacity, fee: Amount::ZERO });
        };
        let (address, nonce) = self.ids[&cheapest];
        // An account must not push out the predecessors of what it sends.
        if !is_evidence && (payload.fee <= fee || address == sender) {
            return Err(PoolRefusal::Full { capacity: self.capacity, fee });
        }
        let later: Vec<u64> =
            self.accounts[&address].range(nonce..).map(|(nonce, _)| *nonce).collect();
        for nonce in later {
            self.remove_at(address, nonce);
        }
        Ok(())
    }

    fn remove_at(&mut self, address: Address, nonce: u64) -> Option<VerifiedTransaction> {
        let waiting = self.accounts.get_mut(&address)?;
        let removed = waiting.remove(&nonce);
        if let Some(entry) = &removed {
            self.by_fee.remove(&entry.rank());
            self.ids.remove(&entry.transaction.id());
            self.conditional.remove(&(address, nonce));
            entry.offender().map(|offender| self.accused.remove(&offender));
        }
        if waiting.is_empty() {
            self.accounts.remove(&address);
        }
        removed.map(|entry| entry.transaction)
    }

    /// Forgets what can never be ordered any more on the state that `account` reads: used nonces.
    pub fn settle_all(&mut self, account: impl Fn(Address) -> Account) {
        let mut used = Vec::new();
        for (address, waiting) in &self.accounts {
            let next = account(*address).nonce;
            used.extend(waiting.range(..next).map(|(nonce, _)| (*address, *nonce)));
        }
        for (address, nonce) in used {
            self.remove_at(address, nonce);
        }
    }

    /// Forgets what moves stake or reports somebody, is its account's next transaction on the state that
    /// `account` reads, and can no longer be ordered there. `executes` tells it of each. Returns what is
    /// gone.
    pub fn settle_conditional(
        &mut self,
        account: impl Fn(Address) -> Account,
        executes: impl Fn(&[&Transaction]) -> Vec<bool>,
    ) -> Vec<VerifiedTransaction> {
        let next = |(address, nonce): &&(Address, u64)| account(*address).nonce == *nonce;
        let next: Vec<_> = self.conditional.iter().filter(next).copied().collect();
        let transaction =
            |(address, nonce): &(_, _)| self.accounts[address][nonce].transaction.transaction();
        let executes = executes(&next.iter().map(transaction).collect::<Vec<_>>());
        let void = next.into_iter().zip(executes).filter(|(_, executes)| !executes);
        let void: Vec<_> = void.map(|(place, _)| place).collect();
        void.into_iter().filter_map(|(address, nonce)| self.remove_at(address, nonce)).collect()
    }

    /// Whether transactions of an account wait for one of this nonce, which is not there.
    pub fn lacks(&self, address: Address, nonce: u64) -> bool {
        self.accounts.get(&address).is_some_and(|waiting| {
            !waiting.contains_key(&nonce) && waiting.range(nonce..).next().is_some()
        })
    }

    /// Whether anything could be ordered on the state that `account` reads.
    pub fn is_ready(&self, account: impl Fn(Address) -> Account) -> bool {
        self.accounts
            .iter()
            .any(|(address, waiting)| waiting.contains_key(&account(*address).nonce))
    }

    /// At most `limit` transactions executable in order on the state that `account` reads: evidence, then
    /// by fee, then age, each account's by nonce. What is in `taken` counts as ordered already.
    pub fn pending(
        &self,
        account: impl Fn(Address) -> Account,
        taken: &BTreeSet<TransactionId>,
        limit: usize,
    ) -> Vec<Transaction> {
        let skip = |waiting: &BTreeMap<u64, Entry>, mut nonce: u64| {
            while waiting.get(&nonce).is_some_and(|entry| taken.contains(&entry.transaction.id())) {
                nonce += 1;
            }
            nonce
        };
        let key = |entry: &Entry, address: Address, nonce: u64| {
            let is_evidence = entry.offender().is_some();
            (is_evidence, entry.fee(), Reverse(entry.arrival), Reverse(address), nonce)
        };
        let mut ready = BinaryHeap::new();
        for (address, waiting) in &self.accounts {
            let nonce = skip(waiting, account(*address).nonce);
            if let Some(entry) = waiting.get(&nonce) {
                ready.push(key(entry, *address, nonce));
            }
        }
        let mut chosen = Vec::new();
        while chosen.len() < limit {
            let Some((.., Reverse(address), nonce)) = ready.pop() else { break };
            let waiting = &self.accounts[&address];
            chosen.push(waiting[&nonce].transaction.transaction().clone());
            let next = skip(waiting, nonce + 1);
            if let Some(entry) = waiting.get(&next) {
                ready.push(key(entry, address, next));
            }
        }
        chosen
    }
}

/// Whom a transaction convicts, if it is evidence.
fn offender(transaction: &VerifiedTransaction) -> Option<ReplicaId> {
    match &transaction.payload().action {
        Action::Evidence(evidence) => Some(evidence.offender),
        _ => None,
    }
}

/// What a transaction takes from its sender.
fn cost(transaction: &VerifiedTransaction) -> u128 {
    let payload = transaction.payload();
    let moved = match &payload.action {
        Action::Transfer { amount, .. } | Action::Bond { amount, .. } => *amount,
        Action::Unbond { .. } | Action::Evidence(_) => Amount::ZERO,
    };
    u128::from(moved.0) + u128::from(payload.fee.0)
}

#[cfg(test)]
mod tests;
