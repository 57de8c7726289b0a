//! Checking a whole store: everything that follows from the genesis and the blocks is computed again
//! in memory, and compared with what the store holds.

use super::{
    Ledger, Stand, index,
    open::{self, OpenError},
};
use crate::{
    Amount, Block, BlockHash, Committee, Genesis, Header, Proof, Rejected,
    state::Account,
    store::{Batch, MemoryStore, Store, StoreError, ahead, keys},
};
use crypto::codec;
use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
};

/// How many flaws of one kind are told of; the rest is counted.
const TOLD: usize = 8;

/// Walks a store's committed blocks from the genesis on and executes each again, in memory. What
/// each block's index entries should be is compared on the way, what the state should be at the
/// end: [`Audit::finish`].
///
/// It ends with the first block that is wrong, since nothing can be said of what stands upon it.
#[derive(Debug)]
pub struct Audit {
    store: Arc<dyn Store>,
    memory: Arc<MemoryStore>,
    replay: Ledger,
    /// The blocks that the replay keeps, since their times have a say in the next one's.
    recent: VecDeque<(u64, BlockHash)>,
    next: u64,
    stand: Stand,
    /// The greatest height at which a proof was found.
    proven: u64,
    flaws: Vec<Flaw>,
    transactions: u64,
}

/// A committed block that was executed again and is as it should be.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Audited {
    /// Its header.
    pub header: Header,
    /// Who decided it, as the blocks before it say.
    pub committee: Arc<Committee>,
    /// What the store holds as its proof, which nobody has verified yet.
    pub proof: Option<Proof>,
}

/// What came of an audit.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Findings {
    /// Up to where the blocks are good.
    pub height: u64,
    /// How many transactions are in them.
    pub transactions: u64,
    /// How many accounts there are.
    pub accounts: u64,
    /// All money together.
    pub supply: u128,
    /// How many undecided blocks stand above the root.
    pub undecided: usize,
    /// Everything that is wrong, in the order it was found.
    pub flaws: Vec<Flaw>,
}

/// Something in a store that is not as it should be.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Flaw {
    /// A committed block is missing, doubled or unreadable.
    #[error("the block at height {height} cannot be read: {reason}")]
    Unreadable {
        /// Where.
        height: u64,
        /// Why.
        reason: StoreError,
    },
    /// A block is not filed under its own name.
    #[error("the block at height {height} is called {filed} and hashes to {found}")]
    Name {
        /// Where.
        height: u64,
        /// As the store has it.
        filed: BlockHash,
        /// What it hashes to.
        found: BlockHash,
    },
    /// A block is not the child of the one below it.
    #[error("the block at height {height} stands on {found}, the one below it is {expected}")]
    Unlinked {
        /// Where.
        height: u64,
        /// The block below.
        expected: BlockHash,
        /// The parent it names.
        found: BlockHash,
    },
    /// A block does not follow from its parent.
    #[error("the block at height {height} is wrong: {reason}")]
    Invalid {
        /// Where.
        height: u64,
        /// Why.
        reason: Rejected,
    },
    /// A block cannot be found by its name.
    #[error("the block at height {height} is not found by its hash")]
    BlockIndex {
        /// Where.
        height: u64,
    },
    /// Transactions are not found by their names where they are, or others are.
    #[error("{count} lists of transactions up to height {height} differ from what the blocks hold")]
    TransactionIndex {
        /// The height of the last block of the run they belong to.
        height: u64,
        /// How many.
        count: usize,
    },
    /// The store says that it stands elsewhere than its blocks.
    #[error("the store says that block {stated} is its newest, its blocks end with {found}")]
    Stand {
        /// As the store says.
        stated: BlockHash,
        /// As its blocks have it.
        found: BlockHash,
    },
    /// The store says that it can prove more, or less, than it can.
    #[error("the store says that height {stated} is the last with a proof, it is {found}")]
    Proven {
        /// As the store says.
        stated: u64,
        /// As its proofs have it.
        found: u64,
    },
    /// Accounts or nodes of the state tree differ from what the blocks make of them.
    #[error("{count} {what} differ from what the blocks make of them, the first under key {first}")]
    State {
        /// Accounts, or nodes of the tree.
        what: &'static str,
        /// How many.
        count: usize,
        /// In hexadecimal.
        first: String,
    },
    /// There is more money than there should be, or less.
    #[error("all accounts together hold {found}, the genesis and the rewards make {expected}")]
    Supply {
        /// What there should be.
        expected: Amount,
        /// What there is.
        found: u128,
    },
    /// The store does not open as a ledger.
    #[error("the database does not open: {0}")]
    Closed(OpenError),
}

impl Audit {
    /// Begins at the genesis.
    ///
    /// # Errors
    /// [`OpenError`] where the store is another chain's, or does not say where it stands.
    pub fn begin(store: Arc<dyn Store>, genesis: &Genesis) -> Result<Audit, OpenError> {
        let stand = open::stand(&*store, genesis)?;
        let memory = Arc::new(MemoryStore::default());
        let replay = Ledger::open(memory.clone(), genesis)?;
        Ok(Audit {
            store,
            memory,
            replay,
            recent: VecDeque::new(),
            next: 0,
            stand,
            proven: 0,
            flaws: Vec::new(),
            transactions: 0,
        })
    }

    /// The height of the newest committed block, as the store says.
    pub fn height(&self) -> u64 {
        self.stand.height
    }

    fn check(&mut self, height: u64) -> Result<Audited, Flaw> {
        let (filed, block) = open::load_named(&*self.store, height)
            .map_err(|reason| Flaw::Unreadable { height, reason })?;
        let found = block.hash();
        if found != filed {
            return Err(Flaw::Name { height, filed, found });
        }
        let expected = self.replay.root();
        let committee = self.replay.committee(expected).expect("the root is known");
        if height > 0 {
            if block.header.parent != expected {
                return Err(Flaw::Unlinked { height, expected, found: block.header.parent });
            }
            self.replay_block(block.clone().into())
                .map_err(|reason| Flaw::Invalid { height, reason })?;
        } else if found != expected {
            return Err(Flaw::Name { height, filed, found: expected });
        }
        self.compare_index(height, found);
        self.transactions += block.transactions.len() as u64;
        let key = keys::proof(height);
        let proof = self.store.get(&key).and_then(|value| {
            value.map(|value| ahead::decode(&key, &value, codec::LONGEST)).transpose()
        });
        let proof = proof.map_err(|reason| Flaw::Unreadable { height, reason })?;
        self.proven = if proof.is_some() { height } else { self.proven };
        Ok(Audited { header: block.header, committee, proof })
    }

    fn replay_block(&mut self, block: Arc<Block>) -> Result<(), Rejected> {
        let mut batch = Batch::default();
        let name = self.replay.accept(&block, &mut batch)?;
        self.replay
            .commit(name, None, &mut batch)
            .expect("it stands on the newest committed block");
        // What is compared block by block need not be kept until the end.
        batch.delete(keys::height(block.header.parent));
        self.recent.push_back((block.header.height, name));
        if self.recent.len() > self.replay.genesis().median_blocks() {
            let (height, name) = self.recent.pop_front().expect("there are some");
            batch.delete(keys::block(height, name));
        }
        self.memory.write(&batch).expect("memory takes everything");
        self.memory.sync().expect("memory takes everything");
        Ok(())
    }

    /// Compares what leads to a block and, where a run of transactions ends with it, to those.
    fn compare_index(&mut self, height: u64, hash: BlockHash) {
        let mut flaws = Vec::new();
        let filed = self.store.get(&keys::height(hash));
        if filed != Ok(Some(codec::encode(&height))) {
            flaws.push(Flaw::BlockIndex { height });
        }
        if height > 0 && self.replay.index.sealed() == height {
            let count = self.compare_run(height);
            flaws.extend((count > 0).then_some(Flaw::TransactionIndex { height, count }));
        }
        let room = TOLD.saturating_sub(self.flaws.len());
        self.flaws.extend(flaws.into_iter().take(room));
    }

    /// How many lists of a run are not as they should be. What they should be is forgotten.
    fn compare_run(&self, run: u64) -> usize {
        let keys =
            (0..index::BUCKETS).map(|bucket| keys::list(run, bucket)).chain([keys::run(run)]);
        let wrong = keys.clone().filter(|key| self.store.get(key) != self.memory.get(key)).count();
        let mut batch = Batch::default();
        keys.for_each(|key| batch.delete(key));
        self.memory.write(&batch).expect("memory takes everything");
        wrong
    }

    /// Compares the state, the money and where the store says it stands, and opens the ledger as a
    /// node would.
    ///
    /// # Errors
    /// [`StoreError`] where the store cannot be read.
    pub fn finish(mut self) -> Result<Findings, StoreError> {
        let complete = self.next > self.stand.height;
        let height = self.replay.height();
        let (mut accounts, mut supply) = (0, 0);
        if complete {
            if self.stand.root != self.replay.root() {
                let (stated, found) = (self.stand.root, self.replay.root());
                self.flaws.push(Flaw::Stand { stated, found });
            }
            if self.stand.proven != self.proven {
                let (stated, found) = (self.stand.proven, self.proven);
                self.flaws.push(Flaw::Proven { stated, found });
            }
            let runs = self.store.scan(keys::RUNS)?.len();
            if runs != self.replay.index.runs() {
                let count = runs.abs_diff(self.replay.index.runs());
                let height = self.stand.height;
                self.flaws.push(Flaw::TransactionIndex { height, count });
            }
            self.compare_state(keys::ACCOUNTS, "accounts")?;
            self.compare_state(keys::NODES, "nodes of the state tree")?;
            self.compare_state(keys::REGISTER, "registers of stake")?;
            self.compare_state(keys::CHANGES, "committees")?;
            for (key, value) in self.store.scan(keys::ACCOUNTS)? {
                let account: Account = ahead::decode(&key, &value, 64)?;
                accounts += 1;
                supply += u128::from(account.balance.0) + u128::from(account.bonded.0);
            }
            let leaving = self.replay.standing.register.unbonding().iter();
            supply += leaving.map(|each| u128::from(each.amount.0)).sum::<u128>();
            let expected = self.replay.supply();
            if supply != u128::from(expected.0) {
                self.flaws.push(Flaw::Supply { expected, found: supply });
            }
        }
        let mut undecided = 0;
        if self.flaws.is_empty() {
            match Ledger::open(self.store.clone(), self.replay.genesis()) {
                Ok(ledger) => undecided = ledger.undecided.len(),
                Err(reason) => self.flaws.push(Flaw::Closed(reason)),
            }
        }
        let Audit { flaws, transactions, .. } = self;
        Ok(Findings { height, transactions, accounts, supply, undecided, flaws })
    }

    fn compare_state(&mut self, prefix: &[u8], what: &'static str) -> Result<(), StoreError> {
        let ours: BTreeMap<_, _> = self.memory.scan(prefix)?.into_iter().collect();
        let theirs: BTreeMap<_, _> = self.store.scan(prefix)?.into_iter().collect();
        let keys = ours.keys().chain(theirs.keys().filter(|key| !ours.contains_key(*key)));
        let wrong: Vec<_> = keys.filter(|key| ours.get(*key) != theirs.get(*key)).collect();
        if let Some(first) = wrong.first() {
            let (count, first) = (wrong.len(), hex::encode(first));
            self.flaws.push(Flaw::State { what, count, first });
        }
        Ok(())
    }
}

impl Iterator for Audit {
    type Item = Audited;

    /// The next good block; none after the last one, or once one is wrong.
    fn next(&mut self) -> Option<Audited> {
        if self.next > self.stand.height {
            return None;
        }
        match self.check(self.next) {
            Ok(audited) => {
                self.next += 1;
                Some(audited)
            }
            Err(flaw) => {
                // Said once, however often it is asked.
                if self.flaws.last() != Some(&flaw) {
                    self.flaws.push(flaw);
                }
                None
            }
        }
    }
}

#[cfg(test)]
mod tests;
